//! RFC 3261 and family without sockets: bytes and time in, bytes and indications out.
//!
//! [`endpoint::Endpoint`] is the whole machine: feed it datagrams (or messages that [`framing::StreamFramer`] cut
//! from a stream) with [`endpoint::Endpoint::receive`], time with `handle_timeout`, wishes with the other methods;
//! it answers with [`Output`]s. Everything else here is a part of it or a value it speaks in.
#![forbid(unsafe_code)]

mod answer;
pub mod builder;
pub mod cseq;
mod dialog;
pub mod digest;
pub mod endpoint;
pub mod flow;
pub mod framing;
pub mod headers;
pub mod ids;
pub mod indication;
pub mod limits;
pub mod message;
pub mod method;
pub mod name;
pub mod name_addr;
mod outgoing;
mod reliable;
pub mod route_set;
pub mod scan;
pub mod sdp;
mod session_timer;
mod subscription;
pub mod timer;
pub mod transaction;
pub mod typed;
pub mod uri;
pub mod via;

pub use endpoint::Endpoint;
pub use flow::{Flow, Transport};
pub use headers::Headers;
pub use indication::{Ended, Failure, Indication, Output};
pub use message::{Message, Request, Response, Why};
pub use method::Method;
pub use name::Name;
pub use name_addr::NameAddr;
pub use uri::{Scheme, Uri};
