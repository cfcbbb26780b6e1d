//! Which digest the box asks of whom, and what it takes for an answer (S7). The phones here are written by hand, so that
//! they can be as old, as wrong or as dishonest as they like.
use crate::harness::{BOX, World, site};
use engine::Event;
use model::notice::Notice;
use model::record::{BindingRecord, Digest, Record};
use serde_json::json;
use sip::Flow;
use sip::digest::client::Challenge;
use sip::digest::{Algorithm, Credentials};

const HOME: &str = "192.0.2.11:5060";

/// A phone that asks, and answers what it is asked by the one sum it knows.
struct Phone {
    user: &'static str,
    make: &'static str,
    cseq: u32,
}

impl Phone {
    fn new(make: &'static str) -> Phone {
        Phone { user: "101", make, cseq: 0 }
    }

    /// A request with this Authorization from an address; the answer as text.
    fn say(&mut self, world: &mut World, method: &str, from: &str, proof: Option<&str>) -> String {
        self.cseq += 1;
        let (user, cseq) = (self.user, self.cseq);
        let proof = proof.map(|p| format!("Authorization: {p}\r\n")).unwrap_or_default();
        let make = match self.make {
            "" => String::new(),
            make => format!("User-Agent: {make}\r\n"),
        };
        let text = format!(
            "{method} sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{user}{method}{cseq}{from}\r\n\
             From: <sip:{user}@192.0.2.1>;tag=1\r\nTo: <sip:{user}@192.0.2.1>\r\nCall-ID: {user}-{method}\r\n\
             CSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContact: <sip:{user}@{HOME}>\r\nExpires: 600\r\n\
             {make}{proof}Content-Length: 0\r\n\r\n"
        );
        world.sent.clear();
        let flow = Flow::udp(BOX.parse().unwrap(), from.parse().unwrap());
        world.tell(Event::Packet { flow, bytes: text.into_bytes() });
        world.moment();
        world.sent.iter().rfind(|t| t.starts_with("SIP/2.0")).cloned().unwrap_or_default()
    }

    fn knock(&mut self, world: &mut World) -> String {
        self.say(world, "REGISTER", HOME, None)
    }

    /// Registers with one sum, whatever is offered beside it; the codes of the answers.
    fn register_by(&mut self, world: &mut World, sum: Algorithm, method: &str) -> (String, String) {
        let asked = self.say(world, method, HOME, None);
        let proof = proof(&asked, sum, method, self.user);
        let answer = self.say(world, method, HOME, Some(&proof));
        (proof, answer)
    }
}

/// The answer to a challenge by this sum; a phone that knows no other uses it although it was not offered.
fn proof(challenge: &str, sum: Algorithm, method: &str, user: &str) -> String {
    let values: Vec<Challenge> = challenge
        .lines()
        .filter_map(|l| l.strip_prefix("WWW-Authenticate: "))
        .filter_map(Challenge::read)
        .collect();
    let offered = values
        .iter()
        .find(|c| c.algorithm == sum)
        .or(values.first())
        .unwrap_or_else(|| panic!("a challenge, not: {challenge}"));
    let challenge = Challenge { algorithm: sum, ..offered.clone() };
    let who = Credentials { username: user.into(), password: format!("secret-{user}") };
    challenge.answer(&who, method, "sip:192.0.2.1", 1, "cn")
}

fn offered(answer: &str) -> Vec<&str> {
    assert!(answer.starts_with("SIP/2.0 401"), "{answer}");
    answer
        .lines()
        .filter_map(|l| l.split("algorithm=").nth(1))
        .map(|l| l.split(',').next().unwrap())
        .collect()
}

fn is(answer: &str, code: u16) -> bool {
    answer.starts_with(&format!("SIP/2.0 {code}"))
}

#[test]
fn a_phone_is_offered_sha_256_alone_and_registers_with_it() {
    let mut world = World::new(site(|_| {}));
    let mut phone = Phone::new("Desk 7/1.0");
    assert_eq!(offered(&phone.knock(&mut world)), ["SHA-256"]);
    let (_, answer) = phone.register_by(&mut world, Algorithm::Sha256, "REGISTER");
    assert!(is(&answer, 200), "{answer}");
    let asked_for: Vec<String> = (0..5).map(|_| phone.knock(&mut world)).collect();
    assert!(asked_for.iter().all(|a| offered(a) == ["SHA-256"]), "whatever it asks later");
}

#[test]
fn a_phone_that_cannot_read_sha_256_is_offered_md5_when_it_asks_again() {
    let mut world = World::new(site(|_| {}));
    let mut phone = Phone::new("Desk 3/0.9");
    let asked: Vec<String> = (0..3).map(|_| phone.knock(&mut world)).collect();
    let lists: Vec<Vec<&str>> = asked.iter().map(|a| offered(a)).collect();
    assert_eq!(lists, [vec!["SHA-256"], vec!["SHA-256", "MD5"], vec!["MD5"]]);
    let md5 = proof(&asked[2], Algorithm::Md5, "REGISTER", "101");
    assert!(is(&phone.say(&mut world, "REGISTER", HOME, Some(&md5)), 200));
    assert_eq!(offered(&phone.knock(&mut world)), ["MD5"], "it is known now");
}

