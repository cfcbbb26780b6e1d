//! Acts on the box as a whole: restart, switch off. The service manager does it in order; we only ask it.
use super::place::Place;
use super::run;
use board::steward::{Answer, Refused};
use std::time::Duration;

/// The service manager answers at once; what it then does takes longer.
const LIMIT: Duration = Duration::from_secs(15);

/// Restarts the box.
///
/// # Errors
/// The service manager refuses.
pub fn reboot(place: &Place) -> Result<Answer, Refused> {
    systemctl(place, "reboot")
}

/// Switches the box off.
///
/// # Errors
/// The service manager refuses.
pub fn off(place: &Place) -> Result<Answer, Refused> {
    systemctl(place, "poweroff")
}

fn systemctl(place: &Place, word: &str) -> Result<Answer, Refused> {
    run::run(place, "systemctl", &["--no-block", word], LIMIT)?.fine("systemctl")?;
    Ok(Answer::Done)
}
