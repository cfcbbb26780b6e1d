//! One line from outside as what it asks. Takes what other programs write: numbers as text, NaN without quotes, ids and
//! numbers as text or number, fields nobody knows. Says in one sentence what cannot be taken. Decides nothing.
use engine::dialer::pace::{LineState, Terms};
use serde_json::{Map, Value};

/// The protocol spoken here.
const PROTOCOL: f64 = 1.0;

/// What a line asks. Times are as told, in seconds.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    Hello(Terms),
    Day(Option<f64>),
    Agent {
        t: Option<f64>,
        id: String,
        word: AgentWord,
        since: Option<f64>,
    },
    Call {
        t: Option<f64>,
        id: Value,
        word: CallWord,
        number: Option<String>,
        segment: String,
        since: Option<f64>,
    },
    Live {
        t: Option<f64>,
        abandoned: bool,
    },
    Decide {
        t: Option<f64>,
        hopper: Vec<(Value, String)>,
    },
    End,
}

/// States of agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AgentWord {
    Pause,
    PauseReq,
    Ready,
    Talk,
    Wrap,
}

/// What calls do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallWord {
    Dialled,
    /// The line goes on, or is with an agent.
    Goes(LineState),
    /// The call is over: the line may have been served before.
    Ends(LineState),
}

const AGENT_WORDS: [(&str, AgentWord); 5] = [
    ("pause", AgentWord::Pause),
    ("ready", AgentWord::Ready),
    ("talk", AgentWord::Talk),
    ("wrap", AgentWord::Wrap),
    ("pause_req", AgentWord::PauseReq),
];

const CALL_WORDS: [(&str, CallWord); 12] = [
    ("dialled", CallWord::Dialled),
    ("ringing", CallWord::Goes(LineState::Ringing)),
    ("answered", CallWord::Goes(LineState::Answered)),
    ("waiting", CallWord::Goes(LineState::Waiting)),
    ("connected", CallWord::Goes(LineState::Served)),
    ("busy", CallWord::Ends(LineState::Over)),
    ("sit", CallWord::Ends(LineState::Over)),
    ("noanswer", CallWord::Ends(LineState::Over)),
    ("machine", CallWord::Ends(LineState::Over)),
    ("cancelled", CallWord::Ends(LineState::Withdrawn)),
    ("abandoned", CallWord::Ends(LineState::Served)),
    ("hangup", CallWord::Ends(LineState::Over)),
];

const OPS: &str = "hello day agent call live decide end";

/// Reads a line.
///
/// # Errors
/// What cannot be taken, and what may stand there.
pub(super) fn read(text: &[u8]) -> Result<Line, String> {
    let text = String::from_utf8_lossy(text);
    let text = text.trim_start_matches('\u{feff}').trim();
    let value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(wrong) => serde_json::from_str(&without_nan(text)).map_err(|_| {
            format!("no JSON: {wrong}; one object a line, such as {{\"op\":\"day\",\"t\":0}}")
        })?,
    };
    let Value::Object(fields) = value else {
        return Err("no object; one JSON object a line".into());
    };
    match fields.get("op").and_then(Value::as_str) {
        Some("hello") => hello(&fields),
        Some("day") => Ok(Line::Day(time(&fields, "t"))),
        Some("agent") => agent(&fields),
        Some("call") => call(&fields),
        Some("live") => {
            let abandoned = truth(fields.get("abandoned")).ok_or("abandoned is true or false")?;
            Ok(Line::Live { t: time(&fields, "t"), abandoned })
        }
        Some("decide") => Ok(Line::Decide { t: time(&fields, "t"), hopper: hopper(fields.get("hopper")) }),
        Some("end") => Ok(Line::End),
        Some(other) => Err(format!("op \"{other}\" is not known; known are {OPS}")),
        None => Err(format!("op is missing; it is one of {OPS}")),
    }
}

/// Whether somebody waits for an answer to this line, although it cannot be read.
pub(super) fn wants_answer(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).contains("\"decide\"")
}

