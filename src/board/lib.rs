//! The board's software face: its description, watchdog, service manager and sound card. A PC is a board too (`bench`).
//! Decides nothing about calls.

pub mod audio;
pub mod button;
pub mod description;
pub mod leds;
pub mod mixer;
pub mod network;
pub mod notify;
pub mod rtc;
pub mod sensor;
pub mod steward;
pub mod watchdog;
