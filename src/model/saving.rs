//! What the admin sees of backups, of the disk and of legal holds. Data only.
use crate::clock::Wall;
use serde::{Deserialize, Serialize};

/// Backups of the site as the box knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BackupState {
    /// Whether the configuration says when and where to.
    pub configured: bool,
    /// What is going on now, if anything.
    pub running: Option<BackupPhase>,
    /// When the next one is due by the schedule.
    pub next: Option<Wall>,
    /// The newest one that was proved good.
    pub last_good: Option<BackupItem>,
    /// The last try that failed, unless a good one came after it.
    pub last_failure: Option<BackupFailure>,
    /// Backups at the target, newest first, as they were last seen.
    pub items: Vec<BackupItem>,
    /// Files that were uploaded to be restored.
    pub uploaded: Vec<BackupItem>,
    /// Line for the server's list of allowed keys, when backups go there.
    pub public_key: Option<String>,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BackupPhase {
    /// Writing it and proving it by a scratch restore.
    Saving,
    /// Bringing it to its target.
    Sending,
    /// Checking a backup that is to be restored.
    Checking,
    /// Changing over to a restored site; the box starts again.
    Restoring,
}

/// One backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BackupItem {
    /// Name of the file.
    pub name: String,
    /// When it was made.
    pub made: Wall,
    /// Its length.
    pub bytes: u64,
    /// Where it is: `box`, `usb`, `sftp` or `folder:...`.
    pub place: String,
}

/// A try that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BackupFailure {
    /// When.
    pub at: Wall,
    /// Why, and what to do.
    pub why: String,
}

/// Somebody ordered that a recording must not be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Hold {
    /// Who.
    pub by: String,
    /// When.
    pub at: Wall,
}
