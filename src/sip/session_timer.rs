//! Session timers (RFC 4028) as values: what a message asks for, what both sides agree on, when a session is refreshed
//! and when it is given up. Knows no leg and sends nothing; endpoint/refreshing.rs acts on it.
use crate::headers::Headers;
use crate::limits::SESSION_S_MIN;
use crate::message::seconds;
use crate::name::Name;
use crate::scan;
use model::clock::Mono;
use std::time::Duration;

/// The option tag.
pub(crate) const TAG: &str = "timer";

/// A session is given up this long before its interval ends, or a third of the interval when that is less (section 10).
const MARGIN: Duration = Duration::from_secs(32);

/// A refresh that failed is tried again as long as this much time is left for it.
const AGAIN_MIN: Duration = Duration::from_secs(2);

/// Which side of the transaction that agreed on the interval refreshes the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refresher {
    /// Who sent the request.
    Uac,
    /// Who answered it.
    Uas,
}

/// What both sides agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deal {
    /// Seconds.
    pub(crate) interval: u32,
    pub(crate) refresher: Refresher,
    /// Whether the UAC knows session timers: else a proxy asked, and only the UAS can refresh.
    uac_knows: bool,
}

/// The interval is below what the RFC allows: answer 422.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooSmall;

/// The timer of one answered session.
#[derive(Debug)]
pub(crate) struct SessionTimer {
    /// Seconds, as agreed.
    interval: u32,
    /// Seconds we ask for next: more than agreed after a 422.
    wanted: u32,
    /// Since when the interval runs.
    since: Mono,
    /// Whether we refresh.
    pub(crate) ours: bool,
    /// Whether the peer takes UPDATE.
    pub(crate) update: bool,
    /// Our SDP as last sent: what a refresh by re-INVITE repeats.
    pub(crate) sdp: Box<[u8]>,
}

fn interval(headers: &Headers) -> Option<u32> {
    seconds(headers.first(Name::SessionExpires)?.split(';').next()?)
}

fn refresher(headers: &Headers) -> Option<Refresher> {
    match scan::param(headers.first(Name::SessionExpires)?, "refresher")?? {
        r if r.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
        r if r.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
        _ => None,
    }
}

/// Whether the sender knows an option: by Supported, or because it requires it.
pub(crate) fn knows(headers: &Headers, option: &str) -> bool {
    [Name::Supported, Name::Require]
        .iter()
        .any(|name| headers.list(*name).any(|o| o.eq_ignore_ascii_case(option)))
}

/// Whether the sender says that it takes UPDATE; `None` when it does not say what it takes.
pub(crate) fn takes_update(headers: &Headers) -> Option<bool> {
    let mut methods = headers.list(Name::Allow).peekable();
    methods.peek().is_some().then(|| methods.any(|m| m == "UPDATE"))
}

/// Our answer to a request that may ask for a timer (section 9): the interval as asked; whoever the UAC names refreshes,
/// and the UAC when it names nobody, because it is the one who wants the timer.
///
/// # Errors
/// [`TooSmall`] when the UAC asks for less than the RFC allows.
pub(crate) fn answer_to(request: &Headers) -> Result<Option<Deal>, TooSmall> {
    let Some(interval) = interval(request) else { return Ok(None) };
    match (interval >= SESSION_S_MIN, knows(request, TAG)) {
        (true, true) => {
            let refresher = refresher(request).unwrap_or(Refresher::Uac);
            Ok(Some(Deal { interval, refresher, uac_knows: true }))
        }
        (true, false) => Ok(Some(Deal { interval, refresher: Refresher::Uas, uac_knows: false })),
        (false, true) => Err(TooSmall),
        // A proxy's mistake; its caller would not know what a 422 wants.
        (false, false) => Ok(None),
    }
}

/// What the answer to a request of ours agrees to (section 7.2). Less than the RFC allows counts as the least it allows.
pub(crate) fn agreed_by(response: &Headers) -> Option<Deal> {
    let interval = interval(response)?.max(SESSION_S_MIN);
    Some(Deal { interval, refresher: refresher(response).unwrap_or(Refresher::Uac), uac_knows: true })
}

/// The least interval that a 422 asks for.
pub(crate) fn least(response: &Headers) -> u32 {
    let value = response.first(Name::MinSe).and_then(|v| seconds(v.split(';').next()?));
    value.unwrap_or(0).max(SESSION_S_MIN)
}

/// The lines of a request that asks for an interval; `least` is what a 422 asked for.
pub(crate) fn asking(
    interval: u32,
    refresher: Option<Refresher>,
    least: Option<u32>,
) -> Vec<(String, String)> {
    let value = match refresher {
        Some(Refresher::Uac) => format!("{interval};refresher=uac"),
        Some(Refresher::Uas) => format!("{interval};refresher=uas"),
        None => interval.to_string(),
    };
    let mut lines = vec![(Name::SessionExpires.as_str().to_owned(), value)];
    lines.extend(least.map(|s| (Name::MinSe.as_str().to_owned(), s.to_string())));
    lines
}

impl Deal {
    /// The lines of our 2xx.
    pub(crate) fn lines(self) -> Vec<(String, String)> {
        let mut lines = asking(self.interval, Some(self.refresher), None);
        if self.uac_knows {
            lines.push((Name::Require.as_str().to_owned(), TAG.to_owned()));
        }
        lines
    }
}

