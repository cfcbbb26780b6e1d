//! What an application outside may do with a call, verb by verb, and what it costs when it is wrong.
use super::*;
use model::application::{Connection, End, Verb, WAITING_MAX, Word};
use serde_json::{Value, json};

fn step() -> Step {
    Step::Application {
        url: "ws://bot/?n={caller}".into(),
        timeout_ms: 2_000,
        way: BTreeMap::from([("good".to_owned(), "good".to_owned())]),
        otherwise: "bad".into(),
    }
}

fn led() -> Caller {
    Caller::new(&with_ways(step()), NOON)
}

fn verb(value: &Value) -> Input {
    Input::Answered(1, Answer::Verb(Box::new(Verb::read(&value.to_string()).expect("a verb"))))
}

impl Caller {
    fn wants(&mut self, verbs: &[Value]) -> &mut Caller {
        let inputs: Vec<Input> = verbs.iter().map(verb).collect();
        self.does(&inputs)
    }

    /// What the application was told.
    fn told(&self) -> Vec<Word> {
        let word = |out: &Out| {
            let Out::Ask(1, Ask::Application(Connection::Tell(word) | Connection::Close(word))) = out else {
                return None;
            };
            Some(word.clone())
        };
        self.out.iter().filter_map(word).collect()
    }

    fn failed(&self) -> bool {
        self.hears() == ["goodbye"] && self.told().last().is_some_and(|w| w.write().contains("\"failed\""))
    }
}

fn gathered(digits: &str, end: End) -> Word {
    Word::Gathered { digits: digits.into(), end }
}

#[test]
fn it_is_called_with_the_fields_and_has_two_seconds() {
    let caller = led();
    let open = Connection::Open {
        url: "ws://bot/?n=%2B4930555".into(),
        timeout_ms: 2_000,
        language: Language::En,
        fields: fields(),
    };
    assert!(caller.out.contains(&Out::Ask(1, Ask::Application(open))), "{:?}", caller.out);
    assert!(caller.out.contains(&Out::Timer(Duration::from_secs(2))));
    assert!(led().does(&[Input::Timer]).failed(), "it said nothing");
}

#[test]
fn digits_end_by_the_key_by_their_number_or_by_silence() {
    let gather = json!({ "verb": "gather", "max": 3, "timeout_s": 4, "say": ["enter-extension"] });
    let mut by_key = led();
    assert_eq!(by_key.wants(std::slice::from_ref(&gather)).hears(), ["enter-extension"]);
    assert!(by_key.out.iter().any(|o| matches!(o, Out::Play { barge_in: true, .. })));
    assert_eq!(by_key.keys("12#").told(), [gathered("12", End::Finish)]);
    assert_eq!(led().wants(std::slice::from_ref(&gather)).keys("123").told(), [gathered("123", End::Full)]);
    let mut silent = led();
    silent.wants(&[gather]).keys("1").does(&[Input::Timer]);
    assert_eq!(silent.told(), [gathered("1", End::Timeout)]);
    assert_eq!(
        silent.run.field.get("digits").map(String::as_str),
        Some("1"),
        "an extension step can dial it"
    );
    // Now it is its turn again.
    assert!(silent.does(&[Input::Timer]).failed());
    let open = json!({ "verb": "gather", "max": 2, "finish": null });
    assert_eq!(led().wants(&[open]).keys("#*").told(), [gathered("#*", End::Full)]);
}

#[test]
fn verbs_are_carried_out_in_their_order_and_stop_ends_what_is_said() {
    let play = json!({ "verb": "play", "say": ["welcome"] });
    let mut caller = led();
    caller.wants(&[play.clone(), json!({ "verb": "play", "say": ["menu-main", "number:42"] })]);
    assert_eq!(caller.hears(), ["welcome"], "the second waits");
    assert!(
        caller.does(&[Input::Timer, Input::Digit(key('1'))]).told().is_empty(),
        "no turn ends, no key counts"
    );
    assert_eq!(caller.does(&[Input::Played]).hears(), ["menu-main", "num-40", "num-2"]);
    caller.wants(&[play, json!({ "verb": "stop" })]);
    let ends = [Word::Played { end: End::Heard }, Word::Played { end: End::Stopped }];
    assert_eq!(caller.told(), ends, "what waited is forgotten");
    assert!(caller.out.contains(&Out::Stop));
    assert!(caller.wants(&[json!({ "verb": "stop" })]).does(&[Input::Timer]).failed());
}

#[test]
fn a_text_is_spoken_or_its_stand_in_is_said_after_a_second() {
    let play = json!({ "verb": "play", "text": "Hello Ann", "say": ["welcome"] });
    let mut caller = led();
    caller.wants(std::slice::from_ref(&play));
    let asked = Ask::Speak { text: "Hello Ann".into(), language: Language::En, voice: Voice::Espeak };
    assert!(caller.out.contains(&Out::Ask(2, asked)), "{:?}", caller.out);
    caller.does(&[Input::Answered(2, Answer::Sound("spoken/1.wav".into()))]);
    let file = [Sound::File("spoken/1.wav".into())];
    assert!(caller.out.iter().any(|o| matches!(o, Out::Play { sounds, .. } if *sounds == file)));
    assert_eq!(caller.does(&[Input::Played]).told(), [Word::Played { end: End::Heard }]);
    assert_eq!(led().wants(std::slice::from_ref(&play)).does(&[Input::Timer]).hears(), ["welcome"]);
    let lost = Input::Answered(1, Answer::Failed("the connection is lost".into()));
    assert!(led().wants(&[play]).does(&[lost]).failed(), "it dies while the voice speaks");
}

