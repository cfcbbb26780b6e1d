//! Runs a program of the machine for an act: a time limit, bounded output, no shell, an empty environment but for the
//! search path. Decides nothing.
use super::place::Place;
use board::steward::Refused;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Output kept of one program, bytes; the longest is the state of the slots, about 4 KiB.
const OUTPUT_MAX: usize = 256 * 1024;
/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What a program left behind.
#[derive(Debug)]
pub struct Ran {
    /// Whether it said that it worked.
    pub ok: bool,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Standard output of a program that worked.
    ///
    /// # Errors
    /// The last line it complained with.
    pub fn fine(self, program: &str) -> Result<String, Refused> {
        if self.ok { Ok(self.out) } else { Err(failed(program, last_line(&self.err))) }
    }
}

/// Runs it to its end.
///
/// # Errors
/// It is not there, or took longer than `limit` (then it is killed).
pub fn run(place: &Place, program: &str, words: &[&str], limit: Duration) -> Result<Ran, Refused> {
    follow(place, program, words, limit, |_| {})
}

/// The same, handing on each line of standard output as it comes.
///
/// # Errors
/// As [`run`].
pub fn follow(
    place: &Place,
    program: &str,
    words: &[&str],
    limit: Duration,
    line: impl FnMut(&str),
) -> Result<Ran, Refused> {
    let mut child = Command::new(place.program(program))
        .args(words)
        .env_clear()
        .envs(place.environment())
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(program, &error.to_string()))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let err = std::thread::spawn(move || err.map(kept).unwrap_or_default());
    let guard = std::thread::spawn(move || wait(child, limit));
    let out = out.map(|pipe| lines(pipe, line)).unwrap_or_default();
    let err = err.join().unwrap_or_default();
    match guard.join() {
        Ok(Some(ok)) => Ok(Ran { ok, out, err }),
        Ok(None) | Err(_) => Err(Refused::new(
            "program_failed",
            format!("The box's own program {program} took longer than {} s and was ended.", limit.as_secs()),
            format!("系统程序 {program} 运行超过 {} 秒，已被终止。", limit.as_secs()),
        )),
    }
}

/// Waits for the end; `None` = it had to be killed.
fn wait(mut child: Child, limit: Duration) -> Option<bool> {
    let until = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) if Instant::now() < until => std::thread::sleep(LOOK),
            Ok(None) | Err(_) => break,
        }
    }
    if let Ok(group) = i32::try_from(child.id()) {
        // What it started holds our pipes open: all of it goes.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    let _ = child.wait();
    None
}

fn lines(pipe: impl Read, mut each: impl FnMut(&str)) -> String {
    let (mut reader, mut kept, mut line) = (BufReader::new(pipe), String::new(), Vec::new());
    while reader.by_ref().take(OUTPUT_MAX as u64).read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        each(text.trim_end());
        if kept.len() + text.len() <= OUTPUT_MAX {
            kept.push_str(&text);
        }
        line.clear();
    }
    kept
}

fn kept(pipe: impl Read) -> String {
    lines(pipe, |_| {})
}

/// The last thing a program said.
#[must_use]
pub fn last_line(text: &str) -> &str {
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it gave no reason")
}

fn failed(program: &str, why: &str) -> Refused {
    Refused::new(
        "program_failed",
        format!("The box's own program {program} failed: {why}."),
        format!("系统程序 {program} 失败：{why}。"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn machine(script: &str) -> (tempfile::TempDir, Place) {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("usr/bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::write(bin.join("tool"), format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(bin.join("tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let place = Place::new(Some(folder.path().to_owned()));
        (folder, place)
    }

    #[test]
    fn lines_are_handed_on_and_the_last_complaint_is_told() {
        let (_folder, place) = machine("echo one; echo two; echo sorry >&2; exit 3");
        let mut seen = Vec::new();
        let ran = follow(&place, "tool", &[], Duration::from_secs(20), |l| seen.push(l.to_owned())).unwrap();
        assert_eq!(seen, ["one", "two"]);
        assert!(ran.fine("tool").unwrap_err().said.en.contains("sorry"));
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_all_it_started() {
        let (_folder, place) = machine("sleep 600 & sleep 600");
        let error = run(&place, "tool", &[], Duration::from_millis(1200)).unwrap_err();
        assert!(error.said.en.contains("tool took longer than 1 s"), "{error}");
        assert!(error.said.zh.contains("tool 运行超过 1 秒"), "{error}");
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let (_folder, place) = machine("");
        assert!(run(&place, "rauc", &[], Duration::from_secs(20)).unwrap_err().said.en.contains("rauc"));
    }
}
