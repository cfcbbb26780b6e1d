//! The 49 torture messages of RFC 4475 (octets of the archive in its appendix), each with the answer that RFC asks of
//! an endpoint and registrar. What the RFC leaves open is decided here, with the reason.
use model::clock::{Mono, Now};
use sip::digest::server::{Nonces, Verdict};
use sip::endpoint::Settings;
use sip::message::Message;
use sip::{Endpoint, Flow, Indication, Name, Output, Request, Transport, Why};

const SOURCE: &str = "198.51.100.9:40000";

/// What must come of a message.
enum Then {
    /// A call is offered to the engine.
    Call,
    /// The engine is asked.
    Asked,
    /// Refused with this code and nobody else hears of it.
    Refused(u16),
    /// An answer that was read (and belongs to no transaction here).
    Answer,
    /// Nothing is sent, nothing is done but counting.
    Dropped,
}
use Then::{Answer, Asked, Call, Dropped, Refused};

/// Section order of the RFC.
const TABLE: [(&str, Then); 49] = [
    // Well-formed, and inside a session that we do not know (its To has a tag): section 12.2.2 of RFC 3261.
    ("wsinv", Refused(481)),
    ("intmeth", Refused(501)),
    ("esc01", Call),
    ("escnull", Asked),
    ("esc02", Refused(501)),
    ("lwsdisp", Asked),
    ("longreq", Call),
    ("dblreq", Asked),
    ("semiuri", Asked),
    ("transports", Asked),
    ("mpart01", Asked),
    ("unreason", Answer),
    ("noreason", Answer),
    ("badinv01", Refused(400)),
    ("clerr", Refused(400)),
    ("ncl", Refused(400)),
    ("scalar02", Refused(400)),
    ("scalarlg", Dropped),
    ("quotbal", Refused(400)),
    ("ltgtruri", Refused(400)),
    ("lwsruri", Refused(400)),
    ("lwsstart", Refused(400)),
    ("trws", Refused(400)),
    ("escruri", Refused(400)),
    // "elements ... MAY ignore": the Date header means nothing to a call.
    ("baddate", Call),
    ("regbadct", Refused(400)),
    // Blanks inside the brackets: "an element attempting to be liberal could ignore" them.
    ("badaspec", Asked),
    // A comma in an unquoted display name: harmless in From and To, which are no lists.
    ("baddn", Asked),
    ("badvers", Refused(505)),
    ("mismatch01", Refused(400)),
    ("mismatch02", Refused(400)),
    ("bigcode", Dropped),
    ("badbranch", Asked),
    ("insuf", Refused(400)),
    ("unkscm", Refused(416)),
    ("novelsc", Refused(416)),
    ("unksm2", Asked),
    ("bext01", Refused(420)),
    ("invut", Refused(415)),
    ("regaut01", Asked),
    ("multi01", Refused(400)),
    ("mcl01", Refused(400)),
    ("bcast", Dropped),
    ("zeromf", Asked),
    ("cparam01", Asked),
    ("cparam02", Asked),
    ("regescrt", Asked),
    ("sdp01", Refused(406)),
    ("inv2543", Call),
];

fn bytes(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/rfc4475/{name}.dat", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).expect("a message of the set")
}

fn flow() -> Flow {
    let addr = |text: &str| text.parse().expect("an address");
    Flow { transport: Transport::Udp, local: addr("192.0.2.1:5060"), remote: addr(SOURCE), connection: 0 }
}

fn now() -> Now {
    Now { mono: Mono(1_000_000), ..Now::default() }
}

fn receive(name: &str) -> Vec<Output> {
    let mut out = Vec::new();
    Endpoint::new(Settings::new([4; 32])).receive(now(), flow(), &bytes(name), &mut out);
    out
}

fn request(name: &str) -> Request {
    match Message::read(&bytes(name)) {
        Ok(Message::Request(request)) => request,
        other => panic!("{name}: {other:?}"),
    }
}

fn codes(out: &[Output]) -> Vec<u16> {
    let sent = out.iter().filter_map(|o| match o {
        Output::Send { bytes, flow } => {
            assert_eq!(flow.remote.to_string(), SOURCE, "answers go where requests came from");
            let text = String::from_utf8_lossy(bytes);
            Some(text.split(' ').nth(1).expect("a code").parse().expect("a number"))
        }
        Output::Indicate(_) => None,
    });
    sent.collect()
}

