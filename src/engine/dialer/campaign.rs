//! One campaign: its entries at hand, its agents, its running attempts, and the form it works in. It asks the disk for
//! entries before it needs them and never waits for it. Every call goes through [`Campaign::begin`] and, when its attempt
//! is on the disk, through [`Campaign::launch`], where the gate is.
//!
//! Ways an attempt ends: refused by the gate → written off · given up by the pace · the network refuses · nobody answers ·
//! an agent talks · nobody in time, the identity is said · a flow speaks · the person hangs up · the box stops.
mod board;
mod desk;
mod form;
mod hopper;
mod orders;
#[cfg(test)]
mod tests;
mod trial;

pub use trial::Told;

use super::compliance::{Bar, Rules};
use super::pace::{Pace, Terms};
use super::{Cx, Launch, Out, Outreach};
use desk::Desk;
use form::Health;
use hopper::Hopper;
use model::campaign::{AttemptRecord, Barred, CampaignPast, CampaignView, Entry, Steering, Step};
use model::clock::{Mono, Now, Wall};
use model::config::Config;
use model::config::campaign::{Campaign as Settings, Form};
use model::id::CallId;
use model::number::Number;
use model::record::AgentState;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use trial::Trial;

/// One outbound job.
#[derive(Debug)]
pub struct Campaign {
    settings: Settings,
    rules: Rules,
    steering: Steering,
    hopper: Hopper,
    trials: BTreeMap<CallId, Trial>,
    desks: BTreeMap<String, Desk>,
    pace: Pacing,
    health: Health,
    account: (u32, u32),
    tally: CampaignView,
    told: Option<CampaignView>,
    told_at: Option<Mono>,
    /// Zones met so far.
    zones: BTreeSet<String>,
    worked: Option<Mono>,
    retired: bool,
}

/// The pace and what it calls things.
struct Pacing {
    pace: Pace,
    agents: BTreeMap<String, u64>,
    /// Sums of the board reach to here.
    began: Mono,
    /// Launches of the last second.
    launches: VecDeque<Mono>,
    /// How many agents were thought to be free soon, and when.
    thoughts: VecDeque<(Mono, u32)>,
}

impl std::fmt::Debug for Pacing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pacing").field("agents", &self.agents.len()).finish_non_exhaustive()
    }
}

/// An agent as a campaign sees one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    id: String,
    state: AgentState,
    since: Mono,
    free: bool,
    call: Option<CallId>,
}

impl Campaign {
    /// A campaign as it was left.
    #[must_use]
    pub fn new(now: Now, config: &Arc<Config>, settings: &Settings, past: CampaignPast) -> Campaign {
        let rules = Rules::of(config, settings);
        let account = past.days.iter().fold((0, 0), |sum, day| (sum.0 + day.0, sum.1 + day.1));
        let mut pace = new_pace(settings, &rules);
        pace.remember(&past.days);
        Campaign {
            hopper: Hopper::default(),
            trials: BTreeMap::new(),
            desks: BTreeMap::new(),
            pace: Pacing {
                pace,
                agents: BTreeMap::new(),
                began: now.mono,
                launches: VecDeque::new(),
                thoughts: VecDeque::new(),
            },
            health: if past.cut { Health::was_cut(now.mono) } else { Health::default() },
            account,
            tally: CampaignView::default(),
            told: None,
            told_at: None,
            zones: BTreeSet::new(),
            worked: None,
            settings: settings.clone(),
            rules,
            steering: past.steering,
            retired: false,
        }
    }

    /// Other settings; what runs goes on under the stricter of both until it ends.
    pub fn configure(&mut self, config: &Arc<Config>, settings: &Settings) {
        self.rules = Rules::of(config, settings);
        self.retired = false;
        if &self.settings == settings {
            return;
        }
        let lists = self.settings.lists != settings.lists;
        if self.settings.form != settings.form {
            self.steering.form = None;
        }
        self.settings = settings.clone();
        self.pace.pace.terms(terms(settings, &self.rules));
        if lists {
            self.look_again();
        }
    }

