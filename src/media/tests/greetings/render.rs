//! Lays over the made greetings what a telephone line does: when somebody speaks, how loud, noise, hum or other people,
//! the law, lost packets, the beep of a machine. The same seed gives the same calls.
use media::codec;
use media::tone::RATE;
use model::media::Codec;
use std::f64::consts::TAU;
use std::path::Path;
use std::process::Command;

/// A greeting as tools/greetings made it.
pub struct Greeting {
    pub machine: bool,
    pub about: String,
    pub sound: Vec<f64>,
    /// Root mean square of its loud samples.
    loudness: f64,
}

/// A call: its packets (lost ones are none), and what was laid over.
pub struct Call {
    pub law: Codec,
    pub packets: Vec<Option<Vec<u8>>>,
    /// When the last word and the beep end, milliseconds.
    pub said_ms: usize,
    pub beep_ms: Option<usize>,
}

/// A stream of chance (xorshift64*).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// 0–1.
    pub fn even(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        f64::from(
            u32::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32)
                .expect("made by tools/greetings, and small"),
        ) / f64::from(u32::MAX)
    }

    pub fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.even()
    }

    /// About normal, variance 1.
    fn normal(&mut self) -> f64 {
        ((0..4).map(|_| self.even()).sum::<f64>() - 2.0) * 3f64.sqrt()
    }

    fn below(&mut self, count: usize) -> usize {
        count_of(self.even() * f64::from(u32::try_from(count).expect("made by tools/greetings, and small")))
            .min(count - 1)
    }
}

/// The greetings of a half, made if they are not there (target/greetings).
pub fn greetings(half: &str) -> Vec<Greeting> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("made by tools/greetings, and small");
    let out = root.join("target/greetings");
    let made = Command::new(root.join("tools/greetings"))
        .arg(half)
        .arg(&out)
        .output()
        .expect("made by tools/greetings, and small");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let bytes = std::fs::read(out.join(format!("{half}.s16"))).expect("made by tools/greetings, and small");
    let samples: Vec<f64> =
        bytes.chunks_exact(2).map(|b| f64::from(i16::from_le_bytes([b[0], b[1]]))).collect();
    let list =
        std::fs::read_to_string(out.join(format!("{half}.tsv"))).expect("made by tools/greetings, and small");
    list.lines().map(|line| read(line, &samples)).collect()
}

fn read(line: &str, samples: &[f64]) -> Greeting {
    let parts: Vec<&str> = line.split('\t').collect();
    let [start, length, who, about @ ..] = parts.as_slice() else { panic!("{line}") };
    let (start, length): (usize, usize) = (
        start.parse().expect("made by tools/greetings, and small"),
        length.parse().expect("made by tools/greetings, and small"),
    );
    Greeting {
        machine: *who == "machine",
        about: about.join(", "),
        loudness: power(&samples[start..start + length]).sqrt().max(1.0),
        sound: samples[start..start + length].to_vec(),
    }
}

/// A greeting as it comes over a line, and words about the line.
pub fn call(greeting: &Greeting, all: &[Greeting], dice: &mut Dice) -> (Call, String) {
    let dbfs = dice.between(-30.0, -14.0);
    let gain = amplitude(dbfs) / greeting.loudness;
    let before = seconds(dice.between(0.1, 1.2));
    let mut sound = vec![0.0; before];
    sound.extend(greeting.sound.iter().map(|s| s * gain));
    let said_ms = sound.len() / 8;
    let beep_ms = (greeting.machine && dice.even() < 0.85).then(|| {
        beep(&mut sound, amplitude(dbfs + 3.0), dice);
        sound.len() / 8
    });
    sound.resize(sound.len() + seconds(if greeting.machine { 3.0 } else { 8.0 }), 0.0);
    let noise = noise(&mut sound, dbfs, all, dice);
    let law = if dice.even() < 0.5 { Codec::Pcma } else { Codec::Pcmu };
    let loss = if dice.even() < 0.3 { dice.between(0.005, 0.05) } else { 0.0 };
    let packets = packets(&sound, law, loss, dice);
    let line = format!("{dbfs:.0} dBFS, {noise}, loss {:.1} %, {law:?}", loss * 100.0);
    (Call { law, packets, said_ms, beep_ms }, line)
}

