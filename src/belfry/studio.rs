//! What the flow editor asks for: what would happen to a call (a simulated world with a copy of the site), and own prompts
//! as files below the data folder. One fictional call at a time, so that real ones keep the processor.
use crate::{prompts, voice};
use model::contact::ContactQuery;
use model::media::Language;
use model::what_if::{Forecast, Question};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use store::Store;

/// Folder of own prompts below the data folder.
const FOLDER: &str = "prompts";
/// Most contacts that a fictional call may be by: the caller's is looked up, there is only one.
const CALLERS: u32 = 8;

/// The helper.
pub struct Studio {
    data: PathBuf,
    store: Arc<Store>,
    asking: Mutex<()>,
}

impl Studio {
    /// For this data folder.
    #[must_use]
    pub fn new(data: &Path, store: Arc<Store>) -> Studio {
        Studio { data: data.to_owned(), store, asking: Mutex::new(()) }
    }
}

impl web::ports::Flows for Studio {
    fn what_if(&self, question: &Question) -> Result<Forecast, String> {
        let _one = self.asking.try_lock().map_err(|_| "another question is being answered; try again")?;
        what_if(&self.store, question)
    }

    fn prompt(&self, name: &str, language: Language, sound: &[u8]) -> Result<String, String> {
        keep(&self.data, name, language, sound)
    }

    fn spoken(&self, name: &str, language: Language, text: &str) -> Result<String, String> {
        let config = crate::mailer::current(&self.store)?;
        let voice =
            config.audio.voice.ok_or("nobody speaks on this box; set a voice in the settings of sound")?;
        let path = voice::speak(&self.data, &voice, text, language)?;
        let sound = std::fs::read(self.data.join(path)).map_err(|error| error.to_string())?;
        keep(&self.data, name, language, &sound)
    }
}

/// Keeps a sound as the telephone plays it. The file's path below the data folder.
fn keep(data: &Path, name: &str, language: Language, sound: &[u8]) -> Result<String, String> {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ' | '.');
    if name.is_empty() || name.chars().count() > 40 || !name.chars().all(fine) || name.starts_with('.') {
        return Err(format!("\"{name}\" is not a name of a prompt; use letters, digits, space, -, _ and ."));
    }
    if !sound.starts_with(b"RIFF") {
        return Err("this is not a WAV file; save it as WAV (PCM 16 bit, A-law or µ-law)".to_owned());
    }
    let sound = media::wav::decode(sound)?;
    if sound.is_empty() {
        return Err("there is no sound in this file".to_owned());
    }
    // A new file each time: calls that play the old one, and an undone change, still find theirs.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let path = format!("{FOLDER}/{}/{name}-{now}.wav", language.code());
    let file = data.join(&path);
    let folder = file.parent().map(Path::to_owned).unwrap_or_default();
    std::fs::create_dir_all(folder)
        .and_then(|()| voice::put(&file, &media::wav::file(&sound)))
        .map_err(|error| format!("the prompt cannot be kept: {error}"))?;
    Ok(path)
}

/// Answers with the configuration in force.
///
/// # Errors
/// What of the question makes no sense.
pub fn what_if(store: &Store, question: &Question) -> Result<Forecast, String> {
    let config = crate::mailer::current(store)?;
    let digits: String = question.caller.chars().filter(char::is_ascii_digit).collect();
    let query = ContactQuery { text: Some(digits), class: None, offset: 0, limit: CALLERS };
    let contacts = store.reader().contacts(&query).map(|page| page.items).unwrap_or_default();
    let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        sim::what_if::ask(&config, contacts, Arc::new(prompts::all()), question)
    }));
    asked.unwrap_or_else(|_| Err("this call cannot be told beforehand: the simulation broke off".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uploaded_prompt_is_kept_as_the_telephone_plays_it() {
        let data = tempfile::tempdir().unwrap();
        let wav = media::wav::file(&[0x55; 800]);
        let path = keep(data.path(), "night", Language::Zh, &wav).unwrap();
        assert!(path.starts_with("prompts/zh/night-"), "{path}");
        let file = std::fs::read(data.path().join(path)).unwrap();
        assert_eq!(media::wav::decode(&file).unwrap(), [0x55; 800]);
    }

    #[test]
    fn what_is_no_prompt_is_refused_with_the_remedy() {
        let data = tempfile::tempdir().unwrap();
        let wav = media::wav::file(&[0x55; 800]);
        let why = keep(data.path(), "night", Language::En, b"ID3 an MP3").unwrap_err();
        assert!(why.contains("WAV"), "{why}");
        for name in ["", "../../etc/passwd", ".hidden", "a/b"] {
            assert!(keep(data.path(), name, Language::En, &wav).is_err(), "{name}");
        }
        assert!(keep(data.path(), "empty", Language::En, &media::wav::file(&[])).is_err());
    }
}
