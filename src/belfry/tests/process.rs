//! The binary as a process: starting, refusing, dying and coming back, stopping, and the operator's sub-commands.
//! Real processes on loopback; what is waited for is a line, an exit or a process id, never a length of time.
use std::io::{BufRead, BufReader, Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

static RTP: AtomicU16 = AtomicU16::new(0);

/// Each box of this file gets RTP ports of its own.
fn rtp() -> String {
    let low = 41_000 + RTP.fetch_add(20, Ordering::Relaxed);
    format!("{low}-{}", low + 19)
}

fn belfry(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_belfry"));
    command.args(arguments).env_remove("NOTIFY_SOCKET");
    command
}

fn run_to_end(arguments: &[&str], input: &str) -> Output {
    let mut child = belfry(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a machine for tests does this");
    child
        .stdin
        .take()
        .expect("a machine for tests does this")
        .write_all(input.as_bytes())
        .expect("a machine for tests does this");
    child.wait_with_output().expect("a machine for tests does this")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A running box.
struct Running {
    child: Child,
    lines: Receiver<String>,
    data: String,
    seen: Vec<String>,
}

impl Running {
    fn start(data: &Path) -> Running {
        Running::start_with(data, &[], &[])
    }

    fn start_with(data: &Path, more: &[&str], environment: &[(&str, &str)]) -> Running {
        let (data, rtp) = (data.to_str().expect("a machine for tests does this").to_owned(), rtp());
        let mut arguments = vec!["run", "--data", &data, "--rtp", &rtp];
        arguments.extend(["--sip", "127.0.0.1:0", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0"]);
        arguments.extend(more);
        let mut child = belfry(&arguments)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a machine for tests does this");
        let (line_in, lines) = channel();
        let out = BufReader::new(child.stdout.take().expect("a machine for tests does this"));
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = line_in.send(line);
            }
        });
        Running { child, lines, data, seen: Vec::new() }
    }

    fn line(&mut self, start: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line =
                self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("no {start}: {:?}", self.seen));
            self.seen.push(line.clone());
            if line.starts_with(start) {
                return line;
            }
        }
    }

    fn ready(mut self) -> Running {
        self.line("ready sip=127.0.0.1:");
        self
    }

    fn status(&self) -> Option<serde_json::Value> {
        let output = run_to_end(&["status", "--json", "--data", &self.data], "");
        serde_json::from_slice(&output.stdout).ok()
    }

    fn pid(&self, which: &str) -> Option<i32> {
        self.status()?[which].as_i64().and_then(|pid| i32::try_from(pid).ok())
    }

    fn signal(&self, signal: nix::sys::signal::Signal) {
        kill(i32::try_from(self.child.id()).expect("a machine for tests does this"), signal);
    }

    fn exit(&mut self) -> std::process::ExitStatus {
        until("the box ends", || self.child.try_wait().expect("a machine for tests does this"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn kill(pid: i32, signal: nix::sys::signal::Signal) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).expect("a machine for tests does this");
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn alive(pid: i32) -> bool {
    // A zombie is dead.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().starts_with(" Z"))
}

#[test]
fn a_fresh_box_says_where_its_admin_is_with_the_code_and_then_that_it_takes_calls() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(folder.path());
    let admin = running.line("admin https://127.0.0.1:");
    let code = admin.rsplit(' ').next().unwrap().to_owned();
    assert_eq!(code.len(), 9, "{admin}");
    let ready = running.line("ready sip=127.0.0.1:");
    assert!(ready.contains(" https=127.0.0.1:") && !ready.contains(":0"), "{ready}");
    let status = running.status().unwrap();
    assert_eq!(status["supervisor_pid"].as_u64(), Some(u64::from(running.child.id())));
    for which in ["control_pid", "media_pid"] {
        assert!(alive(i32::try_from(status[which].as_i64().unwrap()).unwrap()), "{status}");
    }
    assert_eq!(status["phones_configured"], 5, "the built-in site has five phones: {status}");
}

#[test]
fn a_wrong_command_line_is_answered_with_one_line_and_code_2() {
    for (arguments, part) in [
        (vec!["run", "--colour", "red"], "--colour"),
        (vec!["run", "--sip", "everywhere"], "--sip"),
        (vec!["dance"], "dance"),
        (vec![], "command is missing"),
    ] {
        let output = run_to_end(&arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.contains(part) && said.lines().count() == 1, "{said}");
    }
    let version = run_to_end(&["--version"], "");
    assert_eq!(text(&version.stdout).trim(), concat!("belfry ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_wrong_site_file_is_answered_with_every_problem_and_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site.toml");
    std::fs::write(&site, "[system]\ncountry = \"XX\"\ncolour = \"red\"\n").unwrap();
    let data = folder.path().join("data");
    let mut running = Running::start_with(&data, &["--site", site.to_str().unwrap()], &[]);
    assert_eq!(running.exit().code(), Some(2));
    let check = run_to_end(&["config", "check", site.to_str().unwrap()], "");
    assert_eq!(check.status.code(), Some(2));
    let said = text(&check.stderr);
    assert!(said.contains("system.country") && said.contains("system.colour"), "{said}");
}

#[test]
fn a_site_file_in_another_encoding_is_told_its_line_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site.toml");
    std::fs::write(&site, b"[system]\ncountry = \"DE\"\nname = \"B\xfcro\"\n").unwrap();
    let check = run_to_end(&["config", "check", site.to_str().unwrap()], "");
    assert_eq!(check.status.code(), Some(2));
    let said = text(&check.stderr);
    assert!(said.contains("line 3") && said.contains("UTF-8"), "{said}");
}

#[test]
fn a_port_that_is_taken_ends_the_start_with_its_name() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let rtp = rtp();
    let mut child = belfry(&["run", "--data", data, "--rtp", &rtp, "--sip", &address])
        .args(["--http", "127.0.0.1:0", "--https", "127.0.0.1:0"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(said.contains(&address) && said.contains("--sip"), "{said}");
}

#[test]
fn a_second_box_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = Running::start(folder.path()).ready();
    let second = run_to_end(&["run", "--data", &first.data], "");
    assert_eq!(second.status.code(), Some(2));
    assert!(text(&second.stderr).contains("another belfry already runs"), "{}", text(&second.stderr));
    assert!(first.status().is_some(), "the first one goes on");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let output = run_to_end(&["run", "--data", "/proc/belfry"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("/proc/belfry"), "{}", text(&output.stderr));
}

#[test]
fn either_role_may_be_killed_and_is_there_again_while_the_other_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).ready();
    let (control, media) = (running.pid("control_pid").unwrap(), running.pid("media_pid").unwrap());

    kill(media, nix::sys::signal::Signal::SIGKILL);
    let again = until("media is back", || running.pid("media_pid").filter(|pid| *pid != media));
    assert_eq!(running.pid("control_pid"), Some(control));

    kill(control, nix::sys::signal::Signal::SIGKILL);
    until("control is back", || running.pid("control_pid").filter(|pid| *pid != control));
    assert_eq!(running.pid("media_pid"), Some(again));
    let sip = running.status().unwrap()["sip"].as_str().unwrap().to_owned();
    assert!(running.seen[running.seen.len() - 1].contains(&sip), "it took the same port again");
}

#[test]
fn a_stuck_role_is_killed_and_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).ready();
    let media = running.pid("media_pid").unwrap();
    kill(media, nix::sys::signal::Signal::SIGSTOP);
    until("media is replaced", || running.pid("media_pid").filter(|pid| *pid != media));
    until("the stuck one is gone", || (!alive(media)).then_some(()));
}

