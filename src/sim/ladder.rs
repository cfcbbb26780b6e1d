//! What a failing seed leaves behind: the last messages on the wire and the last things the box was told, in order. Printed
//! when a story fails, so that its seed can be understood without running it again.
use model::clock::Mono;
use std::collections::VecDeque;
use std::net::SocketAddr;

/// Lines kept: a call is about 30.
const KEPT: usize = 160;

/// The last lines.
#[derive(Clone, Debug, Default)]
pub struct Ladder {
    lines: VecDeque<String>,
}

impl Ladder {
    /// Adds a line.
    pub fn note(&mut self, now: Mono, text: &str) {
        if self.lines.len() >= KEPT {
            self.lines.pop_front();
        }
        let ms = now.0 / 1000;
        self.lines.push_back(format!("{:>6}.{:03}  {text}", ms / 1000, ms % 1000));
    }

    /// Adds a SIP message by its first line.
    pub fn message(&mut self, now: Mono, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let first = text.lines().next().unwrap_or_default();
        let cseq = text.lines().find(|l| l.starts_with("CSeq:")).unwrap_or_default();
        self.note(now, &format!("{from} → {to}  {first}  {cseq}"));
    }

    /// All lines.
    #[must_use]
    pub fn show(&self) -> String {
        self.lines.iter().map(|l| format!("{l}\n")).collect()
    }
}
