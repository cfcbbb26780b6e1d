//! Stories of the whole box in the simulated world, told with many seeds (`BELFRY_SEEDS`, 200 unless given; `BELFRY_SEED=n`
//! tells one). The facts are looked at while they run, and at the end of each nothing may be left over.
mod agents;
mod callback;
mod calls;
mod campaign;
mod clock;
mod control;
mod crash;
mod desk;
mod edits;
mod emergency;
mod figures;
mod first_call;
mod flow;
mod outbound;
mod phones;
mod queue;
mod races;
mod self_call;
mod shift;
mod strangers;
mod trunks;
mod voicemail;