#[test]
fn no_role_outlives_its_supervisor() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).ready();
    let roles = [running.pid("control_pid").unwrap(), running.pid("media_pid").unwrap()];
    running.signal(nix::sys::signal::Signal::SIGKILL);
    until("both roles are gone", || roles.iter().all(|pid| !alive(*pid)).then_some(()));
    // And the folder is free for the next one.
    drop(running);
    Running::start(folder.path()).ready();
}

#[test]
fn told_to_stop_it_ends_with_code_0_and_leaves_no_process() {
    for signal in [nix::sys::signal::Signal::SIGTERM, nix::sys::signal::Signal::SIGINT] {
        let folder = tempfile::tempdir().unwrap();
        let mut running = Running::start_with(folder.path(), &["--drain"], &[]).ready();
        let roles = [running.pid("control_pid").unwrap(), running.pid("media_pid").unwrap()];
        running.signal(signal);
        assert_eq!(running.exit().code(), Some(0), "{signal}");
        assert!(roles.iter().all(|pid| !alive(*pid)), "{signal}");
    }
}

#[test]
fn the_service_manager_hears_ready_then_signs_of_life_then_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "1500000")];
    let mut running = Running::start_with(&folder.path().join("data"), &[], &environment);
    let hear = |word: &str| {
        let mut buffer = [0; 512];
        let mut heard = Vec::new();
        loop {
            let length = manager.recv(&mut buffer).unwrap_or_else(|_| panic!("no {word} in {heard:?}"));
            heard.push(text(&buffer[..length]));
            if heard.last().is_some_and(|line| line.contains(word)) {
                return heard.join(" ");
            }
        }
    };
    hear("READY=1");
    hear("STATUS=taking calls");
    hear("WATCHDOG=1");
    hear("WATCHDOG=1");
    running.signal(nix::sys::signal::Signal::SIGTERM);
    hear("STOPPING=1");
    assert_eq!(running.exit().code(), Some(0));
}

