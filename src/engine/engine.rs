//! The whole box in one value: an event comes in, effects go out. Routes ids to their owners; no business here.
use crate::effect::Effect;
use crate::event::{Boot, Event};
use model::clock::{Mono, Now};
use sip::endpoint::Settings;
use sip::{Endpoint, Output};

/// Every decision of the box.
#[derive(Debug)]
pub struct Engine {
    sip: Endpoint,
    outputs: Vec<Output>,
}

impl Engine {
    /// The engine at its start. What must happen at once (registrations, look-ups, notices) stands in `effects`.
    #[must_use]
    pub fn new(now: Now, boot: Boot, effects: &mut Vec<Effect>) -> Engine {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&boot.seed.to_le_bytes());
        let settings = Settings {
            user_agent: None,
            transactions_max: 20_000,
            lingering_max: sip::limits::LINGERING_MAX,
            seed,
            timing: sip::timer::Timing::default(),
        };
        let mut engine = Engine { sip: Endpoint::new(settings), outputs: Vec::new() };
        engine.handle(now, Event::Tick, effects);
        engine
    }

    /// Takes one event at its time; everything that follows from it stands in `effects` in order.
    pub fn handle(&mut self, now: Now, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Packet { flow, bytes } => self.sip.receive(now, flow, &bytes, &mut self.outputs),
            Event::FlowClosed(flow) => self.sip.flow_closed(now, flow, &mut self.outputs),
            Event::MediaUp
            | Event::Media(_)
            | Event::MediaLost
            | Event::ConfigCommitted { .. }
            | Event::Command { .. }
            | Event::Stored { .. }
            | Event::Resolved { .. }
            | Event::Tick => self.sip.handle_timeout(now, &mut self.outputs),
        }
        for output in self.outputs.drain(..) {
            if let Output::Send { flow, bytes } = output {
                effects.push(Effect::Send { flow, bytes });
            }
        }
    }

    /// When `Event::Tick` is wanted next, if nothing else comes before.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        self.sip.deadline()
    }
}
