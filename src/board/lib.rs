//! The board's software face: its description, watchdog, service manager and sound card. A PC is a board too (`bench`).
//! Decides nothing about calls.

pub mod audio;
pub mod description;
pub mod network;
pub mod notify;
pub mod steward;
pub mod watchdog;
