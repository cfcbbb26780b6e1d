//! The simulated world on virtual time: the box (the real engine and the real media core), the disk under it, the wire around
//! it, phones, carriers and their people. Everything happens in the order of its time, chance comes from one seed: the same
//! seed is the same run. The facts of `check.rs` are looked at while it runs; a broken one ends the story.
mod application;
mod pbx;
mod story;

pub use story::CallRef;

use crate::dice::Dice;
use crate::ladder::Ladder;
use crate::site;
use crate::sound;
use crate::ua::{Account, Habit, Ua};
use crate::wire::{Datagram, Wire};
use media::prompts::PromptSet;
use model::clock::{Mono, Now, Wall};
use model::config::Config;
use pbx::Pbx;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// The box's address.
const BOX: [u8; 4] = [10, 0, 0, 1];

/// The box takes calls this long after its start: its media has answered.
const STARTED: Duration = Duration::from_millis(10);

/// Wednesday, 4 March 2026, 10:00 in Berlin.
const MORNING: Wall = Wall(1_772_614_800_000);

/// Which user agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UaId(pub usize);

/// The world.
pub struct World {
    /// Chance of the story's people.
    pub dice: Dice,
    /// The network.
    pub wire: Wire,
    /// The box and its disk.
    pub pbx: Pbx,
    now: Now,
    seed: u64,
    uas: Vec<Ua>,
    by_ip: BTreeMap<IpAddr, UaId>,
    /// When each user agent wants to be woken, and those for which that may have changed.
    agenda: BTreeSet<(Mono, usize)>,
    wakes: Vec<Option<Mono>>,
    touched: BTreeSet<usize>,
    ladder: Ladder,
    steps: u64,
    digest: u64,
    checked: Mono,
    strict: bool,
}

/// When a world begins, what its box says, and whether a broken fact ends it.
pub struct Place {
    /// When.
    pub at: Wall,
    /// The prompts of the box.
    pub prompts: Arc<PromptSet>,
    /// A broken fact ends the story with its ladder.
    pub strict: bool,
}

impl World {
    /// A world with this site, its carrier, and a phone for each of 101 to 105, not registered yet.
    #[must_use]
    pub fn new(seed: u64, config: Arc<Config>) -> World {
        World::at(seed, config, Place { at: MORNING, prompts: sound::prompts(), strict: true })
    }

    /// The same at another place.
    #[must_use]
    pub fn at(seed: u64, config: Arc<Config>, place: Place) -> World {
        let now = Now { mono: Mono(1_000_000), wall: place.at };
        let mut world = World {
            dice: Dice::new(seed),
            wire: Wire::new(seed),
            pbx: Pbx::new(seed, config.clone(), IpAddr::from(BOX), place.prompts),
            now,
            seed,
            uas: Vec::new(),
            by_ip: BTreeMap::new(),
            agenda: BTreeSet::new(),
            wakes: Vec::new(),
            touched: BTreeSet::new(),
            ladder: Ladder::default(),
            steps: 0,
            digest: 0,
            checked: Mono(0),
            strict: place.strict,
        };
        world.add_ua("carrier", IpAddr::from(site::CARRIER), 1);
        world.uas[0].lines = 1_000;
        for (n, number) in (1_u16..20_000).zip(config.extension.keys()) {
            let [high, low] = n.to_be_bytes();
            world.add_ua(number.as_str(), IpAddr::from([10, 1, high, low]), 100 + n);
        }
        world.start_box();
        world.run_for(STARTED);
        world
    }

