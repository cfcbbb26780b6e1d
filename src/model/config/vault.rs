//! Sections `[backup]` and `[retention]`: when the site is saved, where to, and how long things are kept.
use serde::{Serialize, Serializer};

/// Saving the site. Without this section nothing is saved by itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Backup {
    /// How often.
    pub every: Every,
    /// Time of day in the site's zone.
    #[serde(serialize_with = "clock")]
    pub at: jiff::civil::Time,
    /// Where to.
    pub target: Target,
    /// Newest backups kept at the target; older ones are removed.
    pub keep: u32,
    /// Whether recordings go along. They make a backup many times larger.
    pub recordings: bool,
    /// What opens a backup again. Without it nobody can, not even we.
    pub pass_phrase: String,
    /// The server of target `sftp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sftp: Option<Sftp>,
}

/// How often the site is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    /// Each day.
    Day,
    /// In the night to Sunday.
    Week,
    /// Only when asked.
    Never,
}

/// Where backups go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The data folder of the box itself: to be downloaded.
    Box,
    /// A folder of this machine, such as a mounted share.
    Folder(String),
    /// The first USB stick found.
    Usb,
    /// A server that speaks SFTP.
    Sftp,
}

impl Target {
    /// As it stands in a site's text.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Target::Box => "box".into(),
            Target::Folder(path) => format!("folder:{path}"),
            Target::Usb => "usb".into(),
            Target::Sftp => "sftp".into(),
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.text())
    }
}

/// A server for backups. The box signs in with a key of its own, which the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sftp {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Account.
    pub user: String,
    /// Folder there.
    pub folder: String,
    /// Fingerprint of the server's key, `SHA256:...`. Until it is given, nothing is sent, and the backup says which key
    /// the server showed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_key: Option<String>,
}

/// How long things are kept; 0 days = until somebody deletes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// Recordings.
    pub recordings_days: u32,
    /// Voicemail messages.
    pub voicemail_days: u32,
    /// Call records with their journeys.
    pub call_records_days: u32,
    /// Share of the disk in use at which the box raises an alarm, percent.
    pub alarm_percent: u32,
    /// Share of the disk in use from which the oldest recordings go, percent.
    pub full_percent: u32,
}

fn clock<S: Serializer>(at: &jiff::civil::Time, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(&at.strftime("%H:%M"))
}
