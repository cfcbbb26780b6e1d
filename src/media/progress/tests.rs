//! Tones of many countries at many levels are what they are, and nothing else is. Greetings stand in tests/greetings.rs.
use super::*;
use crate::tone::{RATE, round};
use model::media::Information;
use std::f64::consts::TAU;

/// Frequencies, milliseconds on, milliseconds off; played again and again for the time given.
type Cadence = &'static [(&'static [f64], u32, u32)];

/// ITU-T E.180 supplement 2, ANSI T1.401, GB/T 4110 (China).
const BUSY: &[(&str, Cadence)] = &[
    ("North America", &[(&[480.0, 620.0], 500, 500)]),
    ("Europe", &[(&[425.0], 500, 500)]),
    ("Germany", &[(&[425.0], 480, 480)]),
    ("United Kingdom", &[(&[400.0], 375, 375)]),
    ("China", &[(&[450.0], 350, 350)]),
    ("Japan", &[(&[400.0], 500, 500)]),
    ("France", &[(&[440.0], 500, 500)]),
    ("Australia", &[(&[425.0], 375, 375)]),
    ("Hong Kong", &[(&[480.0, 620.0], 500, 500)]),
];

const CONGESTION: &[(&str, Cadence)] = &[
    ("North America", &[(&[480.0, 620.0], 250, 250)]),
    ("Europe", &[(&[425.0], 250, 250)]),
    ("Germany", &[(&[425.0], 240, 240)]),
    ("United Kingdom", &[(&[400.0], 400, 350), (&[400.0], 225, 525)]),
    ("China", &[(&[450.0], 700, 700)]),
    ("Italy", &[(&[425.0], 200, 200)]),
];

const RINGING: &[(&str, Cadence)] = &[
    ("North America", &[(&[440.0, 480.0], 2000, 4000)]),
    ("Europe", &[(&[425.0], 1000, 4000)]),
    ("United Kingdom", &[(&[400.0, 450.0], 400, 200), (&[400.0, 450.0], 400, 2000)]),
    ("China", &[(&[450.0], 1000, 4000)]),
    ("Japan", &[(&[400.0], 1000, 2000)]),
    ("France", &[(&[440.0], 1500, 3500)]),
    ("Italy", &[(&[425.0], 1000, 4000)]),
];

fn segments(first: (f64, u32), second: (f64, u32), third: (f64, u32)) -> Vec<(Vec<f64>, u32, u32)> {
    [first, second, third].into_iter().map(|(hz, ms)| (vec![hz], ms, 0)).collect()
}

struct Line {
    law: Codec,
    dbfs: f64,
    snr_db: f64,
    loss: f64,
}

const LINES: [Line; 6] = [
    Line { law: Codec::Pcmu, dbfs: -16.0, snr_db: 60.0, loss: 0.0 },
    Line { law: Codec::Pcma, dbfs: -16.0, snr_db: 60.0, loss: 0.0 },
    Line { law: Codec::Pcmu, dbfs: -35.0, snr_db: 30.0, loss: 0.0 },
    Line { law: Codec::Pcma, dbfs: -28.0, snr_db: 15.0, loss: 0.0 },
    Line { law: Codec::Pcma, dbfs: -20.0, snr_db: 12.0, loss: 0.0 },
    Line { law: Codec::Pcmu, dbfs: -22.0, snr_db: 25.0, loss: 0.01 },
];

struct Dice(u64);

impl Dice {
    fn even(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 32).unwrap()) / f64::from(u32::MAX)
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.even()).sum::<f64>() - 6.0
    }
}

fn wave(parts: &[(Vec<f64>, u32, u32)], lead_ms: u32, ms: u32) -> Vec<f64> {
    let mut sound = vec![0.0; (lead_ms * 8) as usize];
    while sound.len() < (ms * 8) as usize {
        for (hz, on, off) in parts {
            let each = (2.0 / f64::from(u32::try_from(hz.len().max(1)).unwrap())).sqrt();
            for n in 0..on * 8 {
                sound.push(hz.iter().map(|f| (f64::from(n) / RATE * f * TAU).sin() * each).sum());
            }
            sound.resize(sound.len() + (off * 8) as usize, 0.0);
        }
    }
    sound
}

fn owned(cadence: Cadence) -> Vec<(Vec<f64>, u32, u32)> {
    cadence.iter().map(|(hz, on, off)| (hz.to_vec(), *on, *off)).collect()
}

/// All that is heard of a sound over a line.
fn heard(sound: &[f64], line: &Line, listening: Listening, seed: u64) -> Vec<Finding> {
    let mut dice = Dice(seed);
    let mut progress = Progress::new(listening);
    let gain = 32_768.0 * 10f64.powf(line.dbfs / 20.0);
    let noise = gain * 10f64.powf(-line.snr_db / 20.0);
    let mut all = Vec::new();
    for frame in sound.chunks_exact(160) {
        let code = |s: &f64, dice: &mut Dice| {
            let linear = round(s * gain + noise * dice.normal());
            match line.law {
                Codec::Pcmu => codec::linear_to_ulaw(linear),
                Codec::Pcma => codec::linear_to_alaw(linear),
            }
        };
        let packet: Vec<u8> = frame.iter().map(|s| code(s, &mut dice)).collect();
        let told = if dice.even() < line.loss { progress.miss() } else { progress.hear(line.law, &packet) };
        all.extend(told.into_iter().map(|(heard, _)| heard));
    }
    all
}

fn early(sound: &[f64], line: &Line, seed: u64) -> Vec<Finding> {
    heard(sound, line, Listening::early(), seed)
}

