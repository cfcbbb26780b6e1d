//! Words between the box and an application outside that leads a call: JSON texts over a WebSocket that the box opens.
//! The application asks by [`Verb`]s, one after the other; the box tells by [`Word`]s what became of them. The protocol
//! stands in SPECIFICATION.md, *Applications outside*; whoever changes a word changes it there. Plain data and its reader;
//! decides nothing.
use crate::config::draft;
use crate::config::flow::Say;
use crate::id::CallId;
use crate::media::{Digit, Language};
use crate::number::Number;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// The protocol spoken; grows when a word changes its meaning.
pub const VERSION: u32 = 1;
/// Longest message of an application, bytes: the longest text with the most fields fits.
pub const MESSAGE_MAX: usize = 16 * 1024;
/// Most verbs that wait for their turn: an application says what comes next, not the whole call.
pub const WAITING_MAX: usize = 8;
/// Longest text to be spoken, characters: two minutes.
const TEXT_MAX: usize = 1_000;
/// Most things said by one verb.
const SAY_MAX: usize = 32;
/// Most fields set by one verb.
const SET_MAX: usize = 32;
/// Most digits gathered at once: the length of a [`Number`].
const DIGITS_MAX: u32 = 32;
/// Longest silence while digits are gathered, seconds.
const SILENCE_MAX_S: u32 = 60;

/// What an application wants done with its call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Verb {
    /// Rings an extension. The application is done with the call.
    Extension {
        /// Which.
        #[serde(deserialize_with = "number")]
        number: Number,
        /// The way taken when nobody answers; else its voicemail, else good-bye.
        otherwise: Option<String>,
    },
    /// Collects digits, while something is said if it is; the first digit ends that.
    Gather {
        /// Most digits; they end it.
        #[serde(default = "most_digits")]
        max: u32,
        /// The key that ends it earlier and is no digit of the answer; `null`: none.
        #[serde(default = "pound")]
        finish: Option<Digit>,
        /// Seconds of silence that end it.
        #[serde(default = "silence")]
        timeout_s: u32,
        /// What is said.
        #[serde(default, deserialize_with = "says")]
        say: Vec<Say>,
        /// A text for the voice; `say` is its stand-in.
        text: Option<String>,
    },
    /// Leaves the step by a way that it names.
    Go {
        /// Which.
        way: String,
    },
    /// Says good-bye (if anything) and ends the call.
    HangUp {
        /// What is said.
        #[serde(default, deserialize_with = "says")]
        say: Vec<Say>,
    },
    /// Speaks another language from here on.
    Language {
        /// Which.
        language: Language,
    },
    /// Says something to its end.
    Play {
        /// What is said.
        #[serde(default, deserialize_with = "says")]
        say: Vec<Say>,
        /// A text for the voice; `say` is its stand-in.
        text: Option<String>,
    },
    /// Lets the call wait in a queue. The application is done with it.
    Queue {
        /// Which.
        queue: String,
        /// The way taken when the agent hung up and the caller is still there; else the call ends.
        after: Option<String>,
    },
    /// Sets fields of the call.
    Set {
        /// By name.
        fields: BTreeMap<String, String>,
    },
    /// Ends what is said or gathered now, and forgets what waits behind it.
    Stop,
    /// Lets the caller leave a message. The application is done with the call.
    Voicemail {
        /// Whose mailbox.
        #[serde(deserialize_with = "number")]
        mailbox: Number,
    },
}

fn most_digits() -> u32 {
    20
}

fn pound() -> Option<Digit> {
    Digit::try_from('#').ok()
}

fn silence() -> u32 {
    5
}

fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Number, D::Error> {
    let text = String::deserialize(from)?;
    Number::read(&text).ok_or_else(|| serde::de::Error::custom(format!("\"{text}\" is not a number")))
}

fn says<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Say>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    if texts.len() > SAY_MAX {
        return Err(serde::de::Error::custom(format!("at most {SAY_MAX} things can be said at once")));
    }
    texts.iter().map(|text| draft::said(text).map_err(serde::de::Error::custom)).collect()
}

impl Verb {
    /// Reads one message.
    ///
    /// # Errors
    /// What is wrong with it, for whoever wrote the application.
    pub fn read(text: &str) -> Result<Verb, String> {
        let verb: Verb = serde_json::from_str(text).map_err(|error| error.to_string())?;
        verb.check()?;
        Ok(verb)
    }

