//! Campaigns and the rest of the box: what the dialler says is carried out here, and what calls, the disk and people say
//! reaches it. No decision about whom to call.
use super::Engine;
use super::receipts::Waiting;
use crate::call::leg::Leg;
use crate::call::stage::Stage;
use crate::call::{Call, Caller, Core, Input};
use crate::dialer::campaign::Told;
use crate::dialer::{self, Cx, Dialer, EVERY, Launch, Out};
use crate::effect::Effect;
use crate::intent::Peer;
use crate::ledger::Ids;
use crate::route::outbound;
use crate::step::guarded;
use crate::timers::Reason;
use model::campaign::{Barred, CampaignOrder};
use model::clock::Now;
use model::command::{Actor, Reply};
use model::id::{CallId, LegId};
use model::number::Number;
use model::record::{Direction, Party, Record};
use model::refusal::Refusal;
use sip::{Name, Response};

impl Engine {
    /// Lets the dialler do something with a view of the box, guarded: a bug in it stops the dialling ahead, nothing else.
    fn with_dialer<R>(
        &mut self,
        now: Now,
        work: impl FnOnce(&mut Dialer, &Cx, &mut Ids, &mut Vec<Out>) -> R,
    ) -> Option<R> {
        let (mut dialer, mut said) = (std::mem::take(&mut self.dialer), Vec::new());
        let config = self.config.clone();
        let open = !self.full(now);
        let (trunks, ledger) = (&self.trunks, &self.ledger);
        let lines = |number: &Number| {
            let rule = outbound::rule(&config, number, false)?;
            let up = rule.trunks.iter().filter(|t| trunks.is_up(t)).filter_map(|t| config.trunk.get(t));
            let free = up.map(|t| t.capacity.saturating_sub(ledger.on_trunk(&t.name)));
            free.reduce(u32::saturating_add).map(|free| if open { free } else { 0 })
        };
        let cx = Cx { now, config: &config, acd: &self.acd, lines: &lines };
        let ids = &mut self.ids;
        let result = guarded(|| work(&mut dialer, &cx, ids, &mut said));
        self.dialer = dialer;
        match result {
            Ok(result) => {
                self.dialer_said(now, said);
                Some(result)
            }
            Err(words) => {
                self.dialer.broke();
                let text = format!(
                    "the dialler ran into a fault; agents see entries before they are dialled: {words}"
                );
                self.note(now, "alarm", "fault", "dialer", &text);
                None
            }
        }
    }

    pub(super) fn dialer_said(&mut self, now: Now, said: Vec<Out>) {
        for word in said {
            match word {
                Out::Fetch(campaign, query) => self.effects.push(Effect::Fetch { campaign, query }),
                Out::Begin(attempt) => {
                    let (call, agent) = (attempt.call, attempt.agent.clone());
                    if agent.is_some_and(|agent| !self.acd.reserve(&agent, call)) {
                        self.dialer.not_begun(call);
                        continue;
                    }
                    let ticket = self.keep(now, Record::AttemptBegun(*attempt), None);
                    self.awaited.insert(ticket, Waiting::Attempt(call));
                }
                Out::GiveUp(call) => {
                    self.pending.push_back((call, Input::HangUp("given up by the campaign")))
                }
                Out::Machine(call) => self.pending.push_back((call, Input::Machine)),
                Out::Speak(call) => self.pending.push_back((call, Input::Speak)),
                Out::Release(agent, call) => {
                    self.with_acd(now, None, |acd, said| acd.release(now, &agent, call, said));
                }
                Out::Keep(record) => {
                    self.keep(now, record, None);
                }
                Out::Notice(notice) => self.effects.push(Effect::Notice(notice)),
                Out::Note(level, kind, subject, text) => self.note(now, level, kind, &subject, &text),
            }
        }
    }

    /// Campaigns decide.
    pub(super) fn dialer_tick(&mut self, now: Now) {
        self.with_dialer(now, |dialer, cx, ids, out| dialer.tick(cx, ids, out));
        self.dialer_wakes(now);
    }

    /// Sets the time of the next decision, if one is needed.
    pub(super) fn dialer_wakes(&mut self, now: Now) {
        if self.dialer.is_awake() && !self.timers.pending(&Reason::Dialer) {
            self.timers.set(Reason::Dialer, now.mono + EVERY);
        }
    }

    /// Another configuration.
    pub(super) fn configure_dialer(&mut self, now: Now) {
        self.with_dialer(now, |dialer, cx, _, out| dialer.configure(now, cx.config, out));
        self.dialer_wakes(now);
    }

