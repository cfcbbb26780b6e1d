//! Reads `[backup]` and `[retention]` of a draft, with their defaults.
use super::site::port;
use super::table::Table;
use super::value;
use crate::config::vault::{Backup, Every, Retention, Sftp, Target};

const EVERY: [(&str, Every); 3] = [("day", Every::Day), ("week", Every::Week), ("never", Every::Never)];
/// Shortest pass-phrase: a backup leaves the house, and whoever finds it may guess for years.
const PASS_PHRASE: usize = 12;
/// Ten years; longer is a wrong key press.
const DAYS: u32 = 3660;

pub(super) fn backup(t: Table<'_>) -> Backup {
    let backup = Backup {
        every: t.choice("every", &EVERY).unwrap_or(Every::Day),
        at: t.parsed("at", time).unwrap_or(jiff::civil::time(2, 30, 0, 0)),
        target: t.parsed("target", target).unwrap_or(Target::Box),
        keep: t.count("keep", 1..=365, 7),
        recordings: t.flag("recordings", false),
        pass_phrase: t
            .parsed_needed(
                "pass_phrase",
                "choose one of at least 12 characters and keep it in a safe place",
                phrase,
            )
            .unwrap_or_default(),
        sftp: t.table("sftp").map(sftp),
    };
    if backup.target == Target::Sftp && backup.sftp.is_none() {
        t.missing("sftp", "target \"sftp\" needs a [backup.sftp] table with host and user");
    }
    t.done();
    backup
}

fn time(text: &str) -> Result<jiff::civil::Time, String> {
    jiff::civil::Time::strptime("%H:%M", text)
        .map_err(|_| format!("\"{text}\" is not a time of day; write it like 02:30"))
}

fn target(text: &str) -> Result<Target, String> {
    match (text, text.strip_prefix("folder:")) {
        ("box", _) => Ok(Target::Box),
        ("usb", _) => Ok(Target::Usb),
        ("sftp", _) => Ok(Target::Sftp),
        (_, Some(path)) if path.starts_with('/') && !path.split('/').any(|p| p == "..") => {
            Ok(Target::Folder(path.to_owned()))
        }
        _ => Err(format!("\"{text}\" is no target; use box, usb, sftp or folder:/a/whole/path")),
    }
}

fn phrase(text: &str) -> Result<String, String> {
    if text.chars().count() >= PASS_PHRASE {
        return Ok(text.to_owned());
    }
    Err(format!("this pass-phrase is too short; use at least {PASS_PHRASE} characters, e.g. four words"))
}

fn sftp(t: Table<'_>) -> Sftp {
    let sftp = Sftp {
        host: t.parsed_needed("host", "name the server", value::host).unwrap_or_default(),
        port: port(&t, 22),
        user: t.parsed_needed("user", "name the account on the server", plain).unwrap_or_default(),
        folder: t.parsed("folder", plain).unwrap_or_else(|| ".".into()),
        host_key: t.parsed("host_key", fingerprint),
    };
    t.done();
    sftp
}

/// What can stand in a command of SFTP without quoting it.
fn plain(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '@');
    if text.chars().all(fine) && !text.starts_with('-') {
        return Ok(text.to_owned());
    }
    Err(format!("\"{text}\" has a character that is not possible here; use letters, digits, - _ . / and @"))
}

fn fingerprint(text: &str) -> Result<String, String> {
    let base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
    match text.strip_prefix("SHA256:") {
        Some(sum) if sum.len() == 43 && sum.chars().all(base64) => Ok(text.to_owned()),
        Some(_) | None => Err(format!(
            "\"{text}\" is not a fingerprint; it begins with SHA256: and is printed by ssh-keygen -l on the server"
        )),
    }
}

pub(super) fn retention(t: Table<'_>) -> Retention {
    let retention = Retention {
        recordings_days: t.count("recordings_days", 0..=DAYS, 90),
        voicemail_days: t.count("voicemail_days", 0..=DAYS, 90),
        call_records_days: t.count("call_records_days", 0..=DAYS, 365),
        alarm_percent: t.count("alarm_percent", 10..=98, 80),
        full_percent: t.count("full_percent", 11..=99, 90),
    };
    if retention.alarm_percent >= retention.full_percent {
        let message = "the alarm must come before the oldest recordings go; make it less than full_percent";
        t.problem("alarm_percent", "out_of_range", message);
    }
    t.done();
    retention
}
