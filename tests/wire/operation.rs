//! What an operator does to a running box: changes its site under calls and takes the change back, meets its limit, and
//! connects a loudspeaker and a music source.
use std::fmt::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;
use tests::harness::baresip::{Account, Phone};
use tests::harness::belfry::{self, Belfry};
use tests::harness::lan::Lan;
use tests::harness::process::{Process, until};
use tests::harness::sipp::Sipp;
use tests::harness::site;
use tests::harness::tone::{self, ToneParty};

const SOON: Duration = Duration::from_secs(20);

/// A caller on the line `host` who stays for `stay`. `mode` is SIPp's word for the transport: `u1` or `t1`.
fn caller(lan: Lan, host: u8, mode: &str, stay: Duration, ear: &ToneParty, folder: &Path) -> Process {
    let sipp = Sipp {
        scenario: "caller",
        local: SocketAddr::from((lan.host(host), 15_000)),
        remote: Some(SocketAddr::from((lan.host(1), 5060))),
        keys: vec![
            ("number", "+4930123456".into()),
            ("name", "Customer".into()),
            ("caller", format!("+49301{host}")),
            ("rtp_ip", ear.address.ip().to_string()),
            ("rtp_port", ear.address.port().to_string()),
        ],
        more: ["-m", "1", "-t", mode, "-d", &stay.as_millis().to_string()].map(str::to_owned).to_vec(),
    };
    sipp.start(&format!("caller-{host}"), folder)
}

/// What a call from the line `host` is answered when the box will not take it.
fn refused(lan: Lan, host: u8) -> String {
    let socket = UdpSocket::bind((lan.host(host), 5060)).expect("an address of the test's own");
    socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket takes a time-out");
    let (local, target) = (socket.local_addr().expect("bound"), SocketAddr::from((lan.host(1), 5060)));
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 7000 RTP/AVP 0\r\n",
        local.ip()
    );
    let text = format!(
        "INVITE sip:+4930123456@{target} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKfull;rport\r\n\
         From: <sip:+49301@{local}>;tag=full\r\nTo: <sip:+4930123456@{target}>\r\nCall-ID: full@{local}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:+49301@{local}>\r\nMax-Forwards: 70\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    socket.send_to(text.as_bytes(), target).expect("loopback takes it");
    let mut buffer = [0; 4096];
    loop {
        let length = socket.recv(&mut buffer).expect("an answer");
        let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if !answer.starts_with("SIP/2.0 1") {
            return answer;
        }
    }
}

fn calls_up(pbx: &Belfry, count: usize) {
    pbx.until("the calls are up", "/calls", SOON, |calls| {
        calls.as_array().is_some_and(|c| c.iter().filter(|c| c["stage"] == "service").count() == count)
    });
}

fn done(pbx: &Belfry, arguments: &[&str]) -> String {
    let out = pbx.run(arguments);
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&out.stderr));
    said
}

#[test]
fn a_site_is_changed_and_changed_back_under_calls_and_one_too_many_is_told_when_to_come_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let text = [site::head(), "call_limit = 2\n".to_owned(), site::lines(lan, "announcement")].concat();
    let pbx = Belfry::start(lan, &text, folder);
    let stay = Duration::from_secs(20);
    let ears = [21, 22].map(|host| ToneParty::open(SocketAddr::from((lan.host(host), 0)), 700.0));
    let _callers =
        [caller(lan, 21, "u1", stay, &ears[0], folder), caller(lan, 22, "t1", stay, &ears[1], folder)];
    calls_up(&pbx, 2);

    let full = refused(lan, 23);
    assert!(full.starts_with("SIP/2.0 503") && full.contains("\r\nRetry-After:"), "{full}");

    let before = done(&pbx, &["config", "export"]);
    let changed = folder.join("changed.toml");
    std::fs::write(&changed, before.replace("name = \"Test\"", "name = \"Renamed\"")).expect("writable");
    let changed = changed.display().to_string();
    done(&pbx, &["config", "check", &changed]);
    done(&pbx, &["config", "apply", &changed]);
    assert!(done(&pbx, &["config", "export"]).contains("Renamed"));
    let history = done(&pbx, &["config", "history"]);
    assert_eq!(history.lines().count(), 2, "{history}");
    done(&pbx, &["config", "undo", "1"]);
    assert_eq!(done(&pbx, &["config", "export"]), before, "everything is as it was");
    assert_eq!(done(&pbx, &["config", "history"]).lines().count(), 3, "an undo is a change too");
    calls_up(&pbx, 2);
}

