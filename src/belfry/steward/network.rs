//! Acts on the network and the clock. Settings are written as files of systemd below `/run/systemd` (in force now) and
//! `/data/system` (from the next start on, copied by the initrd); when a change is on trial and when it comes back is
//! decided in `board::network::trial`. A thread waits for the end of a trial, so the box need not live for it.
use super::place::Place;
use super::run;
use board::network::trial::{Act, Trial, Why};
use board::network::{Settings, render};
use board::steward::{Answer, NetworkState, NetworkTree, NetworkTried, NetworkUndone, Refused};
use model::clock::Mono;
use model::config::draft;
use model::config::network::{Network, Time};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What outlives a restart of the machine.
const KEPT: &str = "/data/system/network.json";
/// In force now.
const LIVE: &str = "/run/systemd";
/// In force from the next start on.
const SETTLED: &str = "/data/system";
/// Bound over `/etc/hostname` at the next start.
const HOST_NAME: &str = "/data/etc/hostname";
/// A program that looks or reloads answers at once, or is stuck.
const LIMIT: Duration = Duration::from_secs(15);
/// Longest wait of the thread that ends trials.
const NAP: Duration = Duration::from_secs(3600);

/// What is on disk: enough to come back to the settled settings, and to know that a trial was cut off.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    settled: NetworkTree,
    tried: Option<NetworkTree>,
}

/// The network of the machine and its trial.
#[derive(Clone)]
pub struct Keeper {
    shared: Arc<(Mutex<Trial>, Condvar)>,
    place: Arc<Place>,
    started: Instant,
}

