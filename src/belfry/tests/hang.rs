//! A single thread of the real binary stops dead, without any hook in the product: the tester seizes just that thread with
//! ptrace, as a debugger does, and the others go on. The log names it, and its role is replaced, while the other role stays.
//! Also: a stopped supervisor is noticed by a small service manager of our own, a crash loop slows down, and a busy machine
//! harms nobody. Waits for events; the limits are the promises of SPECIFICATION ("Watchdog").
use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use std::fs::File;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// From the moment a thread stops to the moment its role is there again.
const CLEARED: Duration = Duration::from_secs(15);
/// How long a start may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const FINE: &str = "a machine for tests does this";

static RTP: AtomicU16 = AtomicU16::new(0);

struct Running {
    child: Child,
    data: std::path::PathBuf,
    log: std::path::PathBuf,
}

impl Running {
    fn start(folder: &Path, environment: &[(&str, &str)]) -> Running {
        let low = 43_000 + RTP.fetch_add(20, Ordering::Relaxed);
        let (data, log) = (folder.join("data"), folder.join("log"));
        let file = File::create(&log).expect(FINE);
        let child = Command::new(env!("CARGO_BIN_EXE_belfry"))
            .args(["run", "--sip", "127.0.0.1:0", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0"])
            .args(["--rtp", &format!("{low}-{}", low + 19)])
            .arg("--data")
            .arg(&data)
            .env_remove("NOTIFY_SOCKET")
            .envs(environment.iter().copied())
            .stdout(file.try_clone().expect(FINE))
            .stderr(file)
            .spawn()
            .expect(FINE);
        let running = Running { child, data, log };
        until("it takes calls", PATIENCE, || running.said("ready sip=").then_some(()));
        running
    }

    fn output(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn said(&self, words: &str) -> bool {
        self.output().contains(words)
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect(FINE)
    }

    /// The process of a role: a child of the supervisor that calls itself so.
    fn role(&self, role: &str) -> Option<i32> {
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid())).ok()?;
        let is = |pid: &&str| {
            std::fs::read_to_string(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|c| c.starts_with(&format!("belfry-{role}\0")))
        };
        children.split_whitespace().find(is)?.parse().ok()
    }

    fn answers(&self) -> bool {
        let mut status = Command::new(env!("CARGO_BIN_EXE_belfry"));
        let out = status.args(["status", "--json", "--data"]).arg(&self.data).output().expect(FINE);
        out.status.success()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.pid()), Signal::SIGCONT);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {limit:?} in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The threads of a process with this name.
fn threads(pid: i32, name: &str) -> Vec<Pid> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect(FINE).flatten();
    let named =
        tasks.filter(|t| std::fs::read_to_string(t.path().join("comm")).is_ok_and(|c| c.trim() == name));
    named.filter_map(|t| t.file_name().to_str()?.parse().ok().map(Pid::from_raw)).collect()
}

/// Threads that this test holds. A held thread that is killed is ours to bury, or its process never ends.
struct Held(Vec<Pid>);

impl Held {
    fn hold(threads: Vec<Pid>) -> Held {
        for thread in &threads {
            ptrace::seize(*thread, ptrace::Options::empty()).expect("a test may trace what it started");
            ptrace::interrupt(*thread).expect("it is seized");
        }
        Held(threads)
    }

    fn bury(&self) {
        for thread in &self.0 {
            // Only news of its end matters; it may have none yet.
            let _ = waitpid(*thread, Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL));
        }
    }
}

/// Stops the thread, and waits until the log has named it and the role is another process, while the other role stays.
fn hang(role: &str, thread: &str, named: &str) {
    let folder = tempfile::tempdir().expect(FINE);
    let running = Running::start(folder.path(), &[]);
    let other = if role == "control" { "media" } else { "control" };
    let (victim, bystander) = (running.role(role).expect(FINE), running.role(other).expect(FINE));
    // A thread gives itself its name when it first runs, which on a busy machine is after the ready line.
    let found = until(&format!("{role} has a thread {thread}"), PATIENCE, || match thread {
        "" => Some(vec![Pid::from_raw(victim)]),
        _ => Some(threads(victim, thread)).filter(|found| !found.is_empty()),
    });
    let since = Instant::now();
    let held = Held::hold(found);
    let words = format!("role={role} thread=\"{named}\"");
    until(&format!("{role} is replaced because of {thread}"), CLEARED, || {
        held.bury();
        let again = running.role(role).filter(|pid| *pid != victim);
        (again.is_some() && running.said(&words)).then_some(())
    });
    eprintln!("{role} {named}: replaced after {:.1} s", since.elapsed().as_secs_f32());
    until("the box answers again", PATIENCE, || running.answers().then_some(()));
    assert_eq!(running.role(other), Some(bystander), "the other role went on");
}

#[test]
fn a_hung_engine_is_named_and_replaced() {
    hang("control", "engine", "engine");
}

