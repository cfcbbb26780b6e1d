//! Our own registration at a carrier (RFC 3261 section 10.2), one state machine a trunk: registers, refreshes before the
//! end, tries again after failures with growing pauses, unregisters. Makes requests for `Endpoint::request` and takes
//! their answers; sends nothing itself.
use crate::digest::Credentials;
use crate::endpoint::RequestOut;
use crate::flow::Flow;
use crate::indication::{ClientId, Failure};
use crate::limits::CHALLENGES_MAX;
use crate::message::{Response, seconds};
use crate::method::Method;
use crate::name::Name;
use crate::name_addr::NameAddr;
use crate::uri::Uri;
use model::clock::{Mono, Now};
use std::sync::Arc;
use std::time::Duration;

/// Pause after the first failure; doubled with each further one. Short, because nobody can call in meanwhile.
const PAUSE_MIN: Duration = Duration::from_secs(2);
/// Longest pause when the carrier is silent or troubled.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Pause after a refusal that only a person can mend (wrong password, barred); doubled up to ten minutes, so that
/// carriers do not ban the box.
const REFUSED_PAUSE_MIN: Duration = Duration::from_secs(60);
const REFUSED_PAUSE_MAX: Duration = Duration::from_secs(600);
/// Longest Retry-After that is believed.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);
/// Longest Min-Expires that is followed.
const MIN_EXPIRES_S_MAX: u32 = 86_400;

/// What is registered where.
#[derive(Clone, Debug)]
pub struct Account {
    /// The registrar: `sip:carrier.example`.
    pub registrar: Uri,
    /// Who we are there.
    pub aor: Uri,
    /// Where calls for us go.
    pub contact: Uri,
    /// The next hop.
    pub flow: Flow,
    /// Outbound proxies.
    pub route: Vec<Uri>,
    /// Seconds to ask for.
    pub expires_s: u32,
    /// For challenges.
    pub credentials: Option<Credentials>,
}

/// How the registration stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not tried, or taken back.
    Idle,
    /// Registered.
    Registered {
        /// Until when.
        until: Mono,
    },
    /// Not registered.
    Failing {
        /// The last answer.
        trouble: Trouble,
        /// Failures in a row.
        failures: u32,
    },
}

/// Why a registration failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The registrar said no.
    Refused {
        /// Its code.
        code: u16,
        /// Its words.
        reason: String,
    },
    /// No answer came.
    NoAnswer(Failure),
}

/// The state machine of one registration.
#[derive(Clone, Debug)]
pub struct Registration {
    account: Account,
    id: ClientId,
    call_id: String,
    cseq: u32,
    expires_s: u32,
    status: Status,
    /// When the next REGISTER is due; none while one is under way or when stopped.
    due: Option<Mono>,
    stopping: bool,
}

impl Registration {
    /// A registration that is due at once. `call_id` is kept for its life (`Ids::call_id`).
    #[must_use]
    pub fn new(now: Now, id: ClientId, call_id: String, account: Account) -> Registration {
        let expires_s = account.expires_s;
        Registration {
            account,
            id,
            call_id,
            cseq: 1,
            expires_s,
            status: Status::Idle,
            due: Some(now.mono),
            stopping: false,
        }
    }

