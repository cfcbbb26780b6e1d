//! The media core: all sessions of one media thread. Commands, packets and time come in; [`MediaOut`] goes out. Owns
//! ports, joins, recordings and music; what one session does by itself is in `session`. Never reads a clock, a socket
//! or a file, and never waits.
//!
//! The shell calls [`MediaCore::packet`] for each datagram and [`MediaCore::tick`] every 1–2 ms while
//! [`MediaCore::is_busy`]; frames every 20 ms are spread over the ticks by session.
use crate::limits::MAX_NAMED_MISSING;
use crate::out::{FileId, MediaOut};
use crate::player::Music;
use crate::prompts::PromptSet;
use crate::recorder::Recorder;
use crate::session::Session;
use model::clock::Mono;
use model::id::{RecordingId, SessionId};
use model::media::{MediaEvent, PlayEnd, RecordEnd};
use ports::Ports;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

mod commands;
mod hearing;
pub(crate) mod listening;
mod packets;
mod ports;
mod recordings;
mod ticks;

#[cfg(test)]
mod tests;

/// Nobody speaks to anybody when nothing was passed on for so long: longer than a pause between two sentences.
const CONVERSING: Duration = Duration::from_secs(2);

/// Counters for a person who asks what was ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Commands for sessions or recordings that are not open.
    pub ignored_commands: u64,
    /// Packets from other sources than the believed one, and to ports without a session.
    pub foreign: u64,
    /// Packets of the believed source that were no RTP we understand.
    pub malformed: u64,
    /// Digits not sent because too many waited.
    pub digits_dropped: u64,
    /// Prompts that exist in no language.
    pub prompts_missing: u64,
}

/// See the module.
#[derive(Debug)]
pub struct MediaCore {
    prompts: Arc<PromptSet>,
    music: Music,
    ports: Ports,
    sessions: Vec<Option<Box<Session>>>,
    /// How many of them are open.
    open: usize,
    /// How many ever were.
    opened: u64,
    ids: BTreeMap<SessionId, usize>,
    recorders: Vec<Option<Box<Recorder>>>,
    recordings: BTreeMap<RecordingId, usize>,
    /// Recordings whose file is being closed.
    closing: BTreeMap<FileId, Closing>,
    files: u64,
    ears: u64,
    /// When a person was last told of a recogniser that fails.
    ear_trouble: Option<Mono>,
    epoch: Option<u64>,
    orphan_after: Duration,
    /// Last millisecond ticked.
    ticked: u64,
    /// When sound of a peer last went to another one.
    passed: Option<Mono>,
    random: u64,
    cname: String,
    named_missing: BTreeSet<String>,
    outputs: BTreeSet<String>,
    counters: Counters,
}

#[derive(Debug)]
struct Closing {
    /// None for an orphan.
    id: Option<RecordingId>,
    end: RecordEnd,
    ms: u32,
}

impl MediaCore {
    /// A core without sessions. `ports`: the even RTP ports that are bound (RTCP is on port + 1). `seed`: from the
    /// kernel; stream numbers and names come from it.
    #[must_use]
    pub fn new(ports: impl IntoIterator<Item = u16>, seed: u64, prompts: Arc<PromptSet>) -> MediaCore {
        let mut core = MediaCore {
            music: Music::new(),
            prompts,
            ports: Ports::new(ports),
            sessions: Vec::new(),
            open: 0,
            opened: 0,
            ids: BTreeMap::new(),
            recorders: Vec::new(),
            recordings: BTreeMap::new(),
            closing: BTreeMap::new(),
            files: 0,
            ears: 0,
            ear_trouble: None,
            epoch: None,
            orphan_after: Duration::from_secs(60),
            ticked: 0,
            passed: None,
            random: seed,
            cname: String::new(),
            named_missing: BTreeSet::new(),
            outputs: BTreeSet::new(),
            counters: Counters::default(),
        };
        core.cname = format!("{:08x}{:08x}", core.dice(), core.dice());
        core.music.configure(&[], &core.prompts);
        core
    }

    /// Whether time matters: a session is open or a recording runs. Otherwise only commands need the core.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.session_count() > 0 || self.recorders.iter().any(Option::is_some)
    }

    /// Whether peers hear each other now, so that each millisecond counts; what is only played leaves as evenly at a
    /// coarser pace.
    #[must_use]
    pub fn is_conversing(&self, now: Mono) -> bool {
        self.passed.is_some_and(|at| now - at < CONVERSING)
    }

    /// Sessions open, orphans included.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.open
    }

    /// What was ignored so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Hands in a sound file asked for in `MediaOut::loads`: µ-law samples, or why there are none.
    pub fn loaded(&mut self, path: &str, sound: Result<Arc<[u8]>, String>, out: &mut MediaOut) {
        if let Err(why) = &sound {
            out.events.push(MediaEvent::Trouble(format!("sound file {path} cannot be played: {why}")));
        }
        let sound = sound.ok();
        if let Some(sound) = &sound {
            self.music.loaded(path, sound);
        }
        for player in self.sessions.iter_mut().flatten().filter_map(|s| s.player.as_mut()) {
            player.loaded(path, sound.as_ref());
        }
    }

    /// Hands in sound of a live music source (20 ms of µ-law, or any length).
    pub fn source_sound(&mut self, name: &str, sound: &[u8]) {
        self.music.feed(name, sound);
    }

    fn session(&mut self, slot: usize) -> Option<&mut Session> {
        self.sessions.get_mut(slot).and_then(|s| s.as_deref_mut())
    }

    fn tell(&self, slot: usize, event: impl FnOnce(SessionId) -> MediaEvent, out: &mut MediaOut) {
        if let Some(session) = self.sessions.get(slot).and_then(Option::as_deref)
            && !session.orphan
        {
            out.events.push(event(session.id));
        }
    }

    fn end_play(&mut self, slot: usize, end: PlayEnd, out: &mut MediaOut) {
        if let Some(player) = self.session(slot).and_then(|s| s.player.take()) {
            self.tell(slot, |session| MediaEvent::PlayDone { session, play: player.id, end }, out);
        }
    }

    /// Ends a join or echo for both sides, and a mix for this one.
    fn part(&mut self, slot: usize) {
        let Some(session) = self.session(slot) else { return };
        session.echo = false;
        let mixed = session.mix.take().is_some();
        if let Some(other) = session.joined.take()
            && let Some(other) = self.session(other)
        {
            other.joined = None;
        }
        if mixed {
            self.feed_mixes();
        }
    }

    fn note_missing(&mut self, names: Vec<String>, out: &mut MediaOut) {
        for name in names {
            self.counters.prompts_missing += 1;
            if self.named_missing.len() < MAX_NAMED_MISSING && self.named_missing.insert(name.clone()) {
                let text =
                    format!("prompt {name} is in no language of this firmware; silence is played instead");
                out.events.push(MediaEvent::Trouble(text));
            }
        }
    }

    /// splitmix64: good enough for stream numbers, which need to differ, not to be secret.
    fn dice(&mut self) -> u32 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(0)
    }
}

/// First free place of a slab, made when there is none.
fn vacant<T>(slab: &mut Vec<Option<Box<T>>>) -> usize {
    slab.iter().position(Option::is_none).unwrap_or_else(|| {
        slab.push(None);
        slab.len() - 1
    })
}

/// Milliseconds of `now`, the grid of ticks.
fn millisecond(now: Mono) -> u64 {
    now.0 / 1000
}
