//! Asks the running box through its local socket: the sub-commands of the program speak the same interface as everybody
//! else. Blocking, one request per connection; answers are bounded.
use serde_json::Value;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Largest answer taken: the longest is a site's text.
const LARGEST: u64 = 16 * 1024 * 1024;
/// Longest wait for the next byte; a write of the configuration takes the longest.
const WAIT: Duration = Duration::from_secs(20);

/// The same for an act that reads a whole backup before it answers.
const LONG_WAIT: Duration = Duration::from_secs(3600);

/// The local socket of a running box.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
    wait: Duration,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body as it came.
    pub body: String,
}

impl Answer {
    /// Whether it is a success.
    #[must_use]
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; `Null` when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// What went wrong, in words, with every problem on a line of its own.
    #[must_use]
    pub fn complaint(&self) -> String {
        let error = &self.json()["error"];
        let mut out = error["message"].as_str().unwrap_or("the box refused without a word").to_owned();
        for problem in error["problems"].as_array().into_iter().flatten() {
            let text = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
            out.push_str(&format!("\n  {}: {}", text("field"), text("message")));
        }
        out
    }
}

impl Client {
    /// For the socket at this path.
    #[must_use]
    pub fn new(socket: &Path) -> Client {
        Client { socket: socket.to_owned(), wait: WAIT }
    }

    /// One that waits for long acts.
    #[must_use]
    pub fn patient(&self) -> Client {
        Client { wait: LONG_WAIT, ..self.clone() }
    }

    /// Whether a box answers there.
    #[must_use]
    pub fn up(&self) -> bool {
        UnixStream::connect(&self.socket).is_ok()
    }

    /// Asks without a body.
    ///
    /// # Errors
    /// The box does not run, or breaks off.
    pub fn ask(&self, method: &str, path: &str) -> Result<Answer> {
        self.send(method, path, "", &[])
    }

    /// Asks with a JSON body.
    ///
    /// # Errors
    /// The box does not run, or breaks off.
    pub fn ask_json(&self, method: &str, path: &str, body: &Value) -> Result<Answer> {
        self.send(method, path, "application/json", body.to_string().as_bytes())
    }

    /// Asks with a JSON body, based on a generation of the configuration.
    ///
    /// # Errors
    /// The box does not run, or breaks off.
    pub fn ask_json_if(&self, method: &str, path: &str, body: &Value, based_on: u64) -> Result<Answer> {
        let mime = format!("application/json\r\nIf-Match: {based_on}");
        self.send(method, path, &mime, body.to_string().as_bytes())
    }

    /// Asks with a readable text.
    ///
    /// # Errors
    /// The box does not run, or breaks off.
    pub fn ask_toml(&self, method: &str, path: &str, text: &str) -> Result<Answer> {
        self.send(method, path, "application/toml", text.as_bytes())
    }

    /// Hands in a file of any size; looking at it may take the box some minutes.
    ///
    /// # Errors
    /// The box does not run, or breaks off.
    pub fn upload(&self, path: &str, mut file: std::fs::File) -> Result<Answer> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(LONG_WAIT))?;
        stream.set_write_timeout(Some(WAIT))?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
            file.metadata()?.len()
        );
        stream.write_all(head.as_bytes())?;
        // A box that refuses by the headers alone closes before it has read the body: its answer counts.
        let sent = std::io::copy(&mut file, &mut stream);
        let mut raw = Vec::new();
        let read = stream.take(LARGEST).read_to_end(&mut raw);
        if raw.is_empty() {
            sent?;
            read?;
        }
        parse(&raw)
    }

    fn send(&self, method: &str, path: &str, mime: &str, body: &[u8]) -> Result<Answer> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(self.wait))?;
        stream.set_write_timeout(Some(WAIT))?;
        let kind = if mime.is_empty() { String::new() } else { format!("Content-Type: {mime}\r\n") };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{kind}Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        // A box that refuses by the headers alone closes before it has read the body: its answer counts.
        let sent = stream.write_all(body);
        let mut raw = Vec::new();
        let read = stream.take(LARGEST).read_to_end(&mut raw);
        if raw.is_empty() {
            sent?;
            read?;
        }
        parse(&raw)
    }
}

/// Reads a whole answer.
fn parse(raw: &[u8]) -> Result<Answer> {
    let broken = || Error::new(ErrorKind::InvalidData, "the box's answer broke off");
    let end = raw.windows(4).position(|w| w == b"\r\n\r\n").ok_or_else(broken)?;
    let head = std::str::from_utf8(&raw[..end]).map_err(|_| broken())?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(broken)?;
    let field = |name: &str| {
        let line = head
            .lines()
            .find(|line| line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name)))?;
        line.split_once(':').map(|(_, value)| value.trim())
    };
    let body = &raw[end + 4..];
    let body = if field("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
        unchunk(body).ok_or_else(broken)?
    } else {
        match field("content-length").and_then(|v| v.parse::<usize>().ok()) {
            Some(length) => body.get(..length).ok_or_else(broken)?.to_vec(),
            None => body.to_vec(),
        }
    };
    Ok(Answer { status, body: String::from_utf8(body).map_err(|_| broken())? })
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let line = rest.windows(2).position(|w| w == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..line]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        rest = &rest[line + 2..];
        if size == 0 {
            return Some(out);
        }
        out.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size.checked_add(2)?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_with_length_chunks_and_neither_are_read() {
        let read = |text: &str| parse(text.as_bytes()).map(|a| (a.status, a.body));
        let plain = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
        assert_eq!(read(plain).unwrap(), (200, "hi".into()));
        let chunks = "HTTP/1.1 422 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n";
        assert_eq!(read(chunks).unwrap(), (422, "hi!".into()));
        assert_eq!(read("HTTP/1.1 204 No Content\r\n\r\n").unwrap(), (204, String::new()));
    }

    #[test]
    fn a_broken_answer_is_an_error_not_a_panic() {
        for text in [
            "",
            "HTTP/1.1",
            "HTTP/1.1 abc\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\nhi",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nh",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn problems_are_told_line_by_line() {
        let body = r#"{"error":{"code":"invalid","message":"2 fields are wrong.","problems":[
            {"field":"a","code":"x","message":"bad"},{"field":"b","code":"y","message":"worse"}]}}"#;
        let answer = Answer { status: 422, body: body.into() };
        assert_eq!(answer.complaint(), "2 fields are wrong.\n  a: bad\n  b: worse");
    }
}
