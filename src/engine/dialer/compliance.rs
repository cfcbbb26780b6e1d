//! The one gate that every campaign call passes just before its INVITE. Rules come from the profile of a law and from the
//! campaign, and the stricter one counts: a campaign tightens, nothing loosens. Pure; answers what stands against a call.
//!
//! Sources, to be read again by whoever is responsible before a release: US 47 CFR 64.1200(a)(6), (a)(7), (c)(1) and 16 CFR
//! 310.4(b)(4), with the three attempts a day of state laws; UK Ofcom statement on persistent misuse (2017: no
//! safe threshold, so one percent is taken; redial within 72 hours only with an agent at hand); EU: no common hours, the
//! narrowest national ones (France, decree 2022-1313) are taken; China: MIIT rules on marketing calls, the narrower custom.
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::campaign::Entry;
use model::clock::Wall;
use model::config::Config;
use model::config::campaign::{Campaign, Form, Profile};
use model::config::system::Schedule;
use model::number::Number;
use std::time::Duration;

/// Shortest ringing of a call that we give up ("15 seconds or four rings").
pub const RING_MIN: Duration = Duration::from_secs(15);
/// From the answer until a call without an agent is abandoned.
pub const GRACE: Duration = Duration::from_secs(2);
/// An abandoned person is called again within this time only with an agent reserved.
const REDIAL_MS: i64 = 72 * 3_600_000;
/// The account is judged as if there had been at least so many live answers: one abandoned call among the first few is not
/// a rate, two are too many.
const LIVE_LEAST: u32 = 34;

type Span = (u16, u16);

/// Rules in force for one campaign.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    week: [&'static [Span]; 7],
    hours: Option<Schedule>,
    attempts_day: u32,
    attempts_max: u32,
    /// Most abandoned calls, in tenths of a percent of live answers.
    pub abandoned_permille: u32,
    caller_id: Option<Number>,
    ring_s: u32,
}

/// What stands against a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bar {
    /// Too many were abandoned: only with an agent reserved.
    Abandoned,
    /// The entry was tried often enough.
    Attempts,
    /// The number was tried often enough today.
    AttemptsDay,
    /// Nobody could call back.
    CallerId,
    /// On the do-not-call list.
    DoNotCall,
    /// A holiday of the campaign.
    Holiday,
    /// Not at this time of the party's day.
    Hours,
    /// Abandoned within 72 hours: only with an agent reserved.
    Redial,
    /// It would not ring long enough.
    Ring,
    /// Nobody knows what time it is there.
    Zone,
}

impl Bar {
    /// Its word on the board.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Bar::Abandoned => "abandoned",
            Bar::Attempts => "attempts",
            Bar::AttemptsDay => "attempts_day",
            Bar::CallerId => "caller_id",
            Bar::DoNotCall => "do_not_call",
            Bar::Holiday => "holiday",
            Bar::Hours => "hours",
            Bar::Redial => "redial",
            Bar::Ring => "ring",
            Bar::Zone => "zone",
        }
    }
}

/// A call that somebody wants to make.
#[derive(Clone, Copy, Debug)]
pub struct Try<'a> {
    /// Whom.
    pub entry: &'a Entry,
    /// An agent is kept free for it, or none is needed.
    pub reserved: bool,
    /// Live answers and abandoned ones of 30 days.
    pub account: (u32, u32),
    /// The time.
    pub now: Wall,
}

impl Rules {
    /// The stricter of law and campaign.
    #[must_use]
    pub fn of(config: &Config, campaign: &Campaign) -> Rules {
        let law = law(campaign.profile);
        let shown = &campaign.caller_id;
        let called_back = config.inbound.iter().any(|rule| rule.number.matches(shown));
        Rules {
            week: law.week,
            hours: campaign.hours.as_ref().and_then(|name| config.schedule.get(name)).cloned(),
            attempts_day: campaign.attempts_day.min(law.attempts_day),
            attempts_max: campaign.attempts_max,
            abandoned_permille: campaign.abandoned_permille.min(law.abandoned_permille),
            caller_id: Some(shown.clone()).filter(|n| called_back && n.as_str().starts_with('+')),
            ring_s: campaign.ring_s,
        }
    }