/// What some programs write and JSON does not know becomes null, outside of texts.
fn without_nan(text: &str) -> String {
    let odd = |piece: &str| {
        ["-Infinity", "Infinity", "NaN", "nan", "-inf", "inf"]
            .iter()
            .fold(piece.to_owned(), |p, w| p.replace(w, "null"))
    };
    // Every second piece between quotes is a text; texts with escaped quotes are beyond this help.
    let pieces = text.split('"').enumerate();
    pieces
        .map(|(n, piece)| if n % 2 == 0 { odd(piece) } else { piece.to_owned() })
        .collect::<Vec<_>>()
        .join("\"")
}

fn hello(fields: &Map<String, Value>) -> Result<Line, String> {
    let within = |name: &str, usual: f64, least: f64, most: f64, what: &str| match fields.get(name) {
        None | Some(Value::Null) => Ok(usual),
        Some(value) => number(value)
            .filter(|n| (least..=most).contains(n))
            .ok_or_else(|| format!("hello: {name} is {what}, not {value}")),
    };
    within("proto", PROTOCOL, PROTOCOL, PROTOCOL, "1, the only protocol spoken here")?;
    let seconds = "a number of seconds from 0 to 300";
    let count = "a number from 0 on";
    let lines = within("lines", f64::INFINITY, 0.0, f64::INFINITY, count)?;
    Ok(Line::Hello(Terms {
        target: within("target", 0.03, 0.0, 1.0, "a share from 0 to 1, such as 0.03")?,
        grace: within("grace", 2.0, 0.0, 300.0, seconds)?,
        min_ring: within("min_ring", 15.0, 0.0, 300.0, seconds)?,
        ring_timeout: within("ring_timeout", 25.0, 0.0, 300.0, seconds)?,
        lines: whole(lines),
        launches_per_second: within("cps", f64::INFINITY, 0.0, f64::INFINITY, count)?,
        detects: match fields.get("amd") {
            // Some describe the detector there.
            Some(Value::Object(_)) => true,
            Some(other) => truth(Some(other)).ok_or("hello: amd is true or false")?,
            None => false,
        },
    }))
}

fn agent(fields: &Map<String, Value>) -> Result<Line, String> {
    let (id, word) = (name(fields, "id")?, fields.get("st"));
    let word = chosen(word, &AGENT_WORDS)?;
    Ok(Line::Agent { t: time(fields, "t"), id: key(id), word, since: time(fields, "since") })
}

fn call(fields: &Map<String, Value>) -> Result<Line, String> {
    Ok(Line::Call {
        t: time(fields, "t"),
        id: name(fields, "id")?.clone(),
        word: chosen(fields.get("st"), &CALL_WORDS)?,
        number: fields.get("num").filter(|n| is_name(n)).map(key),
        segment: fields.get("seg").map_or_else(String::new, key),
        since: time(fields, "since"),
    })
}

fn hopper(value: Option<&Value>) -> Vec<(Value, String)> {
    let offered = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let pair = |value: &Value| match value {
        Value::Array(pair) => (pair.first().cloned(), pair.get(1).map_or_else(String::new, key)),
        Value::Object(fields) => {
            (fields.get("num").cloned(), fields.get("seg").map_or_else(String::new, key))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            (Some(value.clone()), String::new())
        }
    };
    offered
        .iter()
        .map(pair)
        .filter_map(|(number, segment)| Some((number?, segment)))
        .filter(|(n, _)| is_name(n))
        .collect()
}

fn chosen<T: Copy>(value: Option<&Value>, words: &[(&str, T)]) -> Result<T, String> {
    let known = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" ");
    let said =
        value.and_then(Value::as_str).ok_or_else(|| format!("st is missing; it is one of {}", known()))?;
    let found = words.iter().find(|(word, _)| *word == said).map(|(_, value)| *value);
    found.ok_or_else(|| format!("st \"{said}\" is not known; known are {}", known()))
}