    /// Its word.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Verb::Extension { .. } => "extension",
            Verb::Gather { .. } => "gather",
            Verb::Go { .. } => "go",
            Verb::HangUp { .. } => "hang_up",
            Verb::Language { .. } => "language",
            Verb::Play { .. } => "play",
            Verb::Queue { .. } => "queue",
            Verb::Set { .. } => "set",
            Verb::Stop => "stop",
            Verb::Voicemail { .. } => "voicemail",
        }
    }

    fn check(&self) -> Result<(), String> {
        let spoken = |text: &Option<String>| match text {
            Some(text) if text.chars().count() > TEXT_MAX => {
                Err(format!("a text has at most {TEXT_MAX} characters"))
            }
            Some(_) | None => Ok(()),
        };
        match self {
            Verb::Gather { max, timeout_s, text, .. } => {
                if !(1..=DIGITS_MAX).contains(max) {
                    return Err(format!("max is 1 to {DIGITS_MAX} digits"));
                }
                if !(1..=SILENCE_MAX_S).contains(timeout_s) {
                    return Err(format!("timeout_s is 1 to {SILENCE_MAX_S} seconds"));
                }
                spoken(text)
            }
            Verb::Play { say, text: None } if say.is_empty() => {
                Err("play wants something to say: say, or text".to_owned())
            }
            Verb::Play { text, .. } => spoken(text),
            Verb::Set { fields } if fields.len() > SET_MAX => {
                Err(format!("at most {SET_MAX} fields can be set at once"))
            }
            Verb::Set { fields } => fields.keys().try_for_each(|name| draft::field(name).map(drop)),
            Verb::Extension { .. }
            | Verb::Go { .. }
            | Verb::HangUp { .. }
            | Verb::Language { .. }
            | Verb::Queue { .. }
            | Verb::Stop
            | Verb::Voicemail { .. } => Ok(()),
        }
    }
}

/// What an application is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Word {
    /// The first: here is a call.
    Call {
        /// Of this protocol.
        version: u32,
        /// Its number, as in history and API.
        call: CallId,
        /// Who calls; empty when withheld.
        caller: String,
        /// What was dialled.
        called: String,
        /// The language spoken to the caller.
        language: Language,
        /// Every field of the call.
        fields: BTreeMap<String, String>,
    },
    /// A verb that takes no time was carried out.
    Done {
        /// Which.
        verb: String,
    },
    /// The digits of a `gather`.
    Gathered {
        /// Which; perhaps none.
        digits: String,
        /// Why there are no more.
        end: End,
    },
    /// The last: the call is another's, or over.
    Over {
        /// Why.
        why: Why,
        /// In a few words.
        detail: String,
    },
    /// A `play` is over.
    Played {
        /// Why.
        end: End,
    },
    /// A verb cannot be carried out; those that waited behind it are forgotten. The application says another.
    Refused {
        /// Which.
        verb: String,
        /// Why, in a few words.
        why: String,
    },
}

/// Why something ended that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The finishing key.
    Finish,
    /// As many digits as there may be.
    Full,
    /// Heard to its end.
    Heard,
    /// By `stop`.
    Stopped,
    /// Silence.
    Timeout,
}

/// Why an application is told no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It made a mistake or was too slow; the flow goes on without it.
    Failed,
    /// The caller, or somebody else, ended the call.
    HungUp,
    /// By a verb of its own.
    Left,
}

impl Word {
    /// The first word about a call with these fields.
    #[must_use]
    pub fn call(call: CallId, language: Language, fields: &BTreeMap<String, String>) -> Word {
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        Word::Call {
            version: VERSION,
            call,
            caller: field("caller"),
            called: field("called"),
            language,
            fields: fields.clone(),
        }
    }

    /// The last word: it failed, and how.
    #[must_use]
    pub fn failed(detail: &str) -> Word {
        Word::Over { why: Why::Failed, detail: detail.to_owned() }
    }

    /// As it goes over the wire.
    #[must_use]
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers can be written as JSON")
    }
}

/// What the engine wants of the connection to an application. Answered by [`crate::ask::Answer::Verb`] for each verb, and by
/// `Failed` once when it is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Opens it and says the first word.
    Open {
        /// Where.
        url: String,
        /// Milliseconds without a sign of life that end it.
        timeout_ms: u32,
        /// The language spoken to the caller.
        language: Language,
        /// Fields of the call.
        fields: BTreeMap<String, String>,
    },
    /// Says a word.
    Tell(Word),
    /// Says a last word and closes it.
    Close(Word),
}

