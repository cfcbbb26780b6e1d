//! The media role: one thread that owns all RTP sockets, the connection to control and the media core, wakes every 1 to
//! 4 ms while there is a session, takes what came and sends what is due. Beside it: a thread that accepts control's
//! connections, one for files written, one for files read. The loop waits for none of them: every queue between is
//! bounded and a full one costs the thing it carries, counted, never speech.
//!
//! Goes on relaying while control is away. Decides nothing about calls.
use media::out::EarSaid;
use media::prompts::PromptSet;
use model::media::Language;
use model::speech::Hearing;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::mpsc::Receiver;
use thiserror::Error;

mod batch;
mod ears;
mod server;
mod turn;
mod workers;

#[cfg(test)]
mod tests;

/// Writes recordings. Called on a thread of its own, one call at a time; may take as long as the disk does.
pub trait FileSink: Send {
    /// Carries out one operation, in order for each file.
    ///
    /// # Errors
    /// A sentence saying what the disk refused. The file is given up: nothing more of it comes but `abandon`.
    fn perform(&mut self, op: media::out::FileOp) -> Result<(), String>;

    /// Brings what was appended to the disk, where a second has passed since the last time. Asked four times a second
    /// while something is being written. Gives the
    /// files for which that failed; they are given up.
    fn sync(&mut self) -> Vec<(media::out::FileId, String)>;

    /// Closes a file as it is (its header is repaired at the next start). Unknown files are ignored.
    fn abandon(&mut self, file: media::out::FileId);
}

/// Reads sound files below the data folder. Called on a thread of its own.
pub trait FileSource: Send {
    /// The whole file at a relative path (already checked to stay below its folder).
    ///
    /// # Errors
    /// A sentence saying why it cannot be read.
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String>;
}

impl<F: FnMut(&str) -> Result<Vec<u8>, String> + Send> FileSource for F {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        self(path)
    }
}

/// Takes µ-law sound of a capture, 20 ms or so at a time; false: nobody wants it any more, stop capturing.
pub type SourceFeed = Box<dyn FnMut(&[u8]) -> bool + Send>;

/// Sound cards. Every call must return at once: the device is opened and served on a thread of the implementation.
pub trait AudioDevices: Send {
    /// Captures from the ALSA PCM `pcm` (8 kHz, one channel, as µ-law) into `feed` until it gives false.
    ///
    /// # Errors
    /// A sentence for a person when no thread can be started. Device errors are the implementation's to retry.
    fn start_source(&mut self, pcm: &str, feed: SourceFeed) -> Result<(), String>;

    /// Plays µ-law sound to the ALSA PCM `pcm` until `sound` is disconnected. Nothing arrives while nobody pages.
    ///
    /// # Errors
    /// As above.
    fn start_output(&mut self, pcm: &str, sound: Receiver<Vec<u8>>) -> Result<(), String>;
}

/// A box without a sound card: everything asked for is reported as missing.
#[derive(Debug)]
pub struct NoDevices;

impl AudioDevices for NoDevices {
    fn start_source(&mut self, pcm: &str, _feed: SourceFeed) -> Result<(), String> {
        Err(format!("no sound card is served here, so {pcm} cannot be captured"))
    }

    fn start_output(&mut self, pcm: &str, _sound: Receiver<Vec<u8>>) -> Result<(), String> {
        Err(format!("no sound card is served here, so {pcm} cannot be played to"))
    }
}

/// A piece of what a caller says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EarPiece {
    /// µ-law sound as it is spoken.
    Sound(Vec<u8>),
    /// The caller is quiet.
    End,
}

/// Takes what a recogniser does. Never waits: what finds the media loop's queue full is dropped, and control goes on by its
/// own time.
pub type EarFeed = Box<dyn Fn(EarSaid) + Send>;

/// Recognisers of speech. A call must return at once: the recogniser is connected and heard on a thread of the
/// implementation, which limits how many there are.
pub trait Recognisers: Send {
    /// Has one utterance recognised. `sound` is disconnected when nobody wants to know any more; `tell` hears of it until
    /// `Said` or `Failed`.
    ///
    /// # Errors
    /// A few words when no further utterance can be taken.
    fn start(&mut self, hearing: Hearing, sound: Receiver<EarPiece>, tell: EarFeed) -> Result<(), String>;
}

