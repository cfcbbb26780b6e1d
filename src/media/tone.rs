//! Tones: made (ringing, beeps, in-band keys) and measured (Goertzel). Levels are linear amplitudes, full scale
//! 32 767; the sample rate is 8 kHz throughout.
use crate::codec;
use std::f64::consts::TAU;

/// Samples per second.
pub const RATE: f64 = 8000.0;

/// Amplitude of each frequency of a made tone: −13 dBm0 for one of two, the usual level of a key press.
pub const AMPLITUDE: f64 = 5000.0;

/// Makes one or two sine waves; remembers its phase from frame to frame.
#[derive(Clone, Debug)]
pub struct Tone {
    step: [f64; 2],
    phase: [f64; 2],
}

impl Tone {
    /// A tone of two frequencies in Hz; 0 leaves one out. Frequencies of 4 kHz and above are left out too.
    #[must_use]
    pub fn new(hz: u16, hz2: u16) -> Tone {
        let step = |hz: u16| if hz < 4000 { f64::from(hz) / RATE * TAU } else { 0.0 };
        Tone { step: [step(hz), step(hz2)], phase: [0.0; 2] }
    }

    /// The two frequencies of a key (ITU-T Q.23).
    #[must_use]
    pub fn of_key(key: char) -> Tone {
        let (low, high) = key_frequencies(key).unwrap_or((0, 0));
        Tone::new(low, high)
    }

    /// The next sample, µ-law.
    pub fn sample(&mut self) -> u8 {
        let mut sum = 0.0;
        for (step, phase) in self.step.iter().zip(self.phase.iter_mut()) {
            if *step > 0.0 {
                sum += phase.sin();
                *phase = (*phase + step) % TAU;
            }
        }
        codec::linear_to_ulaw(round(sum * AMPLITUDE))
    }

    /// Appends `samples` samples, µ-law.
    pub fn fill(&mut self, samples: usize, into: &mut Vec<u8>) {
        into.extend((0..samples).map(|_| self.sample()));
    }
}

/// Low and high frequency of a key in Hz, if it is one of the sixteen.
#[must_use]
pub fn key_frequencies(key: char) -> Option<(u16, u16)> {
    let place = "123A456B789C*0#D".find(key.to_ascii_uppercase())?;
    Some((LOW.get(place / 4).copied()?, HIGH.get(place % 4).copied()?))
}

/// Low group of Q.23, Hz.
pub const LOW: [u16; 4] = [697, 770, 852, 941];

/// High group of Q.23, Hz.
pub const HIGH: [u16; 4] = [1209, 1336, 1477, 1633];

/// Amplitude of frequency `hz` in linear samples (a sine of amplitude A measures A when whole periods fit).
#[must_use]
pub fn amplitude(samples: &[i16], hz: f64) -> f64 {
    let coefficient = 2.0 * (TAU * hz / RATE).cos();
    let (mut s1, mut s2) = (0.0, 0.0);
    for &x in samples {
        let s0 = f64::from(x) + coefficient * s1 - s2;
        s2 = s1;
        s1 = s0;
    }
    let power = (s1 * s1 + s2 * s2 - coefficient * s1 * s2).max(0.0);
    let count = u32::try_from(samples.len()).unwrap_or(u32::MAX).max(1);
    2.0 * power.sqrt() / f64::from(count)
}

/// Amplitude of frequency `hz` in µ-law sound. For tests and the box's own canary call.
#[must_use]
pub fn ulaw_amplitude(sound: &[u8], hz: f64) -> f64 {
    let linear: Vec<i16> = sound.iter().map(|&c| codec::ulaw_to_linear(c)).collect();
    amplitude(&linear, hz)
}

/// Share (0–1) of the sound's power that is at `hz`: near 1 for a clean tone, near 0 for another tone, noise or
/// silence. For tests and the canary.
#[must_use]
pub fn ulaw_share(sound: &[u8], hz: f64) -> f64 {
    let total: f64 = sound.iter().map(|&c| f64::from(codec::ulaw_to_linear(c)).powi(2)).sum();
    let count = u32::try_from(sound.len()).unwrap_or(u32::MAX).max(1);
    let mean = total / f64::from(count);
    if mean < 1.0 {
        return 0.0;
    }
    let a = ulaw_amplitude(sound, hz);
    (a * a / 2.0 / mean).min(1.0)
}

/// Mean of the absolute linear values: how loud a payload is, cheaply. 0…32 124.
#[must_use]
pub fn loudness(codec: model::media::Codec, sound: &[u8]) -> u32 {
    let sum: u32 = sound.iter().map(|&c| u32::from(codec::to_linear(codec, c).unsigned_abs())).sum();
    sum / u32::try_from(sound.len()).unwrap_or(u32::MAX).max(1)
}

/// Nearest sample value, held at full scale.
#[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i16 in the same expression")]
pub(crate) fn round(value: f64) -> i16 {
    value.clamp(-32_767.0, 32_767.0).round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(hz: u16, hz2: u16, samples: usize) -> Vec<u8> {
        let mut into = Vec::new();
        Tone::new(hz, hz2).fill(samples, &mut into);
        into
    }

    #[test]
    fn a_made_tone_is_measured_at_its_frequency_and_nowhere_else() {
        let made = sound(1000, 0, 800);
        assert!((ulaw_amplitude(&made, 1000.0) - AMPLITUDE).abs() < 150.0);
        assert!(ulaw_share(&made, 1000.0) > 0.98);
        assert!(ulaw_share(&made, 700.0) < 0.01);
    }

    #[test]
    fn phase_goes_on_from_frame_to_frame() {
        let mut tone = Tone::new(437, 0);
        let mut joined = Vec::new();
        for _ in 0..10 {
            tone.fill(160, &mut joined);
        }
        assert_eq!(joined, sound(437, 0, 1600));
    }

    #[test]
    fn keys_have_the_frequencies_of_q23() {
        assert_eq!(key_frequencies('1'), Some((697, 1209)));
        assert_eq!(key_frequencies('#'), Some((941, 1477)));
        assert_eq!(key_frequencies('d'), Some((941, 1633)));
        assert_eq!(key_frequencies('x'), None);
        let made = sound(770, 1336, 800);
        assert!(ulaw_share(&made, 770.0) > 0.4 && ulaw_share(&made, 1336.0) > 0.4);
    }

    #[test]
    fn silence_has_no_share_of_anything_and_no_loudness() {
        assert!(ulaw_share(&[codec::SILENCE; 160], 1000.0) < f64::EPSILON);
        assert_eq!(loudness(model::media::Codec::Pcmu, &[codec::SILENCE; 160]), 0);
        assert_eq!(loudness(model::media::Codec::Pcmu, &[]), 0);
        assert!(loudness(model::media::Codec::Pcmu, &sound(1000, 0, 160)) > 2500);
    }
}
