//! What the tests of the whole share: starting the real binary and its real peers (Kamailio, baresip, SIPp, an SMTP
//! server) on loopback addresses of their own, and listening to what is heard. Everything started here ends with its
//! value. Nothing here decides whether a test passes.
pub mod harness;
