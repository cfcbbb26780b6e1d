//! Lines in, decisions out.
use super::*;

struct Ran {
    end: Result<(), String>,
    answers: Vec<Value>,
    complaints: Vec<String>,
}

fn run(lines: &str) -> Ran {
    let (mut output, mut complaints) = (Vec::new(), Vec::new());
    let end = stdio(lines.as_bytes(), &mut output, |said| complaints.push(said.to_owned()));
    let answers = output.split(|b| *b == b'\n').filter(|l| !l.is_empty());
    let answers = answers.map(|l| serde_json::from_slice(l).expect("JSON")).collect();
    Ran { end, answers, complaints }
}

const HELLO: &str = r#"{"op":"hello","proto":1,"agents":2,"target":0.03,"grace":2,"min_ring":15,"ring_timeout":25,"lines":10,"cps":5,"amd":false}"#;

fn after_hello(lines: &[&str]) -> Ran {
    run(&[&[HELLO], lines].concat().join("\n"))
}

#[test]
fn two_free_agents_get_two_lines_with_the_names_of_the_hopper() {
    let ran = after_hello(&[
        r#"{"op":"agent","t":0,"id":"ann","st":"ready","since":0}"#,
        r#"{"op":"agent","t":0,"id":7,"st":"ready","since":0}"#,
        r#"{"op":"decide","t":1,"hopper":[["+4420",0],["+4421",0],["+4422",0]]}"#,
        r#"{"op":"end"}"#,
    ]);
    assert_eq!(ran.answers, [serde_json::json!({"dial": ["+4420", "+4421"], "cancel": []})]);
    assert_eq!((ran.end, ran.complaints), (Ok(()), vec![]));
}

