//! A media process that keeps its promises without a sound: plays last a second, recordings as long as they run.
use model::clock::Mono;
use model::id::{PlayId, RecordingId, SessionId};
use model::media::{Digit, MediaCommand, MediaEvent, MediaStats, PlayEnd, RecordEnd, Remote, Sound};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[derive(Default)]
pub struct Media {
    pub open: BTreeSet<SessionId>,
    pub remotes: BTreeMap<SessionId, Remote>,
    pub joins: BTreeSet<(SessionId, SessionId)>,
    pub plays: BTreeMap<SessionId, (PlayId, Vec<Sound>)>,
    pub recordings: BTreeMap<RecordingId, (SessionId, Option<SessionId>, Mono)>,
    pub commands: Vec<MediaCommand>,
}

type Happens = Vec<(Mono, MediaEvent)>;

impl Media {
    pub fn command(&mut self, now: Mono, command: MediaCommand) -> Happens {
        self.commands.push(command.clone());
        let soon = now + Duration::from_millis(1);
        match command {
            MediaCommand::Open { session, .. } => {
                assert!(self.open.insert(session), "a session is opened once");
                Vec::new()
            }
            MediaCommand::Remote { session, remote } => {
                assert!(self.open.contains(&session));
                self.remotes.insert(session, remote);
                Vec::new()
            }
            MediaCommand::Play { session, play, sounds, repeat, .. } => {
                assert!(self.open.contains(&session));
                let mut happens = self.stop(soon, session);
                let endless = repeat || sounds.iter().any(|s| matches!(s, Sound::Music(_)));
                self.plays.insert(session, (play, sounds));
                if !endless {
                    let end = PlayEnd::Finished;
                    happens.push((now + Duration::from_secs(1), MediaEvent::PlayDone { session, play, end }));
                }
                happens
            }
            MediaCommand::StopPlay { session } => self.stop(soon, session),
            MediaCommand::Join { a, b } => {
                assert!(self.open.contains(&a) && self.open.contains(&b));
                let mut happens = self.stop(soon, a);
                happens.extend(self.stop(soon, b));
                self.joins.insert((a, b));
                happens
            }
            MediaCommand::Part { session } => {
                self.joins.retain(|(a, b)| *a != session && *b != session);
                Vec::new()
            }
            MediaCommand::Record { recording, left, right, .. } => {
                assert!(self.open.contains(&left));
                self.recordings.insert(recording, (left, right, now));
                Vec::new()
            }
            MediaCommand::StopRecord { recording } => {
                self.end_recording(soon, recording).into_iter().collect()
            }
            MediaCommand::Close { session } => {
                assert!(self.open.remove(&session), "an open session is closed once");
                self.joins.retain(|(a, b)| *a != session && *b != session);
                self.plays.remove(&session);
                self.remotes.remove(&session);
                let ends: Vec<RecordingId> = self
                    .recordings
                    .iter()
                    .filter(|(_, (l, r, _))| *l == session || *r == Some(session))
                    .map(|(id, _)| *id)
                    .collect();
                let mut happens: Happens =
                    ends.into_iter().filter_map(|r| self.end_recording(soon, r)).collect();
                happens.push((soon, MediaEvent::Closed { session, stats: MediaStats::default() }));
                happens
            }
            MediaCommand::Hello { .. }
            | MediaCommand::Echo { .. }
            | MediaCommand::SendDigit { .. }
            | MediaCommand::PauseRecord { .. }
            | MediaCommand::Page { .. }
            | MediaCommand::Devices { .. }
            | MediaCommand::Mark { .. }
            | MediaCommand::Mix { .. }
            | MediaCommand::Mute { .. }
            | MediaCommand::Listen { .. }
            | MediaCommand::Hear { .. }
            | MediaCommand::Ping(_) => Vec::new(),
        }
    }

    /// Whether an event speaks of a play that was replaced meanwhile.
    pub fn is_void(&mut self, event: &MediaEvent) -> bool {
        let MediaEvent::PlayDone { session, play, end: PlayEnd::Finished } = event else { return false };
        let current = self.plays.get(session).is_some_and(|(p, _)| p == play);
        if current {
            self.plays.remove(session);
        }
        !current
    }

    /// Names of the prompts that this session hears now.
    pub fn hears(&self, session: SessionId) -> Vec<String> {
        let sounds = self.plays.get(&session).map(|(_, s)| s.as_slice()).unwrap_or_default();
        let names = sounds.iter().map(|s| match s {
            Sound::Prompt { name, .. } => name.clone(),
            Sound::Music(name) => format!("music {name}"),
            Sound::File(path) => path.clone(),
            Sound::Tone { .. } => "tone".into(),
            Sound::Silence(_) => "silence".into(),
        });
        names.collect()
    }

    /// Whether two sessions hear each other.
    pub fn joined(&self) -> bool {
        self.joins.len() == 1
    }

    fn stop(&mut self, at: Mono, session: SessionId) -> Happens {
        let old = self.plays.remove(&session);
        old.map(|(play, _)| (at, MediaEvent::PlayDone { session, play, end: PlayEnd::Stopped }))
            .into_iter()
            .collect()
    }

    fn end_recording(&mut self, at: Mono, recording: RecordingId) -> Option<(Mono, MediaEvent)> {
        let (_, _, since) = self.recordings.remove(&recording)?;
        let ms = u32::try_from(at.since(since).as_millis()).unwrap();
        Some((at, MediaEvent::RecordDone { recording, end: RecordEnd::Stopped, ms }))
    }
}

/// A key.
pub fn key(c: char) -> Digit {
    Digit::try_from(c).unwrap()
}
