//! Minutes to outside: what each extension, trunk and the site may still use today, counted while calls run, so that a
//! stolen password is worth a few minutes. Says which calls must end and when to look again. Pure; called by the engine
//! when a leg to outside begins, answers and ends, and by its timer. Emergency calls never come here. Never ends a call
//! itself.
use crate::route::local_time;
use model::clock::{Mono, Now};
use model::config::Config;
use model::config::budget::{Class, Limits, Scope};
use model::id::LegId;
use model::notice::{BudgetUse, BudgetView};
use model::number::Number;
use model::record::BudgetRecord;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Counted this often while calls run: what a crash forgets at most, and how late midnight is noticed.
pub const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Who pays for a leg to outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Whose rights it uses; none for a call between carriers.
    pub by: Option<Number>,
    /// Over which trunk.
    pub trunk: String,
    /// What kind of number.
    pub class: Class,
}

impl Charge {
    fn scopes(&self) -> Vec<Scope> {
        let own = self.by.clone().map(Scope::Extension);
        own.into_iter().chain([Scope::Trunk(self.trunk.clone()), Scope::Site]).collect()
    }

    fn counts_for(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Site => true,
            Scope::Extension(number) => self.by.as_ref() == Some(number),
            Scope::Trunk(name) => &self.trunk == name,
        }
    }
}

/// Why a call to outside is not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Barred {
    /// Somebody stopped all of them.
    Stopped,
    /// The extension has too many dear ones at once.
    AtOnce,
    /// The minutes of this scope are used up.
    Spent(Scope),
}

/// All books.
#[derive(Debug, Default)]
pub struct Budgets {
    day: Option<jiff::civil::Date>,
    used: BTreeMap<Scope, Used>,
    running: BTreeMap<LegId, Running>,
    changed: BTreeSet<Scope>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Used {
    ms: [u64; 3],
    closed_ms: [u64; 3],
    warned: [bool; 3],
    told_spent: [bool; 3],
}

#[derive(Clone, Debug)]
struct Running {
    charge: Charge,
    /// Counted up to here; none until it is answered.
    since: Option<Mono>,
}

/// What a look at the books found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Legs whose minutes are used up.
    pub cut: Vec<LegId>,
    /// For the first time today a share of a limit is used that people should know of.
    pub near: Vec<(Scope, Class)>,
    /// For the first time today a limit is used up.
    pub spent: Vec<(Scope, Class)>,
}

impl Budgets {
    /// Takes over what was used before a restart; another day's counts for nothing.
    pub fn restore(&mut self, now: Now, config: &Config, records: &[BudgetRecord]) {
        let today = local_time(config, now.wall).date();
        self.day = Some(today);
        for record in records.iter().filter(|r| r.day == today.to_string()) {
            if let Some(scope) = Scope::read(&record.scope) {
                let used = Used { ms: record.used_ms, closed_ms: record.closed_ms, ..Used::default() };
                self.used.insert(scope.clone(), used);
                self.changed.insert(scope);
            }
        }
    }

    /// Whether a call may begin. `trunk`: none while none is chosen yet.
    ///
    /// # Errors
    /// Why not.
    pub fn allows(
        &self,
        config: &Config,
        now: Now,
        by: Option<&Number>,
        trunk: Option<&str>,
        class: Class,
    ) -> Result<(), Barred> {
        if config.budget.stop {
            return Err(Barred::Stopped);
        }
        let trunk_chosen = trunk.is_some();
        let own = by.cloned().map(Scope::Extension);
        let trunk = trunk.map(|t| Scope::Trunk(t.to_owned()));
        let scopes = own.iter().cloned().chain(trunk).chain([Scope::Site]);
        if let Some(scope) = scopes.into_iter().find(|s| self.is_spent(config, now, s, class)) {
            return Err(Barred::Spent(scope));
        }
        // Once a trunk is chosen the call itself may count already, with a try that is just given up.
        if trunk_chosen {
            return Ok(());
        }
        let dear =
            |r: &&Running| r.charge.class > Class::National && by.is_some() && r.charge.by.as_ref() == by;
        let at_once = u32::try_from(self.running.values().filter(dear).count()).unwrap_or(u32::MAX);
        match class > Class::National && at_once >= config.budget.at_once {
            true => Err(Barred::AtOnce),
            false => Ok(()),
        }
    }

