//! Outbound dialling. Pace: how many lines to launch now. Compliance: the one gate before an INVITE. Campaign: which entry
//! for which agent, in which form, and what became of it. Pure: the engine carries out what is said here.
pub mod again;
pub mod campaign;
pub mod compliance;
pub mod pace;

use crate::acd::Acd;
use crate::ledger::Ids;
use campaign::{Campaign, Told};
use model::campaign::Barred;
use model::campaign::{AttemptRecord, CampaignOrder, CampaignPast, Entry, HopperQuery, SteerRecord};
use model::clock::{Mono, Now};
use model::config::Config;
use model::id::CallId;
use model::media::Listening;
use model::notice::Notice;
use model::number::Number;
use model::record::Record;
use model::refusal::Refusal;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Campaigns decide this often while they run: a launch comes at most this late.
pub const EVERY: Duration = Duration::from_millis(250);

/// An answer of the disk that does not know of an attempt yet is not younger than this: it is asked and answers within
/// 2 s, or counts as stale.
const REST: Duration = Duration::from_secs(10);

/// A wall clock that goes by this much otherwise than the other one was set, ms.
const JUMP_MS: i64 = 2000;

/// What the engine is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Out {
    /// Entries wanted from the disk; answered by [`Dialer::filled`].
    Fetch(String, HopperQuery),
    /// Keep this attempt, reserve its agent, and ask [`Dialer::launch`] once it is on the disk.
    Begin(Box<AttemptRecord>),
    /// End this call: its answer would find nobody.
    GiveUp(CallId),
    /// A machine is there: whoever talks leaves, and its beep is waited for.
    Machine(CallId),
    /// The machine takes the message now.
    Speak(CallId),
    /// The agent is not reserved for this call any more.
    Release(String, CallId),
    /// To the store.
    Keep(Record),
    /// To the desks.
    Notice(Notice),
    /// To the event log: level, kind, subject, text.
    Note(&'static str, &'static str, String, String),
}

/// A call to be made now: it passed the gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// Its attempt.
    pub attempt: AttemptRecord,
    /// Name shown to the agent.
    pub name: String,
    /// How the call is to be treated.
    pub outreach: Outreach,
}

/// What a campaign's call carries with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outreach {
    /// Campaign.
    pub campaign: String,
    /// Queue whose agents take it.
    pub queue: String,
    /// The agent it is meant for.
    pub agent: Option<String>,
    /// The flow that speaks instead of agents.
    pub flow: Option<String>,
    /// Number shown.
    pub caller_id: Number,
    /// What it may cost.
    pub rights: model::config::extension::Rights,
    /// Longest ringing.
    pub ring: Duration,
    /// Longest wait of the person for an agent.
    pub grace: Duration,
    /// The agent hears what kind of call it is.
    pub whisper: bool,
    /// How media listens who or what answers, if it does.
    pub detect: Option<Listening>,
    /// Sound file left on answering machines.
    pub message: Option<String>,
    /// Sound file of the identity, if the site has an own one.
    pub identity: Option<String>,
}

/// All campaigns.
#[derive(Debug, Default)]
pub struct Dialer {
    campaigns: BTreeMap<String, Campaign>,
    /// Whose a running attempt is, and its number.
    attempts: BTreeMap<CallId, (String, Number)>,
    /// Numbers whose attempt is over since a moment: what the disk said of them may be older.
    rested: VecDeque<(Mono, Number)>,
    /// Milliseconds of the wall clock at the start of the other one.
    clock: Option<i64>,
}

/// What a decision looks at.
pub struct Cx<'a> {
    /// The time.
    pub now: Now,
    /// The site.
    pub config: &'a Arc<Config>,
    /// Agents and queues.
    pub acd: &'a Acd,
    /// Lines that may be opened now for these numbers; `None` = no trunk that could carry one is up.
    pub lines: &'a dyn Fn(&Number) -> Option<u32>,
}

impl Dialer {
    /// The campaigns of a site, as they were left.
    #[must_use]
    pub fn new(now: Now, config: &Arc<Config>, past: &BTreeMap<String, CampaignPast>) -> Dialer {
        let mut dialer = Dialer::default();
        for (name, rules) in &config.campaign {
            let past = past.get(name).cloned().unwrap_or_default();
            dialer.campaigns.insert(name.clone(), Campaign::new(now, config, rules, past));
        }
        dialer
    }

