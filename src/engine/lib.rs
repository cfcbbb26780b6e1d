//! Every decision of the box. Pure: no IO, no clock, no locks, no tasks.
//!
//! [`Engine::handle`] takes one [`Event`] at a time given from outside and returns [`Effect`]s. Parts inside: `route` (who
//! gets a call), `phones`, `trunks`, `guard`, `call` (what happens to one), `acd`, `ivr`, `voicemail`. Parts know each
//! other's ids, never each other.
#![forbid(unsafe_code)]

pub mod acd;
pub mod agents;
pub mod budget;
pub mod call;
pub mod canary;
pub mod contacts;

pub mod dialer;
pub mod effect;
pub mod engine;
pub mod event;
pub mod guard;
pub mod intent;
pub mod ivr;
pub mod ledger;
pub mod phones;
pub mod ports;
pub mod recording;
pub mod route;
pub mod say;
pub mod step;
pub mod timers;
pub mod trunks;
pub mod voicemail;

#[cfg(test)]
mod fixture;

pub use effect::Effect;
pub use engine::Engine;
pub use event::{Boot, Event};
