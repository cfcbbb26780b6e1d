//! What a caller of a flow notices, step by step; and that every flow ends whatever is pressed.
mod application;

use super::*;
use crate::fixture::{number, site};
use model::application::Verb;
use model::config::flow::{Say, Test};
use model::config::system::Voice;
use model::speech::{Said, Speech};
use std::collections::BTreeMap;

mod spoken;

const NOON: jiff::civil::DateTime = jiff::civil::DateTime::constant(2026, 3, 4, 12, 0, 0, 0);
const NIGHT: jiff::civil::DateTime = jiff::civil::DateTime::constant(2026, 3, 4, 23, 0, 0, 0);

fn key(c: char) -> Digit {
    Digit::try_from(c).expect("a key")
}

fn say(name: &str) -> Vec<Say> {
    vec![Say::BuiltIn(name.into())]
}

fn play(name: &str) -> Step {
    Step::Play { say: say(name), next: "end".into() }
}

fn menu() -> Step {
    Step::Menu {
        say: say("menu-main"),
        option: BTreeMap::from([(key('1'), "queue".to_owned()), (key('2'), "dial".to_owned())]),
        words: BTreeMap::new(),
        timeout_s: 5,
        retries: 1,
        on_timeout: "nobody".into(),
        on_invalid: "wrong".into(),
    }
}

fn collect() -> Step {
    Step::Collect {
        say: say("enter-extension"),
        min: 3,
        max: 4,
        timeout_s: 4,
        retries: 1,
        next: "ring".into(),
        otherwise: "wrong".into(),
    }
}

fn fields() -> Fields {
    Fields::from([("caller".to_owned(), "+4930555".to_owned())])
}

/// A caller in a flow of these steps, which begins at `menu`.
struct Caller {
    run: Run,
    out: Vec<Out>,
}

impl Caller {
    fn new(steps: &[(&str, Step)], here: jiff::civil::DateTime) -> Caller {
        Caller::begin(steps, here, site())
    }

    fn of_site(steps: &[(&str, Step)], change: impl FnOnce(&mut Config)) -> Caller {
        let mut config = site();
        change(&mut config);
        Caller::begin(steps, NOON, config)
    }

    fn begin(steps: &[(&str, Step)], here: jiff::civil::DateTime, mut config: Config) -> Caller {
        let step = steps.iter().map(|(name, step)| ((*name).to_owned(), step.clone())).collect();
        let start = steps[0].0.to_owned();
        config.flow.insert("t".into(), Flow { name: "t".into(), number: None, start, step });
        let mut out = Vec::new();
        let run = Run::start(&Arc::new(config), "t", Language::En, fields(), here, &mut out).expect("there");
        Caller { run, out }
    }

    fn does(&mut self, inputs: &[Input]) -> &mut Caller {
        for input in inputs {
            self.run.input(input.clone(), NOON, &mut self.out);
        }
        self
    }

    fn keys(&mut self, keys: &str) -> &mut Caller {
        let inputs: Vec<Input> = keys.chars().map(|c| Input::Digit(key(c))).collect();
        self.does(&inputs)
    }

    fn target(&self) -> Option<Target> {
        self.out.iter().rev().find_map(|o| if let Out::Go(target) = o { Some(target.clone()) } else { None })
    }

    /// Prompts of the last play.
    fn hears(&self) -> Vec<String> {
        let play = |o: &Out| if let Out::Play { sounds, .. } = o { Some(sounds.clone()) } else { None };
        let sounds = self.out.iter().rev().find_map(play);
        let name = |s: Sound| if let Sound::Prompt { name, .. } = s { name } else { String::new() };
        sounds.unwrap_or_default().into_iter().map(name).collect()
    }
}

fn main_flow() -> Vec<(&'static str, Step)> {
    vec![
        ("menu", menu()),
        ("queue", Step::Queue { queue: "support".into(), after: None }),
        ("dial", collect()),
        ("ring", Step::Extension { number: None, otherwise: None }),
        ("nobody", Step::Voicemail { mailbox: number("101") }),
        ("wrong", Step::HangUp { say: say("goodbye") }),
        ("end", Step::HangUp { say: vec![] }),
    ]
}

#[test]
fn one_goes_to_the_queue_even_while_the_menu_is_said() {
    let mut caller = Caller::new(&main_flow(), NOON);
    assert_eq!(caller.hears(), ["menu-main"]);
    assert_eq!(caller.keys("1").target(), Some(Target::Queue("support".into())));
    assert!(caller.run.is_over());
}