#[test]
fn a_hung_database_is_named_and_replaced() {
    hang("control", "store", "store");
}

#[test]
fn a_hung_sip_socket_is_named_and_replaced() {
    hang("control", "sip-tcp", "sip-tcp");
}

#[test]
fn a_hung_web_is_named_and_replaced() {
    hang("control", "web", "web");
}

#[test]
fn a_hung_link_to_media_is_named_and_replaced() {
    hang("control", "media-link", "media-link");
}

#[test]
fn a_hung_sound_thread_is_named_and_replaced() {
    hang("media", "", "media");
}

/// What a service manager does with `WatchdogSec`: after silence for longer than that the process is killed and started
/// again.
#[test]
fn a_stopped_supervisor_falls_silent_and_its_roles_die_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "3000000")];
    let running = Running::start(folder.path(), &environment);
    let roles = [running.role("control").unwrap(), running.role("media").unwrap()];
    manager.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    let mut buffer = [0; 256];
    until("a sign of life comes", PATIENCE, || {
        let length = manager.recv(&mut buffer).ok()?;
        buffer[..length].starts_with(b"WATCHDOG=1").then_some(())
    });
    kill(Pid::from_raw(running.pid()), Signal::SIGSTOP).unwrap();
    let since = Instant::now();
    until("it is silent for longer than it may", PATIENCE, || manager.recv(&mut buffer).err());
    kill(Pid::from_raw(running.pid()), Signal::SIGABRT).unwrap();
    kill(Pid::from_raw(running.pid()), Signal::SIGKILL).unwrap();
    let dead =
        |pid: &i32| std::fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |s| s.contains(") Z "));
    until("no role outlives it", CLEARED, || roles.iter().all(dead).then_some(()));
    drop(running);
    let again = Running::start(folder.path(), &[]);
    assert!(again.answers());
    eprintln!("stopped, noticed, replaced: {:.1} s", since.elapsed().as_secs_f32());
}

/// Each end of the same role comes later than the one before, and the box says how often.
#[test]
fn a_crash_loop_is_slowed_down_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), &[]);
    let bystander = running.role("media").unwrap();
    let mut last = 0;
    for round in 1..=4 {
        let pid = until("control is there", PATIENCE, || running.role("control").filter(|pid| *pid != last));
        last = pid;
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        let words = format!("failures={round}");
        until("the start is told with its count", PATIENCE, || running.said(&words).then_some(()));
    }
    until("the box answers again", PATIENCE, || running.answers().then_some(()));
    assert_eq!(running.role("media"), Some(bystander));
    until("it is an alarm", PATIENCE, || {
        let out = Command::new(env!("CARGO_BIN_EXE_belfry"))
            .args(["status", "--json", "--data"])
            .arg(&running.data)
            .output()
            .unwrap();
        let status: serde_json::Value = serde_json::from_slice(&out.stdout).ok()?;
        let alarm = status["alarms"].as_array()?.iter().find(|a| a["kind"] == "restarts")?.clone();
        (alarm["value"] == 4).then_some(())
    });
}

/// No false alarm: every processor has four times the work it can do, and nothing is taken for stuck.
#[test]
fn a_busy_machine_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), &[]);
    let roles = (running.role("control"), running.role("media"));
    let stop = std::sync::atomic::AtomicBool::new(false);
    let processors = std::thread::available_parallelism().unwrap().get();
    std::thread::scope(|scope| {
        for _ in 0..processors * 4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end {
            std::thread::sleep(Duration::from_millis(200));
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!((running.role("control"), running.role("media")), roles, "{}", running.output());
    assert!(!running.said("stuck"), "{}", running.output());
}

/// The lamps of the real box, on the files of a board: starting, waiting for the set-up, and dark at the end.
#[test]
fn the_lamps_follow_the_box_from_its_start_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let leds = folder.path().join("sys/class/leds");
    for lamp in ["green", "red"] {
        std::fs::create_dir_all(leds.join(lamp)).unwrap();
    }
    let board = folder.path().join("board.toml");
    let text = format!(
        "name = \"test\"\n[leds]\nroot = \"{}\"\nstatus = \"green\"\nfault = \"red\"\n",
        folder.path().display()
    );
    std::fs::write(&board, text).unwrap();
    let lit = |lamp: &str| std::fs::read_to_string(leds.join(lamp).join("brightness")).unwrap_or_default();
    let mut running = Running::start(folder.path(), &[("BELFRY_BOARD", board.to_str().unwrap())]);
    // Nobody has done the set-up: half a second lit, half a second dark.
    for wanted in ["1", "0", "1", "0"] {
        until("the green lamp blinks", PATIENCE, || (lit("green") == wanted).then_some(()));
    }
    kill(Pid::from_raw(running.pid()), Signal::SIGTERM).unwrap();
    until("it ends", PATIENCE, || running.child.try_wait().unwrap());
    assert_eq!((lit("green").as_str(), lit("red").as_str()), ("0", "0"), "stopped in order: dark");
}
