//! A rule in plain words, in both languages, so that who typed it sees what the box understood. Words only.
use super::{Expr, Fact, Function, Op, QueueFact, Rule};
use crate::config::route::Destination;
use crate::media::Language;

/// The whole rule as a sentence.
#[must_use]
pub fn explain(rule: &Rule, language: Language) -> String {
    let (when, to) = (words(&rule.when, language), destination(&rule.to, language));
    match language {
        Language::En => format!("When {when}: the caller goes to {to}."),
        Language::Zh => format!("当{when}时，来电转到{to}。"),
    }
}

fn words(expr: &Expr, language: Language) -> String {
    let of = |e: &Expr| words(e, language);
    let en = language == Language::En;
    match expr {
        Expr::Number(n) => n.normalize().to_string(),
        Expr::Text(text) => format!("“{text}”"),
        Expr::Truth(truth) => {
            pick(language, if *truth { ("always", "始终") } else { ("never", "从不") }).into()
        }
        Expr::Fact(fact) => asked(fact, language),
        Expr::Not(e) if en => format!("not ({})", of(e)),
        Expr::Not(e) => format!("并非（{}）", of(e)),
        Expr::Negative(e) => format!("−{}", of(e)),
        Expr::Two(op, a, b) => {
            let side = |e: &Expr| if bracketed(*op, e) { brackets(of(e), language) } else { of(e) };
            let space = if en || matches!(op, Op::Add | Op::Subtract | Op::Times | Op::Divide | Op::Rest) {
                " "
            } else {
                ""
            };
            format!("{}{space}{}{space}{}", side(a), joined(*op, language), side(b))
        }
        Expr::Call(function, given) => {
            let given: Vec<String> = given.iter().map(of).collect();
            format!("{}({})", named(*function, language), given.join(pick(language, (", ", "，"))))
        }
    }
}

/// Whether a part needs brackets to be read right: or inside and, sums inside products.
fn bracketed(op: Op, part: &Expr) -> bool {
    let Expr::Two(inner, ..) = part else { return false };
    match op {
        Op::And => *inner == Op::Or,
        Op::Times | Op::Divide | Op::Rest => matches!(inner, Op::Add | Op::Subtract),
        Op::Subtract => matches!(inner, Op::Add | Op::Subtract),
        Op::Or | Op::Equal | Op::Unequal | Op::Less | Op::AtMost | Op::More | Op::AtLeast | Op::Add => false,
    }
}

fn brackets(inner: String, language: Language) -> String {
    match language {
        Language::En => format!("({inner})"),
        Language::Zh => format!("（{inner}）"),
    }
}

fn asked(fact: &Fact, language: Language) -> String {
    let (queue, fact) = match fact {
        Fact::Caller => return pick(language, ("the caller's number", "主叫号码")).into(),
        Fact::Class => return pick(language, ("the caller's class", "客户类别")).into(),
        Fact::Hour => return pick(language, ("the hour", "当前小时")).into(),
        Fact::Minute => return pick(language, ("the minute", "当前分钟")).into(),
        Fact::Waited => {
            return pick(language, ("the seconds this caller has waited", "该来电已等待的秒数")).into();
        }
        Fact::Weekday => return pick(language, ("the day of the week", "星期几")).into(),
        Fact::Queue(queue, fact) => (queue, fact),
    };
    match language {
        Language::En => {
            let what = match fact {
                QueueFact::Busy => "the number of busy agents",
                QueueFact::LoggedIn => "the number of agents at work",
                QueueFact::LongestWait => "the longest wait in seconds",
                QueueFact::Ready => "the number of ready agents",
                QueueFact::Waiting => "the number of callers waiting",
            };
            format!("{what} in queue {queue}")
        }
        Language::Zh => {
            let what = match fact {
                QueueFact::Busy => "忙碌坐席数",
                QueueFact::LoggedIn => "在岗坐席数",
                QueueFact::LongestWait => "最长等待秒数",
                QueueFact::Ready => "就绪坐席数",
                QueueFact::Waiting => "等待人数",
            };
            format!("队列“{queue}”的{what}")
        }
    }
}

fn joined(op: Op, language: Language) -> &'static str {
    pick(
        language,
        match op {
            Op::Or => ("or", "或"),
            Op::And => ("and", "且"),
            Op::Equal => ("is", "等于"),
            Op::Unequal => ("is not", "不等于"),
            Op::Less => ("is less than", "小于"),
            Op::AtMost => ("is at most", "不超过"),
            Op::More => ("is more than", "大于"),
            Op::AtLeast => ("is at least", "不少于"),
            Op::Add => ("+", "+"),
            Op::Subtract => ("−", "−"),
            Op::Times => ("×", "×"),
            Op::Divide => ("÷", "÷"),
            Op::Rest => ("mod", "mod"),
        },
    )
}

fn named(function: Function, language: Language) -> &'static str {
    pick(
        language,
        match function {
            Function::Abs => ("absolute value", "绝对值"),
            Function::Max => ("larger of", "较大值"),
            Function::Min => ("smaller of", "较小值"),
            Function::Round => ("rounded", "四舍五入"),
        },
    )
}

fn destination(to: &Destination, language: Language) -> String {
    let named = |(en, zh): (&str, &str), name: &str| match language {
        Language::En => format!("{en} {name}"),
        Language::Zh => format!("{zh}“{name}”"),
    };
    match to {
        Destination::Announcement => pick(language, ("an announcement", "提示音")).into(),
        Destination::Echo => pick(language, ("the echo test", "回声测试")).into(),
        Destination::HangUp => pick(language, ("the end of the call", "挂断")).into(),
        Destination::Extension(n) => named(("extension", "分机"), n.as_str()),
        Destination::Flow(name) => named(("flow", "流程"), name),
        Destination::Queue(name) => named(("queue", "队列"), name),
        Destination::Voicemail(n) => named(("the mailbox of", "语音信箱"), n.as_str()),
    }
}

fn pick(language: Language, (en, zh): (&'static str, &'static str)) -> &'static str {
    match language {
        Language::En => en,
        Language::Zh => zh,
    }
}
