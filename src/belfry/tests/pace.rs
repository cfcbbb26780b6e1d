//! `belfry pace --stdio` as a process that an outside simulator talks to: in step, and with anything that can come down a
//! pipe. Every `decide` gets its line; only numbers of the hopper are dialled; the process ends as it should.
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

const HELLO: &str = r#"{"op":"hello","proto":1,"agents":5,"target":0.03,"grace":2,"min_ring":15,"ring_timeout":25,"lines":null,"cps":null,"amd":false}"#;

struct Pacer {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Pacer {
    fn start() -> Pacer {
        let mut child = Command::new(env!("CARGO_BIN_EXE_belfry"))
            .args(["pace", "--stdio"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Pacer { child, input, output }
    }

    fn say(&mut self, line: &[u8]) {
        let input = self.input.as_mut().expect("still open");
        input.write_all(line).and_then(|()| input.write_all(b"\n")).expect("it reads on");
    }

    fn tell(&mut self, line: &Value) {
        self.say(line.to_string().as_bytes());
    }

    /// The answer to a decide.
    fn answer(&mut self) -> (Vec<Value>, Vec<Value>) {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        let mut answer: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        let mut list = |name: &str| match answer[name].take() {
            Value::Array(list) => list,
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_)) => {
                panic!("{name} is {other}")
            }
        };
        (list("dial"), list("cancel"))
    }

    /// How it ended, and what it said to people.
    fn end(mut self) -> (ExitStatus, String) {
        self.input.take();
        let mut said = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("text");
        assert_eq!(rest, "", "nothing is said without being asked");
        (self.child.wait().expect("it ends"), said)
    }
}

/// Numbers by chance that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn of<'a, T>(&mut self, these: &'a [T]) -> &'a T {
        let count = u64::try_from(these.len()).expect("few");
        &these[usize::try_from(self.roll(count)).expect("few")]
    }

    /// A value that somebody might send where a number belongs.
    fn odd(&mut self) -> Value {
        let odd = [
            json!(null),
            json!(true),
            json!("NaN"),
            json!("Infinity"),
            json!("-1"),
            json!(""),
            json!("soon"),
            json!([]),
            json!({}),
            json!(-1),
            json!(0),
            json!(1e18),
            json!(-1e300),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(0.1),
            json!("x".repeat(300)),
            json!([[["deep"]]]),
        ];
        self.of(&odd).clone()
    }

    fn noise(&mut self) -> Vec<u8> {
        (0..self.roll(40))
            .map(|_| u8::try_from(self.roll(256)).expect("a byte"))
            .filter(|b| *b != b'\n')
            .collect()
    }
}

/// A line by chance, and the numbers it offers when it asks for a decision.
fn line(dice: &mut Dice, turn: u64) -> (Vec<u8>, Option<BTreeSet<String>>) {
    let t = json!(turn);
    let time = |dice: &mut Dice| if dice.roll(8) == 0 { dice.odd() } else { t.clone() };
    let id = |dice: &mut Dice| if dice.roll(12) == 0 { dice.odd() } else { json!(dice.roll(60)) };
    const AGENT: [&str; 6] = ["pause", "ready", "ready", "talk", "wrap", "pause_req"];
    const CALL: [&str; 13] = [
        "dialled",
        "dialled",
        "ringing",
        "answered",
        "waiting",
        "connected",
        "busy",
        "sit",
        "noanswer",
        "machine",
        "cancelled",
        "abandoned",
        "hangup",
    ];
    let value = match dice.roll(12) {
        0..3 => {
            let hopper: Vec<Value> = (0..dice.roll(30))
                .map(|_| match dice.roll(12) {
                    0 => dice.odd(),
                    1 => json!([dice.odd(), dice.odd()]),
                    _ => json!([format!("+49{}", dice.roll(500)), dice.roll(4)]),
                })
                .collect();
            let offered = hopper.iter().map(|h| match h {
                Value::Array(pair) => pair.first().unwrap_or(&Value::Null).to_string(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                    h.to_string()
                }
            });
            let offered = offered.collect();
            return (
                json!({"op":"decide","t":time(dice),"hopper":hopper}).to_string().into_bytes(),
                Some(offered),
            );
        }
        3..6 => json!({"op":"agent","t":time(dice),"id":id(dice),"st":*dice.of(&AGENT),"since":time(dice)}),
        6..9 => {
            let number = format!("+49{}", dice.roll(500));
            json!({"op":"call","t":time(dice),"id":id(dice),"st":*dice.of(&CALL),"num":number,"seg":dice.odd(),"since":time(dice)})
        }
        9 => json!({"op":"live","t":time(dice),"abandoned":dice.roll(2) == 0}),
        10 => {
            json!({"op":*dice.of(&["dial", "day", "agent", "call", "", "hello2"]),"t":time(dice),"x":dice.odd()})
        }
        _ => return (dice.noise(), None),
    };
    (value.to_string().into_bytes(), None)
}

#[test]
fn whatever_comes_down_the_pipe_each_decide_gets_one_line_with_numbers_of_its_hopper() {
    for seed in 1..=6 {
        let (mut pacer, mut dice) = (Pacer::start(), Dice(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed)));
        pacer.say(HELLO.as_bytes());
        let mut dialled = 0;
        for turn in 0..1_500 {
            let (line, offered) = line(&mut dice, turn);
            pacer.say(&line);
            let Some(offered) = offered else { continue };
            let (dial, _) = pacer.answer();
            let once: BTreeSet<String> = dial.iter().map(Value::to_string).collect();
            assert_eq!(once.len(), dial.len(), "seed {seed}, turn {turn}: a number twice: {dial:?}");
            assert!(once.is_subset(&offered), "seed {seed}, turn {turn}: {once:?} of {offered:?}");
            dialled += dial.len();
        }
        assert!(dialled > 10, "seed {seed}: it still paces: {dialled}");
        pacer.say(b"{\"op\":\"end\"}");
        let (status, said) = pacer.end();
        assert!(status.success(), "seed {seed}: {status}: {said}");
        assert!(said.contains("line ") && !said.contains("panicked"), "{said}");
    }
}

