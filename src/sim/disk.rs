//! The data partition: records that are durable only after a while, files that are synced at least once a second, and power
//! that can fail at any moment. What was acknowledged is there after a cut; of the rest a random beginning.
use crate::dice::Dice;
use crate::lists::Lists;
use media::out::{FileId, FileOp};
use model::clock::{Mono, Wall};
use model::config::Config;
use model::id::{CallId, MessageId, RecordingId, Ticket};
use model::number::Number;
use model::past::{self, Past};
use model::record::{
    AgentSpell, BanRecord, BindingRecord, Bond, BudgetRecord, CallRecord, CallStep, CallbackRecord,
    Direction, MessageRecord, Outcome, Record, SeatRecord, WrongPins,
};
use model::report::StepRow;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// A batch is written and synced in this time at most.
const BATCH: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(25));

/// Files are synced this often.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Cause written to calls that a stop of the box ended.
const RESTARTED: &str = "box restarted";

#[derive(Clone, Debug, Default)]
struct File {
    path: String,
    bytes: Vec<u8>,
    synced: usize,
    channels: u8,
    open: bool,
}

/// The disk.
#[derive(Clone, Debug)]
pub struct Disk {
    dice: Dice,
    durable: Vec<Record>,
    waiting: VecDeque<(Ticket, Record)>,
    batch_done: Option<(Mono, usize)>,
    files: BTreeMap<FileId, File>,
    sync_due: Option<Mono>,
    /// Lists of numbers to be called.
    pub lists: Lists,
    /// Nothing is acknowledged while it is full or stuck.
    pub stuck: bool,
}

impl Disk {
    /// An empty disk.
    #[must_use]
    pub fn new(seed: u64) -> Disk {
        Disk {
            dice: Dice::new(seed ^ 0x6469_736b),
            durable: Vec::new(),
            waiting: VecDeque::new(),
            batch_done: None,
            files: BTreeMap::new(),
            sync_due: None,
            lists: Lists::default(),
            stuck: false,
        }
    }

    /// Takes a record to write.
    pub fn keep(&mut self, now: Mono, ticket: Ticket, record: Record) {
        self.waiting.push_back((ticket, record));
        self.begin_batch(now);
    }

    fn begin_batch(&mut self, now: Mono) {
        if self.batch_done.is_none() && !self.waiting.is_empty() {
            let takes = self.dice.between(BATCH.0, BATCH.1);
            self.batch_done = Some((now + takes, self.waiting.len()));
        }
    }

    /// When something is due.
    #[must_use]
    pub fn next(&self) -> Option<Mono> {
        let batch = self.batch_done.filter(|_| !self.stuck).map(|(at, _)| at);
        [batch, self.sync_due].into_iter().flatten().min()
    }

    /// Does what is due: the tickets that are on disk now.
    pub fn due(&mut self, now: Mono) -> Vec<Ticket> {
        if self.sync_due.is_some_and(|at| at <= now) {
            for file in self.files.values_mut() {
                file.synced = file.bytes.len();
            }
            let open = self.files.values().any(|f| f.open);
            self.sync_due = open.then_some(now + SYNC_EVERY);
        }
        let Some((_, count)) = self.batch_done.filter(|(at, _)| *at <= now && !self.stuck) else {
            return Vec::new();
        };
        self.batch_done = None;
        let mut tickets = Vec::new();
        for (ticket, record) in self.waiting.drain(..count) {
            tickets.push(ticket);
            self.lists.apply(&record);
            self.durable.push(record);
        }
        self.begin_batch(now);
        tickets
    }

    /// Carries out a file operation. `Some`: the file is closed and synced.
    pub fn file(&mut self, now: Mono, op: FileOp) -> Option<FileId> {
        match op {
            FileOp::Create { file, path, channels, .. } => {
                self.files.retain(|_, f| f.path != path);
                self.files.insert(file, File { path, channels, open: true, ..File::default() });
                self.sync_due = self.sync_due.or(Some(now + SYNC_EVERY));
                None
            }
            FileOp::Append { file, bytes } => {
                if let Some(f) = self.files.get_mut(&file) {
                    f.bytes.extend_from_slice(&bytes);
                }
                None
            }
            FileOp::Finish { file, .. } => {
                if let Some(f) = self.files.get_mut(&file) {
                    (f.open, f.synced) = (false, f.bytes.len());
                }
                Some(file)
            }
        }
    }

