//! Tells people: makes the mails and signed webhook calls of an alarm from what is kept, sends them, and notes how it
//! went. A receiver that is down is asked again by the store's plan; while the disk cannot keep them, they wait in memory.
//! Decides only what is said and which failures are final.
use crate::{clock, mailer};
use hmac::{Hmac, KeyInit, Mac};
use lettre::message::{Mailbox, SinglePart};
use lettre::{Message, Transport};
use model::clock::Wall;
use model::config::Config;
use model::health::{self as words, Event};
use model::notice::CheckView;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::{Store, Telling, Told, Way, next_attempt};

/// How often it is looked for something due.
const EVERY: Duration = Duration::from_secs(1);
/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Tellings that wait in memory while the disk fails; the disk's own alarm is among the first.
const IN_MEMORY: usize = 100;

/// What the webhook gets, and what a mail is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// What happened.
    pub event: Event,
    /// Name of the site.
    pub site: String,
    /// When it was told, ms since 1970.
    pub at: Wall,
    /// One line in the site's language.
    pub text: String,
    /// The check.
    #[serde(flatten)]
    pub check: CheckView,
}

/// Who has to be told, by the configuration in force.
#[must_use]
pub fn tellings(config: &Config, event: Event, check: &CheckView, now: Wall) -> Vec<Telling> {
    let (site, language) = (config.system.name.clone(), config.system.language);
    let text = words::headline(event, &check.kind, &check.subject, &site, language);
    let story = Story { event, site, at: now, text, check: check.clone() };
    let Ok(body) = serde_json::to_string(&story) else { return Vec::new() };
    let mails = config.alarm.mail_to.iter().map(|to| (Way::Mail, to));
    let hooks = config.alarm.webhook.iter().map(|to| (Way::Webhook, to));
    let telling = |(way, to): (Way, &String)| Telling {
        telling: 0,
        way,
        recipient: to.clone(),
        body: body.clone(),
        created: now,
        attempts: 0,
    };
    mails.chain(hooks).map(telling).collect()
}

/// The site in force, as the health thread read it last: a disk that fails keeps nobody from being told.
#[derive(Debug, Default)]
pub struct Site {
    config: Mutex<Option<Arc<Config>>>,
}

impl Site {
    /// Another one is in force.
    pub fn put(&self, config: Arc<Config>) {
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = Some(config);
    }

    /// The one in force; `None` before it was first read.
    #[must_use]
    pub fn config(&self) -> Option<Arc<Config>> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What waits in memory because the disk does not take it.
#[derive(Debug, Default)]
pub struct Waiting {
    list: Mutex<Vec<(Telling, Wall)>>,
}

impl Waiting {
    /// Keeps these; beyond the limit the newest are dropped.
    pub fn keep(&self, tellings: Vec<Telling>) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let room = IN_MEMORY.saturating_sub(list.len());
        list.extend(tellings.into_iter().take(room).map(|t| (t, Wall(0))));
    }

    fn due(&self, way: Way, now: Wall) -> Vec<Telling> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.extract_if(.., |(t, at)| t.way == way && *at <= now).map(|(t, _)| t).collect()
    }

    fn later(&self, telling: Telling, now: Wall) {
        let Some(at) = next_attempt(telling.attempts, telling.created, now) else { return };
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.push((Telling { attempts: telling.attempts + 1, ..telling }, at));
    }
}

/// Tells this way until `stop`. One thread a way: a slow mail server holds up no webhook.
pub fn run(way: Way, store: &Store, site: &Site, waiting: &Waiting, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(EVERY);
        let Some(config) = site.config() else { continue };
        let now = clock::wall();
        for telling in waiting.due(way, now) {
            if let Told::Later(why) = attempt(&config, &telling) {
                tracing::warn!(why, "an alarm could not be told; tried again later");
                waiting.later(telling, now);
            }
        }
        let due = store.tellings_due(way, now).unwrap_or_default();
        for telling in due {
            let told = attempt(&config, &telling);
            note(store, &telling, told);
        }
    }
}

