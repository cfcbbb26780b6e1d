//! Between 8,000 and 16,000 samples a second, sample by sample, for live calls of telephones that speak wider sound than
//! calls are carried in. One half-band filter serves both ways: up to 3.4 kHz passes, what would come back as another
//! pitch does not. Delay of each: 1.4 ms. Files of any rate are the matter of `resample`.
use crate::tone::round;
use std::f64::consts::PI;

/// Places of the filter beside its middle, on each side, that are not nought. With a Hamming window: −50 dB from 4.6 kHz on.
const SIDE: usize = 12;
/// All of them.
const TAPS: usize = 2 * SIDE;
/// The middle of the filter lies this many samples of 8 kHz back.
const MIDDLE: usize = SIDE - 1;

/// 8,000 to 16,000 samples a second.
pub struct Doubler(Filter);

/// 16,000 to 8,000 samples a second.
pub struct Halver {
    odd: Filter,
    even: [f64; MIDDLE + 1],
}

/// The taps beside the middle; the window is even, so that order and direction are the same.
struct Filter {
    taps: [f64; TAPS],
    /// Newest last.
    past: [f64; TAPS],
}

impl Default for Doubler {
    fn default() -> Doubler {
        Doubler(Filter::new())
    }
}

impl Doubler {
    /// The next sample as two.
    pub fn push(&mut self, sample: i16) -> [i16; 2] {
        self.0.push(f64::from(sample));
        let between = 2.0 * self.0.sum();
        [round(between), round(self.0.past[TAPS - 1 - MIDDLE])]
    }
}

impl Default for Halver {
    fn default() -> Halver {
        Halver { odd: Filter::new(), even: [0.0; MIDDLE + 1] }
    }
}

impl Halver {
    /// The next two samples as one.
    pub fn push(&mut self, [even, odd]: [i16; 2]) -> i16 {
        self.even.rotate_left(1);
        self.even[MIDDLE] = f64::from(even);
        self.odd.push(f64::from(odd));
        round(0.5 * self.even[0] + self.odd.sum())
    }
}

impl Filter {
    fn new() -> Filter {
        let mut taps = [0.0; TAPS];
        let mut place = 1.0 - 2.0 * side();
        for tap in &mut taps {
            let window = 0.54 + 0.46 * (PI * place / (2.0 * side())).cos();
            *tap = (PI * place / 2.0).sin() / (PI * place) * window;
            place += 2.0;
        }
        // With the middle's half the steady level is kept as it is.
        let sum: f64 = taps.iter().sum();
        Filter { taps: taps.map(|tap| tap * 0.5 / sum), past: [0.0; TAPS] }
    }

    fn push(&mut self, sample: f64) {
        self.past.rotate_left(1);
        self.past[TAPS - 1] = sample;
    }

    fn sum(&self) -> f64 {
        self.taps.iter().zip(&self.past).map(|(tap, sample)| tap * sample).sum()
    }
}

fn side() -> f64 {
    f64::from(u32::try_from(SIDE).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::amplitude;

    /// A second of a sine, peak 8,000.
    fn sine(hz: f64, rate: u32) -> Vec<i16> {
        let step = hz / f64::from(rate) * 2.0 * PI;
        (0..rate).map(|n| round((f64::from(n) * step).sin() * 8000.0)).collect()
    }

    fn doubled(sound: &[i16]) -> Vec<i16> {
        let mut filter = Doubler::default();
        sound.iter().flat_map(|&s| filter.push(s)).collect()
    }

    fn halved(sound: &[i16]) -> Vec<i16> {
        let mut filter = Halver::default();
        sound.chunks_exact(2).map(|pair| filter.push([pair[0], pair[1]])).collect()
    }

    /// `amplitude` counts 8,000 samples a second: at 16,000 a pitch is half as high.
    fn wide(sound: &[i16], hz: f64) -> f64 {
        amplitude(&sound[1600..14_400], hz / 2.0)
    }

    #[test]
    fn what_telephones_carry_keeps_its_level_both_ways() {
        for hz in [100.0, 300.0, 1000.0, 2500.0, 3400.0] {
            let up = doubled(&sine(hz, 8000));
            assert_eq!(up.len(), 16_000);
            assert!((7750.0..8250.0).contains(&wide(&up, hz)), "{hz} up: {}", wide(&up, hz));
            let down = halved(&sine(hz, 16_000));
            assert_eq!(down.len(), 8000);
            let level = amplitude(&down[800..7200], hz);
            assert!((7750.0..8250.0).contains(&level), "{hz} down: {level}");
        }
    }

    #[test]
    fn what_telephones_cannot_carry_neither_comes_back_nor_is_made_up() {
        for hz in [4700.0, 5000.0, 7000.0] {
            // Unfiltered it would be heard at 8,000 − hz.
            let ghost = amplitude(&halved(&sine(hz, 16_000))[800..7200], 8000.0 - hz);
            assert!(ghost < 40.0, "{hz} down: {ghost}");
            let image = wide(&doubled(&sine(8000.0 - hz, 8000)), hz);
            assert!(image < 40.0, "{hz} up: {image}");
        }
    }

    #[test]
    fn silence_and_the_loudest_steady_sound_stay_what_they_are() {
        for level in [0, 1000, i16::MAX, i16::MIN] {
            assert!(doubled(&[level; 100])[80..].iter().all(|s| s.abs_diff(level) <= 1), "{level}");
            assert!(halved(&[level; 200])[60..].iter().all(|s| s.abs_diff(level) <= 1), "{level}");
        }
    }
}
