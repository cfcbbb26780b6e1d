//! Kamailio as the carrier: challenges REGISTER and INVITE of the box's account, delivers calls for the account's
//! numbers to its registration, and hands the box's calls to a callee.
use super::process::{Process, until};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Account of the box at this carrier.
pub const ACCOUNT: &str = "site1";
/// Its password.
pub const PASSWORD: &str = "carrier-secret";

/// A running carrier.
pub struct Kamailio {
    /// The process; kept so that it ends with the test.
    pub process: Process,
    /// Its address, port 5060.
    pub host: Ipv4Addr,
}

impl Kamailio {
    /// Starts it at `host`:5060; calls that come from `box_host` must prove its account and go to
    /// `callee`:5090; calls from anywhere else go to its registration.
    ///
    /// # Panics
    /// When it does not answer OPTIONS in time.
    #[must_use]
    pub fn start(host: Ipv4Addr, box_host: Ipv4Addr, callee: Ipv4Addr, folder: &Path) -> Kamailio {
        let file = folder.join("kamailio.cfg");
        let text = include_str!("../data/kamailio.cfg")
            .replace("@HOST@", &host.to_string())
            .replace("@BOX@", &box_host.to_string())
            .replace("@CALLEE@", &callee.to_string())
            .replace("@ACCOUNT@", ACCOUNT)
            .replace("@PASSWORD@", PASSWORD);
        std::fs::write(&file, text).expect("the test folder is writable");
        let run = folder.join("kamailio-run");
        std::fs::create_dir_all(&run).expect("the test folder is writable");
        let process = Process::start(
            "kamailio",
            Command::new("kamailio")
                .args(["-DD", "-E", "-m", "32", "-M", "8", "-Y"])
                .arg(&run)
                .arg("-f")
                .arg(&file),
            folder,
        );
        answers_options(host, &process);
        Kamailio { process, host }
    }
}

fn answers_options(host: Ipv4Addr, process: &Process) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a socket takes a time-out");
    let local = socket.local_addr().expect("bound");
    let ask = format!(
        "OPTIONS sip:{host} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKprobe;rport\r\nFrom: <sip:t@t>;tag=1\r\n\
         To: <sip:{host}>\r\nCall-ID: probe\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\nContent-Length: 0\r\n\r\n"
    );
    until(&format!("Kamailio answers; it said: {}", process.output()), Duration::from_secs(15), || {
        socket.send_to(ask.as_bytes(), (host, 5060)).ok()?;
        let mut buffer = [0; 2048];
        socket.recv(&mut buffer).ok().filter(|&n| buffer[..n].starts_with(b"SIP/2.0 200")).map(drop)
    });
}