fn note(store: &Store, telling: &Telling, told: Told) {
    let why = match &told {
        Told::Done => None,
        Told::Later(why) | Told::Refused(why) => Some(why.clone()),
    };
    match (store.telling_done(telling, told, clock::wall()), why) {
        (Err(error), _) => tracing::warn!(%error, "the fate of an alarm cannot be noted"),
        (Ok(_), None) => tracing::info!(way = ?telling.way, "alarm told"),
        (Ok(Some(_)), Some(why)) => tracing::warn!(
            why,
            attempts = telling.attempts + 1,
            "an alarm could not be told; tried again later"
        ),
        (Ok(None), Some(why)) => tracing::error!(why, "an alarm could not be told; given up"),
    }
}

fn attempt(config: &Config, telling: &Telling) -> Told {
    match telling.way {
        Way::Mail => mail(config, telling),
        Way::Webhook => post(config, telling),
    }
}

fn mail(config: &Config, telling: &Telling) -> Told {
    let Some(server) = &config.mail else {
        return Told::Later("no mail server is configured (section [mail])".into());
    };
    let message = match compose(config, &server.from, telling) {
        Ok(message) => message,
        Err(why) => return Told::Refused(why),
    };
    match mailer::server(server).map(|s| s.send(&message)) {
        Err(why) => Told::Later(why),
        Ok(Ok(_)) => Told::Done,
        Ok(Err(error)) if error.is_permanent() => Told::Refused(error.to_string()),
        Ok(Err(error)) => Told::Later(error.to_string()),
    }
}

fn compose(config: &Config, from: &str, telling: &Telling) -> Result<Message, String> {
    let story: Story = serde_json::from_str(&telling.body).map_err(|e| e.to_string())?;
    let address = |text: &str| text.parse::<lettre::Address>().map_err(|e| format!("{text}: {e}"));
    // The same for each attempt, so that a mail taken twice is seen as one.
    let id = format!("<alarm-{}-{}@{}>", telling.telling, telling.created.0, config.system.realm);
    Message::builder()
        .from(Mailbox::new(Some(config.system.name.clone()), address(from)?))
        .to(Mailbox::new(None, address(&telling.recipient)?))
        .message_id(Some(id))
        .subject(story.text.clone())
        .singlepart(SinglePart::plain(letter(config, &story)))
        .map_err(|e| e.to_string())
}

/// The mail's text: what, how much, since when, what to do.
fn letter(config: &Config, story: &Story) -> String {
    use model::media::Language::{En, Zh};
    let (language, check) = (config.system.language, &story.check);
    let (name, advice) = words::of(&check.kind, language);
    let mut text = match (story.event, language) {
        (Event::Test, En) => "This is a test. Alarms of this box arrive here.\n".to_owned(),
        (Event::Test, Zh) => "这是一条测试消息。本设备的告警会发送到这里。\n".to_owned(),
        (Event::Raised | Event::Cleared, _) => format!("{name}\n"),
    };
    if story.event == Event::Test {
        return text;
    }
    let mut line = |en: &str, zh: &str, value: &str| {
        if !value.is_empty() {
            let name = if language == En { en } else { zh };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name}{value}");
        }
    };
    let amount =
        |value: Option<i64>| value.map(|v| words::amount(v, &check.unit, language)).unwrap_or_default();
    line("Which: ", "对象：", &check.subject);
    line("Now: ", "当前：", &amount(check.value));
    line("Limit: ", "限值：", &amount(check.limit));
    line("Detail: ", "详情：", &check.detail);
    line("Since: ", "时间：", &mailer::local_time(check.since.0, &config.system.time_zone));
    if story.event == Event::Raised {
        line("\nWhat to do: ", "\n处理办法：", advice);
    }
    text
}

