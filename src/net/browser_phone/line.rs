//! One phone: which tab is it, whether it is registered and has sound, and its one call. Data and small questions; what
//! happens to it stands in `board`.
use super::TabId;
use model::browser_phone::{BrowserPhone, PhoneCall, PhoneId, PhoneStage};
use model::clock::{Mono, Wall};
use model::id::LegId;
use sip::NameAddr;
use sip::sdp::offer_answer::Side;
use std::net::SocketAddr;

/// A phone in a browser.
#[derive(Debug)]
pub(super) struct Phone {
    pub id: PhoneId,
    pub extension: String,
    /// The tab that is the phone, while its socket is open.
    pub tab: Option<TabId>,
    /// Its name, so that it is known again after a reload.
    pub key: String,
    /// Since when no tab is the phone.
    pub alone: Option<Mono>,
    /// Its local RTP port in the media role, once a browser was answered.
    pub rtp: Option<SocketAddr>,
    /// Sound flows between browser and box.
    pub sound: bool,
    pub login: Registration,
    pub line: Line,
}

/// Its registration with the engine.
#[derive(Debug)]
pub(super) struct Registration {
    pub call_id: String,
    pub cseq: u32,
    /// A REGISTER is under way.
    pub asking: bool,
    pub on: bool,
    /// When to ask again.
    pub again: Option<Mono>,
}

/// What the one line does.
#[derive(Debug)]
pub(super) enum Line {
    Idle,
    Ringing { leg: LegId, with: Party, offer: Option<Vec<u8>> },
    Dialing { leg: LegId, with: Party, side: Box<Side>, early: bool },
    Talking { leg: LegId, with: Party, side: Box<Side> },
}

/// The other end.
#[derive(Clone, Debug)]
pub(super) struct Party {
    pub number: String,
    pub name: String,
    /// Since when the call is in its stage.
    pub since: Wall,
}

impl Party {
    /// Of a header: names longer than a screen are cut.
    pub fn of(header: &NameAddr, since: Wall) -> Party {
        let cut = |text: &str| text.chars().filter(|c| !c.is_control()).take(80).collect::<String>();
        let number = header.uri.user().map(|u| cut(&u)).filter(|u| u != "anonymous").unwrap_or_default();
        Party { number, name: cut(header.display.as_deref().unwrap_or_default()), since }
    }
}

impl Phone {
    /// A new one.
    pub fn new(id: PhoneId, extension: String, key: String, tab: TabId, call_id: String) -> Phone {
        let login = Registration { call_id, cseq: 0, asking: false, on: false, again: None };
        Phone {
            id,
            extension,
            tab: Some(tab),
            key,
            alone: None,
            rtp: None,
            sound: false,
            login,
            line: Line::Idle,
        }
    }

    /// As its page shows it.
    pub fn view(&self) -> BrowserPhone {
        BrowserPhone {
            extension: self.extension.clone(),
            open: self.rtp.is_some(),
            sound: self.sound,
            registered: self.login.on,
            call: self.line.view(),
        }
    }
}

impl Line {
    /// The leg of its call.
    pub fn leg(&self) -> Option<LegId> {
        match self {
            Line::Idle => None,
            Line::Ringing { leg, .. } | Line::Dialing { leg, .. } | Line::Talking { leg, .. } => Some(*leg),
        }
    }

    fn view(&self) -> Option<PhoneCall> {
        let (stage, with, early) = match self {
            Line::Idle => return None,
            Line::Ringing { with, .. } => (PhoneStage::Ringing, with, false),
            Line::Dialing { with, early, .. } => (PhoneStage::Dialing, with, *early),
            Line::Talking { with, .. } => (PhoneStage::Talking, with, true),
        };
        Some(PhoneCall {
            stage,
            number: with.number.clone(),
            name: with.name.clone(),
            since: with.since.0,
            heard: early,
        })
    }
}
