//! Alarms: faults of temperature, disk, clock, trunk, watchdog and a dying part are injected one by one into the real box;
//! each is told by mail (a real SMTP server) and by a signed webhook in less than 30 seconds, exactly once, and its end
//! exactly once; neither a receiver that fails first nor a killed control role changes that. The machine is a folder that
//! the board's file names; the disk is a small one of its own.
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tests::harness::belfry::Belfry;
use tests::harness::kamailio::{Kamailio, PASSWORD};
use tests::harness::lan::Lan;
use tests::harness::process::until;
use tests::harness::smtp::Smtp;
use tests::harness::{disk, site};

/// The promise.
const SOON: Duration = Duration::from_secs(30);
/// The end of a trouble is told when it has been good for half a minute; that of a restarted part after ten minutes.
const END: Duration = Duration::from_secs(90);

/// A disk this full also wakes the guard of recordings, which tells of itself; it has its own tests.
const GUARD: &str = "disk_guard";

const SECRET: &str = "0123456789abcdef-secret";

/// What a webhook received.
#[derive(Clone)]
struct Hook {
    key: String,
    at: String,
    signature: String,
    body: String,
}

impl Hook {
    fn story(&self) -> Value {
        serde_json::from_str(&self.body).expect("the webhook's body is JSON")
    }
}

