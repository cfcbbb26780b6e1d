//! A whole box that has a steward: what it does by itself after a start, and what the command line asks of it.
use crate::bundle::Signer;
use crate::machine::{FACTS_A, Machine, PATIENCE};
use crate::storage::with_stick;
use board::steward::{Act, Answer, Slots, Went};
use serde_json::Value;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};
use web::client::Client;

const GOOD: &str = "compatible=belfry-test\nversion=0.2.0\nbuild=schema-99";
static RTP: AtomicU16 = AtomicU16::new(0);

/// A running box on the data of a machine.
struct Running<'a> {
    machine: &'a Machine,
    child: Child,
}

impl<'a> Running<'a> {
    fn start(machine: &'a Machine) -> Running<'a> {
        let low = 43_000 + RTP.fetch_add(20, Ordering::Relaxed);
        let (data, socket) = (machine.path("data/belfry"), machine.socket());
        let child =
            belfry(&["run", "--sip", "127.0.0.1:0", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0"])
                .args(["--log", "warn", "--rtp", &format!("{low}-{}", low + 19)])
                .arg("--data")
                .arg(data)
                .arg("--steward")
                .arg(socket)
                .stdout(Stdio::null())
                .spawn()
                .expect("a machine for tests does this");
        Running { machine, child }
    }

    fn data(&self) -> String {
        self.machine.path("data/belfry").to_string_lossy().into_owned()
    }

    fn slots(&self) -> Slots {
        match self.machine.steward().ask(&Act::Slots, PATIENCE) {
            Ok(Answer::Slots(slots)) => slots,
            other => panic!("no slots: {other:?}"),
        }
    }

    fn client(&self) -> Client {
        Client::new(&Path::new(&self.data()).join("run/control.sock"))
    }

    /// Asks until the box answers that it is done.
    fn send(&self, method: &str, path: &str, body: &Value) {
        let client = web::client::Client::new(&Path::new(&self.data()).join("run/control.sock"));
        until(path, || {
            client.ask_json(method, path, body).ok().filter(|a| (200..300).contains(&a.status)).map(drop)
        });
    }

    fn ask(&self, method: &str, path: &str) -> Value {
        self.client().ask(method, path).map(|answer| answer.json()).unwrap_or_default()
    }

    fn upload(&self, file: &Path) -> u16 {
        let file = File::open(file).expect("a machine for tests does this");
        self.client().upload("/api/v1/update", file).expect("the box answers").status
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn belfry(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_belfry"));
    command.args(words).env_remove("NOTIFY_SOCKET");
    command
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

#[test]
fn a_bundle_is_installed_by_command_and_the_new_system_proves_itself_by_calling_itself() {
    let machine = Machine::start();
    let signer = Signer::new();
    std::fs::copy(signer.certificate(), machine.path("etc/rauc/keyring.pem")).unwrap();
    std::fs::write(machine.path("new.raucb"), signer.bundle(GOOD)).unwrap();
    let running = Running::start(&machine);
    until("the proven system is kept", || {
        machine.did("rauc").contains(&"status mark-good".to_owned()).then_some(())
    });
    let file = machine.path("new.raucb");
    let output =
        belfry(&["update", &file.to_string_lossy(), "--restart", "idle", "--data", &running.data()]).output();
    let output = output.unwrap();
    assert!(output.status.success() && said(&output).contains("0.2.0"), "{}", said(&output));
    assert!(!machine.path("data/belfry/update/bundle.raucb").exists(), "its room is free again");
    until("the box restarts", || {
        machine.did("systemctl").contains(&"--no-block reboot".to_owned()).then_some(())
    });
    drop(running);

    let machine = machine.restarted("slot=b\nversion=0.2.0\n", "second");
    let running = Running::start(&machine);
    let last = until("the new system is proven", || running.slots().last);
    assert_eq!((last.result, last.version.as_str()), (Went::Kept, "0.2.0"));
    let view = until("the page knows", || {
        Some(running.ask("GET", "/api/v1/update")).filter(|v| v["unproven"] == false)
    });
    assert_eq!(view["self_call"]["failed"], Value::Null, "{view}");
    assert_eq!(
        (view["version"].as_str(), view["last"]["result"].as_str()),
        (Some("0.2.0"), Some("kept")),
        "{view}"
    );
    until("it is noted", || {
        let notes = running.ask("GET", "/api/v1/events?limit=50").to_string();
        notes.contains("The update to 0.2.0 is kept").then_some(())
    });
    assert_eq!(
        std::fs::read_dir(machine.path("data/belfry/run/self-call")).unwrap().count(),
        0,
        "nothing is left"
    );
}

#[test]
fn an_uploaded_file_is_answered_at_once_and_its_verdict_follows() {
    let machine = Machine::start();
    let signer = Signer::new();
    std::fs::copy(signer.certificate(), machine.path("etc/rauc/keyring.pem")).unwrap();
    let (good, foreign) = (machine.path("good.raucb"), machine.path("foreign.raucb"));
    std::fs::write(&good, signer.bundle(GOOD)).unwrap();
    std::fs::write(&foreign, Signer::new().bundle(GOOD)).unwrap();
    let running = Running::start(&machine);
    until("it may be updated", || machine.did("rauc").contains(&"status mark-good".to_owned()).then_some(()));
    let view = || running.ask("GET", "/api/v1/update");

    // The file is looked at for as long as this one is there.
    let slow = machine.path("rauc-slow");
    File::create(&slow).unwrap();
    assert_eq!(until("it is taken", || Some(running.upload(&good)).filter(|s| *s != 409)), 202);
    assert_eq!(view()["work"]["step"]["en"], "Checking the file", "{}", view());
    assert_eq!(running.upload(&good), 409, "one at a time");
    std::fs::remove_file(&slow).unwrap();
    let found = until("it was looked at", || Some(view()).filter(|v| v["work"].is_null()));
    assert_eq!((&found["bundle"]["version"], &found["refused"]), (&"0.2.0".into(), &Value::Null), "{found}");

    assert_eq!(running.upload(&foreign), 202);
    let found = until("it was looked at", || Some(view()).filter(|v| v["work"].is_null()));
    let said = found["refused"]["en"].as_str().unwrap_or_default();
    assert!(said.contains("not signed by the maker") && found["bundle"].is_null(), "{found}");
    let output = belfry(&["update", &foreign.to_string_lossy(), "--data", &running.data()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", self::said(&output));
    assert!(self::said(&output).contains("not signed by the maker"), "{}", self::said(&output));
}

#[test]
fn an_update_that_was_taken_back_is_told_once_with_its_reason() {
    let machine = Machine::start();
    std::fs::create_dir_all(machine.path("data/rauc")).unwrap();
    let note = r#"{"pending":{"slot":"b","version":"0.3.0","from":"0.1.0","installed":true,"boot":"before"},"last":null}"#;
    std::fs::write(machine.path("data/rauc/update.json"), note).unwrap();
    let machine = machine.restarted(FACTS_A, "after");
    for _ in 0..2 {
        let running = Running::start(&machine);
        let view = until("the page knows", || {
            Some(running.ask("GET", "/api/v1/update")).filter(|v| v["last"].is_object())
        });
        assert_eq!(view["last"]["result"], "taken_back", "{view}");
        let told = until("it is told", || {
            let notes = running.ask("GET", "/api/v1/events?limit=50").to_string();
            Some(notes.matches("0.3.0 did not stay: It did not start").count()).filter(|n| *n > 0)
        });
        assert_eq!(told, 1);
    }
}

#[test]
fn a_box_that_starts_before_the_updater_learns_of_its_slots_later() {
    let machine = Machine::start();
    let (rauc, away) = (machine.path("usr/bin/rauc"), machine.path("usr/bin/rauc-away"));
    std::fs::rename(&rauc, &away).unwrap();
    let running = Running::start(&machine);
    until("the page says what is wrong", || {
        Some(running.ask("GET", "/api/v1/update")).filter(|v| v["impossible"].is_object())
    });
    std::fs::rename(&away, &rauc).unwrap();
    let view = until("the slots are known", || {
        Some(running.ask("GET", "/api/v1/update"))
            .filter(|v| v["slots"].as_array().is_some_and(|s| s.len() == 2))
    });
    assert!(view["impossible"].is_null(), "{view}");
    until("it is kept", || machine.did("rauc").contains(&"status mark-good".to_owned()).then_some(()));
}

#[test]
fn a_box_without_a_steward_says_that_it_runs_on_a_pc() {
    let machine = Machine::start();
    std::fs::remove_file(machine.socket()).unwrap();
    let running = Running::start(&machine);
    std::fs::write(machine.path("new.raucb"), "x").unwrap();
    let view = until("the page knows", || {
        Some(running.ask("GET", "/api/v1/update")).filter(|v| v["impossible"].is_object())
    });
    assert!(view["impossible"]["en"].as_str().unwrap_or_default().contains("runs on a PC"), "{view}");
    let file = machine.path("new.raucb");
    let output = belfry(&["update", &file.to_string_lossy(), "--data", &running.data()]).output().unwrap();
    assert!(!output.status.success() && said(&output).contains("runs on a PC"), "{}", said(&output));
}

#[test]
fn a_box_saves_itself_to_the_stick_of_its_own_steward_and_takes_an_update_from_it() {
    let machine = with_stick();
    let signer = Signer::new();
    std::fs::copy(signer.certificate(), machine.path("etc/rauc/keyring.pem")).unwrap();
    std::fs::write(machine.path("stick/new.raucb"), signer.bundle(GOOD)).unwrap();
    let running = Running::start(&machine);
    let listed = until("the stick is offered", || {
        Some(running.ask("GET", "/api/v1/update/usb")).filter(serde_json::Value::is_array)
    });
    assert_eq!(listed[0]["name"], "new.raucb", "{listed}");
    running.send("POST", "/api/v1/update/usb", &serde_json::json!({ "name": "new.raucb" }));
    let view = until("the file is looked at", || {
        Some(running.ask("GET", "/api/v1/update")).filter(|v| v["bundle"].is_object())
    });
    assert_eq!(view["bundle"]["version"], "0.2.0", "{view}");

    let wish = serde_json::json!({ "target": "usb", "pass_phrase": "four words make sense" });
    running.send("PUT", "/api/v1/config/backup", &wish);
    running.send("POST", "/api/v1/backups", &serde_json::json!({}));
    until("the backup is on the stick", || {
        let mut files = std::fs::read_dir(machine.path("stick/belfry")).ok()?.flatten();
        files.any(|f| f.file_name().to_string_lossy().ends_with(".belfry")).then_some(())
    });
}
