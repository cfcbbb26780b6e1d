//! Between what a browser speaks and the G.711 of the media core. One of these for each browser: Opus and G.722 remember
//! what they have heard. Pure but for the library inside.
use super::g722;
use super::opus::{Decoder, Encoder};
use media::codec;
use model::media::Codec;

/// Samples of 20 ms.
const FRAME: usize = 160;
/// Steps of the RTP clock of Opus (48 kHz, RFC 7587) for one of ours.
const OPUS_STEPS: u32 = 6;

/// A sound coding of browsers that we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speech {
    /// Opus, RFC 7587.
    Opus,
    /// G.722 at 64 kbit/s.
    G722,
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
}

impl Speech {
    /// Of the value of an `a=rtpmap` line.
    pub fn read(rtpmap: &str) -> Option<Speech> {
        match rtpmap.split('/').next()?.to_ascii_lowercase().as_str() {
            "opus" => Some(Speech::Opus),
            "g722" => Some(Speech::G722),
            "pcmu" => Some(Speech::Pcmu),
            "pcma" => Some(Speech::Pcma),
            _ => None,
        }
    }
}

/// The two directions.
pub(super) struct Transcoder(Kind);

enum Kind {
    Law(Codec),
    Opus(Box<OpusPair>),
    G722(Box<(g722::Encoder, g722::Decoder)>),
}

struct OpusPair {
    encoder: Encoder,
    decoder: Decoder,
    /// Sound for the browser that fills no frame yet, and the time of its first sample.
    waiting: Vec<i16>,
    time: u32,
}

/// A packet for a browser.
pub(super) struct ForBrowser {
    pub timestamp: u32,
    pub payload: Vec<u8>,
}

impl Transcoder {
    /// For a browser that speaks this; none when there is no memory.
    pub fn new(speech: Speech) -> Option<Transcoder> {
        Some(Transcoder(match speech {
            Speech::Pcmu => Kind::Law(Codec::Pcmu),
            Speech::Pcma => Kind::Law(Codec::Pcma),
            Speech::G722 => Kind::G722(Box::new((g722::Encoder::new(), g722::Decoder::new()))),
            Speech::Opus => {
                let (encoder, decoder) = (Encoder::new()?, Decoder::new()?);
                Kind::Opus(Box::new(OpusPair { encoder, decoder, waiting: Vec::new(), time: 0 }))
            }
        }))
    }

    /// A packet of the browser in the core's law, appended; its time in steps of 8 kHz.
    pub fn for_core(&mut self, time: u32, payload: &[u8], law: Codec, into: &mut Vec<u8>) -> u32 {
        match &mut self.0 {
            Kind::Law(from) => {
                codec::convert(*from, law, payload, into);
                time
            }
            Kind::Opus(pair) => {
                let sound = pair.decoder.decode(payload).unwrap_or_default();
                into.extend(sound.iter().map(|&s| encode(law, s)));
                time / OPUS_STEPS
            }
            Kind::G722(pair) => {
                into.extend(pair.1.decode(payload).into_iter().map(|s| encode(law, s)));
                time
            }
        }
    }

    /// A packet of the core for the browser: as many packets as there are whole frames.
    pub fn for_browser(&mut self, time: u32, law: Codec, payload: &[u8]) -> Vec<ForBrowser> {
        match &mut self.0 {
            Kind::Law(to) => {
                let mut sound = Vec::with_capacity(payload.len());
                codec::convert(law, *to, payload, &mut sound);
                vec![ForBrowser { timestamp: time, payload: sound }]
            }
            Kind::Opus(pair) => pair.for_browser(time, law, payload),
            Kind::G722(pair) => {
                let payload = pair.0.encode(payload.iter().map(|&code| codec::to_linear(law, code)));
                vec![ForBrowser { timestamp: time, payload }]
            }
        }
    }
}

impl OpusPair {
    fn for_browser(&mut self, time: u32, law: Codec, payload: &[u8]) -> Vec<ForBrowser> {
        let held = u32::try_from(self.waiting.len()).unwrap_or(0);
        if self.time.wrapping_add(held) != time {
            // A gap, or another stream: what is left over belongs to what was before.
            self.waiting.clear();
            self.time = time;
        }
        self.waiting.extend(payload.iter().map(|&code| codec::to_linear(law, code)));
        let mut packets = Vec::new();
        while let Some(frame) = self.waiting.first_chunk::<FRAME>() {
            if let Some(payload) = self.encoder.encode(frame) {
                packets.push(ForBrowser { timestamp: self.time.wrapping_mul(OPUS_STEPS), payload });
            }
            self.waiting.drain(..FRAME);
            self.time = self.time.wrapping_add(160);
        }
        packets
    }
}