/// Packets of 20 ms, some lost, often two in a row.
pub fn packets(sound: &[f64], law: Codec, loss: f64, dice: &mut Dice) -> Vec<Option<Vec<u8>>> {
    let mut lost = false;
    sound
        .chunks_exact(160)
        .map(|frame| {
            lost = dice.even() < if lost { 0.4 } else { loss };
            let code = |s: &f64| match law {
                Codec::Pcmu => codec::linear_to_ulaw(sample(*s)),
                Codec::Pcma => codec::linear_to_alaw(sample(*s)),
            };
            (!lost).then(|| frame.iter().map(code).collect())
        })
        .collect()
}

fn beep(sound: &mut Vec<f64>, amplitude: f64, dice: &mut Dice) {
    sound.resize(sound.len() + seconds(dice.between(0.15, 1.0)), 0.0);
    let hz = dice.between(420.0, 1950.0);
    for n in 0..seconds(dice.between(0.12, 1.0)) {
        sound.push(
            (f64::from(u32::try_from(n).expect("made by tools/greetings, and small")) / RATE * hz * TAU)
                .sin()
                * amplitude
                * 2f64.sqrt(),
        );
    }
}

/// Lays noise over; gives its name.
fn noise(sound: &mut [f64], dbfs: f64, all: &[Greeting], dice: &mut Dice) -> String {
    let snr = dice.between(10.0, 30.0);
    let level = amplitude(dbfs - snr);
    let kind = dice.below(4);
    match kind {
        0 => sound.iter_mut().for_each(|s| *s += amplitude(-68.0) * dice.normal()),
        1 => sound.iter_mut().for_each(|s| *s += level * dice.normal()),
        2 => hum(sound, level, if dice.even() < 0.5 { 50.0 } else { 60.0 }),
        _ => babble(sound, level, all, dice),
    }
    format!("{} at {snr:.0} dB", ["a quiet room", "noise", "hum", "other people"][kind])
}

/// The mains and their harmonics.
fn hum(sound: &mut [f64], level: f64, mains: f64) {
    for (n, s) in (0u32..).zip(sound) {
        let wave = |harmonic: f64| (f64::from(n) / RATE * mains * harmonic * TAU).sin() / harmonic;
        *s += level * 1.3 * [1.0, 2.0, 3.0, 5.0, 7.0].into_iter().map(wave).sum::<f64>();
    }
}

/// Five greetings of others at once, each with its pauses.
fn babble(sound: &mut [f64], level: f64, all: &[Greeting], dice: &mut Dice) {
    for _ in 0..5 {
        let mut place = 0;
        while place < sound.len() {
            let other = &all[dice.below(all.len())];
            let gain = level / 5f64.sqrt() / other.loudness;
            for (s, o) in sound[place..].iter_mut().zip(&other.sound) {
                *s += o * gain;
            }
            place += other.sound.len() + seconds(dice.between(0.0, 0.5));
        }
    }
}

fn power(sound: &[f64]) -> f64 {
    let loud: Vec<f64> = sound.iter().map(|s| s * s).filter(|s| *s > 100.0 * 100.0).collect();
    loud.iter().sum::<f64>()
        / f64::from(u32::try_from(loud.len().max(1)).expect("made by tools/greetings, and small"))
}

/// Root mean square of a level.
fn amplitude(dbfs: f64) -> f64 {
    32_768.0 * 10f64.powf(dbfs / 20.0)
}

pub fn seconds(time: f64) -> usize {
    count_of(time * RATE)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "held within the range in the same line"
)]
fn count_of(value: f64) -> usize {
    value.clamp(0.0, 1e9) as usize
}

#[expect(clippy::cast_possible_truncation, reason = "held within the range in the same line")]
fn sample(value: f64) -> i16 {
    value.clamp(-32_767.0, 32_767.0) as i16
}
