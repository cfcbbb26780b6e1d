//! Reads a tree of values as typed by a person (TOML file, JSON of the API) into a `Config`, or reports every problem at
//! once with its field path and remedy. Decides what is a valid site. Never stores; never makes a secret by itself:
//! [`complete`] does that on request, before a tree is stored, so that a stored tree is complete.
mod alarm;
mod budget;
mod campaign;
mod carrier;
mod cross;
mod ivr;
mod lan;
mod people;
mod secret;
mod site;
mod table;
mod tree;
mod value;
mod vault;
mod waiting;
mod walk;

use crate::config::Config;
use crate::config::alarm::Alarm;
use crate::config::budget::Budget;
use crate::config::campaign::Campaign;
use crate::config::extension::{Agent, Extension};
use crate::config::flow::Flow;
use crate::config::network::{Network, Time};
use crate::config::queue::{Distribution, Queue};
use crate::config::route::{Inbound, Outbound};
use crate::config::system::{Audio, Features, Mail, Schedule, System};
use crate::config::trunk::Trunk;
use crate::config::vault::{Backup, Retention};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use table::{Problems, Table};

pub use secret::{complete, inherit};
pub use tree::{brief, to_tree};
pub(crate) use value::{field, said};

/// One thing wrong in a draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Path of the field, e.g. `queue[0].ring_timeout_s`.
    pub field: String,
    /// Machine word, the UI's key: `missing wrong_type out_of_range unknown_field unknown_target duplicate …`.
    pub code: String,
    /// What is wrong and what to do, in English.
    pub message: String,
}

/// Everything as read, in the order typed, before it is checked against each other.
struct Sections {
    system: System,
    network: Network,
    time: Time,
    mail: Option<Mail>,
    backup: Option<Backup>,
    retention: Retention,
    alarm: Alarm,
    budget: Budget,
    feature: Features,
    audio: Audio,
    schedule: Vec<Schedule>,
    extension: Vec<Extension>,
    agent: Vec<Agent>,
    trunk: Vec<Trunk>,
    inbound: Vec<Inbound>,
    outbound: Vec<Outbound>,
    distribution: Distribution,
    queue: Vec<Queue>,
    flow: Vec<Flow>,
    campaign: Vec<Campaign>,
}

/// Reads a complete tree: `{ system, mail?, alarm?, budget?, feature?, audio?, schedule[], extension[], … }`.
///
/// # Errors
/// Every problem found, in the order of the sections; never empty.
pub fn read(tree: &Value) -> Result<Config, Vec<Problem>> {
    let problems = Problems::default();
    let sections = sections(tree, &problems);
    cross::check(&sections, &problems);
    let problems = problems.into_vec();
    if problems.is_empty() { Ok(sections.into_config()) } else { Err(problems) }
}

/// Every field that a tree can have, told by the readers themselves.
#[must_use]
pub(crate) fn fields() -> Vec<crate::config::schema::Field> {
    let problems = Problems::describing();
    let _ = sections(&Value::Null, &problems);
    problems.into_fields()
}

/// Reads `[network]` and `[time]` alone, as [`read`] does.
///
/// # Errors
/// Every problem found.
pub fn read_network(network: &Value, time: &Value) -> Result<(Network, Time), Vec<Problem>> {
    let problems = Problems::default();
    let table = |name: &str, value| Table::new(name.to_owned(), Some(value), &problems);
    let read = (lan::network(table("network", network)), lan::time(table("time", time)));
    let problems = problems.into_vec();
    if problems.is_empty() { Ok(read) } else { Err(problems) }
}

/// Capacities: what a small box serves, with room; a draft above them is refused as a whole.
fn sections(tree: &Value, problems: &Problems) -> Sections {
    let t = Table::new(String::new(), Some(tree), problems);
    let or_empty = |name: &'static str| match t.table(name) {
        Some(table) => table,
        None => Table::new(name.to_owned(), None, problems),
    };
    let sections = Sections {
        system: site::system(or_empty("system")),
        network: lan::network(or_empty("network")),
        time: lan::time(or_empty("time")),
        mail: t.table("mail").map(site::mail),
        backup: t.table("backup").map(vault::backup),
        retention: vault::retention(or_empty("retention")),
        alarm: alarm::alarm(or_empty("alarm")),
        budget: budget::budget(or_empty("budget")),
        feature: site::feature(or_empty("feature")),
        audio: site::audio(or_empty("audio")),
        schedule: t.tables("schedule", 200).into_iter().map(site::schedule).collect(),
        extension: t.tables("extension", 5000).into_iter().map(people::extension).collect(),
        agent: t.tables("agent", 1000).into_iter().map(people::agent).collect(),
        trunk: t.tables("trunk", 100).into_iter().map(carrier::trunk).collect(),
        inbound: t.tables("inbound", 1000).into_iter().map(carrier::inbound).collect(),
        outbound: t.tables("outbound", 1000).into_iter().map(carrier::outbound).collect(),
        distribution: waiting::distribution(or_empty("distribution")),
        queue: t.tables("queue", 200).into_iter().map(waiting::queue).collect(),
        flow: t.tables("flow", 200).into_iter().map(ivr::flow).collect(),
        campaign: t.tables("campaign", 200).into_iter().map(campaign::campaign).collect(),
    };
    t.done();
    sections
}

impl Sections {
    fn into_config(self) -> Config {
        Config {
            system: self.system,
            network: self.network,
            time: self.time,
            mail: self.mail,
            backup: self.backup,
            retention: self.retention,
            alarm: self.alarm,
            budget: self.budget,
            feature: self.feature,
            audio: self.audio,
            schedule: self.schedule.into_iter().map(|x| (x.name.clone(), x)).collect(),
            extension: self.extension.into_iter().map(|x| (x.number.clone(), x)).collect(),
            agent: self.agent.into_iter().map(|x| (x.id.clone(), x)).collect(),
            trunk: self.trunk.into_iter().map(|x| (x.name.clone(), x)).collect(),
            inbound: self.inbound,
            outbound: self.outbound,
            distribution: self.distribution,
            queue: self.queue.into_iter().map(|x| (x.name.clone(), x)).collect(),
            flow: self.flow.into_iter().map(|x| (x.name.clone(), x)).collect(),
            campaign: self.campaign.into_iter().map(|x| (x.name.clone(), x)).collect(),
        }
    }
}

/// Opening times of a week as text, e.g. `{ mon = "08:00-12:00 13:00-17:30", tue = … }`; closed days are left out.
///
/// # Errors
/// Those of the serialiser.
pub fn week_as_text<S: serde::Serializer>(week: &[Vec<(u16, u16)>; 7], s: S) -> Result<S::Ok, S::Error> {
    let clock = |m: u16| format!("{:02}:{:02}", m / 60, m % 60);
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let days = names.iter().zip(week).filter(|(_, spans)| !spans.is_empty()).map(|(name, spans)| {
        let text: Vec<String> = spans.iter().map(|&(a, b)| format!("{}-{}", clock(a), clock(b))).collect();
        (*name, text.join(" "))
    });
    s.collect_map(days)
}
