//! Live data for open pages: the hub keeps the last state of each thing, the socket tells each page what changed in what
//! it may see. Nothing here asks the engine anything.
pub mod hub;
pub mod phone;
pub mod proto;
pub mod scope;
pub mod stream;
pub mod topic;
pub mod ws;
