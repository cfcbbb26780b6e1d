//! Time passes: each session and each recording is visited once in 20 ms, spread over the milliseconds by its slot, so
//! that packets leave evenly. After a stall of the thread what was missed is not made up for: speech is now.
use super::{MediaCore, millisecond};
use crate::limits::{FRAME, FRAME_TIME};
use crate::mix;
use crate::out::MediaOut;
use crate::session::Session;
use model::clock::{Mono, Now};
use model::media::MediaEvent;

impl MediaCore {
    /// Lets time pass up to `now`. May be called at any pace; every 1–2 ms gives even packets.
    pub fn tick(&mut self, now: Now, out: &mut MediaOut) {
        let frame = u64::try_from(FRAME_TIME.as_millis()).unwrap_or(20);
        let until = millisecond(now.mono);
        let from = (self.ticked + 1).max((until + 1).saturating_sub(frame));
        for ms in from..=until {
            let phase = usize::try_from(ms % frame).unwrap_or(0);
            let step = usize::try_from(frame).unwrap_or(20);
            for slot in (phase..self.sessions.len()).step_by(step) {
                self.visit(now, slot, out);
            }
            for slot in (phase..self.recorders.len()).step_by(step) {
                self.visit_recorder(now, slot, out);
            }
        }
        self.ticked = self.ticked.max(until);
    }

    fn visit(&mut self, now: Now, slot: usize, out: &mut MediaOut) {
        let at = now.mono;
        let mixed = self.mixed(at, slot);
        let Some(spoken) = self.spoken_to(slot) else { return };
        let Some(session) = self.sessions.get_mut(slot).and_then(|s| s.as_deref_mut()) else { return };
        let ended = session.frame(at, &self.music, mixed, spoken, out);
        session.report(now, &self.cname, out);
        let silent = session.silence_due(at);
        if let Some(end) = ended {
            self.end_play(slot, end, out);
        }
        self.listen_on(at, slot, out);
        self.hear_on(at, slot, out);
        if let Some(seconds) = silent {
            self.tell(slot, |session| MediaEvent::Silent { session, seconds }, out);
        }
        self.visit_orphan(now, slot, out);
    }

    /// Whether packets of another peer come through to this session; `None` when it is not open.
    fn spoken_to(&self, slot: usize) -> Option<bool> {
        let of = |slot: usize| self.sessions.get(slot).and_then(Option::as_deref);
        let session = of(slot)?;
        let partner = session.joined.and_then(of).is_some_and(|p| !p.muted);
        Some(partner || (session.echo && !session.muted))
    }

    /// The next frame of a mix, unless something is played over it.
    fn mixed(&mut self, now: Mono, slot: usize) -> Option<[u8; FRAME]> {
        let session = self.session(slot)?;
        let mix = session.mix.as_mut()?;
        let from = mix.advance(now);
        let sources = std::mem::take(&mut mix.sources);
        let of = |slot: &usize| self.sessions.get(*slot).and_then(Option::as_deref);
        let heard = sources.iter().filter_map(of).filter(|s| !s.muted).filter_map(|s| s.feed.as_deref());
        let frame = mix::sum(from, heard);
        if let Some(mix) = self.session(slot).and_then(|s| s.mix.as_mut()) {
            mix.sources = sources;
        }
        Some(frame)
    }

    /// An orphan closes when it and its partner have heard nothing for long enough.
    fn visit_orphan(&mut self, now: Now, slot: usize, out: &mut MediaOut) {
        let of = |slot: usize| self.sessions.get(slot).and_then(Option::as_deref);
        let silent = |session: &Session, at: Mono| at - session.last_packet >= self.orphan_after;
        let Some(session) = of(slot).filter(|s| s.orphan) else { return };
        let partner = session.joined.and_then(of);
        if silent(session, now.mono) && partner.is_none_or(|p| silent(p, now.mono)) {
            let partner = session.joined;
            self.shut(now, slot, out);
            if let Some(partner) = partner {
                self.shut(now, partner, out);
            }
        }
    }

    fn visit_recorder(&mut self, now: Now, slot: usize, out: &mut MediaOut) {
        let Some(recorder) = self.recorders.get_mut(slot).and_then(|r| r.as_deref_mut()) else { return };
        if let Some(end) = recorder.tick(now.mono, &mut out.files) {
            self.end_recording(now, slot, end, out);
        }
    }
}
