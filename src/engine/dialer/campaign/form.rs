//! Which form a campaign works in, and what it launches in it. Trouble (the pace broke, no trunk, a disk that does not answer)
//! turns it to progressive at once and to preview soon after; who talks goes on talking. When all is well for a while it
//! goes back by itself, except after a fault of the pace: that takes a person's word.
use super::{Campaign, Cx, Out, Seat, seconds};
use crate::dialer::compliance::reserves;
use crate::dialer::pace::{self, Decision};
use crate::step::guarded;
use model::campaign::{Entry, SteerRecord};
use model::clock::Mono;
use model::config::campaign::{Form, Plain};
use model::id::CallId;
use model::number::Number;
use model::record::AgentState;
use std::time::Duration;

/// Trouble that lasts this long turns progressive to preview: together within the 3 s promised.
const TO_PREVIEW: Duration = Duration::from_millis(1500);
/// All must be well this long before the wanted form comes back.
const WELL: Duration = Duration::from_secs(10);
/// The box was cut off in the middle of the campaign.
const CUT: &str = "cut";
/// A decision that comes later than this was made on old data.
const LATE: Duration = Duration::from_secs(2);
/// Entries offered to the pace in one decision.
const OFFERED: usize = 200;

/// How well it goes.
#[derive(Debug, Default)]
pub struct Health {
    trouble: Option<(&'static str, Mono)>,
    well_since: Option<Mono>,
    fault: bool,
    fallen: Option<Form>,
    /// Stops while callers of protected queues wait too long.
    yields: bool,
    pub(super) held: &'static str,
    #[cfg(test)]
    pub(super) break_pace: bool,
}

impl Health {
    /// The form it works in.
    #[must_use]
    pub fn works_as(&self, wanted: Form) -> Form {
        match self.fallen {
            // Less is never made more: a manual campaign stays manual.
            Some(fallen) if fallen < wanted && wanted != Form::Automatic => fallen,
            Some(_) | None => wanted,
        }
    }

    /// The pace cannot be trusted until a person says so.
    pub fn fault(&mut self) {
        self.fault = true;
    }

    /// The box was cut off while calls ran: agents may still talk whom it takes for free. They choose when to dial until all
    /// was well for a while.
    pub fn was_cut(now: Mono) -> Health {
        Health { trouble: Some((CUT, now)), ..Health::default() }
    }

    /// A person says that it shall go on as wanted.
    pub fn forgive(&mut self) {
        *self = Health { yields: self.yields, ..Health::default() };
    }

    fn look(&mut self, now: Mono, trouble: Option<&'static str>) {
        let trouble = if self.fault { Some("fault") } else { trouble };
        match (trouble, self.trouble) {
            (Some(word), None) => self.trouble = Some((word, now)),
            (Some(_), Some((CUT, _))) => {}
            (Some(word), Some((_, since))) => self.trouble = Some((word, since)),
            (None, Some(_)) => {
                let since = *self.well_since.get_or_insert(now);
                if now.since(since) >= WELL {
                    self.trouble = None;
                }
            }
            (None, None) => {}
        }
        if trouble.is_some() {
            self.well_since = None;
        }
        self.fallen = self.trouble.map(|(word, since)| match word == CUT || now.since(since) >= TO_PREVIEW {
            true => Form::Preview,
            false => Form::Progressive,
        });
    }
}

impl Campaign {
    /// One decision.
    pub(super) fn work(
        &mut self,
        cx: &Cx,
        seats: &[Seat],
        id: &mut dyn FnMut() -> CallId,
        busy: &mut Vec<Number>,
        out: &mut Vec<Out>,
    ) {
        let lines = self.lines(cx);
        let before = self.health.works_as(self.form());
        let trouble = self.trouble(cx, lines);
        self.health.look(cx.now.mono, trouble);
        let form = self.health.works_as(self.form());
        if form != before {
            self.say_fallback(cx, form, out);
        }
        self.yields(cx);
        self.health.held = self.why_held(seats, lines, form);
        self.keep_promises(cx, seats, id, busy, out);
        if self.health.yields {
            return;
        }
        let room = lines.unwrap_or(0);
        match form {
            Form::Manual => {}
            Form::Preview => self.preview(cx, seats, busy, out),
            Form::Progressive => self.progressive(cx, seats, room, id, busy, out),
            Form::Predictive if self.rules.is_over(self.account) => {
                self.health.held = "abandoned";
                self.progressive(cx, seats, room, id, busy, out);
            }
            Form::Predictive => self.predictive(cx, seats, room, id, busy, out),
            Form::Automatic => self.automatic(cx, room, id, busy, out),
        }
    }