    /// A leg to outside is asked for.
    pub fn begins(&mut self, leg: LegId, charge: Charge) {
        self.running.insert(leg, Running { charge, since: None });
    }

    /// It was answered: its minutes count from now on.
    pub fn answered(&mut self, now: Now, config: &Config, leg: LegId) -> bool {
        let Some(running) = self.running.get_mut(&leg) else { return false };
        running.since = Some(now.mono);
        let class = running.charge.class;
        let limited = running.charge.scopes().into_iter().filter(|s| s.limits(config).of(class).is_some());
        self.changed.extend(limited);
        true
    }

    /// It is over. Whether it was counted at all.
    pub fn ends(&mut self, now: Now, config: &Config, leg: LegId) -> bool {
        let was_counted = self.running.get(&leg).is_some_and(|r| r.since.is_some());
        if was_counted {
            self.count(now, config);
        }
        self.running.remove(&leg);
        was_counted
    }

    /// Gives a day's minutes back; `false` when nothing was used.
    pub fn reset(&mut self, scope: &Scope) -> bool {
        let known = self.used.remove(scope).is_some();
        if known {
            self.changed.insert(scope.clone());
        }
        known
    }

    /// Counts up to now and says what follows.
    pub fn look(&mut self, now: Now, config: &Config) -> Found {
        self.count(now, config);
        let mut found = Found::default();
        let closed = is_closed(config, now);
        for (scope, used) in &mut self.used {
            let limits = scope.limits(config);
            for class in Class::ALL {
                let i = class.index();
                let share = share_used(config, &limits, used, class, closed);
                let (near, spent) = (share >= u64::from(config.budget.warn_percent), share >= 100);
                if near && !spent && !used.warned[i] {
                    used.warned[i] = true;
                    found.near.push((scope.clone(), class));
                }
                if spent && !used.told_spent[i] {
                    used.told_spent[i] = true;
                    found.spent.push((scope.clone(), class));
                }
                used.told_spent[i] &= spent;
            }
        }
        let cut = |r: &Running| {
            config.budget.stop
                || r.charge.scopes().iter().any(|s| self.is_spent(config, now, s, r.charge.class))
        };
        found.cut = self.running.iter().filter(|(_, r)| cut(r)).map(|(leg, _)| *leg).collect();
        found
    }

    /// When to look again; none while nothing is used and nothing runs.
    #[must_use]
    pub fn next(&self, now: Now, config: &Config) -> Option<Mono> {
        if self.used.is_empty() && self.running.is_empty() {
            return None;
        }
        let closed = is_closed(config, now);
        let mut soonest = LOOK_EVERY;
        for running in self.running.values().filter(|r| r.since.is_some()) {
            for scope in running.charge.scopes() {
                let class = running.charge.class;
                let used = self.used.get(&scope).copied().unwrap_or_default();
                let Some(left) = left_ms(config, &scope.limits(config), &used, class, closed) else {
                    continue;
                };
                let counted = |r: &&Running| {
                    r.since.is_some() && r.charge.class == class && r.charge.counts_for(&scope)
                };
                let at_once = self.running.values().filter(counted).count().max(1);
                let each = left.div_ceil(u64::try_from(at_once).unwrap_or(1));
                soonest = soonest.min(Duration::from_millis(each));
            }
        }
        Some(now.mono + soonest)
    }

    /// What changed since it was asked last: views to show, and records to keep. A scope where nothing is used any more
    /// has a record of zeros, and no view.
    pub fn changes(&mut self, now: Now, config: &Config) -> Vec<(Scope, Option<BudgetView>, BudgetRecord)> {
        let closed = is_closed(config, now);
        let day = self.day.unwrap_or_else(|| local_time(config, now.wall).date()).to_string();
        let changed = std::mem::take(&mut self.changed);
        let told = |scope: Scope| {
            let used = self.used.get(&scope).copied().unwrap_or_default();
            let record = BudgetRecord {
                scope: scope.word(),
                day: day.clone(),
                used_ms: used.ms,
                closed_ms: used.closed_ms,
            };
            let view = self.view(config, &scope, &used, closed);
            (scope, view, record)
        };
        changed.into_iter().map(told).collect()
    }

