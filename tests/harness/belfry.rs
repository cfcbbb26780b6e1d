//! The real box: the `belfry` binary on a data folder of its own.
use super::lan::Lan;
use super::process::Process;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// A running box and its folder.
pub struct Belfry {
    /// The supervisor.
    pub process: Process,
    /// Where SIP is, port 5060.
    pub host: Ipv4Addr,
    /// Data folder.
    pub data: PathBuf,
    folder: PathBuf,
    rtp: (u16, u16),
}

static RTP: AtomicU16 = AtomicU16::new(0);

/// The binary under test: `BELFRY_BIN`, else the one beside this test's profile.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("BELFRY_BIN") {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().expect("a running test has a file");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/test");
    let path = profile.join("belfry");
    assert!(path.exists(), "{} is missing: cargo build -p belfry", path.display());
    path
}

impl Belfry {
    /// Starts the box at `lan` host 1 with this site and waits until it takes calls.
    ///
    /// # Panics
    /// When it does not say `ready` in time.
    #[must_use]
    pub fn start(lan: Lan, site: &str, folder: &Path) -> Belfry {
        Belfry::start_with(lan, site, folder, &[])
    }

    /// The same with further flags of `belfry run`.
    ///
    /// # Panics
    /// When it does not say `ready` in time.
    #[must_use]
    pub fn start_with(lan: Lan, site: &str, folder: &Path, flags: &[&str]) -> Belfry {
        let low = 20_000 + (RTP.fetch_add(400, Ordering::Relaxed) % 20_000);
        std::fs::write(folder.join("site.toml"), site).expect("the test folder is writable");
        let (host, data) = (lan.host(1), folder.join("data"));
        let process = spawn(host, &data, folder, (low, low + 399), "belfry", flags);
        let mut it = Belfry { process, host, data, folder: folder.to_owned(), rtp: (low, low + 399) };
        it.process.wait_for("ready sip=", Duration::from_secs(20));
        it
    }

    /// Starts it again on the same data after it was killed.
    ///
    /// # Panics
    /// When it does not say `ready` in time.
    pub fn restart(&mut self) {
        self.process = spawn(self.host, &self.data, &self.folder, self.rtp, "belfry-again", &[]);
        self.process.wait_for("ready sip=", Duration::from_secs(20));
    }

