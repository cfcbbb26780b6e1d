//! Who may not call does not call, learns nothing, and is not answered for a while when it keeps trying.
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::site;

struct Stranger {
    socket: UdpSocket,
    target: SocketAddr,
    sent: u32,
}

impl Stranger {
    fn at(host: Ipv4Addr, target: Ipv4Addr) -> Stranger {
        let socket = UdpSocket::bind((host, 5060)).expect("an address of the test's own");
        socket.set_read_timeout(Some(Duration::from_millis(700))).expect("a socket takes a time-out");
        Stranger { socket, target: SocketAddr::from((target, 5060)), sent: 0 }
    }

    /// Sends a request and answers the final response's text, or `None` for silence.
    fn ask(&mut self, method: &str, user: &str, more: &str) -> Option<String> {
        self.sent += 1;
        let (local, target, n) = (self.socket.local_addr().expect("bound"), self.target, self.sent);
        let uri = if method == "REGISTER" { format!("sip:{target}") } else { format!("sip:102@{target}") };
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKs{n};rport\r\n\
             From: <sip:{user}@{target}>;tag=s{n}\r\nTo: <sip:{user}@{target}>\r\nCall-ID: s{n}@{local}\r\n\
             CSeq: {n} {method}\r\nContact: <sip:{user}@{local}>\r\nMax-Forwards: 70\r\n{more}Content-Length: 0\r\n\r\n"
        );
        self.socket.send_to(text.as_bytes(), target).expect("loopback takes it");
        let mut buffer = [0; 4096];
        loop {
            let length = self.socket.recv(&mut buffer).ok()?;
            let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if answer.starts_with("SIP/2.0 1") {
                continue;
            }
            if method == "INVITE" {
                self.acknowledge(n, user);
            }
            return Some(answer);
        }
    }

    fn acknowledge(&self, n: u32, user: &str) {
        let (local, target) = (self.socket.local_addr().expect("bound"), self.target);
        let text = format!(
            "ACK sip:102@{target} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKs{n};rport\r\n\
             From: <sip:{user}@{target}>;tag=s{n}\r\nTo: <sip:{user}@{target}>;tag=any\r\nCall-ID: s{n}@{local}\r\n\
             CSeq: {n} ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        let _ = self.socket.send_to(text.as_bytes(), target);
    }
}

/// The answer without what differs by chance: tags, nonces, branch, Call-ID, CSeq and the user asked for.
fn shape(answer: &str, user: &str) -> Vec<String> {
    answer
        .replace(user, "USER")
        .lines()
        .map(|line| match line.split_once(':') {
            Some((name, value)) if name == "WWW-Authenticate" => {
                let keys: Vec<&str> = value.split(',').filter_map(|part| part.split('=').next()).collect();
                format!("{name}:{}", keys.join(","))
            }
            Some((name, _)) if ["Via", "From", "To", "Call-ID", "CSeq"].contains(&name) => name.to_owned(),
            Some(_) | None => line.to_owned(),
        })
        .collect()
}

fn wrong_digest(answer: &str, user: &str, target: SocketAddr) -> String {
    let nonce = answer.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a nonce");
    let realm = answer.split("realm=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a realm");
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"sip:{target}\", \
         algorithm=MD5, qop=auth, nc=00000001, cnonce=\"abcdef\", response=\"0123456789abcdef0123456789abcdef\"\r\n"
    )
}

fn start(lan: Lan, folder: &std::path::Path) -> Belfry {
    let text = [
        site::head(),
        "\n[[extension]]\nnumber = \"101\"\nname = \"A\"\npassword = \"one-phone-secret\"\n\n[[extension]]\n\
         number = \"102\"\nname = \"B\"\npassword = \"two-phone-secret\"\n"
            .to_owned(),
    ]
    .concat();
    Belfry::start(lan, &text, folder)
}