    /// Another configuration: campaigns come, change and go; the calls of one that goes run on and are kept.
    pub fn configure(&mut self, now: Now, config: &Arc<Config>, out: &mut Vec<Out>) {
        for (name, rules) in &config.campaign {
            match self.campaigns.get_mut(name) {
                Some(campaign) => campaign.configure(config, rules),
                None => {
                    let fresh = Campaign::new(now, config, rules, CampaignPast::default());
                    self.campaigns.insert(name.clone(), fresh);
                }
            }
        }
        for (name, campaign) in &mut self.campaigns {
            if !config.campaign.contains_key(name) && campaign.retire(out) {
                out.push(Out::Notice(Notice::CampaignGone(name.clone())));
            }
        }
        self.campaigns.retain(|name, c| config.campaign.contains_key(name) || !c.is_idle());
    }

    /// Whether any campaign has to decide something soon.
    #[must_use]
    pub fn is_awake(&self) -> bool {
        self.campaigns.values().any(Campaign::is_awake)
    }

    /// Decides, a few times a second.
    pub fn tick(&mut self, cx: &Cx, ids: &mut Ids, out: &mut Vec<Out>) {
        self.watch_clock(cx.now, out);
        let from = out.len();
        let mut busy: Vec<Number> = self.campaigns.values().flat_map(Campaign::numbers).cloned().collect();
        for campaign in self.campaigns.values_mut() {
            campaign.tick(cx, &mut || ids.call(), &mut busy, out);
        }
        self.note_begun(out, from);
    }

    /// Whether somebody set the wall clock: what was read of entries (tried how often today?) was true by the old one.
    fn watch_clock(&mut self, now: Now, out: &mut Vec<Out>) -> bool {
        let mono_ms = i64::try_from(now.mono.0 / 1000).unwrap_or(i64::MAX);
        let start = now.wall.0.saturating_sub(mono_ms);
        let jumped = self.clock.is_some_and(|was| (start - was).abs() > JUMP_MS);
        if jumped || self.clock.is_none() {
            self.clock = Some(start);
        }
        if jumped {
            self.campaigns.values_mut().for_each(|campaign| campaign.start_anew(out));
        }
        jumped
    }

    fn note_begun(&mut self, out: &[Out], from: usize) {
        for word in &out[from..] {
            if let Out::Begin(attempt) = word {
                self.attempts.insert(attempt.call, (attempt.campaign.clone(), attempt.number.clone()));
                // Other campaigns know less of this number than they should: it comes back from the disk.
                let others = self.campaigns.iter_mut().filter(|(name, _)| **name != attempt.campaign);
                others.for_each(|(_, campaign)| campaign.forget(&attempt.number));
            }
        }
    }

    /// Tells every campaign's board.
    pub fn tell(&mut self, cx: &Cx, out: &mut Vec<Out>) {
        for campaign in self.campaigns.values_mut() {
            campaign.tell(cx, out);
        }
    }

    /// The disk's answer to [`Out::Fetch`].
    pub fn filled(&mut self, now: Now, campaign: &str, entries: Vec<Entry>) {
        self.rested.retain(|(at, _)| now.mono.since(*at) < REST);
        let moving = |number: &Number| {
            self.attempts.values().any(|(_, n)| n == number) || self.rested.iter().any(|(_, n)| n == number)
        };
        let known = entries.into_iter().filter(|entry| !moving(&entry.number)).collect();
        if let Some(campaign) = self.campaigns.get_mut(campaign) {
            campaign.filled(now, known);
        }
    }

    fn ended(&mut self, now: Now, call: CallId) {
        if let Some((_, number)) = self.attempts.remove(&call) {
            self.rested.push_back((now.mono, number));
        }
    }

    /// The attempt is on the disk: the call to be made, if the gate lets it pass.
    pub fn launch(&mut self, cx: &Cx, call: CallId, out: &mut Vec<Out>) -> Option<Launch> {
        let jumped = self.watch_clock(cx.now, out);
        let launch = self.of(call)?.launch(cx, call, !jumped, out);
        if launch.is_none() {
            self.ended(cx.now, call);
        }
        launch
    }