impl Connection {
    /// Whether the application leads the call after that.
    #[must_use]
    pub fn leads(&self) -> bool {
        match self {
            Connection::Open { .. } | Connection::Tell(_) => true,
            Connection::Close(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &serde_json::Value) -> Result<Verb, String> {
        Verb::read(&value.to_string())
    }

    #[test]
    fn verbs_are_read_with_their_defaults() {
        let gather = Verb::Gather {
            max: 20,
            finish: Digit::try_from('#').ok(),
            timeout_s: 5,
            say: vec![Say::BuiltIn("enter-extension".into())],
            text: None,
        };
        assert_eq!(read(&json!({ "verb": "gather", "say": ["enter-extension"] })), Ok(gather));
        let open = read(&json!({ "verb": "gather", "max": 4, "finish": null, "timeout_s": 9 }));
        assert!(matches!(open, Ok(Verb::Gather { max: 4, finish: None, timeout_s: 9, .. })), "{open:?}");
        let queue = Verb::Queue { queue: "support".into(), after: None };
        assert_eq!(read(&json!({ "verb": "queue", "queue": "support" })), Ok(queue));
        let ring = read(&json!({ "verb": "extension", "number": "1 01", "otherwise": "busy" }));
        let number = Number::read("101").expect("a number");
        assert_eq!(ring, Ok(Verb::Extension { number, otherwise: Some("busy".into()) }));
        assert_eq!(read(&json!({ "verb": "stop" })), Ok(Verb::Stop));
    }

    #[test]
    fn what_is_said_are_prompts_fields_and_values_but_no_files() {
        let say =
            ["welcome", "prompt:night", "number:balance", "number:42", "digits:+49 30", "date:2026-12-24"];
        let read_back = [
            Say::BuiltIn("welcome".into()),
            Say::Own("night".into()),
            Say::Number("balance".into()),
            Say::Number("42".into()),
            Say::Digits("+49 30".into()),
            Say::Date("2026-12-24".into()),
        ];
        assert_eq!(
            read(&json!({ "verb": "play", "say": say })),
            Ok(Verb::Play { say: read_back.to_vec(), text: None })
        );
        let file = read(&json!({ "verb": "play", "say": ["file:recordings/1.wav"] }));
        assert!(file.is_err_and(|why| why.contains("prompt")), "nobody else's recordings");
    }

    #[test]
    fn what_is_no_verb_is_told_in_words() {
        let table = [
            (json!({ "verb": "paly" }), "unknown variant `paly`"),
            (json!({ "verb": "play" }), "something to say"),
            (json!({ "verb": "play", "say": ["Hello!"] }), "not a prompt"),
            (json!({ "verb": "play", "text": "x".repeat(1001) }), "1000 characters"),
            (json!({ "verb": "play", "say": vec!["welcome"; 33] }), "at most 32"),
            (json!({ "verb": "gather", "max": 0 }), "max is"),
            (json!({ "verb": "gather", "timeout_s": 61 }), "timeout_s"),
            (json!({ "verb": "gather", "finish": "##" }), "finish"),
            (json!({ "verb": "queue" }), "missing field `queue`"),
            (json!({ "verb": "queue", "queue": "a", "colour": "b" }), "unknown field `colour`"),
            (json!({ "verb": "extension", "number": "boss" }), "not a number"),
            (json!({ "verb": "set", "fields": { "No": "x" } }), "not a field"),
            (json!({ "verb": "language", "language": "fr" }), "unknown variant `fr`"),
            (json!([1, 2]), "invalid"),
        ];
        for (typed, words) in table {
            let why = read(&typed).expect_err("it is wrong");
            let known = why.contains(words) || words == "finish" && why.contains("expected a character");
            assert!(known, "{typed}: {why}");
        }
        assert!(Verb::read("").is_err() && Verb::read("\u{0}").is_err());
    }

    #[test]
    fn words_are_written_as_the_specification_says() {
        let fields = BTreeMap::from([("caller".to_owned(), "+4930".to_owned())]);
        let written: serde_json::Value =
            serde_json::from_str(&Word::call(CallId(7), Language::En, &fields).write()).expect("JSON");
        let expected = json!({ "event": "call", "version": 1, "call": 7, "caller": "+4930", "called": "",
            "language": "en", "fields": { "caller": "+4930" } });
        assert_eq!(written, expected);
        let gathered = Word::Gathered { digits: "12".into(), end: End::Full };
        assert_eq!(gathered.write(), r#"{"event":"gathered","digits":"12","end":"full"}"#);
        assert_eq!(Word::failed("x").write(), r#"{"event":"over","why":"failed","detail":"x"}"#);
    }
}
