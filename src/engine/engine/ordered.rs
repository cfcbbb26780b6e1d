//! What people ask by web, API, console and script. Each command gets one reply.
use super::Engine;
use super::admit::{direction_to, name_of};
use crate::acd::{self, Acd};
use crate::agents::Ask;
use crate::call::leg::Leg;
use crate::call::stage::Stage;
use crate::call::{Call, Caller, Core, Heard, Input};
use crate::effect::Effect;
use crate::intent::Peer;
use crate::route::{NewPrompt, Target, dialled};
use model::clock::Now;
use model::command::{Actor, Command, Reply};
use model::id::{CallId, Ticket};
use model::number::Number;
use model::record::{Party, Record};
use model::refusal::Refusal;

impl Engine {
    /// One command, and its reply: to what must outlive a restart it comes when that is on the disk.
    pub(super) fn ordered(&mut self, now: Now, ticket: Ticket, by: &Actor, command: Command) {
        let lasting = outlives(&command);
        let from = self.effects.len();
        let reply = self.order(now, by, command);
        // The disk writes in order: what was kept last and nobody else waits for is on it after the rest.
        let mut tickets = self.effects[from..]
            .iter()
            .filter_map(|effect| if let Effect::Keep { ticket, .. } = effect { Some(*ticket) } else { None })
            .filter(|kept| !self.awaited.contains_key(kept));
        let kept = if lasting { tickets.next_back() } else { None };
        match kept {
            Some(kept) if reply.is_ok() => self.reply_after(now, kept, ticket),
            Some(_) | None => self.effects.push(Effect::Reply { ticket, reply }),
        }
    }

    fn order(&mut self, now: Now, by: &Actor, command: Command) -> Reply {
        match command {
            Command::AgentLogin { agent } => self.agent_asks(now, by, &agent, &Ask::Login),
            Command::AgentLogout { agent } => self.agent_asks(now, by, &agent, &Ask::Logout),
            Command::AgentPause { agent, reason } => self.agent_asks(now, by, &agent, &Ask::Pause(reason)),
            Command::AgentExtend { agent } => {
                self.with_queues(now, |acd, said| acd.extend(now, &agent, said))
            }
            Command::AgentWrapCode { agent, code } => {
                self.with_queues(now, |acd, said| acd.wrap_code(now, &agent, &code, said))
            }
            Command::QueuePlace { call, place } => self.reorder(now, by, call, place),
            Command::AgentReady { agent } => self.agent_asks(now, by, &agent, &Ask::Ready),
            Command::CallbackCancel { callback } => {
                self.with_queues(now, |acd, said| acd.cancel_callback(now, callback, said))
            }
            Command::DeskLogin { person, phone } => self.order_seat(now, by, &person, Some(&phone)),
            Command::DeskLogout { person } => self.order_seat(now, by, &person, None),
            Command::Dial { from, to } => self.dial(now, &from, &to),
            Command::Drain => {
                self.draining = true;
                self.system_changed(now);
                Ok(())
            }
            Command::HangUp { call } => self.for_running(call, Input::HangUp("ended by hand")),
            Command::MessageDelete { message } => {
                self.mailboxes.message(message).ok_or(Refusal::Unknown)?;
                self.keep(now, Record::MessageDeleted(message), None);
                Ok(())
            }
            Command::BudgetReset { scope } => self.reset_budget(now, by, &scope),
            Command::MessageHeard { message, heard } => {
                self.mailboxes.message(message).ok_or(Refusal::Unknown)?;
                self.keep(now, Record::MessageHeard { message, heard }, None);
                Ok(())
            }
            Command::MessageListened { message } => {
                let mailbox = self.mailboxes.message(message).ok_or(Refusal::Unknown)?.mailbox.clone();
                let text = format!("{} listens to message {message} of mailbox {mailbox}", by.name);
                self.note(now, "info", "voicemail_listened", mailbox.as_str(), &text);
                Ok(())
            }
            Command::Pardon { address } => self.pardon(now, by, address),
            Command::RecordPause { call, paused } => {
                self.for_running(call, Heard::RecordPause(paused).into())
            }
            Command::RecordSwitch { call, on } => self.for_running(call, Heard::RecordSwitch(on).into()),
            Command::SelfCall => self.call_itself(now),
            Command::Steer { call, party, steer } => self.steer(now, by, call, party, steer),
            Command::Campaign { campaign, order } => self.campaign_order(now, by, &campaign, order),
            Command::Bar { number, listed } => self.bar(now, by, number, listed),
            Command::ListsChanged => {
                self.dialer.lists_changed();
                Ok(())
            }
            Command::PromptRecord { phone, name, language } => {
                let by = by.name.clone();
                self.record_prompt(now, &phone, NewPrompt { name, language, by })
            }
            Command::BarredChanged => {
                let mut said = Vec::new();
                self.dialer.barred_changed(&mut said);
                self.dialer_said(now, said);
                Ok(())
            }
            Command::TrunkRetry { trunk } => {
                let mut said = Vec::new();
                let ids = &mut self.ids;
                let known = self.trunks.retry(now, &trunk, &mut || ids.ticket(), &mut said);
                self.trunks_said(now, said);
                known.then_some(()).ok_or(Refusal::Unknown)
            }
        }
    }

