//! Keys of phones: read from RFC 4733 events or, when the peer has none, from the sound itself; sent as events or, to a
//! peer without them, as tones.

mod inband;
mod receive;
mod send;

pub use inband::InbandDetector;
pub use receive::EventReader;
pub(crate) use send::{DigitSender, KeyFrame};
