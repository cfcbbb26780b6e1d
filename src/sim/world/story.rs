//! What a story says: somebody calls, presses keys, hears something, hangs up. Each wait has a limit in virtual time and
//! words for what was waited for; a story that waits in vain fails with them.
use super::{UaId, World};
use crate::sound::Heard;
use crate::ua::{State, UaCall};
use crate::wire::Datagram;
use model::clock::Now;
use model::command::{Command, Reply};
use model::config::Config;
use model::contact::Contact;
use model::id::LegId;
use model::record::CallRecord;
use std::sync::Arc;
use std::time::Duration;

/// A call as one phone sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallRef {
    /// Whose phone.
    pub ua: UaId,
    /// Which call there.
    pub leg: LegId,
}

/// Longest wait for a sound.
const HEAR: Duration = Duration::from_secs(40);

/// Longest wait for the end of everything: 64 T1 of SIP and then some.
const REST: Duration = Duration::from_secs(60);

impl World {
    /// Waits until something is so, at most `limit_s` seconds of virtual time.
    ///
    /// # Panics
    /// When it is not so by then, with `what`.
    pub fn until(&mut self, what: &str, limit_s: u64, mut so: impl FnMut(&World) -> bool) {
        let end = self.now.mono + Duration::from_secs(limit_s);
        while !so(self) {
            match self.next() {
                Some(at) if at <= end => self.step(),
                Some(_) | None => panic!("waited {limit_s} s in vain: {what}"),
            }
        }
    }

    /// Lets seconds pass.
    pub fn pass(&mut self, seconds: u64) {
        self.run_for(Duration::from_secs(seconds));
    }

    /// Registers phones and waits until they are.
    pub fn phones_up(&mut self, names: &[&str]) {
        self.register(names);
        let ids: Vec<UaId> = names.iter().map(|n| self.ua(n)).collect();
        self.until("phones registered", 40, |w| ids.iter().all(|id| w.look(*id).registered));
    }

    /// A phone dials.
    pub fn dial(&mut self, phone: &str, number: &str) -> CallRef {
        let ua = self.ua(phone);
        self.with_ua(ua, |ua, now, out| {
            let me = ua.name.clone();
            ua.dial(now, number, &me, out)
        })
    }

    /// Somebody outside calls in over the carrier.
    pub fn call_in(&mut self, caller: &str, number: &str) -> CallRef {
        let ua = self.ua("carrier");
        self.with_ua(ua, |ua, now, out| ua.dial(now, number, caller, out))
    }

    fn with_ua(
        &mut self,
        ua: UaId,
        act: impl FnOnce(&mut crate::ua::Ua, Now, &mut Vec<Datagram>) -> LegId,
    ) -> CallRef {
        let mut sent = Vec::new();
        let now = self.now;
        let leg = act(self.change(ua), now, &mut sent);
        self.post(sent);
        CallRef { ua, leg }
    }

    /// The call as the phone sees it.
    ///
    /// # Panics
    /// When the phone never had it: the story is wrong.
    #[must_use]
    pub fn call(&self, call: CallRef) -> &UaCall {
        self.look(call.ua).calls.get(&call.leg).expect("a call of this phone")
    }

    /// Hangs up.
    pub fn hang_up(&mut self, call: CallRef) {
        self.with_ua(call.ua, |ua, now, out| {
            ua.hang_up(now, call.leg, out);
            call.leg
        });
    }

    /// Answers a ringing phone by hand.
    pub fn answer(&mut self, call: CallRef) {
        self.with_ua(call.ua, |ua, now, out| {
            ua.answer(now, call.leg, out);
            call.leg
        });
    }

    /// Puts the other side on hold, or takes it back.
    pub fn hold(&mut self, call: CallRef, on: bool) {
        self.with_ua(call.ua, |ua, now, out| {
            ua.hold(now, call.leg, on, out);
            call.leg
        });
    }

    /// The phone hands the other side over to a number (REFER).
    pub fn transfer(&mut self, call: CallRef, number: &str) {
        self.with_ua(call.ua, |ua, now, out| {
            ua.transfer(now, call.leg, number, out);
            call.leg
        });
    }

