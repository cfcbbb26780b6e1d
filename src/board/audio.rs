//! The sound card through ALSA: paging out, line in. 8 kHz, one channel, 16 bits. Each device has a thread of its own that
//! alone may wait for it; a device that is missing or gone is tried again, and nobody else notices but by the log. Decides
//! nothing about who pages and who hears.
use alsa::pcm::{Access, Format, HwParams, PCM};
use alsa::{Direction, ValueOr};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Sampling rate of everything here.
pub const RATE: u32 = 8000;
/// Samples handed over at once: 20 ms.
pub const FRAME: usize = 160;
/// Time of one frame.
const FRAME_TIME: Duration = Duration::from_millis(20);
/// A missing device is tried again after this.
const AGAIN: Duration = Duration::from_secs(5);
/// A paging output that nobody speaks to is let go of after this, so that others can use the card.
const IDLE: Duration = Duration::from_secs(1);

/// Starts the thread of a paging output. It plays what comes until the other end is dropped. Without a device the sound is
/// thrown away.
///
/// # Errors
/// The operating system's, when no thread can be started.
pub fn start_output(pcm: &str, sound: Receiver<Vec<i16>>) -> std::io::Result<()> {
    let pcm = pcm.to_owned();
    std::thread::Builder::new().name("paging".into()).spawn(move || play(&pcm, &sound))?;
    Ok(())
}

/// Starts the thread of a line input. `feed` gets [`FRAME`] samples every 20 ms until it says false.
///
/// # Errors
/// The operating system's, when no thread can be started.
pub fn start_source(pcm: &str, feed: impl FnMut(&[i16]) -> bool + Send + 'static) -> std::io::Result<()> {
    let pcm = pcm.to_owned();
    std::thread::Builder::new().name("line-in".into()).spawn(move || capture(&pcm, feed))?;
    Ok(())
}

fn open(name: &str, direction: Direction) -> alsa::Result<PCM> {
    let pcm = PCM::new(name, direction, false)?;
    {
        let wanted = HwParams::any(&pcm)?;
        wanted.set_channels(1)?;
        wanted.set_rate(RATE, ValueOr::Nearest)?;
        wanted.set_format(Format::s16())?;
        wanted.set_access(Access::RWInterleaved)?;
        pcm.hw_params(&wanted)?;
    }
    pcm.prepare()?;
    Ok(pcm)
}

fn play(name: &str, sound: &Receiver<Vec<i16>>) {
    let mut device: Option<PCM> = None;
    let mut try_at = Instant::now();
    loop {
        match sound.recv_timeout(IDLE) {
            Ok(samples) => {
                if device.is_none() && Instant::now() >= try_at {
                    device = open(name, Direction::Playback).map_err(|error| complain(name, &error)).ok();
                    try_at = Instant::now() + AGAIN;
                }
                if device.as_ref().is_some_and(|pcm| !write(name, pcm, &samples)) {
                    device = None;
                }
            }
            Err(RecvTimeoutError::Timeout) => let_go(device.take()),
            Err(RecvTimeoutError::Disconnected) => return let_go(device.take()),
        }
    }
}

/// False when the device is of no more use.
fn write(name: &str, pcm: &PCM, samples: &[i16]) -> bool {
    let mut left = samples;
    // Each round writes something or repairs one underrun; more rounds than samples would be a broken device.
    for _ in 0..=samples.len() {
        if left.is_empty() {
            return true;
        }
        let written = pcm.io_i16().and_then(|io| io.writei(left));
        match written {
            Ok(n) => left = left.get(n..).unwrap_or_default(),
            // An underrun between two announcements is the rule, not a fault.
            Err(error) => {
                if let Err(error) = pcm.try_recover(error, true) {
                    complain(name, &error);
                    return false;
                }
            }
        }
    }
    false
}

fn let_go(device: Option<PCM>) {
    if let Some(pcm) = device {
        // What is still in its buffer is played; a device that is gone has nothing to play.
        let _ = pcm.drain();
    }
}

