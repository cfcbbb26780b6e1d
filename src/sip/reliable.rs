//! Reliable provisional answers (RFC 3262) as values: the numbers in RSeq and RAck, and what a callee still has to say to
//! a caller who requires them. Sends nothing; endpoint/pracking.rs acts on it.
use crate::headers::Headers;
use crate::indication::ServerId;
use crate::limits::RELIABLE_QUEUE_MAX;
use crate::name::Name;
use crate::scan;
use crate::timer::Timing;
use model::clock::Mono;
use std::collections::VecDeque;
use std::time::Duration;

/// The option tag.
pub(crate) const TAG: &str = "100rel";

/// Which provisional answer a PRACK confirms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RAck {
    pub(crate) rseq: u32,
    /// Of the INVITE.
    pub(crate) cseq: u32,
}

impl RAck {
    /// The RAck header of a PRACK; none when it is missing, cannot be read or is not of an INVITE.
    pub(crate) fn read(headers: &Headers) -> Option<RAck> {
        let mut words = headers.first(Name::RAck)?.split_ascii_whitespace();
        let (rseq, cseq) = (scan::number(words.next()?)?, scan::number(words.next()?)?);
        (words.next() == Some("INVITE") && words.next().is_none()).then_some(RAck { rseq, cseq })
    }

    /// The value of the header.
    pub(crate) fn text(self) -> String {
        format!("{} {} INVITE", self.rseq, self.cseq)
    }
}

/// Whether the sender requires reliable provisional answers (of a request), or sent one (of an answer).
pub(crate) fn required(headers: &Headers) -> bool {
    headers.list(Name::Require).any(|o| o.eq_ignore_ascii_case(TAG))
}

/// The number of a provisional answer that wants a PRACK.
pub(crate) fn number(headers: &Headers) -> Option<u32> {
    scan::number(headers.first(Name::RSeq)?.trim()).filter(|n| *n > 0 && required(headers))
}

/// What a callee has said and has to say before the final answer, one at a time (section 3).
#[derive(Debug)]
pub(crate) struct Saying {
    /// RSeq of the next one.
    next: u32,
    /// Code of the last one, and whether it carried SDP.
    last: (u16, bool),
    /// Sent and not confirmed.
    pub(crate) waiting: Option<Waiting>,
    /// To be sent when the one before is confirmed: code and SDP.
    queue: VecDeque<(u16, Vec<u8>)>,
    /// The call is taken as soon as the caller has confirmed what carries our SDP.
    pub(crate) taken: Option<Taken>,
    /// Whether the caller has confirmed our SDP: from then on it may make offers.
    pub(crate) settled: bool,
    /// Such an offer waits for our answer.
    pub(crate) offer: Option<ServerId>,
    /// Such an offer was answered: what we said before holds no longer.
    pub(crate) changed: bool,
}

/// What our 2xx will say.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) sdp: Vec<u8>,
    pub(crate) headers: Vec<(String, String)>,
}

/// What a 2xx has to do with the provisional answers before it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Taking {
    /// One without SDP whose PRACK may still come.
    pub(crate) unconfirmed: Option<RAck>,
    /// The session was changed since: the 2xx carries no SDP.
    pub(crate) changed: bool,
}

/// One that was sent and is not confirmed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) rseq: u32,
    /// Whether it carried our SDP.
    pub(crate) sdp: bool,
    since: Mono,
    fired: u32,
}

impl Saying {
    /// `first`: a random number below 2^31 (section 3).
    pub(crate) fn new(first: u32) -> Saying {
        Saying {
            next: first.max(1),
            last: (0, false),
            waiting: None,
            queue: VecDeque::new(),
            taken: None,
            settled: false,
            offer: None,
            changed: false,
        }
    }

    /// Takes the number of an answer that is sent now.
    pub(crate) fn say(&mut self, now: Mono, code: u16, sdp: bool) -> u32 {
        let rseq = self.next;
        self.next += 1;
        self.last = (code, sdp);
        self.waiting = Some(Waiting { rseq, sdp, since: now, fired: 0 });
        rseq
    }

    /// Keeps an answer until its turn. What was said last need not be said again; the last of too many gives way: the
    /// newest says most.
    pub(crate) fn later(&mut self, code: u16, sdp: Vec<u8>) {
        let last = self.queue.back().map_or(self.last, |(code, sdp)| (*code, !sdp.is_empty()));
        if last == (code, !sdp.is_empty()) {
            return;
        }
        if self.queue.len() >= RELIABLE_QUEUE_MAX {
            self.queue.pop_back();
        }
        self.queue.push_back((code, sdp));
    }

    /// The next answer whose turn has come.
    pub(crate) fn next(&mut self) -> Option<(u16, Vec<u8>)> {
        if self.busy() { None } else { self.queue.pop_front() }
    }

