//! The box's words, valid by construction: time, ids, numbers, configuration, and what is asked of, told by and
//! kept by the box. No IO, no clock, no locks. Imported by every other crate; imports none of them.

pub mod application;
pub mod ask;
pub mod browser_phone;
pub mod campaign;
pub mod clock;
pub mod command;
pub mod config;
pub mod contact;
pub mod country;
pub mod health;
pub mod id;
pub mod media;
pub mod notice;
pub mod number;
pub mod past;
pub mod query;
pub mod record;
pub mod refusal;
pub mod report;
pub mod rule;
pub mod saving;
pub mod sentence;
pub mod speech;
pub mod steer;
pub mod update;
pub mod what_if;
pub mod zone;