fn name<'a>(fields: &'a Map<String, Value>, field: &str) -> Result<&'a Value, String> {
    fields
        .get(field)
        .filter(|v| is_name(v))
        .ok_or_else(|| format!("{field} is missing; it is a text or a number"))
}

fn is_name(value: &Value) -> bool {
    match value {
        Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// A name as text: 7, 7.0 and "7" are one.
pub(super) fn key(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => number.as_f64().unwrap_or(0.0).to_string(),
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

fn time(fields: &Map<String, Value>, field: &str) -> Option<f64> {
    fields.get(field).and_then(number)
}

/// A number, also as text; nothing that is none.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
    .filter(|n: &f64| n.is_finite())
}

fn truth(value: Option<&Value>) -> Option<bool> {
    match value? {
        Value::Bool(truth) => Some(*truth),
        Value::Null => Some(false),
        Value::Number(number) => number.as_f64().map(|n| n > 0.0),
        Value::String(text) => text.to_lowercase().parse().ok(),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates; what is read is never below zero"
)]
fn whole(value: f64) -> usize {
    value as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        read(text.as_bytes()).expect_err(text)
    }

    #[test]
    fn each_mistake_is_named_with_what_may_stand_there() {
        for (text, said) in [
            ("garbage", "one object a line"),
            ("[1]", "no object"),
            ("{}", "op is missing"),
            (r#"{"op":"dial"}"#, "op \"dial\" is not known; known are hello day"),
            (r#"{"op":"agent","t":0,"st":"ready"}"#, "id is missing"),
            (
                r#"{"op":"agent","t":0,"id":1,"st":"asleep"}"#,
                "st \"asleep\" is not known; known are pause ready",
            ),
            (r#"{"op":"call","t":0,"id":1}"#, "st is missing; it is one of dialled"),
            (r#"{"op":"live","t":0,"abandoned":"perhaps"}"#, "abandoned is true or false"),
            (r#"{"op":"hello","proto":2}"#, "proto is 1"),
            (r#"{"op":"hello","proto":1,"target":3}"#, "target is a share from 0 to 1, such as 0.03, not 3"),
            (r#"{"op":"hello","grace":"NaN"}"#, "grace is a number of seconds from 0 to 300, not \"NaN\""),
            (r#"{"op":"hello","lines":-1}"#, "lines is a number from 0 on"),
        ] {
            assert!(wrong(text).contains(said), "{text}: {}", wrong(text));
        }
    }

    #[test]
    fn what_other_programs_write_is_taken() {
        let decide = read(br#"{"op":"decide","t":NaN,"hopper":[["NaN",0],["+1"],"+2",{"num":3,"seg":9},[null,1],[[],2],true]}"#);
        let Ok(Line::Decide { t: None, hopper }) = decide else { panic!("{decide:?}") };
        let names: Vec<String> = hopper.iter().map(|(number, _)| key(number)).collect();
        assert_eq!(names, ["NaN", "+1", "+2", "3"]);
        assert_eq!(read(br#"{"op":"day","t":"12.5"}"#), Ok(Line::Day(Some(12.5))));
        assert_eq!(read("\u{feff}{\"op\":\"end\",\"why\":null}\r\n".as_bytes()), Ok(Line::End));
        assert_eq!(
            (key(&Value::from(7)), key(&Value::from(7.0)), key(&Value::from("7"))),
            ("7".into(), "7".into(), "7".into())
        );
    }

    #[test]
    fn a_hello_of_few_words_means_the_usual_terms() {
        let Ok(Line::Hello(terms)) =
            read(br#"{"op":"hello","lines":1e300,"amd":{"fp":0.01},"agents":[1,2]}"#)
        else {
            panic!("taken")
        };
        assert_eq!(
            (terms.target, terms.min_ring, terms.lines, terms.detects),
            (0.03, 15.0, usize::MAX, true)
        );
    }
}
