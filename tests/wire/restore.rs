//! Backups of the real binary: proved while it runs, taken back on a new box that then rings the same phone, brought to a
//! real SSH server, and the factory reset after which the set-up is the first page again.
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests::harness::baresip::{Account, Phone};
use tests::harness::belfry::{Belfry, run};
use tests::harness::lan::Lan;
use tests::harness::process::{Process, until};
use tests::harness::sipp::customer;
use tests::harness::site;

const SOON: Duration = Duration::from_secs(40);
const PHRASE: &str = "four words make sense";
const PASSWORD: &str = "a-phone-password-1";

fn site_of(lan: Lan, backup: &str) -> String {
    let phone = format!(
        "\n[[extension]]\nnumber = \"102\"\nname = \"Berta\"\npassword = \"{PASSWORD}\"\n[extension.voicemail]\npin = \"190283\"\n"
    );
    let backup = format!("\n[backup]\nevery = \"never\"\npass_phrase = \"{PHRASE}\"\n{backup}");
    [site::head(), backup, phone, site::lines(lan, "extension:102")].concat()
}

fn phone(lan: Lan, folder: &Path) -> Phone {
    let account = Account {
        port: lan.phone_port(1),
        registrar: lan.host(1),
        user: "102",
        password: PASSWORD,
        hz: 440,
        answers: true,
        lamp: false,
    };
    let phone = Phone::start(&account, folder);
    phone.wait_registered(SOON);
    phone
}

fn said(output: &std::process::Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Asks for a backup as the command line does, and says what is known then.
fn back_up(pbx: &Belfry) -> Value {
    let output = pbx.run(&["backup", "create"]);
    assert!(output.status.success(), "{}", said(&output));
    pbx.get("/backups")
}

#[test]
fn a_new_box_takes_the_backup_and_rings_the_same_phone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lan = Lan::take();
    let pbx = Belfry::start(lan, &site_of(lan, ""), folder.path());
    let phone = phone(lan, folder.path());
    assert!(customer(lan, 6000, 1000, &[], folder.path()).wait(SOON).success());
    let config = said(&pbx.run(&["config", "export"]));
    pbx.until("the call is in the history", "/history?limit=5", SOON, |h| {
        h["items"].as_array().is_some_and(|i| i.len() == 1)
    });
    let state = back_up(&pbx);
    let name = state["last_good"]["name"].as_str().expect("a good one").to_owned();
    assert_eq!(state["items"].as_array().map(Vec::len), Some(1), "{state}");
    let file = folder.path().join("taken-home.belfry");
    std::fs::write(&file, pbx.get_bytes(&format!("/backups/{name}"))).expect("the test folder is writable");
    drop(pbx);

    // Another machine at the same place, new out of its carton.
    let new_home = folder.path().join("new");
    std::fs::create_dir_all(&new_home).expect("the test folder is writable");
    let new = Belfry::start(lan, &site::head(), &new_home);
    let path = file.to_str().expect("a plain name");
    let wrong = run(&new.data, &["backup", "restore", path], "not the right words\n");
    assert_eq!(wrong.status.code(), Some(2), "{}", said(&wrong));
    assert!(said(&wrong).contains("pass-phrase does not open"), "{}", said(&wrong));
    let before = new.status()["control_pid"].clone();
    let done = run(&new.data, &["backup", "restore", path], &format!("{PHRASE}\n"));
    assert!(done.status.success(), "{}", said(&done));
    until("the box has started again", SOON, || {
        let status = new.run(&["status", "--json"]);
        let status: Value = serde_json::from_slice(&status.stdout).ok()?;
        (status["control_pid"] != before).then_some(())
    });
    assert_eq!(said(&new.run(&["config", "export"])), config, "the configuration is the same, text for text");
    let history = new.get("/history?limit=5");
    assert_eq!(history["items"].as_array().map(Vec::len), Some(1), "{history}");
    // The phone was told nothing: it rings by the registration that came along.
    assert!(customer(lan, 6100, 1000, &[], folder.path()).wait(SOON).success(), "{}", new.process.output());
    let rang = phone.process.output().matches("Call established").count();
    assert!(rang >= 2, "the phone rang on both boxes: {}", phone.process.output());
}

