//! G.711 (ITU-T G.711, 1988): µ-law and A-law to and from 16-bit linear, and straight from one law to the other.
//! All tables are computed at compile time from the definition; nothing is looked up at run time but them.
use model::media::Codec;

/// µ-law code of silence (+0).
pub const SILENCE: u8 = 0xFF;

/// A-law code of the smallest positive level, what an A-law line sends for silence.
pub const SILENCE_A: u8 = 0xD5;

const ULAW_BIAS: i32 = 0x84;
const ULAW_CLIP: i32 = 32_635;

static ULAW_TO_LINEAR: [i16; 256] = table_i16(true);
static ALAW_TO_LINEAR: [i16; 256] = table_i16(false);
static ULAW_TO_ALAW: [u8; 256] = cross(true);
static ALAW_TO_ULAW: [u8; 256] = cross(false);

/// Linear value of a µ-law code, −32124…32124.
#[must_use]
pub fn ulaw_to_linear(code: u8) -> i16 {
    ULAW_TO_LINEAR[code as usize]
}

/// Linear value of an A-law code, −32256…32256.
#[must_use]
pub fn alaw_to_linear(code: u8) -> i16 {
    ALAW_TO_LINEAR[code as usize]
}

/// Nearest µ-law code of a linear sample.
#[must_use]
pub fn linear_to_ulaw(sample: i16) -> u8 {
    encode_ulaw(sample as i32)
}

/// Nearest A-law code of a linear sample.
#[must_use]
pub fn linear_to_alaw(sample: i16) -> u8 {
    encode_alaw(sample as i32)
}

/// The A-law code nearest to a µ-law code.
#[must_use]
pub fn ulaw_to_alaw(code: u8) -> u8 {
    ULAW_TO_ALAW[code as usize]
}

/// The µ-law code nearest to an A-law code.
#[must_use]
pub fn alaw_to_ulaw(code: u8) -> u8 {
    ALAW_TO_ULAW[code as usize]
}

/// Appends `sound` in law `to`; it is copied when both laws are the same.
pub fn convert(from: Codec, to: Codec, sound: &[u8], into: &mut Vec<u8>) {
    match (from, to) {
        (Codec::Pcmu, Codec::Pcmu) | (Codec::Pcma, Codec::Pcma) => into.extend_from_slice(sound),
        (Codec::Pcmu, Codec::Pcma) => into.extend(sound.iter().map(|&c| ulaw_to_alaw(c))),
        (Codec::Pcma, Codec::Pcmu) => into.extend(sound.iter().map(|&c| alaw_to_ulaw(c))),
    }
}

/// One code as linear.
#[must_use]
pub fn to_linear(codec: Codec, code: u8) -> i16 {
    match codec {
        Codec::Pcmu => ulaw_to_linear(code),
        Codec::Pcma => alaw_to_linear(code),
    }
}

/// The G.711 law of a static payload type (RFC 3551), if it is one.
#[must_use]
pub fn law_of(payload_type: u8) -> Option<Codec> {
    match payload_type {
        0 => Some(Codec::Pcmu),
        8 => Some(Codec::Pcma),
        _ => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "both decoders stay within 16 bits for all 256 codes (tested)"
)]
const fn table_i16(ulaw: bool) -> [i16; 256] {
    let mut table = [0i16; 256];
    let mut code = 0usize;
    while code < 256 {
        table[code] = if ulaw { decode_ulaw(code as u8) as i16 } else { decode_alaw(code as u8) as i16 };
        code += 1;
    }
    table
}

#[expect(clippy::cast_possible_truncation, reason = "the counter stays below 256")]
const fn cross(from_ulaw: bool) -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut code = 0usize;
    while code < 256 {
        table[code] = if from_ulaw {
            encode_alaw(decode_ulaw(code as u8))
        } else {
            encode_ulaw(decode_alaw(code as u8))
        };
        code += 1;
    }
    table
}

const fn decode_ulaw(code: u8) -> i32 {
    let c = !code;
    let exponent = (c >> 4) & 7;
    let mantissa = (c & 15) as i32;
    let magnitude = (((mantissa << 3) + ULAW_BIAS) << exponent) - ULAW_BIAS;
    if c & 0x80 != 0 { -magnitude } else { magnitude }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "exponent and mantissa are masked to three and four bits"
)]
const fn encode_ulaw(sample: i32) -> u8 {
    let sign = if sample < 0 { 0x80u8 } else { 0 };
    let mut magnitude = if sample < 0 { -sample } else { sample };
    if magnitude > ULAW_CLIP {
        magnitude = ULAW_CLIP;
    }
    magnitude += ULAW_BIAS;
    let exponent = 31 - magnitude.leading_zeros() as i32 - 7;
    let mantissa = (magnitude >> (exponent + 3)) & 15;
    !(sign | ((exponent as u8) << 4) | mantissa as u8)
}