#[test]
fn the_answer_is_the_same_whether_or_not_the_extension_exists_and_no_call_begins() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lan = Lan::take();
    let pbx = start(lan, folder.path());
    let mut stranger = Stranger::at(lan.host(66), lan.host(1));
    for method in ["INVITE", "REGISTER", "SUBSCRIBE"] {
        let known = stranger.ask(method, "101", "Event: message-summary\r\n");
        let unknown = stranger.ask(method, "901", "Event: message-summary\r\n");
        let (known, unknown) = (known.expect("an answer"), unknown.expect("an answer"));
        assert!(known.starts_with("SIP/2.0 401"), "{method}: {known}");
        assert_eq!(shape(&known, "101"), shape(&unknown, "901"), "{method} tells who exists");
        assert!(!known.to_lowercase().contains("belfry"), "nothing tells the make or version: {known}");

        let digest = wrong_digest(&known, "101", stranger.target);
        let wrong =
            stranger.ask(method, "101", &format!("Event: message-summary\r\n{digest}")).expect("an answer");
        let digest = wrong_digest(&unknown, "901", stranger.target);
        let nobody =
            stranger.ask(method, "901", &format!("Event: message-summary\r\n{digest}")).expect("an answer");
        assert_eq!(
            shape(&wrong, "101"),
            shape(&nobody, "901"),
            "{method} with a wrong password tells who exists"
        );
    }
    assert_eq!(pbx.get("/calls"), serde_json::json!([]));
    assert_eq!(pbx.get("/history")["items"], serde_json::json!([]));
}

/// How long the final answer takes.
fn time_of(stranger: &mut Stranger, user: &str, more: &str) -> (Duration, String) {
    let began = Instant::now();
    let answer = stranger.ask("REGISTER", user, more).expect("an answer");
    (began.elapsed(), answer)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Medians of a known and an unknown name, of 32 answers each: without a password, and with a wrong one. Asked in turns, so that whatever else
/// the machine does weighs on both.
fn medians(lan: Lan, hosts: std::ops::Range<u8>) -> [[Duration; 2]; 2] {
    let mut times: [[Vec<Duration>; 2]; 2] = Default::default();
    for host in hosts {
        let mut stranger = Stranger::at(lan.host(host), lan.host(1));
        for _ in 0..8 {
            for (known, user) in ["101", "901"].into_iter().enumerate() {
                let (took, challenge) = time_of(&mut stranger, user, "");
                times[0][known].push(took);
                let digest = wrong_digest(&challenge, user, stranger.target);
                times[1][known].push(time_of(&mut stranger, user, &digest).0);
            }
        }
    }
    times.map(|both| both.map(median))
}

#[test]
fn the_time_of_an_answer_does_not_tell_whether_the_extension_exists() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lan = Lan::take();
    let _pbx = start(lan, folder.path());
    // Below a hundred guesses in all: then the account is no longer weighed for strangers. A difference that is there is there in each round; one that a busy machine makes is not.
    let rounds = [80..84, 84..88, 88..92].map(|hosts| medians(lan, hosts));
    for (n, what) in ["without a password", "with a wrong password"].into_iter().enumerate() {
        let apart = rounds.iter().map(|r| r[n][0].abs_diff(r[n][1])).min().expect("three rounds");
        assert!(apart <= Duration::from_millis(2), "{what}: {rounds:?}");
    }
}

#[test]
fn who_guesses_passwords_is_not_answered_for_a_while_and_shown_in_the_admin() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lan = Lan::take();
    let pbx = start(lan, folder.path());
    let mut guesser = Stranger::at(lan.host(67), lan.host(1));
    let mut weighed = 0;
    while let Some(challenge) = guesser.ask("REGISTER", "101", "") {
        weighed += 1;
        assert!(weighed <= 30, "at most 20 guesses are weighed");
        let digest = wrong_digest(&challenge, "101", guesser.target);
        if guesser.ask("REGISTER", "101", &digest).is_none() {
            break;
        }
    }
    assert!(weighed >= 3, "a phone with a wrong password gets more than one try");
    let bans = pbx.get("/bans");
    assert!(bans.to_string().contains(&lan.host(67).to_string()), "the admin sees the ban: {bans}");

    let mut neighbour = Stranger::at(lan.host(68), lan.host(1));
    assert!(neighbour.ask("REGISTER", "101", "").is_some(), "others are still answered");

    pbx.send("DELETE", &format!("/bans/{}", lan.host(67)), &serde_json::json!({}));
    assert!(guesser.ask("REGISTER", "101", "").is_some(), "pardoned by the admin");
}
