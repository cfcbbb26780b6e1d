//! Hears keys in the sound itself (ITU-T Q.23, Q.24), for peers without telephone-event. Overlapping blocks of 102
//! samples are measured at the eight frequencies; a key counts after four blocks in a row that agree and whose phases
//! show that both frequencies are within 2 %. Speech fails by the energy beside the two tones.
use crate::codec;
use crate::tone::{HIGH, LOW, RATE};
use model::media::{Codec, Digit};
use std::f64::consts::{PI, TAU};
use std::sync::LazyLock;

/// Samples of a block: 12.75 ms, 78 Hz wide.
const BLOCK: usize = 102;

/// Samples from block to block.
const HOP: usize = 51;

/// Blocks in a row that make a key: 32 ms of sound (Q.24: 40 ms must, 20 ms must not).
const HITS: usize = 4;

/// Blocks in a row without the key that end it: 30 ms, so that a break of 10 ms does not make two of one.
const MISSES: usize = 5;

/// Least amplitude of each tone: −42 dBm0.
const FAINTEST: f64 = 178.0;

/// Least share of a block's energy in the two tones as measured (a detuned tone leaks beside its bin).
const SHARE: f64 = 0.65;

/// The same with the leak made good: noise 10 dB below leaves 0.91.
const TRUE_SHARE: f64 = 0.86;

/// Power of a tone may change this much from block to block (4 dB; noise alone moves it by 2).
const STEADY: f64 = 2.5;

/// The high tone may be this much weaker (10 dB) or stronger (6 dB) than the low one, as power.
const TWIST: std::ops::RangeInclusive<f64> = 0.1..=4.0;

/// A tone must be this much stronger (power, 6 dB) than the others of its group.
const PEAK: f64 = 4.0;

/// Farthest from the nominal frequency that is a key: between 1.5 % (must) and 3.5 % (must not).
const OFF: f64 = 0.02;

#[derive(Clone, Copy, Debug)]
struct Hit {
    low: usize,
    high: usize,
    phases: [f64; 2],
    powers: [f64; 2],
    energy: f64,
}

/// The detector of one session. Samples are kept as single-precision numbers: eight frequencies then fill two registers,
/// and a sum of 102 products of 16-bit samples is exact to six digits.
#[derive(Debug)]
pub struct InbandDetector {
    samples: [f32; BLOCK],
    /// How many of them are there.
    filled: usize,
    hits: Vec<Hit>,
    held: Option<(usize, usize)>,
    misses: usize,
}

impl Default for InbandDetector {
    fn default() -> InbandDetector {
        InbandDetector { samples: [0.0; BLOCK], filled: 0, hits: Vec::new(), held: None, misses: 0 }
    }
}

impl InbandDetector {
    /// Takes a packet's sound; gives the key that is recognised in it (a packet is too short for two).
    pub fn hear(&mut self, law: Codec, sound: &[u8]) -> Option<Digit> {
        let mut found = None;
        let mut rest = sound;
        while !rest.is_empty() {
            let room = self.samples.get_mut(self.filled..).unwrap_or_default();
            let (now, later) = rest.split_at(room.len().min(rest.len()));
            for (sample, &code) in room.iter_mut().zip(now) {
                *sample = f32::from(codec::to_linear(law, code));
            }
            self.filled += now.len();
            rest = later;
            if self.filled == BLOCK {
                let hit = measure(&self.samples);
                self.samples.copy_within(HOP.., 0);
                self.filled = BLOCK - HOP;
                found = self.judge(hit).or(found);
            }
        }
        found
    }

