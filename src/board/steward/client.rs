//! Asks the steward. Blocks the calling thread, at most as long as told: for threads that may wait, never for one that
//! calls depend on.
use super::{Act, Answer, LINE_MAX, Line, Progress, Refused, SOCKET};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// For acts that only look or start something.
pub const SHORT: Duration = Duration::from_secs(20);

/// The steward behind its socket.
#[derive(Clone, Debug)]
pub struct Steward {
    socket: PathBuf,
}

impl Default for Steward {
    fn default() -> Steward {
        Steward::at(Path::new(SOCKET))
    }
}

impl Steward {
    /// The one that listens at this path.
    #[must_use]
    pub fn at(socket: &Path) -> Steward {
        Steward { socket: socket.to_owned() }
    }

    /// Whether there is one: on a PC there is none.
    #[must_use]
    pub fn there(&self) -> bool {
        self.socket.exists()
    }

    /// Asks, and waits for the answer at most `limit`.
    ///
    /// # Errors
    /// What the steward refused, that there is none, or that it did not answer in time.
    pub fn ask(&self, act: &Act, limit: Duration) -> Result<Answer, Refused> {
        self.follow(act, limit, |_| {})
    }

    /// The same, telling how far it is.
    ///
    /// # Errors
    /// As [`Steward::ask`].
    pub fn follow(
        &self,
        act: &Act,
        limit: Duration,
        mut progress: impl FnMut(Progress),
    ) -> Result<Answer, Refused> {
        if !self.there() {
            return Err(none());
        }
        let until = Instant::now() + limit;
        let stream = UnixStream::connect(&self.socket).map_err(|error| broken(&error.to_string()))?;
        let mut input = self.send(stream, act, until).map_err(|error| broken(&error.to_string()))?;
        loop {
            match next(&mut input, until).map_err(|error| broken(&error.to_string()))? {
                Line::Progress(step) => progress(step),
                Line::Answer(Answer::Refused(refused)) => return Err(refused),
                Line::Answer(answer) => return Ok(answer),
            }
        }
    }

    fn send(
        &self,
        mut stream: UnixStream,
        act: &Act,
        until: Instant,
    ) -> std::io::Result<BufReader<UnixStream>> {
        stream.set_write_timeout(Some(left(until)?))?;
        let mut line = serde_json::to_vec(act)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        Ok(BufReader::new(stream))
    }
}

fn next(input: &mut BufReader<UnixStream>, until: Instant) -> std::io::Result<Line> {
    input.get_ref().set_read_timeout(Some(left(until)?))?;
    let mut line = Vec::new();
    input.by_ref().take(LINE_MAX as u64).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(std::io::Error::other("it hung up without an answer"));
    }
    Ok(serde_json::from_slice(&line)?)
}

fn left(until: Instant) -> std::io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(std::io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn none() -> Refused {
    Refused::new(
        "no_steward",
        "This box runs on a PC, not from the Belfry image: it has no system of its own to change.",
        "本机运行在普通电脑上，不是 Belfry 镜像：没有可以更改的系统。",
    )
}

fn broken(why: &str) -> Refused {
    Refused::new(
        "steward_broken",
        format!(
            "The box's system service does not answer ({why}). Try again; if it stays so, restart the box."
        ),
        format!("系统服务没有回应（{why}）。请重试；如果仍然如此，请重新启动本机。"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    fn answering(lines: &'static str) -> (tempfile::TempDir, Steward) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = String::new();
            BufReader::new(stream.try_clone().unwrap()).read_line(&mut request).unwrap();
            stream.write_all(lines.as_bytes()).unwrap();
        });
        (folder, Steward::at(&path))
    }

    #[test]
    fn progress_comes_before_the_answer() {
        let (_folder, steward) = answering(concat!(
            r#"{"progress":{"percent":5,"step":{"en":"x","zh":"y"}}}"#,
            "\n",
            r#"{"answer":{"answer":"done"}}"#,
            "\n"
        ));
        let mut seen = Vec::new();
        let answer = steward.follow(&Act::Slots, SHORT, |p| seen.push(p.percent));
        assert_eq!((answer, seen), (Ok(Answer::Done), vec![5]));
    }

    #[test]
    fn a_steward_that_is_not_there_or_breaks_off_is_told_in_words() {
        let nobody = Steward::at(Path::new("/nonexistent/socket"));
        assert_eq!(nobody.ask(&Act::Slots, SHORT).unwrap_err().code, "no_steward");
        for lines in ["", "nonsense\n", "{\"answer\":"] {
            let (_folder, steward) = answering(lines);
            assert_eq!(steward.ask(&Act::Slots, SHORT).unwrap_err().code, "steward_broken", "{lines}");
        }
    }
}