#[test]
fn every_message_gets_the_answer_the_rfc_asks_for() {
    let mut wrong = Vec::new();
    for (name, then) in TABLE {
        let out = receive(name);
        let told: Vec<&Indication> = out
            .iter()
            .filter_map(|o| match o {
                Output::Indicate(i) => Some(i),
                Output::Send { .. } => None,
            })
            .collect();
        let sent = codes(&out);
        let right = match then {
            Call => sent.is_empty() && matches!(told[..], [Indication::Invite { .. }]),
            Asked => sent.is_empty() && matches!(told[..], [Indication::Request { .. }]),
            Refused(code) => sent == [code] && told.iter().all(|i| matches!(i, Indication::Malformed { .. })),
            Answer => out.is_empty() && matches!(Message::read(&bytes(name)), Ok(Message::Response(_))),
            Dropped => sent.is_empty() && told.iter().all(|i| matches!(i, Indication::Malformed { .. })),
        };
        if !right {
            wrong.push(format!("{name}: sent {sent:?}, told {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn wsinv_is_read_to_the_last_letter() {
    let r = request("wsinv");
    assert_eq!((r.max_forwards(), r.cseq().number, r.call_id()), (Some(68), 9, "wsinv.ndaksdj@192.0.2.1"));
    assert_eq!(r.from().display.as_deref(), Some("J Rosenberg \\\""));
    assert_eq!((r.from().tag(), r.to().tag()), (Some("98asjd8"), Some("1918181833n")));
    assert_eq!(r.headers().list(Name::Via).count(), 3);
    assert_eq!(
        r.contacts().next().map(|c| c.param("q").flatten().map(str::to_owned)),
        Some(Some("0.33".into()))
    );
    assert_eq!(r.header("UnknownHeaderWithUnusualValue").next(), Some(";;,,;;,;"));
    assert_eq!(r.body().len(), 150);
}

#[test]
fn escapes_and_odd_users() {
    assert_eq!(request("esc01").uri().user().as_deref(), Some("sips:user@example.com"));
    assert_eq!(request("semiuri").uri().user().as_deref(), Some("user;par=u@example.net"));
    assert_eq!(request("escnull").contacts().count(), 2);
    assert_eq!(request("intmeth").from().param("tag"), Some(Some("_token~1'+`*%!-.")));
}

#[test]
fn the_long_one_has_every_octet() {
    let r = request("longreq");
    assert_eq!(r.headers().list(Name::Via).count(), 34);
    assert_eq!(r.headers().lines().map(|l| l.value.len()).max(), Some(590));
}

#[test]
fn what_follows_the_first_message_of_a_datagram_is_ignored() {
    let r = request("dblreq");
    assert_eq!((r.body().len(), r.call_id()), (0, "dblreq.0ha0isndaksdj99sdfafnl3lk233412"));
}

#[test]
fn binary_bodies_stay_binary() {
    assert_eq!(request("mpart01").body().len(), 553);
}

#[test]
fn refusals_say_what_would_do() {
    let text = |name: &str| match receive(name).remove(0) {
        Output::Send { bytes, .. } => String::from_utf8_lossy(&bytes).into_owned(),
        other @ Output::Indicate(_) => panic!("{other:?}"),
    };
    assert!(text("bext01").contains("\r\nUnsupported: nothingSupportsThis, nothingSupportsThisEither\r\n"));
    assert!(text("invut").contains("\r\nAccept: application/sdp\r\n"));
    assert!(text("intmeth").contains("\r\nAllow: INVITE, ACK"));
}

#[test]
fn the_registrars_part() {
    let contacts = |name: &str| request(name).contacts().map(|c| c.uri.to_string()).collect::<Vec<_>>();
    assert_eq!(contacts("cparam01"), ["sip:+19725552222@gw1.example.net"], "the parameter is the header's");
    assert_eq!(contacts("cparam02"), ["sip:+19725552222@gw1.example.net;unknownparam"]);
    assert_eq!(contacts("regescrt"), ["sip:user@example.com?Route=%3Csip:sip.example.com%3E"]);
    assert_eq!(contacts("escnull").len(), 2);
    assert!(request("unksm2").contacts().all(|c| c.uri.host().is_empty()), "a contact nobody can call");
    let auth = request("regaut01");
    let verdict = Nonces::new([1; 32]).check(
        now(),
        flow().remote.ip(),
        "example.com",
        "REGISTER",
        auth.headers().all(Name::Authorization),
        |_| None,
    );
    assert_eq!(verdict, Verdict::Missing, "an unknown scheme is challenged with ours");
}

#[test]
fn a_datagram_that_is_too_short_says_why() {
    let Err(rejected) = Message::read(&bytes("clerr")) else { panic!("clerr has less body than it says") };
    assert_eq!(rejected.why, Why::ContentLength);
}
