//! Business rules in one typed line: `queue("1").waiting > 25 && queue("2").ready >= 4 -> queue("2")`. Numbers are exact
//! decimals (0.1 + 0.2 is 0.3). A line is read and its types are checked when it is saved; what is left can only come out
//! undefined (a division by zero, a number too large, a queue that is gone), which counts as "no". No loops, no calls of
//! its own: the time of an evaluation is bounded by the length of the line. Pure; asks [`Facts`] and nobody else.
//!
//! Own code on `rust_decimal` instead of an expression crate: the web shows each rule in plain words in two languages and
//! puts a caret under the fault, which needs the tree; the well-kept crates count in binary fractions (`cel`), or hide
//! their tree and bring loops (`rhai`).
mod explain;
mod parse;

use crate::config::route::Destination;
pub use explain::explain;
pub use parse::{Fault, expression, line};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;

/// Longest line, characters.
pub const LINE_MAX: usize = 200;

/// A rule: when it is true, where the caller goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// As it was typed.
    pub text: String,
    /// When.
    pub when: Expr,
    /// Where to.
    pub to: Destination,
}

impl Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.text)
    }
}

/// A number of a queue that rules may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QueueFact {
    /// Agents offered or talking.
    Busy,
    /// Agents at work.
    LoggedIn,
    /// Seconds the first caller waits.
    LongestWait,
    /// Agents ready.
    Ready,
    /// Callers waiting.
    Waiting,
}

/// What rules may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The caller's number.
    Caller,
    /// The caller's class among the contacts, e.g. `vip`.
    Class,
    /// Hour of the site, 0–23.
    Hour,
    /// Minute of the hour.
    Minute,
    /// A number of a queue, by the queue's name.
    Queue(String, QueueFact),
    /// Seconds this caller has waited.
    Waited,
    /// Day of the week, Monday = 1.
    Weekday,
}

/// Two values into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Either.
    Or,
    /// Both.
    And,
    /// Equal.
    Equal,
    /// Not equal.
    Unequal,
    /// Less.
    Less,
    /// Less or equal.
    AtMost,
    /// Greater.
    More,
    /// Greater or equal.
    AtLeast,
    /// Sum.
    Add,
    /// Difference.
    Subtract,
    /// Product.
    Times,
    /// Quotient, rounded as [`Precision`] says.
    Divide,
    /// What is left of a division.
    Rest,
}

/// A function of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Without its sign.
    Abs,
    /// The larger of two.
    Max,
    /// The smaller of two.
    Min,
    /// To so many places.
    Round,
}

/// A checked expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A number.
    Number(Decimal),
    /// A text.
    Text(String),
    /// Yes or no.
    Truth(bool),
    /// Something asked for.
    Fact(Fact),
    /// The opposite.
    Not(Box<Expr>),
    /// The negative.
    Negative(Box<Expr>),
    /// Two into one.
    Two(Op, Box<Expr>, Box<Expr>),
    /// A function.
    Call(Function, Vec<Expr>),
}

/// What comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(Decimal),
    /// A text.
    Text(String),
    /// Yes or no.
    Truth(bool),
}

/// How quotients are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Towards zero.
    Down,
    /// A half to the even neighbour.
    HalfEven,
    /// A half away from zero.
    HalfUp,
    /// Away from zero.
    Up,
}

/// Places kept of quotients, 0–20, and how the rest is rounded; `round()` rounds the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Precision {
    /// Places after the point.
    pub places: u32,
    /// What becomes of the rest.
    pub rounding: Rounding,
}

impl Precision {
    fn round(self, n: Decimal, places: u32) -> Decimal {
        let how = match self.rounding {
            Rounding::Down => RoundingStrategy::ToZero,
            Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
            Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Rounding::Up => RoundingStrategy::AwayFromZero,
        };
        n.round_dp_with_strategy(places, how)
    }
}

/// Who answers what a rule asks for. `None`: not known, and the rule does not hold.
pub trait Facts {
    /// The value of a fact; a number for all but `Caller` and `Class`.
    fn value(&self, fact: &Fact) -> Option<Value>;
}

impl Expr {
    /// Whether it holds now. What is undefined does not.
    #[must_use]
    pub fn holds(&self, precision: Precision, facts: &dyn Facts) -> bool {
        self.value(precision, facts) == Some(Value::Truth(true))
    }

