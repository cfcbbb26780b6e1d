//! Stories of the whole box in the simulated world, told with many seeds (`BELFRY_SEEDS`, 200 unless given; `BELFRY_SEED=n`
//! tells one). The facts are looked at while they run, and at the end of each nothing may be left over.
mod agents;
mod application;
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
mod speech;
mod strangers;
mod trunks;
mod voicemail;

/// A folder for a real store. Its disk is not what these stories are about, so it is in memory where there is such a place.
fn in_memory() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a temporary folder")
}
