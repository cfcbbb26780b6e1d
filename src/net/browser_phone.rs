//! Phones in browsers, the control role's half: for the engine each is one more SIP phone of its extension, registered
//! from a port of loopback; for the page it is a socket of JSON words. `board` is what happens, without sockets or clocks;
//! `serve` carries its wishes out. Sound is made elsewhere (`rtc`, in the media role), which this asks for it.
mod board;
mod line;
mod serve;

pub use serve::{BoardConfig, PhoneLine, Switch, start};

use model::browser_phone::{PhoneAsk, PhoneTell, RtcCommand, RtcEvent};
use sip::digest::Credentials;
use std::net::SocketAddr;

/// One open socket of a page.
pub(crate) type TabId = u64;

/// Something that happened to the board.
#[derive(Clone, Debug)]
pub(crate) enum In {
    /// A page came. `key`: random, of the tab; the same after a reload.
    Attached {
        /// Its socket.
        tab: TabId,
        /// Whose phone it wants to be.
        extension: String,
        /// Name of the tab.
        key: String,
    },
    /// Its socket is gone.
    Detached(TabId),
    /// It asks.
    Asked(TabId, PhoneAsk),
    /// A SIP datagram of the engine.
    Sip(Vec<u8>),
    /// The browser sessions say something.
    Rtc(RtcEvent),
    /// They are there (again), empty; or gone.
    RtcUp(bool),
    /// Time has passed.
    Tick,
}

/// Something the board wants done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Out {
    /// To the engine.
    Sip(Vec<u8>),
    /// To the browser sessions.
    Rtc(RtcCommand),
    /// To a page.
    Tell(TabId, PhoneTell),
}

/// Who an extension's phones log in as; none: there is no such extension (any more).
pub type Accounts = Box<dyn Fn(&str) -> Option<Credentials> + Send>;

/// Where things are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    /// Our own SIP address.
    pub own: SocketAddr,
    /// Where the engine takes SIP.
    pub engine: SocketAddr,
}

#[cfg(test)]
mod tests;
