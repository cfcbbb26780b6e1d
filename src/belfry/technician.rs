//! `belfry console`: the technician's menu on this terminal, over the box's local socket. Decides nothing.
use crate::lifecycle;
use console::{Answer, Language, Options, Port, Tty};
use serde_json::Value;
use std::io::IsTerminal;
use std::path::Path;
use web::client::Client;

/// Serves the menu until the technician leaves.
///
/// # Errors
/// The line failed.
pub fn run(data: &Path) -> anyhow::Result<()> {
    let mut box_ = Socket(Client::new(&lifecycle::control_socket(data)));
    let mut line = Tty::new(std::io::stdin(), std::io::stdout());
    console::run(&mut line, &mut box_, options())?;
    Ok(())
}

/// On a serial line, where the service manager runs us as the log-in, everybody must sign in; a shell that may open the
/// box's socket has its rights already.
fn options() -> Options {
    let serial = std::env::var("BELFRY_CONSOLE_LOGIN").is_ok_and(|word| word == "yes");
    let chinese = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .is_some_and(|value| value.starts_with("zh"));
    let language = if chinese { Language::Zh } else { Language::En };
    Options { login: serial && std::io::stdin().is_terminal(), language }
}

/// The box behind its socket.
struct Socket(Client);

impl Port for Socket {
    fn ask(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, String> {
        let answer = match body {
            Some(body) => self.0.ask_json(method, path, body),
            None => self.0.ask(method, path),
        };
        let answer = answer.map_err(|error| format!("the box does not answer: {error}"))?;
        Ok(Answer { status: answer.status, body: answer.json() })
    }

    fn commit(&mut self, tree: &Value, based_on: u64) -> Result<Answer, String> {
        let answer = self.0.ask_json_if("PUT", "/api/v1/config", tree, based_on);
        let answer = answer.map_err(|error| format!("the box does not answer: {error}"))?;
        Ok(Answer { status: answer.status, body: answer.json() })
    }
}
