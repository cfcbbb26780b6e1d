//! When something that is not well becomes an alarm, and when the alarm ends. A trouble must last before it is told, and
//! must be gone for a while before its end is told, so that a value that trembles around its limit is told once. Pure.
use model::clock::{Now, Wall};
use model::notice::{CheckState, CheckView};
use std::collections::BTreeMap;
use std::time::Duration;

/// A thing that is not looked at any more for this long is forgotten, and its alarm ends.
const FORGET: Duration = Duration::from_secs(60);
/// Most things remembered: 100 trunks and every sensor of a board, with room.
const MOST: usize = 400;

/// What one look at something says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Well, with some distance to the limit.
    Good,
    /// Neither: an alarm stays, and none begins.
    Between,
    /// Beyond the limit.
    Bad,
}

/// One look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Kind of the check.
    pub kind: &'static str,
    /// Which one; empty where there is only one.
    pub subject: String,
    /// What it says.
    pub sign: Sign,
    /// How long it must be bad before it is told.
    pub after: Duration,
    /// How long it must be good before the end is told.
    pub until: Duration,
    /// Measured.
    pub value: Option<i64>,
    /// From where on it is bad.
    pub limit: Option<i64>,
    /// Unit of both.
    pub unit: &'static str,
    /// More in words.
    pub detail: String,
}

/// How long something has to be good again, unless it says otherwise.
pub const USUAL_END: Duration = Duration::from_secs(30);

impl Look {
    /// A look without a number, told at once.
    #[must_use]
    pub fn new(kind: &'static str, subject: &str, sign: Sign) -> Look {
        Look {
            kind,
            subject: subject.to_owned(),
            sign,
            after: Duration::ZERO,
            until: USUAL_END,
            value: None,
            limit: None,
            unit: "",
            detail: String::new(),
        }
    }

    /// Good or bad.
    #[must_use]
    pub fn fine(kind: &'static str, subject: &str, good: bool) -> Look {
        Look::new(kind, subject, if good { Sign::Good } else { Sign::Bad })
    }

    /// A value that must not reach `limit`, and is good again below `good`.
    #[must_use]
    pub fn below(kind: &'static str, value: i64, limit: i64, good: i64, unit: &'static str) -> Look {
        let sign = if value >= limit {
            Sign::Bad
        } else if value <= good {
            Sign::Good
        } else {
            Sign::Between
        };
        Look { value: Some(value), limit: Some(limit), unit, ..Look::new(kind, "", sign) }
    }

    /// A value that must not fall to `limit`, and is good again above `good`.
    #[must_use]
    pub fn above(kind: &'static str, value: i64, limit: i64, good: i64, unit: &'static str) -> Look {
        let mirrored = Look::below(kind, -value, -limit, -good, unit);
        Look { value: Some(value), limit: Some(limit), ..mirrored }
    }

    /// With words.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Look {
        Look { detail: detail.into(), ..self }
    }

    /// Told only after it has lasted.
    #[must_use]
    pub fn after(self, after: Duration) -> Look {
        Look { after, ..self }
    }

    /// Key of the check.
    #[must_use]
    pub fn key(&self) -> String {
        if self.subject.is_empty() { self.kind.to_owned() } else { format!("{}:{}", self.kind, self.subject) }
    }
}

/// What has to be told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Alarms that begin.
    pub raised: Vec<CheckView>,
    /// Alarms that end, as they are now.
    pub cleared: Vec<CheckView>,
    /// Everything that looks different from the last time.
    pub changed: Vec<CheckView>,
    /// Checks that are not looked at any more.
    pub gone: Vec<String>,
}

struct Seen {
    view: CheckView,
    /// Since when the sign speaks against the state, by the monotonic clock in µs.
    turned: Option<model::clock::Mono>,
    looked: model::clock::Mono,
}

/// What is known of every check.
#[derive(Default)]
pub struct Judge {
    seen: BTreeMap<String, Seen>,
}

impl Judge {
    /// An alarm of before a restart: it was told, and its end has to be.
    pub fn remember(&mut self, check: &str, kind: &str, subject: &str, since: Wall, now: Now) {
        let view = CheckView {
            check: check.to_owned(),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            state: CheckState::Alarm,
            since,
            value: None,
            limit: None,
            unit: String::new(),
            detail: String::new(),
        };
        self.seen.insert(check.to_owned(), Seen { view, turned: None, looked: now.mono });
    }

    /// How many alarms are on.
    #[must_use]
    pub fn alarms(&self) -> usize {
        self.seen.values().filter(|s| s.view.state == CheckState::Alarm).count()
    }

    /// Takes one round of looks.
    pub fn take(&mut self, looks: Vec<Look>, now: Now) -> Verdict {
        let mut verdict = Verdict::default();
        for look in looks {
            self.one(look, now, &mut verdict);
        }
        self.forget(now, &mut verdict);
        verdict
    }