impl SessionTimer {
    pub(crate) fn new(now: Mono, deal: Deal, ours: bool, update: bool, sdp: Box<[u8]>) -> SessionTimer {
        SessionTimer { interval: deal.interval, wanted: deal.interval, since: now, ours, update, sdp }
    }

    /// The lines of a request of ours that renews the interval; the same side goes on refreshing.
    pub(crate) fn lines(&self) -> Vec<(String, String)> {
        let refresher = if self.ours { Refresher::Uac } else { Refresher::Uas };
        let least = (self.wanted > self.interval).then_some(self.wanted);
        asking(self.wanted, Some(refresher), least)
    }

    /// Takes what a 422 asks for; false when that is no more than we asked for.
    pub(crate) fn raise(&mut self, least: u32) -> bool {
        let more = least > self.wanted;
        self.wanted = self.wanted.max(least);
        more
    }

    /// When something is to be done next: refresh (at half of the interval), or give up.
    pub(crate) fn first(&self) -> Mono {
        match self.ours {
            true => self.since + Duration::from_secs(self.interval.into()) / 2,
            false => self.over(),
        }
    }

    /// When the session is given up.
    pub(crate) fn over(&self) -> Mono {
        let interval = Duration::from_secs(self.interval.into());
        self.since + (interval - MARGIN.min(interval / 3))
    }

    /// When a refresh that failed is tried again: when half of the time that is left has gone.
    pub(crate) fn again(&self, now: Mono) -> Mono {
        let left = self.over().since(now);
        if left / 2 < AGAIN_MIN { self.over() } else { now + left / 2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(text: &str) -> Headers {
        Headers::read(text.as_bytes()).unwrap()
    }

    fn deal(interval: u32, refresher: Refresher, uac_knows: bool) -> Option<Deal> {
        Some(Deal { interval, refresher, uac_knows })
    }

    /// Table 2 of RFC 4028, and what stands around it.
    #[test]
    fn who_refreshes() {
        use Refresher::{Uac, Uas};
        let table = [
            ("", Ok(None)),
            ("Supported: timer\r\n", Ok(None)),
            ("Session-Expires: 1800\r\n", Ok(deal(1800, Uas, false))),
            ("Session-Expires: 1800;refresher=uas\r\n", Ok(deal(1800, Uas, false))),
            ("Supported: timer\r\nSession-Expires: 1800\r\n", Ok(deal(1800, Uac, true))),
            ("k: 100rel, Timer\r\nx: 90 ;Refresher=UAS\r\n", Ok(deal(90, Uas, true))),
            ("Require: timer\r\nx: 4000;refresher=uac\r\n", Ok(deal(4000, Uac, true))),
            ("Supported: timer\r\nSession-Expires: 89\r\n", Err(TooSmall)),
            ("Session-Expires: 89\r\n", Ok(None)),
            ("Supported: timer\r\nSession-Expires: soon\r\n", Ok(None)),
            (
                "Supported: timer\r\nSession-Expires: 99999999999;refresher=x\r\n",
                Ok(deal(u32::MAX, Uac, true)),
            ),
        ];
        for (text, expected) in table {
            assert_eq!(answer_to(&headers(text)), expected, "{text}");
        }
    }

    #[test]
    fn what_an_answer_agrees_to() {
        use Refresher::{Uac, Uas};
        let agreed = |text: &str| agreed_by(&headers(text));
        assert_eq!(agreed("Supported: timer\r\n"), None);
        assert_eq!(agreed("x: 1800;refresher=uas\r\n"), deal(1800, Uas, true));
        assert_eq!(agreed("x: 1800\r\n"), deal(1800, Uac, true), "nobody named: we do it");
        assert_eq!(agreed("x: 5;refresher=uac\r\n"), deal(90, Uac, true), "no storm of refreshes");
        assert_eq!(least(&headers("Min-SE: 3600;x=y\r\n")), 3600);
        assert_eq!(least(&headers("Min-SE: much\r\n")), 90);
    }

    /// Section 10: refreshed at half; given up 32 s before the end, or a third of the interval when that is less.
    #[test]
    fn moments() {
        let second = |s: u64| Mono(s * 1_000_000);
        let timer = |interval, ours| {
            let deal = Deal { interval, refresher: Refresher::Uac, uac_knows: true };
            SessionTimer::new(second(10), deal, ours, false, Box::default())
        };
        assert_eq!((timer(1800, true).first(), timer(1800, true).over()), (second(910), second(1778)));
        assert_eq!((timer(90, true).first(), timer(90, true).over()), (second(55), second(70)));
        assert_eq!(timer(1800, false).first(), second(1778));
        let refused = timer(90, true);
        assert_eq!((refused.again(second(56)), refused.again(second(67))), (second(63), second(70)));
        assert!(timer(u32::MAX, true).over() > second(4_000_000_000));
    }

    #[test]
    fn what_we_write() {
        let lines = |ours, raised| {
            let deal = Deal { interval: 1800, refresher: Refresher::Uac, uac_knows: true };
            let mut timer = SessionTimer::new(Mono(0), deal, ours, false, Box::default());
            assert_eq!(timer.raise(raised), raised > 1800);
            timer.lines().iter().map(|(n, v)| format!("{n}: {v}")).collect::<Vec<_>>().join(" | ")
        };
        assert_eq!(lines(true, 0), "Session-Expires: 1800;refresher=uac");
        assert_eq!(lines(false, 1800), "Session-Expires: 1800;refresher=uas");
        assert_eq!(lines(true, 3600), "Session-Expires: 3600;refresher=uac | Min-SE: 3600");
    }
}
