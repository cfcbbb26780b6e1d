//! The engine in calls: stories on virtual time with scripted phones and carriers.
#[cfg(test)]
mod budget;
#[cfg(test)]
mod digest;
#[cfg(test)]
mod door;
#[cfg(test)]
mod features;
#[cfg(test)]
mod fraud;
#[cfg(test)]
mod handing;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod inbound;
#[cfg(test)]
mod inside;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod routes;
