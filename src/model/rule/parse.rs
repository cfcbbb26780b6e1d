//! Reads a line into a checked expression. Every fault has its place, so that a caret can stand under it. Never panics,
//! whatever is typed; nesting and length are bounded.
use super::{Expr, Fact, Function, LINE_MAX, Op, QueueFact, Rule};
use crate::config::route::Destination;
use crate::number::Number;
use crate::sentence::Sentence;
use rust_decimal::Decimal;

/// What stands in brackets, in both languages.
const QUEUE: (&str, &str) = ("the name of a queue in quotes", "带引号的队列名称");
const EXTENSION: (&str, &str) = ("an extension in quotes", "带引号的分机号");
const FLOW: (&str, &str) = ("the name of a flow in quotes", "带引号的流程名称");
/// Deepest nesting of brackets and signs: no person reads more.
const DEEP_MAX: u32 = 16;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Character from 0.
    pub at: usize,
    /// What is wrong and what to write.
    pub why: Sentence,
}

impl Fault {
    /// The sentence, the line, and a caret under the place.
    #[must_use]
    pub fn shown(&self, line: &str) -> Sentence {
        let (place, caret) = (self.at + 1, " ".repeat(self.at));
        Sentence::new(
            format!("character {place}: {}\n{line}\n{caret}^", self.why.en),
            format!("第 {place} 个字符：{}\n{line}\n{caret}^", self.why.zh),
        )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Number,
    Text,
    Truth,
}

impl Type {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Type::Number => ("a number", "数字"),
            Type::Text => ("a text", "文本"),
            Type::Truth => ("a condition", "条件"),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(Decimal),
    Text(String),
    Word(String),
    Sign(&'static str),
    End,
}

/// Longer signs first.
const SIGNS: [&str; 19] =
    ["->", "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "(", ")", ".", ","];

/// Reads a whole rule: `condition -> destination`.
///
/// # Errors
/// The first fault.
pub fn line(text: &str) -> Result<Rule, Fault> {
    let mut p = Parser::new(text)?;
    let when = p.condition()?;
    if !p.take("->") {
        return Err(p.fault(
            "write -> and where the caller goes, e.g. -> queue(\"sales\")",
            "请写 -> 和呼叫的去向，例如 -> queue(\"sales\")",
        ));
    }
    let to = p.destination()?;
    p.end()?;
    Ok(Rule { text: text.trim().to_owned(), when, to })
}

/// Reads a condition alone.
///
/// # Errors
/// The first fault.
pub fn expression(text: &str) -> Result<Expr, Fault> {
    let mut p = Parser::new(text)?;
    let when = p.condition()?;
    p.end()?;
    Ok(when)
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    deep: u32,
}

type Typed = (Expr, Type);

impl Parser {
    fn new(text: &str) -> Result<Parser, Fault> {
        Ok(Parser { tokens: tokens(text)?, at: 0, deep: 0 })
    }

    fn look(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(_, token)| token)
    }

    fn place(&self) -> usize {
        self.tokens.get(self.at).map_or(0, |(at, _)| *at)
    }

    fn fault(&self, en: impl Into<String>, zh: impl Into<String>) -> Fault {
        Fault { at: self.place(), why: Sentence::new(en, zh) }
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.look(), Token::Sign(s) if *s == sign);
        self.at += usize::from(found);
        found
    }

    fn need(&mut self, sign: &str) -> Result<(), Fault> {
        if self.take(sign) {
            Ok(())
        } else {
            Err(self.fault(format!("{sign} is needed here"), format!("此处需要 {sign}")))
        }
    }

    fn end(&self) -> Result<(), Fault> {
        match self.look() {
            Token::End => Ok(()),
            Token::Number(_) | Token::Text(_) | Token::Word(_) | Token::Sign(_) => Err(self.fault(
                "the rule is complete before this; remove it, or join conditions by && or ||",
                "规则在此之前已完整；请删除后面的内容，或用 && 或 || 连接条件",
            )),
        }
    }