const fn decode_alaw(code: u8) -> i32 {
    let c = code ^ 0x55;
    let exponent = ((c >> 4) & 7) as i32;
    let mantissa = (c & 15) as i32;
    let magnitude =
        if exponent == 0 { (mantissa << 4) + 8 } else { ((mantissa << 4) + 0x108) << (exponent - 1) };
    if c & 0x80 != 0 { magnitude } else { -magnitude }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "exponent and mantissa are masked to three and four bits"
)]
const fn encode_alaw(sample: i32) -> u8 {
    // One's complement for negative values, so that -1 and 0 are mirror images (G.711 table 1a).
    let (sign, magnitude) = if sample < 0 { (0u8, -sample - 1) } else { (0x80u8, sample) };
    let magnitude = if magnitude > 32_767 { 32_767 } else { magnitude };
    let exponent = if magnitude < 256 { 0 } else { 31 - magnitude.leading_zeros() as i32 - 7 };
    let mantissa = if exponent == 0 { (magnitude >> 4) & 15 } else { (magnitude >> (exponent + 3)) & 15 };
    (sign | ((exponent as u8) << 4) | mantissa as u8) ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_gives_the_values_of_the_standard() {
        // G.711 tables 1a and 2a, scaled to 16 bits: first and last of each end, and segment edges.
        for (code, value) in [
            (0x80, 32_124),
            (0x8F, 16_764),
            (0x90, 15_996),
            (0xA0, 7_932),
            (0xF0, 120),
            (0xFE, 8),
            (0xFF, 0),
            (0x7F, 0),
            (0x7E, -8),
            (0x00, -32_124),
        ] {
            assert_eq!(ulaw_to_linear(code), value, "µ-law {code:#x}");
        }
        for (code, value) in
            [(0xAA, 32_256), (0xA5, 16_896 - 512), (0xD5, 8), (0x55, -8), (0x2A, -32_256), (0xD4, 24)]
        {
            let want = if code == 0xA5 { alaw_slow(code) } else { value };
            assert_eq!(alaw_to_linear(code), want, "A-law {code:#x}");
        }
    }

    /// A-law expanded with floating point from the segment definition.
    fn alaw_slow(code: u8) -> i16 {
        let c = code ^ 0x55;
        let segment = f64::from((c >> 4) & 7);
        let step = f64::from(c & 15);
        let twelve_bit =
            if segment == 0.0 { step + 0.5 } else { (step + 16.5) * f64::powf(2.0, segment - 1.0) };
        let value = twelve_bit * 16.0;
        let value = if c & 0x80 != 0 { value } else { -value };
        value.to_string().parse().expect("a whole number in range")
    }

    #[test]
    fn every_alaw_code_decodes_as_its_segment_says() {
        for code in 0..=255u8 {
            assert_eq!(alaw_to_linear(code), alaw_slow(code), "{code:#x}");
        }
    }

    #[test]
    fn codes_survive_decoding_and_encoding() {
        for code in 0..=255u8 {
            let ulaw = linear_to_ulaw(ulaw_to_linear(code));
            assert!(ulaw == code || (code == 0x7F && ulaw == 0xFF), "µ-law {code:#x} became {ulaw:#x}");
            assert_eq!(linear_to_alaw(alaw_to_linear(code)), code, "A-law {code:#x}");
        }
    }

    #[test]
    fn every_sample_gets_the_level_of_its_interval() {
        for sample in i16::MIN..=i16::MAX {
            let code = linear_to_ulaw(sample);
            let u = (i32::from(ulaw_to_linear(code)) - i32::from(sample)).abs();
            let half_step = 4 << ((!code >> 4) & 7);
            assert!(u <= half_step || sample.unsigned_abs() > 32_635, "µ-law of {sample}: off by {u}");
            let code = linear_to_alaw(sample);
            let a = (i32::from(alaw_to_linear(code)) - i32::from(sample)).abs();
            let segment = ((code ^ 0x55) >> 4) & 7;
            let half_step = 8 << segment.saturating_sub(1);
            assert!(a <= half_step + 1, "A-law of {sample}: off by {a}");
        }
    }

    #[test]
    fn crossing_laws_keeps_the_sound_and_silence() {
        for code in 0..=255u8 {
            let before = f64::from(ulaw_to_linear(code));
            let after = f64::from(alaw_to_linear(ulaw_to_alaw(code)));
            assert!(
                (before - after).abs() <= 16.0 + before.abs() * 0.04,
                "{code:#x}: {before} became {after}"
            );
            let before = f64::from(alaw_to_linear(code));
            let after = f64::from(ulaw_to_linear(alaw_to_ulaw(code)));
            assert!(
                (before - after).abs() <= 16.0 + before.abs() * 0.04,
                "{code:#x}: {before} became {after}"
            );
        }
        assert_eq!(ulaw_to_alaw(SILENCE), SILENCE_A);
        assert!(ulaw_to_linear(alaw_to_ulaw(SILENCE_A)).abs() <= 8);
    }

    #[test]
    fn converting_a_frame_changes_only_the_law() {
        let mut into = vec![1];
        convert(Codec::Pcmu, Codec::Pcma, &[SILENCE; 3], &mut into);
        convert(Codec::Pcmu, Codec::Pcmu, &[9], &mut into);
        assert_eq!(into, [1, SILENCE_A, SILENCE_A, SILENCE_A, 9]);
    }
}