fn each(table: &[(&str, Cadence)], expected: &[Finding]) {
    for (country, cadence) in table {
        for (number, line) in (0u64..).zip(&LINES) {
            let sound = wave(&owned(cadence), 300, 9000);
            assert_eq!(early(&sound, line, number + 1), expected, "{country}, line {number}");
        }
    }
}

#[test]
fn busy_is_busy_in_every_country_and_on_every_line() {
    each(BUSY, &[Finding::Busy]);
}

#[test]
fn congestion_is_congestion_in_every_country_and_on_every_line() {
    each(CONGESTION, &[Finding::Congestion]);
}

#[test]
fn ringing_is_ringing_in_every_country_and_on_every_line() {
    each(RINGING, &[Finding::Ringing]);
}

#[test]
fn ringing_that_becomes_busy_is_both() {
    let ring = wave(&owned(&[(&[425.0], 1000, 4000)]), 0, 10_000);
    let busy = wave(&owned(&[(&[425.0], 480, 480)]), 0, 4000);
    assert_eq!(early(&[ring, busy].concat(), &LINES[0], 1), [Finding::Ringing, Finding::Busy]);
}

#[test]
fn each_information_tone_is_known_by_its_kind() {
    let (low, high, low2, high2, top) = (913.8, 985.2, 1370.6, 1428.5, 1776.7);
    let kinds = [
        (segments((950.0, 330), (1400.0, 330), (1800.0, 330)), Information::Any),
        (segments((low, 274), (low2, 274), (top, 380)), Information::Intercept),
        (segments((high, 380), (low2, 274), (top, 380)), Information::VacantCode),
        (segments((low, 274), (high2, 380), (top, 380)), Information::Reorder),
        (segments((high, 274), (low2, 380), (top, 380)), Information::Reorder),
        (segments((high, 380), (high2, 380), (top, 380)), Information::NoCircuit),
        (segments((low, 380), (low2, 380), (top, 380)), Information::NoCircuit),
    ];
    for (parts, kind) in kinds {
        let mut gaps = parts.clone();
        gaps.iter_mut().for_each(|p| p.2 = 30);
        for (number, line) in (0u64..).zip(&LINES) {
            for (parts, how) in [(&parts, "without gaps"), (&gaps, "with gaps")] {
                let mut sound = wave(parts, 400, 500);
                sound.resize(sound.len() + 16_000, 0.0);
                let all = early(&sound, line, number + 1);
                assert_eq!(all, [Finding::Information(kind)], "{kind:?}, line {number}, {how}");
            }
        }
    }
}

#[test]
fn fax_and_modem_are_fax_whoever_calls() {
    let calls = wave(&owned(&[(&[1100.0], 500, 3000)]), 500, 8000);
    let answers = wave(&owned(&[(&[2100.0], 3000, 75)]), 1500, 4500);
    let modem = wave(&owned(&[(&[2225.0], 3000, 75)]), 1500, 4500);
    // V.25 ANS turns its phase each 450 ms.
    let turned: Vec<f64> = (0..24_000u32)
        .map(|n| {
            let sign = if (n / 3600).is_multiple_of(2) { 1.0 } else { -1.0 };
            sign * (f64::from(n) / RATE * 2100.0 * TAU).sin()
        })
        .collect();
    let turned = [vec![0.0; 12_000], turned].concat();
    for (number, line) in (0u64..).zip(&LINES) {
        for (sound, what) in [(&calls, "CNG"), (&answers, "CED"), (&modem, "modem"), (&turned, "ANS")] {
            let all = heard(sound, line, Listening::default(), number + 1);
            assert_eq!(all, [Finding::Fax], "{what}, line {number}");
        }
    }
}

#[test]
fn who_says_nothing_is_not_waited_for_longer_than_the_law_lets() {
    for line in &LINES {
        let mut progress = Progress::new(Listening::default());
        let mut dice = Dice(5);
        let quiet = 32_768.0 * 10f64.powf((line.dbfs - line.snr_db) / 20.0);
        let mut verdict = None;
        for _ in 0..200 {
            let packet: Vec<u8> =
                (0..160).map(|_| codec::linear_to_ulaw(round(quiet * dice.normal()))).collect();
            verdict = verdict.or(progress.hear(Codec::Pcmu, &packet).pop());
        }
        let (heard, evidence) = verdict.unwrap();
        assert_eq!(heard, Finding::Unsure(Doubt::Silence));
        assert!((1980..=2020).contains(&evidence.after_ms), "{evidence:?}");
        assert!(progress.is_done());
    }
}

#[test]
fn a_peer_that_sends_no_packets_is_silence() {
    let mut progress = Progress::new(Listening::default());
    let told: Vec<_> = (0..150).flat_map(|_| progress.miss()).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, Finding::Unsure(Doubt::Silence));
    assert_eq!(progress.elapsed_ms(), 3000);
}

#[test]
fn packets_of_any_size_are_taken() {
    let mut progress = Progress::new(Listening::default());
    for size in [0, 1, 7, 80, 159, 160, 161, 240, 1200] {
        progress.hear(Codec::Pcma, &vec![0x55; size]);
        progress.miss();
    }
    assert_eq!(progress.elapsed_ms(), (1 + 7 + 80 + 159 + 160 + 161 + 240 + 1200 + 9 * 160) / 8);
}

#[test]
fn a_dial_tone_is_nothing() {
    let sound = wave(&owned(&[(&[350.0, 440.0], 9000, 0)]), 100, 9000);
    assert_eq!(early(&sound, &LINES[0], 1), []);
}
