//! A request of ours as it can be written, and written again with credentials. One place writes every request.
use crate::builder::Builder;
use crate::digest::Credentials;
use crate::digest::client::{Challenge, strongest};
use crate::flow::Flow;
use crate::ids::Ids;
use crate::limits::CHALLENGES_MAX;
use crate::message::Response;
use crate::method::Method;
use crate::name::Name;
use crate::transaction::{ClientKey, Sent};
use crate::uri::Uri;

/// The methods we take, for Allow.
pub const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REGISTER, SUBSCRIBE, NOTIFY, REFER, MESSAGE, PRACK";

/// The extensions we know, for Supported in answers; our calls name reliable answers only when they want them.
pub const SUPPORTED: &str = "100rel, timer";
const SUPPORTED_PLAIN: &str = "timer";

/// Credentials and the challenges they have answered.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    credentials: Credentials,
    answered: Vec<Answered>,
    tries: u8,
}

#[derive(Clone, Debug)]
struct Answered {
    challenge: Challenge,
    header: Name,
    used: u32,
}

impl Login {
    pub(crate) fn new(credentials: Credentials) -> Login {
        Login { credentials, answered: Vec::new(), tries: 0 }
    }

    /// Takes the challenges of a 401 or 407. False: there is no use in trying again (nothing answerable, the same
    /// realm refuses what we said, or a peer that drives us in circles).
    fn take(&mut self, response: &Response) -> bool {
        let (asked, header) = match response.code() {
            401 => (Name::WwwAuthenticate, Name::Authorization),
            407 => (Name::ProxyAuthenticate, Name::ProxyAuthorization),
            _ => return false,
        };
        self.tries += 1;
        let challenges = strongest(response.headers().all(asked));
        if challenges.is_empty() || self.tries > CHALLENGES_MAX {
            return false;
        }
        for challenge in challenges {
            let fresh = Answered { challenge, header, used: 0 };
            match self
                .answered
                .iter_mut()
                .find(|a| a.header == header && a.challenge.realm == fresh.challenge.realm)
            {
                // Refused although answered in this very request: only an old nonce is worth another try.
                Some(known) if known.used > 0 && self.tries > 1 && !fresh.challenge.stale => return false,
                Some(known) => *known = fresh,
                None => self.answered.push(fresh),
            }
        }
        true
    }

    fn lines(&mut self, method: &Method, uri: &Uri, ids: &mut Ids) -> Vec<(String, String)> {
        let who = &self.credentials;
        let lines = self.answered.iter_mut().map(|a| {
            a.used += 1;
            let value = a.challenge.answer(who, method.as_str(), uri.as_str(), a.used, &ids.tag());
            (a.header.as_str().to_owned(), value)
        });
        lines.collect()
    }

    /// The next request starts with a fresh number of tries; known nonces are used again.
    pub(crate) fn rested(mut self) -> Login {
        self.tries = 0;
        self
    }
}

/// One request of ours.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) flow: Flow,
    pub(crate) routes: Vec<String>,
    pub(crate) max_forwards: u8,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) call_id: String,
    pub(crate) cseq: u32,
    pub(crate) contact: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
    pub(crate) login: Option<Login>,
    /// An INVITE whose provisional answers we confirm.
    pub(crate) reliable: bool,
    /// The credential lines last written: the ACK of a 2xx repeats them.
    pub(crate) auth: Vec<(String, String)>,
}

impl Outgoing {
    /// Writes the request for a new transaction.
    pub(crate) fn write(&mut self, key: ClientKey, ids: &mut Ids, user_agent: Option<&str>) -> Sent {
        if let Some(login) = self.login.as_mut() {
            self.auth = login.lines(&self.method, &self.uri, ids);
        }
        Sent {
            flow: self.flow,
            method: self.method.clone(),
            uri: self.uri.as_str().into(),
            bytes: self.bytes(key, user_agent),
        }
    }

    fn bytes(&self, key: ClientKey, user_agent: Option<&str>) -> Vec<u8> {
        let mut b = Builder::request(&self.method, &self.uri);
        let (transport, local) = (self.flow.transport.via(), self.flow.local);
        b.write(Name::Via, format_args!("SIP/2.0/{transport} {local};branch={};rport", key.branch()));
        for route in &self.routes {
            b.header(Name::Route, route);
        }
        b.write(Name::MaxForwards, format_args!("{}", self.max_forwards));
        b.header(Name::From, &self.from).header(Name::To, &self.to).header(Name::CallId, &self.call_id);
        b.write(Name::CSeq, format_args!("{} {}", self.cseq, self.method));
        if let Some(contact) = &self.contact {
            b.header(Name::Contact, contact);
        }
        if let Some(agent) = user_agent {
            b.header(Name::UserAgent, agent);
        }
        if matches!(self.method, Method::Invite | Method::Update) {
            let supported = if self.reliable { SUPPORTED } else { SUPPORTED_PLAIN };
            b.header(Name::Allow, ALLOW).header(Name::Supported, supported);
        }
        b.all(&self.auth).all(&self.headers);
        b.body(&self.content_type, &self.body)
    }

    /// Whether this answer is a challenge that another try can meet; then the CSeq is already the next one.
    pub(crate) fn challenged(&mut self, response: &Response) -> bool {
        let again = self.login.as_mut().is_some_and(|login| login.take(response));
        self.cseq += u32::from(again);
        again
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    fn challenge(nonce: &str, stale: bool) -> Response {
        let text = format!(
            "SIP/2.0 401 No\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\nWWW-Authenticate: Digest realm=\"r\",nonce=\"{nonce}\",stale={stale}\r\n\r\n"
        );
        match Message::read(text.as_bytes()).unwrap() {
            Message::Response(r) => r,
            Message::Request(_) => panic!("a response"),
        }
    }

    #[test]
    fn a_peer_cannot_drive_us_in_circles() {
        let uri = Uri::read("sip:r").unwrap();
        let mut ids = Ids::new([0; 32]);
        let mut login = Login::new(Credentials { username: "u".into(), password: "p".into() });
        assert!(login.take(&challenge("1", false)));
        assert_eq!(login.lines(&Method::Register, &uri, &mut ids).len(), 1);
        assert!(login.clone().take(&challenge("2", true)), "an old nonce is worth another try");
        assert!(!login.clone().take(&challenge("2", false)), "the same realm refused us");
        let mut circle = login;
        let tries = (0..20u8).take_while(|n| circle.take(&challenge(&n.to_string(), true))).count();
        assert!(tries < usize::from(CHALLENGES_MAX));
    }
}
