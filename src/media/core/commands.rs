//! Carries out what control asks. A command for something that is not open is ignored and counted.
use super::{MediaCore, vacant};
use crate::digits::DigitSender;
use crate::limits::MAX_MIXED;
use crate::mix::Mix;
use crate::out::{EarOp, MediaOut, PortChange};
use crate::player::Player;
use crate::session::Session;
use model::clock::Now;
use model::id::{PlayId, SessionId};
use model::media::{MediaCommand, MediaEvent, MusicSource, PROTOCOL, PlayEnd, Sound};
use std::collections::BTreeSet;
use std::time::Duration;

impl MediaCore {
    /// Carries out one command.
    pub fn command(&mut self, now: Now, command: MediaCommand, out: &mut MediaOut) {
        match command {
            MediaCommand::Hello { protocol: _, epoch, orphan_s } => self.hello(now, epoch, orphan_s, out),
            MediaCommand::Open { session, port } => self.open(now, session, port, out),
            MediaCommand::Remote { session, remote } => {
                self.with(session, |s| s.set_remote(now.mono, remote));
            }
            MediaCommand::Play { session, play, sounds, repeat, barge_in } => {
                let order = Order { play, sounds, repeat, barge_in };
                self.play(now, session, order, out);
            }
            MediaCommand::StopPlay { session } => {
                if let Some(slot) = self.slot(session) {
                    self.end_play(slot, PlayEnd::Stopped, out);
                }
            }
            MediaCommand::Join { a, b } => self.join(now, a, b, out),
            MediaCommand::Part { session } => {
                if let Some(slot) = self.slot(session) {
                    self.part(slot);
                }
            }
            MediaCommand::Echo { session, on } => self.echo(now, session, on, out),
            MediaCommand::SendDigit { session, digit, ms } => {
                if let Some(slot) = self.slot(session) {
                    self.send_digit(slot, digit, ms);
                }
            }
            MediaCommand::Record { recording, left, right, path, max_s, silence_ms, until_digit } => {
                let terms =
                    super::recordings::Order { recording, left, right, path, max_s, silence_ms, until_digit };
                self.record(now, terms, out);
            }
            MediaCommand::StopRecord { recording } => self.stop_record(now, recording, out),
            MediaCommand::PauseRecord { recording, paused } => self.pause_record(now, recording, paused),
            MediaCommand::Page { session, output } => self.page(session, output, out),
            MediaCommand::Close { session } => self.close(now, session, out),
            MediaCommand::Devices { sources, outputs } => self.devices(&sources, &outputs, out),
            // The sockets are the shell's.
            MediaCommand::Mark { .. } => {}
            MediaCommand::Mix { session, from } => self.mix(now, session, &from, out),
            MediaCommand::Mute { session, on } => self.with(session, |s| s.muted = on),
            MediaCommand::Listen { session, listening } => self.listen(now, session, listening),
            MediaCommand::Hear { session, hearing } => self.hear(now, session, hearing, out),
            MediaCommand::Ping(number) => out.events.push(MediaEvent::Pong { number }),
        }
    }

    /// The slot of an open session; counts when there is none.
    pub(super) fn slot(&mut self, session: SessionId) -> Option<usize> {
        let slot = self.ids.get(&session).copied();
        if slot.is_none() {
            self.counters.ignored_commands += 1;
        }
        slot
    }

    pub(super) fn with(&mut self, session: SessionId, change: impl FnOnce(&mut Session)) {
        if let Some(slot) = self.slot(session)
            && let Some(session) = self.session(slot)
        {
            change(session);
        }
    }

    /// Another epoch makes everything that runs an orphan: its ids may be given out anew.
    fn hello(&mut self, now: Now, epoch: u64, orphan_s: u16, out: &mut MediaOut) {
        self.orphan_after = Duration::from_secs(u64::from(orphan_s));
        if self.epoch != Some(epoch) {
            self.epoch = Some(epoch);
            self.ids.clear();
            self.recordings.clear();
            self.sessions.iter_mut().flatten().for_each(|s| s.make_orphan(now.mono));
            self.recorders.iter_mut().flatten().for_each(|r| r.orphan = true);
            self.closing.values_mut().for_each(|c| c.id = None);
            self.forget_ears(out);
        }
        out.events.push(MediaEvent::Ready { protocol: PROTOCOL, ports: self.free_ports() });
    }

