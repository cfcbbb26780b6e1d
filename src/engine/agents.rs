//! The states of agents, and the spells between their changes. The one owner of agent state: only `acd.rs` holds this
//! table, and every change goes through [`Agents::enter`], so a spell begins where the one before it ended and the spells
//! of a log-in add up to its length. Decides which changes a command may make; never picks an agent, never rings.
mod index;

pub use index::Counts;
use index::Index;
use model::clock::{Mono, Now, Wall};
use model::config::Config;
use model::config::extension::Agent as AgentConfig;
use model::config::reason::{NAME_MAX, Reason};
use model::id::CallId;
use model::notice::AgentView;
use model::number::Number;
use model::record::{AgentSpell, AgentState};
use model::refusal::Refusal;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// One agent.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Key.
    pub id: String,
    /// Shown name.
    pub name: String,
    /// Their phone.
    pub extension: Number,
    /// Ready from every start of the box on.
    pub always_on: bool,
    /// What they do now.
    pub state: AgentState,
    /// Since when, for people.
    pub since: Wall,
    /// Since when, for sums.
    pub since_mono: Mono,
    /// Free since: log-in, last call or last miss. A call withdrawn from them does not change it.
    pub idle_since: Mono,
    /// Why the state was entered.
    pub cause: String,
    /// The call they are offered, talk in, or wrap up.
    pub call: Option<CallId>,
    /// The last call they took, for its wrap code.
    pub last_call: Option<CallId>,
    /// The queue it came from.
    pub last_queue: Option<String>,
    /// What the last call was about, once it is said.
    pub wrap_code: Option<String>,
    /// How often this after-call work was extended.
    pub extensions: u32,
    /// Calls taken since log-in.
    pub calls: u32,
    /// When they went to work.
    pub came: Mono,
    /// Time talked in calls of queues since log-in.
    pub talk: Duration,
    /// After-call work since log-in.
    pub wrap: Duration,
    /// Offers missed in a row.
    pub missed: u32,
    /// Not offered anything for a moment, because the last offer failed.
    pub resting: bool,
    /// Pause reason asked for during an offer or a call: entered after it.
    pub pause_after: Option<String>,
    /// The pause lasts longer than its reason allows.
    pub overdue: bool,
    /// No longer configured: goes when the call is over.
    pub removed: bool,
    /// Kept free for this call of a campaign.
    pub reserved: Option<CallId>,
    /// Queues they serve, with their place in each list.
    pub queues: BTreeMap<String, usize>,
    /// What they can do: skill → level.
    pub skill: BTreeMap<String, u32>,
}

impl Agent {
    /// An agent who is not at work.
    #[must_use]
    pub fn fresh(config: &AgentConfig) -> Agent {
        Agent {
            id: config.id.clone(),
            name: config.name.clone(),
            extension: config.extension.clone(),
            always_on: config.always_on,
            state: AgentState::LoggedOut,
            since: Wall::default(),
            since_mono: Mono::default(),
            idle_since: Mono::default(),
            cause: "start".into(),
            call: None,
            last_call: None,
            last_queue: None,
            wrap_code: None,
            extensions: 0,
            calls: 0,
            came: Mono::default(),
            talk: Duration::ZERO,
            wrap: Duration::ZERO,
            missed: 0,
            resting: false,
            pause_after: None,
            overdue: false,
            removed: false,
            reserved: None,
            queues: BTreeMap::new(),
            skill: config.skill.clone(),
        }
    }

    /// Begins a log-in: all sums since it are zero.
    pub fn comes(&mut self, now: Mono) {
        (self.came, self.calls, self.talk, self.wrap) = (now, 0, Duration::ZERO, Duration::ZERO);
    }

    /// Adds the time since the last look to the sums of this state.
    fn spends(&mut self, now: Mono) {
        let spent = now.since(self.since_mono);
        match self.state {
            AgentState::Talking => self.talk += spent,
            AgentState::WrapUp => self.wrap += spent,
            AgentState::LoggedOut | AgentState::NotReady { .. } | AgentState::Ready | AgentState::Offered => {
            }
        }
        self.since_mono = now;
    }

