//! When the next backup is due, and what it is called. Pure.
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use model::clock::Wall;
use model::config::vault::{Backup, Every};
use store::backup::END;

/// A failed backup is tried again after this time, or at its next hour if that comes first.
const AGAIN_MS: i64 = 3600 * 1000;
/// A clock that says less than this was never set; nothing is due by it.
const SET: Wall = Wall(1_700_000_000_000);
/// Longest start of a name.
const START: usize = 40;

/// The moment the next one is due, maybe long past; `None` = never. `tried` is the last try, `failed` the time of a try
/// that failed and was not made good.
pub(super) fn next(
    backup: &Backup,
    zone: &str,
    tried: Option<Wall>,
    failed: Option<Wall>,
    now: Wall,
) -> Option<Wall> {
    if backup.every == Every::Never || now < SET {
        return None;
    }
    // A clock that was put back must not put off the next backup by years.
    let since = tried.filter(|t| *t <= now).unwrap_or(now);
    let planned = after(backup, zone, since)?;
    Some(failed.map_or(planned, |at| planned.min(Wall(at.0 + AGAIN_MS)))).filter(|at| at.0 > 0)
}

fn after(backup: &Backup, zone: &str, since: Wall) -> Option<Wall> {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let since = Timestamp::from_millisecond(since.0).ok()?;
    let mut day: Date = since.to_zoned(zone.clone()).date();
    // Nine days reach the next Sunday on either side of a change of the clock.
    for _ in 0..9 {
        let wanted = backup.every == Every::Day || day.weekday() == Weekday::Sunday;
        let at = day.to_datetime(backup.at).to_zoned(zone.clone()).ok()?.timestamp();
        if wanted && at > since {
            return Some(Wall(at.as_millisecond()));
        }
        day = day.checked_add(1.day()).ok()?;
    }
    None
}

/// Name of a backup file: the site and the moment (UTC), in letters that every file system takes.
pub(super) fn name(site: &str, at: Wall) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let start: String = site.chars().map(plain).take(START).collect();
    let start = start.trim_matches('-');
    let start = if start.is_empty() { "belfry" } else { start };
    let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{start}-{}{END}", at.strftime("%Y%m%d-%H%M%S"))
}

/// Whether it is the name of a backup, and of nothing else on a disk.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.ends_with(END) && text.len() <= 100 && !text.starts_with('.') && text.chars().all(plain)
}

/// The time in a name, for files that came from elsewhere.
pub(super) fn time_of(name: &str) -> Option<Wall> {
    let stamp = name.strip_suffix(END)?;
    let stamp = stamp.get(stamp.len().checked_sub(15)?..)?;
    let at = jiff::civil::DateTime::strptime("%Y%m%d-%H%M%S", stamp).ok()?;
    Some(Wall(at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::config::vault::Target;

    fn plan(every: Every) -> Backup {
        Backup {
            every,
            at: jiff::civil::time(2, 30, 0, 0),
            target: Target::Box,
            keep: 7,
            recordings: false,
            pass_phrase: "four words make sense".into(),
            sftp: None,
        }
    }

    fn at(text: &str) -> Wall {
        Wall(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn each_night_each_week_and_never() {
        let now = at("2026-11-22T12:00:00Z");
        let next_of = |every| next(&plan(every), "Europe/Berlin", None, None, now);
        assert_eq!(next_of(Every::Day), Some(at("2026-11-23T01:30:00Z")));
        assert_eq!(next_of(Every::Week), Some(at("2026-11-29T01:30:00Z")));
        assert_eq!(next_of(Every::Never), None);
    }

    #[test]
    fn a_night_that_was_missed_is_made_good_and_a_failure_is_tried_again_after_an_hour() {
        let day = plan(Every::Day);
        let (tried, now) = (at("2026-11-19T01:30:00Z"), at("2026-11-22T12:00:00Z"));
        assert_eq!(next(&day, "Europe/Berlin", Some(tried), None, now), Some(at("2026-11-20T01:30:00Z")));
        let failed = at("2026-11-22T01:30:10Z");
        assert_eq!(
            next(&day, "Europe/Berlin", Some(failed), Some(failed), now),
            Some(at("2026-11-22T02:30:10Z"))
        );
    }

    #[test]
    fn a_clock_that_was_never_set_or_put_back_starts_nothing_odd() {
        let day = plan(Every::Day);
        assert_eq!(next(&day, "UTC", None, None, at("1970-01-01T03:00:00Z")), None);
        let (tried, now) = (at("2036-01-01T02:30:00Z"), at("2026-11-22T12:00:00Z"));
        assert_eq!(next(&day, "UTC", Some(tried), None, now), Some(at("2026-11-23T02:30:00Z")));
    }

    #[test]
    fn names_are_plain_and_tell_their_time() {
        let now = at("2026-11-22T12:00:05Z");
        assert_eq!(name("Müller & Sons", now), "m-ller---sons-20261122-120005.belfry");
        assert_eq!(name("钟楼", now), "belfry-20261122-120005.belfry");
        assert_eq!(time_of(&name("x", now)), Some(now));
        assert!(is_name(&name("x", now)));
        for wrong in ["../x.belfry", "x.belfry.new", ".belfry", "a/b.belfry", "belfry.db"] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }
}