fn capture(name: &str, mut feed: impl FnMut(&[i16]) -> bool) {
    loop {
        match open(name, Direction::Capture) {
            Ok(pcm) => {
                if !listen(name, &pcm, &mut feed) {
                    return;
                }
            }
            Err(error) => complain(name, &error),
        }
        // Silence shows whether anybody still wants it.
        if !feed(&[0; FRAME]) {
            return;
        }
        std::thread::sleep(AGAIN);
    }
}

/// False when nobody wants the sound any more, true when the device failed.
fn listen(name: &str, pcm: &PCM, feed: &mut impl FnMut(&[i16]) -> bool) -> bool {
    let mut frame = [0_i16; FRAME];
    let mut due = Instant::now();
    loop {
        let asked = Instant::now();
        let read = pcm.io_i16().and_then(|io| io.readi(&mut frame));
        match read {
            Ok(count) => {
                if !feed(frame.get(..count).unwrap_or_default()) {
                    return false;
                }
            }
            Err(error) => {
                if let Err(error) = pcm.try_recover(error, true) {
                    complain(name, &error);
                    return true;
                }
            }
        }
        // A sound card makes us wait and so sets the pace; a file or the null device does not, and then the clock does.
        let waited = asked.elapsed() >= FRAME_TIME / 4;
        due = if waited { Instant::now() } else { due + FRAME_TIME };
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

fn complain(name: &str, error: &alsa::Error) {
    tracing::warn!(device = name, %error, "the sound device cannot be used; trying again later (a device that cannot do 8 kHz needs plug: before its name)");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::sync::mpsc::{channel, sync_channel};

    const FOLDER: &str = "BELFRY_TEST_AUDIO_FOLDER";

    /// ALSA reads its configuration once a process, from a file named in the environment: so the test below runs itself
    /// again with that environment.
    #[test]
    fn paging_reaches_a_file_and_a_file_is_heard_as_line_in() {
        let folder = tempfile::tempdir().unwrap();
        let tone: Vec<u8> = (0..RATE).flat_map(|i| if i % 16 < 8 { [0, 0x20] } else { [0, 0xE0] }).collect();
        std::fs::write(folder.path().join("in.raw"), &tone).unwrap();
        std::fs::write(folder.path().join("asound.conf"), configuration(folder.path())).unwrap();
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "audio::tests::with_the_file_plugin"])
            .env("ALSA_CONFIG_PATH", folder.path().join("asound.conf"))
            .env(FOLDER, folder.path())
            .status()
            .unwrap();
        assert!(status.success());
    }

    #[test]
    fn with_the_file_plugin() {
        let Some(folder) = std::env::var_os(FOLDER) else { return };
        let (sound, receiver) = sync_channel(100);
        sound.send((0..1600).map(|i| if i % 16 < 8 { 8192 } else { -8192 }).collect()).unwrap();
        drop(sound);
        play("paging", &receiver);
        let written = std::fs::read(Path::new(&folder).join("out.raw")).unwrap();
        assert_eq!(written.len(), 3200);
        assert_eq!(written[..2], 8192_i16.to_le_bytes());

        let (heard_in, heard) = channel();
        let mut frames = 0;
        capture("linein", move |samples| {
            heard_in.send(samples.to_vec()).unwrap();
            frames += 1;
            frames < 5
        });
        let heard: Vec<i16> = heard.iter().flatten().collect();
        assert_eq!(heard.len(), 5 * FRAME);
        assert!(heard.iter().all(|&s| s == 0x2000 || s == -0x2000), "{:?}", &heard[..20]);
    }

    #[test]
    fn a_missing_card_blocks_nobody() {
        let (sound, receiver) = sync_channel(4);
        sound.send(vec![0; FRAME]).unwrap();
        drop(sound);
        play("no-such-device", &receiver);
        let mut asked = 0;
        capture("no-such-device", move |_| {
            asked += 1;
            asked < 1
        });
    }

    fn configuration(folder: &Path) -> String {
        let folder = folder.display();
        format!(
            "pcm.silent {{ type null }}\n\
             pcm.paging {{ type file slave.pcm silent file \"{folder}/out.raw\" format raw }}\n\
             pcm.linein {{ type file slave.pcm silent file \"/dev/null\" infile \"{folder}/in.raw\" format raw }}\n"
        )
    }
}