/// A sound card of files: what is played lands in `out.raw`, what is captured comes from `in.raw`.
fn card_of_files(folder: &Path, hz: f32) {
    let mut samples = Vec::new();
    let mut phase = 0_f32;
    for _ in 0..60 * 8000 {
        phase = (phase + hz / 8000.0) % 1.0;
        let loud = if phase < 0.5 { 6000_i16 } else { -6000 };
        samples.extend(loud.to_le_bytes());
    }
    std::fs::write(folder.join("in.raw"), samples).expect("the test folder is writable");
    let mut text = String::from("pcm.silent { type null }\n");
    let place = folder.display();
    let _ = writeln!(text, "pcm.horn {{ type file slave.pcm silent file \"{place}/out.raw\" format raw }}");
    let _ = writeln!(
        text,
        "pcm.linein {{ type file slave.pcm silent file \"/dev/null\" infile \"{place}/in.raw\" format raw }}"
    );
    std::fs::write(folder.join("asound.conf"), text).expect("the test folder is writable");
}

#[test]
fn a_page_is_heard_from_the_loudspeaker_and_who_waits_hears_the_line_in() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let text = [
        site::head(),
        "\n[audio]\npaging = \"horn\"\n[audio.music]\ndefault = \"alsa:linein\"\n\n[[extension]]\nnumber = \"101\"\n\
         name = \"Desk\"\npassword = \"desk-phone-secret\"\n"
            .to_owned(),
        // Nobody is at this address: callers wait.
        site::agents(lan, 77, 201, 1).replace("always_on = true", ""),
        site::queue(201, 1, "longest_idle", "never"),
        site::lines(lan, "queue:floor"),
    ]
    .concat();
    card_of_files(folder, 500.0);
    let pbx = Belfry::start(lan, &text, folder);

    let ear = ToneParty::open(SocketAddr::from((lan.host(21), 0)), 700.0);
    let _waiting = caller(lan, 21, "u1", SOON * 2, &ear, folder);
    until("the caller hears what is plugged in", SOON, || {
        (ear.share_of(500.0, Duration::from_secs(1)) > 0.7).then_some(())
    });

    let account = Account {
        port: lan.phone_port(1),
        registrar: lan.host(1),
        user: "101",
        password: "desk-phone-secret",
        hz: 900,
        answers: false,
        lamp: false,
    };
    let mut desk = Phone::start(&account, folder);
    desk.wait_registered(SOON);
    desk.command("dial", &format!("sip:*80@{}", lan.host(1)));
    pbx.until("the page is up", "/calls", SOON, |c| c.to_string().contains("paging"));
    std::thread::sleep(Duration::from_secs(4));
    desk.command("hangup", "");
    // The file is written when the card's buffer is full or let go, a second after the last sound.
    let mut last = Vec::new();
    until("the loudspeaker has spoken with the caller's voice", SOON, || {
        let played = std::fs::read(folder.join("out.raw")).unwrap_or_default();
        last = played.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
        (last.len() > 16_000).then_some(())
    });
    let share = tone::share_linear(&last, 900.0);
    assert!(share > 0.9, "{share} of {} samples", last.len());
    pbx.until("only the one who waits is left", "/calls", SOON, |c| {
        c.as_array().is_some_and(|c| c.len() == 1)
    });
}

#[test]
fn the_command_line_sets_people_up_and_says_what_is_wrong_with_code_2() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let pbx = Belfry::start(Lan::take(), &site::head(), folder);
    let weak = belfry::run(&pbx.data, &["user", "set", "anna", "--role", "admin"], "short\n");
    assert_eq!(weak.status.code(), Some(2), "a weak password is refused");
    let set = belfry::run(&pbx.data, &["user", "set", "anna", "--role", "admin"], "a long password 7\n");
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    let token = done(&pbx, &["token", "create", "crm", "--role", "supervisor"]);
    let users = pbx.get("/users").to_string();
    assert!(users.contains("anna") && !users.contains("a long password"), "{users}");
    let tokens = pbx.get("/tokens").to_string();
    assert!(tokens.contains("crm") && !tokens.contains(token.trim()), "{tokens}");
    let wrong = folder.join("wrong.toml");
    std::fs::write(&wrong, "[system]\ncountry = \"XX\"\n").expect("writable");
    for verb in ["check", "apply"] {
        let out = pbx.run(&["config", verb, &wrong.display().to_string()]);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{verb}: {said}");
        assert!(said.contains("system.country"), "{verb}: {said}");
    }
    let status = pbx.status();
    for field in
        ["supervisor_pid", "control_pid", "media_pid", "uptime_s", "calls", "trunks", "phones_configured"]
    {
        assert!(!status[field].is_null(), "{field} in {status}");
    }
}
