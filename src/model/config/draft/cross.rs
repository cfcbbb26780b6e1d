//! Checks what no table can see alone: keys that are used twice, internal numbers that clash, targets that do not exist,
//! calls that would be sent in a circle. Comes after reading; adds problems, changes nothing.
use super::Sections;
use super::table::{Problems, did_you_mean};
use super::walk;
use crate::config::flow::{Flow, Say, Step};
use crate::config::route::Destination;
use crate::country::Country;
use crate::number::Number;
use std::collections::{BTreeMap, BTreeSet};

/// Every check.
pub(super) fn check(s: &Sections, out: &Problems) {
    keys(s, out);
    let known = Known::of(s);
    numbers(s, out);
    features(s, out);
    people(s, &known, out);
    carriers(s, &known, out);
    queues(s, &known, out);
    flows(s, &known, out);
    campaigns(s, &known, out);
    walk::circles(s, out);
}

fn keys(s: &Sections, out: &Problems) {
    unique("schedule", "name", s.schedule.iter().map(|x| x.name.as_str()), out);
    unique("extension", "number", s.extension.iter().map(|x| x.number.as_str()), out);
    unique("extension", "user", s.extension.iter().map(|x| x.user.as_str()), out);
    unique("agent", "id", s.agent.iter().map(|x| x.id.as_str()), out);
    unique("agent", "extension", s.agent.iter().map(|x| x.extension.as_str()), out);
    unique("trunk", "name", s.trunk.iter().map(|x| x.name.as_str()), out);
    unique("queue", "name", s.queue.iter().map(|x| x.name.as_str()), out);
    unique("flow", "name", s.flow.iter().map(|x| x.name.as_str()), out);
    unique("campaign", "name", s.campaign.iter().map(|x| x.name.as_str()), out);
}

/// Each value of one field stands once in its section. Empty ones were reported when they were read.
fn unique<'a>(section: &str, field: &str, values: impl Iterator<Item = &'a str>, out: &Problems) {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, value) in values.enumerate().filter(|(_, v)| !v.is_empty()) {
        if let Some(earlier) = first.get(value) {
            let message =
                format!("\"{value}\" is already used by {section}[{earlier}]; each {field} stands only once");
            out.add(&format!("{section}[{i}].{field}"), "duplicate", message);
        } else {
            first.insert(value, i);
        }
    }
}

/// Every number that phones inside can dial, with where it stands.
fn numbers(s: &Sections, out: &Problems) {
    let mut taken: BTreeMap<&Number, String> = BTreeMap::new();
    let extensions =
        s.extension.iter().enumerate().map(|(i, e)| (&e.number, format!("extension[{i}].number")));
    let queues = s.queue.iter().enumerate();
    let queues = queues.filter_map(|(i, q)| Some((q.number.as_ref()?, format!("queue[{i}].number"))));
    let flows = s.flow.iter().enumerate();
    let flows = flows.filter_map(|(i, f)| Some((f.number.as_ref()?, format!("flow[{i}].number"))));
    for (number, path) in extensions.chain(queues).chain(flows).filter(|(n, _)| !n.as_str().is_empty()) {
        reserved(s, number, &path, out);
        let same_section = |other: &String| path.starts_with("extension[") && other.starts_with("extension[");
        match taken.get(number) {
            Some(other) if same_section(other) => {}
            Some(other) => {
                let message =
                    format!("{number} is already the number of {other}; give one of them another number");
                out.add(&path, "duplicate", message);
            }
            None => drop(taken.insert(number, path)),
        }
    }
}

/// Emergency numbers, the outside line and service codes come before internal numbers.
fn reserved(s: &Sections, number: &Number, path: &str, out: &Problems) {
    let country = Country::find(&s.system.country);
    let digits = number.as_str();
    if country.is_some_and(|c| c.is_emergency(digits)) {
        let message = format!("{number} is an emergency number in {}; take another number", s.system.country);
        out.add(path, "emergency_number", message);
    }
    let prefix = s.system.outside_prefix.as_str();
    if !prefix.is_empty() && digits.starts_with(prefix) {
        let message = format!(
            "{number} begins with {prefix}, which asks for an outside line (system.outside_prefix); take another number"
        );
        out.add(path, "outside_prefix", message);
    }
    if let Some((field, _)) = codes(s).into_iter().find(|(_, code)| *code == number) {
        let message = format!("{number} is the service code feature.{field}; take another number");
        out.add(path, "duplicate", message);
    }
}