    /// How it stands.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// When `poll` has something to send.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        self.due
    }

    /// The REGISTER that is due, if any.
    pub fn poll(&mut self, now: Now) -> Option<RequestOut> {
        if let Status::Registered { until } = self.status
            && until <= now.mono
        {
            self.status = Status::Idle;
        }
        self.due.filter(|due| *due <= now.mono)?;
        self.due = None;
        Some(self.request(self.expires_s))
    }

    /// Takes the registration back; the request to send, if there is anything to take back.
    pub fn stop(&mut self) -> Option<RequestOut> {
        self.due = None;
        self.stopping = true;
        let registered = matches!(self.status, Status::Registered { .. });
        self.status = Status::Idle;
        registered.then(|| self.request(0))
    }

    /// Tries now instead of waiting (the network came back, a person pressed the button).
    pub fn hurry(&mut self, now: Now) {
        if self.due.is_some() && !matches!(self.status, Status::Registered { .. }) {
            self.due = Some(now.mono);
        }
    }

    fn request(&mut self, expires_s: u32) -> RequestOut {
        let account = &self.account;
        RequestOut {
            id: self.id,
            method: Method::Register,
            target: account.registrar.clone(),
            flow: account.flow,
            route: account.route.clone(),
            from: NameAddr::new(account.aor.clone()),
            to: NameAddr::new(account.aor.clone()),
            call_id: Some(self.call_id.clone()),
            cseq: Some(self.cseq),
            contact: Some(NameAddr::new(account.contact.clone())),
            headers: vec![(Name::Expires.as_str().to_owned(), expires_s.to_string())],
            content_type: String::new(),
            body: Vec::new(),
            credentials: account.credentials.clone(),
        }
    }

    /// Takes the end of the REGISTER (`Indication::Response` with this id). True: `status` changed in kind.
    pub fn answered(&mut self, now: Now, result: &Result<Arc<Response>, Failure>) -> bool {
        let before = std::mem::discriminant(&self.status);
        match result {
            Ok(response) => {
                self.cseq = response.cseq().number + 1;
                self.heard(now, response);
            }
            Err(failure) => {
                // How many tries were made is not known: none of their numbers may come again.
                self.cseq += u32::from(CHALLENGES_MAX) + 1;
                self.failed(now, Trouble::NoAnswer(*failure), None);
            }
        }
        before != std::mem::discriminant(&self.status)
    }

    fn heard(&mut self, now: Now, response: &Response) {
        let trouble = || Trouble::Refused { code: response.code(), reason: response.reason().to_owned() };
        let min_expires = response.headers().first(Name::MinExpires).and_then(seconds);
        match response.code() {
            _ if self.stopping => {}
            200..300 => {
                self.registered(now, granted(response, &self.account.contact).unwrap_or(self.expires_s))
            }
            423 if min_expires.is_some_and(|m| m > self.expires_s && m <= MIN_EXPIRES_S_MAX) => {
                self.expires_s = min_expires.unwrap_or(self.expires_s);
                self.due = Some(now.mono);
            }
            _ => self.failed(now, trouble(), response.retry_after()),
        }
    }

    fn registered(&mut self, now: Now, expires_s: u32) {
        let lasts = Duration::from_secs(u64::from(expires_s.max(1)));
        self.status = Status::Registered { until: now.mono + lasts };
        // A tenth before the end, at least 5 s, so that a lost datagram has time to be repeated.
        let early = (lasts / 10).max(Duration::from_secs(5)).min(lasts / 2);
        self.due = Some(now.mono + (lasts - early));
    }

    fn failed(&mut self, now: Now, trouble: Trouble, retry_after: Option<u32>) {
        if self.stopping {
            return;
        }
        let failures = match self.status {
            Status::Failing { failures, .. } => failures.saturating_add(1),
            Status::Idle | Status::Registered { .. } => 1,
        };
        let (min, max) = match trouble {
            Trouble::Refused { code: 400..500 | 600.., .. } => (REFUSED_PAUSE_MIN, REFUSED_PAUSE_MAX),
            Trouble::Refused { .. } | Trouble::NoAnswer(_) => (PAUSE_MIN, PAUSE_MAX),
        };
        let pause = (min * 2u32.pow((failures - 1).min(8))).min(max);
        let asked = retry_after.map(|s| Duration::from_secs(u64::from(s)).min(RETRY_AFTER_MAX));
        self.due = Some(now.mono + asked.unwrap_or(pause).max(PAUSE_MIN));
        self.status = Status::Failing { trouble, failures };
    }
}

