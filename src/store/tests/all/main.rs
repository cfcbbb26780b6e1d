//! The store as its users see it: what is there after a restart, a kill, a full disk; what questions answer; how
//! configurations follow each other.
#[cfg(test)]
mod alarms;
#[cfg(test)]
mod contacts;
#[cfg(test)]
mod disk_full;
#[cfg(test)]
mod generations;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod questions;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod retime;
#[cfg(test)]
mod sealed;
#[cfg(test)]
mod wrong_sites;
