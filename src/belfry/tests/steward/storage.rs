//! USB sticks and the factory reset, with stand-ins for `mount` and `grub-editenv`.
use crate::bundle::Signer;
use crate::machine::{Machine, PATIENCE};
use board::steward::client::SHORT;
use board::steward::{Act, Answer, BackupName, BundleName};
use std::os::unix::fs::{PermissionsExt, symlink};

/// A machine with a stick in it: `mount` makes the folder `stick` appear at its place.
pub fn with_stick() -> Machine {
    let machine = Machine::start();
    let program = |name: &str, script: &str| {
        let path = machine.path("usr/bin").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a step of the test");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("a step of the test");
    };
    program(
        "mount",
        "echo \"$2\" >> \"$STEWARD_ROOT/options\"; shift; shift; echo \"$1\" >> \"$STEWARD_ROOT/mounted\"; rmdir \"$2\" && ln -s \"$STEWARD_ROOT/stick\" \"$2\"",
    );
    program("umount", "rm \"$1\" && mkdir \"$1\" && echo umount >> \"$STEWARD_ROOT/mounted\"");
    for folder in [
        "stick",
        "data/belfry/backups",
        "data/belfry/keys",
        "sys/class/block",
        "sys/devices/pci/usb1/sda/sda1",
    ] {
        std::fs::create_dir_all(machine.path(folder)).expect("a step of the test");
    }
    std::fs::write(machine.path("sys/devices/pci/usb1/sda/sda1/partition"), "1").expect("a step of the test");
    for (name, device) in [("sda", "usb1/sda"), ("sda1", "usb1/sda/sda1")] {
        symlink(machine.path("sys/devices/pci").join(device), machine.path("sys/class/block").join(name))
            .expect("a step of the test");
    }
    machine
}

fn name(day: u32) -> BackupName {
    BackupName::try_from(format!("site-202611{day:02}-023000.belfry")).expect("a step of the test")
}

#[test]
fn a_backup_goes_onto_the_stick_and_comes_back_and_the_oldest_make_room() {
    let machine = with_stick();
    for day in 1..=3 {
        let file = machine.path("data/belfry/backups").join(name(day).as_str());
        std::fs::write(file, format!("backup {day}")).expect("a step of the test");
        let put = Act::UsbPut { name: name(day), keep: 2 };
        assert!(matches!(machine.steward().ask(&put, SHORT), Ok(Answer::UsbFiles { .. })));
    }
    let Ok(Answer::UsbFiles { files }) = machine.steward().ask(&Act::UsbFiles, SHORT) else {
        panic!("no list")
    };
    let names: Vec<&str> = files.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, [name(2).as_str(), name(3).as_str()]);
    assert_eq!(machine.steward().ask(&Act::UsbGet { name: name(2) }, SHORT), Ok(Answer::Done));
    let back = machine.path("data/belfry/backups").join(format!("uploaded-{}", name(2).as_str()));
    assert_eq!(std::fs::read_to_string(back).expect("a step of the test"), "backup 2");
    let mounted = std::fs::read_to_string(machine.path("mounted")).expect("a step of the test");
    assert_eq!(
        mounted.matches("/dev/sda1").count(),
        mounted.matches("umount").count(),
        "nothing stays mounted"
    );
}

#[test]
fn without_a_stick_one_clear_sentence() {
    let machine = Machine::start();
    let refused = machine.steward().ask(&Act::UsbFiles, SHORT).unwrap_err();
    assert_eq!(refused.code, "no_stick");
    assert!(refused.said.en.contains("Plug one in") && refused.said.zh.contains("U 盘"));
}

#[test]
fn a_factory_reset_destroys_the_keys_and_asks_the_boot_loader_first() {
    let machine = with_stick();
    std::fs::write(machine.path("data/belfry/keys/backup"), b"secret").expect("a step of the test");
    let failing = machine.path("usr/bin/grub-editenv");
    std::fs::write(&failing, "#!/bin/sh\necho read-only >&2; exit 1\n").expect("a step of the test");
    std::fs::set_permissions(&failing, std::fs::Permissions::from_mode(0o755)).expect("a step of the test");
    assert!(machine.steward().ask(&Act::FactoryReset, SHORT).is_err());
    assert!(machine.path("data/belfry/keys/backup").exists(), "half a reset is none");
    assert!(machine.did("systemctl").is_empty());
    std::fs::write(&failing, "#!/bin/sh\necho \"$@\" >> \"$STEWARD_ROOT/grub\"\n")
        .expect("a step of the test");
    assert_eq!(machine.steward().ask(&Act::FactoryReset, SHORT), Ok(Answer::Done));
    let asked = std::fs::read_to_string(machine.path("grub")).expect("a step of the test");
    assert!(asked.trim_end().ends_with("boot/esp/grub/grubenv set belfry_reset=1"), "{asked}");
    assert!(!machine.path("data/belfry/keys/backup").exists());
    assert_eq!(machine.did("systemctl"), ["--no-block reboot"]);
}

