//! Ten milliseconds of sound as numbers: how loud it is, and whether it is one tone or two. A Hann window of 256 samples
//! (32 ms, bins of 31.25 Hz) moves on by 80. Decides nothing about what a tone means.
use crate::tone::RATE;
use std::f32::consts::TAU;
use std::sync::LazyLock;

/// Samples from slice to slice: 10 ms.
pub(super) const HOP: usize = 80;

/// Samples looked at: two tones 140 Hz apart (480 and 620 Hz) are still seen as two.
const WINDOW: usize = 256;

/// Bins between which sound counts: 156 to 3 656 Hz, the band of a telephone without hum.
const BAND: std::ops::RangeInclusive<usize> = 5..=117;

/// Bins a tone fills to either side of its peak.
const LOBE: usize = 3;

/// Least share of the power in the band that tones must have: noise 8 dB below leaves it.
const SHARE: f32 = 0.85;

/// Least share of the second of two tones.
const SECOND: f32 = 0.06;

/// Below this nothing is looked for: the faintest tone that E.180 lets a network send is 20 dB above. dBFS.
const FAINTEST: f32 = -52.0;

/// 10 ms of sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Slice {
    /// Level of these 10 ms, dB of full scale.
    pub db: f32,
    /// The tone around them.
    pub tone: Option<Pitch>,
}

/// One tone, or two at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pitch {
    /// Frequency of the stronger, Hz.
    pub hz: f32,
    /// Frequency of the other.
    pub second: Option<f32>,
    /// Level of the whole window, dB of full scale.
    pub db: f32,
}

/// Cuts sound into slices.
#[derive(Debug)]
pub(super) struct Spectrum {
    window: [f32; WINDOW],
    fresh: usize,
}

impl Default for Spectrum {
    fn default() -> Spectrum {
        Spectrum { window: [0.0; WINDOW], fresh: 0 }
    }
}

impl Spectrum {
    /// Takes a sample (full scale 1); gives a slice with every 80th.
    pub fn hear(&mut self, sample: f32) -> Option<Slice> {
        self.window[WINDOW - HOP + self.fresh] = sample;
        self.fresh += 1;
        if self.fresh < HOP {
            return None;
        }
        let slice = Slice { db: level(&self.window[WINDOW - HOP..]), tone: self.tone() };
        self.window.copy_within(HOP.., 0);
        self.fresh = 0;
        Some(slice)
    }

    fn tone(&self) -> Option<Pitch> {
        let db = level(&self.window);
        if db < FAINTEST {
            return None;
        }
        let power = power(&self.window);
        let total: f32 = power[BAND].iter().sum();
        let (best, first) = lobe(&power, None);
        let hz = peak(&power, best);
        if first >= SHARE * total {
            return Some(Pitch { hz, second: None, db });
        }
        let (other, second) = lobe(&power, Some(best));
        let two = first + second >= SHARE * total && second >= SECOND * total;
        two.then(|| Pitch { hz, second: Some(peak(&power, other)), db })
    }
}

/// The strongest bin, outside the lobe of `not`, and the power of its lobe.
fn lobe(power: &[f32; WINDOW / 2], not: Option<usize>) -> (usize, f32) {
    let free = |bin: &usize| not.is_none_or(|n| bin.abs_diff(n) > LOBE);
    let best = BAND.filter(free).max_by(|&a, &b| power[a].total_cmp(&power[b])).unwrap_or(*BAND.start());
    let around = best.saturating_sub(LOBE)..=(best + LOBE).min(*BAND.end());
    (best, around.filter(free).map(|bin| power[bin]).sum())
}

/// Frequency of the tone whose strongest bin this is: a Hann window's two strongest bins say how far it is from both.
fn peak(power: &[f32; WINDOW / 2], bin: usize) -> f32 {
    let (below, above) = (power[bin - 1].sqrt(), power[bin + 1].sqrt());
    let ratio = below.max(above) / power[bin].sqrt().max(f32::MIN_POSITIVE);
    let off = (2.0 * ratio - 1.0) / (1.0 + ratio);
    let place = f32::from(u16::try_from(bin).unwrap_or(0)) + if above > below { off } else { -off };
    place * BIN
}

