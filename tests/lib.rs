//! What the tests of the whole share: helpers to start the real binary and its peers.