fn codes(s: &Sections) -> [(&'static str, &Number); 15] {
    let f = &s.feature;
    [
        ("echo", &f.echo),
        ("announcement", &f.announcement),
        ("voicemail", &f.voicemail),
        ("agent_login", &f.agent_login),
        ("agent_ready", &f.agent_ready),
        ("agent_pause", &f.agent_pause),
        ("agent_wrap_up_done", &f.agent_wrap_up_done),
        ("agent_wrap_code", &f.agent_wrap_code),
        ("agent_wrap_extend", &f.agent_wrap_extend),
        ("agent_campaigns", &f.agent_campaigns),
        ("hot_desk", &f.hot_desk),
        ("supervise", &f.supervise),
        ("paging", &f.paging),
        ("record", &f.record),
        ("record_pause", &f.record_pause),
    ]
}

/// Codes after which more digits follow: no other code may begin with them.
const OPEN_CODES: [&str; 4] = ["agent_pause", "agent_wrap_code", "hot_desk", "supervise"];

fn features(s: &Sections, out: &Problems) {
    let codes = codes(s);
    let country = Country::find(&s.system.country);
    for (i, (field, code)) in codes.iter().enumerate() {
        let path = format!("feature.{field}");
        if let Some((other, _)) = codes[..i].iter().find(|(_, c)| c == code) {
            out.add(&path, "duplicate", format!("{code} is already feature.{other}; give it another code"));
        }
        let opens = |(name, c): &&(&str, &Number)| {
            OPEN_CODES.contains(name) && c != code && code.as_str().starts_with(c.as_str())
        };
        if let Some((other, c)) = codes.iter().find(opens) {
            let message = format!(
                "{code} begins with {c} (feature.{other}), after which more digits follow; give it another code"
            );
            out.add(&path, "duplicate", message);
        }
        if country.is_some_and(|c| c.is_emergency(code.as_str())) {
            out.add(
                &path,
                "emergency_number",
                format!("{code} is an emergency number; give it another code"),
            );
        }
    }
}

/// Names that may be referred to.
struct Known<'a> {
    schedule: BTreeSet<&'a str>,
    extension: BTreeSet<&'a str>,
    mailbox: BTreeSet<&'a str>,
    agent: BTreeSet<&'a str>,
    trunk: BTreeSet<&'a str>,
    queue: BTreeSet<&'a str>,
    flow: BTreeSet<&'a str>,
    music: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(s: &'a Sections) -> Known<'a> {
        let with_box = s.extension.iter().filter(|e| e.voicemail.is_some());
        Known {
            schedule: s.schedule.iter().map(|x| x.name.as_str()).collect(),
            extension: s.extension.iter().map(|x| x.number.as_str()).collect(),
            mailbox: with_box.map(|x| x.number.as_str()).collect(),
            agent: s.agent.iter().map(|x| x.id.as_str()).collect(),
            trunk: s.trunk.iter().map(|x| x.name.as_str()).collect(),
            queue: s.queue.iter().map(|x| x.name.as_str()).collect(),
            flow: s.flow.iter().map(|x| x.name.as_str()).collect(),
            music: s.audio.music.keys().map(String::as_str).collect(),
        }
    }

    fn destination(&self, path: &str, to: &Destination, out: &Problems) {
        match to {
            Destination::Announcement | Destination::Echo | Destination::HangUp => {}
            Destination::Extension(n) => refer(path, "extension", n.as_str(), &self.extension, out),
            Destination::Flow(name) => refer(path, "flow", name, &self.flow, out),
            Destination::Queue(name) => refer(path, "queue", name, &self.queue, out),
            Destination::Voicemail(n) => self.mailbox(path, n, out),
        }
    }

    fn mailbox(&self, path: &str, number: &Number, out: &Problems) {
        let number = number.as_str();
        if self.extension.contains(number) && !self.mailbox.contains(number) {
            let message = format!(
                "extension {number} has no voicemail; give it a [extension.voicemail] table, or name another one"
            );
            out.add(path, "no_mailbox", message);
        } else {
            refer(path, "extension", number, &self.extension, out);
        }
    }
}

/// The name must be a key of the section. Empty ones were reported when they were read.
fn refer(path: &str, section: &str, name: &str, known: &BTreeSet<&str>, out: &Problems) {
    if name.is_empty() || known.contains(name) {
        return;
    }
    let hint = did_you_mean(name, known.iter().copied());
    let few: Vec<&str> = known.iter().copied().filter(|k| !k.is_empty()).take(20).collect();
    let remedy = if few.is_empty() {
        format!("add it as [[{section}]] first")
    } else {
        format!("add it as [[{section}]], or use one of: {}", few.join(", "))
    };
    out.add(path, "unknown_target", format!("there is no {section} \"{name}\"{hint}; {remedy}"));
}

fn people(s: &Sections, known: &Known<'_>, out: &Problems) {
    for (i, agent) in s.agent.iter().enumerate() {
        refer(&format!("agent[{i}].extension"), "extension", agent.extension.as_str(), &known.extension, out);
    }
    for (i, number) in s.system.emergency_notify.iter().enumerate() {
        refer(&format!("system.emergency_notify[{i}]"), "extension", number.as_str(), &known.extension, out);
    }
    let mails = s
        .extension
        .iter()
        .enumerate()
        .filter(|(_, e)| e.voicemail.as_ref().is_some_and(|v| v.email.is_some()));
    for (i, _) in mails.filter(|_| s.mail.is_none()) {
        let message =
            "mails can only go out through a mail server; add a [mail] table, or remove the address";
        out.add(&format!("extension[{i}].voicemail.email"), "no_mail", message);
    }
}

fn carriers(s: &Sections, known: &Known<'_>, out: &Problems) {
    let closed = s.budget.schedule.as_deref().unwrap_or_default();
    refer("budget.schedule", "schedule", closed, &known.schedule, out);
    for (i, rule) in s.inbound.iter().enumerate() {
        let path = |field: &str| format!("inbound[{i}].{field}");
        refer(&path("trunk"), "trunk", rule.trunk.as_deref().unwrap_or_default(), &known.trunk, out);
        refer(
            &path("schedule"),
            "schedule",
            rule.schedule.as_deref().unwrap_or_default(),
            &known.schedule,
            out,
        );
        known.destination(&path("to"), &rule.to, out);
    }
    for (i, rule) in s.outbound.iter().enumerate() {
        list_refers(&format!("outbound[{i}].trunks"), "trunk", &rule.trunks, &known.trunk, out);
    }
}

fn queues(s: &Sections, known: &Known<'_>, out: &Problems) {
    for (i, queue) in s.queue.iter().enumerate() {
        list_refers(&format!("queue[{i}].agents"), "agent", &queue.agents, &known.agent, out);
        let path = format!("queue[{i}].music");
        if !known.music.contains(queue.music.as_str()) {
            let hint = did_you_mean(&queue.music, known.music.iter().copied());
            let message = format!(
                "there is no music \"{}\"{hint}; add it to [audio.music], or use \"default\"",
                queue.music
            );
            out.add(&path, "unknown_target", message);
        }
        known.destination(&format!("queue[{i}].overflow"), &queue.overflow, out);
        for id in queue.weight.keys().filter(|id| !queue.agents.contains(id)) {
            let message =
                format!("agent \"{id}\" does not serve this queue; add it to agents, or remove the weight");
            out.add(&format!("queue[{i}].weight.{id}"), "unknown_target", message);
        }
        for (j, rule) in queue.overflow_rule.iter().enumerate() {
            let path = format!("queue[{i}].overflow_rule[{j}]");
            known.destination(&path, &rule.to, out);
            let mut named = Vec::new();
            rule.when.queues(&mut named);
            for name in named {
                refer(&path, "queue", name, &known.queue, out);
            }
        }
        for (j, designated) in queue.designated.iter().enumerate() {
            for (k, id) in designated.agents.iter().enumerate().filter(|(_, id)| !queue.agents.contains(id)) {
                let message = format!(
                    "agent \"{id}\" does not serve this queue; add it to agents, or take it out here"
                );
                out.add(&format!("queue[{i}].designated[{j}].agents[{k}]"), "unknown_target", message);
            }
        }
    }
}

fn campaigns(s: &Sections, known: &Known<'_>, out: &Problems) {
    for (i, campaign) in s.campaign.iter().enumerate() {
        let path = |field: &str| format!("campaign[{i}].{field}");
        refer(&path("queue"), "queue", &campaign.queue, &known.queue, out);
        let hours = campaign.hours.as_deref().unwrap_or_default();
        refer(&path("hours"), "schedule", hours, &known.schedule, out);
        refer(&path("flow"), "flow", campaign.flow.as_deref().unwrap_or_default(), &known.flow, out);
        list_refers(&path("protects"), "queue", &campaign.protects, &known.queue, out);
        let shown = &campaign.caller_id;
        let answered = s.inbound.iter().any(|rule| rule.number.matches(shown));
        if !shown.as_str().is_empty() && (!answered || !shown.as_str().starts_with('+')) {
            let message = format!(
                "whoever is called must be able to call {shown} back; write it in international form (+49…), and add an [[inbound]] rule that answers it"
            );
            out.add(&path("caller_id"), "not_called_back", message);
        }
        let mut words = BTreeSet::new();
        for (place, d) in campaign.disposition.iter().enumerate().filter(|(_, d)| !d.word.is_empty()) {
            if !words.insert(&d.word) {
                let path = path(&format!("disposition[{place}].word"));
                out.add(
                    &path,
                    "duplicate",
                    format!("\"{}\" stands twice in this campaign; remove one", d.word),
                );
            }
        }
    }
}

fn list_refers(path: &str, section: &str, names: &[String], known: &BTreeSet<&str>, out: &Problems) {
    let mut seen = BTreeSet::new();
    for (i, name) in names.iter().enumerate() {
        let path = format!("{path}[{i}]");
        if !seen.insert(name) {
            out.add(
                &path,
                "duplicate",
                format!("{section} \"{name}\" stands twice in this list; remove one"),
            );
        }
        refer(&path, section, name, known, out);
    }
}

fn flows(s: &Sections, known: &Known<'_>, out: &Problems) {
    for (i, flow) in s.flow.iter().enumerate() {
        for (name, step) in &flow.step {
            let path = |field: &str| format!("flow[{i}].step.{name}.{field}");
            match step {
                Step::Extension { number, otherwise: _ } => {
                    let number = number.as_ref().map(Number::as_str).unwrap_or_default();
                    refer(&path("number"), "extension", number, &known.extension, out);
                }
                Step::Hours { schedule, open: _, closed: _ } => {
                    refer(&path("schedule"), "schedule", schedule, &known.schedule, out);
                }
                Step::Callback { queue, .. } => {
                    refer(&path("queue"), "queue", queue, &known.queue, out);
                    let silent = s.queue.iter().any(|q| q.name == *queue && q.callback.is_none());
                    if silent {
                        let message = format!(
                            "queue \"{queue}\" calls nobody back; switch call-back on there, or take another step"
                        );
                        out.add(&path("queue"), "out_of_range", message);
                    }
                }
                Step::Queue { queue, .. } => refer(&path("queue"), "queue", queue, &known.queue, out),
                Step::Voicemail { mailbox } if !mailbox.as_str().is_empty() => {
                    known.mailbox(&path("mailbox"), mailbox, out);
                }
                Step::Application { .. }
                | Step::Collect { .. }
                | Step::Condition { .. }
                | Step::HangUp { .. }
                | Step::Language { .. }
                | Step::Lookup { .. }
                | Step::Menu { .. }
                | Step::Play { .. }
                | Step::Set { .. }
                | Step::Speak { .. }
                | Step::Survey { .. }
                | Step::Table { .. }
                | Step::Voicemail { .. } => {}
            }
        }
        walk::steps(i, flow, out);
        own_prompts(s, i, flow, out);
    }
}

/// Own prompts that steps say.
fn own_prompts(s: &Sections, i: usize, flow: &Flow, out: &Problems) {
    let known: BTreeSet<&str> = s.audio.prompt.keys().map(String::as_str).collect();
    for (name, step) in &flow.step {
        for (n, say) in step.says().iter().enumerate() {
            let Say::Own(own) = say else { continue };
            if !known.contains(own.as_str()) {
                let hint = did_you_mean(own, known.iter().copied());
                let message = format!("there is no prompt \"{own}\"{hint}; record or upload it first");
                out.add(&format!("flow[{i}].step.{name}.say[{n}]"), "unknown_target", message);
            }
        }
    }
}