#[test]
fn silence_is_asked_again_and_then_goes_its_own_way() {
    let mut caller = Caller::new(&main_flow(), NOON);
    caller.does(&[Input::Played, Input::Timer]);
    assert_eq!((caller.hears(), caller.target()), (vec!["menu-main".to_owned()], None));
    caller.does(&[Input::Played, Input::Timer]);
    assert_eq!(caller.target(), Some(Target::Voicemail(number("101"))));
}

#[test]
fn a_wrong_digit_is_told_and_asked_again_and_then_goes_its_own_way() {
    let mut caller = Caller::new(&main_flow(), NOON);
    assert_eq!(caller.keys("7").hears(), ["invalid-choice", "menu-main"]);
    assert_eq!(caller.keys("7").hears(), ["goodbye"]);
    assert_eq!(caller.does(&[Input::Played]).target(), Some(Target::HangUp));
}

#[test]
fn collected_digits_ring_that_phone() {
    for keys in ["2101#", "2999*101#", "2101"] {
        let mut caller = Caller::new(&main_flow(), NOON);
        caller.keys(keys);
        if !keys.ends_with('#') {
            assert_eq!(caller.target(), None, "a fourth digit may come");
            caller.does(&[Input::Timer]);
        }
        assert_eq!(caller.target(), Some(Target::Extension(number("101"))), "{keys}");
    }
}

#[test]
fn a_phone_that_does_not_answer_has_a_mailbox_or_a_next_step_and_an_unknown_one_is_said() {
    let mut caller = Caller::new(&main_flow(), NOON);
    caller.keys("2101#").does(&[Input::Refused(Refusal::NoAnswer)]);
    assert_eq!(caller.target(), Some(Target::Voicemail(number("101"))));

    let mut flow = main_flow();
    flow[3].1 = Step::Extension { number: Some(number("102")), otherwise: Some("queue".into()) };
    let mut caller = Caller::new(&flow, NOON);
    caller.keys("2999#").does(&[Input::Refused(Refusal::Busy)]);
    assert_eq!(caller.target(), Some(Target::Queue("support".into())));

    let mut caller = Caller::new(&main_flow(), NOON);
    assert_eq!(caller.keys("2999#").hears(), ["number-unknown"]);
    assert_eq!(caller.does(&[Input::Played]).target(), Some(Target::HangUp));
}

#[test]
fn too_few_digits_are_asked_again_and_then_given_up() {
    let mut caller = Caller::new(&main_flow(), NOON);
    assert_eq!(caller.keys("210#").hears(), ["enter-extension"]);
    assert_eq!(caller.keys("1#").hears(), ["goodbye"]);
}

#[test]
fn hours_branch_and_the_language_changes_what_is_said() {
    let flow = [
        ("zh", Step::Language { language: Language::Zh, next: "hours".into() }),
        ("hours", Step::Hours { schedule: "office".into(), open: "day".into(), closed: "night".into() }),
        ("day", play("welcome")),
        ("night", play("goodbye")),
        ("end", Step::HangUp { say: vec![] }),
    ];
    let day = Caller::new(&flow, NOON);
    assert_eq!((day.hears(), day.run.language()), (vec!["welcome".to_owned()], Language::Zh));
    assert_eq!(Caller::new(&flow, NIGHT).hears(), ["goodbye"]);
}

#[test]
fn a_play_step_is_heard_to_its_end() {
    let mut caller = Caller::new(&[("say", play("welcome")), ("end", Step::HangUp { say: vec![] })], NOON);
    assert_eq!(caller.keys("123").target(), None);
    assert_eq!(caller.does(&[Input::Played]).target(), Some(Target::HangUp));
}

#[test]
fn a_flow_that_goes_in_circles_ends() {
    let a = Step::Language { language: Language::En, next: "b".into() };
    let b = Step::Language { language: Language::Zh, next: "a".into() };
    let caller = Caller::new(&[("a", a), ("b", b)], NOON);
    assert_eq!(caller.target(), Some(Target::HangUp));
    assert!(caller.out.len() < 500);
}

