//! Asks services outside for calls: data dips over HTTP, the voice that speaks texts, and what of a recorded prompt becomes
//! part of the site; words to applications go on to [`Applications`]. One short-lived thread a
//! question, a limited number at once, so that a service that hangs holds up nobody else. Decides nothing: the engine
//! keeps the time and goes on without an answer.
use crate::application::Applications;
use crate::intake::Events;
use crate::{studio, voice, wire};
use engine::event::Event;
use model::ask::{Answer, Ask, FIELD_MAX, FIELDS_MAX};
use model::id::CallId;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::Store;

/// Longest answer of a service, bytes: a few fields.
const ANSWER_MAX: u64 = 64 * 1024;

/// Who asks.
#[derive(Clone)]
pub struct Asker {
    data: Arc<Path>,
    store: Arc<Store>,
    running: Arc<AtomicUsize>,
    events: Events,
    applications: Applications,
}

/// One of the questions that may be asked at once; given back when it ends, whatever happens.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Asker {
    /// Nobody is asked yet.
    #[must_use]
    pub fn new(data: &Path, store: Arc<Store>, events: Events, applications: Applications) -> Asker {
        Asker { data: data.into(), store, running: Arc::default(), events, applications }
    }

    /// Asks; the answer comes as an event. An answer at once means that too many wait already.
    #[must_use]
    pub fn ask(&self, call: CallId, number: u32, ask: Ask) -> Option<Event> {
        match ask {
            Ask::Application(wanted) => self.applications.carry(call, number, wanted),
            Ask::Lookup { url, timeout_ms } => self.question(call, number, move || {
                look_up(&url, Duration::from_millis(timeout_ms.into())).map(Answer::Fields)
            }),
            Ask::Prompt { take, name, language, by } => {
                let here = self.clone();
                self.question(call, number, move || {
                    let spoken = studio::Take { path: &take, name: &name, language, by: &by };
                    studio::take(&here.data, &here.store, &here.events, &spoken).map(Answer::Sound)
                })
            }
            Ask::Speak { text, language, voice } => {
                let data = self.data.clone();
                self.question(call, number, move || {
                    voice::speak(&data, &voice, &text, language)
                        .map(Answer::Sound)
                        .map_err(|why| why.to_string())
                })
            }
        }
    }

    /// One question on a thread of its own.
    fn question(
        &self,
        call: CallId,
        number: u32,
        answer: impl FnOnce() -> Result<Answer, String> + Send + 'static,
    ) -> Option<Event> {
        let failed = |why: &str| Some(Event::Answered { call, number, answer: Answer::Failed(why.into()) });
        let place = Place(self.running.clone());
        if self.running.fetch_add(1, Ordering::Relaxed) >= wire::QUESTIONS.length {
            wire::QUESTIONS.lost();
            return failed("too many questions at once");
        }
        let events = self.events.clone();
        let started = std::thread::Builder::new().name("ask".into()).spawn(move || {
            let answer = answer().unwrap_or_else(Answer::Failed);
            drop(place);
            events.push(Event::Answered { call, number, answer });
        });
        if started.is_err() { failed("no thread for the question") } else { None }
    }
}

/// A GET that answers with a JSON object; its texts, numbers and truths become fields.
fn look_up(url: &str, patience: Duration) -> Result<BTreeMap<String, String>, String> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(patience)).max_redirects(0).build().into();
    let brief = |error: ureq::Error| {
        if let ureq::Error::StatusCode(code) = error {
            format!("the service answered {code}")
        } else if matches!(error, ureq::Error::Timeout(_)) {
            "no answer in time".to_owned()
        } else {
            error.to_string()
        }
    };
    let mut response = agent.get(url).header("Accept", "application/json").call().map_err(brief)?;
    if !response.status().is_success() {
        return Err(format!("the service answered {}", response.status().as_u16()));
    }
    let body = response.body_mut().with_config().limit(ANSWER_MAX).read_to_vec().map_err(brief)?;
    fields(&body)
}

/// The fields of an answer. What has parts of its own is left out: a flow has texts only.
fn fields(body: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let wrong = || "the answer is not a JSON object".to_owned();
    let value: serde_json::Value = serde_json::from_slice(body).map_err(|_| wrong())?;
    let serde_json::Value::Object(all) = value else { return Err(wrong()) };
    let flat = all.into_iter().filter_map(|(name, value)| {
        let text = match value {
            serde_json::Value::String(text) => text,
            serde_json::Value::Number(number) => number.to_string(),
            serde_json::Value::Bool(truth) => truth.to_string(),
            serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
                return None;
            }
        };
        Some((name.to_lowercase(), text.chars().take(FIELD_MAX).collect()))
    });
    Ok(flat.take(FIELDS_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// A service that answers one question with these bytes, or never.
    fn service(answer: Option<&'static str>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked);
            match answer {
                Some(text) => drop(stream.write_all(text.as_bytes())),
                // Until the asker gives up.
                None => drop(stream.read(&mut asked)),
            }
        });
        format!("http://{address}/by-number?n=1")
    }

    fn http(status: &str, body: &str) -> &'static str {
        let text =
            format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        Box::leak(text.into_boxed_str())
    }

    #[test]
    fn an_object_gives_its_plain_fields() {
        let url =
            service(Some(http("200 OK", r#"{"Name":"Ann","due":21,"vip":true,"more":{"x":1},"none":null}"#)));
        let found = look_up(&url, Duration::from_secs(30)).unwrap();
        let expected = [("due", "21"), ("name", "Ann"), ("vip", "true")];
        assert_eq!(found, expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    }

    #[test]
    fn what_is_no_object_says_so_in_a_few_words() {
        let table = [
            (http("404 Not Found", "no"), "answered 404"),
            (http("302 Found", ""), "answered 302"),
            (http("200 OK", "[1,2]"), "not a JSON object"),
            (http("200 OK", "hello"), "not a JSON object"),
        ];
        for (answer, words) in table {
            let why = look_up(&service(Some(answer)), Duration::from_secs(30)).unwrap_err();
            assert!(why.contains(words), "{why}");
        }
    }

    #[test]
    fn a_service_that_never_answers_is_given_up() {
        let why = look_up(&service(None), Duration::from_millis(200)).unwrap_err();
        assert_eq!(why, "no answer in time");
    }

    #[test]
    fn an_endless_answer_is_cut_off() {
        let body = format!("{{\"a\":\"{}\"}}", "x".repeat(100_000));
        assert!(look_up(&service(Some(http("200 OK", &body))), Duration::from_secs(30)).is_err());
    }
}
