//! The web admin of the box: HTTPS, sessions, the REST interface, the live socket and the embedded pages. Edge only: it
//! checks who asks and in what words, then hands on a `Command` or a question; it decides nothing about calls.

pub mod ports;
