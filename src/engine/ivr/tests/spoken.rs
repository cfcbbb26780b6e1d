//! What a caller who speaks to a menu notices, and one whose recogniser fails.
use super::*;
use model::config::system::Recogniser;
use model::speech::Hearing;

const SERVICE: &str = "ws://10.0.0.5:2700";

fn spoken_menu() -> Vec<(&'static str, Step)> {
    let mut flow = main_flow();
    if let Step::Menu { words, retries, .. } = &mut flow[0].1 {
        *retries = 2;
        words.insert(key('1'), ["sales", "buy", "buy a bell", "销售"].map(str::to_owned).into());
        words.insert(key('2'), ["somebody else", "extension"].map(str::to_owned).into());
    }
    flow
}

pub(super) fn with_recogniser(config: &mut Config) {
    let en = Some(SERVICE.into());
    config.audio.recogniser = Some(Recogniser { en, zh: None, answer_ms: 900, certainty_percent: 60 });
}

/// A caller of a site with a recogniser.
fn caller() -> Caller {
    Caller::of_site(&spoken_menu(), with_recogniser)
}

fn said(text: &str, certainty_permille: Option<u16>) -> Speech {
    Speech::Said(Said { text: text.into(), intent: String::new(), certainty_permille })
}

impl Caller {
    fn hearing(&self) -> Option<Hearing> {
        let last =
            self.out.iter().rev().find_map(|o| if let Out::Hear(h) = o { Some(h.clone()) } else { None });
        last.flatten().map(|h| *h)
    }

    /// Speaks to the hearing that runs.
    fn says(&mut self, all: &[Speech]) -> &mut Caller {
        let number = self.hearing().map_or(0, |h| h.number);
        let inputs: Vec<Input> = all.iter().map(|s| Input::Speech(number, s.clone())).collect();
        self.does(&inputs)
    }

    fn speaks(&mut self, text: &str, certainty: Option<u16>) -> &mut Caller {
        self.says(&[Speech::Began, Speech::Words, Speech::Ended, said(text, certainty)])
    }

    fn last_timer(&self) -> Option<Duration> {
        let last = self.out.iter().rev().find(|o| matches!(o, Out::Timer(_) | Out::NoTimer));
        if let Some(Out::Timer(after)) = last { Some(*after) } else { None }
    }

    fn journey(&self) -> Vec<&str> {
        let line = |o: &'_ Out| matches!(o, Out::Trace { kind: "speech", .. });
        let told = self.out.iter().filter(|o| line(o));
        told.filter_map(|o| if let Out::Trace { detail, .. } = o { Some(detail.as_str()) } else { None })
            .collect()
    }
}

#[test]
fn what_is_said_chooses_as_the_key_would() {
    let mut caller = caller();
    let asked = caller.hearing().expect("somebody listens while the menu is said");
    assert_eq!((asked.service.as_str(), asked.language), (SERVICE, Language::En));
    assert_eq!(asked.phrases, ["sales", "buy", "buy a bell", "somebody else", "extension"]);
    caller.speaks("I want to buy, please", Some(930));
    assert_eq!(caller.target(), Some(Target::Queue("support".into())));
    assert_eq!(caller.journey(), ["said: I want to buy, please (0.93) = 1"]);
}

#[test]
fn the_prompt_stops_at_the_first_words_and_not_for_noise() {
    let mut caller = caller();
    caller.says(&[Speech::Began]);
    assert!(!caller.out.contains(&Out::Stop), "noise");
    caller.says(&[Speech::Words]);
    assert!(caller.out.contains(&Out::Stop));
}

#[test]
fn an_intent_by_its_name_and_the_longest_words_win_and_a_tie_is_no_choice() {
    let table = [
        (said("buy a bell for somebody else", None), None, "somebody else is longer"),
        (said("buy a bell", None), Some(Target::Queue("support".into())), "the longest"),
        (said("sales extension", None), None, "extension is longer than sales"),
        (said("buy extensions", None), Some(Target::Queue("support".into())), "whole words only"),
        (said("转 销 售 部", None), Some(Target::Queue("support".into())), "spaces within Chinese"),
        (
            Speech::Said(Said { text: "my order".into(), intent: "Sales".into(), certainty_permille: None }),
            Some(Target::Queue("support".into())),
            "intent",
        ),
    ];
    for (speech, expected, why) in table {
        let mut caller = caller();
        caller.says(&[Speech::Began, speech]);
        assert_eq!(caller.target(), expected, "{why}: {:?}", caller.journey());
    }
    let mut tied = spoken_menu();
    if let Step::Menu { words, .. } = &mut tied[0].1 {
        *words = BTreeMap::from([(key('1'), vec!["red".into()]), (key('2'), vec!["tin".into()])]);
    }
    let mut caller = Caller::of_site(&tied, with_recogniser);
    caller.speaks("red tin", Some(1000));
    assert_eq!(caller.journey(), ["said: red tin (1.00): no such choice"]);
}

