//! When an entry is tried again, by what became of its attempt. A slot is a part of the party's day: morning, afternoon,
//! evening; who was not there in one is tried in the next. Pure.
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use model::campaign::CallResult;
use model::clock::Wall;
use model::config::campaign::{Again, Campaign};

/// Begin of the slots, hours of the party's day.
const SLOTS: [i8; 3] = [9, 13, 17];

/// The time of the next try; `None` = never again.
#[must_use]
pub fn again(
    rules: &Campaign,
    result: CallResult,
    attempts: u32,
    zones: &[String],
    at: Wall,
) -> Option<Wall> {
    if attempts >= rules.attempts_max {
        return None;
    }
    match rules.again.get(&result).copied().unwrap_or(Again::Never) {
        Again::Never => None,
        Again::After(seconds) => Some(Wall(at.0.saturating_add(i64::from(seconds) * 1000))),
        Again::Slot => Some(next_slot(zones.first().map_or("UTC", String::as_str), at)),
    }
}

/// The begin of the next slot in a zone.
#[must_use]
pub fn next_slot(zone: &str, at: Wall) -> Wall {
    const DAY_MS: i64 = 86_400_000;
    let later = Wall(at.0.saturating_add(DAY_MS));
    let (Ok(zone), Ok(stamp)) = (TimeZone::get(zone), Timestamp::from_millisecond(at.0)) else {
        return later;
    };
    let here = stamp.to_zoned(zone);
    let begin = |hour: &i8| slot(&here, 0, *hour).filter(|begin| *begin > here);
    let next = SLOTS.iter().find_map(begin).or_else(|| slot(&here, 1, SLOTS[0]));
    next.map_or(later, |next| Wall(next.timestamp().as_millisecond()))
}

fn slot(here: &Zoned, days: i64, hour: i8) -> Option<Zoned> {
    let date = here.date().checked_add(days.days()).ok()?;
    date.at(hour, 0, 0, 0).to_zoned(here.time_zone().clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Wall {
        Wall(text.parse::<Zoned>().expect("a time").timestamp().as_millisecond())
    }

    #[test]
    fn who_was_not_there_is_tried_in_the_next_part_of_the_day() {
        let table = [
            ("2026-03-04T08:00[Europe/Berlin]", "2026-03-04T09:00[Europe/Berlin]"),
            ("2026-03-04T10:00[Europe/Berlin]", "2026-03-04T13:00[Europe/Berlin]"),
            ("2026-03-04T13:00[Europe/Berlin]", "2026-03-04T17:00[Europe/Berlin]"),
            ("2026-03-04T18:00[Europe/Berlin]", "2026-03-05T09:00[Europe/Berlin]"),
            ("2026-03-28T18:00[Europe/Berlin]", "2026-03-29T09:00[Europe/Berlin]"),
        ];
        for (now, next) in table {
            assert_eq!(next_slot("Europe/Berlin", at(now)), at(next), "{now}");
        }
    }
}
