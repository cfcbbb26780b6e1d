//! What the flow editor asks for: what would happen to a call (a simulated world with a copy of the site), and own prompts
//! as files below the data folder. One fictional call at a time, so that real ones keep the processor.
use crate::intake::Events;
use crate::{prompts, voice};
use engine::event::Event;
use model::campaign::{DialForecast, DialQuestion};
use model::contact::ContactQuery;
use model::id::Ticket;
use model::media::Language;
use model::sentence::Sentence;
use model::what_if::{Forecast, Question};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use store::{CommitRefusal, Committed, Store};
use web::ports::{Fault, PromptRefusal};

/// Folder of own prompts below the data folder.
const FOLDER: &str = "prompts";
/// Longest name of a prompt, characters.
const NAME_MAX: usize = 40;
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
    fn what_if(&self, question: &Question) -> Result<Forecast, Sentence> {
        let _one = self.asking.try_lock().map_err(|_| asked_already())?;
        what_if(&self.store, question)
    }

    fn name(&self, name: &str) -> Result<(), Sentence> {
        proper(name)
    }

    fn dialling(&self, question: &DialQuestion) -> Result<DialForecast, Sentence> {
        let _one = self.asking.try_lock().map_err(|_| asked_already())?;
        crate::simulate::ask(question)
    }

    fn prompt(&self, name: &str, language: Language, sound: &[u8]) -> Result<String, PromptRefusal> {
        keep(&self.data, name, language, sound)
    }

    fn spoken(&self, name: &str, language: Language, text: &str) -> Result<String, PromptRefusal> {
        let config = crate::mailer::current(&self.store).map_err(Fault::Inside)?;
        let nobody = || {
            Sentence::new(
                "Nobody speaks on this box; set a voice in the settings of sound.",
                "本机尚未设置语音；请在设置的“声音”中选择。",
            )
        };
        let voice = config.audio.voice.ok_or_else(nobody).map_err(PromptRefusal::Sound)?;
        let file = self.data.join(voice::speak(&self.data, &voice, text, language)?);
        let sound = std::fs::read(&file).map_err(voice::not_kept(&file))?;
        keep(&self.data, name, language, &sound)
    }
}

fn asked_already() -> Sentence {
    Sentence::new("Another question is being answered; try again.", "正在推演另一个问题；请稍后再试。")
}

/// Whether a prompt may have this name.
fn proper(name: &str) -> Result<(), Sentence> {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ' | '.');
    if name.is_empty() || name.chars().count() > NAME_MAX || !name.chars().all(fine) || name.starts_with('.')
    {
        return Err(Sentence::new(
            format!(
                "\"{name}\" is not a name of a prompt; use letters, digits, space, -, _ and ., at most {NAME_MAX} \
                 characters, no . in front."
            ),
            format!(
                "“{name}”不能作为提示音的名称；请使用字母、数字、空格、-、_ 和 .，最多 {NAME_MAX} 个字符，不能以 . 开头。"
            ),
        ));
    }
    Ok(())
}

/// Keeps a sound as the telephone plays it. The file's path below the data folder.
fn keep(data: &Path, name: &str, language: Language, sound: &[u8]) -> Result<String, PromptRefusal> {
    let sound = proper(name).and_then(|()| playable(sound)).map_err(PromptRefusal::Sound)?;
    // A new file each time: calls that play the old one, and an undone change, still find theirs.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let path = format!("{FOLDER}/{}/{name}-{now}.wav", language.code());
    let file = data.join(&path);
    let folder = file.parent().map(Path::to_owned).unwrap_or_default();
    std::fs::create_dir_all(folder)
        .and_then(|()| voice::put(&file, &media::wav::file(&sound)))
        .map_err(voice::not_kept(&file))?;
    Ok(path)
}

/// What the telephone plays of a file.
fn playable(file: &[u8]) -> Result<Vec<u8>, Sentence> {
    if !file.starts_with(b"RIFF") {
        return Err(Sentence::new(
            "This is not a WAV file; save it as WAV (PCM 16 bit, A-law or µ-law).",
            "这不是 WAV 文件；请另存为 WAV（PCM 16 位、A-law 或 µ-law）。",
        ));
    }
    let sound = media::wav::decode(file)?;
    match sound.is_empty() {
        true => Err(Sentence::new("There is no sound in this WAV file.", "该 WAV 文件中没有声音。")),
        false => Ok(sound),
    }
}

/// What somebody has spoken at a phone.
pub struct Take<'a> {
    /// File below the data folder.
    pub path: &'a str,
    /// Name of the prompt that it becomes.
    pub name: &'a str,
    /// In which language it is.
    pub language: Language,
    /// Who wanted it.
    pub by: &'a str,
}

