//! What reads bytes that others made, one function each: SIP, its streams and values, SDP, RTP, RTCP, sound files, the text
//! of a site, frames between the roles. A target says whether it understood its input; it fails only by a panic.
//!
//! Two ways to run them:
//! - `cargo run --release -p fuzz -- sip 60` mutates the seeds for 60 seconds on any compiler and prints the slowest input;
//! - `cargo fuzz run --fuzz-dir tests/fuzz --features libfuzzer sip` is guided by coverage (a nightly compiler, or stable with
//!   `--sanitizer none`).
//!
//! `tools/test` runs all of them for a moment.
mod seeds;

pub use seeds::{Mutator, seeds};

use media::core::MediaCore;
use media::digits::{EventReader, InbandDetector};
use media::out::MediaOut;
use media::prompts::PromptSet;
use media::{rtcp as rtcp_packet, rtp as rtp_packet, wav as wav_file};
use model::clock::{Mono, Now};
use model::config::{draft, text};
use model::id::SessionId;
use model::media::{Codec, MediaCommand, PROTOCOL, Remote};
use model::number::{Mask, Number};
use net::frame::FrameReader;
use sip::digest::client::Challenge;
use sip::endpoint::Settings;
use sip::framing::{Frame, StreamFramer};
use sip::sdp::offer_answer::Side;
use sip::sdp::{Direction, Sdp};
use sip::{Endpoint, Flow, Message, NameAddr, Uri};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// Reads one input; whether it was understood.
pub type Target = fn(&[u8]) -> bool;

/// All targets by name.
pub const TARGETS: [(&str, Target); 9] = [
    ("frame", frame),
    ("rtcp", rtcp),
    ("rtp", rtp),
    ("sdp", sdp),
    ("sip", sip),
    ("site", site),
    ("stream", stream),
    ("values", values),
    ("wav", wav),
];

const BOX: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5060);
const STRANGER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 9)), 5060);
const NOW: Now = Now { mono: Mono(1_000_000), wall: model::clock::Wall(1_700_000_000_000) };

/// A datagram at the SIP door: read, answered by an endpoint that knows nothing, its late timers run.
pub fn sip(bytes: &[u8]) -> bool {
    let mut endpoint = Endpoint::new(Settings::new([7; 32]));
    let mut out = Vec::new();
    endpoint.receive(NOW, Flow::udp(BOX, STRANGER), bytes, &mut out);
    endpoint.handle_timeout(Now { mono: Mono(90_000_000), ..NOW }, &mut out);
    match Message::read(bytes) {
        Ok(Message::Request(request)) => request.contacts().count() <= bytes.len(),
        Ok(Message::Response(response)) => response.retry_after().is_none_or(|_| true),
        Err(_) => false,
    }
}

/// Messages cut from a TCP stream, in pieces as they may come.
pub fn stream(bytes: &[u8]) -> bool {
    let mut framer = StreamFramer::new();
    let mut found = 0;
    for piece in bytes.chunks(97) {
        framer.push(piece);
        while let Ok(Some(frame)) = framer.next_frame() {
            if let Frame::Message(message) = frame {
                found += usize::from(Message::read(&message).is_ok());
            }
        }
    }
    found > 0
}

/// Values of headers and fields, each line by every reader.
pub fn values(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut understood = 0;
    for line in text.lines().take(32) {
        let uri = Uri::read(line).is_ok_and(|uri| uri.same(&uri.without_headers()) || !uri.host().is_empty());
        let named = NameAddr::read(line).is_ok();
        let path = sip::via::Via::read(line).is_ok() || sip::cseq::CSeq::read(line).is_ok();
        let challenge = Challenge::read(line).is_some();
        let number = Number::read(line).is_some() || Mask::read(line).is_ok();
        understood += usize::from(uri || named || path || challenge || number);
    }
    understood > 0
}

/// A session description, and the answer to it.
pub fn sdp(bytes: &[u8]) -> bool {
    let Ok(offer) = Sdp::read(bytes) else { return false };
    let mut side = Side::new(SocketAddr::new(BOX.ip(), 4000), &[Codec::Pcmu, Codec::Pcma], 1);
    side.answer(&offer, STRANGER.ip(), Direction::SendRecv).is_ok()
}

/// A port with a session whose peer is known.
fn call() -> (MediaCore, MediaOut) {
    let (mut core, mut out) = (MediaCore::new([10_000], 42, Arc::new(PromptSet::new())), MediaOut::new());
    core.command(NOW, MediaCommand::Hello { protocol: PROTOCOL, epoch: 1, orphan_s: 10 }, &mut out);
    core.command(NOW, MediaCommand::Open { session: SessionId(1), port: 10_000 }, &mut out);
    let remote = Remote {
        address: STRANGER,
        signalled_from: STRANGER.ip(),
        codec: Codec::Pcmu,
        event_type: Some(101),
        send: true,
        receive: true,
    };
    core.command(NOW, MediaCommand::Remote { session: SessionId(1), remote }, &mut out);
    (core, out)
}

/// A datagram at a media port: the packet, keys in it and the sound of it.
pub fn rtp(bytes: &[u8]) -> bool {
    let (mut core, mut out) = call();
    core.packet(NOW, 10_000, STRANGER, bytes, &mut out);
    let Some(packet) = rtp_packet::parse(bytes) else { return false };
    let (mut keys, mut ear) = (EventReader::default(), InbandDetector::default());
    keys.read(NOW.mono, packet.ssrc, packet.timestamp, packet.marker, packet.payload);
    ear.hear(Codec::Pcmu, packet.payload);
    true
}

/// A report at a media port.
pub fn rtcp(bytes: &[u8]) -> bool {
    let (mut core, mut out) = call();
    core.rtcp(NOW, 10_000, STRANGER, bytes, &mut out);
    rtcp_packet::parse(bytes, 1).is_some()
}

/// A sound file that somebody uploaded.
pub fn wav(bytes: &[u8]) -> bool {
    wav_file::decode(bytes).is_ok()
}

/// The text of a site: every problem told, never a panic.
pub fn site(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    text::parse(text).is_ok_and(|tree| draft::read(&tree).is_ok())
}

/// Frames of the socket between the roles.
pub fn frame(bytes: &[u8]) -> bool {
    let mut reader = FrameReader::default();
    let mut words = 0;
    for piece in bytes.chunks(61) {
        reader.push(piece);
        while let Ok(Some(word)) = reader.word::<MediaCommand>() {
            words += usize::from(!matches!(word, MediaCommand::Hello { protocol: 0, .. }));
        }
    }
    words > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Enough to see that a target works; minutes and hours are run by hand.
    const MUTANTS: u32 = 3_000;

    #[test]
    fn every_target_understands_its_seeds_and_lives_through_mutants() {
        for (name, target) in TARGETS {
            let seeds = seeds(name);
            assert!(seeds.iter().any(|seed| target(seed)), "{name} understands none of its seeds");
            let mut mutator = Mutator::new(seeds, 0x5EED);
            for _ in 0..MUTANTS {
                target(&mutator.mutant());
            }
        }
    }
}