/// Width of a bin, Hz.
const BIN: f32 = 31.25;
const _: () = assert!(BIN as f64 * WINDOW as f64 == RATE);

fn level(samples: &[f32]) -> f32 {
    let count = f32::from(u16::try_from(samples.len()).unwrap_or(u16::MAX));
    let mean: f32 = samples.iter().map(|s| s * s).sum::<f32>() / count;
    10.0 * mean.max(1e-10).log10()
}

/// What does not change from window to window.
struct Tables {
    hann: [f32; WINDOW],
    reversed: [usize; WINDOW],
    turn: [(f32, f32); WINDOW / 2],
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let part = |n: usize| f32::from(u16::try_from(n).unwrap_or(0)) / 256.0 * TAU;
    Tables {
        hann: std::array::from_fn(|n| 0.5 - 0.5 * part(n).cos()),
        reversed: std::array::from_fn(|n| n.reverse_bits() >> (usize::BITS - WINDOW.trailing_zeros())),
        turn: std::array::from_fn(|n| (part(n).cos(), -part(n).sin())),
    }
});

/// Power in each bin: a radix-2 Fourier transform (Cooley and Tukey).
fn power(samples: &[f32; WINDOW]) -> [f32; WINDOW / 2] {
    let tables = &*TABLES;
    let mut re: [f32; WINDOW] = std::array::from_fn(|n| {
        let from = tables.reversed[n];
        samples[from] * tables.hann[from]
    });
    let mut im = [0.0f32; WINDOW];
    let mut half = 1;
    while half < WINDOW {
        let stride = WINDOW / 2 / half;
        for start in (0..WINDOW).step_by(2 * half) {
            for n in 0..half {
                let (c, s) = tables.turn[n * stride];
                let (a, b) = (start + n, start + n + half);
                let (x, y) = (re[b] * c - im[b] * s, re[b] * s + im[b] * c);
                (re[b], im[b]) = (re[a] - x, im[a] - y);
                (re[a], im[a]) = (re[a] + x, im[a] + y);
            }
        }
        half *= 2;
    }
    std::array::from_fn(|n| re[n] * re[n] + im[n] * im[n])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slices(hz: &[f32], amplitude: f32) -> Vec<Slice> {
        let mut spectrum = Spectrum::default();
        let wave =
            |n: u16| hz.iter().map(|f| (f32::from(n) / 8000.0 * f * TAU).sin() * amplitude).sum::<f32>();
        (0..1600).filter_map(|n| spectrum.hear(wave(n))).collect()
    }

    #[test]
    fn a_tone_is_measured_to_two_hertz() {
        for hz in [350.0, 400.0, 425.0, 450.0, 913.8, 1004.0, 1100.0, 1428.5, 1776.7, 2100.0, 2225.0] {
            let slice = slices(&[hz], 0.1).pop().unwrap();
            let tone = slice.tone.unwrap();
            assert!((tone.hz - hz).abs() < 2.0 && tone.second.is_none(), "{hz}: {tone:?}");
            assert!((slice.db + 23.0).abs() < 0.5, "an amplitude of 0.1 is -23 dB: {}", slice.db);
        }
    }

    #[test]
    fn two_tones_are_two_and_nothing_is_none() {
        for slice in slices(&[480.0, 620.0], 0.1).into_iter().skip(4) {
            let tone = slice.tone.unwrap();
            let (low, high) = (tone.hz.min(tone.second.unwrap()), tone.hz.max(tone.second.unwrap()));
            assert!((low - 480.0).abs() < 12.0 && (high - 620.0).abs() < 12.0, "{tone:?}");
        }
        assert!(slices(&[1000.0], 0.002).iter().all(|s| s.tone.is_none()), "too faint to be of a network");
        assert!(
            slices(&[600.0, 1200.0, 1800.0, 2400.0], 0.1).iter().skip(4).all(|s| s.tone.is_none()),
            "a chord"
        );
    }
}
