//! The sip crate from outside: calls between two endpoints, lossy wires, the torture set, broken messages, a second
//! parser. One program, so that it links once.
#![cfg(test)]

mod auth;
mod calls;
mod common;
mod defects;
mod loss;
mod mutants;
mod odd;
mod reliable;
mod rfc4475;
mod second_parser;
mod session_timer;
mod watching;