/// A POST of the story. `X-Belfry-Signature: sha256=` is the HMAC of `X-Belfry-Timestamp`, a full stop, and the body.
fn post(config: &Config, telling: &Telling) -> Told {
    let secret = config.alarm.webhook_secret.clone().unwrap_or_default();
    let at = clock::wall().0.to_string();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into();
    let sent = agent
        .post(&telling.recipient)
        .header("Content-Type", "application/json")
        .header("Idempotency-Key", format!("{}-{}", telling.telling, telling.created.0))
        .header("X-Belfry-Timestamp", &at)
        .header("X-Belfry-Signature", signature(&secret, &at, &telling.body))
        .send(telling.body.as_str());
    match sent {
        Ok(answer) if answer.status().is_success() => Told::Done,
        // 410 Gone: the receiver asks for no more. All else may be mended over there.
        Ok(answer) if answer.status().as_u16() == 410 => {
            Told::Refused("the webhook answered 410 Gone".into())
        }
        Ok(answer) => Told::Later(format!("the webhook answered {}", answer.status())),
        Err(error) => Told::Later(format!("the webhook cannot be reached: {error}")),
    }
}

/// `sha256=` and the HMAC in hex.
fn signature(secret: &str, at: &str, body: &str) -> String {
    let mut hmac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    hmac.update(at.as_bytes());
    hmac.update(b".");
    hmac.update(body.as_bytes());
    let mut text = "sha256=".to_owned();
    for byte in hmac.finalize().into_bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::config::draft;
    use model::notice::CheckState;

    fn config(language: &str) -> Config {
        let tree = serde_json::json!({
            "system": { "name": "Shop", "country": "DE", "language": language, "time_zone": "Europe/Berlin" },
            "mail": { "host": "mail.example.com", "from": "pbx@example.com" },
            "alarm": { "mail_to": ["anna@example.com", "ben@example.com"], "webhook": "https://alarms.example.com/",
                       "webhook_secret": "0123456789abcdef" },
        });
        draft::read(&tree).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    fn check() -> CheckView {
        CheckView {
            check: "disk_room".into(),
            kind: "disk_room".into(),
            subject: String::new(),
            state: CheckState::Alarm,
            since: Wall(1_800_000_000_000),
            value: Some(7),
            limit: Some(10),
            unit: "percent".into(),
            detail: String::new(),
        }
    }

    #[test]
    fn everybody_named_is_told_and_the_mail_says_what_and_what_to_do() {
        let config = config("en");
        let all = tellings(&config, Event::Raised, &check(), Wall(5));
        assert_eq!(all.iter().map(|t| t.way).collect::<Vec<_>>(), [Way::Mail, Way::Mail, Way::Webhook]);
        let message = compose(&config, "pbx@example.com", &all[0]).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        assert!(text.contains("Subject: [Shop] Alarm: The disk is nearly full"), "{text}");
        assert!(text.contains("Now: 7 %") && text.contains("Limit: 10 %"), "{text}");
        assert!(text.contains("2027-01-15 09:00") && text.contains("Delete old recordings"), "{text}");
    }

    #[test]
    fn a_chinese_site_is_told_in_chinese() {
        let config = config("zh");
        let all = tellings(&config, Event::Raised, &check(), Wall(5));
        let story: Story = serde_json::from_str(&all[0].body).unwrap();
        assert_eq!(story.text, "[Shop] 告警：磁盘空间不足");
        assert!(letter(&config, &story).contains("限值：10 %"));
    }

    #[test]
    fn the_signature_is_the_hmac_of_time_and_body() {
        // printf '1.{}' | openssl dgst -sha256 -hmac key
        let known = "sha256=1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224";
        assert_eq!(signature("key", "1", "{}"), known);
    }

    #[test]
    fn what_waits_in_memory_is_bounded_and_comes_again_later() {
        let waiting = Waiting::default();
        let one = tellings(&config("en"), Event::Raised, &check(), Wall(0));
        for _ in 0..100 {
            waiting.keep(one.clone());
        }
        let due = waiting.due(Way::Mail, Wall(0));
        assert_eq!(due.len() + waiting.due(Way::Webhook, Wall(0)).len(), IN_MEMORY);
        waiting.later(due[0].clone(), Wall(0));
        assert!(waiting.due(Way::Mail, Wall(4000)).is_empty());
        assert_eq!(waiting.due(Way::Mail, Wall(5000))[0].attempts, 1);
    }
}
