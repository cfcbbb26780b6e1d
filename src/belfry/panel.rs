//! The lamps and the button of the box while control runs: shows the most urgent of what is so, and turns a long press into
//! the factory reset. On a thread of its own that may wait for the button. Decides only which state is shown; the table of
//! lights is the board's. The supervisor shows what control cannot: that it is starting, or gone.
use crate::mirror::Mirror;
use crate::ports;
use board::button::{Button, Meaning};
use board::description::Board;
use board::leds::{Lamps, State};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How often the lamps follow, and the longest wait for the button.
const ROUND: Duration = Duration::from_millis(125);
/// How often it is asked whether there is a network: a walk over the interfaces.
const NETWORK: Duration = Duration::from_secs(3);
/// A button that is gone (a device that was taken out) is tried again after this.
const AGAIN: Duration = Duration::from_secs(10);

/// What is shown is made of these.
pub struct Panel {
    /// Calls.
    pub mirror: Arc<Mirror>,
    /// Alarms that are on.
    pub alarms: Arc<AtomicUsize>,
    /// An update is being written.
    pub updating: Arc<AtomicBool>,
    /// Whether the first set-up is still to be done.
    pub setup_needed: Box<dyn Fn() -> bool + Send>,
    /// What a long press does.
    pub reset: Box<dyn Fn() + Send>,
    /// Ends the thread.
    pub stop: Arc<AtomicBool>,
}

/// What is so at the moment.
#[derive(Clone, Copy, Debug, Default)]
struct Facts {
    calls: bool,
    setup_needed: bool,
    no_network: bool,
    alarms: bool,
    updating: bool,
    armed: bool,
}

/// The most urgent of what is so.
fn state(facts: Facts) -> State {
    let so = [
        (facts.calls, State::InCall),
        (facts.setup_needed, State::SetupNeeded),
        (facts.no_network, State::NoNetwork),
        (facts.alarms, State::Fault),
        (facts.updating, State::Updating),
        (facts.armed, State::ResetArmed),
    ];
    so.into_iter().filter(|(is, _)| *is).map(|(_, state)| state).max().unwrap_or(State::Ready)
}

impl Panel {
    /// Runs until `stop`.
    pub fn run(self, board: &Board) {
        let start = Instant::now();
        let mut lamps = Lamps::new(&board.leds);
        let mut button = None;
        let (mut try_at, mut ask_at) = (Instant::now(), Instant::now());
        let mut facts = Facts::default();
        while !self.stop.load(Ordering::Relaxed) {
            let now = Instant::now();
            if button.is_none() && now >= try_at {
                button = open(board);
                try_at = now + AGAIN;
            }
            if now >= ask_at {
                facts.no_network = ports::own_addresses().is_empty();
                ask_at = now + NETWORK;
            }
            let meaning = self.wait(&mut button);
            if meaning == Meaning::Reset {
                tracing::warn!("the button was held: factory reset");
                (self.reset)();
            }
            facts.armed = meaning == Meaning::Armed;
            facts.calls = !self.mirror.is_silent();
            facts.alarms = self.alarms.load(Ordering::Relaxed) > 0;
            facts.updating = self.updating.load(Ordering::Relaxed);
            facts.setup_needed = (self.setup_needed)();
            lamps.show(state(facts), start.elapsed());
        }
    }

    fn wait(&self, button: &mut Option<Button>) -> Meaning {
        let Some(open) = button else {
            std::thread::sleep(ROUND);
            return Meaning::Nothing;
        };
        open.wait(ROUND).unwrap_or_else(|error| {
            tracing::warn!(%error, "the button is gone; tried again later");
            *button = None;
            Meaning::Nothing
        })
    }
}

fn open(board: &Board) -> Option<Button> {
    let description = board.button.as_ref()?;
    let opened = Button::open(description);
    opened.inspect_err(|error| tracing::debug!(key = description.key, %error, "no button")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_of_what_is_so_is_shown() {
        let quiet = Facts::default();
        assert_eq!(state(quiet), State::Ready);
        assert_eq!(state(Facts { calls: true, ..quiet }), State::InCall);
        assert_eq!(state(Facts { calls: true, alarms: true, ..quiet }), State::Fault);
        assert_eq!(state(Facts { alarms: true, setup_needed: true, ..quiet }), State::SetupNeeded);
        assert_eq!(state(Facts { setup_needed: true, no_network: true, ..quiet }), State::NoNetwork);
        assert_eq!(state(Facts { no_network: true, updating: true, ..quiet }), State::Updating);
        assert_eq!(state(Facts { updating: true, armed: true, ..quiet }), State::ResetArmed);
    }
}