/// A box without recognisers.
#[derive(Debug)]
pub struct NoRecognisers;

impl Recognisers for NoRecognisers {
    fn start(&mut self, _hearing: Hearing, _sound: Receiver<EarPiece>, _tell: EarFeed) -> Result<(), String> {
        Err("no recogniser is served here".to_owned())
    }
}

/// Proofs of life; each grows at least once a second while its thread works.
#[derive(Clone, Debug, Default)]
pub struct Beats {
    /// The media thread itself.
    pub media: Arc<AtomicU64>,
    /// The recording writer.
    pub disk: Arc<AtomicU64>,
    /// The socket to control.
    pub link: Arc<AtomicU64>,
}

/// What the media role needs.
pub struct MediaRoleConfig {
    /// RTP ports, inclusive; even ones carry RTP, the odd ones after them RTCP.
    pub rtp: (u16, u16),
    /// Address the ports are bound on.
    pub bind: IpAddr,
    /// Unix socket to listen on for control; a stale one is replaced.
    pub socket: PathBuf,
    /// Built-in prompts and music.
    pub prompts: Arc<PromptSet>,
    /// Random number from the kernel.
    pub seed: u64,
    /// Where recordings go.
    pub files: Box<dyn FileSink>,
    /// Where sound files come from.
    pub sounds: Box<dyn FileSource>,
    /// Sound cards.
    pub devices: Box<dyn AudioDevices>,
    /// Who understands speech.
    pub recognisers: Box<dyn Recognisers>,
    /// Proofs of life.
    pub beats: Beats,
    /// Ends the role within a quarter of a second.
    pub stop: Arc<AtomicBool>,
    /// Called once, when the ports are bound and control may connect.
    pub ready: Box<dyn FnOnce() + Send>,
}

/// Why the media role cannot run.
#[derive(Debug, Error)]
pub enum MediaFault {
    /// Not one port of the range could be bound.
    #[error(
        "none of the RTP ports {low}-{high} could be bound on {address}: {why}; choose another range with --rtp"
    )]
    NoPorts {
        /// First port.
        low: u16,
        /// Last port.
        high: u16,
        /// Address asked for.
        address: IpAddr,
        /// The first refusal.
        why: String,
    },
    /// The socket to control.
    #[error("the media socket {path} cannot be made: {source}")]
    Socket {
        /// Its path.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A system call that must work did not.
    #[error("media cannot run: {0}")]
    System(#[from] std::io::Error),
}

/// Runs the media role on the calling thread until `stop`.
///
/// # Errors
/// [`MediaFault`]: nothing can be bound, or the operating system refuses threads, epoll or the socket. A fault later
/// on ends the role too; the supervisor starts it again.
pub fn run(config: MediaRoleConfig) -> Result<(), MediaFault> {
    turn::Loop::start(config)?.run()
}

/// Reads `DIR/{en,zh}/NAME.ul` and `DIR/music/NAME.ul` (raw µ-law) into a set that lives as long as the process.
///
/// # Errors
/// When `dir` itself cannot be listed. Missing language folders are empty sets.
pub fn prompts_from(dir: &Path) -> std::io::Result<PromptSet> {
    std::fs::read_dir(dir)?;
    let mut set = PromptSet::new();
    for language in [Language::En, Language::Zh] {
        for (name, sound) in sounds_of(&dir.join(language.code())) {
            set.add_prompt(language, &name, sound);
        }
    }
    for (name, sound) in sounds_of(&dir.join("music")) {
        set.add_music(&name, sound);
    }
    Ok(set)
}

fn sounds_of(dir: &Path) -> Vec<(String, &'static [u8])> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let paths = entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "ul"));
    paths
        .filter_map(|path| {
            let name = path.file_stem()?.to_str()?.to_owned();
            let sound: &'static [u8] = std::fs::read(&path).ok()?.leak();
            Some((name, sound))
        })
        .collect()
}