    fn judge(&mut self, hit: Option<Hit>) -> Option<Digit> {
        let same = hit.filter(|h| self.hits.first().is_none_or(|f| (f.low, f.high) == (h.low, h.high)));
        match same {
            Some(hit) if self.hits.last().is_none_or(|last| last.leads_to(&hit)) => self.hits.push(hit),
            Some(_) | None => self.hits = hit.into_iter().collect(),
        }
        let place = hit.map(|h| (h.low, h.high));
        if place.is_some() && place == self.held {
            self.misses = 0;
        } else {
            self.misses += 1;
            if self.misses >= MISSES {
                self.held = None;
            }
        }
        if self.hits.len() < HITS {
            return None;
        }
        self.hits.drain(..self.hits.len() - 1);
        let key = place.filter(|_| self.held != place)?;
        self.held = Some(key);
        self.misses = 0;
        let name = "123A456B789C*0#D".chars().nth(key.0 * 4 + key.1)?;
        Digit::try_from(name).ok()
    }
}

impl Hit {
    /// Whether the next block goes on with the same two steady tones: phases moved as the nominal frequencies do,
    /// within [`OFF`], powers stayed, and nearly nothing else is there.
    fn leads_to(&self, next: &Hit) -> bool {
        let hop = f64::from(u16::try_from(HOP).unwrap_or(0));
        let count = f64::from(u16::try_from(BLOCK).unwrap_or(1));
        let mut both = 0.0;
        for (n, hz) in [LOW.get(next.low), HIGH.get(next.high)].into_iter().enumerate() {
            let step = f64::from(hz.copied().unwrap_or(0)) / RATE * TAU * hop;
            let error = (next.phases[n] - self.phases[n] - step + PI).rem_euclid(TAU) - PI;
            let change = next.powers[n] / self.powers[n];
            if error.abs() > step * OFF || !(1.0 / STEADY..=STEADY).contains(&change) {
                return false;
            }
            // A rectangular block sees a tone that is off by x radians a sample as sinc(x·count/2).
            let x = error / hop * count / 2.0;
            let leak = if x.abs() < 1e-3 { 1.0 } else { (x.sin() / x).powi(2) };
            both += next.powers[n] / leak;
        }
        both * 2.0 / count >= TRUE_SHARE * next.energy
    }
}

fn measure(block: &[f32; BLOCK]) -> Option<Hit> {
    let energy = energy(block);
    let count = f64::from(u16::try_from(BLOCK).unwrap_or(1));
    let least = (FAINTEST * count / 2.0).powi(2);
    if energy < FAINTEST * FAINTEST / 2.0 * count {
        return None;
    }
    let [lows, highs] = bins(block);
    let (low, low_power, low_phase) = strongest(lows)?;
    let (high, high_power, high_phase) = strongest(highs)?;
    let both = (low_power + high_power) * 2.0 / count;
    let fits = low_power >= least
        && high_power >= least
        && both >= SHARE * energy
        && TWIST.contains(&(high_power / low_power));
    fits.then_some(Hit {
        low,
        high,
        phases: [low_phase, high_phase],
        powers: [low_power, high_power],
        energy,
    })
}

/// Sum of the squares, in eight parts that do not wait for each other.
fn energy(block: &[f32; BLOCK]) -> f64 {
    let mut parts = [0.0_f32; 8];
    for eight in block.chunks(8) {
        for (part, x) in parts.iter_mut().zip(eight) {
            *part += x * x;
        }
    }
    parts.into_iter().map(f64::from).sum()
}

/// The strongest frequency of a group: its place, power and phase; `None` when it does not stand out.
fn strongest(bins: [(f64, f64); 4]) -> Option<(usize, f64, f64)> {
    let power = bins.map(|(re, im)| re * re + im * im);
    let best = (0..4).max_by(|&a, &b| power[a].total_cmp(&power[b]))?;
    let stands_out = (0..4).all(|n| n == best || power[best] >= PEAK * power[n]);
    let (re, im) = bins[best];
    stands_out.then(|| (best, power[best], im.atan2(re)))
}

