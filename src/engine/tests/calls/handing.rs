//! A second call of a phone that talks already, and the first party handed over to where it leads: by the phone's REFER or by
//! the button of the desk. What the queue counts of it.
use crate::features::inside;
use crate::harness::{World, site};
use model::clock::Wall;
use model::command::{Command, Reply};
use model::id::CallId;
use model::notice::{Notice, QueueView};
use model::number::Number;
use model::record::{AgentState, Outcome, Record};
use model::refusal::Refusal;
use model::report::{self, QueueFigures, Span, StepRow, Width};
use model::steer::Steer;
use serde_json::json;

const A: &str = "192.0.2.11";
const B: &str = "192.0.2.12";
const C: &str = "192.0.2.13";

/// 103 talks to 101.
struct Talk {
    world: World,
    call: CallId,
    /// 101's phone, and 103's.
    asker: usize,
    party: usize,
}

impl Talk {
    fn new() -> Talk {
        let mut world = World::new(site(|tree| tree["inbound"][0]["to"] = json!("queue:support")));
        let asker = world.phone("101", A);
        let party = world.phone("103", C);
        world.dial(asker, "103");
        world.take(party);
        let call = world.view().expect("they talk").call;
        Talk { world, call, asker, party }
    }

    /// 101's phone calls somebody too.
    fn asks(&mut self, number: &str) {
        self.world.dial(self.asker, number);
    }

    /// 101's phone puts both together.
    fn by_phone(&mut self) {
        let told = self.world.peers[self.asker].told.iter().rev();
        let mut answers = told.filter_map(|i| {
            if let sip::Indication::Answered { response, .. } = i { Some(response.clone()) } else { None }
        });
        let asked = answers.next().expect("the box took the second call");
        let tag = |who: &sip::NameAddr| who.tag().expect("a dialog").to_owned();
        let name = format!(
            "Refer-To: <sip:192.0.2.1?Replaces={}%3Bto-tag%3D{}%3Bfrom-tag%3D{}>",
            asked.call_id().replace('@', "%40"),
            tag(asked.to()),
            tag(asked.from())
        );
        inside(&mut self.world, self.asker, "REFER", &name, "");
        assert!(self.world.sent.iter().any(|text| text.starts_with("SIP/2.0 202")), "taken");
        self.world.seconds(1);
    }

    /// 101 presses the button.
    fn by_desk(&mut self) -> Reply {
        let (call, party) = (self.call, Number::read("101"));
        let reply = self.world.order(Command::Steer { call, party, steer: Steer::Transfer { to: None } });
        self.world.seconds(1);
        reply
    }

    /// 101 is out of it, 103 is not: where 103's call is, and who is there.
    fn stands(&self) -> (String, String) {
        assert!(self.world.ended(self.asker) && !self.world.ended(self.party));
        let mut views = self
            .world
            .notices
            .iter()
            .rev()
            .filter_map(|n| if let Notice::Call(v) = n { Some(v) } else { None });
        let view = views.find(|v| v.call == self.call).expect("a call");
        (view.stage.clone(), view.with.clone())
    }
}

fn queue(world: &World) -> &QueueView {
    let mut queues = world.notices.iter().rev();
    queues.find_map(|n| if let Notice::Queue(queue) = n { Some(queue) } else { None }).expect("told")
}

fn agent_state(world: &World, id: &str) -> AgentState {
    let views = world.notices.iter().filter_map(|n| if let Notice::Agent(a) = n { Some(a) } else { None });
    views.rev().find(|a| a.agent == id).expect("the agent was told").state.clone()
}

/// What the reports say of the queue so far.
fn reported(world: &World) -> QueueFigures {
    let mut steps: Vec<StepRow> = world
        .records
        .iter()
        .filter_map(|r| if let Record::CallStep(step) = r { Some(step) } else { None })
        .filter(|step| report::KINDS.contains(&step.kind.as_str()))
        .map(|step| StepRow {
            call: step.call,
            at: step.at,
            offset_ms: step.offset_ms,
            kind: step.kind.clone(),
            detail: step.detail.clone(),
        })
        .collect();
    steps.sort_by_key(|step| step.call);
    let span = Span {
        from: Wall(0),
        to: Wall(world.now.wall.0 + 1),
        width: Width::Total,
        zone: "Europe/Berlin".into(),
    };
    let mut rows = report::queues(&report::visits(&steps), &span, &|_| 20);
    assert!(rows.len() < 2, "{rows:?}");
    rows.pop().unwrap_or_default()
}

/// Told and counted within a tenth of a second.
fn near(told: u64, counted: u64) {
    assert!(told.abs_diff(counted) <= 100, "{told} told, {counted} counted");
}

#[test]
fn a_party_is_handed_over_into_the_queue_where_the_asker_waits_and_keeps_the_time_waited() {
    for desk in [false, true] {
        let mut talk = Talk::new();
        talk.asks("600");
        talk.world.seconds(15);
        let customer = talk.world.peer("+491711234567", "192.0.2.80");
        talk.world.dial(customer, "+49301234567");
        talk.world.seconds(15);
        if desk {
            talk.by_desk().expect("it goes")
        } else {
            talk.by_phone()
        }
        assert_eq!(talk.stands(), ("queued".into(), "support".into()));
        let waiting: Vec<&str> =
            queue(&talk.world).waiting.iter().map(|w| w.caller.number.as_str()).collect();
        assert_eq!(waiting, ["103", "+491711234567"], "in the place of 101, before who came after 101");
    }
}

