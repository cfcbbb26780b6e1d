//! Sockets: SIP over UDP and TCP, the media loop, the link between the two processes.

pub mod bind;
pub mod browser_phone;
pub mod frame;
pub mod link;
pub mod media_loop;
mod outbox;
pub mod ports;
pub mod resolve;
pub mod rtc;
pub mod sip_stream;
pub mod sip_udp;
