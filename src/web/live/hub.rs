//! Keeps the last state of each live thing, folded from the engine's notices. Nothing is queued per page: a page asks
//! what differs from what it was last shown, so a slow one gets fewer, larger deltas and never falls behind by more
//! than one. The inbox between engine and hub keeps the last notice per thing, so it is bounded by the number of things
//! and the engine never waits.
use super::scope::Scope;
use super::topic::{Topic, place, view};
use crate::ports::{Storage, Stored};
use crate::secret;
use model::campaign::{CampaignView, OutreachView};
use model::clock::Wall;
use model::id::{CallId, Generation};
use model::notice::{AgentView, CallView, CheckState, CheckView, Notice, QueueView};
use model::query::Status;
use model::record::NoteRecord;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Least time between two folds: a page may be told this much later, and a busy box wakes the hub 20 times a second and
/// not at each notice. Whoever reads the hub folds first and is never behind.
const FOLD_EVERY: Duration = Duration::from_millis(50);

/// Notes waiting for the hub; older ones are dropped (the store has them all).
const NOTES_WAITING: usize = 200;

/// Where the engine's loop puts what it tells.
#[derive(Clone)]
pub struct Inbox(Arc<Post>);

#[derive(Default)]
struct Post {
    waiting: Mutex<Waiting>,
    bell: Notify,
}

#[derive(Default)]
struct Waiting {
    things: BTreeMap<(Topic, String), Notice>,
    notes: VecDeque<NoteRecord>,
}

impl Inbox {
    /// Takes a notice; only the last of each thing counts. Never blocks.
    pub fn put(&self, notice: Notice) {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match place(&notice) {
            (topic, Some(key), _) => drop(waiting.things.insert((topic, key), notice)),
            (_, None, _) => {
                if let Notice::Note(note) = notice {
                    waiting.notes.push_back(note);
                    if waiting.notes.len() > NOTES_WAITING {
                        waiting.notes.pop_front();
                    }
                }
            }
        }
        drop(waiting);
        self.0.bell.notify_one();
    }
}

/// The last things that happened, for outside programs that come back: some minutes of a busy box, some MiB. Kept from the
/// first snapshot on: before, no program knows a number from which it could go on.
const LOGGED: usize = 10_000;

struct Entry {
    version: u64,
    /// Made when the first page asks: nobody may be watching.
    json: OnceLock<Arc<str>>,
    notice: Notice,
}

impl Entry {
    fn json(&self) -> Arc<str> {
        Arc::clone(self.json.get_or_init(|| view(&self.notice).into()))
    }
}

#[derive(Default)]
struct State {
    version: u64,
    notes: u64,
    topics: BTreeMap<Topic, BTreeMap<String, Arc<Entry>>>,
    log: VecDeque<Logged>,
    /// Somebody has a number of this run.
    followed: bool,
}

/// One thing that happened.
struct Logged {
    number: u64,
    topic: Topic,
    key: String,
    /// What it was; decides who may know that it is gone.
    was: Option<Arc<Entry>>,
    /// What it is now; `None` = gone.
    is: Option<Arc<Entry>>,
}

/// One thing that happened, as an outside program gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// Its number: grows with each.
    pub number: u64,
    /// What kind of thing.
    pub topic: Topic,
    /// Which.
    pub key: String,
    /// The whole thing as JSON; `None` = gone.
    pub json: Option<Arc<str>>,
}

/// What a board shows.
#[derive(Clone, Debug, Default)]
pub struct Board {
    /// Queues.
    pub queues: Vec<QueueView>,
    /// Agents.
    pub agents: Vec<AgentView>,
    /// What the box keeps an eye on.
    pub checks: Vec<CheckView>,
}

/// What somebody may see, as it is after an event.
#[derive(Clone, Debug, Default)]
pub struct Whole {
    /// Number of that event.
    pub number: u64,
    /// Everything by topic and key, as JSON.
    pub topics: Vec<(Topic, Keyed)>,
}

/// The things of a topic by key, as JSON.
pub type Keyed = Vec<(String, Arc<str>)>;

/// The last state of each thing.
pub struct Hub {
    post: Arc<Post>,
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    run: String,
}

/// What one page was last shown of a topic: versions by key.
pub type Shown = BTreeMap<String, u64>;

/// What differs from what was shown.
#[derive(Debug, Default)]
pub struct Difference {
    /// New or changed things as JSON.
    pub up: Vec<(String, Arc<str>)>,
    /// Things gone, or not to be seen any more.
    pub del: Vec<String>,
}

impl Difference {
    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.up.is_empty() && self.del.is_empty()
    }
}