#[test]
fn a_party_is_handed_over_into_the_mailbox_where_the_asker_stands() {
    for desk in [false, true] {
        let mut talk = Talk::new();
        talk.asks("102");
        talk.world.seconds(5);
        if desk {
            talk.by_desk().expect("it goes")
        } else {
            talk.by_phone()
        }
        assert_eq!(talk.stands(), ("voicemail".into(), "102".into()));
    }
}

#[test]
fn the_desk_hands_over_to_whom_the_phone_asked_whether_they_talk_or_it_rings() {
    for answered in [false, true] {
        let mut talk = Talk::new();
        let b = talk.world.phone("102", B);
        talk.asks("102");
        let first = talk.world.rung(b).expect("it rings").0;
        if answered {
            talk.world.answer(b, first);
        }
        talk.by_desk().expect("it goes");
        if !answered {
            assert_eq!(talk.stands(), ("ringing".into(), "102".into()));
            let (second, request) = talk.world.rung(b).expect("it rings for 103");
            assert_eq!(request.from().uri.user().as_deref(), Some("103"));
            talk.world.answer(b, second);
        }
        assert_eq!(talk.stands(), ("bridged".into(), "102".into()));
        assert!(talk.world.media.joined(), "103 and 102 talk");
    }
}

#[test]
fn the_desk_does_not_guess_where_to() {
    let mut talk = Talk::new();
    assert_eq!(talk.by_desk(), Err(Refusal::Conflict), "nobody is asked");
    talk.asks("700");
    assert_eq!(talk.by_desk(), Err(Refusal::Conflict), "a flow is asked again by each caller for itself");
    talk.asks("102");
    talk.asks("600");
    assert_eq!(talk.by_desk(), Err(Refusal::Conflict), "a mailbox or a queue");
    assert!(!talk.world.ended(talk.asker) && !talk.world.ended(talk.party), "and all goes on");
}

#[test]
fn a_wait_that_is_handed_over_goes_on_and_counts_once() {
    for desk in [false, true] {
        let mut talk = Talk::new();
        let b = talk.world.phone("102", B);
        talk.asks("600");
        let came = talk.world.now.mono;
        talk.world.seconds(15);
        if desk {
            talk.by_desk().expect("it goes")
        } else {
            talk.by_phone()
        }
        talk.world.seconds(9);
        talk.world.order(Command::AgentLogin { agent: "1".into() }).expect("Ann goes to work");
        let leg = talk.world.take(b);
        let waited = u64::try_from(talk.world.now.mono.since(came).as_millis()).expect("short");
        talk.world.seconds(30);
        talk.world.hang_up(b, leg);
        talk.world.seconds(1);
        let told = queue(&talk.world);
        let row = reported(&talk.world);
        assert_eq!((told.offered, told.answered, told.abandoned, told.in_level), (1, 1, 0, 0), "after 25 s");
        assert_eq!((row.offered, row.answered, row.abandoned, row.in_level), (1, 1, 0, 0), "after 25 s");
        near(told.wait_ms, waited);
        near(row.wait_ms, waited);
        near(row.talk_ms, 30_000);
        assert!(!talk.world.outcomes().contains(&Outcome::Abandoned), "{:?}", talk.world.outcomes());
        for record in &talk.world.records {
            let Record::CallEnded(call) = record else { continue };
            assert!(call.talk_ms + call.wait_ms <= call.duration_ms, "{call:?}");
        }
        talk.world.at_rest();
    }
}

#[test]
fn a_place_that_is_handed_over_keeps_its_time_and_frees_the_phone_that_rang_for_it() {
    let mut talk = Talk::new();
    talk.asks("600");
    talk.world.seconds(40);
    let b = talk.world.phone("102", B);
    talk.world.order(Command::AgentLogin { agent: "1".into() }).expect("Ann goes to work");
    let (_, request) = talk.world.rung(b).expect("it rings for the asker");
    assert_eq!(request.from().uri.user().as_deref(), Some("101"));
    talk.by_desk().expect("it goes");
    assert!(talk.world.ended(b), "not for the asker any more");
    let (leg, request) = talk.world.rung(b).expect("it rings for the party");
    assert_eq!(request.from().uri.user().as_deref(), Some("103"));
    talk.world.refuse(b, leg, 486);
    talk.world.order(Command::AgentLogout { agent: "1".into() }).expect("Ann goes home");
    assert_eq!(agent_state(&talk.world, "1"), AgentState::LoggedOut);
    talk.world.seconds(10);
    assert_eq!(talk.stands(), ("queued".into(), "support".into()));
    talk.world.seconds(10);
    assert_eq!(talk.stands(), ("voicemail".into(), "101".into()), "60 s after the asker came");
    let (told, row) = (queue(&talk.world), reported(&talk.world));
    assert_eq!((told.offered, told.overflowed, told.abandoned), (1, 1, 0));
    assert_eq!((row.offered, row.overflowed, row.abandoned), (1, 1, 0));
    near(row.wait_max_ms, 60_000);
}
