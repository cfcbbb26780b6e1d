//! Section `[system]` and the small ones: `[mail]`, `[feature]`, `[audio]`, `[[schedule]]`.
use crate::media::Language;
use crate::number::Number;
use serde::Serialize;
use std::collections::BTreeMap;

/// The site itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct System {
    /// Name shown in the admin and in mails.
    pub name: String,
    /// ISO 3166 code of a country profile (`model::config::route::Country`), e.g. `DE`, `US`, `GB`, `CN`.
    pub country: String,
    /// Language of prompts where nothing else decides.
    pub language: Language,
    /// IANA zone, e.g. `Europe/Berlin`.
    pub time_zone: String,
    /// Digits dialled for an outside line; empty = none needed.
    pub outside_prefix: String,
    /// Area code without leading zeros for numbers dialled without one; empty = none.
    pub area_code: String,
    /// SIP realm of digest challenges. Changing it needs nothing else: passwords are kept, not hashes.
    pub realm: String,
    /// Names and public addresses by which phones outside the LAN reach the box. Strangers outside the LAN that ask for
    /// anything else get no answer; the box's own addresses and its realm are always its names.
    pub sip_names: Vec<String>,
    /// Beginnings of what phones call themselves (User-Agent) that understand only MD5; `unnamed` stands for phones that
    /// say nothing. Every other make is offered SHA-256 first, and MD5 only after it has shown that it cannot read that.
    pub md5_phones: Vec<String>,
    /// Most calls at once; further ones get 503 with Retry-After.
    pub call_limit: u32,
    /// Whether callers are told before a recorded conversation starts.
    pub announce_recording: bool,
    /// Extensions rung (none busy) when somebody dials an emergency number, to know about it.
    pub emergency_notify: Vec<Number>,
    /// Page of another program about a caller, which the desk offers with each call; `{number}`, `{name}`, `{queue}` and
    /// `{call}` stand for what is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_page: Option<String>,
}

/// Where mail goes out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mail {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Encryption to the server.
    pub security: MailSecurity,
    /// Login, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Its password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Sender address.
    pub from: String,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// Not at all (a server on the same LAN).
    None,
    /// STARTTLS required.
    Starttls,
    /// TLS from the first byte.
    Tls,
}

/// Star codes and other internal service numbers. Each is unique and no extension number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Features {
    /// Echo test, `*43`.
    pub echo: Number,
    /// Test announcement, `*44`.
    pub announcement: Number,
    /// Own voicemail with PIN, `*97`.
    pub voicemail: Number,
    /// Agent at this phone logs in or out, `*50`.
    pub agent_login: Number,
    /// Agent becomes ready, `*51`.
    pub agent_ready: Number,
    /// Agent pauses; a reason digit may follow, `*52`.
    pub agent_pause: Number,
    /// Agent ends wrap-up early, `*53`.
    pub agent_wrap_up_done: Number,
    /// Agent sets the wrap code of the last call; two digits follow, `*54`.
    pub agent_wrap_code: Number,
    /// Agent gets more time for after-call work, `*55`.
    pub agent_wrap_extend: Number,
    /// Agent takes part in the campaigns of the own queues, or no longer, `*56`.
    pub agent_campaigns: Number,
    /// Somebody logs in at this phone, or out; the number may follow, `*58`.
    pub hot_desk: Number,
    /// A supervisor listens to the call at an extension, whose number follows; keys change to whisper, barge in, take
    /// over, `*60`.
    pub supervise: Number,
    /// Paging prefix: `*80` rings the default paging output.
    pub paging: Number,
    /// During a call: start or stop recording on demand, `*1`.
    pub record: Number,
    /// During a call: pause or resume recording (cards), `*2`.
    pub record_pause: Number,
}

/// Sound card and music.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Audio {
    /// Music source name → `builtin`, `file:PATH` (below the data folder) or `alsa:PCM`.
    pub music: BTreeMap<String, crate::config::queue::Music>,
    /// ALSA PCM of the paging output; `None` = no paging.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paging: Option<String>,
    /// Own prompts: name → language → file below the data folder.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub prompt: BTreeMap<String, BTreeMap<Language, String>>,
    /// Who speaks texts of flows; `None` = nobody, recorded prompts are played.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<Voice>,
    /// Who understands what callers say to menus; `None` = nobody, menus go by keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recogniser: Option<Recogniser>,
}

/// Who understands speech: a service that hears a caller over a WebSocket while the caller speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recogniser {
    /// Address for callers who are spoken to in English, `ws://` or `wss://`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub en: Option<String>,
    /// The same in Mandarin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zh: Option<String>,
    /// Milliseconds it may take to connect, and to answer once the caller is quiet; then the menu goes on by keys.
    pub answer_ms: u32,
    /// How sure it must be, percent; below it the caller is asked again.
    pub certainty_percent: u32,
}

impl Recogniser {
    /// The address for a language.
    #[must_use]
    pub fn service(&self, language: Language) -> Option<&str> {
        match language {
            Language::En => self.en.as_deref(),
            Language::Zh => self.zh.as_deref(),
        }
    }
}

/// Who speaks texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Voice {
    /// The program `espeak-ng` of this box.
    Espeak,
    /// A service: it gets the text by POST and answers with a WAV file.
    Http(String),
}

impl Serialize for Voice {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Voice::Espeak => s.serialize_str("espeak-ng"),
            Voice::Http(url) => s.serialize_str(url),
        }
    }
}

/// Business hours in the site's zone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Schedule {
    /// Name.
    pub name: String,
    /// Opening times of each weekday, Monday first: minutes after midnight, `[from, to)`, sorted, not overlapping;
    /// `to` may be 1440.
    #[serde(serialize_with = "crate::config::draft::week_as_text")]
    pub week: [Vec<(u16, u16)>; 7],
    /// Days that are closed whatever the weekday, `YYYY-MM-DD`.
    pub holidays: Vec<jiff::civil::Date>,
}

impl Schedule {
    /// Whether it is open at this moment of the site's wall clock.
    #[must_use]
    pub fn is_open(&self, at: jiff::civil::DateTime) -> bool {
        if self.holidays.contains(&at.date()) {
            return false;
        }
        let day = usize::from(at.weekday().to_monday_zero_offset().unsigned_abs());
        let minute = u16::from(at.hour().unsigned_abs()) * 60 + u16::from(at.minute().unsigned_abs());
        self.week[day].iter().any(|&(from, to)| (from..to).contains(&minute))
    }
}
