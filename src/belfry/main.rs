//! The binary: reads the command line and starts a role.
fn main() {}
