//! The world outside, virtual: phones, trunks, people, wire, disk.