/// A flow of random steps, each naming random next ones (some of which do not exist).
fn random_flow(roll: &mut impl FnMut(u32) -> u32) -> Vec<(&'static str, Step)> {
    const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "gone"];
    let mut flow = Vec::new();
    for name in &NAMES[..7] {
        let mut next = || NAMES[usize::try_from(roll(8)).expect("small")].to_owned();
        let (x, y, z) = (next(), next(), next());
        let step = match roll(16) {
            0 | 1 => Step::Collect {
                say: say("x"),
                min: roll(3),
                max: roll(5),
                timeout_s: 1,
                retries: roll(3),
                next: x,
                otherwise: y,
            },
            2 => Step::Extension { number: None, otherwise: Some(x) },
            3 => Step::Hours { schedule: "office".into(), open: x, closed: y },
            4 => Step::Language { language: Language::Zh, next: x },
            5..=8 => Step::Menu {
                say: say("x"),
                option: BTreeMap::from([(key('1'), x), (key('2'), y)]),
                words: BTreeMap::from([(key('1'), vec!["one".to_owned()])]),
                timeout_s: 1,
                retries: roll(3),
                on_timeout: z.clone(),
                on_invalid: z,
            },
            9 => Step::HangUp { say: say("x") },
            10 => Step::Queue { queue: "support".into(), after: Some(x) },
            11 => Step::Condition {
                field: "digits".into(),
                test: Test::Above,
                value: "1".into(),
                then: x,
                otherwise: y,
            },
            12 => Step::Lookup { url: "http://x/".into(), timeout_ms: 2000, next: x, otherwise: y },
            13 => Step::Set { field: "a".into(), value: "{a}x".into(), next: x },
            15 => Step::Application {
                url: "ws://x/".into(),
                timeout_ms: 2000,
                way: BTreeMap::from([("x".to_owned(), x)]),
                otherwise: y,
            },
            14 => Step::Survey { say: say("x"), timeout_s: 1, retries: roll(3), next: x, otherwise: y },
            _ => Step::Play { say: say("x"), next: x },
        };
        flow.push((*name, step));
    }
    flow
}

#[test]
fn every_flow_ends_whatever_is_pressed() {
    let mut seed = 1_u32;
    let mut roll = move |sides: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % sides
    };
    let inputs = [
        Input::Played,
        Input::Timer,
        Input::Refused(Refusal::NoAnswer),
        Input::Digit(key('1')),
        Input::Digit(key('2')),
        Input::Digit(key('#')),
        Input::Alone,
        Input::Answered(1, Answer::Failed("x".into())),
        Input::Speech(1, Speech::Began),
        Input::Speech(2, Speech::Said(Said { text: "one".into(), ..Said::default() })),
        Input::Answered(1, Answer::Verb(Box::new(Verb::Go { way: "x".into() }))),
    ];
    for case in 0..500 {
        let mut caller = Caller::of_site(&random_flow(&mut roll), spoken::with_recogniser);
        // 40,000: the most steps there may be, times the inputs a step can swallow before its retries are used up.
        let mut given = 0;
        while !caller.run.is_over() {
            given += 1;
            assert!(given < 40_000, "flow {case} goes on for ever");
            let input = &inputs[usize::try_from(roll(11)).expect("small")];
            caller.run.input(input.clone(), NOON, &mut caller.out);
            let last = caller.out.len().saturating_sub(8);
            caller.out.drain(..last);
        }
        assert!(caller.target().is_some(), "an end without a target");
    }
}

