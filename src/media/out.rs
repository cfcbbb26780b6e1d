//! What the core wants done: datagrams, events, file operations, loads, paging frames and speech of one step. The shell keeps
//! one [`MediaOut`], hands it to each call and clears it afterwards, so that a steady relay allocates nothing.
use crate::limits::FRAME;
use model::id::RecordingId;
use model::media::MediaEvent;
use model::speech::{Hearing, Said};
use std::net::SocketAddr;
use std::ops::Range;

/// Number of a file being written, never used twice while the media process runs (recording ids may be, by a
/// restarted control process).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u64);

/// Something to do to a recording's file, in this order for one file. The header is the fixed 58 bytes of
/// [`crate::wav`]; a file that never saw `Finish` is repaired from its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileOp {
    /// Make the file and its folders, write `header` first.
    Create {
        /// Which file.
        file: FileId,
        /// Control's name of the recording.
        recording: RecordingId,
        /// Relative path below the data folder, as given in `MediaCommand::Record`.
        path: String,
        /// Interleaved channels: 1 or 2.
        channels: u8,
        /// First bytes of the file.
        header: Vec<u8>,
    },
    /// Append sound (interleaved µ-law bytes).
    Append {
        /// Which file.
        file: FileId,
        /// At most 32 KiB.
        bytes: Vec<u8>,
    },
    /// Put `header` over the first bytes, sync, close, and report with `MediaCore::file_closed`.
    Finish {
        /// Which file.
        file: FileId,
        /// The header with the true sizes.
        header: Vec<u8>,
    },
}

impl FileOp {
    /// The file it is about.
    #[must_use]
    pub fn file(&self) -> FileId {
        match self {
            FileOp::Create { file, .. } | FileOp::Append { file, .. } | FileOp::Finish { file, .. } => *file,
        }
    }
}

/// One utterance on its way to a recogniser, never used twice while the media process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EarId(pub u64);

/// What is to be done for an utterance. The shell answers with `MediaCore::ear_said`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EarOp {
    /// Connect with the recogniser and say when it listens.
    Open {
        /// Which.
        ear: EarId,
        /// How.
        hearing: Hearing,
    },
    /// Sound of it as it is spoken, µ-law, 20 to 400 ms.
    Sound {
        /// Which.
        ear: EarId,
        /// Sound.
        sound: Vec<u8>,
    },
    /// The caller is quiet: what was it?
    End {
        /// Which.
        ear: EarId,
    },
    /// Nobody wants to know any more.
    Close {
        /// Which.
        ear: EarId,
    },
}

/// What a recogniser does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EarSaid {
    /// It listens.
    Ready,
    /// It understood the first words.
    Words,
    /// That was it; the utterance is over.
    Said(Said),
    /// It cannot be used, and why in a few words; the utterance is over.
    Failed(String),
}

/// A datagram to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// The even port of the session; with `rtcp` it leaves from `port + 1`.
    pub port: u16,
    /// Leaves from the RTCP port.
    pub rtcp: bool,
    /// Where to.
    pub to: SocketAddr,
    /// The whole packet.
    pub bytes: &'a [u8],
}

#[derive(Clone, Debug)]
struct Kept {
    port: u16,
    rtcp: bool,
    to: SocketAddr,
    bytes: Range<usize>,
}

/// 20 ms of µ-law for a paging output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageFrame {
    /// Name of the output.
    pub output: String,
    /// Sound, usually [`FRAME`] bytes; the peer's packet time decides.
    pub sound: Vec<u8>,
}

/// A port came into use or fell out of it: the shell listens only on ports in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortChange {
    /// Even port; the odd one after it goes along.
    pub port: u16,
    /// In use from now on.
    pub open: bool,
}

/// Whether a path stays below the folder it is relative to: every path from control is checked with it.
#[must_use]
pub fn is_below(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= 512
        && !path.contains(['\0', '\\'])
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

/// The results of one step, see the module.
#[derive(Debug, Default)]
pub struct MediaOut {
    arena: Vec<u8>,
    datagrams: Vec<Kept>,
    /// To tell control.
    pub events: Vec<MediaEvent>,
    /// For the writer.
    pub files: Vec<FileOp>,
    /// Sound files to load; answered with `MediaCore::loaded`.
    pub loads: Vec<String>,
    /// Sound for the paging outputs.
    pub pages: Vec<PageFrame>,
    /// What callers say, for recognisers.
    pub ears: Vec<EarOp>,
    /// Ports to listen on, or no longer.
    pub ports: Vec<PortChange>,
}

impl MediaOut {
    /// An empty one.
    #[must_use]
    pub fn new() -> MediaOut {
        MediaOut { arena: Vec::with_capacity(64 * (FRAME + 12)), ..MediaOut::default() }
    }

    /// The datagrams in the order they must leave.
    pub fn datagrams(&self) -> impl Iterator<Item = Datagram<'_>> {
        self.datagrams.iter().map(|k| Datagram {
            port: k.port,
            rtcp: k.rtcp,
            to: k.to,
            bytes: self.arena.get(k.bytes.clone()).unwrap_or_default(),
        })
    }

    /// How many datagrams wait.
    #[must_use]
    pub fn datagram_count(&self) -> usize {
        self.datagrams.len()
    }

    /// Forgets the datagrams and keeps their memory.
    pub fn clear_datagrams(&mut self) {
        self.arena.clear();
        self.datagrams.clear();
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.clear_datagrams();
        self.events.clear();
        self.files.clear();
        self.loads.clear();
        self.pages.clear();
        self.ears.clear();
        self.ports.clear();
    }

    /// Adds a datagram whose bytes `write` appends.
    pub(crate) fn datagram(
        &mut self,
        port: u16,
        rtcp: bool,
        to: SocketAddr,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let start = self.arena.len();
        write(&mut self.arena);
        self.datagrams.push(Kept { port, rtcp, to, bytes: start..self.arena.len() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_folder_are_seen() {
        for good in ["a", "a/b.wav", "rec/2026/x y.wav", "..a/b"] {
            assert!(is_below(good), "{good}");
        }
        for bad in ["", "/a", "a//b", "../a", "a/../b", "a/..", "./a", "a\\b", "a\0b", "a/"] {
            assert!(!is_below(bad), "{bad}");
        }
    }

    #[test]
    fn datagrams_come_back_in_order_with_their_own_bytes() {
        let mut out = MediaOut::new();
        let to = SocketAddr::from(([127, 0, 0, 1], 4000));
        out.datagram(10_000, false, to, |b| b.extend_from_slice(b"one"));
        out.datagram(10_002, true, to, |b| b.extend_from_slice(b"three"));
        let seen: Vec<_> = out.datagrams().map(|d| (d.port, d.rtcp, d.bytes.to_vec())).collect();
        assert_eq!(seen, vec![(10_000, false, b"one".to_vec()), (10_002, true, b"three".to_vec())]);
        out.clear();
        assert_eq!(out.datagram_count(), 0);
    }
}
