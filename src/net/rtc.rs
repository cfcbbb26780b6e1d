//! Browser sessions in the media role: one thread with one UDP port for all browsers (ICE-lite, DTLS-SRTP) and a local RTP
//! port for each phone, at which the media core sees it as any other peer. Control says whose offer is to be answered and
//! where the sound goes; the sound goes on while control is away. Decides nothing about calls.
//!
//! What comes from strangers: a datagram is taken only from an address that has proved itself to a session (STUN with that
//! session's password); anything else but a STUN request is dropped unread, and of those only so many a turn are tried.
mod bridge;
mod g722;
mod keys;
mod opus;
mod phone;
mod room;
mod session;
mod speech;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// Browser phones at once: one a desk of the largest site we promise, and 64 × 2 sockets fit any limit of files.
pub const PHONES_MAX: usize = 64;

/// What the thread needs.
pub struct RtcConfig {
    /// UDP address and port for browsers; port 0 takes any.
    pub bind: SocketAddr,
    /// Unix socket on which control speaks.
    pub socket: PathBuf,
    /// Addresses that browsers may reach us at; asked for each session, because a lease may have changed.
    pub addresses: Box<dyn Fn() -> Vec<IpAddr> + Send>,
    /// Proof of life.
    pub beat: Arc<AtomicU64>,
    /// Ends the thread within a quarter of a second.
    pub stop: Arc<AtomicBool>,
}

/// Opens the sockets and starts the thread.
///
/// # Errors
/// The operating system's: the port is taken, the socket file cannot be made, no thread.
pub fn start(config: RtcConfig) -> std::io::Result<()> {
    let room = room::Room::open(config)?;
    std::thread::Builder::new().name("browsers".into()).spawn(move || room.run())?;
    Ok(())
}

#[cfg(test)]
mod tests;
