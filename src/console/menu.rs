//! The menu: shows a screen, reads a line, does it, until told to leave.
use crate::login;
use crate::page;
use crate::port::{Answer, Port};
use crate::screen;
use crate::terminal::{Line, Terminal};
use crate::words::{Language, Phrase};
use serde_json::{Value, json};
use std::io::Result;
use std::time::Duration;

/// Without a key for so long, a serial line is signed out.
pub(crate) const AWAY: Duration = Duration::from_secs(300);
/// Between two looks at the event log.
const FOLLOW: Duration = Duration::from_secs(1);

/// How the console is used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Ask for an administrator's password first (serial line). A local shell that can open the box's socket is root
    /// already and is not asked.
    pub login: bool,
    /// Language at the start.
    pub language: Language,
}

/// One technician at one line.
pub struct Session<'a, T, P> {
    pub(crate) terminal: &'a mut T,
    pub(crate) port: &'a mut P,
    language: Language,
    zone: jiff::tz::TimeZone,
}

/// Serves the menu until the technician leaves or the line is gone.
///
/// # Errors
/// The line failed.
pub fn run<T: Terminal, P: Port>(terminal: &mut T, port: &mut P, options: Options) -> Result<()> {
    let mut session = Session { terminal, port, language: options.language, zone: jiff::tz::TimeZone::UTC };
    loop {
        // Nobody can sign in before somebody was made: then the set-up code is what the line is for.
        if options.login && session.set_up_done() && !login::sign_in(&mut session)? {
            return Ok(());
        }
        session.learn_zone();
        match session.menu()? {
            Leave::Gone => return Ok(()),
            Leave::Away => session.say(Phrase::Away)?,
            Leave::Left if options.login => {}
            Leave::Left => return Ok(()),
        }
    }
}

/// Why the menu ended.
enum Leave {
    Away,
    Gone,
    Left,
}