    fn agent_asks(&mut self, now: Now, by: &Actor, agent: &str, ask: &Ask) -> Reply {
        let cause = format!("web by {}", by.name);
        self.with_acd(now, None, |acd, said| acd.ask(now, agent, ask, &cause, said))
            .unwrap_or(Err(Refusal::Unavailable))
    }

    fn with_queues(&mut self, now: Now, what: impl FnOnce(&mut Acd, &mut Vec<acd::Out>) -> Reply) -> Reply {
        self.with_acd(now, None, what).unwrap_or(Err(Refusal::Unavailable))
    }

    /// Somebody else is served first because a person says so: it stands in the event log.
    fn reorder(&mut self, now: Now, by: &Actor, call: CallId, place: u32) -> Reply {
        let done = self.with_acd(now, None, |acd, said| acd.place(now, call, place, said));
        let queue = done.unwrap_or(Err(Refusal::Unavailable))?;
        let caller = self.calls.get(&call).map(|c| c.core.caller.party.number.clone()).unwrap_or_default();
        let text = format!("{} puts call {call} from {caller} to place {place} of queue {queue}", by.name);
        self.note(now, "info", "queue_order", &queue, &text);
        Ok(())
    }

    fn for_running(&mut self, call: CallId, input: Input) -> Reply {
        if !self.calls.contains_key(&call) {
            return Err(Refusal::Unknown);
        }
        self.pending.push_back((call, input));
        Ok(())
    }

    fn pardon(&mut self, now: Now, by: &Actor, address: std::net::IpAddr) -> Reply {
        let lifted = self.lift_ban(now, address, format!("pardoned by {}", by.name));
        lifted.then_some(()).ok_or(Refusal::Unknown)
    }

    /// Click to call: rights and routes are those of the phone that shall call.
    fn dial(&mut self, now: Now, from: &Number, to: &Number) -> Reply {
        let config = self.config.clone();
        let target = dialled::target(&config, to).ok_or(Refusal::Unknown)?;
        let called = Party { number: to.to_string(), name: name_of(&config, Some(&target)) };
        self.ring_for(now, from, called, target)
    }

    /// The phone at which a prompt is recorded rings.
    fn record_prompt(&mut self, now: Now, phone: &Number, wanted: NewPrompt) -> Reply {
        let shown = Party { number: phone.to_string(), name: wanted.name.clone() };
        self.ring_for(now, phone, shown, Target::Studio(wanted))
    }

    /// Somebody's own phone rings and then goes to a target.
    fn ring_for(&mut self, now: Now, phone: &Number, shown: Party, target: Target) -> Reply {
        let extension = self.config.extension.get(phone).ok_or(Refusal::Unknown)?;
        let party = Party { number: phone.to_string(), name: extension.name.clone() };
        if !self.phones.reachable(&self.config, phone) {
            return Err(Refusal::Unavailable);
        }
        if self.full(now) {
            return Err(Refusal::Overloaded);
        }
        self.summon(now, party, phone, shown, target);
        Ok(())
    }

    /// A call that begins with us: the phone of `at` rings, shows `shown`, and goes to `target` when it answers.
    pub(super) fn summon(&mut self, now: Now, party: Party, at: &Number, shown: Party, target: Target) {
        let config = self.config.clone();
        let language = config.extension.get(at).and_then(|e| e.language).unwrap_or(config.system.language);
        let peer = Peer::Phone(at.clone());
        let caller = Caller { party, peer: peer.clone(), outside: None };
        let leg = Leg::nobody(peer);
        let direction = direction_to(Some(&target));
        let core = Core::new(self.ids.call(), config, direction, caller, shown, leg, language);
        let id = core.id;
        self.open_story(now, &core);
        self.calls.insert(id, Box::new(Call { core, stage: Stage::Routing, since: now.wall }));
        self.pending.push_back((id, Input::Summon(target)));
    }
}

/// Whether what somebody asked for is a promise about the time after a restart. What is done to a running call is not: the
/// call would have to wait for the disk.
fn outlives(command: &Command) -> bool {
    match command {
        Command::AgentLogin { .. }
        | Command::AgentLogout { .. }
        | Command::AgentPause { .. }
        | Command::AgentReady { .. }
        | Command::Bar { .. }
        | Command::BudgetReset { .. }
        | Command::CallbackCancel { .. }
        | Command::Campaign { .. }
        | Command::DeskLogin { .. }
        | Command::DeskLogout { .. }
        | Command::MessageDelete { .. }
        | Command::MessageHeard { .. } => true,
        Command::AgentExtend { .. }
        | Command::AgentWrapCode { .. }
        | Command::BarredChanged
        | Command::Dial { .. }
        | Command::Drain
        | Command::HangUp { .. }
        | Command::ListsChanged
        | Command::MessageListened { .. }
        | Command::Pardon { .. }
        | Command::PromptRecord { .. }
        | Command::QueuePlace { .. }
        | Command::RecordPause { .. }
        | Command::RecordSwitch { .. }
        | Command::SelfCall
        | Command::Steer { .. }
        | Command::TrunkRetry { .. } => false,
    }
}