    fn one(&mut self, look: Look, now: Now, verdict: &mut Verdict) {
        let key = look.key();
        if self.seen.len() >= MOST && !self.seen.contains_key(&key) {
            return;
        }
        let before = self.seen.remove(&key);
        let (state, since) =
            before.as_ref().map_or((CheckState::Good, now.wall), |s| (s.view.state, s.view.since));
        let against = match state {
            CheckState::Good => look.sign == Sign::Bad,
            CheckState::Alarm => look.sign == Sign::Good,
        };
        let patience = match state {
            CheckState::Good => look.after,
            CheckState::Alarm => look.until,
        };
        let turned = against.then(|| before.as_ref().and_then(|s| s.turned).unwrap_or(now.mono));
        let turns = turned.is_some_and(|at| now.mono.since(at) >= patience);
        let (state, since) = match (turns, state) {
            (false, state) => (state, since),
            (true, CheckState::Good) => (CheckState::Alarm, now.wall),
            (true, CheckState::Alarm) => (CheckState::Good, now.wall),
        };
        let view = CheckView {
            check: key.clone(),
            kind: look.kind.to_owned(),
            subject: look.subject,
            state,
            since,
            value: look.value,
            limit: look.limit,
            unit: look.unit.to_owned(),
            detail: look.detail,
        };
        if turns {
            let list = if state == CheckState::Alarm { &mut verdict.raised } else { &mut verdict.cleared };
            list.push(view.clone());
        }
        if before.as_ref().is_none_or(|s| s.view != view) {
            verdict.changed.push(view.clone());
        }
        let turned = turned.filter(|_| !turns);
        self.seen.insert(key, Seen { view, turned, looked: now.mono });
    }

    fn forget(&mut self, now: Now, verdict: &mut Verdict) {
        self.seen.retain(|key, seen| {
            let stays = now.mono.since(seen.looked) < FORGET;
            if !stays {
                verdict.gone.push(key.clone());
                if seen.view.state == CheckState::Alarm {
                    verdict.cleared.push(CheckView {
                        state: CheckState::Good,
                        since: now.wall,
                        ..seen.view.clone()
                    });
                }
            }
            stays
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::clock::Mono;

    fn at(second: u64) -> Now {
        Now {
            mono: Mono(second * 1_000_000),
            wall: Wall(1_800_000_000_000 + i64::try_from(second * 1000).unwrap()),
        }
    }

    fn heat(value: i64) -> Look {
        Look::below("temperature", value, 85, 80, "celsius")
    }

    /// Seconds at which an alarm of the series began or ended.
    fn told(series: impl Iterator<Item = (u64, Look)>) -> Vec<(u64, bool)> {
        let mut judge = Judge::default();
        let mut out = Vec::new();
        for (second, look) in series {
            let verdict = judge.take(vec![look], at(second));
            out.extend(verdict.raised.iter().map(|_| (second, true)));
            out.extend(verdict.cleared.iter().map(|_| (second, false)));
        }
        out
    }

    #[test]
    fn a_value_that_trembles_around_its_limit_is_told_once() {
        let series = (0..600).map(|s| (s, heat(if s % 2 == 0 { 86 } else { 84 })));
        assert_eq!(told(series), [(0, true)]);
    }

    #[test]
    fn the_end_is_told_once_after_it_has_been_good_for_a_while() {
        let series = (0..200).map(|s| (s, heat(if s < 50 || s == 60 { 90 } else { 70 })));
        assert_eq!(told(series), [(0, true), (91, false)]);
    }

    #[test]
    fn what_must_last_is_not_told_when_it_was_short() {
        let down = |s: u64| Look::fine("trunk", "carrier", !(10..20).contains(&s) && !(50..80).contains(&s));
        let series = (0..200).map(|s| (s, down(s).after(Duration::from_secs(15))));
        assert_eq!(told(series), [(65, true), (110, false)]);
    }

    #[test]
    fn between_the_limits_nothing_changes() {
        let series = (0..300).map(|s| {
            (
                s,
                heat(match s {
                    0..100 => 82,
                    100 => 85,
                    _ => 82,
                }),
            )
        });
        assert_eq!(told(series), [(100, true)]);
    }

    #[test]
    fn a_restart_does_not_tell_again_and_still_tells_the_end() {
        let mut judge = Judge::default();
        judge.remember("temperature", "temperature", "", Wall(5), at(0));
        let verdict = judge.take(vec![heat(90)], at(1));
        assert!(verdict.raised.is_empty());
        assert_eq!((verdict.changed[0].state, verdict.changed[0].since), (CheckState::Alarm, Wall(5)));
        judge.take(vec![heat(50)], at(2));
        assert_eq!(judge.take(vec![heat(50)], at(33)).cleared.len(), 1);
    }

    #[test]
    fn a_removed_trunk_takes_its_alarm_along() {
        let mut judge = Judge::default();
        assert_eq!(judge.take(vec![Look::fine("trunk", "old", false)], at(0)).raised.len(), 1);
        assert_eq!(judge.take(Vec::new(), at(59)), Verdict::default());
        let verdict = judge.take(Vec::new(), at(60));
        assert_eq!(
            (verdict.cleared.len(), verdict.gone.as_slice()),
            (1, ["trunk:old".to_owned()].as_slice())
        );
    }

    #[test]
    fn falling_values_are_judged_from_above() {
        let room = |value| Look::above("disk_room", value, 10, 12, "percent").sign;
        assert_eq!(
            [room(9), room(10), room(11), room(12), room(50)],
            [Sign::Bad, Sign::Bad, Sign::Between, Sign::Good, Sign::Good]
        );
    }

    #[test]
    fn a_jump_of_the_wall_clock_moves_no_alarm() {
        let mut judge = Judge::default();
        let jumped = Now { wall: Wall(0), ..at(1) };
        let look = || heat(90).after(Duration::from_secs(10));
        judge.take(vec![look()], at(0));
        assert!(judge.take(vec![look()], jumped).raised.is_empty());
        assert_eq!(judge.take(vec![look()], at(10)).raised.len(), 1);
    }

    #[test]
    fn the_table_is_bounded() {
        let mut judge = Judge::default();
        let looks = (0..1000).map(|n| Look::fine("trunk", &n.to_string(), true)).collect();
        judge.take(looks, at(0));
        assert_eq!(judge.seen.len(), MOST);
    }
}
