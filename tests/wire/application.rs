//! D9: a script of thirty lines leads calls: it plays, gathers, queues and hangs up. Killed while its caller hears a prompt,
//! the caller hears the fallback; so does the next one, whom nobody leads.
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tests::harness::baresip;
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::process::{Process, until};
use tests::harness::sipp::Sipp;
use tests::harness::site;
use tests::harness::tone::ToneParty;

/// A loaded machine takes its time.
const LONG: Duration = Duration::from_secs(60);
/// The question of the script, a minute long.
const HELLO_HZ: u16 = 600;
/// Its thanks.
const THANKS_HZ: u16 = 750;
/// What the flow says without it.
const SORRY_HZ: u16 = 900;
/// The caller's own tone; the box sends none of it back.
const CALLER_HZ: f32 = 400.0;

fn flow(at: SocketAddr) -> String {
    format!(
        "\n[audio.prompt.hello]\nen = \"sounds/hello.wav\"\n\n[audio.prompt.thanks]\nen = \"sounds/thanks.wav\"\n\n[audio.prompt.sorry]\nen = \"sounds/sorry.wav\"\n\
         \n[[flow]]\nname = \"led\"\nstart = \"bot\"\n\
         \n[flow.step.bot]\nkind = \"application\"\nurl = \"ws://{at}/calls?n={{caller}}\"\notherwise = \"sorry\"\n\
         \n[flow.step.sorry]\nkind = \"hang_up\"\nsay = [\"prompt:sorry\"]\n"
    )
}

fn script(at: SocketAddr, folder: &Path) -> Process {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/application.py");
    // Debian's own, which has the package of the list.
    let mut command = Command::new("/usr/bin/python3");
    command.arg(file).args([at.ip().to_string(), at.port().to_string()]);
    let mut script = Process::start("application", &mut command, folder);
    script.wait_for("listens", LONG);
    script
}

/// A caller with this number and an ear.
fn caller(lan: Lan, n: u16, folder: &Path) -> (Process, ToneParty) {
    let ear = ToneParty::open(SocketAddr::from((lan.host(21), 0)), CALLER_HZ);
    let keys = vec![
        ("number", "+4930123456".to_owned()),
        ("name", "Customer".to_owned()),
        ("caller", format!("+493055{n}")),
        ("rtp_ip", ear.address.ip().to_string()),
        ("rtp_port", ear.address.port().to_string()),
    ];
    let sipp = Sipp {
        scenario: "caller",
        local: SocketAddr::from((lan.host(21), 15_000 + n)),
        remote: Some(SocketAddr::from((lan.host(1), 5060))),
        keys,
        more: ["-m", "1", "-d", "120000"].map(str::to_owned).to_vec(),
    };
    (sipp.start(&format!("caller-{n}"), folder), ear)
}

fn hears(ear: &ToneParty, hz: u16) {
    until(&format!("the caller hears {hz} Hz"), LONG, || {
        (ear.share_of(f32::from(hz), Duration::from_millis(400)) > 0.8).then_some(())
    });
}

fn steps(pbx: &Belfry, call: u64) -> Vec<Value> {
    pbx.get(&format!("/history/{call}"))["steps"].as_array().cloned().unwrap_or_default()
}

/// Waits until the call's journey has this step; when it came there, ms since 1970.
fn reached(pbx: &Belfry, call: u64, detail: &str) -> u64 {
    until(&format!("call {call} comes to \"{detail}\""), LONG, || {
        steps(pbx, call).iter().find(|s| s["detail"] == detail)?["at"].as_u64()
    })
}

fn call_of(pbx: &Belfry, n: u16) -> u64 {
    let number = format!("+493055{n}");
    let calls = pbx.until("the call runs", "/calls", LONG, |calls| {
        calls.as_array().is_some_and(|all| all.iter().any(|c| c["caller"]["number"] == number.as_str()))
    });
    let mut all = calls.as_array().into_iter().flatten();
    let call = all.find(|c| c["caller"]["number"] == number.as_str()).expect("just seen");
    call["call"].as_u64().expect("a number")
}

#[test]
fn a_script_of_thirty_lines_leads_calls_and_killed_in_a_prompt_leaves_its_caller_to_the_flow() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let at = SocketAddr::from((lan.host(4), 8091));
    let sounds = folder.join("data/sounds");
    std::fs::create_dir_all(&sounds).expect("the test folder is writable");
    for (name, hz, seconds) in [("hello", HELLO_HZ, 60), ("thanks", THANKS_HZ, 3), ("sorry", SORRY_HZ, 60)] {
        let file = sounds.join(format!("{name}.wav"));
        std::fs::write(file, baresip::voice(hz, seconds)).expect("the test folder is writable");
    }
    let parts = [
        site::head(),
        // Nobody is at work: who is queued waits.
        site::agents(lan, 31, 201, 1).replace("always_on = true\n", ""),
        site::queue(201, 1, "longest_idle", "never"),
        site::lines(lan, "flow:led"),
        flow(at),
    ];
    let pbx = Belfry::start(lan, &parts.concat(), folder);
    let bot = script(at, folder);

    // Who gives a number hears thanks and waits in the queue.
    let (_waits, ear) = caller(lan, 1, folder);
    let call = call_of(&pbx, 1);
    hears(&ear, HELLO_HZ);
    ear.press("4711");
    hears(&ear, THANKS_HZ);
    reached(&pbx, call, "gathered 4711");
    reached(&pbx, call, "queue floor");
    let waits = |q: &Value| q[0]["waiting"][0]["caller"]["number"] == "+4930551";
    pbx.until("the caller waits in the queue", "/queues", LONG, waits);

    // Nine ends the call.
    let (_leaves, ear) = caller(lan, 2, folder);
    let call = call_of(&pbx, 2);
    hears(&ear, HELLO_HZ);
    ear.press("9#");
    let over = |h: &Value| h["record"]["outcome"] == "answered" && h["record"]["ended"].is_u64();
    let history = pbx.until("the call is over", &format!("/history/{call}"), LONG, over);
    assert_eq!(history["record"]["cause"], "end of the flow", "{history}");

    // Killed in the middle of a prompt.
    let (_left, ear) = caller(lan, 3, folder);
    let call = call_of(&pbx, 3);
    hears(&ear, HELLO_HZ);
    let killed = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    drop(bot);
    hears(&ear, SORRY_HZ);
    let heard = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let failed = reached(&pbx, call, "failed: the connection is lost");
    println!(
        "killed; the flow goes on after {} ms, heard after {} ms",
        u128::from(failed) - killed,
        heard - killed
    );

    // Nobody is there for the next one.
    let (_alone, ear) = caller(lan, 4, folder);
    hears(&ear, SORRY_HZ);
}
