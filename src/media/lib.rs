//! RTP to RTP without sockets, files, threads or clocks: packets, commands and ticks in; packets, events and file
//! bytes out. The shell that owns sockets and files is `net::media_loop`; the simulator is the other.
//!
//! One [`core::MediaCore`] serves one media thread: sessions that are joined must live in the same core.

pub mod codec;
pub mod core;
pub mod digits;
pub mod halfband;
pub mod limits;
mod mix;
pub mod out;
pub mod player;
pub mod port;
pub mod progress;
pub mod prompts;
pub mod recorder;
pub mod resample;
pub mod rtcp;
pub mod rtp;
mod sender;
mod session;
mod speech;
pub mod tone;
pub mod wav;