/// A small real HTTP server. Its first answer is 500.
fn receiver(address: SocketAddr) -> Arc<Mutex<Vec<Hook>>> {
    let listener = TcpListener::bind(address).expect("an address of the test");
    let hooks: Arc<Mutex<Vec<Hook>>> = Arc::default();
    let kept = hooks.clone();
    std::thread::spawn(move || {
        for (n, stream) in listener.incoming().flatten().enumerate() {
            let mut reader = BufReader::new(stream.try_clone().expect("a socket can be copied"));
            let mut head = BTreeMap::new();
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                if let Some((name, value)) = line.trim().split_once(": ") {
                    head.insert(name.to_ascii_lowercase(), value.to_owned());
                }
                line.clear();
            }
            let of = |name: &str| head.get(name).cloned().unwrap_or_default();
            let mut body = vec![0; of("content-length").parse().unwrap_or(0)];
            reader.read_exact(&mut body).expect("the body follows");
            let answer = if n == 0 { "500 Not now" } else { "204 Taken" };
            if n > 0 {
                kept.lock().expect("nobody panics here").push(Hook {
                    key: of("idempotency-key"),
                    at: of("x-belfry-timestamp"),
                    signature: of("x-belfry-signature"),
                    body: String::from_utf8(body).expect("UTF-8"),
                });
            }
            let mut stream = stream;
            let _ = write!(stream, "HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    hooks
}

/// By a program that is not ours.
fn hmac(text: &str) -> String {
    let mut child = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", SECRET])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl is installed");
    child.stdin.take().expect("asked for").write_all(text.as_bytes()).expect("it reads");
    let out = child.wait_with_output().expect("a child can be waited for");
    String::from_utf8_lossy(&out.stdout).trim().rsplit(' ').next().unwrap_or_default().to_owned()
}

struct Machine {
    root: PathBuf,
}

impl Machine {
    fn make(folder: &Path) -> Machine {
        let machine = Machine { root: folder.join("machine") };
        machine.set("sys/class/thermal/thermal_zone0/type", "cpu-thermal");
        machine.set("sys/class/thermal/thermal_zone0/temp", "51000");
        machine.set("sys/class/watchdog/watchdog0/state", "active");
        machine.set("sys/class/watchdog/watchdog0/bootstatus", "0");
        machine.set("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 500 kB");
        machine.set("proc/loadavg", "0.10 0.10 0.10 1/99 7");
        let board = format!(
            "name = \"test\"\n[health]\nroot = \"{}\"\nwatchdog = \"watchdog0\"\n",
            machine.root.display()
        );
        std::fs::write(folder.join("board.toml"), board).expect("the test folder is writable");
        machine
    }

    fn set(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().expect("below the root")).expect("the test folder is writable");
        std::fs::write(path, format!("{text}\n")).expect("the test folder is writable");
    }
}

struct Told {
    smtp: Smtp,
    hooks: Arc<Mutex<Vec<Hook>>>,
}

impl Told {
    fn hooks(&self, event: &str, kind: &str) -> Vec<Hook> {
        let fits = |h: &&Hook| h.story()["event"] == event && h.story()["kind"] == kind;
        self.hooks.lock().expect("nobody panics here").iter().filter(fits).cloned().collect()
    }

    fn mails(&self, subject: &str) -> usize {
        self.smtp.mails().iter().filter(|m| m.contains(subject)).count()
    }

    /// Both ways have told it, once.
    fn wait(&self, what: &str, limit: Duration, event: &str, kind: &str, subject: &str) {
        until(what, limit, || (self.hooks(event, kind).len() == 1 && self.mails(subject) == 1).then_some(()));
    }
}

#[test]
fn each_fault_is_told_by_mail_and_webhook_within_thirty_seconds_and_once_and_so_is_its_end() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let hook = SocketAddr::from((lan.host(5), 8000));
    let told = Told { smtp: Smtp::start(lan.host(4), folder), hooks: receiver(hook) };
    let _carrier = Kamailio::start(lan.host(2), lan.host(1), lan.host(3), folder);
    let machine = Machine::make(folder);
    disk::small(&folder.join("data"), 300);
    let text = format!(
        "{}\n[mail]\nhost = \"{}\"\nport = 2525\nsecurity = \"none\"\nfrom = \"box@example.com\"\n\
         \n[alarm]\nmail_to = [\"anna@example.com\"]\nwebhook = \"http://{hook}/alarms\"\nwebhook_secret = \"{SECRET}\"\n\
         trunk_down_s = 2\n{}",
        site::head(),
        lan.host(4),
        site::carrier(lan)
    );
    let pbx = Belfry::start(lan, &text, folder);
    pbx.until("the trunk is up", "/status", SOON, |s| s.to_string().contains(r#""state":"up""#));
    pbx.until("everything is looked at", "/health", SOON, |h| h.as_array().is_some_and(|h| h.len() >= 10));
    let all = pbx.get("/health");
    assert!(
        all.as_array().is_some_and(|a| a.iter().all(|c| c["state"] == "good")),
        "nothing is wrong yet: {all}"
    );

    machine.set("sys/class/thermal/thermal_zone0/temp", "95000");
    told.wait("the heat is told", SOON, "raised", "temperature", "Alarm: The box is too hot");

    machine.set("sys/class/watchdog/watchdog0/state", "inactive");
    told.wait(
        "the watchdog is told",
        SOON,
        "raised",
        "watchdog",
        "Alarm: The hardware watchdog is not armed",
    );

    let ballast = pbx.data.join("ballast");
    std::fs::write(&ballast, vec![0_u8; 294 << 20]).expect("there is room for it");
    told.wait("the full disk is told", SOON, "raised", "disk_room", "Alarm: The disk is nearly full");

    let mut trunk = pbx.get("/config/trunk/carrier");
    trunk["password"] = json!("certainly-not-the-password");
    pbx.send("PUT", "/config/trunk/carrier", &trunk);
    told.wait(
        "the trunk is told",
        SOON,
        "raised",
        "trunk",
        "Alarm: A trunk is down or refuses calls (carrier)",
    );

    // A part dies while four alarms are on: only its own is told.
    let control =
        pbx.status()["control_pid"].as_i64().and_then(|p| i32::try_from(p).ok()).expect("a process id");
    kill(Pid::from_raw(control), Signal::SIGKILL).expect("it runs");
    told.wait(
        "the dead part is told",
        SOON,
        "raised",
        "restarts",
        "Alarm: A part of the box had to be started again",
    );
    let state = pbx.get("/health");
    let on = |kind: &str| {
        state.as_array().is_some_and(|a| a.iter().any(|c| c["kind"] == kind && c["state"] == "alarm"))
    };
    for kind in ["temperature", "watchdog", "disk_room", "trunk", "restarts"] {
        assert!(on(kind), "{kind} is still on after the restart: {state}");
    }
    let alarms = pbx.status()["alarms"].as_array().cloned().unwrap_or_default();
    assert_eq!(alarms.iter().filter(|a| a["kind"] != GUARD).count(), 5, "{alarms:?}");

    machine.set("sys/class/thermal/thermal_zone0/temp", "51000");
    machine.set("sys/class/watchdog/watchdog0/state", "active");
    std::fs::remove_file(&ballast).expect("it is there");
    trunk["password"] = json!(PASSWORD);
    pbx.send("PUT", "/config/trunk/carrier", &trunk);
    for (kind, subject) in [
        ("temperature", "All well again: The box is too hot"),
        ("watchdog", "All well again: The hardware watchdog is not armed"),
        ("disk_room", "All well again: The disk is nearly full"),
        ("trunk", "All well again: A trunk is down or refuses calls (carrier)"),
    ] {
        told.wait(&format!("the end of {kind} is told"), END, "cleared", kind, subject);
    }

    // Nothing was told twice, and everything is signed.
    let hooks = told.hooks.lock().expect("nobody panics here").clone();
    let hooks: Vec<Hook> = hooks.into_iter().filter(|h| h.story()["kind"] != GUARD).collect();
    let mut seen: Vec<String> =
        hooks.iter().map(|h| format!("{}-{}", h.story()["event"], h.story()["kind"])).collect();
    seen.sort_unstable();
    assert_eq!(seen.len(), 9, "five alarms and four ends: {seen:?}");
    let mails = told.smtp.mails().into_iter().filter(|m| !m.contains("Old recordings are deleted"));
    assert_eq!(mails.count(), 9);
    for hook in &hooks {
        assert_eq!(hook.signature, format!("sha256={}", hmac(&format!("{}.{}", hook.at, hook.body))));
        assert!(!hook.key.is_empty());
    }
    let text = told
        .smtp
        .mails()
        .into_iter()
        .find(|m| m.contains("Alarm: The disk is nearly full"))
        .expect("waited for");
    assert!(text.contains("Limit: 10 %") && text.contains("What to do: Delete old recordings"), "{text}");

    // Somebody tries whether alarms arrive.
    pbx.send("POST", "/health/test", &json!({}));
    told.wait("the test is told", SOON, "test", "test", "Test alarm");
}