impl Keeper {
    /// Reads what is kept; takes back a trial that a restart cut off; starts the thread that ends trials.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(place: Arc<Place>) -> std::io::Result<Keeper> {
        let kept = read_kept(&place.path(KEPT));
        let usual = Settings { network: Network::default(), time: Time::default() };
        let settled = settings_of(&kept.settled).unwrap_or(usual);
        let (trial, acts) = Trial::new(settled, kept.tried.as_ref().and_then(|tree| settings_of(tree).ok()));
        let shared = Arc::new((Mutex::new(trial), Condvar::new()));
        let keeper = Keeper { shared, place, started: Instant::now() };
        if !acts.is_empty() {
            tracing::warn!(
                "a network change was cut off by a restart before anybody kept it; the old settings are back"
            );
            keeper
                .settle_acts(&mut keeper.lock(), acts)
                .unwrap_or_else(|why| tracing::error!(%why, "the network cannot be set"));
        }
        let waiting = keeper.clone();
        std::thread::Builder::new().name("network-trial".into()).spawn(move || waiting.wait())?;
        Ok(keeper)
    }

    /// Puts settings in force.
    ///
    /// # Errors
    /// They are wrong, or the machine refuses.
    pub fn apply(&self, tree: &NetworkTree) -> Result<Answer, Refused> {
        let settings = settings_of(tree)?;
        let token = token()?;
        let mut trial = self.lock();
        let acts = trial.apply(self.now(), settings, token);
        self.settle_acts(&mut trial, acts)?;
        self.shared.1.notify_all();
        Ok(Answer::Done)
    }

    /// Keeps what is on trial.
    ///
    /// # Errors
    /// Nothing is on trial by this token, or the disk refuses.
    pub fn keep(&self, token: &str) -> Result<Answer, Refused> {
        let mut trial = self.lock();
        let (kept, acts) = trial.keep(self.now(), token);
        self.settle_acts(&mut trial, acts)?;
        if kept { Ok(Answer::Done) } else { Err(nothing_tried()) }
    }

    /// Takes back what is on trial.
    ///
    /// # Errors
    /// Nothing is on trial, or the machine refuses.
    pub fn undo(&self) -> Result<Answer, Refused> {
        let mut trial = self.lock();
        let acts = trial.undo();
        if acts.is_empty() {
            return Err(nothing_tried());
        }
        self.settle_acts(&mut trial, acts)?;
        Ok(Answer::Done)
    }

    /// How it stands.
    pub fn state(&self) -> NetworkState {
        let trial = self.lock();
        let now = self.now();
        NetworkState {
            settled: tree_of(trial.settled()),
            tried: trial.tried().map(|t| NetworkTried {
                settings: tree_of(&t.settings),
                token: t.token.clone(),
                left_s: t.until.0.saturating_sub(now.0).div_ceil(1_000_000),
            }),
            undone: trial.undone().map(|u| NetworkUndone {
                settings: tree_of(&u.settings),
                why: match u.why {
                    Why::Asked => "asked",
                    Why::NotKept => "not_kept",
                    Why::Restarted => "restarted",
                }
                .to_owned(),
            }),
        }
    }

    /// Ends trials whose time is over, for ever.
    fn wait(&self) {
        let mut trial = self.lock();
        loop {
            let acts = trial.timeout(self.now());
            if !acts.is_empty() {
                tracing::warn!("nobody kept the network change in time; the old settings are back");
                if let Err(why) = self.settle_acts(&mut trial, acts) {
                    tracing::error!(%why, "the old network settings cannot be put in force");
                }
            }
            let left = trial
                .deadline()
                .map_or(NAP, |until| Duration::from_micros(until.0.saturating_sub(self.now().0)));
            trial = self.shared.1.wait_timeout(trial, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Carries out what the trial wants, and writes down where it stands first: a power cut between the two then takes
    /// the change back.
    fn settle_acts(&self, trial: &mut MutexGuard<'_, Trial>, acts: Vec<Act>) -> Result<(), Refused> {
        if acts.is_empty() {
            return Ok(());
        }
        let kept =
            Kept { settled: tree_of(trial.settled()), tried: trial.tried().map(|t| tree_of(&t.settings)) };
        let json = serde_json::to_vec(&kept).map_err(|error| disk(&error.to_string()))?;
        write(&self.place.path(KEPT), &json)?;
        for act in acts {
            match act {
                Act::Live(settings) => live(&self.place, &settings)?,
                Act::Settle(settings) => settle(&self.place, &settings)?,
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Trial> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Mono {
        Mono(u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}

/// Sets the clock; the battery clock too, where there is one.
///
/// # Errors
/// The time cannot be, or the machine refuses.
pub fn set_clock(place: &Place, unix_s: u64) -> Result<Answer, Refused> {
    if !(crate::clock::BUILT_S..=LATEST_S).contains(&unix_s) {
        return Err(Refused::new(
            "wrong_time",
            "This time is before this software was made, or after 2100; give the present time.",
            "该时间早于本软件的制作时间，或晚于 2100 年；请输入当前时间。",
        ));
    }
    if place.is_folder() {
        // The clock of the machine that runs the tests is not ours.
        write(&place.path("/run/belfry-steward/clock"), unix_s.to_string().as_bytes())?;
        return Ok(Answer::Done);
    }
    board::rtc::set(unix_s).map_err(|error| machine(&error.to_string()))?;
    Ok(Answer::Done)
}

/// 2100-01-01: a typing mistake, whatever else.
const LATEST_S: u64 = 4_102_444_800;

fn settings_of(tree: &NetworkTree) -> Result<Settings, Refused> {
    match draft::read_network(&tree.network, &tree.time) {
        Ok((network, time)) => Ok(Settings { network, time }),
        Err(problems) => {
            let why: Vec<String> = problems.iter().map(|p| format!("{}: {}", p.field, p.message)).collect();
            Err(Refused::new("wrong_settings", why.join("; "), format!("网络设置有误：{}", why.join("; "))))
        }
    }
}

fn tree_of(settings: &Settings) -> NetworkTree {
    let tree = |value: serde_json::Result<serde_json::Value>| value.unwrap_or_default();
    NetworkTree {
        network: tree(serde_json::to_value(&settings.network)),
        time: tree(serde_json::to_value(&settings.time)),
    }
}

/// 128 random bits: nobody guesses it within a minute.
fn token() -> Result<String, Refused> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| disk(&error.to_string()))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

fn read_kept(path: &Path) -> Kept {
    let Ok(bytes) = std::fs::read(path) else { return Kept::default() };
    serde_json::from_slice(&bytes).unwrap_or_else(|error| {
        tracing::error!(%error, "the kept network settings cannot be read; the box asks DHCP");
        Kept::default()
    })
}

/// In force now.
fn live(place: &Place, settings: &Settings) -> Result<(), Refused> {
    let old_tag = tag(place);
    let mut changed = Vec::new();
    for file in render(settings) {
        let path = place.path(LIVE).join(file.path);
        let before = std::fs::read_to_string(&path).ok();
        if before != file.text {
            put(&path, file.text.as_deref())?;
            changed.push(file.path);
        }
    }
    if let Some(old) = old_tag.filter(|old| tag(place).as_ref() != Some(old)) {
        // The kernel may have dropped it already.
        let _ = run::run(place, "networkctl", &["delete", &old], LIMIT);
    }
    if changed.iter().any(|path| path.starts_with("network/")) {
        run::run(place, "networkctl", &["reload"], LIMIT)?.fine("networkctl")?;
    }
    for (folder, unit) in
        [("resolved", "systemd-resolved.service"), ("timesyncd", "systemd-timesyncd.service")]
    {
        if changed.iter().any(|path| path.starts_with(folder)) {
            run::run(place, "systemctl", &["--no-block", "try-restart", unit], LIMIT)?.fine("systemctl")?;
        }
    }
    name(place, &settings.network.host_name)
}

/// The name the machine answers to from now on.
fn name(place: &Place, name: &str) -> Result<(), Refused> {
    if place.is_folder() {
        return write(&place.path("/run/belfry-steward/hostname"), name.as_bytes());
    }
    // SAFETY: the kernel reads `name.len()` bytes from `name`, which lives through the call, and keeps no pointer.
    let set = unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) };
    nix::errno::Errno::result(set).map(drop).map_err(|error| machine(&error.to_string()))
}

/// The tagged link that the files in force make.
fn tag(place: &Place) -> Option<String> {
    let text = std::fs::read_to_string(place.path(LIVE).join("network/11-vlan.netdev")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Name=")).map(str::to_owned)
}

/// In force from the next start on.
fn settle(place: &Place, settings: &Settings) -> Result<(), Refused> {
    for file in render(settings) {
        put(&place.path(SETTLED).join(file.path), file.text.as_deref())?;
    }
    put(&place.path(HOST_NAME), Some(&format!("{}\n", settings.network.host_name)))
}

fn put(path: &Path, text: Option<&str>) -> Result<(), Refused> {
    match text {
        Some(text) => write(path, text.as_bytes()),
        None => match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(disk(&error.to_string())),
            Ok(()) | Err(_) => Ok(()),
        },
    }
}

/// Whole or not at all, on the disk when it returns, readable by the services that need it.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Refused> {
    let fault = |error: std::io::Error| disk(&format!("{}: {error}", path.display()));
    let folder = path.parent().ok_or_else(|| disk("no folder"))?;
    if !folder.exists() {
        std::fs::create_dir_all(folder).map_err(fault)?;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).map_err(fault)?;
    }
    let new = path.with_extension("new");
    let mut file = std::fs::File::create(&new).map_err(fault)?;
    file.write_all(bytes).map_err(fault)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(fault)?;
    file.sync_all().map_err(fault)?;
    std::fs::rename(&new, path).map_err(fault)?;
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(fault)
}

fn nothing_tried() -> Refused {
    Refused::new(
        "nothing_tried",
        "No network change waits to be kept: it was kept already, or its minute is over and the old settings are back.",
        "没有等待确认的网络更改：可能已经确认，或一分钟已过、原设置已恢复。",
    )
}

fn machine(why: &str) -> Refused {
    Refused::new("machine", format!("The machine refuses: {why}."), format!("系统拒绝：{why}。"))
}

fn disk(why: &str) -> Refused {
    Refused::new("disk", format!("The settings cannot be written: {why}."), format!("无法写入设置：{why}。"))
}
