//! Speech input: hands what a peer says to an [`Ear`], its pieces to the shell, and what the recogniser makes of them to
//! control. The sound goes from here to the recogniser and never over the socket to control: 16 kB a second for each caller
//! would fill its queue in front of the commands of other calls.
use super::MediaCore;
use crate::limits::{FRAME, LATEST};
use crate::out::{EarId, EarOp, EarSaid, MediaOut};
use crate::speech::{Ear, Heard};
use model::clock::{Mono, Now};
use model::id::SessionId;
use model::media::{Codec, MediaEvent};
use model::speech::{Hearing, Speech};
use std::time::Duration;

/// A person is told of a recogniser that fails once in so long; each call's journey says it.
const TROUBLE_EVERY: Duration = Duration::from_secs(600);

impl MediaCore {
    /// Begins to hear an utterance, or hears nobody any more.
    pub(super) fn hear(
        &mut self,
        now: Now,
        session: SessionId,
        hearing: Option<Hearing>,
        out: &mut MediaOut,
    ) {
        let Some(slot) = self.slot(session) else { return };
        self.ears += 1;
        let id = EarId(self.ears);
        let Some(session) = self.session(slot) else { return };
        let ear = hearing.as_ref().map(|h| Box::new(Ear::new(id, h.number, now.mono)));
        if let Some(before) = std::mem::replace(&mut session.ear, ear) {
            out.ears.push(EarOp::Close { ear: before.id });
        }
        out.ears.extend(hearing.map(|hearing| EarOp::Open { ear: id, hearing }));
    }

    /// Control has begun anew: nobody waits for what callers said to the one before.
    pub(super) fn forget_ears(&mut self, out: &mut MediaOut) {
        let ears = self.sessions.iter_mut().flatten().filter_map(|session| session.ear.take());
        out.ears.extend(ears.map(|ear| EarOp::Close { ear: ear.id }));
    }

    /// A packet's sound.
    pub(super) fn hear_sound(&mut self, slot: usize, law: Codec, sound: &[u8], out: &mut MediaOut) {
        let ear = self.session(slot).and_then(|s| s.ear.as_deref_mut());
        if let Some(ear) = ear {
            let (id, number, heard) = (ear.id, ear.number, ear.hear(law, sound));
            self.pass_on(slot, (id, number), heard, out);
        }
    }

    /// Time passes: what has not come by now is lost, or was never sent.
    pub(super) fn hear_on(&mut self, now: Mono, slot: usize, out: &mut MediaOut) {
        let Some(ear) = self.session(slot).and_then(|s| s.ear.as_deref_mut()) else { return };
        let patience = usize::try_from(LATEST.as_millis()).unwrap_or(0) * 8;
        let (id, number) = (ear.id, ear.number);
        let mut heard = Vec::new();
        while ear.behind(now) >= patience + FRAME {
            heard.extend(ear.miss());
        }
        self.pass_on(slot, (id, number), heard, out);
    }

    fn pass_on(&self, slot: usize, (ear, number): (EarId, u32), heard: Vec<Heard>, out: &mut MediaOut) {
        for what in heard {
            let speech = match what {
                Heard::Began => Speech::Began,
                Heard::Piece(sound) => {
                    out.ears.push(EarOp::Sound { ear, sound });
                    continue;
                }
                Heard::Ended => {
                    out.ears.push(EarOp::End { ear });
                    Speech::Ended
                }
            };
            self.tell(slot, |session| MediaEvent::Speech { session, number, speech }, out);
        }
    }

    /// What the recogniser of an utterance does. Words for one that nobody wants any more are forgotten.
    pub fn ear_said(&mut self, now: Now, ear: EarId, said: EarSaid, out: &mut MediaOut) {
        let of = |s: &crate::session::Session| s.ear.as_ref().is_some_and(|e| e.id == ear);
        let Some(slot) = self.sessions.iter().position(|s| s.as_deref().is_some_and(of)) else { return };
        let Some(heard) = self.session(slot).and_then(|s| s.ear.as_deref_mut()) else { return };
        let number = heard.number;
        let (over, speech) = match said {
            EarSaid::Ready => {
                heard.ready = true;
                return;
            }
            EarSaid::Words => (false, Speech::Words),
            EarSaid::Said(said) => (true, Speech::Said(said)),
            EarSaid::Failed(why) => {
                self.tell_ear_trouble(now.mono, &why, out);
                (true, Speech::Failed(why))
            }
        };
        if over && let Some(session) = self.session(slot) {
            session.ear = None;
        }
        self.tell(slot, |session| MediaEvent::Speech { session, number, speech }, out);
    }

    fn tell_ear_trouble(&mut self, now: Mono, why: &str, out: &mut MediaOut) {
        if self.ear_trouble.is_none_or(|at| now - at >= TROUBLE_EVERY) {
            self.ear_trouble = Some(now);
            let text = format!("the speech recogniser cannot be used: {why}; menus go by keys");
            out.events.push(MediaEvent::Trouble(text));
        }
    }
}