    /// A file that somebody put there before.
    pub fn put(&mut self, path: &str, sound: Vec<u8>) {
        // Media counts its own files from below.
        let file = FileId(u64::MAX);
        let synced = sound.len();
        self.files
            .insert(file, File { path: path.into(), channels: 1, bytes: sound, synced, ..File::default() });
    }

    /// The sound of a file: channels apart.
    #[must_use]
    pub fn sound(&self, path: &str) -> Option<Vec<Vec<u8>>> {
        let file = self.files.values().find(|f| f.path == path)?;
        let channels = usize::from(file.channels.max(1));
        Some((0..channels).map(|c| file.bytes.iter().skip(c).step_by(channels).copied().collect()).collect())
    }

    /// File of the first recording of a call.
    #[must_use]
    pub fn recording(&self) -> Option<String> {
        self.given().find_map(|r| if let Record::Recording(r) = r { Some(r.path.clone()) } else { None })
    }

    /// What is on disk for good.
    #[must_use]
    pub fn durable(&self) -> &[Record] {
        &self.durable
    }

    /// Everything given so far, durable or not.
    pub fn given(&self) -> impl Iterator<Item = &Record> {
        self.durable.iter().chain(self.waiting.iter().map(|(_, record)| record))
    }

    /// The power fails: of what was not acknowledged a random beginning is there, of open files what was synced and a
    /// random part of the rest. Then the next start closes the calls that were open.
    pub fn power_cut(&mut self, now: Wall) {
        let more = self.dice.below(self.waiting.len() as u64 + 1);
        for _ in 0..more {
            let Some((_, record)) = self.waiting.pop_front() else { break };
            self.lists.apply(&record);
            self.durable.push(record);
        }
        self.lists.power_cut(now);
        self.waiting.clear();
        self.batch_done = None;
        self.sync_due = None;
        self.stuck = false;
        for file in self.files.values_mut().filter(|f| f.open) {
            let rest = (file.bytes.len() - file.synced) as u64;
            let kept = file.synced + usize::try_from(self.dice.below(rest + 1)).unwrap_or(0);
            file.bytes.truncate(kept);
            file.open = false;
        }
        for mut call in self.open_calls() {
            let end = self.close(&mut call, now);
            self.durable.push(Record::CallStep(end));
            self.durable.push(Record::CallEnded(call));
        }
    }

    /// Calls that began and have no end on disk.
    #[must_use]
    pub fn open_calls(&self) -> Vec<CallRecord> {
        let mut open = BTreeMap::new();
        for record in &self.durable {
            match record {
                Record::CallStarted(call) => {
                    open.insert(call.call, call.clone());
                }
                Record::CallEnded(call) => {
                    open.remove(&call.call);
                }
                Record::CallStep(_)
                | Record::Recording(_)
                | Record::RecordingEnded { .. }
                | Record::Message(_)
                | Record::MessageHeard { .. }
                | Record::MessageDeleted(_)
                | Record::Greeting { .. }
                | Record::AgentState(_)
                | Record::Binding(_)
                | Record::Ban(_)
                | Record::Budget(_)
                | Record::WrongPins(_)
                | Record::Seat(_)
                | Record::Callback(_)
                | Record::CallbackGone(_)
                | Record::Note(_)
                | Record::AttemptBegun(_)
                | Record::AttemptEnded(_)
                | Record::AttemptSaid(_)
                | Record::Barred(_)
                | Record::Steered(_) => {}
            }
        }
        open.into_values().collect()
    }