#[test]
fn a_phone_that_answers_md5_unasked_is_asked_again_and_comes_in() {
    let mut world = World::new(site(|_| {}));
    let mut phone = Phone::new("Desk 3/0.9");
    let (_, answer) = phone.register_by(&mut world, Algorithm::Md5, "REGISTER");
    assert_eq!(offered(&answer), ["SHA-256", "MD5"]);
    assert!(answer.contains("stale=true"), "its user need not be asked: {answer}");
    let md5 = proof(&answer, Algorithm::Md5, "REGISTER", "101");
    assert!(is(&phone.say(&mut world, "REGISTER", HOME, Some(&md5)), 200));
}

#[test]
fn makes_that_the_site_names_are_offered_md5_at_once() {
    let config = |makes: &[&str]| site(|tree| tree["system"]["md5_phones"] = json!(makes));
    let mut world = World::new(config(&["Old 1/"]));
    assert_eq!(offered(&Phone::new("Old 1/2.3").knock(&mut world)), ["MD5"]);
    assert_eq!(
        offered(&Phone::new("").knock(&mut world)),
        ["SHA-256"],
        "phones without a name are not on this list"
    );
    let (_, answer) = Phone::new("Old 1/2.3").register_by(&mut world, Algorithm::Md5, "REGISTER");
    assert!(is(&answer, 200), "{answer}");
    let mut usual = World::new(site(|_| {}));
    assert_eq!(offered(&Phone::new("").knock(&mut usual)), ["MD5"], "a site without a list of its own");
}

#[test]
fn an_extension_may_refuse_md5_whatever_its_phone_is() {
    let mut world = World::new(site(|tree| {
        tree["system"]["md5_phones"] = json!(["Old 1/"]);
        tree["extension"][0]["sha256_only"] = json!(true);
    }));
    let mut phone = Phone::new("Old 1/2.3");
    for _ in 0..3 {
        let (_, answer) = phone.register_by(&mut world, Algorithm::Md5, "REGISTER");
        assert_eq!(offered(&answer), ["SHA-256"]);
        assert!(!answer.contains("stale"), "a phone that tries for ever is told that it is in vain");
    }
    let told = |n: &&Notice| matches!(n, Notice::Note(n) if n.kind == "md5_refused" && n.subject == "101");
    assert_eq!(world.notices.iter().filter(told).count(), 1, "the installer is told");
    let answer = phone.knock(&mut world);
    let sha = proof(&answer, Algorithm::Sha256, "REGISTER", "101");
    assert!(is(&phone.say(&mut world, "REGISTER", HOME, Some(&sha)), 200));
}

#[test]
fn a_proof_is_worth_nothing_from_elsewhere_for_another_method_for_another_user_or_twice() {
    let mut world = World::new(site(|_| {}));
    let mut phone = Phone::new("Desk 7/1.0");
    let (taken, answer) = phone.register_by(&mut world, Algorithm::Sha256, "REGISTER");
    assert!(is(&answer, 200));
    assert!(is(&phone.say(&mut world, "REGISTER", HOME, Some(&taken)), 401), "twice");
    let fresh = |world: &mut World, phone: &mut Phone| {
        let asked = phone.knock(world);
        proof(&asked, Algorithm::Sha256, "REGISTER", "101")
    };
    let value = fresh(&mut world, &mut phone);
    assert!(is(&phone.say(&mut world, "REGISTER", "203.0.113.9:5060", Some(&value)), 401), "from elsewhere");
    let value = fresh(&mut world, &mut phone);
    assert!(is(&phone.say(&mut world, "SUBSCRIBE", HOME, Some(&value)), 401), "for another method");
    let value = fresh(&mut world, &mut phone);
    let mut other = Phone { user: "102", ..Phone::new("Desk 7/1.0") };
    assert!(is(&other.say(&mut world, "REGISTER", HOME, Some(&value)), 403), "to register another");
    let value = fresh(&mut world, &mut phone).replace("username=\"101\"", "username=\"102\"");
    assert!(is(&other.say(&mut world, "REGISTER", HOME, Some(&value)), 401), "in the name of another");
}

#[test]
fn what_a_phone_can_do_is_known_after_a_restart() {
    for (sum, digest, later) in [
        (Algorithm::Sha256, Digest::Sha256, vec!["SHA-256"]),
        (Algorithm::Md5, Digest::Md5, vec!["SHA-256", "MD5"]),
    ] {
        let mut before = World::new(site(|_| {}));
        let mut phone = Phone::new("Desk 7/1.0");
        if sum == Algorithm::Md5 {
            phone.knock(&mut before);
        }
        let (_, answer) = phone.register_by(&mut before, sum, "REGISTER");
        assert!(is(&answer, 200), "{answer}");
        let kept = |r: &Record| if let Record::Binding(b) = r { Some(b.clone()) } else { None };
        let bindings: Vec<BindingRecord> = before.records.iter().filter_map(kept).collect();
        assert_eq!(bindings.last().and_then(|b| b.digest), Some(digest));
        let mut world = World::boot(site(|_| {}), |boot| boot.bindings = bindings);
        let asked: Vec<String> = (0..2).map(|_| phone.knock(&mut world)).collect();
        assert_eq!(offered(&asked[0]), later);
        if sum == Algorithm::Sha256 {
            assert_eq!(offered(&asked[1]), later, "and never less");
        }
    }
}