    /// Whether a call may be made now.
    ///
    /// # Errors
    /// The first rule that stands against it.
    pub fn gate(&self, call: &Try) -> Result<(), Bar> {
        let entry = call.entry;
        let past_ms = entry.abandoned.map(|at| call.now.millis_since(at));
        // A clock that was set back makes the time since then negative: that is no reason to call earlier.
        let redial = past_ms.is_some_and(|ms| ms < REDIAL_MS) && !call.reserved;
        let stands = [
            (entry.barred, Bar::DoNotCall),
            (self.caller_id.is_none(), Bar::CallerId),
            (Duration::from_secs(self.ring_s.into()) < RING_MIN, Bar::Ring),
            (entry.attempts >= self.attempts_max, Bar::Attempts),
            (entry.attempts_day >= self.attempts_day, Bar::AttemptsDay),
            (redial, Bar::Redial),
            (!call.reserved && self.is_over(call.account), Bar::Abandoned),
        ];
        match stands.into_iter().find(|(stands, _)| *stands) {
            Some((_, bar)) => Err(bar),
            None => self.time(&entry.zones, call.now),
        }
    }

    /// Whether one more abandoned call would be too many.
    #[must_use]
    pub fn is_over(&self, (live, abandoned): (u32, u32)) -> bool {
        let allowed = u64::from(self.abandoned_permille) * u64::from(live.max(LIVE_LEAST));
        let first = abandoned == 0 && self.abandoned_permille > 0;
        !first && (u64::from(abandoned) + 1) * 1000 > allowed
    }

    /// Whether it is a time for calls in all of these zones.
    ///
    /// # Errors
    /// `Zone`, `Hours`, `Holiday`.
    pub fn time(&self, zones: &[String], now: Wall) -> Result<(), Bar> {
        if zones.is_empty() {
            return Err(Bar::Zone);
        }
        zones.iter().try_for_each(|zone| {
            let stamp = Timestamp::from_millisecond(now.0).map_err(|_| Bar::Zone)?;
            let zone = TimeZone::get(zone).map_err(|_| Bar::Zone)?;
            self.local_time(zone.to_datetime(stamp))
        })
    }

    fn local_time(&self, here: DateTime) -> Result<(), Bar> {
        let hours = u16::try_from(here.hour()).unwrap_or(0);
        let minute = hours * 60 + u16::try_from(here.minute()).unwrap_or(0);
        let day = usize::try_from(here.weekday().to_monday_zero_offset()).unwrap_or(0);
        let within = |spans: &[Span]| spans.iter().any(|(from, to)| (*from..*to).contains(&minute));
        if !within(self.week[day]) {
            return Err(Bar::Hours);
        }
        match &self.hours {
            Some(own) if own.holidays.contains(&here.date()) => Err(Bar::Holiday),
            Some(own) if !within(&own.week[day]) => Err(Bar::Hours),
            Some(_) | None => Ok(()),
        }
    }
}

/// What a law says.
struct Law {
    week: [&'static [Span]; 7],
    attempts_day: u32,
    abandoned_permille: u32,
}

const fn clock(hour: u16) -> u16 {
    hour * 60
}

fn law(profile: Profile) -> Law {
    const NONE: &[Span] = &[];
    const US: &[Span] = &[(clock(8), clock(21))];
    const UK: &[Span] = &[(clock(8), clock(21))];
    const UK_WEEKEND: &[Span] = &[(clock(9), clock(20))];
    const EU: &[Span] = &[(clock(10), clock(13)), (clock(14), clock(20))];
    const CHINA: &[Span] = &[(clock(9), clock(12)), (clock(14), clock(20))];
    match profile {
        Profile::China => Law { week: [CHINA; 7], attempts_day: 3, abandoned_permille: 30 },
        Profile::Eu => {
            Law { week: [EU, EU, EU, EU, EU, NONE, NONE], attempts_day: 4, abandoned_permille: 30 }
        }
        Profile::Uk => Law {
            week: [UK, UK, UK, UK, UK, UK_WEEKEND, UK_WEEKEND],
            attempts_day: 3,
            abandoned_permille: 10,
        },
        Profile::Us => Law { week: [US; 7], attempts_day: 3, abandoned_permille: 30 },
    }
}

/// Whether a form keeps an agent free for each call, or needs none.
#[must_use]
pub fn reserves(form: Form) -> bool {
    match form {
        Form::Manual | Form::Preview | Form::Progressive | Form::Automatic => true,
        Form::Predictive => false,
    }
}

#[cfg(test)]
pub(crate) mod tests;
