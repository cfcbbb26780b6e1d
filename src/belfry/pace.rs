//! `belfry pace --stdio`: the pacing of the dialler and nothing else, over JSON lines, so that an outside simulator can
//! drive it in virtual time. One object a line; an answer only to `decide`. Reads no clock: every time is in the lines.
use std::collections::BTreeMap;
use std::io::{BufRead, Read, Write};

use engine::dialer::pace::{AgentState, LineState, Pace, Terms};
use serde::Deserialize;
use serde_json::Value;

/// Longest line taken: a hopper of some ten thousand numbers.
const LINE_MAX: u64 = 1 << 20;
/// The protocol spoken here.
const PROTOCOL: u32 = 1;
/// Names of agents, calls and segments known at once.
const NAMES_MAX: usize = 100_000;

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Line {
    Hello(Hello),
    Day {},
    Agent {
        t: f64,
        id: Value,
        st: AgentWord,
        since: Option<f64>,
    },
    Call {
        t: f64,
        id: Value,
        st: CallWord,
        #[serde(default)]
        seg: Value,
        since: Option<f64>,
    },
    Live {
        t: f64,
        abandoned: bool,
    },
    Decide {
        t: f64,
        hopper: Vec<(Value, Value)>,
    },
    End {},
}

#[derive(Deserialize)]
struct Hello {
    proto: u32,
    target: f64,
    grace: f64,
    min_ring: f64,
    ring_timeout: f64,
    lines: Option<usize>,
    cps: Option<f64>,
    #[serde(default)]
    amd: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum AgentWord {
    Pause,
    PauseReq,
    Ready,
    Talk,
    Wrap,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum CallWord {
    Abandoned,
    Answered,
    Busy,
    Cancelled,
    Connected,
    Dialled,
    Hangup,
    Machine,
    NoAnswer,
    Ringing,
    Sit,
    Waiting,
}

#[derive(serde::Serialize)]
struct Answer<'a> {
    dial: Vec<&'a Value>,
    cancel: Vec<Value>,
}

/// Names from outside as numbers for the pace.
#[derive(Default)]
struct Names {
    numbers: BTreeMap<String, u64>,
    last: u64,
}

impl Names {
    fn number(&mut self, name: &Value) -> Option<u64> {
        let key = name.to_string();
        if let Some(number) = self.numbers.get(&key) {
            return Some(*number);
        }
        if self.numbers.len() >= NAMES_MAX {
            return None;
        }
        self.last += 1;
        self.numbers.insert(key, self.last);
        Some(self.last)
    }

