//! The technician's command line: the words of `show`, `set`, `add`, `delete`, `schema` on the one configuration, and acts
//! on the box (network on trial, clock, restart). Each asks the box through the same interface as the pages; what is left
//! of a typed line after its verb is never run by anybody. Decides nothing.
use crate::menu::Session;
use crate::page;
use crate::port::Port;
use crate::screen;
use crate::terminal::{Line, Terminal};
use crate::words::Phrase;
use model::config::{cascade, draft, edit, schema};
use serde_json::{Value, json};
use std::io::Result;

/// What a verb came to: lines to read, or what is wrong.
type Done = std::result::Result<Vec<String>, String>;

/// Every verb, how it is typed and what it does.
const VERBS: [(&str, Phrase); 19] = [
    ("show [PATH]", Phrase::VerbShow),
    ("set PATH VALUE [PATH VALUE]...", Phrase::VerbSet),
    ("add LIST [KEY] [FIELD=VALUE]...", Phrase::VerbAdd),
    ("delete PATH [--cascade]", Phrase::VerbDelete),
    ("schema [PREFIX]", Phrase::VerbSchema),
    ("export", Phrase::VerbExport),
    ("network", Phrase::VerbNetwork),
    ("keep", Phrase::VerbKeep),
    ("back", Phrase::VerbBack),
    ("clock YYYY-MM-DD HH:MM:SS", Phrase::VerbClock),
    ("backup", Phrase::VerbBackup),
    ("capture [SECONDS|stop|forget]", Phrase::VerbCapture),
    ("usb", Phrase::VerbUsb),
    ("update [FILE]", Phrase::VerbUpdate),
    ("install now|idle|later", Phrase::VerbInstall),
    ("restart now|idle|later", Phrase::VerbRestart),
    ("factory-reset everything", Phrase::VerbReset),
    ("help", Phrase::VerbHelp),
    ("leave", Phrase::VerbLeave),
];

impl<T: Terminal, P: Port> Session<'_, T, P> {
    /// Serves the command line until it is left; `None` = the line is gone or nobody is there.
    pub(crate) fn command_line(&mut self) -> Result<Option<()>> {
        self.say(Phrase::CommandHint)?;
        loop {
            self.terminal.show("belfry> ")?;
            let Line::Text(text) = self.terminal.read(false, crate::menu::AWAY)? else { return Ok(None) };
            let words = split(&text);
            match words.first().map(String::as_str) {
                None => {}
                Some("leave" | "exit" | "quit" | "0") => return Ok(Some(())),
                Some(verb) => match self.verb(verb, &words[1..]) {
                    Ok(lines) => self.tell(&lines)?,
                    Err(why) => self.tell(&why.lines().map(str::to_owned).collect::<Vec<_>>())?,
                },
            }
        }
    }

    fn verb(&mut self, verb: &str, words: &[String]) -> Done {
        let first = || words.first().map(String::as_str).unwrap_or_default();
        match verb {
            "help" | "?" => {
                Ok(VERBS.iter().map(|(typed, p)| screen::row(&[(typed, 34), (self.text(*p), 44)])).collect())
            }
            "show" => {
                let (_, tree) = self.current()?;
                edit::get(&tree, first()).map(shown)
            }
            "schema" => {
                let fields = schema::fields().into_iter().filter(|f| f.path.starts_with(first()));
                let lines: Vec<String> = fields.map(|f| format!("{}  {}", f.path, f.kind)).collect();
                if lines.is_empty() { Err(self.text(Phrase::NoField).to_owned()) } else { Ok(lines) }
            }
            "export" => self.current().map(|(_, tree)| {
                draft::read(&tree).map_or_else(
                    |_| shown(&tree),
                    |config| model::config::text::write(&config).lines().map(str::to_owned).collect(),
                )
            }),
            "set" => {
                if words.is_empty() || !words.len().is_multiple_of(2) {
                    return Err(self.text(Phrase::SetWords).to_owned());
                }
                self.change(|tree| words.chunks(2).try_for_each(|pair| edit::set(tree, &pair[0], &pair[1])))
            }
            "add" if !words.is_empty() => self.change(|tree| edit::add(tree, first(), &words[1..])),
            "delete" if !words.is_empty() => {
                let cascade = words[1..].iter().any(|word| word == "--cascade");
                self.change(|tree| remove(tree, first(), cascade))
            }
            "network" => self.asked("GET", "/api/v1/network", None).map(|body| shown(&body)),
            "keep" => {
                let token = self.asked("GET", "/api/v1/network", None)?["tried"]["token"].clone();
                if !token.is_string() {
                    return Err(self.text(Phrase::NoTrial).to_owned());
                }
                self.asked("POST", "/api/v1/network/keep", Some(&json!({ "token": token })))
                    .map(|_| self.fine())
            }
            "back" => self.asked("POST", "/api/v1/network/undo", None).map(|_| self.fine()),
            "clock" => {
                let at =
                    self.time(&words.join(" ")).ok_or_else(|| self.text(Phrase::ClockWords).to_owned())?;
                self.asked("POST", "/api/v1/time", Some(&json!({ "at": at }))).map(|_| self.fine())
            }
            "backup" => self.asked("POST", "/api/v1/backups", None).map(|_| self.fine()),
            "capture" => self.capture(first()),
            "usb" => self.asked("GET", "/api/v1/update/usb", None).map(|b| page::stick(&b, &self.reader())),
            "update" if words.is_empty() => {
                self.asked("GET", "/api/v1/update", None).map(|b| page::update(&b, &self.reader()))
            }
            "update" => {
                let file = json!({ "name": first() });
                self.asked("POST", "/api/v1/update/usb", Some(&file))
                    .map(|_| vec![self.text(Phrase::UpdateBegun).to_owned()])
            }
            "install" | "restart" if matches!(first(), "now" | "idle" | "later") => {
                let when = json!({ "restart": first() });
                let path = format!("/api/v1/update/{verb}");
                self.asked("POST", &path, Some(&when)).map(|_| self.fine())
            }
            // One word more than a slip of the hand.
            "factory-reset" if first() == "everything" => {
                self.asked("POST", "/api/v1/reset", Some(&json!({ "confirm": "reset" }))).map(|_| self.fine())
            }
            _ => Err(self.text(Phrase::NoVerb).to_owned()),
        }
    }

    /// Begins a capture, ends it, or shows its newest messages.
    fn capture(&mut self, word: &str) -> Done {
        const PATH: &str = "/api/v1/capture";
        let body = match word {
            "" => self.asked("GET", PATH, None)?,
            "stop" => self.asked("POST", "/api/v1/capture/stop", None)?,
            "forget" => return self.asked("DELETE", PATH, None).map(|_| self.fine()),
            seconds => {
                let seconds: u32 = seconds.parse().map_err(|_| self.text(Phrase::CaptureWords).to_owned())?;
                self.asked("POST", PATH, Some(&json!({ "seconds": seconds })))?
            }
        };
        Ok(page::capture(&body, &self.reader()))
    }

    fn fine(&self) -> Vec<String> {
        vec![self.text(Phrase::Done).to_owned()]
    }

    /// A time of the site's clock as UTC milliseconds.
    fn time(&self, typed: &str) -> Option<i64> {
        let at: jiff::civil::DateTime = typed.replacen(' ', "T", 1).parse().ok()?;
        at.to_zoned(self.zone().clone()).ok().map(|zoned| zoned.timestamp().as_millisecond())
    }

    /// The generation and the tree in force.
    fn current(&mut self) -> std::result::Result<(u64, Value), String> {
        let mut body = self.asked("GET", "/api/v1/config", None)?;
        let tree = body.get_mut("config").map(Value::take).unwrap_or_default();
        Ok((body["generation"].as_u64().unwrap_or_default(), tree))
    }

    fn change(&mut self, edit: impl Fn(&mut Value) -> std::result::Result<(), String>) -> Done {
        let (based_on, mut tree) = self.current()?;
        edit(&mut tree)?;
        let answer =
            self.port.commit(&tree, based_on).map_err(|text| format!("{}{text}", self.text(Phrase::Down)))?;
        if answer.ok() { Ok(self.fine()) } else { Err(problems(&answer.body, answer.complaint())) }
    }

    fn asked(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> std::result::Result<Value, String> {
        let down = self.text(Phrase::Down);
        let answer = self.port.ask(method, path, body).map_err(|text| format!("{down}{text}"))?;
        if answer.ok() { Ok(answer.body) } else { Err(problems(&answer.body, answer.complaint())) }
    }

    /// Lines page by page, long ones folded so that nothing is lost.
    fn tell(&mut self, lines: &[String]) -> Result<()> {
        let folded: Vec<String> = lines.iter().flat_map(|line| screen::fold(line)).collect();
        for (i, part) in folded.chunks(screen::ROWS - 2).enumerate() {
            if i > 0 {
                self.say(Phrase::More)?;
                match self.terminal.read(false, crate::menu::AWAY)? {
                    Line::Text(text) if text.trim().is_empty() => {}
                    Line::Text(_) | Line::Idle | Line::End => return Ok(()),
                }
            }
            for line in part {
                self.terminal.show(&format!("{line}\n"))?;
            }
        }
        Ok(())
    }
}

