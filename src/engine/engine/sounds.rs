//! What media says, handed to the call whose session it is; and what media is told at its start.
use super::Engine;
use crate::call::Heard;
use crate::call::stage::service::PAGING;
use crate::dialer::campaign::Told;
use crate::effect::Effect;
use model::clock::Now;
use model::config::queue::Music;
use model::id::SessionId;
use model::media::{MediaCommand, MediaEvent, MusicSource, PROTOCOL};
use model::record::{Outcome, Record};

/// Orphan sessions of an earlier control process close after this much silence.
const ORPHAN_S: u16 = 30;

impl Engine {
    /// The connection to media stands.
    pub(super) fn media_up(&mut self) {
        let hello = MediaCommand::Hello { protocol: PROTOCOL, epoch: self.epoch, orphan_s: ORPHAN_S };
        self.effects.push(Effect::Media(hello));
        self.tell_devices();
        self.tell_marks();
    }

    /// Music and loudspeakers by name.
    pub(super) fn tell_devices(&mut self) {
        let sources = self.config.audio.music.iter().map(|(name, music)| {
            let source = match music {
                Music::Alsa(pcm) => MusicSource::Alsa(pcm.clone()),
                Music::BuiltIn => MusicSource::BuiltIn,
                Music::File(path) => MusicSource::File(path.clone()),
            };
            (name.clone(), source)
        });
        let sources = sources.take(32).collect();
        let outputs = self.config.audio.paging.iter().map(|pcm| (PAGING.to_owned(), pcm.clone())).collect();
        self.effects.push(Effect::Media(MediaCommand::Devices { sources, outputs }));
    }

    /// How packets are marked.
    pub(super) fn tell_marks(&mut self) {
        self.effects.push(Effect::Media(MediaCommand::Mark { dscp: self.config.network.dscp_rtp }));
    }

    /// One event of media.
    pub(super) fn media(&mut self, now: Now, event: MediaEvent) {
        if self.self_media(now, &event) {
            return;
        }
        match event {
            MediaEvent::Ready { ports, .. } => {
                self.ports.ready(&ports);
                self.media_up = true;
                self.system_changed(now);
            }
            MediaEvent::PortFree { port } => self.ports.freed(port),
            MediaEvent::Digit { session, digit } => self.for_session(session, Heard::Digit(session, digit)),
            MediaEvent::PlayDone { session, play, end } => {
                self.for_session(session, Heard::PlayDone(session, play, end));
            }
            MediaEvent::RecordDone { recording, end, ms } => {
                let Some((call, kept)) = self.ledger.recording_ends(recording) else { return };
                if kept {
                    self.keep(now, Record::RecordingEnded { recording, ms }, None);
                }
                self.hears(call, Heard::RecordDone(recording, end, ms));
            }
            MediaEvent::Silent { session, seconds } => {
                self.for_session(session, Heard::Silent(session, seconds))
            }
            MediaEvent::Found { session, finding, evidence } => {
                if let Some(call) = self.ports.owner(session) {
                    self.outreach_told(now, call, Told::Found(finding, evidence));
                }
            }
            MediaEvent::Closed { session, .. } => self.ports.closed(session),
            MediaEvent::Speech { session, number, speech } => {
                self.for_session(session, Heard::Speech(session, number, speech));
            }
            MediaEvent::Trouble(text) => self.note(now, "warning", "media", "media", &text),
            MediaEvent::Latched { .. } | MediaEvent::Pong { .. } => {}
        }
    }

    /// Media is gone, and with it the sound of every call: they end with the cause, new ones are refused until it is back.
    pub(super) fn media_lost(&mut self, now: Now) {
        let was_up = std::mem::replace(&mut self.media_up, false);
        let calls: Vec<_> = self.calls.keys().copied().collect();
        for call in calls {
            self.clear(now, call, Outcome::Failed, "media restarted");
        }
        self.self_hears(now, crate::canary::Heard::Refused("media is gone".into()));
        self.ports.lost();
        if was_up {
            self.note(
                now,
                "alarm",
                "media_restarted",
                "media",
                "the media process is gone; calls were ended",
            );
        }
        self.system_changed(now);
    }

    fn for_session(&mut self, session: SessionId, what: Heard) {
        if let Some(call) = self.ports.owner(session) {
            self.hears(call, what);
        }
    }
}
