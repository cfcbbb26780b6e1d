//! Outbound dialling. Holds the pace: how many lines to launch now. Pure; decides nothing about whom to call.
pub mod pace;