    fn condition(&mut self) -> Result<Expr, Fault> {
        let start = self.place();
        let (expr, kind) = self.or()?;
        expect(start, kind, Type::Truth)?;
        Ok(expr)
    }

    fn or(&mut self) -> Result<Typed, Fault> {
        self.chain(&[("||", Op::Or)], Type::Truth, Type::Truth, Parser::and)
    }

    fn and(&mut self) -> Result<Typed, Fault> {
        self.chain(&[("&&", Op::And)], Type::Truth, Type::Truth, Parser::not)
    }

    fn not(&mut self) -> Result<Typed, Fault> {
        if !self.take("!") {
            return self.comparison();
        }
        self.deeper()?;
        let start = self.place();
        let (expr, kind) = self.not()?;
        expect(start, kind, Type::Truth)?;
        self.deep -= 1;
        Ok((Expr::Not(Box::new(expr)), Type::Truth))
    }

    fn comparison(&mut self) -> Result<Typed, Fault> {
        const SIGNS: [(&str, Op); 6] = [
            ("==", Op::Equal),
            ("!=", Op::Unequal),
            ("<=", Op::AtMost),
            (">=", Op::AtLeast),
            ("<", Op::Less),
            (">", Op::More),
        ];
        let start = self.place();
        let (a, kind) = self.sum()?;
        let Some((_, op)) = SIGNS.iter().find(|(sign, _)| self.take(sign)) else { return Ok((a, kind)) };
        let second = self.place();
        let (b, other) = self.sum()?;
        if !matches!(op, Op::Equal | Op::Unequal) {
            expect(start, kind, Type::Number)?;
        }
        expect(second, other, kind)?;
        Ok((Expr::Two(*op, Box::new(a), Box::new(b)), Type::Truth))
    }

    fn sum(&mut self) -> Result<Typed, Fault> {
        self.chain(&[("+", Op::Add), ("-", Op::Subtract)], Type::Number, Type::Number, Parser::product)
    }

    fn product(&mut self) -> Result<Typed, Fault> {
        let signs = [("*", Op::Times), ("/", Op::Divide), ("%", Op::Rest)];
        self.chain(&signs, Type::Number, Type::Number, Parser::one)
    }

    fn chain(
        &mut self,
        signs: &[(&str, Op)],
        of: Type,
        gives: Type,
        part: fn(&mut Parser) -> Result<Typed, Fault>,
    ) -> Result<Typed, Fault> {
        let start = self.place();
        let (mut left, mut kind) = part(self)?;
        while let Some((_, op)) = signs.iter().find(|(sign, _)| self.take(sign)) {
            expect(start, kind, of)?;
            let second = self.place();
            let (right, other) = part(self)?;
            expect(second, other, of)?;
            (left, kind) = (Expr::Two(*op, Box::new(left), Box::new(right)), gives);
        }
        Ok((left, kind))
    }

    fn deeper(&mut self) -> Result<(), Fault> {
        self.deep += 1;
        if self.deep > DEEP_MAX {
            return Err(self.fault(
                format!("this is nested deeper than {DEEP_MAX} times; write it plainer"),
                format!("嵌套超过 {DEEP_MAX} 层；请简化"),
            ));
        }
        Ok(())
    }

    fn one(&mut self) -> Result<Typed, Fault> {
        let start = self.place();
        if self.take("(") {
            self.deeper()?;
            let inner = self.or()?;
            self.need(")")?;
            self.deep -= 1;
            return Ok(inner);
        }
        if self.take("-") {
            self.deeper()?;
            let (expr, kind) = self.one()?;
            expect(start, kind, Type::Number)?;
            self.deep -= 1;
            return Ok((Expr::Negative(Box::new(expr)), Type::Number));
        }
        match self.look().clone() {
            Token::Number(n) => {
                self.at += 1;
                Ok((Expr::Number(n), Type::Number))
            }
            Token::Text(text) => {
                self.at += 1;
                Ok((Expr::Text(text), Type::Text))
            }
            Token::Word(word) => {
                self.at += 1;
                self.word(start, &word)
            }
            Token::Sign(_) | Token::End => Err(self.fault(
                "a number, a text in quotes or one of these is needed here: queue(\"NAME\").waiting, waited, caller, class, hour, minute, weekday",
                "此处需要数字、带引号的文本，或以下之一：queue(\"NAME\").waiting、waited、caller、class、hour、minute、weekday",
            )),
        }
    }

