//! The web as its askers see it: whole requests against the router, with the rest of the box in memory.
mod backups;
mod capture;
mod common;
mod config;
mod contacts;
mod desk;
mod flows;
mod live;
mod network;
mod robust;
mod roles;
mod sign_in;
mod slow;
mod update;
