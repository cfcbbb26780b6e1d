//! The voice that speaks texts of flows into files: the program `espeak-ng` of the box, or a service over HTTP. What was
//! spoken once is kept, so that the next caller hears it at once. Decides nothing; the engine does not wait for it.
use crate::ports::fault;
use model::config::system::Voice;
use model::media::Language;
use model::sentence::Sentence;
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use web::ports::PromptRefusal;

/// Longest that a voice may take, so that a text is there for the next caller even when this one has gone on.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether the program has ended.
const LOOK: Duration = Duration::from_millis(5);
/// Folder of spoken texts below the data folder.
const FOLDER: &str = "spoken";
/// Texts kept: names and dates come again; the oldest go first.
const KEPT: usize = 500;
/// Longest sound of a voice, bytes: two minutes of 16 bit at 48 kHz.
const SOUND_MAX: u64 = 12 * 1024 * 1024;

/// Speaks a text. The file's path below the data folder.
///
/// # Errors
/// Why not, in a few words.
pub fn speak(data: &Path, voice: &Voice, text: &str, language: Language) -> Result<String, PromptRefusal> {
    let path = format!("{FOLDER}/{}.wav", key(voice, text, language));
    let file = data.join(&path);
    if file.is_file() {
        return Ok(path);
    }
    let sound = match voice {
        Voice::Espeak => program("espeak-ng", &arguments(language), text),
        Voice::Http(url) => service(url, text, language),
    };
    let sound = sound.and_then(|sound| media::wav::decode(&sound)).map_err(PromptRefusal::Sound)?;
    if sound.is_empty() {
        return Err(PromptRefusal::Sound(Sentence::new("The voice said nothing.", "语音没有发出声音。")));
    }
    keep(&file, &media::wav::file(&sound)).map_err(not_kept(&file))?;
    Ok(path)
}

/// The file of a sound could not be written or read.
pub fn not_kept(file: &Path) -> impl FnOnce(std::io::Error) -> PromptRefusal + '_ {
    |error| fault(store::Fault::file(file)(error)).into()
}

fn key(voice: &Voice, text: &str, language: Language) -> String {
    let voice = match voice {
        Voice::Espeak => "espeak-ng",
        Voice::Http(url) => url,
    };
    let digest = Sha256::digest(format!("{voice}\n{}\n{text}", language.code()));
    digest.iter().take(16).map(|b| format!("{b:02x}")).collect()
}

/// A little slower than the program's usual 175 words a minute: telephones take away the high sounds.
fn arguments(language: Language) -> [&'static str; 6] {
    let voice = match language {
        Language::En => "en",
        Language::Zh => "cmn",
    };
    ["--stdin", "--stdout", "-v", voice, "-s", "155"]
}

/// Runs a program that reads the text and writes a WAV file. It is ended when it takes too long.
fn program(name: &str, arguments: &[&str], text: &str) -> Result<Vec<u8>, Sentence> {
    let mut child = Command::new(name)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| {
            Sentence::new(format!("{name} does not start: {error}."), format!("{name} 无法启动：{error}。"))
        })?;
    let heard = child.stdout.take().map(|out| {
        std::thread::spawn(move || {
            let mut sound = Vec::new();
            out.take(SOUND_MAX).read_to_end(&mut sound).map(|_| sound)
        })
    });
    if let Some(mut input) = child.stdin.take() {
        // At most a few hundred bytes: they fit into the pipe. A program that reads nothing is seen by its silence.
        drop(input.write_all(text.as_bytes()));
    }
    let since = Instant::now();
    let ended = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.success(),
            Ok(None) if since.elapsed() < PATIENCE => std::thread::sleep(LOOK),
            Ok(None) | Err(_) => {
                drop(child.kill());
                drop(child.wait());
                return Err(Sentence::new(format!("{name} hangs."), format!("{name} 没有响应。")));
            }
        }
    };
    let sound = heard.and_then(|h| h.join().ok()).and_then(Result::ok).unwrap_or_default();
    let failed = || Sentence::new(format!("{name} failed."), format!("{name} 运行失败。"));
    if ended { Ok(sound) } else { Err(failed()) }
}

/// A service gets the text and its language, and answers with a WAV file.
fn service(url: &str, text: &str, language: Language) -> Result<Vec<u8>, Sentence> {
    let silent = |error: ureq::Error| {
        Sentence::new(
            format!("The service of the voice gave no sound: {error}."),
            format!("语音服务没有返回声音：{error}。"),
        )
    };
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0).build().into();
    let body = serde_json::json!({ "text": text, "language": language.code() }).to_string();
    let mut response =
        agent.post(url).header("Content-Type", "application/json").send(body.as_str()).map_err(silent)?;
    response.body_mut().with_config().limit(SOUND_MAX).read_to_vec().map_err(silent)
}

/// Writes the file whole or not at all, and takes away the oldest of too many.
fn keep(file: &Path, sound: &[u8]) -> std::io::Result<()> {
    let Some(folder) = file.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder)?;
    put(file, sound)?;
    let mut kept: Vec<_> = std::fs::read_dir(folder)?
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    if kept.len() > KEPT {
        kept.sort();
        for (_, old) in kept.iter().take(kept.len() - KEPT) {
            drop(std::fs::remove_file(old));
        }
    }
    Ok(())
}

/// Writes a file whole or not at all.
///
/// # Errors
/// The disk's.
pub fn put(file: &Path, sound: &[u8]) -> std::io::Result<()> {
    // Two that speak the same text at once write the same file.
    let part = file.with_extension(format!("part-{:?}", std::thread::current().id()));
    let written = std::fs::write(&part, sound).and_then(|()| std::fs::rename(&part, file));
    if written.is_err() {
        drop(std::fs::remove_file(&part));
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// A service that answers once with this sound.
    fn speaks(sound: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/say", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked);
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", sound.len());
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(sound);
        });
        url
    }

    fn sound() -> &'static [u8] {
        Box::leak(media::wav::file(&[0x55; 800]).into_boxed_slice())
    }

    #[test]
    fn a_text_is_spoken_once_and_then_kept() {
        let data = tempfile::tempdir().unwrap();
        let voice = Voice::Http(speaks(sound()));
        let path = speak(data.path(), &voice, "Hello Ann", Language::En).unwrap();
        let file = std::fs::read(data.path().join(&path)).unwrap();
        assert_eq!(media::wav::decode(&file).unwrap(), [0x55; 800]);
        // The service answers only once: the second time it comes from the disk.
        assert_eq!(speak(data.path(), &voice, "Hello Ann", Language::En).unwrap(), path);
    }

    #[test]
    fn a_voice_that_sends_something_else_is_not_played() {
        let data = tempfile::tempdir().unwrap();
        for bad in [&b""[..], &b"RIFF\0\0\0\0MIDI"[..]] {
            let voice = Voice::Http(speaks(bad));
            assert!(speak(data.path(), &voice, "Hello", Language::En).is_err());
        }
    }

    #[test]
    fn a_program_that_is_not_there_or_fails_says_so() {
        assert!(program("no-such-voice", &[], "x").unwrap_err().en.contains("does not start"));
        assert_eq!(program("false", &[], "x").unwrap_err().en, "false failed.");
        assert_eq!(program("cat", &[], "spoken").unwrap(), b"spoken");
    }

    #[test]
    fn only_so_many_texts_are_kept() {
        let data = tempfile::tempdir().unwrap();
        for n in 0..KEPT + 5 {
            keep(&data.path().join(format!("{n}.wav")), b"x").unwrap();
        }
        assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), KEPT);
    }
}
