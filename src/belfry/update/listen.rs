//! Listens to the recording of a self-call: the prompt must be in it, and then the tone. Reads the file and removes it.
use engine::canary::{TONE_HZ, TONE_MS};
use media::codec::ulaw_to_linear;
use model::update::{SelfCall, SelfCallPart};
use std::path::Path;

/// Samples a second of what the box records.
const RATE: f64 = 8000.0;
/// Samples looked at as one: an eighth of a second.
const WINDOW: usize = 1000;
/// Share of a window's energy that must be at the tone's frequency.
const PURE: f64 = 0.8;
/// Mean square of a window in which somebody speaks: 40 dB below full scale is a whisper.
const SPOKEN: f64 = 300.0 * 300.0;
/// Largest file looked at: 30 s.
const LARGEST: usize = 400_000;

/// The result with what was heard.
#[must_use]
pub fn to(data: &Path, mut result: SelfCall) -> SelfCall {
    let path = data.join(&result.recording);
    if result.failed.is_none() {
        let sound = std::fs::read(&path).unwrap_or_default();
        if let Err(detail) = heard(&sound) {
            result.failed = Some(SelfCallPart::Recording);
            detail.clone_into(&mut result.detail);
        }
    }
    // It may not have come to a recording.
    let _ = std::fs::remove_file(&path);
    result.recording.clear();
    result
}

/// Whether prompt and tone are in a WAV file as the box writes it.
fn heard(wav: &[u8]) -> Result<(), &'static str> {
    let samples = wav.get(store::spool::HEADER..).unwrap_or_default();
    let samples: Vec<f64> =
        samples.iter().take(LARGEST).map(|byte| f64::from(ulaw_to_linear(*byte))).collect();
    let windows: Vec<(bool, bool)> = samples.chunks_exact(WINDOW).map(|w| (loud(w), pure(w))).collect();
    let tones = windows.iter().filter(|(loud, pure)| *loud && *pure).count();
    let spoken = windows.iter().filter(|(loud, pure)| *loud && !*pure).count();
    // Half of the tone must be there: it begins and ends within a window.
    let wanted = usize::try_from(TONE_MS).unwrap_or(usize::MAX) * 8 / WINDOW / 2;
    match (tones >= wanted, spoken >= 2) {
        (false, _) => Err("the tone is not in the recording"),
        (true, false) => Err("the prompt is not in the recording"),
        (true, true) => Ok(()),
    }
}

fn energy(window: &[f64]) -> f64 {
    window.iter().map(|s| s * s).sum()
}

fn loud(window: &[f64]) -> bool {
    energy(window) > SPOKEN * WINDOW as f64
}

/// Goertzel's filter at the tone's frequency against the whole energy.
fn pure(window: &[f64]) -> bool {
    let turn = 2.0 * std::f64::consts::PI * f64::from(TONE_HZ) / RATE;
    let (mut before, mut last) = (0.0, 0.0);
    for sample in window {
        let next = sample + 2.0 * turn.cos() * last - before;
        (before, last) = (last, next);
    }
    let power = last * last + before * before - 2.0 * turn.cos() * last * before;
    power * 2.0 / WINDOW as f64 > PURE * energy(window)
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::codec::linear_to_ulaw;

    fn wav(parts: &[(f64, usize)]) -> Vec<u8> {
        let mut bytes = vec![0; store::spool::HEADER];
        for (hz, samples) in parts {
            for i in 0..*samples {
                let at = i as f64 / RATE * 2.0 * std::f64::consts::PI;
                // Two frequencies stand for speech.
                let value = if *hz > 0.0 {
                    (at * hz).sin()
                } else {
                    (at * 210.0).sin() * 0.5 + (at * 730.0).sin() * 0.5
                };
                #[expect(clippy::cast_possible_truncation, reason = "a test signal within 16 bits")]
                bytes.push(linear_to_ulaw((value * 8000.0) as i16));
            }
        }
        bytes
    }

    #[test]
    fn prompt_and_tone_are_heard() {
        assert_eq!(heard(&wav(&[(0.0, 12_000), (440.0, 8000)])), Ok(()));
    }

    #[test]
    fn silence_another_tone_and_a_missing_prompt_are_told_apart() {
        let silence = vec![0xff; store::spool::HEADER + 20_000];
        assert_eq!(heard(&silence), Err("the tone is not in the recording"));
        assert_eq!(heard(&[]), Err("the tone is not in the recording"));
        assert_eq!(heard(&wav(&[(0.0, 12_000), (500.0, 8000)])), Err("the tone is not in the recording"));
        assert_eq!(heard(&wav(&[(440.0, 8000)])), Err("the prompt is not in the recording"));
    }
}