    fn view(&self, config: &Config, scope: &Scope, used: &Used, closed: bool) -> Option<BudgetView> {
        let limits = scope.limits(config);
        let calls = self.running.values().filter(|r| r.since.is_some() && r.charge.counts_for(scope)).count();
        let one = |class: Class| {
            let limit = limits.of(class);
            let used_s = used.ms[class.index()] / 1000;
            (used_s > 0).then(|| BudgetUse {
                class,
                used_s,
                limit_s: limit.map(|l| u64::from(l) * 60),
                spent: share_used(config, &limits, used, class, closed) >= 100,
            })
        };
        let uses: Vec<BudgetUse> = Class::ALL.into_iter().filter_map(one).collect();
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        (calls > 0 || !uses.is_empty()).then(|| BudgetView { scope: scope.word(), uses, calls })
    }

    fn is_spent(&self, config: &Config, now: Now, scope: &Scope, class: Class) -> bool {
        let used = self.used.get(scope).copied().unwrap_or_default();
        left_ms(config, &scope.limits(config), &used, class, is_closed(config, now)) == Some(0)
    }

    /// Writes the time since the last count into the books, and begins a new page at midnight.
    fn count(&mut self, now: Now, config: &Config) {
        let today = local_time(config, now.wall).date();
        if self.day != Some(today) {
            self.day = Some(today);
            self.changed.extend(std::mem::take(&mut self.used).into_keys());
        }
        let closed = is_closed(config, now);
        for running in self.running.values_mut() {
            let Some(since) = running.since.replace(now.mono) else {
                running.since = None;
                continue;
            };
            let ms = u64::try_from(now.mono.since(since).as_millis()).unwrap_or(u64::MAX);
            for scope in running.charge.scopes() {
                let i = running.charge.class.index();
                if scope.limits(config).of(running.charge.class).is_none() {
                    continue;
                }
                let used = self.used.entry(scope.clone()).or_default();
                used.ms[i] = used.ms[i].saturating_add(ms);
                if closed {
                    used.closed_ms[i] = used.closed_ms[i].saturating_add(ms);
                }
                self.changed.insert(scope);
            }
        }
    }
}

/// Whether the office is closed: at night, on holidays.
fn is_closed(config: &Config, now: Now) -> bool {
    let schedule = config.budget.schedule.as_ref().and_then(|name| config.schedule.get(name));
    schedule.is_some_and(|s| !s.is_open(local_time(config, now.wall)))
}

/// Milliseconds of a day's limit, and of what of it may be used while the office is closed.
fn limit_ms(config: &Config, limits: &Limits, class: Class) -> Option<(u64, u64)> {
    let day = u64::from(limits.of(class)?) * 60_000;
    Some((day, day / 100 * u64::from(config.budget.closed_percent)))
}

/// What is left; none without a limit.
fn left_ms(config: &Config, limits: &Limits, used: &Used, class: Class, closed: bool) -> Option<u64> {
    let (day, at_night) = limit_ms(config, limits, class)?;
    let i = class.index();
    let left = day.saturating_sub(used.ms[i]);
    Some(if closed { left.min(at_night.saturating_sub(used.closed_ms[i])) } else { left })
}

/// Percent of the limit that binds now; 0 without a limit.
fn share_used(config: &Config, limits: &Limits, used: &Used, class: Class, closed: bool) -> u64 {
    let Some((day, at_night)) = limit_ms(config, limits, class) else { return 0 };
    let i = class.index();
    let share = |used: u64, limit: u64| if used >= limit { 100 } else { used.saturating_mul(100) / limit };
    let by_day = share(used.ms[i], day);
    if closed { by_day.max(share(used.closed_ms[i], at_night)) } else { by_day }
}

#[cfg(test)]
mod tests;