    /// Free even ports as inclusive ranges.
    fn free_ports(&self) -> Vec<(u16, u16)> {
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for port in self.ports.free() {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(2) == Some(port) => *last = port,
                Some(_) | None => ranges.push((port, port)),
            }
        }
        ranges
    }

    fn open(&mut self, now: Now, session: SessionId, port: u16, out: &mut MediaOut) {
        let free = self.ports.is_free(port) && !self.ids.contains_key(&session);
        if !free {
            self.counters.ignored_commands += 1;
            let text = format!("session {session} was asked for on port {port}, which is not free here");
            out.events.push(MediaEvent::Trouble(text));
            return;
        }
        let random = [self.dice(), self.dice(), self.dice()];
        self.opened += 1;
        let opened = Session::new(now.mono, session, self.opened, port, random);
        let slot = vacant(&mut self.sessions);
        if let Some(place) = self.sessions.get_mut(slot) {
            *place = Some(Box::new(opened));
            self.open += 1;
        }
        self.ids.insert(session, slot);
        self.ports.take(port, slot);
        out.ports.push(PortChange { port, open: true });
    }

    fn play(&mut self, now: Now, session: SessionId, order: Order, out: &mut MediaOut) {
        let Some(slot) = self.slot(session) else { return };
        self.end_play(slot, PlayEnd::Stopped, out);
        let Order { play, sounds, repeat, barge_in } = order;
        let (player, wants) = Player::new(now.mono, play, sounds, repeat, barge_in, &self.prompts);
        if let Some(session) = self.session(slot) {
            session.activate(now.mono);
            session.player = Some(Box::new(player));
        }
        out.loads.extend(wants.loads);
        self.note_missing(wants.missing, out);
    }

    fn join(&mut self, now: Now, a: SessionId, b: SessionId, out: &mut MediaOut) {
        let (Some(a), Some(b)) = (self.slot(a), self.slot(b)) else { return };
        if a == b {
            self.counters.ignored_commands += 1;
            return;
        }
        for (one, other) in [(a, b), (b, a)] {
            self.part(one);
            self.end_play(one, PlayEnd::Stopped, out);
            if let Some(session) = self.session(one) {
                session.activate(now.mono);
                session.joined = Some(other);
            }
        }
    }

    /// What this session hears instead of its join. A play ends: it would hide the mix.
    fn mix(&mut self, now: Now, session: SessionId, from: &[SessionId], out: &mut MediaOut) {
        let Some(slot) = self.slot(session) else { return };
        let sources: Vec<usize> =
            from.iter().filter(|s| **s != session).take(MAX_MIXED).filter_map(|s| self.slot(*s)).collect();
        self.end_play(slot, PlayEnd::Stopped, out);
        if let Some(session) = self.session(slot) {
            session.activate(now.mono);
            session.mix = Some(Mix::of(sources));
        }
        self.feed_mixes();
    }

    /// Sessions that are heard in a mix keep what their peers say; no others do.
    pub(super) fn feed_mixes(&mut self) {
        let heard: BTreeSet<usize> = self
            .sessions
            .iter()
            .flatten()
            .filter_map(|s| s.mix.as_ref())
            .flat_map(|m| m.sources.clone())
            .collect();
        for (slot, session) in self.sessions.iter_mut().enumerate() {
            let Some(session) = session else { continue };
            match (heard.contains(&slot), session.feed.is_some()) {
                (true, false) => session.feed = Some(Box::default()),
                (false, true) => session.feed = None,
                (true, true) | (false, false) => {}
            }
        }
    }

    fn echo(&mut self, now: Now, session: SessionId, on: bool, out: &mut MediaOut) {
        let Some(slot) = self.slot(session) else { return };
        self.part(slot);
        if on {
            self.end_play(slot, PlayEnd::Stopped, out);
        }
        if let Some(session) = self.session(slot) {
            session.activate(now.mono);
            session.echo = on;
        }
    }

    pub(super) fn send_digit(&mut self, slot: usize, digit: model::media::Digit, ms: u16) {
        let taken = self
            .session(slot)
            .is_none_or(|s| s.keys.get_or_insert_with(|| Box::new(DigitSender::default())).push(digit, ms));
        if !taken {
            self.counters.digits_dropped += 1;
        }
    }

    fn page(&mut self, session: SessionId, output: Option<String>, out: &mut MediaOut) {
        let Some(slot) = self.slot(session) else { return };
        if let Some(name) = &output {
            let taken =
                self.sessions.iter().flatten().any(|s| s.id != session && s.page.as_ref() == Some(name));
            let why = match (self.outputs.contains(name), taken) {
                (false, _) => Some("is not configured"),
                (true, true) => Some("is in use by another call"),
                (true, false) => None,
            };
            if let Some(why) = why {
                out.events.push(MediaEvent::Trouble(format!("paging output {name} {why}")));
                return;
            }
        }
        if let Some(session) = self.session(slot) {
            session.page = output;
        }
    }

    fn close(&mut self, now: Now, session: SessionId, out: &mut MediaOut) {
        let Some(slot) = self.slot(session) else { return };
        self.shut(now, slot, out);
    }

    /// Ends a session and all that hangs on it.
    pub(super) fn shut(&mut self, now: Now, slot: usize, out: &mut MediaOut) {
        self.part(slot);
        // The slot may be given to a stranger: nobody's mix may still have it.
        self.sessions.iter_mut().flatten().filter_map(|s| s.mix.as_mut()).for_each(|m| {
            m.sources.retain(|source| *source != slot);
        });
        self.release_taps(now, slot, out);
        let Some(mut session) = self.sessions.get_mut(slot).and_then(Option::take) else { return };
        self.open -= 1;
        out.ears.extend(session.ear.take().map(|ear| EarOp::Close { ear: ear.id }));
        session.farewell(now, &self.cname, out);
        self.ports.release(session.port);
        out.ports.push(PortChange { port: session.port, open: false });
        if session.orphan {
            out.events.push(MediaEvent::PortFree { port: session.port });
        } else {
            self.ids.remove(&session.id);
            out.events.push(MediaEvent::Closed { session: session.id, stats: session.stats() });
        }
    }

    fn devices(
        &mut self,
        sources: &[(String, MusicSource)],
        outputs: &[(String, String)],
        out: &mut MediaOut,
    ) {
        out.loads.extend(self.music.configure(sources, &self.prompts));
        self.outputs =
            outputs.iter().take(crate::limits::MAX_DEVICES).map(|(name, _)| name.clone()).collect();
        for session in self.sessions.iter_mut().flatten() {
            session.page = session.page.take().filter(|name| self.outputs.contains(name));
        }
    }
}

/// A play as asked for.
struct Order {
    play: PlayId,
    sounds: Vec<Sound>,
    repeat: bool,
    barge_in: bool,
}
