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

/// Slot A of a new box.
pub const FACTS_A: &str = "slot=a\nversion=0.1.0\n";

/// Stands in for RAUC where it needs slots and a boot loader; bundles are looked at by the real one.
const RAUC: &str = r#"case "$*" in
*info*)
    while [ -e "$STEWARD_ROOT/rauc-slow" ]; do sleep 0.05; done
    exec /usr/bin/rauc "$@" ;;
status\ --detailed*) cat "$STEWARD_ROOT/rauc-status" ;;
status*) ;;
install*)
    echo "installing"; echo "  0% Installing"; echo " 40% Copying image to rootfs.1"
    if [ -e "$STEWARD_ROOT/disk-broken" ]; then
        echo "LastError: Installation error: Failed updating slot rootfs.1: No space left on device"; exit 1
    fi
    echo "100% Installing done." ;;
esac"#;

/// How long a process may take to start on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Machine {
    root: tempfile::TempDir,
    child: Child,
}

impl Machine {
    pub fn start() -> Machine {
        let root = tempfile::tempdir().expect("a machine for tests does this");
        let folders = [
            "run/belfry-boot",
            "proc/sys/kernel/random",
            "etc/rauc",
            "data/belfry/update",
            "usr/share/belfry",
        ];
        for folder in ["usr/bin"].into_iter().chain(folders) {
            std::fs::create_dir_all(root.path().join(folder)).expect("a machine for tests does this");
        }
        boot(root.path(), FACTS_A, "first");
        let system = format!(
            "[system]\ncompatible=belfry-test\nbootloader=noop\n[keyring]\npath={}/etc/rauc/keyring.pem\n",
            root.path().display()
        );
        std::fs::write(root.path().join("etc/rauc/system.conf"), system)
            .expect("a machine for tests does this");
        std::fs::write(root.path().join("usr/share/belfry/update.toml"), "oldest = \"0.1.0\"\n")
            .expect("a machine for tests does this");
        std::fs::write(root.path().join("rauc-status"), STATUS).expect("a machine for tests does this");
        program(root.path(), "systemctl", "");
        program(root.path(), "networkctl", "");
        program(root.path(), "rauc", RAUC);
        let child = steward(root.path());
        Machine { root, child }
    }

    /// As a power cut does it: no good-bye, and what is in memory (`/run`) gone.
    pub fn restart(mut self) -> Machine {
        self.stop();
        let _ = std::fs::remove_dir_all(self.root.path().join("run/systemd"));
        self.child = steward(self.root.path());
        self
    }

    /// The same machine after a restart.
    pub fn restarted(mut self, facts: &str, boot_id: &str) -> Machine {
        self.stop();
        boot(self.root.path(), facts, boot_id);
        self.child = steward(self.root.path());
        self
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
        self.stop();
    }
}

fn boot(root: &Path, facts: &str, boot_id: &str) {
    std::fs::write(root.join("run/belfry-boot/facts"), facts).expect("a machine for tests does this");
    std::fs::write(root.join("proc/sys/kernel/random/boot_id"), boot_id)
        .expect("a machine for tests does this");
}

fn steward(root: &Path) -> Child {
    let socket = root.join("socket");
    let _ = std::fs::remove_file(&socket);
    let child = Command::new(env!("CARGO_BIN_EXE_belfry"))
        .args(["steward", "--log", "off", "--socket"])
        .arg(&socket)
        .arg("--root")
        .arg(root)
        .spawn()
        .expect("a machine for tests does this");
    let until = Instant::now() + PATIENCE;
    // The socket stands there a moment before it is listened to.
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        assert!(Instant::now() < until, "the steward does not start");
        std::thread::yield_now();
    }
    child
}

/// A program that writes down its words and then does `body`.
fn program(root: &Path, name: &str, body: &str) {
    let path = root.join("usr/bin").join(name);
    let text = format!("#!/bin/sh\necho \"$*\" >>\"$STEWARD_ROOT/did-{name}\"\n{body}\n");
    std::fs::write(&path, text).expect("a machine for tests does this");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
        .expect("a machine for tests does this");
}