#[test]
fn a_factory_reset_ends_at_the_first_page() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lan = Lan::take();
    let mut pbx = Belfry::start(lan, &site_of(lan, ""), folder.path());
    let output = run(&pbx.data, &["user", "set", "anna", "--role", "admin"], "eleven green apples\n");
    assert!(output.status.success(), "{}", said(&output));
    back_up(&pbx);
    let file = folder.path().join("changed.toml");
    let changed = site_of(lan, "").replace("\"Berta\"", "\"Brigitte\"");
    std::fs::write(&file, changed).expect("the test folder is writable");
    let output = pbx.run(&["config", "apply", file.to_str().expect("a plain name")]);
    assert!(output.status.success(), "{}", said(&output));
    let careless = pbx.run(&["factory-reset"]);
    assert_eq!(careless.status.code(), Some(2), "it has to be meant: {}", said(&careless));
    let old_code = std::fs::read_to_string(pbx.data.join("setup-code")).unwrap_or_default();
    let done = pbx.run(&["factory-reset", "--yes"]);
    assert!(done.status.success(), "{}", said(&done));
    until("a new set-up code is there", SOON, || {
        let code = std::fs::read_to_string(pbx.data.join("setup-code")).ok()?;
        (code != old_code && !code.is_empty()).then_some(())
    });
    until("the box answers", SOON, || pbx.run(&["status"]).status.success().then_some(()));
    assert_eq!(pbx.get("/setup")["needed"], true);
    assert_eq!(pbx.get("/users"), json!([]));
    let history = pbx.get("/config/history?limit=10");
    assert_eq!(
        history["items"].as_array().map(Vec::len),
        Some(1),
        "the site it was started with first: {history}"
    );
    assert!(!said(&pbx.run(&["config", "export"])).contains("Brigitte"), "nothing of the old site is left");
    assert_eq!(pbx.get("/backups")["items"], json!([]), "its backups are gone with it");
    assert!(!pbx.data.join("backups").join("work").exists());
    pbx.process.wait_for("set-up code", SOON);
}

/// OpenSSH's server with one account (ours), serving SFTP in a folder.
fn ssh_server(host: Ipv4Addr, folder: &Path, allowed: &str) -> Process {
    let home = folder.join("ssh");
    std::fs::create_dir_all(&home).expect("the test folder is writable");
    let key = home.join("host_key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    assert!(made.is_ok_and(|s| s.success()), "ssh-keygen is installed");
    std::fs::write(home.join("allowed"), format!("{allowed}\n")).expect("the test folder is writable");
    std::fs::set_permissions(home.join("allowed"), std::fs::Permissions::from_mode(0o600)).expect("ours");
    let config = format!(
        "Port 2222\nListenAddress {host}\nHostKey {key}\nAuthorizedKeysFile {home}/allowed\nStrictModes no\n\
         PasswordAuthentication no\nUsePAM no\nPidFile none\nSubsystem sftp internal-sftp -d {home}\n",
        key = key.display(),
        home = home.display()
    );
    std::fs::write(home.join("config"), config).expect("the test folder is writable");
    // It wants this folder when it runs as root; without root nobody asks for it.
    let _ = std::fs::create_dir_all("/run/sshd");
    let mut server = Command::new("/usr/sbin/sshd");
    server.args(["-D", "-e", "-f"]).arg(home.join("config"));
    let mut process = Process::start("sshd", &mut server, folder);
    process.wait_for("Server listening", SOON);
    process
}

#[test]
fn backups_go_to_a_server_whose_key_is_known_and_the_oldest_make_room() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lan = Lan::take();
    let user = Command::new("id").arg("-un").output().expect("a user runs the test");
    let user = String::from_utf8_lossy(&user.stdout).trim().to_owned();
    let host = lan.host(3);
    let home = folder.path().join("ssh");
    let target = |key: &str| {
        format!(
            "target = \"sftp\"\nkeep = 2\n[backup.sftp]\nhost = \"{host}\"\nport = 2222\nuser = \"{user}\"\nfolder = \"{}/saved\"\n{key}",
            home.display()
        )
    };
    let pbx = Belfry::start(lan, &site_of(lan, &target("")), folder.path());
    let key = pbx.get("/backups")["public_key"].as_str().expect("the box has a key").to_owned();
    let _server = ssh_server(host, folder.path(), &key);

    let first = pbx.run(&["backup", "create"]);
    assert!(!first.status.success() && said(&first).contains("not confirmed yet"), "{}", said(&first));
    let print =
        said(&first).split_whitespace().find(|w| w.starts_with("SHA256:")).expect("a fingerprint").to_owned();
    let print = print.trim_end_matches(';').to_owned();
    let apply = |key: &str| {
        let file = folder.path().join("again.toml");
        std::fs::write(&file, site_of(lan, &target(key))).expect("the test folder is writable");
        let output = pbx.run(&["config", "apply", file.to_str().expect("a plain name")]);
        assert!(output.status.success(), "{}", said(&output));
    };
    apply(&format!("host_key = \"SHA256:{}\"\n", "A".repeat(43)));
    let other = pbx.run(&["backup", "create"]);
    assert!(!other.status.success() && said(&other).contains("another machine"), "{}", said(&other));
    assert!(!home.join("saved").exists(), "nothing was sent to a machine that nobody confirmed");

    apply(&format!("host_key = \"{print}\"\n"));
    let mut names = Vec::new();
    for _ in 0..3 {
        let state = back_up(&pbx);
        names.push(state["last_good"]["name"].as_str().expect("a good one").to_owned());
        assert_eq!(state["last_failure"], Value::Null);
    }
    let mut there: Vec<String> = std::fs::read_dir(home.join("saved"))
        .expect("the server has them")
        .map(|e| e.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    there.sort();
    assert_eq!(there, names[1..], "the two newest, whole, and nothing else");
    let file = home.join("saved").join(&names[2]);
    let check =
        run(&pbx.data, &["backup", "check", file.to_str().expect("a plain name")], &format!("{PHRASE}\n"));
    assert!(check.status.success() && said(&check).contains("is whole: Test"), "{}", said(&check));
}