    /// Whether the caller owes a PRACK, or we owe the answer to an offer of its.
    pub(crate) fn busy(&self) -> bool {
        self.waiting.is_some() || self.offer.is_some()
    }

    /// Whether a 2xx must wait (section 3): our SDP is not confirmed, or an offer is not answered.
    pub(crate) fn holds_up(&self) -> bool {
        self.waiting.is_some_and(|w| w.sdp) || self.offer.is_some()
    }

    /// How the INVITE of this number can be accepted now; none when the 2xx must wait.
    pub(crate) fn taking(&self, cseq: u32) -> Option<Taking> {
        let unconfirmed = self.waiting.map(|w| RAck { rseq: w.rseq, cseq });
        (!self.holds_up()).then_some(Taking { unconfirmed, changed: self.changed })
    }

    /// The PRACK came. False: it confirms nothing that waits.
    pub(crate) fn confirmed(&mut self, rseq: u32) -> bool {
        let Some(waiting) = self.waiting.filter(|w| w.rseq == rseq) else { return false };
        self.settled |= waiting.sdp;
        self.waiting = None;
        true
    }
}

impl Waiting {
    /// When it is sent again: after T1, then doubled (section 3); none when the caller had 64 T1.
    pub(crate) fn again(&mut self, now: Mono, timing: &Timing) -> Option<Mono> {
        let end = self.since + timing.t1 * 64;
        let delay: Duration = timing.t1 * 2u32.pow(self.fired.min(7));
        self.fired += 1;
        (now < end).then(|| end.min(now + delay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(text: &str) -> Headers {
        Headers::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn numbers() {
        let rack = |text: &str| RAck::read(&headers(&format!("RAck: {text}\r\n")));
        assert_eq!(rack("776656 1 INVITE"), Some(RAck { rseq: 776_656, cseq: 1 }));
        assert_eq!(rack(" 1\t2  INVITE "), Some(RAck { rseq: 1, cseq: 2 }));
        assert_eq!(RAck { rseq: 7, cseq: 2 }.text(), "7 2 INVITE");
        for bad in ["", "1", "1 2", "1 2 BYE", "1 2 INVITE x", "-1 2 INVITE", "4294967296 2 INVITE"] {
            assert_eq!(rack(bad), None, "{bad}");
        }
        let wants = |text: &str| number(&headers(text));
        assert_eq!(wants("Require: 100rel\r\nRSeq: 9\r\n"), Some(9));
        assert_eq!(wants("Require: x, 100REL\r\nRSeq: 9\r\n"), Some(9));
        for plain in ["RSeq: 9\r\n", "Require: 100rel\r\n", "Require: 100rel\r\nRSeq: 0\r\n"] {
            assert_eq!(wants(plain), None, "{plain}");
        }
    }

    #[test]
    fn one_at_a_time_and_in_order() {
        let mut saying = Saying::new(7);
        assert_eq!(saying.say(Mono(0), 180, false), 7);
        saying.later(180, Vec::new());
        for _ in 0..20 {
            saying.later(181, Vec::new());
        }
        saying.later(180, Vec::new());
        saying.later(183, vec![1]);
        assert_eq!((saying.next(), saying.holds_up()), (None, false));
        assert!(!saying.confirmed(8) && saying.confirmed(7) && !saying.confirmed(7));
        assert_eq!(saying.next(), Some((181, Vec::new())), "the same is said once");
        assert_eq!(saying.next(), Some((180, Vec::new())));
        assert_eq!(saying.next(), Some((183, vec![1])));
        assert_eq!(saying.say(Mono(0), 183, true), 8);
        assert!(saying.holds_up() && !saying.settled);
        assert!(saying.confirmed(8) && saying.settled && !saying.holds_up());
    }

    #[test]
    fn the_newest_takes_the_last_place() {
        let mut saying = Saying::new(1);
        for code in 101..150 {
            saying.later(code, Vec::new());
        }
        let said: Vec<u16> = std::iter::from_fn(|| saying.next()).map(|(code, _)| code).collect();
        assert_eq!((said.len(), said.last()), (RELIABLE_QUEUE_MAX, Some(&149)));
    }

    #[test]
    fn sent_again_from_half_a_second_to_thirty_two() {
        let timing = Timing::default();
        let mut saying = Saying::new(1);
        saying.say(Mono(0), 180, false);
        let waiting = saying.waiting.as_mut().expect("it waits");
        let mut moments = Vec::new();
        let mut at = waiting.again(Mono(0), &timing);
        while let Some(moment) = at {
            moments.push(moment.0 / 1000);
            at = waiting.again(moment, &timing);
        }
        assert_eq!(moments, [500, 1500, 3500, 7500, 15500, 31500, 32000]);
    }
}
