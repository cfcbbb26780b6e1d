//! Words of the phone in a browser: between the page and the box (JSON over a socket of its own), and between the
//! control and the media role (binary, over a second local socket). The box owns the state; a page only asks.
//! Decides nothing.
use crate::media::{Codec, Digit};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// Longest session description taken from a page: Chromium's is 6 KiB with everything on.
pub const OFFER_MAX: usize = 16 * 1024;

/// What a page asks of its phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum PhoneAsk {
    /// This tab wants to be the phone although another one is.
    Take,
    /// Its microphone is on: here is its session description.
    Offer {
        /// SDP of the browser.
        sdp: String,
    },
    /// Call a number.
    Dial {
        /// As it would be dialled at a desk phone.
        to: String,
    },
    /// Take the call that rings.
    Answer,
    /// Refuse the call that rings, give up the one that is being dialled, end the one that is up.
    HangUp,
    /// Press a key.
    Key {
        /// Which: `0`–`9`, `*`, `#`, `A`–`D`.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        key: Digit,
    },
    /// Be a phone no longer.
    Off,
    /// Still there.
    Ping,
}

/// What a page is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PhoneTell {
    /// How the phone is now; also the first thing told.
    Phone(BrowserPhone),
    /// Another tab is the phone.
    Elsewhere,
    /// The answer to `Offer`.
    Answer {
        /// SDP of the box.
        sdp: String,
    },
    /// What was asked is not done.
    Refused {
        /// Why.
        why: PhoneRefusal,
    },
    /// Answer to `Ping`.
    Pong,
}

/// Why a phone does not do what it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PhoneRefusal {
    /// The browser's session description cannot be used.
    BadOffer,
    /// Too many browser phones.
    TooMany,
    /// The media role is not there; it is started again within seconds.
    NoMedia,
    /// This is not a number.
    BadNumber,
    /// There is a call already, or none to do that with.
    NotNow,
    /// The extension may have no more phones.
    NotRegistered,
    /// Called but refused: busy.
    Busy,
    /// Called but nobody has the number.
    Unknown,
    /// Called but not allowed.
    Forbidden,
    /// Called but nobody answered.
    NoAnswer,
    /// Called but it failed.
    Failed,
}

/// The phone as a page shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BrowserPhone {
    /// Its extension.
    pub extension: String,
    /// Its browser was answered; a page that is on and sees this false offers anew.
    pub open: bool,
    /// Sound flows between browser and box.
    pub sound: bool,
    /// It can be called.
    pub registered: bool,
    /// Its call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<PhoneCall>,
}

/// A call at a browser phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PhoneCall {
    /// How far it is.
    pub stage: PhoneStage,
    /// The other party's number, empty when withheld.
    pub number: String,
    /// The other party's name, when known.
    pub name: String,
    /// Since when it is in this stage, UTC ms.
    pub since: i64,
    /// The other end can be heard already; while it is dialled and cannot, the page makes the ringing tone.
    pub heard: bool,
}

/// How far a call at a browser phone is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PhoneStage {
    /// Somebody calls.
    Ringing,
    /// Being dialled.
    Dialing,
    /// Up.
    Talking,
}

/// One browser phone, in words between the two roles.
pub type PhoneId = u32;

/// What control asks of the browser sessions. Commands of one connection are carried out in order; the first is `Hello`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RtcCommand {
    /// A control process begins: whatever was open belongs to nobody.
    Hello,
    /// Answer a browser. A phone that is open keeps its local port and its call; its old browser is forgotten.
    Open {
        /// Which phone.
        phone: PhoneId,
        /// SDP of the browser.
        offer: String,
    },
    /// Sound goes between the browser and this RTP peer of ours.
    Join {
        /// Which phone.
        phone: PhoneId,
        /// Where the engine's session receives.
        remote: SocketAddr,
        /// What both speak there.
        codec: Codec,
        /// Payload type of telephone-event there.
        event_type: Option<u8>,
    },
    /// The call is over; the browser stays.
    Part {
        /// Which phone.
        phone: PhoneId,
    },
    /// Send a key to the RTP peer.
    Key {
        /// Which phone.
        phone: PhoneId,
        /// Which key.
        key: Digit,
    },
    /// The browser is gone.
    Close {
        /// Which phone.
        phone: PhoneId,
    },
}

/// What the browser sessions tell control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RtcEvent {
    /// The answer for the browser, and the local port of the phone.
    Opened {
        /// Which phone.
        phone: PhoneId,
        /// SDP for the browser.
        answer: String,
        /// Where the phone receives RTP of the engine's session.
        rtp: SocketAddr,
    },
    /// The browser's offer is of no use, or there is no room.
    NotOpened {
        /// Which phone.
        phone: PhoneId,
        /// There is no room; else the offer is to blame.
        full: bool,
    },
    /// Sound can flow (ICE and DTLS are done), or no longer.
    Sound {
        /// Which phone.
        phone: PhoneId,
        /// It can.
        flows: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_only_what_is_understood() {
        let read = |text: &str| serde_json::from_str::<PhoneAsk>(text).ok();
        assert_eq!(read(r#"{"type":"dial","to":"*43"}"#), Some(PhoneAsk::Dial { to: "*43".into() }));
        assert_eq!(read(r#"{"type":"hang_up"}"#), Some(PhoneAsk::HangUp));
        assert!(matches!(read(r##"{"type":"key","key":"#"}"##), Some(PhoneAsk::Key { .. })));
        assert_eq!(read(r#"{"type":"key","key":"x"}"#), None);
        assert_eq!(read(r#"{"type":"reboot"}"#), None);
    }

    #[test]
    fn a_page_is_told_flat_json() {
        let call = PhoneCall {
            stage: PhoneStage::Ringing,
            number: "101".into(),
            name: String::new(),
            since: 7,
            heard: false,
        };
        let view = BrowserPhone {
            extension: "102".into(),
            open: true,
            sound: true,
            registered: true,
            call: Some(call),
        };
        let text = serde_json::to_string(&PhoneTell::Phone(view)).unwrap();
        assert!(text.starts_with(r#"{"type":"phone","extension":"102","open":true,"sound":true"#), "{text}");
        assert!(text.contains(r#""stage":"ringing""#), "{text}");
    }
}