    /// Runs a sub-command on its data folder.
    ///
    /// # Panics
    /// When the program cannot be started.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Output {
        run(&self.data, arguments, "")
    }

    /// `belfry status --json`.
    ///
    /// # Panics
    /// When the box does not answer with JSON.
    #[must_use]
    pub fn status(&self) -> Value {
        let out = self.run(&["status", "--json"]);
        serde_json::from_slice(&out.stdout).unwrap_or_else(|e| {
            panic!("status is no JSON ({e}): {}{}", text(&out.stdout), text(&out.stderr));
        })
    }

    /// Asks the API over the local socket, as the command line does; answers the body.
    ///
    /// # Panics
    /// When the box does not answer 2xx; the message shows what it said.
    #[must_use]
    pub fn get(&self, path: &str) -> Value {
        let body = self.curl(&["-f", "-sS", &format!("http://box/api/v1{path}")]);
        serde_json::from_slice(&body).unwrap_or_else(|e| panic!("{path} is no JSON ({e}): {}", text(&body)))
    }

    /// Fetches raw bytes (sound) from the API.
    ///
    /// # Panics
    /// When the box does not answer 2xx.
    #[must_use]
    pub fn get_bytes(&self, path: &str) -> Vec<u8> {
        self.curl(&["-f", "-sS", &format!("http://box/api/v1{path}")])
    }

    /// What a browser gets for `/`.
    ///
    /// # Panics
    /// When the box does not answer.
    #[must_use]
    pub fn page(&self) -> String {
        text(&self.curl(&["-sS", "http://box/"]))
    }

    /// Sends a request with a JSON body.
    ///
    /// # Panics
    /// When the box does not answer 2xx.
    pub fn send(&self, method: &str, path: &str, body: &Value) -> Vec<u8> {
        let (url, body) = (format!("http://box/api/v1{path}"), body.to_string());
        self.curl(&[
            "--fail-with-body",
            "-sS",
            "-X",
            method,
            "-H",
            "content-type: application/json",
            "-d",
            &body,
            &url,
        ])
    }

    /// Sends a request with a JSON body that may be refused; answers the status and what was said.
    ///
    /// # Panics
    /// When the box does not answer.
    #[must_use]
    pub fn try_to(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (url, body) = (format!("http://box/api/v1{path}"), body.to_string());
        let kind = "content-type: application/json";
        let out =
            text(&self.curl(&["-sS", "-w", "\n%{http_code}", "-X", method, "-H", kind, "-d", &body, &url]));
        let (said, status) = out.rsplit_once('\n').expect("the status stands in a line of its own");
        (status.parse().expect("a status"), serde_json::from_str(said).unwrap_or_default())
    }

    /// Sends a file that cannot be taken; answers what was said in English and in Chinese.
    ///
    /// # Panics
    /// When the box takes it, or does not say the same in both languages: the same numbers and quoted words.
    #[must_use]
    pub fn refused(&self, method: &str, path: &str, file: &[u8]) -> (String, String) {
        let sent = self.data.join("run/refused");
        std::fs::write(&sent, file).expect("the test folder is writable");
        let (url, body) = (format!("http://box/api/v1{path}"), format!("@{}", sent.display()));
        let kind = "content-type: application/octet-stream";
        let said = self.curl(&["-sS", "-X", method, "-H", kind, "--data-binary", &body, &url]);
        let said: Value = serde_json::from_slice(&said).expect("JSON");
        let of = |language: &str| said["error"][language].as_str().unwrap_or_default().to_owned();
        let (english, chinese) = (of("message"), of("message_zh"));
        assert!(chinese.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{path}: {said}");
        assert_eq!(facts(&english), facts(&chinese), "{path}: {said}");
        (english, chinese)
    }

    /// Sends a file.
    ///
    /// # Panics
    /// When the box does not answer 2xx.
    pub fn upload(&self, path: &str, file: &Path) -> Vec<u8> {
        let (url, body) = (format!("http://box/api/v1{path}"), format!("@{}", file.display()));
        let kind = "content-type: application/octet-stream";
        self.curl(&["--fail-with-body", "-sS", "-X", "POST", "-H", kind, "--data-binary", &body, &url])
    }

    fn curl(&self, arguments: &[&str]) -> Vec<u8> {
        let out = Command::new("curl")
            .arg("--unix-socket")
            .arg(self.data.join("run/control.sock"))
            .args(arguments)
            .output()
            .expect("curl is installed");
        assert!(out.status.success(), "{arguments:?}: {}{}", text(&out.stdout), text(&out.stderr));
        out.stdout
    }

    /// Waits until the API's answer satisfies the test.
    ///
    /// # Panics
    /// When it does not in time; the message shows the last answer.
    pub fn until(&self, what: &str, path: &str, limit: Duration, fits: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + limit;
        loop {
            let last = self.get(path);
            if fits(&last) {
                return last;
            }
            assert!(
                Instant::now() < end,
                "waited {limit:?} in vain until {what}; {path} says {last:#}; the box: {}",
                self.process.output()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Numbers and quoted words of a sentence.
fn facts(sentence: &str) -> BTreeSet<String> {
    let quote = |c: char| "\"“”".contains(c);
    let numbers = sentence.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty());
    numbers.chain(sentence.split(quote).skip(1).step_by(2)).map(str::to_owned).collect()
}

/// Runs the binary with `--data` and a text on its standard input.
///
/// # Panics
/// When the program cannot be started.
#[must_use]
pub fn run(data: &Path, arguments: &[&str], input: &str) -> Output {
    use std::io::Write;
    let mut child = Command::new(binary())
        .args(arguments)
        .arg("--data")
        .arg(data)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("asked for");
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("a child can be waited for")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn spawn(host: Ipv4Addr, data: &Path, folder: &Path, rtp: (u16, u16), name: &str, flags: &[&str]) -> Process {
    let mut command = Command::new(binary());
    command.arg("run").arg("--data").arg(data).arg("--site").arg(folder.join("site.toml"));
    command.args(["--sip", &format!("{host}:5060"), "--http", &format!("{host}:8080")]);
    command.args(["--https", &format!("{host}:8443"), "--rtp", &format!("{}-{}", rtp.0, rtp.1)]);
    command.args(["--media-address", &host.to_string()]);
    command.args(flags);
    // The sound cards of this test, when it wrote any.
    let cards = folder.join("asound.conf");
    if cards.exists() {
        command.env("ALSA_CONFIG_PATH", cards);
    }
    // The board of this test, when it wrote one.
    let board = folder.join("board.toml");
    if board.exists() {
        command.env("BELFRY_BOARD", board);
    }
    // For whoever looks for a fault: BELFRY_TEST_LOG=debug cargo test …
    if let Ok(filter) = std::env::var("BELFRY_TEST_LOG") {
        command.args(["--log", &filter]);
    }
    Process::start(name, &mut command, folder)
}