/// Complex Goertzel at the low and the high frequencies: its phase moves with the tone from block to block. All eight go
/// through the block together: one alone waits for its own last sum at each sample, eight fill that time.
fn bins(block: &[f32; BLOCK]) -> [[(f64, f64); 4]; 2] {
    static TURNS: LazyLock<[(f64, f64); 8]> = LazyLock::new(|| {
        let [a, b, c, d] = LOW;
        let [e, f, g, h] = HIGH;
        [a, b, c, d, e, f, g, h].map(|hz| (f64::from(hz) / RATE * TAU).sin_cos())
    });
    static TWICE: LazyLock<[f32; 8]> = LazyLock::new(|| TURNS.map(|(_, cosine)| single(2.0 * cosine)));
    let twice = *TWICE;
    let (mut s1, mut s2) = ([0.0_f32; 8], [0.0_f32; 8]);
    for &x in block {
        for n in 0..8 {
            // In this order only the product waits for the sample before.
            let s0 = (x - s2[n]) + twice[n] * s1[n];
            s2[n] = s1[n];
            s1[n] = s0;
        }
    }
    let bin = |n: usize| {
        let (sine, cosine) = TURNS[n];
        let (s1, s2) = (f64::from(s1[n]), f64::from(s2[n]));
        (s1 - cosine * s2, sine * s2)
    };
    [[bin(0), bin(1), bin(2), bin(3)], [bin(4), bin(5), bin(6), bin(7)]]
}

