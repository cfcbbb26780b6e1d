//! Agents' phones that ring for one call: for a caller who waits, or for a customer who is called back. Who is rung is the
//! queue's decision (`acd`); here phones ring and the queue is told what became of it.
use super::fork::{Fork, Rung};
use super::{Core, Cx, LegEvent, Out};
use crate::acd::OfferResult;
use crate::call::leg::Leg;
use crate::intent::Intent;
use crate::timers::CallTimer;
use model::clock::Mono;
use model::id::LegId;
use model::number::Number;
use model::record::Party;
use std::collections::BTreeMap;
use std::time::Duration;

/// Phones that ring, by agent.
#[derive(Debug, Default)]
pub struct Offers {
    open: BTreeMap<String, Offer>,
}

#[derive(Debug)]
struct Offer {
    fork: Fork,
    extension: Number,
    until: Mono,
}

/// An agent who answered.
#[derive(Debug)]
pub struct Taker {
    /// Who.
    pub agent: String,
    /// Their extension.
    pub extension: Number,
    /// Their phone.
    pub leg: Box<Leg>,
}

impl Offers {
    /// Whether no phone rings.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The first agent whose phone rings.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.open.first_key_value().map(|(agent, _)| agent.as_str())
    }

    /// Whether this leg is one of them.
    #[must_use]
    pub fn has(&self, leg: LegId) -> bool {
        self.open.values().any(|o| o.fork.has(leg))
    }

    /// Rings the phone of one more agent, which shows `shown`.
    pub fn ring(
        &mut self,
        core: &Core,
        shown: &Party,
        (agent, extension, ring): (String, Number, Duration),
        cx: &Cx,
        out: &mut Out,
    ) {
        out.step("offered", agent.clone());
        match Fork::extension_as(core, shown, &extension, cx, out) {
            Ok(fork) => {
                self.open.insert(agent, Offer { fork, extension, until: cx.now.mono + ring });
                self.wait_for_next(out);
            }
            Err(_) => out.want(Intent::Offered { agent, result: OfferResult::Unreachable }),
        }
    }

    /// The queue takes an offer back.
    pub fn withdraw(&mut self, agent: &str, out: &mut Out) {
        if let Some(mut offer) = self.open.remove(agent) {
            offer.fork.cancel(out);
        }
        self.wait_for_next(out);
    }

    /// A phone did something: whoever answered has the call, all others stop ringing.
    pub fn heard(&mut self, leg: LegId, event: LegEvent, out: &mut Out) -> Option<Taker> {
        let agent = self.open.iter().find(|(_, o)| o.fork.has(leg)).map(|(agent, _)| agent.clone())?;
        match self.open.get_mut(&agent)?.fork.heard(leg, event, out) {
            Rung::Still | Rung::Ringing(..) => None,
            Rung::Answered(leg) => {
                let extension = self.open.remove(&agent)?.extension;
                self.cancel_all(out);
                Some(Taker { agent, extension, leg })
            }
            Rung::Nobody(code) => {
                self.open.remove(&agent);
                missed(agent, result(code), out);
                self.wait_for_next(out);
                None
            }
        }
    }

    /// Phones that rang for their time stop.
    pub fn ring_time_over(&mut self, cx: &Cx, out: &mut Out) {
        let due: Vec<String> =
            self.open.iter().filter(|(_, o)| o.until <= cx.now.mono).map(|(a, _)| a.clone()).collect();
        for agent in due {
            if let Some(mut offer) = self.open.remove(&agent) {
                offer.fork.cancel(out);
            }
            missed(agent, OfferResult::NoAnswer, out);
        }
        self.wait_for_next(out);
    }

    /// No phone rings any more.
    pub fn cancel_all(&mut self, out: &mut Out) {
        for offer in self.open.values_mut() {
            offer.fork.cancel(out);
        }
        self.open.clear();
        out.want(Intent::NoWait(CallTimer::NoAnswer));
    }

    /// One timer serves all offers: the one that ends first.
    fn wait_for_next(&self, out: &mut Out) {
        match self.open.values().map(|o| o.until).min() {
            Some(at) => out.want(Intent::Wait(CallTimer::NoAnswer, at)),
            None => out.want(Intent::NoWait(CallTimer::NoAnswer)),
        }
    }
}

fn missed(agent: String, result: OfferResult, out: &mut Out) {
    out.step("missed", agent.clone());
    out.want(Intent::Offered { agent, result });
}

/// What a refusal says of the agent.
fn result(code: u16) -> OfferResult {
    match code {
        486 | 600 => OfferResult::Busy,
        603 | 403 => OfferResult::Declined,
        _ => OfferResult::Unreachable,
    }
}