    /// The phone puts the other sides of two of its calls together (REFER with Replaces).
    pub fn transfer_to(&mut self, call: CallRef, other: CallRef) {
        self.with_ua(call.ua, |ua, now, out| {
            ua.transfer_to(now, call.leg, other.leg, out);
            call.leg
        });
    }

    /// A Refer-To value that names a call.
    pub fn name_of(&mut self, call: CallRef) -> String {
        self.change(call.ua).replaces(call.leg)
    }

    /// The phone sends REFER with this Refer-To.
    pub fn refer(&mut self, call: CallRef, to: &str) {
        self.with_ua(call.ua, |ua, now, out| {
            ua.refer(now, call.leg, to, out);
            call.leg
        });
    }

    /// Presses keys.
    pub fn press(&mut self, call: CallRef, keys: &str) {
        self.change(call.ua).press(call.leg, keys);
    }

    /// What is heard of a phone or carrier from now on when it was called and has answered, µ-law.
    pub fn answers_with(&mut self, ua: &str, sound: &[u8]) {
        let ua = self.ua(ua);
        self.change(ua).says = Some(sound.into());
    }

    /// Speaks, or is silent.
    pub fn speaks(&mut self, call: CallRef, speaking: bool) {
        if let Some(c) = self.change(call.ua).calls.get_mut(&call.leg) {
            c.speaking = speaking;
        }
    }

    /// Waits until the call is answered.
    pub fn until_up(&mut self, call: CallRef) {
        self.until("the call is answered", 40, |w| w.call(call).state == State::Up);
    }

    /// Waits until the call is over; the code of a refusal, else 0.
    pub fn until_over(&mut self, call: CallRef) -> u16 {
        self.until("the call is over", 120, |w| matches!(w.call(call).state, State::Over(_)));
        match self.call(call).state {
            State::Over(code) => code,
            State::Calling | State::Ringing | State::Up => 0,
        }
    }

    /// Waits until a prompt is heard.
    pub fn until_hears(&mut self, call: CallRef, prompt: &str) {
        let end = self.now.mono + HEAR;
        while !self.call(call).ear.prompt(prompt) {
            match self.next() {
                Some(at) if at <= end => self.step(),
                Some(_) | None => {
                    panic!("waited in vain: {prompt} is heard; {:?}", self.call(call).ear.prompts())
                }
            }
        }
    }

    /// Waits until this is what is heard at the moment.
    pub fn until_hears_now(&mut self, call: CallRef, what: &Heard) {
        let heard = |w: &World| w.call(call).ear.now(w.now().mono) == Some(what);
        let end = self.now.mono + HEAR;
        while !heard(self) {
            match self.next() {
                Some(at) if at <= end => self.step(),
                Some(_) | None => panic!("waited in vain: {what:?} is heard; {:?}", self.call(call).ear),
            }
        }
    }

    /// Waits until the phone rings for an incoming call, and gives that call.
    pub fn until_rings(&mut self, phone: &str) -> CallRef {
        let ua = self.ua(phone);
        let rings = |w: &World| {
            let ringing = |c: &UaCall| c.incoming && c.state == State::Ringing;
            w.look(ua).live().find(|(_, c)| ringing(c)).map(|(leg, _)| leg)
        };
        self.until(&format!("{phone} rings"), 60, |w| rings(w).is_some());
        CallRef { ua, leg: rings(self).expect("it rings") }
    }

    /// Waits until the phone has answered an incoming call, and gives that call.
    pub fn until_answers(&mut self, phone: &str) -> CallRef {
        let ua = self.ua(phone);
        let up = |w: &World| {
            let talks = |c: &UaCall| c.incoming && c.state == State::Up;
            w.look(ua).live().find(|(_, c)| talks(c)).map(|(leg, _)| leg)
        };
        self.until(&format!("{phone} answers"), 60, |w| up(w).is_some());
        CallRef { ua, leg: up(self).expect("it is up") }
    }

