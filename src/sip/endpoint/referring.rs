//! Requests around a transfer: REFER and its NOTIFY inside a session (RFC 3515), and the name of a session as Replaces gives it
//! (RFC 3891). Decides nothing about who may transfer what.
use super::leg::Stage;
use super::{Endpoint, Owner, User};
use crate::indication::Output;
use crate::method::Method;
use crate::name::Name;
use model::clock::Now;
use model::id::LegId;

/// The name of a session as one of its ends gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionName {
    /// Call-ID.
    pub call_id: String,
    /// Tag of the end that reads the name.
    pub to_tag: String,
    /// Tag of the other end.
    pub from_tag: String,
}

impl SessionName {
    /// Reads the value of a Replaces header: `call-id;to-tag=x;from-tag=y`.
    #[must_use]
    pub fn read(text: &str) -> Option<SessionName> {
        let mut parts = text.split(';').map(str::trim);
        let call_id = parts.next().filter(|c| !c.is_empty())?.to_owned();
        let (mut to_tag, mut from_tag) = (None, None);
        for part in parts {
            match part.split_once('=') {
                Some((name, value)) if name.eq_ignore_ascii_case("to-tag") => to_tag = Some(value.to_owned()),
                Some((name, value)) if name.eq_ignore_ascii_case("from-tag") => {
                    from_tag = Some(value.to_owned())
                }
                Some(_) | None => {}
            }
        }
        Some(SessionName { call_id, to_tag: to_tag?, from_tag: from_tag? })
    }
}

/// What a peer names with a [`SessionName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// An answered session.
    Answered(LegId),
    /// Its call, which waits for our answer.
    Ringing(LegId),
}

impl Endpoint {
    /// Tells the peer of a session what became of its REFER; the implicit subscription ends with it.
    pub fn notify_refer(&mut self, now: Now, leg: LegId, code: u16, out: &mut Vec<Output>) {
        let Some(up) = self.up(leg) else { return };
        let headers = vec![
            (Name::Event.as_str().to_owned(), "refer".to_owned()),
            (Name::SubscriptionState.as_str().to_owned(), "terminated;reason=noresource".to_owned()),
        ];
        let body = format!("SIP/2.0 {code} {}\r\n", crate::builder::phrase(code)).into_bytes();
        let notify = up.dialog.request(Method::Notify, headers, "message/sipfrag;version=2.0", body);
        self.send(now, notify, |_| User::Nobody, out);
    }

    /// Asks the peer of a session to call somebody else; its answer is not told.
    pub fn refer(&mut self, now: Now, leg: LegId, refer_to: &str, out: &mut Vec<Output>) {
        let Some(up) = self.up(leg) else { return };
        let headers = vec![(Name::ReferTo.as_str().to_owned(), refer_to.to_owned())];
        let refer = up.dialog.request(Method::Refer, headers, "", Vec::new());
        self.send(now, refer, |_| User::Nobody, out);
    }

    /// The session that the peer names so.
    #[must_use]
    pub fn session_named(&self, name: &SessionName) -> Option<Named> {
        let Owner::Leg(leg) = *self.owners.get(&name.to_tag)? else { return None };
        match &self.legs.get(&leg)?.stage {
            Stage::Up(up) => up.dialog.is(&name.call_id, &name.from_tag).then_some(Named::Answered(leg)),
            Stage::Ringing(ringing) => {
                let asked = &ringing.request;
                let same = asked.call_id() == name.call_id && asked.from.tag() == Some(&name.from_tag);
                same.then_some(Named::Ringing(leg))
            }
            Stage::Calling(_) => None,
        }
    }

    /// How the other end would name a session of ours.
    #[must_use]
    pub fn name_of(&mut self, leg: LegId) -> Option<SessionName> {
        let ours = self.owners.iter().find(|(_, o)| **o == Owner::Leg(leg)).map(|(tag, _)| tag.clone())?;
        let up = self.up(leg)?;
        let (call_id, theirs) = up.dialog.name();
        Some(SessionName { call_id: call_id.to_owned(), to_tag: theirs.to_owned(), from_tag: ours })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaces_value_is_read_in_any_order_and_case() {
        let name = SessionName { call_id: "a@b".into(), to_tag: "1".into(), from_tag: "2".into() };
        assert_eq!(SessionName::read("a@b;to-tag=1;from-tag=2"), Some(name.clone()));
        assert_eq!(SessionName::read("a@b; From-Tag=2 ;early-only;TO-TAG=1"), Some(name));
        for broken in ["", "a@b", "a@b;to-tag=1", ";to-tag=1;from-tag=2"] {
            assert_eq!(SessionName::read(broken), None, "{broken}");
        }
    }
}
