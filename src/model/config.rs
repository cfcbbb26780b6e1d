//! The configuration of a site, valid by construction: who holds a `Config` need not check it again. It is read from a
//! tree of values (TOML file or JSON from the API) by [`draft`], which reports every problem with its field path, and it
//! is written back as the same tree by `Serialize`. Each change is a stored generation. Decides nothing.
pub mod alarm;
pub mod budget;
pub mod campaign;
pub mod cascade;
pub mod diff;
pub mod draft;
pub mod edit;
pub mod extension;
pub mod flow;
pub mod network;
pub mod queue;
pub mod reason;
pub mod route;
pub mod schema;
pub mod system;
pub mod text;
pub mod trunk;
pub mod vault;

use crate::number::Number;
use alarm::Alarm;
use budget::Budget;
use campaign::Campaign;
use extension::{Agent, Extension};
use flow::Flow;
use network::{Network, Time};
use queue::{Distribution, Queue};
use route::{Inbound, Outbound};
use serde::Serialize;
use std::collections::BTreeMap;
use system::{Audio, Features, Mail, Schedule, System};
use trunk::Trunk;
use vault::{Backup, Retention};

/// The whole site. Keys of the maps repeat the name inside the item; lookups go by key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Config {
    /// Name, country, language, time zone, limits.
    pub system: System,
    /// Addresses, names, marks of packets.
    pub network: Network,
    /// Whom the box asks for the time.
    pub time: Time,
    /// Where voicemail mails go out; `None` = no mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<Mail>,
    /// When and where the site is saved; `None` = it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<Backup>,
    /// How long things are kept, and when the disk counts as full.
    pub retention: Retention,
    /// Who is told when the box is not well, and from where on it is not.
    pub alarm: Alarm,
    /// How many minutes a day may be talked to outside.
    pub budget: Budget,
    /// Star codes.
    pub feature: Features,
    /// Sound card and hold music, by name. The music `default` always exists.
    pub audio: Audio,
    /// Business hours by name.
    #[serde(serialize_with = "as_list")]
    pub schedule: BTreeMap<String, Schedule>,
    /// Phones and people by extension number.
    #[serde(serialize_with = "as_list")]
    pub extension: BTreeMap<Number, Extension>,
    /// Agents by id.
    #[serde(serialize_with = "as_list")]
    pub agent: BTreeMap<String, Agent>,
    /// Carriers by name.
    #[serde(serialize_with = "as_list")]
    pub trunk: BTreeMap<String, Trunk>,
    /// Who gets calls from outside. In order of preference among equals; the heaviest mask wins.
    pub inbound: Vec<Inbound>,
    /// Which trunks carry calls to outside. In order.
    pub outbound: Vec<Outbound>,
    /// How callers of all queues stand to each other.
    pub distribution: Distribution,
    /// Queues by name.
    #[serde(serialize_with = "as_list")]
    pub queue: BTreeMap<String, Queue>,
    /// IVR flows by name.
    #[serde(serialize_with = "as_list")]
    pub flow: BTreeMap<String, Flow>,
    /// Outbound jobs by name.
    #[serde(serialize_with = "as_list")]
    pub campaign: BTreeMap<String, Campaign>,
}

fn as_list<K, V: Serialize, S: serde::Serializer>(map: &BTreeMap<K, V>, s: S) -> Result<S::Ok, S::Error> {
    s.collect_seq(map.values())
}

impl Config {
    /// The extension whose SIP user name this is.
    #[must_use]
    pub fn extension_by_user(&self, user: &str) -> Option<&Extension> {
        Number::read(user)
            .and_then(|n| self.extension.get(&n))
            .filter(|e| e.user == user)
            .or_else(|| self.extension.values().find(|e| e.user == user))
    }

    /// The agent who works at this extension.
    #[must_use]
    pub fn agent_at(&self, extension: &Number) -> Option<&Agent> {
        self.agent.values().find(|a| &a.extension == extension)
    }

    /// The queue that is dialled by this internal number.
    #[must_use]
    pub fn queue_by_number(&self, number: &Number) -> Option<&Queue> {
        self.queue.values().find(|q| q.number.as_ref() == Some(number))
    }

    /// The flow that is dialled by this internal number.
    #[must_use]
    pub fn flow_by_number(&self, number: &Number) -> Option<&Flow> {
        self.flow.values().find(|f| f.number.as_ref() == Some(number))
    }
}
