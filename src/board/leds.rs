//! The lamps of the board, through the kernel's LED class: which lamp shows what in which state of the box. The kernel
//! only switches them; the program that lives lets them blink, so a lamp that should blink and does not shows a dead one.
//! A lamp that the board does not have is left out; one that fails is told once. Decides the table of states; never what
//! state the box is in.
use crate::description::Leds;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// What the box shows, most urgent last: of two, the later one is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Stopped in order: power may be taken away.
    Off,
    /// Takes calls; nobody speaks.
    Ready,
    /// At least one call.
    InCall,
    /// Something is not well: the health page says what.
    Fault,
    /// Nobody has done the first set-up; until then nobody has said what is well.
    SetupNeeded,
    /// No network interface has an address: not even the health page can be reached.
    NoNetwork,
    /// Starting, or a part is being started again.
    Booting,
    /// An update is being written: do not take power away.
    Updating,
    /// The button was held long enough: letting it go resets the box to factory state.
    ResetArmed,
}

impl State {
    /// All of them.
    pub const ALL: [State; 9] = [
        State::Off,
        State::Ready,
        State::InCall,
        State::Fault,
        State::SetupNeeded,
        State::NoNetwork,
        State::Booting,
        State::Updating,
        State::ResetArmed,
    ];
}

/// What one lamp does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Light {
    /// Dark.
    Off,
    /// Lit.
    On,
    /// Lit, with a short dark moment every two seconds.
    Wink,
    /// Half a second each.
    Slow,
    /// A quarter of a second each.
    Fast,
}

impl Light {
    /// Milliseconds lit, and of the whole round.
    fn times(self) -> (u128, u128) {
        match self {
            Light::Off => (0, 1),
            Light::On => (1, 1),
            Light::Wink => (1750, 2000),
            Light::Slow => (500, 1000),
            Light::Fast => (250, 500),
        }
    }

    /// Whether it is lit at this time of a clock that never jumps.
    #[must_use]
    pub fn is_lit(self, at: Duration) -> bool {
        let (lit, round) = self.times();
        at.as_millis() % round < lit
    }
}

/// The table: what the status lamp (green) and the fault lamp (red) do.
#[must_use]
pub fn lights(state: State) -> (Light, Light) {
    match state {
        State::Off => (Light::Off, Light::Off),
        State::Ready => (Light::On, Light::Off),
        State::InCall => (Light::Wink, Light::Off),
        State::SetupNeeded => (Light::Slow, Light::Off),
        State::NoNetwork => (Light::Off, Light::Slow),
        State::Fault => (Light::On, Light::On),
        State::Booting => (Light::Fast, Light::Off),
        State::Updating => (Light::Slow, Light::Slow),
        State::ResetArmed => (Light::Fast, Light::Fast),
    }
}

/// The lamps.
#[derive(Debug)]
pub struct Lamps {
    lamps: Vec<Lamp>,
}

#[derive(Debug)]
struct Lamp {
    folder: PathBuf,
    red: bool,
    lit: Option<bool>,
    complained: bool,
}

impl Lamps {
    /// By the board's description.
    #[must_use]
    pub fn new(leds: &Leds) -> Lamps {
        let lamp = |(name, red): (&Option<String>, bool)| {
            let folder = leds.root.join("sys/class/leds").join(name.as_ref()?);
            Some(Lamp { folder, red, lit: None, complained: false })
        };
        Lamps { lamps: [(&leds.status, false), (&leds.fault, true)].into_iter().filter_map(lamp).collect() }
    }

    /// Shows a state at this time of a clock that never jumps; called often, writes only what changes.
    pub fn show(&mut self, state: State, at: Duration) {
        let (status, fault) = lights(state);
        for lamp in &mut self.lamps {
            lamp.set((if lamp.red { fault } else { status }).is_lit(at));
        }
    }

    /// Somebody else may have set the lamps meanwhile: the next [`Lamps::show`] writes them all.
    pub fn forget(&mut self) {
        self.lamps.iter_mut().for_each(|lamp| lamp.lit = None);
    }
}