impl<T: Terminal, P: Port> Session<'_, T, P> {
    fn menu(&mut self) -> Result<Leave> {
        loop {
            let choices = self.choices();
            let site = self.site();
            let frame = screen::frame("Belfry", &site, &choices, self.text(Phrase::Answer));
            self.terminal.show(&format!("\n{frame}> "))?;
            let choice = match self.terminal.read(false, AWAY)? {
                Line::Text(text) => text,
                Line::Idle => return Ok(Leave::Away),
                Line::End => return Ok(Leave::Gone),
            };
            let stays = match choice.trim() {
                "" => Some(()),
                "1" => self.page(Phrase::Status, "/api/v1/status", page::status)?,
                "2" => self.page(Phrase::Calls, "/api/v1/calls", page::calls)?,
                "3" => self.page(Phrase::Trunks, "/api/v1/trunks", page::trunks)?,
                "4" => self.page(Phrase::Phones, "/api/v1/phones", page::phones)?,
                "5" => self.page(Phrase::Network, "/api/v1/status", page::network)?,
                "6" => self.follow()?,
                "7" => self.page(Phrase::SetupCode, "/api/v1/setup/code", page::setup_code)?,
                "8" => self.set_password()?,
                "9" => {
                    self.language = match self.language {
                        Language::En => Language::Zh,
                        Language::Zh => Language::En,
                    };
                    Some(())
                }
                "c" | "C" => self.command_line()?,
                "0" => return Ok(Leave::Left),
                _ => {
                    self.say(Phrase::NotUnderstood)?;
                    Some(())
                }
            };
            if stays.is_none() {
                return Ok(Leave::Gone);
            }
        }
    }

    fn choices(&self) -> Vec<String> {
        let entries = [
            Phrase::Status,
            Phrase::Calls,
            Phrase::Trunks,
            Phrase::Phones,
            Phrase::Network,
            Phrase::Log,
            Phrase::SetupCode,
            Phrase::SetPassword,
            Phrase::Others,
        ];
        let mut lines: Vec<String> =
            entries.iter().enumerate().map(|(i, p)| format!("  {}  {}", i + 1, self.text(*p))).collect();
        lines.push(format!("  c  {}", self.text(Phrase::CommandLine)));
        lines.push(format!("  0  {}", self.text(Phrase::Leave)));
        lines
    }

    /// Shows what a path answers, page by page; `None` = the line is gone.
    fn page(&mut self, title: Phrase, path: &str, lay: page::Lay) -> Result<Option<()>> {
        let lines = match self.get(path) {
            Ok(body) => lay(&body, &self.reader()),
            Err(text) => vec![text],
        };
        let parts: Vec<&[String]> = lines.chunks(screen::BODY).collect();
        let last = parts.len().saturating_sub(1);
        for (i, part) in parts.iter().enumerate() {
            let hint = if i == last { Phrase::Back } else { Phrase::More };
            let number = if last == 0 { String::new() } else { format!("{}/{}", i + 1, last + 1) };
            let frame = screen::frame(self.text(title), &number, part, self.text(hint));
            self.terminal.show(&format!("\n{frame}> "))?;
            match self.terminal.read(false, AWAY)? {
                Line::Text(text) if text.trim() == "0" => return Ok(Some(())),
                Line::Text(_) => {}
                Line::Idle => return Ok(Some(())),
                Line::End => return Ok(None),
            }
        }
        Ok(Some(()))
    }

    /// Shows the last events and then each new one as it comes, until a line is typed.
    fn follow(&mut self) -> Result<Option<()>> {
        let title = self.text(Phrase::Log);
        let frame = screen::frame(title, "", &[], self.text(Phrase::FollowHint));
        self.terminal.show(&format!("\n{frame}"))?;
        let mut last = None;
        loop {
            let shown = match self.get("/api/v1/events?limit=15") {
                Ok(body) => page::events(&body, &self.reader(), &mut last),
                Err(text) => vec![text],
            };
            for line in shown {
                self.terminal.show(&format!("{}\n", screen::clip(&line, screen::COLUMNS - 1)))?;
            }
            match self.terminal.read(false, FOLLOW)? {
                Line::Text(_) => return Ok(Some(())),
                Line::Idle => {}
                Line::End => return Ok(None),
            }
        }
    }

    fn set_password(&mut self) -> Result<Option<()>> {
        let Some(Line::Text(name)) = self.ask(Phrase::AdminName, false)? else { return Ok(None) };
        let Some(Line::Text(first)) = self.ask(Phrase::NewPassword, true)? else { return Ok(None) };
        let Some(Line::Text(second)) = self.ask(Phrase::Again, true)? else { return Ok(None) };
        if first != second {
            self.say(Phrase::NotSame)?;
            return Ok(Some(()));
        }
        let body = json!({ "password": first, "role": "admin" });
        let path = format!("/api/v1/users/{}", in_path(name.trim()));
        match self.port.ask("PUT", &path, Some(&body)) {
            Ok(answer) if answer.ok() => self.say(Phrase::PasswordSet)?,
            Ok(answer) => self.say_with(Phrase::Refused, answer.complaint())?,
            Err(text) => self.say_with(Phrase::Down, &text)?,
        }
        Ok(Some(()))
    }

    /// Asks for a line; `None` = the line is gone or nobody is there.
    pub(crate) fn ask(&mut self, phrase: Phrase, secret: bool) -> Result<Option<Line>> {
        let text = self.text(phrase);
        self.terminal.show(text)?;
        Ok(match self.terminal.read(secret, AWAY)? {
            Line::Text(text) => Some(Line::Text(text)),
            Line::Idle | Line::End => None,
        })
    }

    /// Asks, and waits for as long as nobody is there; `None` = the line is gone.
    pub(crate) fn wait_for(&mut self, phrase: Phrase) -> Result<Option<String>> {
        let text = self.text(phrase);
        self.terminal.show(text)?;
        loop {
            match self.terminal.read(false, AWAY)? {
                Line::Text(text) => return Ok(Some(text)),
                Line::Idle => {}
                Line::End => return Ok(None),
            }
        }
    }

    /// Says something on a line of its own.
    pub(crate) fn say(&mut self, phrase: Phrase) -> Result<()> {
        self.say_with(phrase, "")
    }

    /// The same with a detail that came from elsewhere.
    pub(crate) fn say_with(&mut self, phrase: Phrase, detail: &str) -> Result<()> {
        let line = screen::clip(&format!("{}{detail}", self.text(phrase)), screen::COLUMNS - 1);
        self.terminal.show(&format!("{line}\n"))
    }

    fn get(&mut self, path: &str) -> std::result::Result<Value, String> {
        let down = self.text(Phrase::Down);
        let answer: Answer = self.port.ask("GET", path, None).map_err(|text| format!("{down}{text}"))?;
        if answer.ok() {
            Ok(answer.body)
        } else {
            Err(format!("{}{}", self.text(Phrase::Refused), answer.complaint()))
        }
    }

    fn set_up_done(&mut self) -> bool {
        // A box that does not answer is taken as set up: asking too much is the safe side.
        self.get("/api/v1/setup").map_or(true, |body| body["needed"] != true)
    }

    fn site(&mut self) -> String {
        let body = self.get("/api/v1/config/system").unwrap_or_default();
        body["name"].as_str().unwrap_or_default().to_owned()
    }

    fn learn_zone(&mut self) {
        let body = self.get("/api/v1/config/system").unwrap_or_default();
        let zone = body["time_zone"].as_str().and_then(|name| jiff::tz::TimeZone::get(name).ok());
        self.zone = zone.unwrap_or(jiff::tz::TimeZone::UTC);
    }

    /// Who reads.
    pub(crate) fn reader(&self) -> page::Reader<'_> {
        page::Reader { language: self.language, zone: &self.zone }
    }

    pub(crate) fn zone(&self) -> &jiff::tz::TimeZone {
        &self.zone
    }

    pub(crate) fn text(&self, phrase: Phrase) -> &'static str {
        phrase.text(self.language)
    }
}

/// A typed name as a part of a path.
fn in_path(name: &str) -> String {
    name.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
