//! SIP methods. Case matters (RFC 3261 section 7.1): `invite` is an unknown method, not INVITE.
use std::fmt;

/// A request's method.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Confirms the final answer to an INVITE.
    Ack,
    /// Ends a session.
    Bye,
    /// Takes back an INVITE that has no final answer.
    Cancel,
    /// Carries something inside a session (RFC 6086).
    Info,
    /// Starts or changes a session.
    Invite,
    /// An instant message (RFC 3428).
    Message,
    /// Tells the state of something (RFC 6665).
    Notify,
    /// Asks what the peer can do.
    Options,
    /// Confirms a reliable provisional answer (RFC 3262).
    Prack,
    /// Publishes event state (RFC 3903).
    Publish,
    /// Asks the peer to call somebody (RFC 3515).
    Refer,
    /// Tells where a user is.
    Register,
    /// Asks to be told the state of something (RFC 6665).
    Subscribe,
    /// Changes a session without INVITE (RFC 3311).
    Update,
    /// Any other token.
    Other(Box<str>),
}

impl Method {
    /// Reads a method token. The caller has checked that it is a token.
    #[must_use]
    pub fn read(text: &str) -> Method {
        match text {
            "ACK" => Method::Ack,
            "BYE" => Method::Bye,
            "CANCEL" => Method::Cancel,
            "INFO" => Method::Info,
            "INVITE" => Method::Invite,
            "MESSAGE" => Method::Message,
            "NOTIFY" => Method::Notify,
            "OPTIONS" => Method::Options,
            "PRACK" => Method::Prack,
            "PUBLISH" => Method::Publish,
            "REFER" => Method::Refer,
            "REGISTER" => Method::Register,
            "SUBSCRIBE" => Method::Subscribe,
            "UPDATE" => Method::Update,
            other => Method::Other(other.into()),
        }
    }

    /// The token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Method::Ack => "ACK",
            Method::Bye => "BYE",
            Method::Cancel => "CANCEL",
            Method::Info => "INFO",
            Method::Invite => "INVITE",
            Method::Message => "MESSAGE",
            Method::Notify => "NOTIFY",
            Method::Options => "OPTIONS",
            Method::Prack => "PRACK",
            Method::Publish => "PUBLISH",
            Method::Refer => "REFER",
            Method::Register => "REGISTER",
            Method::Subscribe => "SUBSCRIBE",
            Method::Update => "UPDATE",
            Method::Other(text) => text,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_matters() {
        assert_eq!(Method::read("INVITE"), Method::Invite);
        assert_eq!(Method::read("invite"), Method::Other("invite".into()));
        assert_eq!(Method::read("IN%56ITE").as_str(), "IN%56ITE");
    }
}
