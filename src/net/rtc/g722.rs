//! G.722 (ITU-T G.722, 64 kbit/s): 16,000 samples a second in one octet for every two, by the crate `audio-codec`; towards
//! the box 8,000 a second, because calls inside are G.711. Its RTP clock says 8,000 although it is wider (RFC 3551
//! section 4.5.2), so that octets, samples inside and steps of time are one number. Remembers what it has heard; pure.
use audio_codec::g722::{G722Decoder, G722Encoder};
use audio_codec::{Decoder as _, Encoder as _};
use media::halfband::{Doubler, Halver};

/// Makes octets.
pub(super) struct Encoder {
    codec: G722Encoder,
    up: Doubler,
}

/// Reads octets.
pub(super) struct Decoder {
    codec: G722Decoder,
    down: Halver,
}

impl Encoder {
    /// A new one.
    pub fn new() -> Encoder {
        Encoder { codec: G722Encoder::new(), up: Doubler::default() }
    }

    /// Samples of 8 kHz as so many octets.
    pub fn encode(&mut self, sound: impl Iterator<Item = i16>) -> Vec<u8> {
        let wide: Vec<i16> = sound.flat_map(|sample| self.up.push(sample)).collect();
        self.codec.encode(&wide)
    }
}

impl Decoder {
    /// A new one.
    pub fn new() -> Decoder {
        Decoder { codec: G722Decoder::new(), down: Halver::default() }
    }

    /// Octets as so many samples of 8 kHz. There are no octets that are none of G.722.
    pub fn decode(&mut self, octets: &[u8]) -> Vec<i16> {
        let wide = self.codec.decode(octets);
        wide.as_chunks::<2>().0.iter().map(|&pair| self.down.push(pair)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::tone::amplitude;

    /// A second of a sine.
    fn sine(hz: f64, rate: u32, peak: f64) -> Vec<i16> {
        let step = hz / f64::from(rate) * std::f64::consts::TAU;
        #[expect(clippy::cast_possible_truncation, reason = "peak is within 16 bits")]
        (0..rate).map(|n| ((f64::from(n) * step).sin() * peak) as i16).collect()
    }

    fn energy(sound: &[i16]) -> f64 {
        let count = f64::from(u32::try_from(sound.len()).unwrap());
        sound.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / count
    }

    #[test]
    fn a_tone_keeps_its_level_within_a_decibel_and_its_pitch() {
        for (hz, peak) in
            [(1000.0, 16_000.0), (1000.0, 500.0), (300.0, 8000.0), (2000.0, 8000.0), (3400.0, 8000.0)]
        {
            let (mut there, mut here) = (Encoder::new(), Decoder::new());
            let octets: Vec<u8> =
                sine(hz, 8000, peak).chunks(160).flat_map(|p| there.encode(p.iter().copied())).collect();
            assert_eq!(octets.len(), 8000, "an octet for each sample inside");
            let back: Vec<i16> = octets.chunks(160).flat_map(|p| here.decode(p)).collect();
            assert_eq!(back.len(), 8000);
            let steady = &back[800..7200];
            let level = 20.0 * (amplitude(steady, hz) / peak).log10();
            assert!(level.abs() < 1.0, "{hz} Hz at {peak}: {level} dB");
            let pure = amplitude(steady, hz).powi(2) / 2.0 / energy(steady);
            assert!(pure > 0.99, "{hz} Hz at {peak}: {pure} of it is that pitch");
        }
    }

    #[test]
    fn a_browsers_high_sounds_do_not_come_back_as_low_ones() {
        let octets = G722Encoder::new().encode(&sine(5500.0, 16_000, 8000.0));
        let sound = Decoder::new().decode(&octets);
        let ghost = amplitude(&sound[800..7200], 2500.0);
        assert!(ghost < 80.0, "5.5 kHz is heard as 2.5 kHz with {ghost}");
    }

    #[test]
    fn no_octets_stop_it() {
        let mut here = Decoder::new();
        let mut there = Encoder::new();
        let mut chance = 7u32;
        // Noise, and long runs of one code, which drive the steps to their ends.
        for turn in 0..4000u32 {
            let octets: Vec<u8> = (0..160)
                .map(|_| {
                    chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    if turn % 3 == 0 { chance.to_be_bytes()[0] } else { turn.to_be_bytes()[3] }
                })
                .collect();
            let sound = here.decode(&octets);
            assert_eq!(there.encode(sound.into_iter()).len(), 160);
        }
        for level in [i16::MIN, i16::MAX] {
            there.encode([level, -level.saturating_add(1)].repeat(4000).into_iter());
            there.encode([level; 8000].into_iter());
        }
    }
}
