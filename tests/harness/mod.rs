//! One file per real part a test of the whole may need.
pub mod baresip;
pub mod belfry;
pub mod browser;
pub mod campaign;
pub mod daytime;
pub mod disk;
pub mod flood;
pub mod kamailio;
pub mod lan;
pub mod process;
pub mod sipp;
pub mod site;
pub mod smtp;
pub mod tone;
