//! Brings a backup to a server with OpenSSH's own programs (`sftp`, `ssh-keyscan`, `ssh-keygen`): the best kept SFTP there
//! is, one package of the image, and none of its hundred crates in our process. The box signs in with a key of its own.
//! Nothing is sent before the server's key is the one that the configuration names.
use super::due;
use model::clock::Wall;
use model::config::vault::Sftp;
use model::saving::BackupItem;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Key of the box below the data folder.
const KEY: &str = "keys/backup";
/// Time for short questions.
const SHORT: Duration = Duration::from_secs(30);
/// Time for a backup with recordings over a slow line.
const LONG: Duration = Duration::from_secs(6 * 3600);
/// Output kept of a program.
const OUTPUT: u64 = 256 * 1024;

/// Line for the server's `authorized_keys`; the key is made when there is none.
pub(super) fn public_key(data: &Path) -> Result<String, String> {
    let key = data.join(KEY);
    let public = key.with_extension("pub");
    if !key.exists() {
        let folder = key.parent().ok_or("no folder for the key")?;
        std::fs::create_dir_all(folder).map_err(|e| e.to_string())?;
        let words = ["-q", "-t", "ed25519", "-N", "", "-C", "belfry", "-f", &text(&key)];
        run("ssh-keygen", &words, "", SHORT)?;
    }
    std::fs::read_to_string(&public)
        .map(|t| t.trim().to_owned())
        .map_err(|e| format!("{}: {e}", public.display()))
}

/// Sends a file, and says what is there then, newest first.
pub(super) fn put(
    data: &Path,
    server: &Sftp,
    file: &Path,
    name: &str,
    keep: usize,
) -> Result<Vec<BackupItem>, String> {
    public_key(data)?;
    let known = known_hosts(data, server)?;
    let (folder, local) = (&server.folder, text(file));
    let batch = format!(
        "-mkdir {folder}\ncd {folder}\nput \"{local}\" {name}.part\n-rm {name}\nrename {name}.part {name}\nls -ln\n"
    );
    let sent = sftp(data, server, &known, &batch)?;
    let mut items = listed(&sent);
    let bytes = std::fs::metadata(file).map_err(|e| e.to_string())?.len();
    if !items.iter().any(|item| item.name == name && item.bytes == bytes) {
        return Err(format!("{} has not the whole file; look at its room", server.host));
    }
    let old = items.split_off(keep.min(items.len()));
    if !old.is_empty() {
        let lines: String = old.iter().map(|item| format!("-rm {}\n", item.name)).collect();
        sftp(data, server, &known, &format!("cd {folder}\n{lines}"))?;
    }
    Ok(items)
}

/// Lines of `ls -ln` that are backups.
fn listed(output: &str) -> Vec<BackupItem> {
    let mut items: Vec<BackupItem> = output
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let name = words.last().filter(|name| due::is_name(name))?;
            let bytes = words.get(4)?.parse().ok()?;
            let made = due::time_of(name).unwrap_or(Wall(0));
            Some(BackupItem { name: (*name).to_owned(), made, bytes, place: "sftp".into() })
        })
        .collect();
    items.sort_by_key(|item| std::cmp::Reverse(item.made));
    items
}

/// A file with the server's key, when it is the one that the configuration names.
fn known_hosts(data: &Path, server: &Sftp) -> Result<PathBuf, String> {
    let port = server.port.to_string();
    let shown = run("ssh-keyscan", &["-T", "10", "-p", &port, &server.host], "", SHORT)?;
    let lines: Vec<&str> = shown.lines().filter(|line| !line.starts_with('#')).collect();
    let mut seen = Vec::new();
    for line in &lines {
        let print = run("ssh-keygen", &["-l", "-f", "-"], line, SHORT)?;
        let print =
            print.split_whitespace().find(|word| word.starts_with("SHA256:")).unwrap_or_default().to_owned();
        if Some(&print) == server.host_key.as_ref() {
            let path = data.join("keys/known_hosts");
            std::fs::write(&path, format!("{line}\n")).map_err(|e| e.to_string())?;
            return Ok(path);
        }
        seen.push(print);
    }
    Err(match (seen.first(), &server.host_key) {
        (None, _) => format!("{} does not answer on port {port}", server.host),
        (Some(_), None) => format!(
            "the server's key is not confirmed yet: {} shows {}; if that is right, enter it as host_key",
            server.host,
            seen.join(" ")
        ),
        (Some(_), Some(wanted)) => {
            format!("{} shows {} and not {wanted}: this may be another machine", server.host, seen.join(" "))
        }
    })
}

fn sftp(data: &Path, server: &Sftp, known: &Path, batch: &str) -> Result<String, String> {
    let (port, target) = (server.port.to_string(), format!("{}@{}", server.user, server.host));
    let (identity, hosts) =
        (format!("IdentityFile={}", text(&data.join(KEY))), format!("UserKnownHostsFile={}", text(known)));
    let options = [
        identity.as_str(),
        hosts.as_str(),
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "StrictHostKeyChecking=yes",
        "GlobalKnownHostsFile=/dev/null",
        "ConnectTimeout=20",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=4",
    ];
    let mut words = vec!["-q", "-b", "-", "-F", "/dev/null", "-P", &port];
    words.extend(options.iter().flat_map(|option| ["-o", option]));
    words.push(&target);
    run("sftp", &words, batch, LONG).map_err(|why| format!("{}: {why}", server.host))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Runs a program to its end with a text on its standard input; its output, or the last thing it complained of.
fn run(program: &str, words: &[&str], input: &str, limit: Duration) -> Result<String, String> {
    let child = Command::new(program)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child
        .map_err(|e| format!("OpenSSH's program {program} does not start ({e}); install openssh-client"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends early says why by itself.
        let _ = stdin.write_all(input.as_bytes());
    }
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let out = std::thread::spawn(move || out.map(kept).unwrap_or_default());
    let err = std::thread::spawn(move || err.map(kept).unwrap_or_default());
    let until = Instant::now() + limit;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(50)),
            Ok(None) | Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
        }
    };
    let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
    match status {
        Some(status) if status.success() => Ok(out),
        Some(_) => {
            Err(err.lines().rfind(|l| !l.trim().is_empty()).unwrap_or("it gave no reason").trim().to_owned())
        }
        None => Err(format!("{program} took too long and was ended")),
    }
}

fn kept(pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = pipe.take(OUTPUT).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
