//! Recordings: begun, fed by taps, ended by control, length, silence, a digit, a closed session or the disk. `RecordDone`
//! is told only when the writer has closed the file.
use super::{Closing, MediaCore, vacant};
use crate::limits::{MAX_RECORDINGS, MAX_TAPS};
use crate::out::{FileId, MediaOut, is_below};
use crate::recorder::{Recorder, Terms};
use crate::session::Tap;
use model::clock::Now;
use model::id::{RecordingId, SessionId};
use model::media::{MediaEvent, RecordEnd};
use std::time::Duration;

/// A recording as asked for.
pub(super) struct Order {
    pub recording: RecordingId,
    pub left: SessionId,
    pub right: Option<SessionId>,
    pub path: String,
    pub max_s: u32,
    pub silence_ms: u32,
    pub until_digit: bool,
}

impl MediaCore {
    pub(super) fn record(&mut self, now: Now, order: Order, out: &mut MediaOut) {
        let recording = order.recording;
        let refuse = |end, out: &mut MediaOut| {
            out.events.push(MediaEvent::RecordDone { recording, end, ms: 0 });
        };
        if self.recordings.contains_key(&recording) {
            self.counters.ignored_commands += 1;
            return;
        }
        let left = self.ids.get(&order.left).copied();
        let right = order.right.map(|r| self.ids.get(&r).copied());
        let (Some(left), false) = (left, right == Some(None)) else {
            self.counters.ignored_commands += 1;
            return refuse(RecordEnd::Stopped, out);
        };
        if let Some(why) = self.no_room(left, &order.path) {
            out.events.push(MediaEvent::Trouble(format!("recording {recording} is not made: {why}")));
            return refuse(RecordEnd::Disk, out);
        }
        self.begin(now, order, left, right.flatten(), out);
    }

    fn no_room(&self, left: usize, path: &str) -> Option<String> {
        let taps = self.sessions.get(left).and_then(Option::as_deref).map_or(0, |s| s.taps.len());
        if !is_below(path) {
            Some(format!("\"{path}\" is not a relative path below the data folder"))
        } else if self.recorders.iter().flatten().count() >= MAX_RECORDINGS {
            Some(format!("{MAX_RECORDINGS} recordings run already"))
        } else if taps >= MAX_TAPS {
            Some(format!("{MAX_TAPS} recordings of this session run already"))
        } else {
            None
        }
    }

    fn begin(&mut self, now: Now, order: Order, left: usize, right: Option<usize>, out: &mut MediaOut) {
        self.files += 1;
        let terms = Terms {
            id: order.recording,
            file: FileId(self.files),
            channels: if right.is_some() { 2 } else { 1 },
            max: Duration::from_secs(u64::from(order.max_s)),
            silence: Duration::from_millis(u64::from(order.silence_ms)),
            until_digit: order.until_digit,
        };
        let (recorder, create) = Recorder::new(now.mono, &terms, order.path);
        out.files.push(create);
        let slot = vacant(&mut self.recorders);
        if let Some(place) = self.recorders.get_mut(slot) {
            *place = Some(Box::new(recorder));
        }
        self.recordings.insert(order.recording, slot);
        for (session, channel) in [(Some(left), 0), (right, 1)] {
            if let Some(session) = session.and_then(|s| self.session(s)) {
                session.activate(now.mono);
                session.taps.push(Tap { recorder: slot, channel });
            }
        }
    }

    pub(super) fn stop_record(&mut self, now: Now, recording: RecordingId, out: &mut MediaOut) {
        match self.recordings.get(&recording).copied() {
            Some(slot) => self.end_recording(now, slot, RecordEnd::Stopped, out),
            None => self.counters.ignored_commands += 1,
        }
    }

    pub(super) fn pause_record(&mut self, now: Now, recording: RecordingId, paused: bool) {
        let slot = self.recordings.get(&recording).copied();
        match slot.and_then(|s| self.recorders.get_mut(s)).and_then(|r| r.as_deref_mut()) {
            Some(recorder) => recorder.pause(now.mono, paused),
            None => self.counters.ignored_commands += 1,
        }
    }

    /// Ends all recordings, before the process ends.
    pub fn finish_recordings(&mut self, now: Now, out: &mut MediaOut) {
        for slot in 0..self.recorders.len() {
            self.end_recording(now, slot, RecordEnd::Stopped, out);
        }
    }

    /// Takes a recording out and hands its rest to the writer.
    pub(super) fn end_recording(&mut self, now: Now, slot: usize, end: RecordEnd, out: &mut MediaOut) {
        let Some(mut recorder) = self.remove_recorder(slot) else { return };
        let ms = recorder.finish(now.mono, &mut out.files);
        let id = (!recorder.orphan).then_some(recorder.id);
        self.closing.insert(recorder.file, Closing { id, end, ms });
    }

    fn remove_recorder(&mut self, slot: usize) -> Option<Box<Recorder>> {
        let recorder = self.recorders.get_mut(slot).and_then(Option::take)?;
        if !recorder.orphan {
            self.recordings.remove(&recorder.id);
        }
        self.sessions.iter_mut().flatten().for_each(|s| s.taps.retain(|t| t.recorder != slot));
        Some(recorder)
    }

    /// A session closes: recordings of its peer's sound on the first channel end; on the second there is silence
    /// from here on.
    pub(super) fn release_taps(&mut self, now: Now, slot: usize, out: &mut MediaOut) {
        let taps = self.session(slot).map(|s| std::mem::take(&mut s.taps)).unwrap_or_default();
        for tap in taps.iter().filter(|t| t.channel == 0) {
            self.end_recording(now, tap.recorder, RecordEnd::Stopped, out);
        }
    }

    /// The writer closed and synced a file after `FileOp::Finish`, or gave a file up at any time (`Err`: why; nothing
    /// more of it is written).
    pub fn file_closed(&mut self, file: FileId, result: Result<(), String>, out: &mut MediaOut) {
        let running = self.recorders.iter().position(|r| r.as_ref().is_some_and(|r| r.file == file));
        let closing = match running.and_then(|slot| self.remove_recorder(slot)) {
            Some(recorder) => {
                let id = (!recorder.orphan).then_some(recorder.id);
                Some(Closing { id, end: RecordEnd::Disk, ms: recorder.length_ms() })
            }
            None => self.closing.remove(&file),
        };
        let Some(Closing { id: Some(recording), end, ms }) = closing else { return };
        let end = match result {
            Ok(()) => end,
            Err(why) => {
                let text = format!("recording {recording} could not be written: {why}");
                out.events.push(MediaEvent::Trouble(text));
                RecordEnd::Disk
            }
        };
        out.events.push(MediaEvent::RecordDone { recording, end, ms });
    }
}