#[test]
fn the_hardware_watchdog_of_the_board_is_fed_and_disarmed_at_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let (device, board) = (folder.path().join("watchdog"), folder.path().join("board.toml"));
    std::fs::write(&device, "").unwrap();
    let description =
        format!("name = \"test\"\n[watchdog]\ndevice = \"{}\"\ntimeout_s = 20\n", device.display());
    std::fs::write(&board, description).unwrap();
    let environment = [("BELFRY_BOARD", board.to_str().unwrap())];
    let mut running = Running::start_with(&folder.path().join("data"), &[], &environment).ready();
    until("the watchdog is fed", || (!std::fs::read(&device).unwrap().is_empty()).then_some(()));
    running.signal(nix::sys::signal::Signal::SIGTERM);
    running.exit();
    assert_eq!(std::fs::read(&device).unwrap().last(), Some(&b'V'));
}

#[test]
fn the_operator_works_on_a_folder_at_rest_and_on_a_running_box_alike() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let site = folder.path().join("site.toml");
    let write = |name: &str| {
        let text = format!(
            "[system]\nname = \"{name}\"\ncountry = \"DE\"\n[[extension]]\nnumber = \"101\"\nname = \"Anna\"\n"
        );
        std::fs::write(&site, text).unwrap();
        site.to_str().unwrap()
    };
    let fine = |arguments: &[&str], input: &str| {
        let mut words = arguments.to_vec();
        words.extend(["--data", data]);
        let output = run_to_end(&words, input);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let nothing = run_to_end(&["config", "export", "--data", data], "");
    assert_eq!(nothing.status.code(), Some(2), "{}", text(&nothing.stderr));

    fine(&["config", "apply", write("At rest")], "");
    let exported = fine(&["config", "export"], "");
    assert!(exported.contains("At rest") && exported.contains("password = "), "{exported}");
    fine(&["user", "set", "anna", "--role", "admin"], "a long enough secret\n");
    assert!(fine(&["token", "create", "script", "--role", "admin"], "").starts_with("belfry_"));

    let mut running = Running::start(Path::new(data));
    let admin = running.line("admin ");
    assert!(!admin.contains("set-up code"), "an admin exists already: {admin}");
    let running = running.ready();
    fine(&["config", "apply", write("Running")], "");
    let applied = fine(&["config", "export"], "");
    let password = |text: &str| text.lines().find(|l| l.starts_with("password")).map(str::to_owned);
    assert!(applied.contains("Running"));
    assert_eq!(password(&applied), password(&exported), "a password nobody named stays");
    let history = fine(&["config", "history"], "");
    assert_eq!(history.lines().count(), 2, "{history}");
    fine(&["config", "undo", "1"], "");
    assert!(fine(&["config", "export"], "").contains("At rest"));
    fine(&["user", "set", "ben", "--role", "agent"], "another long secret\n");
    assert!(fine(&["token", "create", "second", "--role", "supervisor"], "").starts_with("belfry_"));
    let said = fine(&["status"], "");
    assert!(said.contains("generation 3") && said.contains("phones: 0 of 1"), "{said}");

    let wrong = folder.path().join("wrong.toml");
    std::fs::write(&wrong, "[system]\nname = 7\n").unwrap();
    let refused = run_to_end(&["config", "apply", wrong.to_str().unwrap(), "--data", data], "");
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("system.name"), "{}", text(&refused.stderr));
    let unknown = run_to_end(&["config", "undo", "99", "--data", data], "");
    assert_eq!(unknown.status.code(), Some(2), "{}", text(&unknown.stderr));
    let weak = run_to_end(&["user", "set", "carl", "--role", "user", "--data", data], "short\n");
    assert_eq!(weak.status.code(), Some(2), "{}", text(&weak.stderr));
    drop(running);
}