#[test]
fn a_board_that_starts_by_u_boot_is_reset_through_its_environment() {
    let machine = with_stick();
    std::fs::write(machine.path("etc/rauc/system.conf"), "[system]\nbootloader=uboot\n")
        .expect("a step of the test");
    let program = machine.path("usr/bin/fw_setenv");
    std::fs::write(&program, "#!/bin/sh\necho \"$@\" >> \"$STEWARD_ROOT/uboot\"\n")
        .expect("a step of the test");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a step of the test");
    assert_eq!(machine.steward().ask(&Act::FactoryReset, SHORT), Ok(Answer::Done));
    let asked = std::fs::read_to_string(machine.path("uboot")).expect("a step of the test");
    assert_eq!(asked.trim_end(), "belfry_reset 1");
    assert_eq!(machine.did("systemctl"), ["--no-block reboot"]);
}

#[test]
fn links_that_a_taken_over_box_plants_lead_nowhere() {
    let machine = with_stick();
    let (secret, backups) = (machine.path("etc/shadow"), machine.path("data/belfry/backups"));
    std::fs::write(&secret, b"root's own").expect("a step of the test");
    let link = |at: std::path::PathBuf| symlink(&secret, at).expect("a step of the test");
    link(backups.join(name(1).as_str()));
    let put = Act::UsbPut { name: name(1), keep: 2 };
    assert!(machine.steward().ask(&put, SHORT).is_err(), "root reads no other file for the box");
    assert!(!machine.path("stick/belfry").join(name(1).as_str()).exists());

    std::fs::create_dir_all(machine.path("stick/belfry")).expect("a step of the test");
    std::fs::write(machine.path("stick/belfry").join(name(2).as_str()), b"backup 2")
        .expect("a step of the test");
    let target = format!("uploaded-{}", name(2).as_str());
    link(backups.join(&target));
    link(backups.join(format!("{target}.part")));
    assert_eq!(machine.steward().ask(&Act::UsbGet { name: name(2) }, SHORT), Ok(Answer::Done));
    assert_eq!(std::fs::read(backups.join(&target)).expect("it is there"), b"backup 2");

    let keys = machine.path("data/belfry/keys");
    link(keys.join("backup"));
    std::fs::remove_dir_all(&backups).expect("a step of the test");
    symlink(machine.path("etc"), &backups).expect("a step of the test");
    assert!(machine.steward().ask(&Act::UsbGet { name: name(2) }, SHORT).is_err(), "nor is a folder a link");
    std::fs::write(machine.path("usr/bin/grub-editenv"), "#!/bin/sh\n").expect("a step of the test");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(machine.path("usr/bin/grub-editenv"), mode).expect("a step of the test");
    assert_eq!(machine.steward().ask(&Act::FactoryReset, SHORT), Ok(Answer::Done));
    assert_eq!(
        std::fs::read(&secret).expect("it is there"),
        b"root's own",
        "nothing of root's was read or written"
    );
}

#[test]
fn a_bundle_comes_from_a_stick_that_is_only_read_and_is_looked_at_as_any_other() {
    let machine = with_stick();
    let signer = Signer::new();
    std::fs::copy(signer.certificate(), machine.path("etc/rauc/keyring.pem")).expect("a step of the test");
    let bundle = signer.bundle("compatible=belfry-test\nversion=0.2.0\nbuild=schema-99");
    std::fs::create_dir_all(machine.path("stick/belfry")).expect("a step of the test");
    std::fs::write(machine.path("stick/belfry/new.raucb"), &bundle).expect("a step of the test");
    std::fs::write(machine.path("stick/old.raucb"), &bundle[..bundle.len() / 2]).expect("a step of the test");
    std::fs::write(machine.path("stick/holiday.jpg"), "x").expect("a step of the test");
    symlink(machine.path("etc/shadow"), machine.path("stick/planted.raucb")).expect("a step of the test");
    let Ok(Answer::UsbFiles { files }) = machine.steward().ask(&Act::UsbBundles, SHORT) else {
        panic!("no list")
    };
    let names: Vec<&str> = files.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["new.raucb", "old.raucb"]);

    let fetch = |name: &str| {
        let name = BundleName::try_from(name.to_owned()).expect("a name");
        machine.steward().ask(&Act::UsbBundle { name }, SHORT)
    };
    assert!(fetch("planted.raucb").is_err() && fetch("missing.raucb").is_err());
    assert_eq!(fetch("old.raucb"), Ok(Answer::Done));
    assert!(machine.steward().ask(&Act::InspectBundle, SHORT).is_err(), "half a bundle is none");
    assert_eq!(fetch("new.raucb"), Ok(Answer::Done));
    let Ok(Answer::Bundle(found)) = machine.steward().ask(&Act::InspectBundle, PATIENCE) else {
        panic!("no bundle")
    };
    assert_eq!(found.version, "0.2.0");
    let options = std::fs::read_to_string(machine.path("options")).expect("it was mounted");
    assert!(options.lines().all(|o| o == "ro,nosuid,nodev,noexec"), "{options}");
    let mounted = std::fs::read_to_string(machine.path("mounted")).expect("a step of the test");
    assert_eq!(
        mounted.matches("/dev/sda1").count(),
        mounted.matches("umount").count(),
        "nothing stays mounted"
    );
}