    fn forget(&mut self, name: &Value) {
        self.numbers.remove(&name.to_string());
    }
}

struct Session {
    pace: Pace,
    agents: Names,
    calls: Names,
    /// What a call is called outside.
    called: BTreeMap<u64, Value>,
    segments: Names,
}

/// Answers until `end` or the end of the input.
///
/// # Errors
/// The first line that cannot be read, with its number and what was wrong.
pub fn stdio(mut input: impl BufRead, mut output: impl Write) -> Result<(), String> {
    let mut session = None;
    let mut text = Vec::new();
    for number in 1_u64.. {
        text.clear();
        let read = Read::by_ref(&mut input)
            .take(LINE_MAX)
            .read_until(b'\n', &mut text)
            .map_err(|e| format!("standard input: {e}"))?;
        if read == 0 {
            break;
        }
        let at = |what: String| format!("line {number}: {what}");
        if text.last() != Some(&b'\n') && read as u64 == LINE_MAX {
            return Err(at(format!("longer than {LINE_MAX} bytes; offer fewer numbers at once")));
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        let line = serde_json::from_slice(&text).map_err(|e| at(format!("not understood: {e}")))?;
        match (line, session.as_mut()) {
            (Line::End {}, _) => break,
            (Line::Hello(hello), _) => session = Some(begin(&hello).map_err(at)?),
            (_, None) => return Err(at("the first line must be {\"op\":\"hello\",…}".into())),
            (line, Some(session)) => session.take(line, &mut output).map_err(at)?,
        }
    }
    Ok(())
}

fn begin(hello: &Hello) -> Result<Session, String> {
    if hello.proto != PROTOCOL {
        return Err(format!("proto {} is not spoken here, only {PROTOCOL}", hello.proto));
    }
    if !(0.0..=1.0).contains(&hello.target) {
        return Err(format!("target is a share from 0 to 1, such as 0.03, not {}", hello.target));
    }
    for (name, seconds) in
        [("grace", hello.grace), ("min_ring", hello.min_ring), ("ring_timeout", hello.ring_timeout)]
    {
        if !(0.0..=300.0).contains(&seconds) {
            return Err(format!("{name} is a number of seconds from 0 to 300, not {seconds}"));
        }
    }
    let terms = Terms {
        target: hello.target,
        grace: hello.grace,
        min_ring: hello.min_ring,
        ring_timeout: hello.ring_timeout,
        lines: hello.lines.unwrap_or(usize::MAX),
        launches_per_second: hello.cps.unwrap_or(f64::INFINITY),
        detects: hello.amd,
    };
    let names = Names::default;
    Ok(Session {
        pace: Pace::new(terms),
        agents: names(),
        calls: names(),
        called: BTreeMap::new(),
        segments: names(),
    })
}

impl Session {
    fn take(&mut self, line: Line, output: &mut impl Write) -> Result<(), String> {
        match line {
            Line::Hello(_) | Line::End {} => {}
            Line::Day {} => {
                self.pace.day();
                (self.agents, self.calls) = (Names::default(), Names::default());
                self.called.clear();
            }
            Line::Agent { t, id, st, since } => self.agent(&id, st, since.unwrap_or(t), t)?,
            Line::Call { t, id, st, seg, since } => self.call(id, st, &seg, since.unwrap_or(t))?,
            Line::Live { t, abandoned } => self.pace.live(t, abandoned),
            Line::Decide { t, hopper } => return self.decide(t, &hopper, output),
        }
        Ok(())
    }

    fn agent(&mut self, id: &Value, word: AgentWord, since: f64, now: f64) -> Result<(), String> {
        let id = self.agents.number(id).ok_or("too many agents")?;
        match word {
            AgentWord::Pause => self.pace.agent(id, AgentState::Pause, since),
            AgentWord::PauseReq => self.pace.agent_leaves(id, now),
            AgentWord::Ready => self.pace.agent(id, AgentState::Ready, since),
            AgentWord::Talk => self.pace.agent(id, AgentState::Talk, since),
            AgentWord::Wrap => self.pace.agent(id, AgentState::Wrap, since),
        }
        Ok(())
    }

    fn call(&mut self, name: Value, word: CallWord, segment: &Value, since: f64) -> Result<(), String> {
        let id = self.calls.number(&name).ok_or("too many calls at once")?;
        let state = match word {
            CallWord::Dialled => {
                let segment = self.segments.number(segment).ok_or("too many segments")?;
                self.pace.dialled(id, u32::try_from(segment).unwrap_or(u32::MAX), since);
                self.called.insert(id, name);
                return Ok(());
            }
            CallWord::Ringing => LineState::Ringing,
            CallWord::Answered => LineState::Answered,
            CallWord::Waiting => LineState::Waiting,
            CallWord::Connected | CallWord::Abandoned => LineState::Served,
            CallWord::Busy | CallWord::Hangup | CallWord::Machine | CallWord::NoAnswer | CallWord::Sit => {
                LineState::Over
            }
            CallWord::Cancelled => LineState::Withdrawn,
        };
        self.pace.line(id, state, since);
        if matches!(state, LineState::Served | LineState::Over | LineState::Withdrawn) {
            self.called.remove(&id);
            self.calls.forget(&name);
        }
        Ok(())
    }

    fn decide(&mut self, now: f64, hopper: &[(Value, Value)], output: &mut impl Write) -> Result<(), String> {
        let mut segments = Vec::with_capacity(hopper.len());
        for (_, segment) in hopper {
            let segment = self.segments.number(segment).ok_or("too many segments")?;
            segments.push(u32::try_from(segment).unwrap_or(u32::MAX));
        }
        let decision = self.pace.decide(now, &segments);
        let answer = Answer {
            dial: hopper.iter().take(decision.launch).map(|(number, _)| number).collect(),
            cancel: decision.give_up.iter().filter_map(|id| self.called.get(id).cloned()).collect(),
        };
        let mut text = serde_json::to_vec(&answer).map_err(|e| e.to_string())?;
        text.push(b'\n');
        output.write_all(&text).and_then(|()| output.flush()).map_err(|e| format!("standard output: {e}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(lines: &str) -> Result<Vec<Value>, String> {
        let mut output = Vec::new();
        stdio(lines.as_bytes(), &mut output)?;
        Ok(output
            .split(|b| *b == b'\n')
            .filter(|l| !l.is_empty())
            .map(|l| serde_json::from_slice(l).unwrap())
            .collect())
    }

    const HELLO: &str = r#"{"op":"hello","proto":1,"agents":2,"target":0.03,"grace":2,"min_ring":15,"ring_timeout":25,"lines":10,"cps":5,"amd":false}"#;

    #[test]
    fn two_free_agents_get_two_lines_with_the_names_of_the_hopper() {
        let lines = format!(
            "{HELLO}\n{}\n{}\n{}\n{}\n",
            r#"{"op":"agent","t":0,"id":"ann","st":"ready","since":0}"#,
            r#"{"op":"agent","t":0,"id":7,"st":"ready","since":0}"#,
            r#"{"op":"decide","t":1,"hopper":[["+4420",0],["+4421",0],["+4422",0]]}"#,
            r#"{"op":"end"}"#
        );
        assert_eq!(run(&lines).unwrap(), [serde_json::json!({"dial": ["+4420", "+4421"], "cancel": []})]);
    }

    #[test]
    fn a_late_call_is_cancelled_by_its_own_name() {
        let lines = [
            HELLO,
            r#"{"op":"agent","t":0,"id":1,"st":"ready","since":0}"#,
            r#"{"op":"call","t":1,"id":"c-9","st":"dialled","num":5,"seg":2,"since":1}"#,
            r#"{"op":"call","t":3,"id":"c-9","st":"ringing","since":3}"#,
            r#"{"op":"agent","t":4,"id":1,"st":"talk","since":4}"#,
            r#"{"op":"decide","t":19,"hopper":[]}"#,
        ]
        .join("\n");
        assert_eq!(run(&lines).unwrap(), [serde_json::json!({"dial": [], "cancel": ["c-9"]})]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        assert!(
            run("{\"op\":\"decide\",\"t\":1,\"hopper\":[]}")
                .unwrap_err()
                .contains("line 1: the first line must be")
        );
        let wrong = format!("{HELLO}\n{{\"op\":\"agent\",\"t\":0,\"id\":1,\"st\":\"asleep\"}}\n");
        let said = run(&wrong).unwrap_err();
        assert!(said.contains("line 2") && said.contains("asleep"), "{said}");
        assert!(run(&HELLO.replace("0.03", "3")).unwrap_err().contains("share from 0 to 1"));
    }
}
