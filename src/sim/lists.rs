//! Lists of numbers on the simulated disk: what the box may dial, and what became of it. Follows the records that are
//! durable, as the tables of the real store do.
use model::campaign::{AttemptRecord, CampaignPast, Ending, Entry, HopperQuery};
use model::clock::Wall;
use model::id::EntryId;
use model::number::Number;
use model::record::Record;
use std::collections::{BTreeMap, BTreeSet};

/// An attempt that a cut of the power ended is tried again after this.
const CUT_OFF_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// One number and where it is.
#[derive(Clone, Debug)]
struct Row {
    entry: Entry,
    open: bool,
    trying: bool,
}

/// All lists.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    rows: BTreeMap<EntryId, Row>,
    attempts: Vec<AttemptRecord>,
    running: BTreeMap<model::id::CallId, AttemptRecord>,
    barred: BTreeSet<Number>,
    past: BTreeMap<String, CampaignPast>,
}

impl Lists {
    /// Puts a number into a list.
    pub fn add(&mut self, list: &str, number: &str, zone: &str) -> EntryId {
        self.add_in(list, number, &[zone.to_owned()])
    }

    /// The same for a number that may be in several zones.
    pub fn add_in(&mut self, list: &str, number: &str, zones: &[String]) -> EntryId {
        let id = EntryId(self.rows.len() as u64 + 1);
        let entry = Entry {
            entry: id,
            list: list.to_owned(),
            number: Number::read(number).unwrap_or_default(),
            zones: zones.to_vec(),
            name: format!("Person {id}"),
            ..Entry::default()
        };
        self.rows.insert(id, Row { entry, open: true, trying: false });
        id
    }

    /// Promises an entry to an agent.
    pub fn promise(&mut self, entry: EntryId, agent: &str, due: Wall) {
        if let Some(row) = self.rows.get_mut(&entry) {
            row.entry.agent = Some(agent.to_owned());
            (row.entry.due, row.entry.appointment) = (due, true);
        }
    }

    /// A record is on the disk.
    pub(crate) fn apply(&mut self, record: &Record) {
        match record {
            Record::AttemptBegun(attempt) => {
                if let Some(row) = self.rows.get_mut(&attempt.entry) {
                    row.trying = true;
                    row.entry.attempts += 1;
                }
                self.running.insert(attempt.call, attempt.clone());
            }
            Record::AttemptEnded(attempt) => self.ended(attempt),
            Record::AttemptSaid(said) => {
                if let Some(row) = self.rows.get_mut(&said.entry) {
                    row.open = said.again.is_some();
                    row.entry.due = said.again.unwrap_or(row.entry.due);
                    row.entry.agent.clone_from(&said.own);
                    row.entry.appointment = said.appointment;
                }
            }
            Record::Barred(barred) if barred.listed => drop(self.barred.insert(barred.number.clone())),
            Record::Barred(barred) => drop(self.barred.remove(&barred.number)),
            Record::Steered(steered) => {
                self.past.entry(steered.campaign.clone()).or_default().steering = steered.steering.clone();
            }
            Record::Budget(_)
            | Record::CallStarted(_)
            | Record::CallStep(_)
            | Record::CallEnded(_)
            | Record::Recording(_)
            | Record::RecordingEnded { .. }
            | Record::Message(_)
            | Record::MessageHeard { .. }
            | Record::MessageDeleted(_)
            | Record::Greeting { .. }
            | Record::AgentState(_)
            | Record::Binding(_)
            | Record::Ban(_)
            | Record::WrongPins(_)
            | Record::Seat(_)
            | Record::Callback(_)
            | Record::CallbackGone(_)
            | Record::Note(_) => {}
        }
    }

    fn ended(&mut self, attempt: &AttemptRecord) {
        self.running.remove(&attempt.call);
        self.attempts.push(attempt.clone());
        if let Some(row) = self.rows.get_mut(&attempt.entry) {
            row.trying = false;
            row.open = attempt.again.is_some();
            row.entry.due = attempt.again.unwrap_or(row.entry.due);
            (row.entry.agent, row.entry.appointment) = (None, false);
        }
        let live = attempt.result().is_some_and(model::campaign::CallResult::is_live);
        if live {
            let past = self.past.entry(attempt.campaign.clone()).or_default();
            past.days.resize(30, (0, 0));
            if let Some(today) = past.days.last_mut() {
                today.0 += 1;
                today.1 += u32::from(attempt.ending == Some(Ending::Abandoned));
            }
        }
    }

    /// The power failed: what ran is tried again later.
    pub(crate) fn power_cut(&mut self, now: Wall) {
        self.past.values_mut().for_each(|past| past.cut = false);
        for attempt in std::mem::take(&mut self.running).into_values() {
            self.past.entry(attempt.campaign).or_default().cut = true;
        }
        for row in self.rows.values_mut().filter(|r| r.trying) {
            row.trying = false;
            row.entry.due = Wall(now.0 + CUT_OFF_MS);
        }
    }

    /// The answer to a campaign's question.
    #[must_use]
    pub fn hopper(&self, query: &HopperQuery, now: Wall) -> Vec<Entry> {
        let fits = |row: &&Row| {
            let e = &row.entry;
            row.open
                && !row.trying
                && query.lists.contains(&e.list)
                && e.due <= query.due
                && e.attempts < query.attempts_max
                && !query.held.contains(&e.entry)
                && !e.zones.iter().any(|z| query.closed.contains(z))
        };
        let mut found: Vec<Entry> = self.rows.values().filter(fits).map(|r| r.entry.clone()).collect();
        found.sort_by_key(|e| (!e.appointment, std::cmp::Reverse(e.value), e.due));
        found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        for entry in &mut found {
            self.past_of(entry, now);
        }
        found
    }

    fn past_of(&self, entry: &mut Entry, now: Wall) {
        let all = self.attempts.iter().chain(self.running.values());
        let mine: Vec<&AttemptRecord> = all.filter(|a| a.number == entry.number).collect();
        let today = mine.iter().filter(|a| now.0 - a.at.0 < DAY_MS).count();
        entry.attempts_day = u32::try_from(today).unwrap_or(u32::MAX);
        entry.abandoned = mine.iter().filter(|a| a.ending == Some(Ending::Abandoned)).map(|a| a.at).max();
        entry.barred = self.barred.contains(&entry.number);
    }

    /// Campaigns as they were left.
    #[must_use]
    pub fn past(&self) -> &BTreeMap<String, CampaignPast> {
        &self.past
    }
}