#[test]
fn language_and_fields_are_those_of_the_call_from_then_on() {
    let mut caller = led();
    caller.wants(&[
        json!({ "verb": "language", "language": "zh" }),
        json!({ "verb": "set", "fields": { "balance": "12" } }),
        json!({ "verb": "play", "say": ["digits:balance"] }),
    ]);
    assert_eq!(
        (caller.run.language(), caller.hears()),
        (Language::Zh, vec!["digit-1".into(), "digit-2".into()])
    );
    let done = |verb: &str| Word::Done { verb: verb.into() };
    assert_eq!(caller.told(), [done("language"), done("set")]);
}

#[test]
fn it_is_done_with_the_call_when_it_hands_it_over() {
    let table = [
        (json!({ "verb": "queue", "queue": "support" }), Target::Queue("support".into())),
        (json!({ "verb": "extension", "number": "101" }), Target::Extension(number("101"))),
        (json!({ "verb": "voicemail", "mailbox": "101" }), Target::Voicemail(number("101"))),
        (json!({ "verb": "hang_up" }), Target::HangUp),
    ];
    for (wanted, target) in table {
        let mut caller = led();
        caller.wants(std::slice::from_ref(&wanted));
        assert_eq!(caller.target(), Some(target), "{wanted}");
        assert!(caller.told()[0].write().contains(r#""event":"over","why":"left""#));
        let lost = Input::Answered(1, Answer::Failed("closed".into()));
        assert!(caller.does(&[lost]).hears().is_empty(), "what it says now is nothing: {wanted}");
    }
    let bye = json!({ "verb": "hang_up", "say": ["welcome"] });
    assert_eq!(led().wants(&[bye]).does(&[Input::Played]).target(), Some(Target::HangUp));
    assert_eq!(led().wants(&[json!({ "verb": "go", "way": "good" })]).hears(), ["welcome"]);
}

#[test]
fn a_phone_that_is_busy_and_an_agent_who_left_lead_to_the_way_that_it_named() {
    let ring = json!({ "verb": "extension", "number": "101", "otherwise": "good" });
    let busy = [Input::Refused(Refusal::Busy)];
    assert_eq!(led().wants(&[ring]).does(&busy).hears(), ["welcome"]);
    let queue = json!({ "verb": "queue", "queue": "support", "after": "good" });
    let mut served = led();
    assert!(served.wants(&[queue]).run.goes_on());
    assert_eq!(served.does(&[Input::Alone]).hears(), ["welcome"]);
}

#[test]
fn what_the_site_does_not_have_is_refused_and_it_may_say_something_else() {
    let table = [
        json!({ "verb": "queue", "queue": "nowhere" }),
        json!({ "verb": "queue", "queue": "support", "after": "nowhere" }),
        json!({ "verb": "extension", "number": "0049900123456" }),
        json!({ "verb": "extension", "number": "101", "otherwise": "nowhere" }),
        json!({ "verb": "voicemail", "mailbox": "999" }),
        json!({ "verb": "go", "way": "bad" }),
    ];
    for wanted in table {
        let mut caller = led();
        // What waits behind it was meant for another place.
        caller.wants(&[json!({ "verb": "gather" }), wanted.clone(), json!({ "verb": "hang_up" })]);
        caller.keys("#");
        let told = caller.told();
        assert!(matches!(&told[1..], [Word::Refused { .. }]), "{wanted}: {told:?}");
        assert_eq!(caller.target(), None, "{wanted}");
        assert_eq!(caller.wants(&[json!({ "verb": "hang_up" })]).target(), Some(Target::HangUp));
    }
}

#[test]
fn one_that_goes_in_the_middle_of_anything_costs_nothing_but_itself() {
    let doing = [
        vec![],
        vec![json!({ "verb": "play", "say": ["welcome"] })],
        vec![json!({ "verb": "gather" })],
        vec![json!({ "verb": "play", "say": ["welcome"] }), json!({ "verb": "hang_up" })],
    ];
    for verbs in doing {
        let mut caller = led();
        caller.wants(&verbs).does(&[Input::Answered(1, Answer::Failed("the connection is lost".into()))]);
        assert!(caller.failed(), "{verbs:?}: {:?}", caller.told());
        assert!(caller.out.contains(&Out::Stop), "what was said is over");
        assert_eq!(caller.does(&[Input::Played]).target(), Some(Target::HangUp), "the flow went on");
    }
}

#[test]
fn one_that_talks_too_much_is_left() {
    let play = json!({ "verb": "play", "say": ["welcome"] });
    let mut caller = led();
    caller.wants(&vec![play.clone(); 1 + WAITING_MAX]);
    assert!(!caller.failed());
    assert!(caller.wants(&[play]).failed(), "one more than may wait");

    let mut endless = led();
    let set = json!({ "verb": "set", "fields": { "a": "b" } });
    for _ in 0..STEPS_MAX {
        endless.wants(std::slice::from_ref(&set));
    }
    assert!(endless.does(&[Input::Played]).target() == Some(Target::HangUp), "every flow ends");
}
