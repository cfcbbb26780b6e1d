//! Brings sound of another rate to 8,000 samples a second, for files people upload and voices that speak. Low-pass by a
//! windowed sinc first, so that what telephones cannot carry does not come back as noise. Files only, never live calls.
use crate::tone::{RATE, round};
use std::f64::consts::PI;

/// Zero crossings of the sinc on each side: 60 dB of stop band with a Hann window, enough for speech over G.711.
const CROSSINGS: f64 = 16.0;
/// Share of the lower of both rates that passes: the rest is room for the slope.
const PASS: f64 = 0.45;

/// Samples of `rate` a second as samples of 8,000 a second.
#[must_use]
pub fn to_8000(sound: &[i16], rate: u32) -> Vec<i16> {
    let rate = f64::from(rate.max(1));
    let step = rate / RATE;
    let cut = PASS * rate.min(RATE) / rate;
    let half = CROSSINGS / (2.0 * cut);
    let mut out = Vec::new();
    let mut at = 0.0;
    // Ends: `at` grows by `step`, which is above zero, until the last sample.
    while let Some(middle) = index(at).filter(|i| *i < sound.len()) {
        let reach = index(half.ceil()).unwrap_or(0);
        let first = middle.saturating_sub(reach);
        let last = (middle + reach + 1).min(sound.len());
        let near = sound.get(first..last).unwrap_or_default();
        let mut sum = 0.0;
        let mut weight = 0.0;
        let mut place = distance(first, at);
        for &sample in near {
            let w = kernel(place, cut, half);
            sum += f64::from(sample) * w;
            weight += w;
            place += 1.0;
        }
        out.push(round(if weight.abs() > f64::EPSILON { sum / weight } else { 0.0 }));
        at += step;
    }
    out
}

fn kernel(x: f64, cut: f64, half: f64) -> f64 {
    if x.abs() >= half {
        return 0.0;
    }
    let angle = 2.0 * PI * cut * x;
    let sinc = if angle.abs() < 1e-9 { 1.0 } else { angle.sin() / angle };
    sinc * (0.5 + 0.5 * (PI * x / half).cos())
}

/// The whole part of a place in a sound, none beyond the longest file.
fn index(at: f64) -> Option<usize> {
    // Files are limited to 16 MiB, so that every place in one is below 2^32.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be within u32")]
    let whole = (0.0..f64::from(u32::MAX)).contains(&at).then_some(at as u32);
    whole.and_then(|w| usize::try_from(w).ok())
}

fn distance(first: usize, at: f64) -> f64 {
    f64::from(u32::try_from(first).unwrap_or(u32::MAX)) - at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::amplitude;

    fn sine(hz: f64, rate: u32, seconds: u32) -> Vec<i16> {
        let step = hz / f64::from(rate) * 2.0 * PI;
        (0..rate * seconds).map(|n| round((f64::from(n) * step).sin() * 8000.0)).collect()
    }

    #[test]
    fn speech_keeps_its_level_and_length_from_every_usual_rate() {
        for rate in [11_025, 16_000, 22_050, 44_100, 48_000] {
            let out = to_8000(&sine(1000.0, rate, 1), rate);
            assert!(out.len().abs_diff(8000) <= 1, "{rate}: {}", out.len());
            let level = amplitude(&out[800..7200], 1000.0);
            assert!((7800.0..8200.0).contains(&level), "{rate}: {level}");
        }
    }

    #[test]
    fn what_telephones_cannot_carry_does_not_come_back_as_noise() {
        // 5 kHz would be heard as 3 kHz.
        let out = to_8000(&sine(5000.0, 44_100, 1), 44_100);
        let ghost = amplitude(&out[800..7200], 3000.0);
        assert!(ghost < 40.0, "{ghost}");
    }
}
