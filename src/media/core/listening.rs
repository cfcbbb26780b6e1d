//! Who listens at a dialled leg: hands its sound to [`Progress`], and silence where no packets come. Tells what is heard.
use super::MediaCore;
use crate::limits::{FRAME_TIME, LATEST};
use crate::out::MediaOut;
use crate::progress::Progress;
use model::clock::{Mono, Now};
use model::id::SessionId;
use model::media::{Codec, Evidence, Finding, Listening, MediaEvent};
use std::time::Duration;

/// The detector of a session and when it began.
#[derive(Debug)]
pub(crate) struct Listener {
    since: Mono,
    progress: Progress,
}

impl MediaCore {
    pub(super) fn listen(&mut self, now: Now, session: SessionId, listening: Option<Listening>) {
        self.with(session, |s| {
            s.listener = listening
                .map(|listening| Box::new(Listener { since: now.mono, progress: Progress::new(listening) }));
        });
    }

    /// A packet's sound.
    pub(super) fn listen_to(&mut self, slot: usize, law: Codec, sound: &[u8], out: &mut MediaOut) {
        let listener = self.session(slot).and_then(|s| s.listener.as_deref_mut());
        let told = listener.map(|l| l.progress.hear(law, sound)).unwrap_or_default();
        self.tell_heard(slot, told, out);
    }

    /// Time passes: what has not come by now is lost, or was never sent.
    pub(super) fn listen_on(&mut self, now: Mono, slot: usize, out: &mut MediaOut) {
        let Some(listener) = self.session(slot).and_then(|s| s.listener.as_deref_mut()) else { return };
        let due = (now - listener.since).saturating_sub(LATEST);
        let mut told = Vec::new();
        while Duration::from_millis(listener.progress.elapsed_ms()) + FRAME_TIME <= due {
            told.extend(listener.progress.miss());
        }
        self.tell_heard(slot, told, out);
    }

    fn tell_heard(&mut self, slot: usize, told: Vec<(Finding, Evidence)>, out: &mut MediaOut) {
        for (heard, evidence) in told {
            self.tell(slot, |session| MediaEvent::Found { session, finding: heard, evidence }, out);
        }
        if let Some(session) = self.session(slot) {
            session.listener.take_if(|l| l.progress.is_done());
        }
    }
}