    /// Its value now; `None` when it is undefined.
    #[must_use]
    pub fn value(&self, precision: Precision, facts: &dyn Facts) -> Option<Value> {
        match self {
            Expr::Number(n) => Some(Value::Number(*n)),
            Expr::Text(text) => Some(Value::Text(text.clone())),
            Expr::Truth(truth) => Some(Value::Truth(*truth)),
            Expr::Fact(fact) => facts.value(fact),
            Expr::Not(e) => Some(Value::Truth(!truth(e.value(precision, facts)?)?)),
            Expr::Negative(e) => Some(Value::Number(-number(e.value(precision, facts)?)?)),
            Expr::Two(Op::And, a, b) => {
                let both = a.holds(precision, facts) && b.holds(precision, facts);
                Some(Value::Truth(both))
            }
            Expr::Two(Op::Or, a, b) => {
                let either = a.holds(precision, facts) || b.holds(precision, facts);
                Some(Value::Truth(either))
            }
            Expr::Two(op, a, b) => {
                two(precision, *op, &a.value(precision, facts)?, &b.value(precision, facts)?)
            }
            Expr::Call(function, given) => {
                let given: Option<Vec<Decimal>> =
                    given.iter().map(|e| number(e.value(precision, facts)?)).collect();
                call(precision, *function, &given?)
            }
        }
    }

    /// Every queue it names, each with its place of naming.
    pub fn queues<'a>(&'a self, found: &mut Vec<&'a str>) {
        match self {
            Expr::Fact(Fact::Queue(name, _)) => found.push(name),
            Expr::Number(_) | Expr::Text(_) | Expr::Truth(_) | Expr::Fact(_) => {}
            Expr::Not(e) | Expr::Negative(e) => e.queues(found),
            Expr::Two(_, a, b) => {
                a.queues(found);
                b.queues(found);
            }
            Expr::Call(_, given) => given.iter().for_each(|e| e.queues(found)),
        }
    }
}

fn truth(value: Value) -> Option<bool> {
    if let Value::Truth(truth) = value { Some(truth) } else { None }
}

fn number(value: Value) -> Option<Decimal> {
    if let Value::Number(n) = value { Some(n) } else { None }
}

fn two(precision: Precision, op: Op, a: &Value, b: &Value) -> Option<Value> {
    let truth = match op {
        Op::Equal => a == b,
        Op::Unequal => a != b,
        Op::And | Op::Or => return None,
        Op::Less | Op::AtMost | Op::More | Op::AtLeast => {
            let (a, b) = (number(a.clone())?, number(b.clone())?);
            compare(op, a, b)
        }
        Op::Add | Op::Subtract | Op::Times | Op::Divide | Op::Rest => {
            let (a, b) = (number(a.clone())?, number(b.clone())?);
            return reckon(precision, op, a, b).map(Value::Number);
        }
    };
    Some(Value::Truth(truth))
}

fn compare(op: Op, a: Decimal, b: Decimal) -> bool {
    if op == Op::Less {
        a < b
    } else if op == Op::AtMost {
        a <= b
    } else if op == Op::More {
        a > b
    } else {
        a >= b
    }
}

fn reckon(precision: Precision, op: Op, a: Decimal, b: Decimal) -> Option<Decimal> {
    if op == Op::Add {
        a.checked_add(b)
    } else if op == Op::Subtract {
        a.checked_sub(b)
    } else if op == Op::Times {
        a.checked_mul(b)
    } else if op == Op::Divide {
        a.checked_div(b).map(|n| precision.round(n, precision.places))
    } else {
        a.checked_rem(b)
    }
}

fn call(precision: Precision, function: Function, given: &[Decimal]) -> Option<Value> {
    let n = match (function, given) {
        (Function::Abs, [n]) => n.abs(),
        (Function::Max, [a, b]) => *a.max(b),
        (Function::Min, [a, b]) => *a.min(b),
        (Function::Round, [n, places]) => {
            let places = u32::try_from(*places).ok().filter(|p| *p <= 20)?;
            precision.round(*n, places)
        }
        (Function::Abs | Function::Max | Function::Min | Function::Round, _) => return None,
    };
    Some(Value::Number(n))
}

#[cfg(test)]
mod tests;
