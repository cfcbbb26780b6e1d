//! A datagram's way: source, header, stream, then sound or event to whoever hears it.
use super::MediaCore;
use crate::codec;
use crate::limits::MAX_PAYLOAD;
use crate::out::{MediaOut, PageFrame};
use crate::port::Verdict;
use crate::rtp::{self, Rtp};
use crate::session::{Relayed, Tap};
use crate::tone;
use model::clock::Now;
use model::media::{Codec, Digit, MediaEvent, PlayEnd, RecordEnd};
use std::net::SocketAddr;

/// Milliseconds of a key relayed to a peer without events.
const RELAYED_KEY_MS: u16 = 100;

impl MediaCore {
    /// Takes a datagram that came to the RTP port `port` from `source`.
    pub fn packet(&mut self, now: Now, port: u16, source: SocketAddr, bytes: &[u8], out: &mut MediaOut) {
        let Some(slot) = self.ports.session(port) else {
            self.counters.foreign += 1;
            return;
        };
        let Some(session) = self.session(slot) else { return };
        let packet = rtp::parse(bytes).filter(|p| p.payload.len() <= MAX_PAYLOAD);
        let Some(packet) = packet else {
            session.malformed = session.malformed.saturating_add(1);
            self.counters.malformed += 1;
            return;
        };
        let expected = session.remote.as_ref().is_some_and(|r| r.receive);
        let verdict =
            session.learning.as_mut().map_or(Verdict::Foreign, |l| l.judge(now.mono, source, expected));
        match verdict {
            Verdict::Foreign => {
                session.foreign = session.foreign.saturating_add(1);
                self.counters.foreign += 1;
                return;
            }
            Verdict::Learned => self.tell(slot, |session| MediaEvent::Latched { session, source }, out),
            Verdict::Known => {}
        }
        self.believed(now, slot, &packet, out);
    }

    /// Takes a datagram that came to the RTCP port beside `port`.
    pub fn rtcp(&mut self, now: Now, port: u16, source: SocketAddr, bytes: &[u8], _out: &mut MediaOut) {
        if let Some(slot) = self.ports.session(port)
            && let Some(session) = self.session(slot)
        {
            session.take_report(now.mono, source, bytes);
        }
    }

    fn believed(&mut self, now: Now, slot: usize, packet: &Rtp<'_>, out: &mut MediaOut) {
        let Some(session) = self.session(slot) else { return };
        let event_type = session.remote.as_ref().and_then(|r| r.event_type);
        let place = session.note(now.mono, packet);
        let law = codec::law_of(packet.payload_type);
        let relayed =
            Relayed { from: session.nth, generation: session.generation, place, packet: *packet, law };
        if event_type == Some(packet.payload_type) {
            self.event(now, slot, &Relayed { law: None, ..relayed }, out);
        } else if let Some(law) = law {
            self.sound(now, slot, law, &relayed, out);
        }
        // Anything else (comfort noise, a type nobody offered) only proves that the peer lives.
    }

    fn sound(&mut self, now: Now, slot: usize, law: Codec, relayed: &Relayed<'_>, out: &mut MediaOut) {
        let Some(session) = self.session(slot) else { return };
        let packet = &relayed.packet;
        session.reception.arrival(now.mono, packet.timestamp);
        let digit = session.inband.as_mut().and_then(|d| d.hear(law, packet.payload));
        let fed = session.feed.is_some();
        if let Some(feed) = session.feed.as_deref_mut() {
            feed.push(now.mono, relayed.generation, packet.timestamp, law, packet.payload);
        }
        let loud = !session.muted;
        let target = if session.echo { Some(slot) } else { session.joined }.filter(|_| loud);
        let tapped = loud && !session.taps.is_empty();
        if let Some(output) = session.page.as_ref().filter(|_| loud) {
            let mut sound = Vec::with_capacity(packet.payload.len());
            codec::convert(law, Codec::Pcmu, packet.payload, &mut sound);
            out.pages.push(PageFrame { output: output.clone(), sound });
        }
        if fed || target.is_some() {
            self.passed = Some(now.mono);
        }
        if let Some(target) = target.and_then(|t| self.session(t))
            && target.hears_others()
        {
            target.relay(now.mono, relayed, out);
        }
        if tapped {
            self.tap(now, slot, law, relayed);
        }
        self.listen_to(slot, law, packet.payload, out);
        if loud {
            self.hear_sound(slot, law, packet.payload, out);
        }
        if let Some(digit) = digit {
            self.pressed(now, slot, digit, out);
        }
    }

    fn tap(&mut self, now: Now, slot: usize, law: Codec, relayed: &Relayed<'_>) {
        let Some(session) = self.sessions.get(slot).and_then(Option::as_deref) else { return };
        let Rtp { payload, timestamp, .. } = relayed.packet;
        let loudness = tone::loudness(law, payload);
        for &Tap { recorder, channel } in &session.taps {
            let Some(recorder) = self.recorders.get_mut(recorder).and_then(|r| r.as_deref_mut()) else {
                continue;
            };
            let ulaw = payload.iter().map(|&c| match law {
                Codec::Pcmu => c,
                Codec::Pcma => codec::alaw_to_ulaw(c),
            });
            recorder.sound(now.mono, channel, relayed.generation, timestamp, loudness, ulaw);
        }
    }

    fn event(&mut self, now: Now, slot: usize, relayed: &Relayed<'_>, out: &mut MediaOut) {
        let Some(session) = self.session(slot) else { return };
        let p = &relayed.packet;
        let digit = session.events.read(now.mono, p.ssrc, p.timestamp, p.marker, p.payload);
        let joined = session.joined;
        if let Some(target) = joined
            && let Some(other) = self.session(target)
        {
            let has_events = other.remote.as_ref().is_some_and(|r| r.event_type.is_some());
            let mixes = other.mix.is_some();
            if has_events && other.hears_others() {
                other.relay(now.mono, relayed, out);
            } else if (!has_events || mixes)
                && let Some(digit) = digit
            {
                self.send_digit(target, digit, RELAYED_KEY_MS);
            }
        }
        if let Some(digit) = digit {
            self.pressed(now, slot, digit, out);
        }
    }

    /// A key of the peer: told, and it ends what said so.
    fn pressed(&mut self, now: Now, slot: usize, digit: Digit, out: &mut MediaOut) {
        self.tell(slot, |session| MediaEvent::Digit { session, digit }, out);
        let Some(session) = self.session(slot) else { return };
        let barge_in = session.player.as_ref().is_some_and(|p| p.barge_in);
        let first_channel: Vec<usize> =
            session.taps.iter().filter(|t| t.channel == 0).map(|t| t.recorder).collect();
        if barge_in {
            self.end_play(slot, PlayEnd::Digit, out);
        }
        for recorder in first_channel {
            let until =
                self.recorders.get(recorder).and_then(|r| r.as_deref()).is_some_and(|r| r.until_digit);
            if until {
                self.end_recording(now, recorder, RecordEnd::Digit, out);
            }
        }
    }
}