impl Hub {
    /// Begins with what the store knows: messages, bans, notes. The rest comes from the engine's first notices. Blocks.
    ///
    /// # Errors
    /// The disk failed.
    pub fn load(storage: &dyn Storage, now: Wall) -> Stored<Hub> {
        let hub = Hub {
            post: Arc::default(),
            state: Mutex::default(),
            changed: watch::channel(0).0,
            run: secret::random_hex(8)?,
        };
        let mut state = hub.lock();
        storage.messages(None)?.into_iter().for_each(|m| state.apply(Notice::Message(m)));
        storage.bans(now)?.into_iter().for_each(|b| state.apply(Notice::Ban(b)));
        storage.notes(None, 50)?.items.into_iter().rev().for_each(|n| state.apply(Notice::Note(n.note)));
        drop(state);
        Ok(hub)
    }

    /// Where notices go in.
    #[must_use]
    pub fn inbox(&self) -> Inbox {
        Inbox(Arc::clone(&self.post))
    }

    /// Folds notices until the task is dropped.
    pub async fn run(&self) {
        loop {
            self.post.bell.notified().await;
            self.fold();
            tokio::time::sleep(FOLD_EVERY).await;
        }
    }

    /// Folds what waits now.
    pub fn fold(&self) {
        let waiting = std::mem::take(&mut *self.post.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if waiting.things.is_empty() && waiting.notes.is_empty() {
            return;
        }
        let mut state = self.lock();
        waiting.things.into_values().for_each(|notice| state.apply(notice));
        waiting.notes.into_iter().for_each(|note| state.apply(Notice::Note(note)));
        let version = state.version;
        drop(state);
        self.changed.send_replace(version);
    }

    /// The configuration in force, once the engine has told it.
    #[must_use]
    pub fn generation(&self) -> Option<Generation> {
        let state = self.caught_up();
        let entries = state.topics.get(&Topic::Config).into_iter().flat_map(BTreeMap::values);
        entries
            .filter_map(|e| if let Notice::ConfigApplied(g) = e.notice { Some(g) } else { None })
            .next_back()
    }

    /// Changes with every fold.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// What differs from `shown`, which is brought up to date.
    pub fn difference(&self, topic: Topic, scope: &Scope, shown: &mut Shown) -> Difference {
        let state = self.caught_up();
        let empty = BTreeMap::new();
        let things = state.topics.get(&topic).unwrap_or(&empty);
        let mut out = Difference::default();
        shown.retain(|key, _| {
            let stays = things.get(key).is_some_and(|e| scope.sees(&e.notice));
            if !stays {
                out.del.push(key.clone());
            }
            stays
        });
        for (key, entry) in things {
            if shown.get(key) != Some(&entry.version) && scope.sees(&entry.notice) {
                shown.insert(key.clone(), entry.version);
                out.up.push((key.clone(), entry.json()));
            }
        }
        out
    }

    /// Names this run of the box: numbers of events mean something within it only.
    #[must_use]
    pub fn run_name(&self) -> &str {
        &self.run
    }

    /// Everything somebody may see, and the number from which they go on: what happens after it is remembered.
    #[must_use]
    pub fn whole(&self, scope: &Scope) -> Whole {
        let mut state = self.caught_up();
        state.followed = true;
        let seen = |things: &BTreeMap<String, Arc<Entry>>| {
            let seen = things.iter().filter(|(_, e)| scope.sees(&e.notice));
            seen.map(|(key, e)| (key.clone(), e.json())).collect()
        };
        let topics = state.topics.iter().filter(|(topic, _)| scope.allows(**topic));
        Whole {
            number: state.version,
            topics: topics.map(|(topic, things)| (*topic, seen(things))).collect(),
        }
    }

    /// At most `most` things that happened after this number, as far as somebody may know of them, and the number reached;
    /// `None` when not all of them are remembered any more.
    #[must_use]
    pub fn since(&self, after: u64, scope: &Scope, most: usize) -> Option<(Vec<Happened>, u64)> {
        let state = self.caught_up();
        let oldest = state.log.front().map_or(state.version + 1, |l| l.number);
        if !state.followed || after > state.version || after + 1 < oldest {
            return None;
        }
        let (mut out, mut reached) = (Vec::new(), after);
        let skip = usize::try_from(after + 1 - oldest).unwrap_or(usize::MAX);
        for logged in state.log.iter().skip(skip).take(most) {
            reached = logged.number;
            out.extend(logged.told(scope));
        }
        Some((out, reached))
    }

    /// Queues, agents and checks, each by key.
    #[must_use]
    pub fn board(&self) -> Board {
        let state = self.caught_up();
        let things = |topic: Topic| state.topics.get(&topic).into_iter().flat_map(BTreeMap::values);
        let mut board = Board::default();
        for entry in [Topic::Queues, Topic::Agents, Topic::Health].into_iter().flat_map(things) {
            if let Notice::Queue(view) = &entry.notice {
                board.queues.push(view.clone());
            } else if let Notice::Agent(view) = &entry.notice {
                board.agents.push(view.clone());
            } else if let Notice::Check(view) = &entry.notice {
                board.checks.push(view.clone());
            }
        }
        board
    }

    /// Calls in progress that somebody may see.
    #[must_use]
    pub fn calls(&self, scope: &Scope) -> Vec<CallView> {
        let state = self.caught_up();
        let things = state.topics.get(&Topic::Calls).into_iter().flat_map(BTreeMap::values);
        let mut calls = Vec::new();
        for entry in things {
            if let Notice::Call(view) = &entry.notice
                && scope.sees(&entry.notice)
            {
                calls.push(view.clone());
            }
        }
        calls.sort_by_key(|c| c.call);
        calls
    }

    /// Every campaign.
    #[must_use]
    pub fn campaigns(&self) -> Vec<CampaignView> {
        let state = self.caught_up();
        let things = state.topics.get(&Topic::Campaigns).into_iter().flat_map(BTreeMap::values);
        let view = |e: &Arc<Entry>| {
            if let Notice::Campaign(view) = &e.notice { Some(CampaignView::clone(view)) } else { None }
        };
        things.filter_map(view).collect()
    }

    /// The entry of a campaign at an agent's desk.
    #[must_use]
    pub fn outreach(&self, agent: &str) -> Option<OutreachView> {
        let state = self.caught_up();
        let entry = state.topics.get(&Topic::Outreach)?.get(agent)?;
        if let Notice::Outreach(view) = &entry.notice { Some(OutreachView::clone(view)) } else { None }
    }

    /// One call in progress, if somebody may see it.
    #[must_use]
    pub fn call(&self, call: CallId, scope: &Scope) -> Option<CallView> {
        self.calls(scope).into_iter().find(|c| c.call == call)
    }

    /// Fills in what the hub knows of the box: calls, trunks, registered phones, alarms, and the limit and
    /// version in force.
    #[must_use]
    pub fn describe(&self, mut status: Status) -> Status {
        let state = self.caught_up();
        let things = |topic: Topic| state.topics.get(&topic).into_iter().flat_map(BTreeMap::values);
        status.calls = u32::try_from(things(Topic::Calls).count()).unwrap_or(u32::MAX);
        status.trunks.clear();
        status.phones_registered = 0;
        status.alarms.clear();
        let shown = [Topic::Trunks, Topic::Phones, Topic::System, Topic::Health];
        for entry in shown.into_iter().flat_map(things) {
            if let Notice::Trunk(trunk) = &entry.notice {
                status.trunks.push(trunk.clone());
            } else if let Notice::Phone(phone) = &entry.notice {
                status.phones_registered += u32::from(!phone.contacts.is_empty());
            } else if let Notice::System(system) = &entry.notice {
                status.call_limit = system.call_limit;
                // The box itself may know a newer one: its numbers are told once in a while.
                status.generation = status.generation.max(system.generation);
            } else if let Notice::Check(check) = &entry.notice
                && check.state == CheckState::Alarm
            {
                status.alarms.push(check.clone());
            }
        }
        status
    }

    fn caught_up(&self) -> MutexGuard<'_, State> {
        self.fold();
        self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn apply(&mut self, notice: Notice) {
        let (topic, key, there) = place(&notice);
        let key = key.unwrap_or_else(|| {
            self.notes += 1;
            // Fixed width, so that the order of keys is the order of notes.
            format!("{:09}", self.notes)
        });
        self.version += 1;
        let things = self.topics.entry(topic).or_default();
        if !there {
            let was = things.remove(&key);
            self.remember(topic, key, was, None);
            return;
        }
        let entry = Arc::new(Entry { version: self.version, json: OnceLock::new(), notice });
        let was = things.insert(key.clone(), Arc::clone(&entry));
        let over = if things.len() > topic.most() { things.pop_first() } else { None };
        self.remember(topic, key, was, Some(entry));
        if let Some((key, was)) = over {
            self.version += 1;
            self.remember(topic, key, Some(was), None);
        }
    }

    fn remember(&mut self, topic: Topic, key: String, was: Option<Arc<Entry>>, is: Option<Arc<Entry>>) {
        if !self.followed {
            return;
        }
        self.log.push_back(Logged { number: self.version, topic, key, was, is });
        if self.log.len() > LOGGED {
            self.log.pop_front();
        }
    }
}

impl Logged {
    /// As far as somebody may know: what they may not see any more is gone for them.
    fn told(&self, scope: &Scope) -> Option<Happened> {
        let sees = |entry: &Option<Arc<Entry>>| entry.as_ref().is_some_and(|e| scope.sees(&e.notice));
        let (saw, is) = (sees(&self.was), self.is.as_ref().filter(|e| scope.sees(&e.notice)));
        if !scope.allows(self.topic) || (is.is_none() && !saw) {
            return None;
        }
        let (topic, key) = (self.topic, self.key.clone());
        Some(Happened { number: self.number, topic, key, json: is.map(|e| e.json()) })
    }
}
