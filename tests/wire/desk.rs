//! B17 with real phones: somebody logs in at another's phone by star code, number and PIN. A call to the person rings there
//! and not at home, the lamp of that phone shows the person's messages, and logging out gives everything back.
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use tests::harness::baresip::{Account, Phone};
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::process::until;
use tests::harness::site;

/// A loaded machine takes its time.
const LONG: Duration = Duration::from_secs(60);
const PIN: &str = "470815";

fn extension(number: &str, ring_s: u32, more: &str) -> String {
    format!(
        "\n[[extension]]\nnumber = \"{number}\"\nname = \"Phone {number}\"\npassword = \"secret-of-{number}\"\n\
         ring_timeout_s = {ring_s}\n{more}[extension.voicemail]\npin = \"{PIN}\"\n"
    )
}

fn phone(lan: Lan, n: u16, user: &str, folder: &Path) -> Phone {
    let password = format!("secret-of-{user}");
    let account = Account {
        port: lan.phone_port(n),
        registrar: lan.host(1),
        user,
        password: &password,
        hz: 1000,
        answers: false,
        lamp: user == "104",
    };
    Phone::start(&account, folder)
}

fn dial(phone: &mut Phone, lan: Lan, to: &str) {
    phone.command("dial", &format!("sip:{to}@{}", lan.host(1)));
}

/// Dials, and is in the call.
fn talks(phone: &mut Phone, lan: Lan, to: &str) {
    let before = phone.times(&["CALL_ESTABLISHED"]);
    dial(phone, lan, to);
    until(&format!("{to} answers"), LONG, || (phone.times(&["CALL_ESTABLISHED"]) > before).then_some(()));
}

/// One calls somebody and hangs up as soon as a phone rings.
fn rings(caller: &mut Phone, lan: Lan, to: &str, there: &Phone, silent: &Phone) {
    let rung = |phone: &Phone| phone.times(&["CALL_INCOMING"]);
    let (before, quiet) = (rung(there), rung(silent));
    dial(caller, lan, to);
    until(&format!("the phone rings for {to}"), LONG, || (rung(there) > before).then_some(()));
    caller.command("hangup", "");
    assert_eq!(rung(silent), quiet, "the other phone does not ring for {to}");
}

/// Leaves a message for somebody who does not answer.
fn leaves_message(pbx: &Belfry, caller: &mut Phone, lan: Lan, to: &str) {
    talks(caller, lan, to);
    let recording = |calls: &Value| calls[0]["stage"] == "voicemail";
    pbx.until("the caller is at the mailbox", "/calls", LONG, recording);
    // The greeting, which nobody skips, and some seconds of speech.
    std::thread::sleep(Duration::from_secs(15));
    caller.command("hangup", "");
    let kept = |all: &Value| all.as_array().is_some_and(|all| all.len() == 1);
    pbx.until("the message is kept", &format!("/messages?mailbox={to}"), LONG, kept);
}

#[test]
fn who_logs_in_at_a_phone_by_star_code_has_calls_and_lamp_there_until_logging_out() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let text = [
        site::head(),
        extension("101", 5, ""),
        extension("103", 60, ""),
        extension("104", 60, "hot_desk = \"guests\"\n"),
    ];
    let pbx = Belfry::start(lan, &text.concat(), folder);
    let home = phone(lan, 0, "101", folder);
    let mut colleague = phone(lan, 1, "103", folder);
    let mut desk = phone(lan, 2, "104", folder);
    for phone in [&home, &colleague, &desk] {
        phone.wait_registered(LONG);
    }
    let guest = |who: Value| {
        pbx.until(&format!("who is at 104: {who}"), "/phones", LONG, |all| {
            all.as_array().is_some_and(|all| all.iter().any(|p| p["extension"] == "104" && p["guest"] == who))
        });
    };
    let lamp = |desk: &Phone, on: &str| desk.times(&["MWI_NOTIFY", &format!("Messages-Waiting: {on}")]);
    leaves_message(&pbx, &mut colleague, lan, "101");
    assert_eq!(lamp(&desk, "yes"), 0, "the message is not for 104");

    talks(&mut desk, lan, "*58101");
    desk.press(PIN);
    let pressed = Instant::now();
    desk.press("#");
    guest(json!("101"));
    until("the lamp is lit", LONG, || (lamp(&desk, "yes") > 0).then_some(()));
    println!("number, lamp and voicemail of 101 were at 104 {:?} after the last key", pressed.elapsed());
    until("the phone is free again", LONG, || desk.told(&["CALL_CLOSED"]).then_some(()));
    rings(&mut colleague, lan, "101", &desk, &home);

    let dark = lamp(&desk, "no");
    talks(&mut desk, lan, "*58");
    guest(Value::Null);
    until("the lamp is out", LONG, || (lamp(&desk, "no") > dark).then_some(()));
    rings(&mut colleague, lan, "101", &home, &desk);
}