#[test]
fn a_late_call_is_cancelled_by_its_own_name_and_once() {
    let ran = after_hello(&[
        r#"{"op":"agent","t":0,"id":1,"st":"ready","since":0}"#,
        r#"{"op":"call","t":1,"id":"c-9","st":"dialled","num":5,"seg":2,"since":1}"#,
        r#"{"op":"call","t":3,"id":"c-9","st":"ringing","since":3}"#,
        r#"{"op":"agent","t":4,"id":1,"st":"talk","since":4}"#,
        r#"{"op":"decide","t":19,"hopper":[]}"#,
        r#"{"op":"decide","t":20,"hopper":[]}"#,
    ]);
    let said =
        [serde_json::json!({"dial": [], "cancel": ["c-9"]}), serde_json::json!({"dial": [], "cancel": []})];
    assert_eq!(ran.answers, said);
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_every_decide_is_answered() {
    let nothing = serde_json::json!({"dial": [], "cancel": []});
    let early = run("{\"op\":\"decide\",\"t\":1,\"hopper\":[[1,0]]}\n");
    assert_eq!(early.answers, std::slice::from_ref(&nothing));
    assert!(early.end.unwrap_err().contains("line 1: the first line must be"));
    let unfit =
        run(&format!("{}\n{{\"op\":\"decide\",\"t\":1,\"hopper\":[]}}\n", HELLO.replace("0.03", "3")));
    assert_eq!(unfit.answers, std::slice::from_ref(&nothing));
    assert!(unfit.end.unwrap_err().contains("share from 0 to 1"));
    let odd = after_hello(&[
        r#"{"op":"agent","t":0,"id":1,"st":"asleep"}"#,
        r#"{"op":"agent","t":0,"id":1,"st":"ready"}"#,
        r#"{"op":"decide","t":1,"hopper":[["a",0]"#,
        r#"{"op":"decide"}"#,
        r#"{"op":"decide","t":"soon","hopper":7}"#,
        r#"{"op":"decide","t":2,"hopper":[["a",0],["a",0],["a",1]]}"#,
    ]);
    let one = serde_json::json!({"dial": ["a"], "cancel": []});
    assert_eq!(odd.answers, [nothing.clone(), nothing.clone(), nothing, one]);
    assert!(
        odd.end.is_ok() && odd.complaints[0].starts_with("line 2: st \"asleep\""),
        "{:?}",
        odd.complaints
    );
    assert_eq!(run("{\"op\":\"end\"}").end, Ok(()));
}

#[test]
fn a_number_is_not_given_again_before_its_call_is_over() {
    let decide = |t: u32| format!(r#"{{"op":"decide","t":{t},"hopper":[["+1",0]]}}"#);
    let (first, second, third, fourth) = (decide(1), decide(2), decide(31), decide(32));
    let ran = after_hello(&[
        r#"{"op":"agent","t":0,"id":1,"st":"ready"}"#,
        &first,
        &second,
        r#"{"op":"call","t":2,"id":1,"st":"dialled","num":"+1","seg":0}"#,
        r#"{"op":"call","t":5,"id":1,"st":"ringing"}"#,
        &third,
        r#"{"op":"call","t":31,"id":1,"st":"noanswer"}"#,
        &fourth,
    ]);
    let dialled: Vec<usize> =
        ran.answers.iter().map(|a| a["dial"].as_array().expect("a list").len()).collect();
    assert_eq!(dialled, [1, 0, 0, 1], "{:?}", ran.answers);
}

#[test]
fn another_day_and_a_clock_that_goes_back_stop_nobody() {
    let mut lines = vec![r#"{"op":"agent","t":30000,"id":1,"st":"ready"}"#.to_owned()];
    for (turn, t) in [30_000, 30_001, 29_000, 29_001, 3].into_iter().enumerate() {
        lines.push(format!(r#"{{"op":"decide","t":{t},"hopper":[["n{turn}",0]]}}"#));
        lines.push(format!(r#"{{"op":"call","t":{t},"id":{turn},"st":"dialled","num":"n{turn}"}}"#));
        lines.push(format!(r#"{{"op":"call","t":{t},"id":{turn},"st":"busy"}}"#));
    }
    lines.extend([r#"{"op":"day","t":0}"#.into(), r#"{"op":"decide","t":0,"hopper":[["m",0]]}"#.into()]);
    lines.extend([
        r#"{"op":"agent","t":1,"id":1,"st":"ready"}"#.into(),
        r#"{"op":"decide","t":1,"hopper":[["m",0]]}"#.into(),
    ]);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let ran = after_hello(&lines);
    let dialled: Vec<usize> =
        ran.answers.iter().map(|a| a["dial"].as_array().expect("a list").len()).collect();
    assert_eq!(
        dialled,
        [1, 1, 1, 1, 1, 0, 1],
        "nobody is at work on the second day before they are told to be"
    );
}

#[test]
fn a_call_never_told_to_be_over_does_not_count_for_ever() {
    let mut lines = vec![r#"{"op":"agent","t":0,"id":1,"st":"ready"}"#.to_owned()];
    for call in 0..10 {
        lines.push(format!(r#"{{"op":"call","t":1,"id":{call},"st":"dialled","num":{call}}}"#));
    }
    lines.push(r#"{"op":"decide","t":2,"hopper":[["x",0]]}"#.into());
    lines.push(r#"{"op":"decide","t":700,"hopper":[["x",0]]}"#.into());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let ran = after_hello(&lines);
    let dialled: Vec<usize> =
        ran.answers.iter().map(|a| a["dial"].as_array().expect("a list").len()).collect();
    assert_eq!(dialled, [0, 1], "all ten lines are in use at first");
}

#[test]
fn a_number_whose_call_was_never_told_to_be_over_is_given_again_only_on_another_day() {
    let decide = |t: u32| format!(r#"{{"op":"decide","t":{t},"hopper":[["+1",0]]}}"#);
    let (first, later, much_later, next_day) = (decide(1), decide(700), decide(20_000), decide(2));
    let ready = r#"{"op":"agent","t":0,"id":1,"st":"ready"}"#;
    let ran = after_hello(&[
        ready,
        &first,
        r#"{"op":"call","t":2,"id":1,"st":"dialled","num":"+1","seg":0}"#,
        r#"{"op":"call","t":5,"id":1,"st":"ringing"}"#,
        &later,
        r#"{"op":"call","t":710,"id":1,"st":"connected"}"#,
        &much_later,
        r#"{"op":"day","t":0}"#,
        ready,
        &next_day,
    ]);
    let dialled: Vec<usize> =
        ran.answers.iter().map(|a| a["dial"].as_array().expect("a list").len()).collect();
    assert_eq!(dialled, [1, 0, 0, 1], "{:?}", ran.answers);
    assert_eq!(ran.complaints.len(), 1, "told once: {:?}", ran.complaints);
    assert!(ran.complaints[0].contains("nobody told the end of call 1"), "{:?}", ran.complaints);
}
