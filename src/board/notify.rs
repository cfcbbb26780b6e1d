//! Words to the service manager (`sd_notify`): ready, alive, stopping, status. Silent when there is none. Decides
//! nothing; the supervisor says when.
use std::time::Duration;

/// How often to say "alive" when nobody asks for it (the hardware watchdog may still want feeding).
const USUAL: Duration = Duration::from_secs(2);

/// The service manager, if one listens.
#[derive(Debug)]
pub struct Notify {
    listening: bool,
    pet_every: Duration,
}

impl Notify {
    /// Whom the environment names. An empty `NOTIFY_SOCKET` means nobody.
    #[must_use]
    pub fn from_environment() -> Notify {
        let listening = std::env::var_os("NOTIFY_SOCKET").is_some_and(|socket| !socket.is_empty());
        let limit = if listening { systemd::daemon::watchdog_enabled().unwrap_or(0) } else { 0 };
        Notify { listening, pet_every: pet_every(limit) }
    }

    /// How often [`Notify::alive`] is due: a third of the manager's limit.
    #[must_use]
    pub fn pet_every(&self) -> Duration {
        self.pet_every
    }

    /// The box takes calls.
    pub fn ready(&self) {
        self.tell(systemd::daemon::STATE_READY, "1");
    }

    /// Every loop beats.
    pub fn alive(&self) {
        self.tell(systemd::daemon::STATE_WATCHDOG, "1");
    }

    /// An orderly stop has begun.
    pub fn stopping(&self) {
        self.tell(systemd::daemon::STATE_STOPPING, "1");
    }

    /// One line for people, shown by `systemctl status`.
    pub fn status(&self, text: &str) {
        self.tell(systemd::daemon::STATE_STATUS, text);
    }

    fn tell(&self, key: &str, value: &str) {
        if !self.listening {
            return;
        }
        if let Err(error) = systemd::daemon::notify([(key, value)].iter()) {
            tracing::warn!(%error, key, "the service manager cannot be told");
        }
    }
}

fn pet_every(limit_us: u64) -> Duration {
    match limit_us {
        0 => USUAL,
        limit => Duration::from_micros(limit / 3).min(USUAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manager_hears_three_times_within_its_limit() {
        assert_eq!(pet_every(3_000_000), Duration::from_secs(1));
    }

    #[test]
    fn without_a_limit_and_with_a_long_one_the_usual_pace_holds() {
        assert_eq!(pet_every(0), USUAL);
        assert_eq!(pet_every(60_000_000), USUAL);
    }
}
