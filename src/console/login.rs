//! Signing in on a serial line: anybody may plug a cable in, so once the box is set up an administrator's password is
//! asked. Three wrong tries, then half a minute of rest; the box's own limit stands behind it.
use crate::menu::Session;
use crate::port::Port;
use crate::terminal::{Line, Terminal};
use crate::words::Phrase;
use serde_json::json;
use std::io::Result;
use std::time::Duration;

/// Tries before a rest.
const TRIES: u32 = 3;
/// The rest.
const REST: Duration = Duration::from_secs(30);

/// Asks until an administrator has signed in; false = the line is gone.
///
/// # Errors
/// The line is gone.
pub fn sign_in<T: Terminal, P: Port>(session: &mut Session<'_, T, P>) -> Result<bool> {
    let mut wrong = 0;
    loop {
        session.say(Phrase::Login)?;
        let Some(name) = session.wait_for(Phrase::Name)? else { return Ok(false) };
        let Some(Line::Text(password)) = session.ask(Phrase::Password, true)? else { continue };
        match verdict(session.port, &name, &password) {
            Ok(None) => return Ok(true),
            Ok(Some(phrase)) => session.say(phrase)?,
            Err(text) => session.say_with(Phrase::Down, &text)?,
        }
        wrong += 1;
        if wrong == TRIES {
            wrong = 0;
            session.say(Phrase::TooMany)?;
            session.terminal.rest(REST);
        }
    }
}

/// `None` = an administrator; else what is wrong.
fn verdict<P: Port>(port: &mut P, name: &str, password: &str) -> std::result::Result<Option<Phrase>, String> {
    let answer = port.ask("POST", "/api/v1/login", Some(&json!({ "user": name, "password": password })))?;
    Ok(match (answer.ok(), answer.body["role"].as_str()) {
        (true, Some("admin")) => None,
        (true, Some(_) | None) => Some(Phrase::NotAdmin),
        (false, _) => Some(Phrase::Wrong),
    })
}
