//! The web admin of the box: HTTPS, sessions, the REST interface, the live socket and the embedded pages. Edge only: it
//! checks who asks and in what words, then hands on a `Command` or a question; it decides nothing about calls.

pub mod accounts;
pub mod api;
pub mod app;
pub mod assets;
pub mod client;
pub mod error;
pub mod extract;
pub mod guard;
pub mod headers;
pub mod idempotency;
pub mod live;
pub mod operation;
pub mod password;
mod patience;
pub mod personal;
pub mod ports;
pub mod secret;
pub mod server;
pub mod session;
pub mod setup;
pub mod throttle;
pub mod tls;
pub mod upload;

#[cfg(test)]
mod tests;
