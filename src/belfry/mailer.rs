//! Sends the voicemail mails that the store has waiting, one after the other, on a thread of its own. A server that is
//! down is asked again later by the store's plan. Decides only what the mail says and which failures are final.
use crate::clock;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Address, Message, SmtpTransport, Transport};
use model::config::system::{Mail, MailSecurity};
use model::config::{Config, draft};
use model::media::Language;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::{MailJob, MailResult, Store, spool};

/// How often the store is asked for mails that are due.
const EVERY: Duration = Duration::from_millis(500);
/// How long a mail server may take for one step.
const PATIENCE: Duration = Duration::from_secs(15);

/// Runs until `stop`.
pub fn run(store: &Store, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let due = store.mails_due(clock::wall()).unwrap_or_else(|error| {
            tracing::warn!(%error, "the mails that are due cannot be read");
            Vec::new()
        });
        for job in due {
            let result = attempt(store, &job);
            note(store, &job, result);
        }
        std::thread::sleep(EVERY);
    }
}

fn note(store: &Store, job: &MailJob, result: MailResult) {
    let why = match &result {
        MailResult::Sent => None,
        MailResult::Later(why) | MailResult::Refused(why) => Some(why.clone()),
    };
    match (store.mail_done(job.message.message, result, clock::wall()), why) {
        (Err(error), _) => tracing::warn!(%error, "the fate of a mail cannot be noted"),
        (Ok(_), None) => tracing::info!(mailbox = job.message.mailbox.as_str(), "voicemail mailed"),
        (Ok(Some(_)), Some(why)) => {
            tracing::warn!(why, attempts = job.attempts + 1, "mail not sent; tried again later")
        }
        (Ok(None), Some(why)) => tracing::error!(why, "mail given up"),
    }
}

fn attempt(store: &Store, job: &MailJob) -> MailResult {
    let config = match current(store) {
        Ok(config) => config,
        Err(why) => return MailResult::Later(why),
    };
    let Some(mail) = &config.mail else {
        return MailResult::Later("no mail server is configured (section [mail])".into());
    };
    let message = match compose(&config, mail, job, store.dir()) {
        Ok(message) => message,
        Err(why) => return MailResult::Refused(why),
    };
    let server = match server(mail) {
        Ok(server) => server,
        Err(why) => return MailResult::Later(why),
    };
    match server.send(&message) {
        Ok(_) => MailResult::Sent,
        Err(error) if error.is_permanent() => MailResult::Refused(error.to_string()),
        Err(error) => MailResult::Later(error.to_string()),
    }
}

/// The configuration in force.
///
/// # Errors
/// The disk, in words.
pub fn current(store: &Store) -> Result<Config, String> {
    let current = store.reader().current().map_err(|error| error.to_string())?;
    let (_, tree) = current.ok_or("there is no configuration")?;
    draft::read(&tree).map_err(|_| "the stored configuration no longer checks".to_owned())
}

/// The mail server of section `[mail]`.
///
/// # Errors
/// Its name is no name for TLS.
pub fn server(mail: &Mail) -> Result<SmtpTransport, String> {
    let tls = || TlsParameters::new(mail.host.clone()).map_err(|error| error.to_string());
    let tls = match mail.security {
        MailSecurity::None => Tls::None,
        MailSecurity::Starttls => Tls::Required(tls()?),
        MailSecurity::Tls => Tls::Wrapper(tls()?),
    };
    let mut server =
        SmtpTransport::builder_dangerous(&mail.host).port(mail.port).tls(tls).timeout(Some(PATIENCE));
    if let (Some(user), Some(password)) = (&mail.user, &mail.password) {
        server = server.credentials(Credentials::new(user.clone(), password.clone()));
    }
    Ok(server.build())
}

fn compose(config: &Config, mail: &Mail, job: &MailJob, data: &Path) -> Result<Message, String> {
    let address = |text: &str| text.parse::<Address>().map_err(|error| format!("{text}: {error}"));
    let path = spool::below(data, &job.message.path).map_err(|error| error.to_string())?;
    let sound = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let words = Words::of(config, job);
    let wav = ContentType::parse("audio/wav").map_err(|error| error.to_string())?;
    let id = format!("<voicemail-{}-{}@{}>", job.message.message, job.message.at.0, config.system.realm);
    Message::builder()
        .from(Mailbox::new(Some(config.system.name.clone()), address(&mail.from)?))
        .to(Mailbox::new(None, address(&job.to)?))
        .message_id(Some(id))
        .subject(words.subject)
        .multipart(
            MultiPart::mixed()
                .singlepart(SinglePart::plain(words.text))
                .singlepart(Attachment::new(words.file).body(sound, wav)),
        )
        .map_err(|error| error.to_string())
}