    /// The part of the time at work that was spent with calls, in parts of 2^64.
    #[must_use]
    pub fn busy_part(&self, now: Mono) -> u128 {
        let at_work = now.since(self.came).as_millis().max(1);
        ((self.talk + self.wrap).as_millis() << 64) / at_work
    }

    /// Whether they are at work.
    #[must_use]
    pub fn logged_in(&self) -> bool {
        self.state != AgentState::LoggedOut
    }

    /// Whether a call rings at their phone or they talk: their call may not be taken from them by a command.
    #[must_use]
    pub fn in_call(&self) -> bool {
        matches!(self.state, AgentState::Offered | AgentState::Talking)
    }
}

/// A phone as far as distribution needs to know.
#[derive(Clone, Debug, Default)]
pub struct Phone {
    /// Registered, or a fixed contact.
    pub reachable: bool,
    /// In any call, as the calls say.
    pub busy: bool,
    /// The agent for whom a call of a queue rings or runs there. Never two.
    pub held_by: Option<String>,
}

/// What an agent asks, by code or from the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Go to work.
    Login,
    /// Go home.
    Logout,
    /// No more calls after the present one, with a reason.
    Pause(String),
    /// Free again; ends wrap-up.
    Ready,
}

/// What a command does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Enter this state now.
    Enter(AgentState),
    /// Remember it for the end of the call; `None` forgets it.
    After(Option<String>),
    /// It is so already.
    Nothing,
}

/// What `ask` does to an agent in this state.
///
/// # Errors
/// `Conflict` when it makes no sense now: going home while a call rings or runs, pausing while not at work.
pub fn answer(agent: &Agent, ask: &Ask) -> Result<Answer, Refusal> {
    use AgentState::{LoggedOut, NotReady, Offered, Ready, Talking, WrapUp};
    match (ask, &agent.state) {
        (Ask::Login, LoggedOut) => Ok(Answer::Enter(Ready)),
        (Ask::Login, NotReady { .. } | Ready | Offered | Talking | WrapUp) => Ok(Answer::Nothing),
        (Ask::Logout, LoggedOut) => Ok(Answer::Nothing),
        (Ask::Logout, NotReady { .. } | Ready | WrapUp) => Ok(Answer::Enter(LoggedOut)),
        (Ask::Logout, Offered | Talking) => Err(Refusal::Conflict),
        (Ask::Pause(_) | Ask::Ready, LoggedOut) => Err(Refusal::Conflict),
        (Ask::Pause(reason), NotReady { .. } | Ready | WrapUp) => {
            Ok(Answer::Enter(NotReady { reason: reason.chars().take(NAME_MAX).collect() }))
        }
        (Ask::Pause(reason), Offered | Talking) => {
            Ok(Answer::After(Some(reason.chars().take(NAME_MAX).collect())))
        }
        (Ask::Ready, NotReady { .. } | WrapUp) => Ok(Answer::Enter(Ready)),
        (Ask::Ready, Ready) => Ok(Answer::Nothing),
        (Ask::Ready, Offered | Talking) => Ok(Answer::After(None)),
    }
}

/// All agents and their phones. Bounded by the configuration.
#[derive(Clone, Debug, Default)]
pub struct Agents {
    agents: BTreeMap<String, Agent>,
    phones: BTreeMap<Number, Phone>,
    index: Index,
}

