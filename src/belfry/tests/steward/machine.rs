//! A folder that stands for a box with two slots, and a steward that works on it. Programs that need a real machine
//! (service manager, boot loader) are scripts that write down what they were asked.
use board::steward::client::Steward;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// What RAUC 1.8 prints for a box whose slot A runs.
const STATUS: &str = r#"{"compatible":"belfry-test","variant":"","booted":"A","boot_primary":"rootfs.0","slots":[
{"rootfs.1":{"class":"rootfs","device":"/dev/root-b","type":"raw","bootname":"B","state":"inactive","parent":null,"mountpoint":null,"boot_status":"bad",
 "slot_status":{"bundle":{"compatible":"belfry-test","version":"0.0.9"},"status":"ok"}}},
{"kernel.0":{"class":"kernel","device":"/dev/boot-a","type":"raw","bootname":null,"state":"active","parent":"rootfs.0","mountpoint":null,"boot_status":null}},
{"rootfs.0":{"class":"rootfs","device":"/dev/root-a","type":"raw","bootname":"A","state":"booted","parent":null,"mountpoint":null,"boot_status":"good"}}]}"#;

/// How long a process may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Machine {
    root: tempfile::TempDir,
    child: Child,
}

impl Machine {
    pub fn start() -> Machine {
        let root = tempfile::tempdir().expect("a machine for tests does this");
        for folder in ["usr/bin", "run/belfry-boot", "etc/rauc", "data/belfry"] {
            std::fs::create_dir_all(root.path().join(folder)).expect("a machine for tests does this");
        }
        std::fs::write(root.path().join("run/belfry-boot/facts"), "slot=a\nversion=0.1.0\n")
            .expect("a machine for tests does this");
        std::fs::write(root.path().join("rauc-status"), STATUS).expect("a machine for tests does this");
        program(root.path(), "systemctl", "");
        program(root.path(), "rauc", "[ \"$1\" = status ] && cat \"$STEWARD_ROOT/rauc-status\"");
        let socket = root.path().join("socket");
        let child = Command::new(env!("CARGO_BIN_EXE_belfry"))
            .args(["steward", "--log", "off", "--socket"])
            .arg(&socket)
            .arg("--root")
            .arg(root.path())
            .spawn()
            .expect("a machine for tests does this");
        let until = Instant::now() + PATIENCE;
        while !socket.exists() {
            assert!(Instant::now() < until, "the steward does not start");
            std::thread::yield_now();
        }
        Machine { root, child }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    pub fn socket(&self) -> PathBuf {
        self.path("socket")
    }

    pub fn steward(&self) -> Steward {
        Steward::at(&self.socket())
    }

    /// What a program was asked, call by call.
    pub fn did(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.path(&format!("did-{name}"))).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that writes down its words and then does `body`.
fn program(root: &Path, name: &str, body: &str) {
    let path = root.join("usr/bin").join(name);
    let text = format!("#!/bin/sh\necho \"$*\" >>\"$STEWARD_ROOT/did-{name}\"\n{body}\n");
    std::fs::write(&path, text).expect("a machine for tests does this");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
        .expect("a machine for tests does this");
}