/// How often the configuration is read again because somebody else was faster.
const TURNS: u32 = 5;
/// Sound quieter than this at the ends is silence: -46 dBFS.
const QUIET: u16 = 160;
/// So much of the silence stays at each end, samples.
const REST: usize = 800;

/// Makes a take the site's prompt: a file as any other prompt, and a generation of the configuration that names it. The
/// file's path.
///
/// # Errors
/// Why not, in a few words.
pub fn take(data: &Path, store: &Store, events: &Events, take: &Take<'_>) -> Result<String, String> {
    let file = data.join(take.path);
    let sound = std::fs::read(&file).map_err(|error| format!("the take cannot be read: {error}"))?;
    let sound = media::wav::file(&trimmed(&media::wav::decode(&sound).map_err(|why| why.en)?));
    let path = keep(data, take.name, take.language, &sound).map_err(|why| why.to_string())?;
    let done = name_it(store, take, &path)?;
    // The file was its own; nobody misses it.
    let _ = std::fs::remove_file(file);
    let (generation, config) = (done.generation, done.config);
    events.push(Event::ConfigCommitted { ticket: Ticket(0), generation, config });
    Ok(path)
}

fn name_it(store: &Store, take: &Take<'_>, path: &str) -> Result<Committed, String> {
    let summary = format!("prompt {} ({}) recorded at a phone", take.name, take.language.code());
    for _ in 0..TURNS {
        let current = store.reader().current().map_err(|fault| fault.to_string())?;
        let (generation, mut tree) = current.ok_or("there is no configuration yet")?;
        tree["audio"]["prompt"][take.name][take.language.code()] = path.into();
        match store.commit(take.by, tree, Some(generation), &summary) {
            Err(CommitRefusal::Stale(_)) => {}
            done => return done.map_err(|refusal| refusal.to_string()),
        }
    }
    Err("the configuration changes all the time; try again".to_owned())
}

/// Without the silence before the first and after the last word.
fn trimmed(sound: &[u8]) -> Vec<u8> {
    let loud = |s: &u8| media::codec::ulaw_to_linear(*s).unsigned_abs() > QUIET;
    let first = sound.iter().position(loud).unwrap_or(0).saturating_sub(REST);
    let last = sound.iter().rposition(loud).map_or(sound.len(), |at| (at + REST).min(sound.len()));
    sound[first..last].to_vec()
}

/// Answers with the configuration in force.
///
/// # Errors
/// What of the question makes no sense.
pub fn what_if(store: &Store, question: &Question) -> Result<Forecast, Sentence> {
    let unread = |why| {
        Sentence::new(
            format!("The settings of the box cannot be read: {why}."),
            format!("无法读取本机的设置：{why}。"),
        )
    };
    let config = crate::mailer::current(store).map_err(unread)?;
    let digits: String = question.caller.chars().filter(char::is_ascii_digit).collect();
    let query = ContactQuery { text: Some(digits), class: None, offset: 0, limit: CALLERS };
    let contacts = store.reader().contacts(&query).map(|page| page.items).unwrap_or_default();
    let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        sim::what_if::ask(&config, contacts, Arc::new(prompts::all()), question)
    }));
    asked.unwrap_or_else(|_| {
        Err(Sentence::new(
            "This call cannot be told beforehand: the simulation broke off.",
            "无法推演此通话：模拟中断。",
        ))
    })
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
    fn the_silence_around_a_take_goes_and_the_words_stay() {
        let (silence, word) = ([0xff_u8; 8_000], [0x20_u8; 4_000]);
        let kept = trimmed(&[&silence[..], &word, &silence[..400], &word, &silence].concat());
        assert_eq!(kept.len(), 2 * word.len() + 400 + 2 * REST - 1);
        assert_eq!(trimmed(&silence).len(), silence.len(), "nothing but silence is left as it is");
    }

    #[test]
    fn what_is_no_prompt_is_refused_with_the_remedy() {
        let data = tempfile::tempdir().unwrap();
        let wav = media::wav::file(&[0x55; 800]);
        let why = keep(data.path(), "night", Language::En, b"ID3 an MP3").unwrap_err();
        assert!(why.to_string().contains("WAV"), "{why}");
        for name in ["", "../../etc/passwd", ".hidden", "a/b"] {
            assert!(keep(data.path(), name, Language::En, &wav).is_err(), "{name}");
        }
        assert!(keep(data.path(), "empty", Language::En, &media::wav::file(&[])).is_err());
    }
}