impl Agents {
    /// One agent.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Agent> {
        self.agents.get(id)
    }

    /// One agent, to change what is not the state.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Agent> {
        let agent = self.agents.get_mut(id)?;
        self.index.may_be_free(agent);
        Some(agent)
    }

    /// Takes over the last state before the box stopped.
    pub fn restore(&mut self, now: Mono, spell: &AgentSpell) {
        let Some(agent) = self.agents.get_mut(&spell.agent) else { return };
        self.index.changes(agent, &spell.state);
        agent.state = spell.state.clone();
        agent.since = spell.since;
        agent.cause.clone_from(&spell.cause);
        agent.since_mono = now;
        agent.call = spell.call;
    }

    /// Everybody, by id.
    pub fn all(&self) -> impl Iterator<Item = &Agent> {
        self.agents.values()
    }

    /// A phone that was heard of.
    #[must_use]
    pub fn phone_at(&self, extension: &Number) -> Option<&Phone> {
        self.phones.get(extension)
    }

    /// How many agents of a queue are in which states.
    #[must_use]
    pub fn counts(&self, queue: &str) -> Counts {
        self.index.counts(queue)
    }

    /// The agents of a queue who may be offered a call now, with their places in its list, in that order. O(those who may be
    /// free · log n).
    #[must_use]
    pub fn free_of(&self, queue: &str) -> Vec<(usize, &Agent)> {
        self.free(queue).collect()
    }

    /// How many [`Agents::free_of`] gives.
    #[must_use]
    pub fn free_count(&self, queue: &str) -> usize {
        self.free(queue).count()
    }

    fn free(&self, queue: &str) -> impl Iterator<Item = (usize, &Agent)> {
        let maybe = self.index.maybe_free(queue);
        let known = maybe.filter_map(|(place, id)| Some((place, self.agents.get(id)?)));
        known.filter(|(_, agent)| self.is_free(agent))
    }

    /// Forgets who turned out not to be free.
    pub fn prune(&mut self, queue: &str) {
        let mut index = std::mem::take(&mut self.index);
        index.prune(queue, |id| self.agents.get(id).is_some_and(|agent| self.is_free(agent)));
        self.index = index;
    }

    /// Every phone that was heard of.
    pub fn phones(&self) -> impl Iterator<Item = (&Number, &Phone)> {
        self.phones.iter()
    }

    /// The agent who works at this phone: the one at work if two share it.
    #[must_use]
    pub fn at(&self, extension: &Number) -> Option<&Agent> {
        let here = || self.index.at(extension).filter_map(|id| self.agents.get(id)).filter(|a| !a.removed);
        here().find(|a| a.logged_in()).or_else(|| here().next())
    }

    /// The other agents at this agent's phone.
    #[must_use]
    pub fn sharing(&self, id: &str) -> Vec<String> {
        let Some(agent) = self.agents.get(id) else { return Vec::new() };
        self.index.at(&agent.extension).filter(|other| *other != id).cloned().collect()
    }

    /// Whether a call may be offered to this agent now.
    #[must_use]
    pub fn is_free(&self, agent: &Agent) -> bool {
        agent.reserved.is_none() && self.could(agent)
    }

    /// Whether a call of a campaign may be offered to this agent now: also one they are kept free for.
    #[must_use]
    pub fn is_free_for(&self, agent: &Agent, call: CallId) -> bool {
        agent.reserved.is_none_or(|kept| kept == call) && self.could(agent)
    }

    fn could(&self, agent: &Agent) -> bool {
        agent.state == AgentState::Ready
            && !agent.resting
            && !agent.removed
            && self
                .phones
                .get(&agent.extension)
                .is_some_and(|phone| phone.reachable && !phone.busy && phone.held_by.is_none())
    }

    /// Whether the agent's phone can be reached.
    #[must_use]
    pub fn reachable(&self, agent: &Agent) -> bool {
        self.phones.get(&agent.extension).is_some_and(|phone| phone.reachable)
    }

    /// Takes the agents of a configuration: new ones are not at work (or ready when always on), those missing go now
    /// or after their call. Returns the ids that are gone now.
    pub fn configure(&mut self, config: &Config) -> Vec<String> {
        for (id, c) in &config.agent {
            let agent = self.agents.entry(id.clone()).or_insert_with(|| Agent::fresh(c));
            agent.name.clone_from(&c.name);
            agent.always_on = c.always_on;
            agent.skill.clone_from(&c.skill);
            agent.removed = false;
            if !agent.in_call() {
                agent.extension = c.extension.clone();
            }
            agent.queues = queues_of(config, id);
        }
        let mut gone = Vec::new();
        for agent in self.agents.values_mut().filter(|a| !config.agent.contains_key(&a.id)) {
            agent.removed = true;
            agent.queues.clear();
            if !agent.in_call() {
                gone.push(agent.id.clone());
            }
        }
        for id in &gone {
            self.agents.remove(id);
        }
        self.index = Index::of(self.agents.values());
        gone
    }

    /// After a call: works at the phone that the configuration names now.
    pub fn move_phone(&mut self, id: &str, config: &Config) {
        if let (Some(agent), Some(c)) = (self.agents.get_mut(id), config.agent.get(id))
            && !agent.in_call()
            && agent.extension != c.extension
        {
            agent.extension.clone_from(&c.extension);
            self.index = Index::of(self.agents.values());
        }
    }

    /// An agent removed from the configuration whose call is over goes. Says whether it did.
    pub fn forget_removed(&mut self, id: &str) -> bool {
        let over = self.agents.get(id).is_some_and(|a| a.removed && !a.in_call());
        let gone = if over { self.agents.remove(id) } else { None };
        if let Some(agent) = &gone {
            self.index.forget(agent);
        }
        gone.is_some()
    }

    /// What the calls and the registrar say of a phone. Returns the agents there.
    pub fn phone(&mut self, extension: &Number, reachable: bool, busy: bool) -> BTreeSet<String> {
        let phone = self.phones.entry(extension.clone()).or_default();
        phone.reachable = reachable;
        phone.busy = busy;
        let here: BTreeSet<String> = self.index.at(extension).cloned().collect();
        for agent in here.iter().filter_map(|id| self.agents.get(id)) {
            self.index.may_be_free(agent);
        }
        here
    }

    /// The one way into a state. Holds or frees the phone, and gives the spell to keep. `call` is the cause, if any.
    pub fn enter(
        &mut self,
        now: Now,
        id: &str,
        state: AgentState,
        cause: &str,
        call: Option<CallId>,
    ) -> Option<AgentSpell> {
        let agent = self.agents.get_mut(id)?;
        agent.spends(now.mono);
        agent.call = match state {
            AgentState::Offered | AgentState::Talking | AgentState::WrapUp => call,
            AgentState::LoggedOut | AgentState::NotReady { .. } | AgentState::Ready => None,
        };
        self.index.changes(agent, &state);
        agent.state = state;
        agent.extensions = 0;
        agent.overdue = false;
        agent.cause = cause.to_owned();
        agent.since = agent.since.max(now.wall);
        let (holds, spell) = (
            agent.in_call(),
            AgentSpell {
                agent: id.to_owned(),
                state: agent.state.clone(),
                since: agent.since,
                cause: agent.cause.clone(),
                call,
            },
        );
        let here: Vec<&String> = self.index.at(&agent.extension).collect();
        let (here, extension) = (here.into_iter().cloned().collect::<Vec<_>>(), agent.extension.clone());
        for other in here.iter().filter_map(|id| self.agents.get(id)) {
            self.index.may_be_free(other);
        }
        let phone = self.phones.entry(extension).or_default();
        if holds {
            phone.held_by = Some(id.to_owned());
        } else if phone.held_by.as_deref() == Some(id) {
            phone.held_by = None;
        }
        Some(spell)
    }

    /// Cuts the agent's spell in two to note something about the last call; the state stays.
    pub fn note(&mut self, now: Now, id: &str, cause: &str) -> Option<AgentSpell> {
        let agent = self.agents.get_mut(id)?;
        agent.since = agent.since.max(now.wall);
        agent.spends(now.mono);
        Some(AgentSpell {
            agent: id.to_owned(),
            state: agent.state.clone(),
            since: agent.since,
            cause: cause.to_owned(),
            call: agent.last_call,
        })
    }

    /// What the desks see of an agent.
    #[must_use]
    pub fn view(&self, agent: &Agent, wrap_code_due: bool, reasons: &[Reason]) -> AgentView {
        let AgentState::NotReady { reason: name } = &agent.state else {
            return self.seen(agent, wrap_code_due);
        };
        let known = reasons.iter().find(|r| r.name == *name);
        let reason_text = known.map(|r| [r.en.clone(), r.zh.clone()]);
        AgentView { reason_text, ..self.seen(agent, wrap_code_due) }
    }

    fn seen(&self, agent: &Agent, wrap_code_due: bool) -> AgentView {
        AgentView {
            agent: agent.id.clone(),
            name: agent.name.clone(),
            extension: agent.extension.to_string(),
            reachable: self.reachable(agent),
            state: agent.state.clone(),
            since: agent.since,
            cause: agent.cause.clone(),
            call: agent.call,
            calls: agent.calls,
            missed: agent.missed,
            queues: agent.queues.keys().cloned().collect(),
            wrap_code_due,
            reason_text: None,
            overdue: agent.overdue,
        }
    }
}

