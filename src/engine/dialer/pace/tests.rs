//! What the pace does, seen from outside.
use super::*;

fn terms() -> Terms {
    Terms {
        target: 0.03,
        grace: 2.0,
        min_ring: 15.0,
        ring_timeout: 25.0,
        lines: 1_000,
        launches_per_second: 1_000.0,
        detects: false,
    }
}

fn floor(agents: u64) -> Pace {
    let mut pace = Pace::new(terms());
    (0..agents).for_each(|id| pace.agent(id, AgentState::Ready, 0.0));
    pace
}

const LIST: [u32; 300] = [0; 300];

#[test]
fn nobody_at_work_means_no_calls() {
    assert_eq!(floor(0).decide(1.0, &LIST), Decision::default());
    let mut away = floor(1);
    away.agent(0, AgentState::Pause, 1.0);
    assert_eq!(away.decide(2.0, &LIST), Decision::default());
}

#[test]
fn every_free_agent_gets_a_line_even_when_the_budget_is_spent() {
    let mut pace = floor(4);
    (0..50).for_each(|turn| pace.live(real(turn), true));
    assert_eq!(pace.decide(60.0, &LIST).launch, 4);
}

#[test]
fn with_few_answers_more_lines_than_agents_are_dialled() {
    let mut pace = floor(5);
    for id in 1_000..1_400 {
        pace.dialled(id, 0, 0.0);
        pace.line(id, LineState::Ringing, 3.0);
        pace.line(
            id,
            if id % 10 == 0 { LineState::Served } else { LineState::Over },
            if id % 10 == 0 { 12.0 } else { 28.0 },
        );
    }
    let launch = pace.decide(100.0, &LIST).launch;
    assert!(launch > 7, "a tenth answers, so five agents need many lines: {launch}");
}

#[test]
fn five_lines_of_which_one_or_two_answer_are_too_many_for_three_agents_when_nothing_may_be_risked() {
    let mut pace = floor(3);
    assert!(!pace.surely_served(5, 1.2), "four of them answered at once in one seed of eight");
    assert!(pace.surely_served(3, 3.0), "a line for each");
    assert!(pace.surely_served(6, 0.6), "of six such lines four answer once in three hundred times");
    pace.line(1, LineState::Waiting, 1.0);
    assert!(!pace.surely_served(3, 0.9), "somebody waits for one of them already");
}

#[test]
fn agents_about_to_be_free_are_dialled_for() {
    let mut pace = floor(20);
    for turn in 0..60 {
        let (id, start) = (turn % 20, real(usize::try_from(turn / 20).unwrap()) * 200.0);
        pace.agent(id, AgentState::Talk, start);
        pace.agent(id, AgentState::Wrap, start + 60.0);
        pace.agent(id, AgentState::Ready, start + 80.0);
    }
    (0..20).for_each(|id| pace.agent(id, AgentState::Talk, 1_000.0));
    let early = pace.decide(1_005.0, &LIST).launch;
    (0..20).for_each(|id| pace.agent(id, AgentState::Wrap, 1_060.0));
    let soon = pace.decide(1_078.0, &LIST).launch;
    assert!(soon > early + 5, "two seconds before the end of wrap-up: {soon}, a minute before: {early}");
}

#[test]
fn lines_and_launches_a_second_are_kept() {
    let mut pace = Pace::new(Terms { lines: 7, launches_per_second: 3.0, ..terms() });
    (0..50).for_each(|id| pace.agent(id, AgentState::Ready, 0.0));
    let mut open = 0;
    for second in 1..20 {
        let launch = pace.decide(real(second), &LIST).launch;
        assert!(launch <= 3);
        (0..launch).for_each(|turn| pace.dialled(open + u64::try_from(turn).unwrap(), 0, real(second)));
        open += u64::try_from(launch).unwrap();
    }
    assert_eq!(open, 7);
}