    /// What a start of the box reads.
    #[must_use]
    pub fn read(&self, now: Wall, config: &Config) -> Found {
        let mut found = Found::default();
        let mut agents = BTreeMap::new();
        let mut bindings = BTreeMap::new();
        let mut wrong_pins = BTreeMap::new();
        let mut seats = BTreeMap::new();
        let mut budgets = BTreeMap::new();
        let mut bans = BTreeMap::new();
        let mut messages = BTreeMap::new();
        let mut callbacks: BTreeMap<CallId, CallbackRecord> = BTreeMap::new();
        for record in &self.durable {
            match record {
                Record::CallStarted(call) => found.next_call = found.next_call.max(call.call.0 + 1),
                Record::CallEnded(call) => {
                    found.next_call = found.next_call.max(call.call.0 + 1);
                    found.bonds.extend(bond(call));
                }
                Record::Recording(r) => found.next_recording = found.next_recording.max(r.recording.0 + 1),
                Record::Message(m) => {
                    found.next_message = found.next_message.max(m.message.0 + 1);
                    messages.insert(m.message, m.clone());
                }
                Record::MessageHeard { message, heard } => {
                    if let Some(m) = messages.get_mut(message) {
                        m.heard = *heard;
                    }
                }
                Record::MessageDeleted(message) => {
                    messages.remove(message);
                }
                Record::Greeting { mailbox, path: Some(path) } => {
                    found.greetings.insert(mailbox.clone(), path.clone());
                }
                Record::Greeting { mailbox, path: None } => {
                    found.greetings.remove(mailbox);
                }
                Record::AgentState(spell) => {
                    agents.insert(spell.agent.clone(), spell.clone());
                }
                Record::Binding(b) => {
                    bindings.insert((b.extension.clone(), b.contact.clone()), b.clone());
                }
                Record::Ban(b) => {
                    bans.insert(b.address, b.clone());
                }
                Record::WrongPins(pins) => {
                    wrong_pins.insert(pins.mailbox.clone(), pins.clone());
                }
                Record::Seat(seat) => {
                    seats.insert(seat.phone.clone(), seat.clone());
                }
                Record::Callback(c) => {
                    callbacks.insert(c.callback, c.clone());
                }
                Record::CallbackGone(callback) => {
                    callbacks.remove(callback);
                }
                Record::AttemptBegun(attempt) => found.next_call = found.next_call.max(attempt.call.0 + 1),
                Record::CallStep(_)
                | Record::RecordingEnded { .. }
                | Record::Note(_)
                | Record::AttemptEnded(_)
                | Record::AttemptSaid(_)
                | Record::Barred(_)
                | Record::Steered(_) => {}
                Record::Budget(b) => {
                    budgets.insert(b.scope.clone(), b.clone());
                }
            }
        }
        found.past = self.past(now, config);
        found.past.callbacks = callbacks.into_values().collect();
        found.past.callbacks.sort_by_key(|c| (c.came, c.callback));
        found.messages = messages.into_values().collect();
        found.agents = agents.into_values().collect();
        found.bindings = bindings.into_values().collect();
        found.wrong_pins = wrong_pins.into_values().collect();
        found.seats = seats.into_values().collect();
        found.budgets = budgets.into_values().collect();
        found.bans = bans.into_values().filter(|b| b.until > now).collect();
        found
    }
}

impl Disk {
    /// What `store::past` reads, from records instead of rows.
    fn past(&self, now: Wall, config: &Config) -> Past {
        let (mut calls, mut steps, mut spells) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for record in &self.durable {
            if let Record::CallStarted(call) | Record::CallEnded(call) = record {
                calls.insert(call.call, call.clone());
            } else if let Record::CallStep(step) = record {
                let row = StepRow {
                    call: step.call,
                    at: step.at,
                    offset_ms: step.offset_ms,
                    kind: step.kind.clone(),
                    detail: step.detail.clone(),
                };
                steps.insert((step.call, step.seq), row);
            } else if let Record::AgentState(spell) = record {
                spells.push(spell.clone());
            }
        }
        let queued = |row: &StepRow| calls.get(&row.call).is_some_and(|c| c.queue.is_some());
        let steps: Vec<StepRow> = steps.into_values().filter(queued).collect();
        let closed: Vec<CallRecord> =
            calls.values().filter(|c| c.outcome == Outcome::Interrupted).cloned().collect();
        let queue_of = |call: CallId| calls.get(&call).and_then(|c| c.queue.clone());
        Past {
            callbacks: Vec::new(),
            queues: past::queues(config, now, &steps),
            agents: past::agents(&spells, now, &queue_of),
            waited: past::waited(&closed, now),
        }
    }

