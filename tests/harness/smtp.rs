//! A real SMTP server (aiosmtpd) that keeps each mail as a file.
use super::process::{Process, until};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A running mail server.
pub struct Smtp {
    /// The process; kept so that it ends with the test.
    pub process: Process,
    folder: PathBuf,
}

impl Smtp {
    /// Starts one at `host`:2525 with its mails in `folder/mail`.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(host: Ipv4Addr, folder: &Path) -> Smtp {
        let mails = folder.join("mail");
        let address = format!("{host}:2525");
        let process = Process::start(
            "smtp",
            Command::new("/usr/bin/python3")
                .args(["-m", "aiosmtpd", "-n", "-l", &address, "-c", "aiosmtpd.handlers.Mailbox"])
                .arg(&mails),
            folder,
        );
        until("the mail server answers", Duration::from_secs(10), || {
            std::net::TcpStream::connect(&address).ok().map(drop)
        });
        Smtp { process, folder: mails }
    }

    /// The texts of all mails received so far.
    #[must_use]
    pub fn mails(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.folder.join("new")) else { return Vec::new() };
        entries.flatten().filter_map(|e| std::fs::read_to_string(e.path()).ok()).collect()
    }
}