    /// The campaign is no longer configured: no new calls. True the first time.
    pub fn retire(&mut self, out: &mut Vec<Out>) -> bool {
        self.steering.running = false;
        self.clear_desks(out);
        !std::mem::replace(&mut self.retired, true)
    }

    /// Whether nothing of it runs.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.trials.is_empty()
    }

    /// Whether it has to decide something soon.
    #[must_use]
    pub fn is_awake(&self) -> bool {
        // Also until the last result stands on the board.
        let untold = self.told.as_ref().is_none_or(|told| told.results != self.tally.results);
        self.steering.running || !self.trials.is_empty() || !self.desks.is_empty() || untold
    }

    /// Numbers being tried or shown now.
    pub fn numbers(&self) -> impl Iterator<Item = &Number> {
        let shown = self.desks.values().filter(|d| d.call.is_none()).map(|d| &d.entry.number);
        self.trials.values().map(|t| &t.attempt.number).chain(shown)
    }

    /// Nothing that was read before counts any more.
    pub fn look_again(&mut self) {
        self.hopper.void();
    }

    /// The clock was set, or many numbers were barred: nothing that was read counts, nothing that is shown stays, nothing
    /// that was written down is dialled.
    pub fn start_anew(&mut self, out: &mut Vec<Out>) {
        self.clear_previews(out);
        self.look_again();
        self.trials.values_mut().filter(|t| !t.has(Step::Dialled)).for_each(|t| t.doubtful = true);
    }

    /// What is known of this number is not enough any more.
    pub fn forget(&mut self, number: &Number) {
        self.hopper.drop_where(|entry| &entry.number == number);
    }

    /// A number went onto the do-not-call list, or off it.
    pub fn bar(&mut self, barred: &Barred) {
        self.hopper.bar(barred);
        for desk in self.desks.values_mut().filter(|d| d.entry.number == barred.number) {
            desk.entry.barred = barred.listed;
        }
        for trial in self.trials.values_mut().filter(|t| t.attempt.number == barred.number) {
            trial.entry.barred = barred.listed;
        }
    }

    /// The disk's answer.
    pub fn filled(&mut self, now: Now, entries: Vec<Entry>) {
        const ZONES_MAX: usize = 600;
        for zone in entries.iter().flat_map(|e| &e.zones) {
            if self.zones.len() < ZONES_MAX && !self.zones.contains(zone) {
                self.zones.insert(zone.clone());
            }
        }
        self.hopper.filled(now, entries);
    }

    /// The form that is wanted now.
    #[must_use]
    pub fn form(&self) -> Form {
        self.steering.form.unwrap_or(self.settings.form)
    }

    /// Decides. `busy`: numbers in any campaign's hands; what is begun here is added.
    pub fn tick(
        &mut self,
        cx: &Cx,
        id: &mut dyn FnMut() -> CallId,
        busy: &mut Vec<Number>,
        out: &mut Vec<Out>,
    ) {
        let seats = self.seats(cx);
        self.follow(cx, &seats, out);
        self.expire(cx, out);
        if self.steering.running && !self.retired {
            self.fetch(cx, out);
            self.work(cx, &seats, id, busy, out);
        }
        self.tell(cx, out);
    }

    /// Agents of its queue who take part.
    fn seats(&self, cx: &Cx) -> Vec<Seat> {
        let ids = cx.config.queue.get(&self.settings.queue).map(|q| q.agents.as_slice()).unwrap_or_default();
        let agents = ids
            .iter()
            .filter(|id| !self.steering.left.contains(*id))
            .filter_map(|id| cx.acd.agents().get(id));
        agents
            .filter(|a| a.logged_in())
            .map(|a| Seat {
                id: a.id.clone(),
                state: a.state.clone(),
                since: a.since_mono,
                free: cx.acd.agents().is_free(a),
                call: a.call,
            })
            .collect()
    }

    /// What stands against calling this entry now.
    fn gate(&self, entry: &Entry, reserved: bool, now: Wall) -> Result<(), Bar> {
        let call = super::compliance::Try { entry, reserved, account: self.account, now };
        self.rules.gate(&call)
    }

    /// Begins an attempt: it is written down first, and made when it is on the disk.
    fn begin(&mut self, cx: &Cx, call: CallId, entry: Entry, agent: Option<String>, out: &mut Vec<Out>) {
        // With an agent kept free for it, a call is none that is dialled ahead.
        let most = if agent.is_some() { Form::Progressive } else { Form::Automatic };
        let attempt = AttemptRecord {
            call,
            campaign: self.settings.name.clone(),
            entry: entry.entry,
            number: entry.number.clone(),
            form: self.health.works_as(self.form()).min(most),
            zones: entry.zones.clone(),
            agent,
            at: cx.now.wall,
            moments: Vec::new(),
            heard: None,
            ended: None,
            ending: None,
            code: 0,
            again: None,
        };
        self.hopper.tried(&entry);
        out.push(Out::Begin(Box::new(attempt.clone())));
        self.trials.insert(call, Trial::new(cx.now.mono, attempt, entry));
    }

    /// The attempt is on the disk. The last gate: what passes here is dialled, what does not is written off. `known`: what
    /// was read of the entry still counts.
    pub fn launch(&mut self, cx: &Cx, call: CallId, known: bool, out: &mut Vec<Out>) -> Option<Launch> {
        let trial = self.trials.get(&call)?;
        let agent = trial.attempt.agent.clone();
        let automatic = trial.attempt.form == Form::Automatic;
        let entry = trial.entry.clone();
        let passed = self.gate(&entry, agent.is_some() || automatic, cx.now.wall);
        let certain = if known && !trial.doubtful { Ok(()) } else { Err(Bar::Zone) };
        if let Err(bar) = certain.and(passed).and(self.still_wanted()) {
            self.refused(bar);
            self.write_off(cx.now, call, out);
            return None;
        }
        let settings = &self.settings;
        let launch = Launch {
            attempt: trial.attempt.clone(),
            name: entry.name.clone(),
            outreach: Outreach {
                campaign: settings.name.clone(),
                queue: settings.queue.clone(),
                agent,
                flow: settings.flow.clone().filter(|_| automatic),
                caller_id: settings.caller_id.clone(),
                rights: settings.outside_calls,
                ring: Duration::from_secs(settings.ring_s.into()),
                grace: super::compliance::GRACE,
                whisper: settings.whisper,
                detect: settings.detect_machines.then(|| settings.machines.listening()),
                message: settings.machines.message.clone(),
                identity: settings.identity.clone(),
            },
        };
        self.dialled(cx.now, call, out);
        Some(launch)
    }

    /// It could not begin after all; nothing of it was kept.
    pub fn not_begun(&mut self, call: CallId) {
        if let Some(trial) = self.trials.remove(&call) {
            self.hopper.put_back(trial.entry, true);
        }
    }

    /// A decision ran into a bug.
    pub fn broke(&mut self) {
        self.health.fault();
    }

    fn still_wanted(&self) -> Result<(), Bar> {
        if self.steering.running { Ok(()) } else { Err(Bar::Hours) }
    }

    fn refused(&mut self, bar: Bar) {
        *self.tally.refused.entry(bar.word().to_owned()).or_default() += 1;
    }
}

fn terms(settings: &Settings, rules: &Rules) -> Terms {
    Terms {
        target: f64::from(rules.abandoned_permille) / 1000.0,
        grace: super::compliance::GRACE.as_secs_f64(),
        min_ring: super::compliance::RING_MIN.as_secs_f64(),
        ring_timeout: f64::from(settings.ring_s),
        lines: usize::try_from(settings.lines_max).unwrap_or(usize::MAX),
        launches_per_second: f64::from(settings.calls_per_second),
        // Ours listens while an agent already has the call: it does not stand between answer and agent.
        detects: false,
    }
}

fn new_pace(settings: &Settings, rules: &Rules) -> Pace {
    Pace::new(terms(settings, rules))
}

/// Seconds for the pace.
fn seconds(at: Mono) -> f64 {
    Duration::from_micros(at.0).as_secs_f64()
}