#[test]
fn two_days_in_step_dial_every_number_at_most_once_at_a_time_and_cancel_only_what_rings() {
    let mut pacer = Pacer::start();
    pacer.say(HELLO.as_bytes());
    let (mut next, mut call, mut served) = (0_u64, 0_u64, 0_u32);
    for day in 0..2 {
        pacer.tell(&json!({"op":"day","t":day * 86_400}));
        let at = |s: u64| day * 86_400 + s;
        for agent in 0..5 {
            pacer.tell(&json!({"op":"agent","t":at(0),"id":agent,"st":"ready","since":at(0)}));
        }
        // Lines by the second they end in: (call, number, end, answers).
        let mut lines: Vec<(u64, String, u64, bool)> = vec![];
        let mut busy: Vec<(u64, u64)> = vec![];
        for second in 1..900 {
            let t = at(second);
            for (agent, until) in std::mem::take(&mut busy) {
                if until <= second {
                    pacer.tell(&json!({"op":"agent","t":t,"id":agent,"st":"ready","since":t}));
                } else {
                    busy.push((agent, until));
                }
            }
            for (call, number, end, answers) in std::mem::take(&mut lines) {
                if end > second {
                    lines.push((call, number, end, answers));
                    continue;
                }
                let free = (0..5).find(|agent| !busy.iter().any(|(b, _)| b == agent));
                let (st, agent) = match (answers, free) {
                    (true, Some(agent)) => ("connected", Some(agent)),
                    (true, None) => ("abandoned", None),
                    (false, _) => ("noanswer", None),
                };
                pacer.tell(&json!({"op":"call","t":t,"id":format!("c{call}"),"st":st,"since":t}));
                if answers {
                    pacer.tell(&json!({"op":"live","t":t,"abandoned":agent.is_none()}));
                    served += 1;
                }
                if let Some(agent) = agent {
                    pacer.tell(&json!({"op":"agent","t":t,"id":agent,"st":"talk","since":t}));
                    busy.push((agent, second + 40));
                }
            }
            let hopper: Vec<Value> = (next..next + 20).map(|n| json!([format!("+1{n}"), n % 3])).collect();
            pacer.tell(&json!({"op":"decide","t":t,"hopper":hopper}));
            let (dial, cancel) = pacer.answer();
            for number in &dial {
                let number = number.as_str().expect("as it was offered").to_owned();
                assert!(!lines.iter().any(|(_, flying, ..)| *flying == number), "{number} is being dialled");
                call += 1;
                pacer.tell(
                    &json!({"op":"call","t":t,"id":format!("c{call}"),"st":"dialled","num":number,"seg":0}),
                );
                pacer.tell(&json!({"op":"call","t":t,"id":format!("c{call}"),"st":"ringing"}));
                lines.push((call, number, second + 9, call % 3 == 0));
            }
            for one in cancel {
                let one: u64 = one
                    .as_str()
                    .and_then(|c| c.strip_prefix('c'))
                    .and_then(|c| c.parse().ok())
                    .expect("ours");
                assert!(lines.iter().any(|(flying, ..)| *flying == one), "{one} rings");
                lines.retain(|(flying, ..)| *flying != one);
                pacer.tell(&json!({"op":"call","t":t,"id":format!("c{one}"),"st":"cancelled"}));
            }
            next += u64::try_from(dial.len()).expect("few");
        }
    }
    assert!(served > 50, "it paced: {served}");
    let (status, _) = pacer.end();
    assert!(status.success(), "{status}");
}

#[test]
fn without_a_hello_that_can_be_kept_every_decide_is_answered_and_the_end_says_why() {
    for (first, why) in [("", "the first line must be"), (&*HELLO.replace("0.03", "30"), "share from 0 to 1")]
    {
        let mut pacer = Pacer::start();
        pacer.say(first.as_bytes());
        pacer.say(br#"{"op":"decide","t":0,"hopper":[["+1",0]]}"#);
        assert_eq!(pacer.answer(), (vec![], vec![]));
        let (status, said) = pacer.end();
        assert_eq!(status.code(), Some(2), "{said}");
        assert!(said.contains(why), "{said}");
    }
    let mut pacer = Pacer::start();
    pacer.say(b"{\"op\":\"end\"}");
    assert!(pacer.end().0.success(), "an end alone is no fault");
}

#[test]
fn a_line_without_end_is_answered_and_the_next_one_is_read() {
    let mut pacer = Pacer::start();
    pacer.say(HELLO.as_bytes());
    pacer.tell(&json!({"op":"agent","t":0,"id":1,"st":"ready"}));
    let mut long = br#"{"op":"decide","t":1,"hopper":["#.to_vec();
    long.extend(std::iter::repeat_n(*b"[\"+1\",0],", 2_000_000).flatten());
    pacer.say(&long);
    assert_eq!(pacer.answer(), (vec![], vec![]));
    pacer.say(br#"{"op":"decide","t":NaN,"hopper":[["+1",0],["+1",0]]}"#);
    assert_eq!(pacer.answer().0, [json!("+1")]);
    assert!(pacer.end().0.success());
}