fn queues_of(config: &Config, agent: &str) -> BTreeMap<String, usize> {
    config
        .queue
        .values()
        .filter_map(|q| Some((q.name.clone(), q.agents.iter().position(|a| a == agent)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(state: AgentState) -> Agent {
        let mut agent = Agent::fresh(&AgentConfig {
            id: "7".into(),
            name: "Anna".into(),
            extension: Number::read("107").expect("digits"),
            always_on: false,
            skill: BTreeMap::new(),
        });
        agent.state = state;
        agent
    }

    #[test]
    fn each_ask_in_each_state_has_its_answer() {
        use AgentState::{LoggedOut, NotReady, Offered, Ready, Talking, WrapUp};
        let pause = || NotReady { reason: "lunch".into() };
        let enter = |s: AgentState| Ok(Answer::Enter(s));
        let states = [LoggedOut, pause(), Ready, Offered, Talking, WrapUp];
        type Row = [Result<Answer, Refusal>; 6];
        let nothing = || Ok(Answer::Nothing);
        let refused = || Err(Refusal::Conflict);
        let table: [(Ask, Row); 4] = [
            (Ask::Login, [enter(Ready), nothing(), nothing(), nothing(), nothing(), nothing()]),
            (
                Ask::Logout,
                [nothing(), enter(LoggedOut), enter(LoggedOut), refused(), refused(), enter(LoggedOut)],
            ),
            (
                Ask::Pause("lunch".into()),
                [
                    refused(),
                    enter(pause()),
                    enter(pause()),
                    Ok(Answer::After(Some("lunch".into()))),
                    Ok(Answer::After(Some("lunch".into()))),
                    enter(pause()),
                ],
            ),
            (
                Ask::Ready,
                [
                    refused(),
                    enter(Ready),
                    nothing(),
                    Ok(Answer::After(None)),
                    Ok(Answer::After(None)),
                    enter(Ready),
                ],
            ),
        ];
        for (ask, row) in table {
            for (state, expected) in states.iter().zip(row) {
                assert_eq!(answer(&agent(state.clone()), &ask), expected, "{ask:?} in {state:?}");
            }
        }
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_overlapping_spells() {
        let mut agents = Agents::default();
        agents.agents.insert("7".into(), agent(AgentState::LoggedOut));
        let at = |wall| Now { mono: Mono(0), wall: Wall(wall) };
        let first = agents.enter(at(5_000), "7", AgentState::Ready, "login code", None).expect("known");
        let second = agents.enter(at(3_000), "7", AgentState::LoggedOut, "login code", None).expect("known");
        assert_eq!((first.since, second.since), (Wall(5_000), Wall(5_000)));
    }
}