    /// Closes a call as the store does: with what its steps tell of the queue it was in.
    fn close(&self, call: &mut CallRecord, now: Wall) -> CallStep {
        let mut last = None;
        let mut waits = None;
        for record in &self.durable {
            let Record::CallStep(step) = record else { continue };
            if step.call != call.call {
                continue;
            }
            match step.kind.as_str() {
                "queue" => {
                    call.queue = Some(step.detail.clone());
                    waits = Some(step.at);
                }
                "answered" | "overflow" | "callback" => waits = None,
                _ => {}
            }
            last = Some(step.seq);
        }
        call.outcome = Outcome::Interrupted;
        call.ended = Some(now);
        call.wait_ms = waits.map_or(0, |since| u64::try_from(now.millis_since(since)).unwrap_or(0));
        RESTARTED.clone_into(&mut call.cause);
        CallStep {
            call: call.call,
            seq: last.map_or(0, |seq| seq + 1),
            at: now,
            offset_ms: u64::try_from(now.millis_since(call.started)).unwrap_or(0),
            kind: "ended".into(),
            detail: RESTARTED.into(),
        }
    }
}

/// That an agent served a customer in this call.
fn bond(call: &CallRecord) -> Option<Bond> {
    let customer = Number::read(&call.caller.number).filter(|_| call.direction == Direction::Inbound)?;
    Some(Bond { customer, agent: call.agent.clone()?, times: 1, last: call.started })
}

/// What is found at a start. Ids leave a gap, as the store's do: files of unwritten records may exist.
#[derive(Clone, Debug, Default)]
pub struct Found {
    next_call: u64,
    next_recording: u64,
    next_message: u64,
    /// Messages.
    pub messages: Vec<MessageRecord>,
    /// What the queues go on with.
    pub past: Past,
    /// Own greetings.
    pub greetings: BTreeMap<Number, String>,
    /// Last spells.
    pub agents: Vec<AgentSpell>,
    /// Who served whom.
    pub bonds: Vec<Bond>,
    /// Registered phones, and where phones were.
    pub bindings: Vec<BindingRecord>,
    /// Bans.
    pub bans: Vec<BanRecord>,
    /// Wrong PINs.
    pub wrong_pins: Vec<WrongPins>,
    /// Who is logged in at whose phone.
    pub seats: Vec<SeatRecord>,
    /// Minutes to outside.
    pub budgets: Vec<BudgetRecord>,
}

impl Found {
    /// First free ids.
    #[must_use]
    pub fn next_ids(&self) -> (CallId, RecordingId, MessageId) {
        const GAP: u64 = 1_000;
        (
            CallId(self.next_call + GAP),
            RecordingId(self.next_recording + GAP),
            MessageId(self.next_message + GAP),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deleted(n: u64) -> Record {
        Record::MessageDeleted(MessageId(n))
    }

    #[test]
    fn what_was_acknowledged_survives_and_of_the_rest_a_beginning() {
        for seed in 0..50 {
            let mut disk = Disk::new(seed);
            let mut acknowledged = 0;
            for n in 0..20 {
                let now = Mono(n * 3_000);
                disk.keep(now, Ticket(n), deleted(n));
                acknowledged += disk.due(now).len();
            }
            disk.power_cut(Wall(0));
            let there = disk.durable().len();
            assert!((acknowledged..=20).contains(&there), "{there} of {acknowledged} acknowledged");
            assert!(disk.durable().iter().enumerate().all(|(i, r)| *r == deleted(i as u64)));
        }
    }

    #[test]
    fn a_recording_loses_at_most_the_last_second() {
        let mut disk = Disk::new(3);
        let (file, path) = (FileId(1), "r.wav".to_owned());
        disk.file(
            Mono(0),
            FileOp::Create { file, recording: RecordingId(1), path, channels: 1, header: Vec::new() },
        );
        for ms in (0..5_500).step_by(20) {
            let now = Mono(ms * 1000);
            disk.due(now);
            disk.file(now, FileOp::Append { file, bytes: vec![0; 160] });
        }
        disk.power_cut(Wall(0));
        let left = disk.sound("r.wav").expect("there")[0].len();
        assert!(left >= 8_000 * 4, "{left} samples of 5.5 s");
    }
}