/// Two steps that say which way was taken.
fn two_ways() -> [(&'static str, Step); 2] {
    [("good", Step::HangUp { say: say("welcome") }), ("bad", Step::HangUp { say: say("goodbye") })]
}

fn with_ways(first: Step) -> Vec<(&'static str, Step)> {
    [("first", first)].into_iter().chain(two_ways()).collect()
}

fn lookup() -> Step {
    Step::Lookup {
        url: "http://crm/?n={caller}".into(),
        timeout_ms: 2_000,
        next: "check".into(),
        otherwise: "bad".into(),
    }
}

fn dip_flow() -> Vec<(&'static str, Step)> {
    let check = Step::Condition {
        field: "class".into(),
        test: Test::Is,
        value: "vip".into(),
        then: "good".into(),
        otherwise: "bad".into(),
    };
    [("dip", lookup()), ("check", check)].into_iter().chain(two_ways()).collect()
}

#[test]
fn a_service_is_asked_with_the_caller_and_its_fields_decide() {
    let mut caller = Caller::new(&dip_flow(), NOON);
    let asked = Ask::Lookup { url: "http://crm/?n=%2B4930555".into(), timeout_ms: 2_000 };
    assert!(caller.out.contains(&Out::Ask(1, asked)), "{:?}", caller.out);
    assert!(caller.out.contains(&Out::Timer(Duration::from_secs(2))), "{:?}", caller.out);
    let class = Fields::from([("class".to_owned(), "VIP".to_owned())]);
    caller.does(&[Input::Answered(7, Answer::Failed("of another question".into()))]);
    assert!(caller.hears().is_empty(), "an answer to another question is no answer");
    assert_eq!(caller.does(&[Input::Answered(1, Answer::Fields(class))]).hears(), ["welcome"]);
}

#[test]
fn a_service_that_is_slow_or_broken_takes_the_other_way_and_a_late_answer_is_nothing() {
    let mut slow = Caller::new(&dip_flow(), NOON);
    assert_eq!(slow.does(&[Input::Timer]).hears(), ["goodbye"]);
    let late = Input::Answered(1, Answer::Fields(Fields::from([("class".into(), "vip".into())])));
    assert_eq!(slow.does(&[late]).hears(), ["goodbye"]);
    let mut broken = Caller::new(&dip_flow(), NOON);
    assert_eq!(broken.does(&[Input::Answered(1, Answer::Failed("404".into()))]).hears(), ["goodbye"]);
}

#[test]
fn a_service_that_answers_a_thousand_fields_fills_no_memory() {
    let mut caller = Caller::new(&dip_flow(), NOON);
    let many = (0..1000).map(|n| (format!("f{n}"), "x".repeat(1000))).collect();
    caller.does(&[Input::Answered(1, Answer::Fields(many))]);
    assert_eq!(caller.run.field.len(), FIELDS_MAX);
    assert!(caller.run.field.values().all(|v| v.len() <= FIELD_MAX));
}

#[test]
fn a_table_of_the_step_itself_is_looked_into() {
    let table = |key: &str| Step::Table {
        key: "{caller}".into(),
        field: "class".into(),
        row: BTreeMap::from([(key.to_owned(), "gold".to_owned())]),
        next: "good".into(),
        otherwise: "bad".into(),
    };
    assert_eq!(Caller::new(&with_ways(table("+4930555")), NOON).hears(), ["welcome"]);
    assert_eq!(Caller::new(&with_ways(table("+4930")), NOON).hears(), ["goodbye"]);
}

#[test]
fn a_set_field_is_filled_in_and_read_aloud() {
    let set = Step::Set { field: "n".into(), value: "12".into(), next: "say".into() };
    let number = vec![Say::Number("n".into()), Say::Digits("n".into()), Say::Number("gone".into())];
    let flow = [("set", set), ("say", Step::HangUp { say: number })];
    assert_eq!(Caller::new(&flow, NOON).hears(), ["num-12", "digit-1", "digit-2"]);
}

#[test]
fn the_voice_speaks_or_the_recorded_prompt_is_played_after_a_second() {
    let speak = Step::Speak { text: "Hello {caller}".into(), say: say("welcome"), next: "end".into() };
    let flow = [("speak", speak), ("end", Step::HangUp { say: vec![] })];
    let mut caller = Caller::new(&flow, NOON);
    let asked = Ask::Speak { text: "Hello +4930555".into(), language: Language::En, voice: Voice::Espeak };
    assert!(caller.out.contains(&Out::Ask(1, asked)));
    assert!(caller.out.contains(&Out::Timer(Duration::from_secs(1))));
    caller.does(&[Input::Answered(1, Answer::Sound("spoken/1.wav".into()))]);
    let spoken =
        |o: &Out| matches!(o, Out::Play { sounds, .. } if *sounds == [Sound::File("spoken/1.wav".into())]);
    assert!(caller.out.iter().any(spoken), "{:?}", caller.out);
    assert_eq!(caller.does(&[Input::Played]).target(), Some(Target::HangUp));

    let mut hanging = Caller::new(&flow, NOON);
    assert_eq!(hanging.does(&[Input::Timer]).hears(), ["welcome"]);
    assert_eq!(hanging.does(&[Input::Played]).target(), Some(Target::HangUp));
}

#[test]
fn after_the_agent_the_caller_gives_a_score_from_one_to_five() {
    let survey = Step::Survey {
        say: say("survey"),
        timeout_s: 5,
        retries: 1,
        next: "good".into(),
        otherwise: "bad".into(),
    };
    let queue = Step::Queue { queue: "support".into(), after: Some("survey".into()) };
    let flow: Vec<_> = [("queue", queue), ("survey", survey)].into_iter().chain(two_ways()).collect();
    let mut caller = Caller::new(&flow, NOON);
    assert_eq!(caller.target(), Some(Target::Queue("support".into())));
    assert!(caller.run.goes_on());
    assert_eq!(caller.does(&[Input::Alone]).hears(), ["survey"]);
    assert_eq!(caller.keys("9").hears(), ["survey"], "no score: asked again");
    assert_eq!(caller.keys("4").hears(), ["welcome"]);
    assert!(caller.out.contains(&Out::Score(4)));

    let mut silent = Caller::new(&flow, NOON);
    silent.does(&[Input::Alone, Input::Played, Input::Timer, Input::Played, Input::Timer]);
    assert_eq!(silent.hears(), ["goodbye"]);
    assert!(!silent.out.iter().any(|o| matches!(o, Out::Score(_))));
}
