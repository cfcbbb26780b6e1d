//! Every decision of the box. Pure: no IO, no clock, no locks, no tasks.
