//! One subscription of a peer to something of ours (RFC 6665), such as its message lamp (RFC 3842): its dialog, its end,
//! and the newest state, which is sent one NOTIFY at a time. endpoint/watching.rs moves it.
use crate::dialog::Dialog;
use model::clock::Mono;

/// A subscription we serve.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// Our tag: the key in the table of dialogs.
    pub(crate) tag: String,
    pub(crate) dialog: Dialog,
    /// The Event value, with its id if it has one.
    pub(crate) event: String,
    pub(crate) expires_at: Mono,
    /// What was last told: media type and body.
    pub(crate) state: Option<(String, Vec<u8>)>,
    /// A NOTIFY waits for its answer.
    pub(crate) busy: bool,
    /// The state changed meanwhile.
    pub(crate) again: bool,
}

impl Subscription {
    /// The value of Subscription-State while it lives.
    pub(crate) fn active(&self, now: Mono) -> String {
        format!("active;expires={}", self.expires_at.since(now).as_secs())
    }
}
