//! `belfry what-if`: a question about a call that is not made.
use super::{Command, DEFAULT_DATA, Usage, Words, unknown};
use model::what_if::Question;
use std::path::PathBuf;

pub(super) fn read(words: &mut Words) -> Result<Command, Usage> {
    let (mut question, mut json, mut data) = (Question::default(), false, PathBuf::from(DEFAULT_DATA));
    while let Some(flag) = words.flag()? {
        match flag.as_str() {
            "--caller" => question.caller = words.value(&flag)?,
            "--called" => question.called = words.value(&flag)?,
            "--trunk" => question.trunk = Some(words.value(&flag)?),
            "--at" => question.at = words.value(&flag)?,
            "--key" => question.keys.push(words.value(&flag)?),
            "--no-agents" => question.no_agents.push(words.value(&flag)?),
            "--off" => question.off.push(words.value(&flag)?),
            "--ignored" => question.ignored.push(words.value(&flag)?),
            "--answer" => {
                let text = words.value(&flag)?;
                let Some((name, value)) = text.split_once('=') else {
                    return Err(Usage(format!("--answer wants NAME=VALUE, not \"{text}\"")));
                };
                question.answer.get_or_insert_default().insert(name.to_owned(), value.to_owned());
            }
            "--verb" => {
                let text = words.value(&flag)?;
                let verb = serde_json::from_str(&text).map_err(|why| {
                    Usage(format!(
                        "--verb wants JSON such as {{\"verb\":\"queue\",\"queue\":\"main\"}}, not {text}: {why}"
                    ))
                })?;
                question.verbs.push(verb);
            }
            "--json" => json = true,
            "--data" => data = words.value(&flag)?.into(),
            other => return Err(unknown(other)),
        }
    }
    if question.called.is_empty() || question.at.is_empty() {
        return Err(Usage("what-if wants --called NUMBER and --at DAYTHH:MM".into()));
    }
    Ok(Command::WhatIf { question: Box::new(question), json, data })
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    fn asked(more: &[&str]) -> Result<Question, Usage> {
        let words = ["what-if", "--called", "600", "--at", "2026-12-24T18:05"].iter().chain(more);
        let Command::WhatIf { question, .. } = read(words.map(std::ffi::OsString::from))? else {
            panic!("another command");
        };
        Ok(*question)
    }

    #[test]
    fn what_services_and_applications_say_is_part_of_the_question() {
        let question =
            asked(&["--answer", "tier=gold", "--verb", r#"{"verb":"queue","queue":"main"}"#]).unwrap();
        assert_eq!(question.answer.unwrap()["tier"], "gold");
        assert_eq!(question.verbs, [serde_json::json!({ "verb": "queue", "queue": "main" })]);
        let wrong = asked(&["--verb", "queue main"]).unwrap_err().to_string();
        assert!(wrong.contains("--verb") && wrong.contains("queue main"), "{wrong}");
        assert!(asked(&["--answer", "gold"]).unwrap_err().to_string().contains("NAME=VALUE"));
    }
}