    /// An attempt is on the disk: it is dialled now, if the gate lets it pass.
    pub(super) fn attempt_stored(&mut self, now: Now, call: CallId) {
        let launch = self.with_dialer(now, |dialer, cx, _, out| dialer.launch(cx, call, out));
        if let Some(launch) = launch.flatten() {
            self.reach_out(now, launch);
        }
    }

    fn reach_out(&mut self, now: Now, launch: Launch) {
        let Launch { attempt, name, outreach } = launch;
        let config = self.config.clone();
        let party = Party { number: attempt.number.to_string(), name };
        let peer = Peer::Trunk(String::new());
        let caller =
            Caller { party: party.clone(), peer: peer.clone(), outside: Some(attempt.number.clone()) };
        let (leg, language) = (Leg::nobody(peer), config.system.language);
        let mut core = Core::new(attempt.call, config, Direction::Outbound, caller, party, leg, language);
        core.outreach = Some(Box::new(outreach));
        self.open_story(now, &core);
        self.calls.insert(attempt.call, Box::new(Call { core, stage: Stage::Routing, since: now.wall }));
        self.pending.push_back((attempt.call, Input::Reach(attempt.number)));
    }

    /// Something happened to a campaign's call.
    pub(super) fn outreach_told(&mut self, now: Now, call: CallId, told: Told) {
        let mut said = Vec::new();
        self.dialer.told(now, call, told, &mut said);
        self.dialer_said(now, said);
    }

    /// A network refused a leg: why, when it says so in a word of its own (RFC 3326).
    pub(super) fn outreach_cause(&mut self, now: Now, leg: LegId, response: &Response) {
        let call = self.ledger.leg(leg).map(|entry| entry.call).filter(|call| self.dialer.has(*call));
        let cause = response.headers().list(Name::Reason).find_map(q850);
        if let (Some(call), Some(cause)) = (call, cause) {
            self.outreach_told(now, call, Told::Cause(cause));
        }
    }

    /// A call is over; most are none of a campaign.
    pub(crate) fn outreach_over(&mut self, now: Now, call: CallId) {
        if !self.dialer.has(call) {
            return;
        }
        let mut said = Vec::new();
        self.dialer.over(now, call, &mut said);
        self.dialer_said(now, said);
    }

    /// Somebody orders something of a campaign.
    pub(super) fn campaign_order(
        &mut self,
        now: Now,
        by: &Actor,
        campaign: &str,
        order: CampaignOrder,
    ) -> Reply {
        let done = self
            .with_dialer(now, |dialer, cx, ids, out| dialer.order(cx, &by.name, campaign, order, ids, out));
        self.with_dialer(now, |dialer, cx, _, out| dialer.tell(cx, out));
        self.dialer_wakes(now);
        done.unwrap_or(Err(Refusal::Unavailable))
    }

    /// The agent at this phone takes part in the campaigns of their queues, or no longer: the prompt that says so. `None`
    /// when there is nobody, or nothing to take part in.
    pub(super) fn takes_part(&mut self, now: Now, extension: &Number) -> Option<&'static str> {
        let agent = self.acd.agents().at(extension)?.id.clone();
        let joined = self.with_dialer(now, |dialer, cx, _, out| dialer.toggle(cx, &agent, out)).flatten();
        self.dialer_wakes(now);
        joined.map(|joined| if joined { "campaign-joined" } else { "campaign-left" })
    }

    /// A number must not be called, or may be again.
    pub(super) fn bar(&mut self, now: Now, by: &Actor, number: Number, listed: bool) -> Reply {
        if !number.as_str().starts_with('+') {
            return Err(Refusal::Malformed);
        }
        let barred = Barred { number, at: now.wall, by: by.name.clone(), listed };
        let mut said = Vec::<dialer::Out>::new();
        self.dialer.bar(barred, &mut said);
        self.dialer_said(now, said);
        Ok(())
    }
}

/// The cause of a Reason like `Q.850;cause=17;text="User busy"`.
fn q850(reason: &str) -> Option<u16> {
    let mut parts = reason.split(';').map(str::trim);
    parts.next().filter(|protocol| protocol.eq_ignore_ascii_case("Q.850"))?;
    parts.find_map(|part| part.strip_prefix("cause=")).and_then(|cause| cause.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::q850;

    #[test]
    fn only_a_cause_of_q850_counts() {
        let table = [
            ("Q.850;cause=17;text=\"User busy\"", Some(17)),
            ("q.850 ; cause=1", Some(1)),
            ("SIP;cause=200;text=\"Call completed elsewhere\"", None),
            ("Q.850;text=\"nothing\"", None),
            ("Q.850;cause=99999999", None),
        ];
        for (reason, cause) in table {
            assert_eq!(q850(reason), cause, "{reason}");
        }
    }
}