    fn word(&mut self, start: usize, word: &str) -> Result<Typed, Fault> {
        let fact = |fact, kind| Ok((Expr::Fact(fact), kind));
        match word {
            "true" | "false" => Ok((Expr::Truth(word == "true"), Type::Truth)),
            "caller" => fact(Fact::Caller, Type::Text),
            "class" => fact(Fact::Class, Type::Text),
            "hour" => fact(Fact::Hour, Type::Number),
            "minute" => fact(Fact::Minute, Type::Number),
            "waited" => fact(Fact::Waited, Type::Number),
            "weekday" => fact(Fact::Weekday, Type::Number),
            "queue" => self.queue(),
            "abs" => self.call(Function::Abs, 1),
            "max" => self.call(Function::Max, 2),
            "min" => self.call(Function::Min, 2),
            "round" => self.call(Function::Round, 2),
            _ => Err(Fault {
                at: start,
                why: Sentence::new(
                    format!(
                        "\"{word}\" is not known here; use queue(\"NAME\").waiting, waited, caller, class, hour, minute, weekday, or abs, max, min, round (texts stand in quotes)"
                    ),
                    format!(
                        "无法识别“{word}”；请使用 queue(\"NAME\").waiting、waited、caller、class、hour、minute、weekday，或 abs、max、min、round（文本须加引号）"
                    ),
                ),
            }),
        }
    }

    fn queue(&mut self) -> Result<Typed, Fault> {
        let name = self.name_in_brackets(QUEUE)?;
        self.need(".")?;
        let facts = [
            ("busy", QueueFact::Busy),
            ("logged_in", QueueFact::LoggedIn),
            ("longest_wait", QueueFact::LongestWait),
            ("ready", QueueFact::Ready),
            ("waiting", QueueFact::Waiting),
        ];
        let found = facts.iter().find(|(word, _)| matches!(self.look(), Token::Word(w) if w == word));
        let Some((_, fact)) = found else {
            return Err(self.fault(
                "use one of: waiting, ready, busy, logged_in, longest_wait",
                "请使用以下之一：waiting、ready、busy、logged_in、longest_wait",
            ));
        };
        self.at += 1;
        Ok((Expr::Fact(Fact::Queue(name, *fact)), Type::Number))
    }

    fn name_in_brackets(&mut self, (en, zh): (&str, &str)) -> Result<String, Fault> {
        self.need("(")?;
        let Token::Text(name) = self.look().clone() else {
            return Err(self.fault(format!("{en} is needed here"), format!("此处需要{zh}")));
        };
        self.at += 1;
        self.need(")")?;
        Ok(name)
    }

    fn call(&mut self, function: Function, count: usize) -> Result<Typed, Fault> {
        self.need("(")?;
        self.deeper()?;
        let mut given = Vec::new();
        for i in 0..count {
            if i > 0 {
                self.need(",")?;
            }
            let start = self.place();
            let (expr, kind) = self.sum()?;
            expect(start, kind, Type::Number)?;
            given.push(expr);
        }
        self.need(")")?;
        self.deep -= 1;
        Ok((Expr::Call(function, given), Type::Number))
    }