    /// Something happened to the call of an attempt.
    pub fn told(&mut self, now: Now, call: CallId, told: Told, out: &mut Vec<Out>) {
        if let Some(campaign) = self.of(call) {
            campaign.told(now, call, told, out);
        }
    }

    /// The call of an attempt is over.
    pub fn over(&mut self, now: Now, call: CallId, out: &mut Vec<Out>) {
        if let Some(campaign) = self.of(call) {
            campaign.over(now, call, out);
        }
        self.ended(now, call);
    }

    /// An attempt that could not begin after all: its agent was taken in the same moment.
    pub fn not_begun(&mut self, call: CallId) {
        if let Some(campaign) = self.of(call) {
            campaign.not_begun(call);
        }
        self.attempts.remove(&call);
    }

    /// A decision ran into a bug: nobody is dialled ahead any more until a person says so.
    pub fn broke(&mut self) {
        self.campaigns.values_mut().for_each(Campaign::broke);
    }

    /// Whether this call is an attempt of a campaign.
    #[must_use]
    pub fn has(&self, call: CallId) -> bool {
        self.attempts.contains_key(&call)
    }

    fn of(&mut self, call: CallId) -> Option<&mut Campaign> {
        self.campaigns.get_mut(&self.attempts.get(&call)?.0)
    }

    /// Somebody orders something.
    ///
    /// # Errors
    /// `Unknown`: no such campaign, agent or call. `Conflict`: it makes no sense now. `Forbidden`: the law. `Malformed`:
    /// a value out of range.
    pub fn order(
        &mut self,
        cx: &Cx,
        by: &str,
        campaign: &str,
        order: CampaignOrder,
        ids: &mut Ids,
        out: &mut Vec<Out>,
    ) -> Result<(), Refusal> {
        self.watch_clock(cx.now, out);
        let from = out.len();
        let busy: Vec<Number> = self.campaigns.values().flat_map(Campaign::numbers).cloned().collect();
        let campaign = self.campaigns.get_mut(campaign).ok_or(Refusal::Unknown)?;
        let done = campaign.order(cx, by, order, &mut || ids.call(), &busy, out);
        self.note_begun(out, from);
        done
    }

    /// The agent leaves every campaign of their queues, or, when they had left all, comes back to all. Whether they take
    /// part now; `None` when there are none.
    pub fn toggle(&mut self, cx: &Cx, agent: &str, out: &mut Vec<Out>) -> Option<bool> {
        let own = |c: &&mut Campaign| c.has_agent(cx.config, agent);
        let mut campaigns: Vec<&mut Campaign> = self.campaigns.values_mut().filter(own).collect();
        let joins = campaigns.iter().all(|c| c.was_left_by(agent));
        let by = format!("agent {agent}");
        campaigns.iter_mut().for_each(|c| c.takes_part(cx.now.wall, &by, agent, joins, out));
        campaigns.iter_mut().for_each(|c| c.tell(cx, out));
        (!campaigns.is_empty()).then_some(joins)
    }

    /// A number must not be called any more, or may be again.
    pub fn bar(&mut self, barred: Barred, out: &mut Vec<Out>) {
        for campaign in self.campaigns.values_mut() {
            campaign.bar(&barred);
        }
        out.push(Out::Keep(Record::Barred(barred)));
    }

    /// The lists on the disk are not what they were.
    pub fn lists_changed(&mut self) {
        self.campaigns.values_mut().for_each(Campaign::look_again);
    }

    /// The do-not-call list on the disk is not what it was.
    pub fn barred_changed(&mut self, out: &mut Vec<Out>) {
        self.campaigns.values_mut().for_each(|campaign| campaign.start_anew(out));
    }

    /// Deadline of the next decision.
    #[must_use]
    pub fn next(&self, now: Mono) -> Option<Mono> {
        self.is_awake().then(|| now + EVERY)
    }
}

/// Keeps a change of the steering, and tells it.
pub(crate) fn steered(record: SteerRecord, out: &mut Vec<Out>) {
    out.push(Out::Keep(Record::Steered(record)));
}