/// The seconds granted to our contact: its `expires`, else the Expires header.
fn granted(response: &Response, contact: &Uri) -> Option<u32> {
    let own = response.contacts().find(|c| c.uri.same(contact));
    own.and_then(|c| c.param("expires").flatten().and_then(seconds))
        .or_else(|| response.expires())
        .filter(|s| *s > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    fn at(seconds: u64) -> Now {
        Now { mono: Mono(seconds * 1_000_000), ..Now::default() }
    }

    fn registration() -> Registration {
        let uri = |t: &str| Uri::read(t).unwrap();
        let account = Account {
            registrar: uri("sip:carrier"),
            aor: uri("sip:box@carrier"),
            contact: uri("sip:box@192.0.2.1"),
            flow: Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.9:5060".parse().unwrap()),
            route: Vec::new(),
            expires_s: 600,
            credentials: None,
        };
        Registration::new(at(0), ClientId(1), "call".into(), account)
    }

    fn says(code: u16, cseq: u32, lines: &str) -> Result<Arc<Response>, Failure> {
        let text = format!(
            "SIP/2.0 {code} X\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>\r\nTo: <sip:a@b>\r\nCall-ID: call\r\nCSeq: {cseq} REGISTER\r\n{lines}\r\n"
        );
        match Message::read(text.as_bytes()).unwrap() {
            Message::Response(r) => Ok(Arc::new(r)),
            Message::Request(_) => panic!("a response"),
        }
    }

    #[test]
    fn refreshes_a_tenth_before_the_end_with_a_growing_cseq() {
        let mut r = registration();
        let first = r.poll(at(0)).unwrap();
        assert_eq!(
            (first.cseq, first.call_id.as_deref(), first.headers[0].1.as_str()),
            (Some(1), Some("call"), "600")
        );
        assert!(r.poll(at(0)).is_none(), "one at a time");
        assert!(r.answered(
            at(1),
            &says(200, 2, "Contact: <sip:other@x>;expires=5, <sip:box@192.0.2.1>;expires=300\r\n")
        ));
        assert_eq!(r.status(), &Status::Registered { until: at(301).mono });
        assert_eq!(r.deadline(), Some(at(271).mono));
        assert_eq!(r.poll(at(271)).unwrap().cseq, Some(3));
        assert!(!r.answered(at(272), &says(200, 3, "Expires: 10\r\n")));
        assert_eq!(r.deadline(), Some(at(277).mono));
    }

    #[test]
    fn silence_is_met_with_growing_pauses() {
        let mut r = registration();
        let mut pauses = Vec::new();
        let mut now = 0;
        for _ in 0..8 {
            assert!(r.poll(at(now)).is_some());
            r.answered(at(now), &Err(Failure::Timeout));
            let due = r.deadline().unwrap().0 / 1_000_000;
            pauses.push(due - now);
            now = due;
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60, 60]);
        assert!(matches!(r.status(), Status::Failing { failures: 8, .. }));
        r.poll(at(now));
        assert!(r.answered(at(now), &says(200, 90, "")));
    }

    #[test]
    fn a_refusal_is_not_hammered() {
        let mut r = registration();
        r.poll(at(0));
        r.answered(at(0), &says(403, 2, ""));
        assert_eq!(r.deadline(), Some(at(60).mono));
        r.poll(at(60));
        r.answered(at(60), &says(503, 3, "Retry-After: 999999\r\n"));
        assert_eq!(r.deadline(), Some(at(3660).mono));
        r.hurry(at(61));
        assert_eq!(r.deadline(), Some(at(61).mono));
    }

    #[test]
    fn a_longer_minimum_is_followed_at_once() {
        let mut r = registration();
        r.poll(at(0));
        r.answered(at(0), &says(423, 1, "Min-Expires: 1800\r\n"));
        assert_eq!(r.poll(at(0)).unwrap().headers[0].1, "1800");
        r.answered(at(0), &says(423, 2, "Min-Expires: 10\r\n"));
        assert!(matches!(r.status(), Status::Failing { .. }));
    }

    #[test]
    fn stopping_takes_back_what_is_there() {
        let mut r = registration();
        assert!(r.stop().is_none());
        let mut r = registration();
        r.poll(at(0));
        r.answered(at(0), &says(200, 1, ""));
        assert_eq!(r.stop().unwrap().headers[0].1, "0");
        r.answered(at(1), &says(200, 2, ""));
        assert_eq!((r.status(), r.deadline()), (&Status::Idle, None));
    }
}