#[expect(clippy::cast_possible_truncation, reason = "a cosine loses digits, not its value")]
fn single(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::round;

    const KEYS: &str = "123456789*0#";

    /// 0 dBm0 in linear peak.
    const ZERO_DBM0: f64 = 22_300.0;

    struct Dice(u64);

    impl Dice {
        /// Roughly normal, variance 1.
        fn normal(&mut self) -> f64 {
            (0..12).map(|_| self.even()).sum::<f64>() - 6.0
        }

        fn even(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(self.0 >> 32).unwrap()) / f64::from(u32::MAX)
        }
    }

    struct Press {
        ms: f64,
        dbm0: f64,
        high_db: f64,
        detune: f64,
        snr_db: Option<f64>,
    }

    const PLAIN: Press = Press { ms: 50.0, dbm0: -10.0, high_db: 0.0, detune: 0.0, snr_db: None };

    /// Silence, the key, silence, in µ-law.
    fn sound(key: char, phase: f64, press: &Press, dice: &mut Dice) -> Vec<u8> {
        let (low, high) = crate::tone::key_frequencies(key).unwrap();
        let amplitude = ZERO_DBM0 * 10f64.powf(press.dbm0 / 20.0);
        let high_amplitude = amplitude * 10f64.powf(press.high_db / 20.0);
        let power = (amplitude * amplitude + high_amplitude * high_amplitude) / 2.0;
        let noise = press.snr_db.map_or(0.0, |db| (power / 10f64.powf(db / 10.0)).sqrt());
        (0..1200)
            .map(|n| {
                let t = f64::from(n) / RATE;
                let on = (0.05..0.05 + press.ms / 1000.0).contains(&t);
                let wave = |hz: u16| (TAU * f64::from(hz) * (1.0 + press.detune) * t + phase).sin();
                let tone = if on { wave(low) * amplitude + wave(high) * high_amplitude } else { 0.0 };
                codec::linear_to_ulaw(round(tone + noise * dice.normal()))
            })
            .collect()
    }

    fn heard(sound: &[u8]) -> String {
        let mut detector = InbandDetector::default();
        sound.chunks(160).filter_map(|c| detector.hear(Codec::Pcmu, c)).map(Digit::as_char).collect()
    }

    /// How many of 12 keys × 20 phases are heard exactly once.
    fn grid(press: &Press) -> usize {
        let mut dice = Dice(1);
        let mut right = 0;
        for key in KEYS.chars() {
            for phase in 0..20 {
                let text = heard(&sound(key, f64::from(phase) * TAU / 20.0, press, &mut dice));
                assert!(text.is_empty() || text == key.to_string(), "{key} heard as {text:?}");
                right += text.len();
            }
        }
        right
    }

    #[test]
    fn every_key_is_heard_once_at_fifty_and_at_forty_milliseconds() {
        assert_eq!(grid(&PLAIN), 240);
        assert_eq!(grid(&Press { ms: 40.0, ..PLAIN }), 240);
        assert_eq!(grid(&Press { ms: 80.0, ..PLAIN }), 240);
    }

    #[test]
    fn faint_noisy_twisted_and_detuned_keys_are_heard() {
        assert_eq!(grid(&Press { dbm0: -36.0, ..PLAIN }), 240);
        assert_eq!(grid(&Press { snr_db: Some(10.0), ..PLAIN }), 240);
        assert_eq!(grid(&Press { high_db: -8.0, ..PLAIN }), 240);
        assert_eq!(grid(&Press { high_db: 4.0, ..PLAIN }), 240);
        assert_eq!(grid(&Press { detune: 0.015, ..PLAIN }), 240);
        assert_eq!(grid(&Press { detune: -0.015, ..PLAIN }), 240);
    }

    #[test]
    fn what_q24_forbids_is_not_heard() {
        assert_eq!(grid(&Press { detune: 0.035, ..PLAIN }), 0);
        assert_eq!(grid(&Press { detune: -0.035, ..PLAIN }), 0);
        assert_eq!(grid(&Press { ms: 18.0, ..PLAIN }), 0);
    }

    #[test]
    fn two_presses_of_a_key_are_two_and_a_short_break_is_none() {
        let mut dice = Dice(1);
        let one = sound('7', 0.0, &PLAIN, &mut dice);
        assert_eq!(heard(&[&one[..], &one[..]].concat()), "77");
        let press = Press { ms: 90.0, ..PLAIN };
        let mut broken = sound('7', 0.0, &press, &mut dice);
        broken[720..800].fill(codec::SILENCE);
        assert_eq!(heard(&broken), "7", "a break of 10 ms");
    }

    #[test]
    fn voiced_sound_is_hardly_ever_a_key() {
        // Ten minutes of harmonics of an adult's pitch (80-255 Hz) under three moving formants, falling 6 dB an octave as
        // voices do, with a little breath.
        let mut dice = Dice(7);
        let mut detector = InbandDetector::default();
        let (mut phase, mut pitch, mut first, mut second) = (0.0, 120.0, 500.0, 1500.0);
        let mut hits = String::new();
        for _ in 0..30_000 {
            pitch = (pitch + 3.0 * dice.normal()).clamp(80.0, 255.0);
            first = (first + 25.0 * dice.normal()).clamp(250.0, 950.0);
            second = (second + 50.0 * dice.normal()).clamp(900.0, 2500.0);
            let level = 20_000.0 * dice.even();
            let weights: Vec<f64> = (1..=20u16)
                .map(|h| {
                    let f = f64::from(h) * pitch;
                    let peak = |centre: f64, width: f64| 1.0 / (1.0 + ((f - centre) / width).powi(2));
                    let tilt = 1.0 / f64::from(h);
                    if f > 3400.0 {
                        0.0
                    } else {
                        tilt * (peak(first, 90.0) + 0.5 * peak(second, 110.0) + 0.2 * peak(2800.0, 170.0))
                    }
                })
                .collect();
            let frame: Vec<u8> = (0..160)
                .map(|_| {
                    phase = (phase + TAU * pitch / RATE) % TAU;
                    // Harmonics by recurrence: sin((h+1)x) = 2·cos(x)·sin(hx) − sin((h−1)x).
                    let twice = 2.0 * f64::cos(phase);
                    let (mut before, mut this, mut wave) = (0.0, f64::sin(phase), 0.0);
                    for w in &weights {
                        wave += w * this;
                        (before, this) = (this, twice * this - before);
                    }
                    codec::linear_to_ulaw(round(level * (wave + 0.02 * dice.normal())))
                })
                .collect();
            hits.extend(detector.hear(Codec::Pcmu, &frame).map(Digit::as_char));
        }
        assert!(hits.len() <= 1, "in ten minutes: {hits}");
    }
}