#[test]
fn less_than_one_launch_a_second_is_one_in_so_many() {
    let dials = |rate: f64| {
        let mut pace = Pace::new(Terms { launches_per_second: rate, ..terms() });
        (0..50).for_each(|id| pace.agent(id, AgentState::Ready, 0.0));
        (1..=60).map(|second| pace.decide(real(second), &LIST).launch).collect::<Vec<_>>()
    };
    let said = dials(0.2);
    assert_eq!((said.iter().sum::<usize>(), said.iter().max()), (12, Some(&1)), "{said:?}");
    assert_eq!(dials(0.0).iter().sum::<usize>(), 0);
}

#[test]
fn after_far_too_many_abandoned_calls_lines_are_dialled_as_if_more_people_answered() {
    let launches = |lost: usize| {
        let mut pace = floor(8);
        for id in 1_000..1_400 {
            pace.dialled(id, 0, 0.0);
            pace.line(id, LineState::Ringing, 3.0);
            let (state, since) =
                if id % 10 == 0 { (LineState::Served, 12.0) } else { (LineState::Over, 28.0) };
            pace.line(id, state, since);
        }
        (0..900).for_each(|turn| pace.live(real(turn), turn < lost));
        // Hours later: no bad half hour holds it back.
        pace.decide(20_000.0, &LIST).launch
    };
    let (usual, wary) = (launches(20), launches(70));
    assert!(
        usual > 30 && (9..=16).contains(&wary),
        "more than one each, as if thirty in a hundred answered: {usual} {wary}"
    );
}

#[test]
fn an_unknown_part_of_the_list_is_tried_with_few_lines() {
    let mut pace = floor(6);
    for id in 1_000..1_200 {
        pace.dialled(id, 0, 0.0);
        pace.line(id, LineState::Ringing, 3.0);
        let (state, since) = if id % 30 == 0 { (LineState::Served, 12.0) } else { (LineState::Over, 28.0) };
        pace.line(id, state, since);
    }
    let known = pace.decide(100.0, &LIST).launch;
    let unknown = pace.decide(200.0, &[1; 300]).launch;
    assert!(known > 20 && unknown < 15, "one in thirty answers there; here nobody knows: {known} {unknown}");
}

#[test]
fn a_late_line_is_given_up_after_the_legal_ring_time_and_never_before() {
    let mut pace = floor(1);
    pace.dialled(9, 0, 0.0);
    pace.line(9, LineState::Ringing, 2.0);
    pace.agent(0, AgentState::Talk, 3.0);
    assert!(pace.decide(16.9, &LIST).give_up.is_empty());
    assert_eq!(pace.decide(17.0, &LIST).give_up, [9]);
}

#[test]
fn the_same_events_give_the_same_decisions() {
    let run = || {
        let mut pace = floor(12);
        let mut said = vec![];
        for second in 1..400_u32 {
            let decision = pace.decide(f64::from(second), &LIST);
            for turn in 0..decision.launch {
                let id = u64::from(second) * 1_000 + u64::try_from(turn).unwrap();
                pace.dialled(id, second % 3, f64::from(second));
                pace.line(
                    id,
                    if id % 3 == 0 { LineState::Served } else { LineState::Over },
                    f64::from(second) + 9.0,
                );
            }
            pace.agent(
                u64::from(second % 12),
                if second % 2 == 0 { AgentState::Talk } else { AgentState::Ready },
                f64::from(second),
            );
            said.push(decision);
        }
        said
    };
    assert_eq!(run(), run());
}

#[test]
fn nonsense_from_outside_does_no_harm() {
    let mut pace = floor(3);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e9, 1e18] {
        pace.dialled(1, 7, value);
        pace.line(1, LineState::Ringing, value);
        pace.line(1, LineState::Waiting, -value);
        pace.line(2, LineState::Served, value);
        pace.agent(1, AgentState::Talk, value);
        pace.agent(1, AgentState::Wrap, -value);
        pace.agent(1, AgentState::Ready, value);
        pace.live(value, true);
        pace.decide(value, &LIST);
    }
    pace.day();
    pace.agent(5, AgentState::Ready, 0.0);
    assert!(pace.decide(1.0, &LIST).launch >= 1);
}