    /// Both ends hear each other's voice at the moment.
    pub fn until_talk(&mut self, a: CallRef, b: CallRef) {
        let (voice_a, voice_b) = (self.look(a.ua).voice, self.look(b.ua).voice);
        self.until_hears_now(a, &Heard::Voice(voice_b));
        self.until_hears_now(b, &Heard::Voice(voice_a));
    }

    /// Dials a star code at a phone, waits for the spoken answer, hangs up.
    pub fn star(&mut self, phone: &str, code: &str, answer: &str) {
        let call = self.dial(phone, code);
        self.until_hears(call, answer);
        self.hang_up(call);
        self.until_over(call);
    }

    /// The same for a code that asks for a PIN first.
    pub fn star_pin(&mut self, phone: &str, code: &str, pin: &str, answer: &str) {
        let call = self.dial(phone, code);
        self.until_hears(call, "vm-enter-pin");
        self.press(call, &format!("{pin}#"));
        self.until_hears(call, answer);
        self.hang_up(call);
        self.until_over(call);
    }

    /// Agents at these phones log in.
    pub fn agents_at_work(&mut self, phones: &[&str]) {
        for phone in phones {
            self.star(phone, "*50", "agent-logged-in");
        }
    }

    /// Asks the box as the web does. The reply.
    ///
    /// # Panics
    /// When no reply comes within 5 s.
    pub fn command(&mut self, command: Command) -> Reply {
        let mut sent = Vec::new();
        let ticket = self.pbx.command(self.now, command, &mut sent);
        self.post(sent);
        self.until("the command is answered", 5, |w| w.pbx.replies.contains_key(&ticket));
        self.pbx.replies[&ticket]
    }

    /// The same without waiting for the reply.
    pub fn order(&mut self, command: Command) {
        let mut sent = Vec::new();
        let _ = self.pbx.command(self.now, command, &mut sent);
        self.post(sent);
    }

    /// The box learns who people are.
    pub fn know(&mut self, contacts: Vec<Contact>) {
        self.pbx.know(self.now, contacts);
    }

    /// The application that leads a call is killed.
    pub fn application_dies(&mut self) {
        self.pbx.application_dies(self.now);
    }

    /// Puts another configuration in force.
    pub fn commit(&mut self, config: Arc<Config>) {
        let mut sent = Vec::new();
        self.pbx.commit(self.now, config, &mut sent);
        self.post(sent);
    }

    /// The final records so far, in the order of their calls.
    #[must_use]
    pub fn records(&self) -> Vec<CallRecord> {
        self.pbx.watch.ended.values().cloned().collect()
    }

    /// The last final record whose caller is this number.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn record_of(&self, caller: &str) -> CallRecord {
        let found = self.pbx.watch.ended.values().rev().find(|r| r.caller.number == caller);
        found.cloned().unwrap_or_else(|| panic!("no record of a call from {caller}: {:#?}", self.records()))
    }

    /// Everybody hangs up; then nothing may be left: no call without a record, no agent in an offer or call, no media
    /// session, no caller in a queue.
    ///
    /// # Panics
    /// When something is left.
    pub fn rest(&mut self) {
        self.everybody_hangs_up();
        let quiet = |w: &World| w.pbx.watch.unfinished().is_empty() && w.pbx.sessions() == 0;
        let end = self.now.mono + REST;
        while !quiet(self) && self.next().is_some_and(|at| at <= end) {
            self.step();
        }
        let mut left = self.pbx.watch.unfinished();
        if self.pbx.sessions() > 0 {
            left.push(format!("{} media sessions are open", self.pbx.sessions()));
        }
        assert!(left.is_empty(), "left at the end: {left:#?}");
    }

    /// All phones end all their calls.
    pub fn everybody_hangs_up(&mut self) {
        for i in 0..self.uas.len() {
            let legs: Vec<LegId> = self.uas[i].live().map(|(leg, _)| leg).collect();
            for leg in legs {
                self.hang_up(CallRef { ua: UaId(i), leg });
            }
        }
    }
}