    fn destination(&mut self) -> Result<Destination, Fault> {
        let start = self.place();
        let Token::Word(word) = self.look().clone() else {
            return Err(self.fault(
                "name where the caller goes, e.g. queue(\"sales\"), voicemail(\"101\") or hang_up",
                "请写明呼叫的去向，例如 queue(\"sales\")、voicemail(\"101\") 或 hang_up",
            ));
        };
        self.at += 1;
        let number = |text: String| {
            let why = || Sentence::new(format!("\"{text}\" is not a number"), format!("“{text}”不是号码"));
            Number::read(&text).ok_or_else(|| Fault { at: start, why: why() })
        };
        match word.as_str() {
            "announcement" => Ok(Destination::Announcement),
            "hang_up" => Ok(Destination::HangUp),
            "extension" => number(self.name_in_brackets(EXTENSION)?).map(Destination::Extension),
            "voicemail" => number(self.name_in_brackets(EXTENSION)?).map(Destination::Voicemail),
            "flow" => self.name_in_brackets(FLOW).map(Destination::Flow),
            "queue" => self.name_in_brackets(QUEUE).map(Destination::Queue),
            _ => Err(Fault {
                at: start,
                why: Sentence::new(
                    format!(
                        "\"{word}\" is no destination; use queue(\"NAME\"), flow(\"NAME\"), extension(\"101\"), voicemail(\"101\"), announcement or hang_up"
                    ),
                    format!(
                        "“{word}”不是去向；请使用 queue(\"NAME\")、flow(\"NAME\")、extension(\"101\")、voicemail(\"101\")、announcement 或 hang_up"
                    ),
                ),
            }),
        }
    }
}

fn expect(at: usize, found: Type, needed: Type) -> Result<(), Fault> {
    if found == needed {
        return Ok(());
    }
    let ((needed, needed_zh), (found, found_zh)) = (needed.words(), found.words());
    let why = Sentence::new(
        format!("{needed} is needed here; this is {found}"),
        format!("此处需要{needed_zh}，而这是{found_zh}"),
    );
    Err(Fault { at, why })
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Fault> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > LINE_MAX {
        let why = Sentence::new(
            format!("a rule has at most {LINE_MAX} characters"),
            format!("规则最多 {LINE_MAX} 个字符"),
        );
        return Err(Fault { at: LINE_MAX, why });
    }
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let run = |fine: fn(char) -> bool| chars[at..].iter().take_while(|c| fine(**c)).count();
        if c.is_whitespace() {
            at += 1;
        } else if c.is_ascii_digit() {
            let len = run(|c| c.is_ascii_digit() || c == '.');
            let digits: String = chars[at..at + len].iter().collect();
            let fault = || Fault {
                at,
                why: Sentence::new(
                    format!("\"{digits}\" is not a number; write it like 25 or 0.5"),
                    format!("“{digits}”不是数字；请写成 25 或 0.5 的形式"),
                ),
            };
            let whole = !digits.ends_with('.');
            let n = Some(&digits).filter(|_| whole).and_then(|d| d.parse().ok()).ok_or_else(fault)?;
            found.push((at, Token::Number(n)));
            at += len;
        } else if c.is_ascii_alphabetic() || c == '_' {
            let len = run(|c| c.is_ascii_alphanumeric() || c == '_');
            found.push((at, Token::Word(chars[at..at + len].iter().collect())));
            at += len;
        } else if c == '"' {
            let len = chars[at + 1..].iter().take_while(|c| **c != '"').count();
            if at + 1 + len >= chars.len() {
                let why = Sentence::new("this text has no closing quote", "此文本缺少结束引号");
                return Err(Fault { at, why });
            }
            found.push((at, Token::Text(chars[at + 1..at + 1 + len].iter().collect())));
            at += len + 2;
        } else {
            let rest = |sign: &&&str| sign.chars().enumerate().all(|(i, s)| chars.get(at + i) == Some(&s));
            let Some(sign) = SIGNS.iter().find(rest) else {
                let why =
                    Sentence::new(format!("\"{c}\" has no meaning here"), format!("“{c}”在此处没有意义"));
                return Err(Fault { at, why });
            };
            found.push((at, Token::Sign(sign)));
            at += sign.len();
        }
    }
    found.push((chars.len(), Token::End));
    Ok(found)
}