#[test]
fn the_console_shows_the_status_of_the_running_box() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).ready();
    let output = run_to_end(&["console", "--data", &running.data], "1\n\n0\n");
    let said = text(&output.stdout);
    assert!(output.status.success() && said.contains("5 configured"), "{said}");
}

#[test]
fn without_a_box_status_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_to_end(&["status", "--data", folder.path().to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no box runs"), "{}", text(&output.stderr));
}

/// The fields of a tree: path and value of each that is no table and no list of tables.
fn leaves(value: &serde_json::Value, path: &str, out: &mut Vec<(String, serde_json::Value)>) {
    use serde_json::Value;
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, inner)| leaves(inner, &format!("{path}[{name}]"), out));
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let keys = ["number", "id", "name"];
            let top = !path.contains("][");
            let rules = path.starts_with("[inbound") || path.starts_with("[outbound");
            for (i, item) in items.iter().enumerate() {
                let key = keys.iter().find_map(|key| item[*key].as_str()).filter(|_| top && !rules);
                let section = path.trim_matches(['[', ']']);
                let key = if section == "queue" || section == "flow" { item["name"].as_str() } else { key };
                leaves(item, &format!("{path}[{}]", key.map_or(i.to_string(), str::to_owned)), out);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            out.push((path.to_owned(), value.clone()))
        }
    }
}

/// A list as it is typed, a text as it is.
fn typed(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn every_field_of_a_site_is_set_by_the_command_line_and_read_by_the_interface() {
    let folder = tempfile::tempdir().expect("a machine for tests does this");
    let site = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/site_full.toml");
    let running = Running::start_with(folder.path(), &["--site", site], &[]).ready();
    let data = running.data.clone();
    let cli = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--data", &data]);
        run_to_end(&all, "")
    };
    let read = || -> serde_json::Value {
        serde_json::from_slice(&cli(&["get"]).stdout).expect("the interface gives the tree")
    };
    let (before, mut fields) = (read(), Vec::new());
    leaves(&before, "", &mut fields);
    assert!(fields.len() > 150, "{} fields", fields.len());
    // Each back to its usual value, where the site allows that: setting it is a change then.
    let reset = fields.iter().filter(|(path, _)| cli(&["delete", path]).status.success()).count();
    assert!(reset > 60, "{reset} fields were away in between");
    assert_ne!(read(), before);
    let mut set = vec!["set".to_owned()];
    set.extend(fields.iter().flat_map(|(path, value)| [path.clone(), typed(value)]));
    let set = cli(&set.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(set.status.success(), "{}", text(&set.stderr));
    assert_eq!(read(), before, "the site is the one that it was");
}

#[test]
fn the_exported_text_makes_the_same_site_on_a_new_box() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let site = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/site_full.toml");
    let at = |folder: &tempfile::TempDir| folder.path().to_str().unwrap().to_owned();
    let (old_data, new_data) = (at(&old), at(&new));
    let said = run_to_end(&["config", "apply", site, "--data", &old_data], "");
    assert!(said.status.success(), "{}", text(&said.stderr));
    let exported = run_to_end(&["config", "export", "--data", &old_data], "").stdout;
    let file = old.path().join("export.toml");
    std::fs::write(&file, &exported).unwrap();
    let said = run_to_end(&["config", "apply", file.to_str().unwrap(), "--data", &new_data], "");
    assert!(said.status.success(), "{}", text(&said.stderr));
    let tree = |data: &str| text(&run_to_end(&["get", "--data", data], "").stdout);
    assert_eq!(tree(&old_data), tree(&new_data));
    assert_eq!(exported, run_to_end(&["config", "export", "--data", &new_data], "").stdout);
}