impl Lamp {
    fn set(&mut self, lit: bool) {
        if self.lit == Some(lit) {
            return;
        }
        let first = self.lit.replace(lit).is_none();
        if let Err(error) = self.write(lit, first)
            && !std::mem::replace(&mut self.complained, true)
        {
            tracing::warn!(lamp = %self.folder.display(), %error, "a lamp cannot be set; check the board's description");
        }
    }

    fn write(&self, lit: bool, first: bool) -> std::io::Result<()> {
        if first {
            // What the kernel showed with it until now; one that cannot be told goes dark by the write below.
            let _ = fs::write(self.folder.join("trigger"), "none");
        }
        let most = fs::read_to_string(self.folder.join("max_brightness")).unwrap_or_else(|_| "1".into());
        fs::write(self.folder.join("brightness"), if lit { most.trim() } else { "0" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn board(root: &Path) -> Leds {
        for lamp in ["box:green:status", "box:red:fault"] {
            let folder = root.join("sys/class/leds").join(lamp);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("max_brightness"), "255\n").unwrap();
            fs::write(folder.join("trigger"), "[heartbeat] none\n").unwrap();
        }
        Leds {
            root: root.to_owned(),
            status: Some("box:green:status".into()),
            fault: Some("box:red:fault".into()),
        }
    }

    /// What a person sees in two seconds, an eighth of them a letter: `#` lit, `.` dark.
    fn seen(lamps: &mut Lamps, root: &Path, state: State) -> (String, String) {
        let (mut green, mut red) = (String::new(), String::new());
        for eighth in 0..8 {
            lamps.show(state, Duration::from_millis(eighth * 250));
            for (lamp, picture) in [("box:green:status", &mut green), ("box:red:fault", &mut red)] {
                let folder = root.join("sys/class/leds").join(lamp);
                assert_eq!(fs::read_to_string(folder.join("trigger")).unwrap(), "none");
                let lit = fs::read_to_string(folder.join("brightness")).unwrap();
                picture.push(if lit == "255" { '#' } else { '.' });
            }
        }
        (green, red)
    }

    #[test]
    fn every_state_has_its_own_picture_on_the_lamps() {
        let root = tempfile::tempdir().unwrap();
        let mut lamps = Lamps::new(&board(root.path()));
        let table = [
            (State::Off, "........", "........"),
            (State::Ready, "########", "........"),
            (State::InCall, "#######.", "........"),
            (State::SetupNeeded, "##..##..", "........"),
            (State::NoNetwork, "........", "##..##.."),
            (State::Fault, "########", "########"),
            (State::Booting, "#.#.#.#.", "........"),
            (State::Updating, "##..##..", "##..##.."),
            (State::ResetArmed, "#.#.#.#.", "#.#.#.#."),
        ];
        assert_eq!(table.len(), State::ALL.len());
        // Each state after each other one: nothing of the one before stays.
        for before in State::ALL {
            for (state, green, red) in table {
                lamps.show(before, Duration::ZERO);
                let picture = seen(&mut lamps, root.path(), state);
                assert_eq!((picture.0.as_str(), picture.1.as_str()), (green, red), "{before:?} to {state:?}");
            }
        }
        let mut pictures: Vec<_> = table.iter().map(|(_, g, r)| (g, r)).collect();
        pictures.sort_unstable();
        pictures.dedup();
        assert_eq!(pictures.len(), table.len(), "no two states look alike");
    }

    #[test]
    fn a_board_without_lamps_and_one_with_a_wrong_name_harm_nobody() {
        let root = tempfile::tempdir().unwrap();
        Lamps::new(&Leds::default()).show(State::Ready, Duration::ZERO);
        let wrong = Leds { root: root.path().to_owned(), status: Some("none".into()), fault: None };
        let mut lamps = Lamps::new(&wrong);
        lamps.show(State::Ready, Duration::ZERO);
        assert!(lamps.lamps[0].complained);
    }
}