fn encode(law: Codec, sample: i16) -> u8 {
    match law {
        Codec::Pcmu => codec::linear_to_ulaw(sample),
        Codec::Pcma => codec::linear_to_alaw(sample),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of 1 kHz at half scale, µ-law.
    fn tone() -> Vec<u8> {
        let sample = |i: u32| (f64::from(i) * 1000.0 * std::f64::consts::TAU / 8000.0).sin() * 16_000.0;
        #[expect(clippy::cast_possible_truncation, reason = "within ±16,000")]
        (0..8000).map(|i| codec::linear_to_ulaw(sample(i) as i16)).collect()
    }

    /// Share of the energy that is 1 kHz (Goertzel), and the energy.
    fn purity(sound: &[i16]) -> (f64, f64) {
        let coefficient = 2.0 * (std::f64::consts::TAU * 1000.0 / 8000.0).cos();
        let (mut a, mut b) = (0.0, 0.0);
        for &x in sound {
            (a, b) = (f64::from(x) + coefficient * a - b, a);
        }
        let energy: f64 = sound.iter().map(|&x| f64::from(x).powi(2)).sum();
        let count = f64::from(u32::try_from(sound.len()).unwrap());
        (2.0 * (a * a + b * b - coefficient * a * b) / count / energy, energy / count)
    }

    #[test]
    fn a_tone_survives_opus_both_ways() {
        let (mut here, mut browser) =
            (Transcoder::new(Speech::Opus).unwrap(), Transcoder::new(Speech::Opus).unwrap());
        let mut back = Vec::new();
        // 30 ms packets from the core: frames are cut anew.
        for (number, piece) in (0u32..).zip(tone().chunks(240)) {
            for packet in here.for_browser(number * 240, Codec::Pcmu, piece) {
                assert_eq!(packet.timestamp % 960, 0, "20 ms at 48 kHz");
                browser.for_core(packet.timestamp, &packet.payload, Codec::Pcmu, &mut back);
            }
        }
        assert_eq!(back.len(), 8000 / 160 * 160);
        let sound: Vec<i16> = back[2000..].iter().map(|&c| codec::ulaw_to_linear(c)).collect();
        let (share, energy) = purity(&sound);
        assert!(share > 0.9 && energy > 0.4 * 16_000f64.powi(2) / 2.0, "{share} {energy}");
    }

    #[test]
    fn a_tone_survives_g722_both_ways_octet_for_octet() {
        let (mut here, mut browser) =
            (Transcoder::new(Speech::G722).unwrap(), Transcoder::new(Speech::G722).unwrap());
        let mut back = Vec::new();
        for (number, piece) in (0u32..).zip(tone().chunks(240)) {
            let packets = here.for_browser(number * 240, Codec::Pcmu, piece);
            let [packet] = packets.as_slice() else { panic!("one for one") };
            assert_eq!((packet.timestamp, packet.payload.len()), (number * 240, piece.len()));
            let time = browser.for_core(packet.timestamp, &packet.payload, Codec::Pcmu, &mut back);
            assert_eq!(time, number * 240, "its clock says 8 kHz");
        }
        assert_eq!(back.len(), 8000);
        let sound: Vec<i16> = back[2000..].iter().map(|&c| codec::ulaw_to_linear(c)).collect();
        let (share, energy) = purity(&sound);
        let level = 10.0 * (energy / (16_000f64.powi(2) / 2.0)).log10();
        assert!(share > 0.98 && level.abs() < 1.0, "{share} {level} dB");
    }

    #[test]
    fn a_gap_starts_a_new_frame_at_its_own_time() {
        let mut here = Transcoder::new(Speech::Opus).unwrap();
        assert!(here.for_browser(0, Codec::Pcma, &[0xD5; 100]).is_empty());
        let after = here.for_browser(1000, Codec::Pcma, &[0xD5; 160]);
        assert_eq!(after.iter().map(|p| p.timestamp).collect::<Vec<_>>(), [6000]);
    }

    #[test]
    fn junk_is_silence_not_a_crash() {
        let mut here = Transcoder::new(Speech::Opus).unwrap();
        let mut chance = 7u32;
        for length in 0..2000usize {
            let junk: Vec<u8> = (0..length % 700)
                .map(|_| {
                    chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    chance.to_be_bytes()[0]
                })
                .collect();
            let mut into = Vec::new();
            here.for_core(0, &junk, Codec::Pcmu, &mut into);
            assert!(into.len() <= 960);
        }
    }

    #[test]
    fn laws_are_converted_without_a_change_of_time() {
        let mut here = Transcoder::new(Speech::Pcma).unwrap();
        let mut into = Vec::new();
        assert_eq!(here.for_core(77, &[0xD5], Codec::Pcmu, &mut into), 77);
        assert_eq!(into, [0xFE]);
        let told = here.for_browser(78, Codec::Pcmu, &[0xFF]);
        assert_eq!((told[0].timestamp, told[0].payload[0]), (78, 0xD5));
    }
}