    /// Adds a user agent at an address of its own.
    pub fn add_ua(&mut self, name: &str, ip: IpAddr, voice: u16) -> UaId {
        let id = UaId(self.uas.len());
        let registrar = SocketAddr::new(IpAddr::from(BOX), 5060);
        self.uas.push(Ua::new(self.seed, name, SocketAddr::new(ip, 5060), voice, registrar));
        self.wakes.push(None);
        self.by_ip.insert(ip, id);
        id
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// Somebody, or a time server, sets the wall clock of the box. The other clock goes on as if nothing had happened.
    pub fn set_clock(&mut self, by_ms: i64) {
        self.now.wall = Wall(self.now.wall.0 + by_ms);
    }

    /// A phone by its number, or `carrier`.
    ///
    /// # Panics
    /// When there is none: the story is wrong.
    #[must_use]
    pub fn ua(&self, name: &str) -> UaId {
        let place = self.uas.iter().position(|ua| ua.name == name);
        UaId(place.unwrap_or_else(|| panic!("no phone {name} in this world")))
    }

    /// A user agent, to look at.
    #[must_use]
    pub fn look(&self, ua: UaId) -> &Ua {
        &self.uas[ua.0]
    }

    /// A user agent, to change its person.
    pub fn change(&mut self, ua: UaId) -> &mut Ua {
        self.touched.insert(ua.0);
        &mut self.uas[ua.0]
    }

    /// What the person at this phone does when it rings.
    pub fn habit(&mut self, name: &str, habit: Habit) {
        let ua = self.ua(name);
        self.change(ua).habit = habit;
    }

    /// Steps taken, for the bench.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// A digest of everything that was sent, in order: the same run has the same.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Registers these phones with the passwords of the site.
    pub fn register(&mut self, names: &[&str]) {
        let now = self.now;
        for name in names {
            let ua = self.ua(name);
            let extension = self.pbx.config.extension.values().find(|e| e.number.as_str() == *name);
            let Some(extension) = extension else { continue };
            let account = Account {
                user: extension.user.clone(),
                password: extension.password.clone(),
                expires_s: 120,
            };
            self.change(ua).register(now, account);
        }
    }

    /// The power fails and comes back after a while.
    pub fn power_cut(&mut self, off: Duration) {
        self.ladder.note(self.now.mono, "power cut");
        self.pbx.power_cut(self.now);
        self.wire.cut(IpAddr::from(BOX));
        self.run_for(off);
        self.start_box();
        self.run_for(STARTED);
    }

    fn start_box(&mut self) {
        self.ladder.note(self.now.mono, "box starts");
        let mut sent = Vec::new();
        self.pbx.start(self.now, &mut sent);
        self.post(sent);
    }

    /// Lets this much time pass.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now.mono + time;
        while self.next().is_some_and(|at| at <= end) {
            self.step();
        }
        self.advance(end);
    }

    fn next(&mut self) -> Option<Mono> {
        for place in std::mem::take(&mut self.touched) {
            let wake = self.uas[place].next();
            if let Some(old) = std::mem::replace(&mut self.wakes[place], wake) {
                self.agenda.remove(&(old, place));
            }
            self.agenda.extend(wake.map(|at| (at, place)));
        }
        let uas = self.agenda.first().map(|(at, _)| *at);
        [self.wire.next(), self.pbx.next(), uas].into_iter().flatten().min()
    }

    fn advance(&mut self, to: Mono) {
        let ms = i64::try_from(to.0 / 1000).unwrap_or(i64::MAX)
            - i64::try_from(self.now.mono.0 / 1000).unwrap_or(0);
        self.now = Now { mono: to.max(self.now.mono), wall: Wall(self.now.wall.0 + ms.max(0)) };
    }

    /// The next moment at which something happens.
    fn step(&mut self) {
        let Some(at) = self.next() else { return };
        self.advance(at);
        self.steps += 1;
        let now = self.now;
        while let Some(datagram) = self.wire.arrived(now.mono) {
            self.deliver(&datagram);
        }
        let due: Vec<usize> =
            self.agenda.iter().take_while(|(at, _)| *at <= now.mono).map(|(_, place)| *place).collect();
        for place in due {
            let mut sent = Vec::new();
            self.change(UaId(place)).wake(now, &mut sent);
            self.post(sent);
        }
        if self.pbx.next().is_some_and(|at| at <= now.mono) {
            let mut sent = Vec::new();
            self.pbx.wake(now, &mut sent);
            self.post(sent);
        }
        self.check();
    }

    fn deliver(&mut self, datagram: &Datagram) {
        let mut sent = Vec::new();
        if datagram.to.ip() == IpAddr::from(BOX) {
            self.pbx.receive(self.now, datagram, &mut sent);
        } else if let Some(ua) = self.by_ip.get(&datagram.to.ip()).copied() {
            let now = self.now;
            self.change(ua).receive(now, datagram, &mut sent);
        }
        self.post(sent);
    }

    fn post(&mut self, sent: Vec<Datagram>) {
        for datagram in sent {
            let signalling = datagram.from.port() == 5060;
            if signalling {
                self.ladder.message(self.now.mono, datagram.from, datagram.to, &datagram.bytes);
            }
            self.digest_in(&datagram);
            self.wire.send(self.now.mono, datagram, !signalling);
        }
    }

    fn digest_in(&mut self, datagram: &Datagram) {
        let mut mix = |value: u64| {
            self.digest = (self.digest ^ value).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
        };
        mix(self.now.mono.0);
        mix(u64::from(datagram.to.port()));
        for chunk in datagram.bytes.chunks(8) {
            let mut eight = [0; 8];
            eight[..chunk.len()].copy_from_slice(chunk);
            mix(u64::from_le_bytes(eight));
        }
    }

    /// The facts, once a step for what is cheap, ten times a second for the rest.
    fn check(&mut self) {
        let all = self.now.mono.since(self.checked) >= Duration::from_millis(100);
        if all {
            self.checked = self.now.mono;
        }
        let broken = self.pbx.check(all);
        assert!(broken.is_empty() || !self.strict, "broken at {:?}: {broken:#?}", self.now.mono);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() && self.strict {
            // Lines of a failing story: the test harness shows them under its name.
            eprintln!("--- seed {}\n{}", self.seed, self.ladder.show());
        }
    }
}
