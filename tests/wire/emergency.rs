//! Emergency numbers of the country go out from a phone that may not call outside, with and without the prefix.
use std::net::SocketAddr;
use std::time::Duration;
use tests::harness::baresip::{Account, Phone};
use tests::harness::belfry::Belfry;
use tests::harness::kamailio::Kamailio;
use tests::harness::lan::Lan;
use tests::harness::process::until;
use tests::harness::sipp::Sipp;
use tests::harness::site;
use tests::harness::tone::ToneParty;

const SOON: Duration = Duration::from_secs(15);

#[test]
fn a_barred_phone_reaches_112_with_and_without_the_prefix_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let text = [
        site::head(),
        "\n[[extension]]\nnumber = \"101\"\nname = \"Lobby\"\npassword = \"lobby-phone-secret\"\noutside_calls = \"internal\"\n"
            .to_owned(),
        site::carrier(lan),
    ]
    .concat();
    let _carrier = Kamailio::start(lan.host(2), lan.host(1), lan.host(3), folder);
    let ear = ToneParty::open(SocketAddr::from((lan.host(3), 7000)), 400.0);
    let centre = Sipp {
        scenario: "callee",
        local: SocketAddr::from((lan.host(3), 5090)),
        remote: None,
        keys: vec![("rtp_ip", ear.address.ip().to_string()), ("rtp_port", ear.address.port().to_string())],
        more: vec![
            "-trace_msg".into(),
            "-message_file".into(),
            folder.join("centre.msg").display().to_string(),
        ],
    };
    let _centre = centre.start("centre", folder);
    let pbx = Belfry::start(lan, &text, folder);
    pbx.until("the trunk is up", "/status", SOON, |s| s.to_string().contains(r#""state":"up""#));
    let account = Account {
        port: lan.phone_port(2),
        registrar: lan.host(1),
        user: "101",
        password: "lobby-phone-secret",
        hz: 900,
        answers: true,
        lamp: false,
    };
    let mut lobby = Phone::start(&account, folder);
    lobby.wait_registered(SOON);

    let arrived = |user: &str| {
        let log = std::fs::read_to_string(folder.join("centre.msg")).unwrap_or_default();
        log.matches(&format!("INVITE sip:{user}@")).count()
    };
    for (n, dialled) in ["112", "0112"].into_iter().enumerate() {
        lobby.command("dial", &format!("sip:{dialled}@{}", lan.host(1)));
        until(&format!("{dialled} rings at the centre"), SOON, || (arrived("112") > n).then_some(()));
        pbx.until("the call is up", "/calls", SOON, |c| c.to_string().contains("bridged"));
        lobby.command("hangup", "");
        pbx.until("the call is over", "/calls", SOON, |c| c.as_array().is_some_and(Vec::is_empty));
    }
    lobby.command("dial", &format!("sip:0030123456@{}", lan.host(1)));
    lobby.wait_for(&["CALL_CLOSED", "403"], SOON);
    assert_eq!(arrived("112"), 2, "each emergency call went out once, as 112");
    assert_eq!(
        arrived("030123456") + arrived("30123456") + arrived("+4930123456"),
        0,
        "the barred call did not"
    );
    pbx.until("the calls are in the history", "/history", SOON, |h| h.to_string().contains("112"));
}