#[test]
fn who_is_not_understood_surely_or_says_something_else_is_asked_again_as_after_a_wrong_key() {
    let mut caller = caller();
    caller.speaks("sales", Some(590));
    assert_eq!((caller.hears(), caller.target()), (vec!["invalid-choice".into(), "menu-main".into()], None));
    caller.speaks("pizza", Some(990));
    assert_eq!(caller.hears(), ["invalid-choice", "menu-main"]);
    caller.speaks("pizza", Some(990));
    assert_eq!(caller.hears(), ["goodbye"], "as after the third wrong key");
    let journey = [
        "said: sales (0.59): not sure enough",
        "said: pizza (0.99): no such choice",
        "said: pizza (0.99): no such choice",
    ];
    assert_eq!(caller.journey(), journey);
}

#[test]
fn a_recogniser_that_hangs_is_given_up_in_its_time_and_the_menu_goes_on_by_keys() {
    let mut caller = caller();
    caller.does(&[Input::Played]).says(&[Speech::Began, Speech::Ended]);
    assert_eq!(caller.last_timer(), Some(Duration::from_millis(900)));
    caller.does(&[Input::Timer]);
    assert_eq!(caller.last_timer(), Some(Duration::from_secs(5)), "the menu waits for a key anew");
    assert_eq!((caller.journey(), caller.hearing()), (vec!["by keys: no answer in time"], None));
    caller.does(&[Input::Timer]);
    assert_eq!(
        (caller.hears(), caller.hearing()),
        (vec!["menu-main".into()], None),
        "and nobody listens again"
    );
    assert_eq!(caller.keys("1").target(), Some(Target::Queue("support".into())));
}

#[test]
fn without_a_recogniser_or_with_one_that_is_away_the_same_menu_goes_by_keys() {
    let mut none = Caller::new(&spoken_menu(), NOON);
    assert_eq!(none.hearing(), None);
    assert_eq!(none.keys("1").target(), Some(Target::Queue("support".into())));

    let mut away = caller();
    away.says(&[Speech::Failed("the recogniser is not there".into())]);
    assert_eq!(away.journey(), ["by keys: the recogniser is not there"]);
    assert_eq!(away.does(&[Input::Played]).last_timer(), Some(Duration::from_secs(5)));
    away.does(&[Input::Timer, Input::Played, Input::Timer, Input::Played, Input::Timer]);
    assert_eq!(away.target(), Some(Target::Voicemail(number("101"))), "silence goes its way");
}

#[test]
fn a_key_wins_over_what_is_being_said_and_late_words_are_nobodys() {
    let mut caller = caller();
    let late = caller.hearing().expect("a hearing").number;
    caller.says(&[Speech::Began, Speech::Words]).keys("2");
    assert_eq!(caller.hears(), ["enter-extension"]);
    assert_eq!(caller.hearing(), None, "nobody listens any more");
    caller.does(&[Input::Speech(late, said("sales", None))]);
    assert_eq!(caller.target(), None);
}

#[test]
fn what_nobody_understood_is_as_if_nothing_was_said() {
    let mut caller = caller();
    let first = caller.hearing().map(|h| h.number);
    caller.does(&[Input::Played]).says(&[Speech::Began, Speech::Ended, said("", None)]);
    assert_eq!(caller.last_timer(), Some(Duration::from_secs(5)));
    let plays = caller.out.iter().filter(|o| matches!(o, Out::Play { .. })).count();
    assert_eq!(plays, 1, "the menu is not said again for a cough");
    assert!(caller.hearing().map(|h| h.number) > first, "and the next word is listened for");
    caller.speaks("buy", None);
    assert_eq!(caller.target(), Some(Target::Queue("support".into())));
}

#[test]
fn a_room_full_of_noise_is_not_listened_to_for_ever() {
    let mut caller = caller();
    for _ in 0..100 {
        caller.says(&[Speech::Began, Speech::Ended, said("", None)]);
    }
    assert_eq!(caller.hearing().map(|h| h.number), Some(30));
}