/// What the mail says.
struct Words {
    subject: String,
    text: String,
    file: String,
}

impl Words {
    fn of(config: &Config, job: &MailJob) -> Words {
        let message = &job.message;
        let language = config
            .extension
            .get(&message.mailbox)
            .and_then(|extension| extension.language)
            .unwrap_or(config.system.language);
        let (number, name) = (&message.caller.number, &message.caller.name);
        let caller = match (number.is_empty(), name.is_empty() || name == number, language) {
            (true, true, Language::En) => "unknown".to_owned(),
            (true, true, Language::Zh) => "未知号码".to_owned(),
            (true, false, _) => name.clone(),
            (false, true, _) => number.clone(),
            (false, false, _) => format!("{name} ({number})"),
        };
        let when = local_time(message.at.0, &config.system.time_zone);
        let (mailbox, site) = (&message.mailbox, &config.system.name);
        let length = format!("{}:{:02}", message.ms / 60_000, message.ms / 1000 % 60);
        let (subject, text) = match language {
            Language::En => (
                format!("Voicemail from {caller} ({length})"),
                format!(
                    "There is a new voicemail in mailbox {mailbox}.\n\nFrom: {caller}\nWhen: {when}\nLength: {length}\n\n\
                     It is attached. You can also hear it by dialling {} or in the web pages of {site}.\n",
                    config.feature.voicemail
                ),
            ),
            Language::Zh => (
                format!("来自 {caller} 的语音留言（{length}）"),
                format!(
                    "信箱 {mailbox} 收到一条新的语音留言。\n\n来电：{caller}\n时间：{when}\n时长：{length}\n\n\
                     录音见附件，也可以拨打 {} 或在 {site} 的网页上收听。\n",
                    config.feature.voicemail
                ),
            ),
        };
        Words { subject, text, file: format!("voicemail-{mailbox}-{}.wav", message.message) }
    }
}

/// A moment as a person of the site reads it.
#[must_use]
pub fn local_time(wall_ms: i64, zone: &str) -> String {
    let stamp = jiff::Timestamp::from_millisecond(wall_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    match stamp.in_tz(zone) {
        Ok(local) => local.strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => stamp.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::clock::Wall;
    use model::id::{CallId, MessageId};
    use model::number::Number;
    use model::record::{MessageRecord, Party};

    fn config(language: &str) -> Config {
        let tree = serde_json::json!({
            "system": { "name": "Shop", "country": "DE", "language": language, "time_zone": "Europe/Berlin" },
            "mail": { "host": "mail.example.com", "from": "pbx@example.com" },
            "extension": [{ "number": "101", "password": "secret-secret-101", "voicemail": { "pin": "471147" } }],
        });
        draft::read(&tree).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    fn job() -> MailJob {
        MailJob {
            message: MessageRecord {
                message: MessageId(7),
                mailbox: Number::read("101").unwrap(),
                call: CallId(1),
                caller: Party { number: "+4930123".into(), name: "Müller".into() },
                at: Wall(1_800_000_000_000),
                ms: 65_000,
                path: "voicemail/7.wav".into(),
                heard: false,
                mail_to: Some("anna@example.com".into()),
            },
            to: "anna@example.com".into(),
            attempts: 0,
        }
    }

    #[test]
    fn the_mail_says_who_and_when_in_the_language_of_the_site_and_carries_the_sound() {
        let data = tempfile::tempdir().unwrap();
        std::fs::create_dir(data.path().join("voicemail")).unwrap();
        std::fs::write(data.path().join("voicemail/7.wav"), b"RIFF").unwrap();
        let english = config("en");
        let mail = english.mail.clone().unwrap();
        let message = compose(&english, &mail, &job(), data.path()).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        assert!(text.contains("voicemail-101-7.wav") && text.contains("audio/wav"), "{text}");
        assert!(text.contains("Message-ID: <voicemail-7-1800000000000@"), "{text}");
        let words = Words::of(&english, &job());
        assert_eq!(words.subject, "Voicemail from Müller (+4930123) (1:05)");
        assert!(words.text.contains("2027-01-15 09:00"), "{}", words.text);
        assert!(Words::of(&config("zh"), &job()).subject.contains("语音留言"));
    }

    #[test]
    fn a_message_whose_sound_is_gone_is_refused_for_good() {
        let data = tempfile::tempdir().unwrap();
        let config = config("en");
        let why = compose(&config, &config.mail.clone().unwrap(), &job(), data.path()).unwrap_err();
        assert!(why.contains("voicemail/7.wav"), "{why}");
    }
}
