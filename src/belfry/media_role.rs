//! The media role: RTP ports, prompts, recordings and the sound card put together. Decides nothing; speaks with control
//! over the socket in the data folder.
use crate::args::{Role, RunOptions};
use crate::lifecycle;
use crate::role::{self, Bond, Order, Report};
use media::codec::{linear_to_ulaw, ulaw_to_linear};
use media::out::{FileId, FileOp};
use model::id::RecordingId;
use net::media_loop::{self, AudioDevices, Beats, FileSink, MediaRoleConfig, SourceFeed};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;
use store::spool::{self, Spool};

/// Frames of 20 ms waiting for the paging output: a card that stops for longer has lost its listeners anyway.
const PAGING_FRAMES: usize = 50;

/// Runs the role until its supervisor stops it.
#[must_use]
pub fn run(options: &RunOptions) -> ExitCode {
    match serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => lifecycle::give_up(Role::Media, &error),
    }
}

fn serve(options: &RunOptions) -> anyhow::Result<()> {
    let (bond, orders) = Bond::tie()?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    role::spawn("stop", move || wait_for_stop(&orders, &stopped))?;
    for repaired in spool::repair(&options.data)? {
        tracing::warn!(
            path = repaired.path,
            ms = repaired.ms,
            "a recording cut off by a crash was made whole"
        );
    }
    if let Some(sound) = board::description::Board::load()?.sound {
        // Of its own: a card that answers slowly keeps no call waiting.
        role::spawn("mixer", move || board::mixer::set(&sound))?;
    }
    crate::browser_phones::start_sessions(options, &bond, stop.clone());
    let ready = bond.clone();
    let config = MediaRoleConfig {
        rtp: options.rtp,
        bind: options.sip.ip(),
        socket: lifecycle::media_socket(&options.data),
        prompts: Arc::new(crate::prompts::all()),
        seed: lifecycle::seed()?,
        files: Box::new(Files {
            spool: Spool::new(&options.data)?,
            open: BTreeMap::new(),
            data: options.data.clone(),
        }),
        sounds: sounds_below(options.data.clone()),
        devices: Box::new(Cards),
        recognisers: Box::new(crate::recogniser::WebSockets::default()),
        beats: Beats { media: bond.beat("media"), disk: bond.beat("disk"), link: bond.beat("control-link") },
        stop,
        ready: Box::new(move || ready.tell(Report::Ready { sip: None, http: None, https: None })),
    };
    media_loop::run(config)?;
    Ok(())
}

fn wait_for_stop(orders: &Receiver<Order>, stop: &AtomicBool) {
    for order in orders {
        match order {
            Order::Stop { .. } => stop.store(true, Ordering::Relaxed),
            Order::Peer { .. } | Order::Watch(_) => {}
        }
    }
}

fn sounds_below(data: PathBuf) -> Box<dyn media_loop::FileSource> {
    Box::new(move |path: &str| -> Result<Vec<u8>, String> {
        let whole = spool::below(&data, path).map_err(|error| error.to_string())?;
        std::fs::read(&whole).map_err(|error| format!("{}: {error}", whole.display()))
    })
}

/// Recordings into the spool.
struct Files {
    spool: Spool,
    open: BTreeMap<FileId, RecordingId>,
    data: PathBuf,
}

impl FileSink for Files {
    fn perform(&mut self, op: FileOp) -> Result<(), String> {
        let done = match op {
            FileOp::Create { file, recording, path, channels, .. } => {
                self.open.insert(file, recording);
                begin(&mut self.spool, &self.data, recording, &path, channels)
            }
            FileOp::Append { file, bytes } => match self.open.get(&file) {
                Some(recording) => self.spool.append(*recording, &bytes),
                None => Ok(()),
            },
            FileOp::Finish { file, .. } => match self.open.remove(&file) {
                Some(recording) => self.spool.finish(recording).map(drop),
                None => Ok(()),
            },
        };
        done.map_err(|error| error.to_string())
    }

    fn sync(&mut self) -> Vec<(FileId, String)> {
        match self.spool.sync_due(Instant::now()) {
            Ok(()) => Vec::new(),
            // Which file it was is not said; all of them are on the same disk.
            Err(error) => self.open.keys().map(|file| (*file, error.to_string())).collect(),
        }
    }

    fn abandon(&mut self, file: FileId) {
        if let Some(recording) = self.open.remove(&file)
            && let Err(error) = self.spool.finish(recording)
        {
            tracing::warn!(%error, "a recording is left as it is; it is made whole at the next start");
        }
    }
}

/// A message may be spoken anew into the same file: the first try makes room.
fn begin(
    spool: &mut Spool,
    data: &Path,
    recording: RecordingId,
    path: &str,
    channels: u8,
) -> Result<(), store::Fault> {
    spool::remove(data, path)?;
    spool.create(recording, path, u16::from(channels))
}

/// ALSA behind the loop's idea of sound cards.
struct Cards;

impl AudioDevices for Cards {
    fn start_source(&mut self, pcm: &str, mut feed: SourceFeed) -> Result<(), String> {
        let mut sound = Vec::with_capacity(board::audio::FRAME);
        board::audio::start_source(pcm, move |samples| {
            sound.clear();
            sound.extend(samples.iter().map(|&s| linear_to_ulaw(s)));
            feed(&sound)
        })
        .map_err(|error| error.to_string())
    }

    fn start_output(&mut self, pcm: &str, sound: Receiver<Vec<u8>>) -> Result<(), String> {
        let (out, samples) = sync_channel(PAGING_FRAMES);
        board::audio::start_output(pcm, samples).map_err(|error| error.to_string())?;
        role::spawn("paging-law", move || {
            for frame in sound {
                // A full queue means a card that hangs: its sound is lost, nobody waits.
                let _ = out.try_send(frame.iter().map(|&b| ulaw_to_linear(b)).collect());
            }
        })
        .map_err(|error| error.to_string())
    }
}