fn remove(tree: &mut Value, path: &str, with_users: bool) -> std::result::Result<(), String> {
    edit::remove(tree, path)?;
    let Err(problems) = draft::read(tree) else { return Ok(()) };
    if !cascade::only_uses(&problems) {
        return Ok(());
    }
    if !with_users {
        let users = cascade::users(tree, &problems).join(", ");
        return Err(format!(
            "{path} is used by: {users}; change them first, or type delete {path} --cascade"
        ));
    }
    *tree = cascade::mend(tree.take()).map_err(|_| format!("{path} cannot go: too much hangs on it"))?.0;
    Ok(())
}

/// What is wrong, with every field on a line of its own.
fn problems(body: &Value, complaint: &str) -> String {
    let lines = body["error"]["problems"].as_array().into_iter().flatten().map(|problem| {
        let text = |key: &str| problem[key].as_str().unwrap_or_default();
        (format!("{}: {}", text("field"), text("message")), text("message") == complaint)
    });
    let lines: Vec<(String, bool)> = lines.collect();
    match lines.as_slice() {
        // The complaint about one field is that field's own.
        [(line, true)] => line.clone(),
        lines => lines.iter().fold(complaint.to_owned(), |out, (line, _)| format!("{out}\n{line}")),
    }
}

fn shown(value: &Value) -> Vec<String> {
    let text = value.as_str().map_or_else(|| format!("{value:#}"), str::to_owned);
    text.lines().map(str::to_owned).collect()
}

/// The words of a line; quotes keep spaces.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            c if c.is_whitespace() && !quoted => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            c => {
                word.push(c);
                any = true;
            }
        }
    }
    if any {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_spaces_and_an_empty_text_is_a_word() {
        assert_eq!(split(r#" set  system.name "Dove Ltd" x"#), ["set", "system.name", "Dove Ltd", "x"]);
        assert_eq!(split(r#"set network.interface """#), ["set", "network.interface", ""]);
        assert_eq!(split("  "), Vec::<String>::new());
    }
}