    fn trouble(&mut self, cx: &Cx, lines: Option<u32>) -> Option<&'static str> {
        let late = self.worked.is_some_and(|at| cx.now.mono.since(at) > LATE);
        self.worked = Some(cx.now.mono);
        match lines {
            None => Some("no_trunk"),
            Some(_) if late || self.hopper.is_stale(cx.now.mono) => Some("stale"),
            Some(_) => None,
        }
    }

    fn say_fallback(&self, cx: &Cx, form: Form, out: &mut Vec<Out>) {
        let (what, why) = match self.health.trouble {
            Some((word, _)) => ("fallback", word),
            None => ("recovered", "well"),
        };
        let name = self.settings.name.clone();
        let word = word(form);
        let record = SteerRecord {
            campaign: name.clone(),
            at: cx.now.wall,
            by: "box".into(),
            what: what.into(),
            detail: format!("{word}: {why}"),
            steering: self.steering.clone(),
        };
        crate::dialer::steered(record, out);
        let text = format!("campaign {name} works as {word} now ({why})");
        out.push(Out::Note("warning", "campaign_form", name, text));
    }

    fn why_held(&self, seats: &[Seat], lines: Option<u32>, form: Form) -> &'static str {
        match self.health.trouble {
            Some((word, _)) => word,
            None if self.health.yields => "inbound",
            None if lines.is_none() => "no_trunk",
            None if seats.is_empty() && form != Form::Automatic => "no_agents",
            None if self.hopper.len() == 0 && self.trials.is_empty() => "no_entries",
            None => "",
        }
    }

    /// Lines that may be opened now; `None` without a trunk.
    fn lines(&self, cx: &Cx) -> Option<u32> {
        let probe = self.hopper.iter().next().map_or(&self.settings.caller_id, |e| &e.number);
        let free = (cx.lines)(probe)?;
        let used = u32::try_from(self.trials.len()).unwrap_or(u32::MAX);
        Some(free.min(self.settings.lines_max.saturating_sub(used)))
    }

    /// Outbound gives way to inbound, with hysteresis.
    fn yields(&mut self, cx: &Cx) {
        let least =
            self.settings.protects.iter().filter_map(|queue| cx.acd.level_percent(cx.now.mono, queue)).min();
        let limit = match self.health.yields {
            true => self.settings.resume_percent,
            false => self.settings.protect_percent,
        };
        self.health.yields = least.is_some_and(|percent| percent < limit);
    }

    /// Entries promised to an agent come first, in every form; who is not free is asked.
    fn keep_promises(
        &mut self,
        cx: &Cx,
        seats: &[Seat],
        id: &mut dyn FnMut() -> CallId,
        busy: &mut Vec<Number>,
        out: &mut Vec<Out>,
    ) {
        for seat in seats {
            if !seat.free && self.desks.contains_key(&seat.id) {
                continue;
            }
            let Some(entry) = self.hopper.promised(&seat.id, cx.now.wall) else { continue };
            if busy.contains(&entry.number) || self.gate(&entry, true, cx.now.wall).is_err() {
                continue;
            }
            busy.push(entry.number.clone());
            if seat.free && !self.is_reserved(&seat.id) {
                self.begin(cx, id(), entry, Some(seat.id.clone()), out);
            } else {
                self.show_preview(cx.now, &seat.id, entry, out);
            }
        }
    }

    /// Takes the next entry that passes the gate; its number is busy from then on. Others are left out: they come back from
    /// the disk when they are due.
    pub(super) fn next_entry(&mut self, cx: &Cx, reserved: bool, busy: &mut Vec<Number>) -> Option<Entry> {
        while let Some(entry) = self.hopper.take(|e| e.agent.is_none() && e.due <= cx.now.wall) {
            if busy.contains(&entry.number) {
                continue;
            }
            match self.gate(&entry, reserved, cx.now.wall) {
                Ok(()) => {
                    busy.push(entry.number.clone());
                    return Some(entry);
                }
                Err(bar) => self.refused(bar),
            }
        }
        None
    }

    fn preview(&mut self, cx: &Cx, seats: &[Seat], busy: &mut Vec<Number>, out: &mut Vec<Out>) {
        for seat in seats.iter().filter(|s| s.state == AgentState::Ready) {
            if self.desks.get(&seat.id).is_some_and(|d| !d.is_over()) || self.is_reserved(&seat.id) {
                continue;
            }
            let Some(entry) = self.next_entry(cx, true, busy) else { return };
            self.show_preview(cx.now, &seat.id, entry, out);
        }
    }

    fn progressive(
        &mut self,
        cx: &Cx,
        seats: &[Seat],
        room: u32,
        id: &mut dyn FnMut() -> CallId,
        busy: &mut Vec<Number>,
        out: &mut Vec<Out>,
    ) {
        // Lines that ring for nobody in particular, from a moment ago, are answered by the same agents.
        let ahead = self.trials.values().filter(|t| t.attempt.agent.is_none()).count();
        let free: Vec<&Seat> =
            seats.iter().filter(|s| s.free && !self.is_reserved(&s.id)).skip(ahead).collect();
        for seat in free.into_iter().take(usize::try_from(room).unwrap_or(0)) {
            let Some(entry) = self.next_entry(cx, true, busy) else { return };
            self.begin(cx, id(), entry, Some(seat.id.clone()), out);
        }
    }

    fn automatic(
        &mut self,
        cx: &Cx,
        room: u32,
        id: &mut dyn FnMut() -> CallId,
        busy: &mut Vec<Number>,
        out: &mut Vec<Out>,
    ) {
        for _ in 0..room.min(self.by_second(cx.now.mono)) {
            let Some(entry) = self.next_entry(cx, true, busy) else { return };
            self.pace.launches.push_back(cx.now.mono);
            self.begin(cx, id(), entry, None, out);
        }
    }

    fn predictive(
        &mut self,
        cx: &Cx,
        seats: &[Seat],
        room: u32,
        id: &mut dyn FnMut() -> CallId,
        busy: &mut Vec<Number>,
        out: &mut Vec<Out>,
    ) {
        let decision = match self.settings.plain {
            Some(plain) => self.plain(cx.now.mono, seats, plain),
            None => match self.ask_pace(cx) {
                Ok(decision) => decision,
                Err(words) => return self.pace_broke(&words, out),
            },
        };
        for call in decision.give_up.into_iter().map(CallId) {
            if let Some(trial) = self.trials.get_mut(&call) {
                trial.given_up = true;
                out.push(Out::GiveUp(call));
            }
        }
        let launches = u32::try_from(decision.launch).unwrap_or(u32::MAX).min(room);
        for _ in 0..launches {
            let Some(entry) = self.next_entry(cx, reserves(Form::Predictive), busy) else { return };
            self.pace.launches.push_back(cx.now.mono);
            self.begin(cx, id(), entry, None, out);
        }
    }

    /// The forecast's decision, guarded: a bug in it costs the form, not the box.
    fn ask_pace(&mut self, cx: &Cx) -> Result<Decision, String> {
        let now = seconds(cx.now.mono);
        let lists = &self.settings.lists;
        let segment = |e: &Entry| lists.iter().position(|l| l == &e.list).unwrap_or(0);
        let offered = self.hopper.iter().filter(|e| e.agent.is_none()).take(OFFERED);
        let offered: Vec<u32> = offered.map(|e| u32::try_from(segment(e)).unwrap_or(0)).collect();
        let percent = self.steering.coefficient.as_ref().map_or(100, |hand| hand.value);
        let hand = pace::Hand {
            coefficient: f64::from(percent) / 100.0,
            free_agents: self.steering.free_agents.as_ref().map(|hand| f64::from(hand.value)),
        };
        #[cfg(test)]
        let broken = std::mem::take(&mut self.health.break_pace);
        let pace = &mut self.pace.pace;
        guarded(|| {
            #[cfg(test)]
            assert!(!broken, "the pace is broken by a test");
            pace.hand(hand);
            pace.decide(now, &offered)
        })
    }

    fn pace_broke(&mut self, words: &str, out: &mut Vec<Out>) {
        self.health.fault();
        self.pace.pace = super::new_pace(&self.settings, &self.rules);
        self.pace.pace.remember(&[self.account]);
        self.pace.agents.clear();
        let name = self.settings.name.clone();
        let text = format!(
            "the pace of campaign {name} ran into a fault; agents see entries before they are dialled: {words}"
        );
        out.push(Out::Note("alarm", "campaign_fault", name, text));
    }

    /// The plain queue dialler: so many lines for each free agent, no forecast.
    fn plain(&mut self, now: Mono, seats: &[Seat], plain: Plain) -> Decision {
        let free = seats.iter().filter(|s| s.free && !self.is_reserved(&s.id)).count();
        let free = u32::try_from(free).unwrap_or(u32::MAX);
        let wanted = free.saturating_mul(plain.multiple_percent) / 100;
        let waiting = self.trials.values().filter(|t| t.is_waiting()).count();
        let full = u32::try_from(waiting).unwrap_or(u32::MAX) > plain.queue_limit;
        let flying = self.trials.values().filter(|t| t.is_flying()).count();
        let more = wanted.saturating_sub(u32::try_from(flying).unwrap_or(u32::MAX));
        let by_agent = free.saturating_mul(plain.per_agent);
        let by_second = self.by_second(now).min(by_agent.saturating_sub(self.launched()));
        let launch = if full { 0 } else { more.min(by_second) };
        Decision { launch: usize::try_from(launch).unwrap_or(0), give_up: Vec::new() }
    }

    /// Launches left, counted over the last second.
    fn by_second(&mut self, now: Mono) -> u32 {
        self.pace.launches.retain(|at| now.since(*at) < Duration::from_secs(1));
        self.settings.calls_per_second.saturating_sub(self.launched())
    }

    fn launched(&self) -> u32 {
        u32::try_from(self.pace.launches.len()).unwrap_or(u32::MAX)
    }

    /// Asks the disk in time.
    pub(super) fn fetch(&mut self, cx: &Cx, out: &mut Vec<Out>) {
        if !self.hopper.wants(cx.now.mono) {
            return;
        }
        const AHEAD_MS: i64 = 15_000;
        let query = model::campaign::HopperQuery {
            lists: self.settings.lists.clone(),
            due: model::clock::Wall(cx.now.wall.0.saturating_add(AHEAD_MS)),
            closed: self.closed_zones(cx.now.wall),
            attempts_max: self.settings.attempts_max,
            limit: u32::try_from(super::hopper::MOST).unwrap_or(u32::MAX),
            held: self
                .trials
                .values()
                .map(|t| t.entry.entry)
                .chain(self.hopper.iter().map(|e| e.entry))
                .collect(),
        };
        out.push(Out::Fetch(self.settings.name.clone(), query));
    }

    /// Zones of entries at hand in which nobody may be called now: their entries make room for others.
    fn closed_zones(&mut self, now: model::clock::Wall) -> Vec<String> {
        let mut zones: Vec<String> = self.hopper.iter().flat_map(|e| e.zones.clone()).collect();
        zones.sort();
        zones.dedup();
        zones.retain(|z| self.rules.time(std::slice::from_ref(z), now).is_err());
        self.hopper.drop_where(|e| e.zones.iter().any(|z| zones.contains(z)));
        for zone in self.tally_zones(now) {
            if !zones.contains(&zone) {
                zones.push(zone);
            }
        }
        zones
    }

    /// Closed zones among those that were met before.
    fn tally_zones(&self, now: model::clock::Wall) -> Vec<String> {
        let met = self.zones.iter().filter(|z| self.rules.time(std::slice::from_ref(z), now).is_err());
        met.cloned().collect()
    }
}

/// The word of a form.
pub(super) fn word(form: Form) -> &'static str {
    Form::ALL.iter().find(|(_, f)| *f == form).map_or("manual", |(word, _)| word)
}
