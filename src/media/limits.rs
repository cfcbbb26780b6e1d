//! Every limit of the media core with its reason and what is seen when it is reached.
use std::time::Duration;

/// Samples in a frame: 20 ms at 8 kHz, the packet time nearly every phone and carrier uses.
pub const FRAME: usize = 160;

/// The same as a step of RTP timestamps.
pub const FRAME_TICKS: u32 = 160;

/// Length of a frame.
pub const FRAME_TIME: Duration = Duration::from_millis(20);

/// Longest payload taken or relayed: 150 ms of G.711. Longer ones are dropped and counted as malformed.
pub const MAX_PAYLOAD: usize = 1200;

/// Sounds of one play (`MediaCommand::Play` promises at most this many); the rest is cut off and reported.
pub const MAX_SOUNDS: usize = 64;

/// Digits waiting to be sent to one peer; more are dropped and counted (a person presses 5 a second).
pub const MAX_DIGITS_WAITING: usize = 32;

/// Recordings running at once; the next one ends at once with `Disk` and a `Trouble` (16 kB/s each).
pub const MAX_RECORDINGS: usize = 1024;

/// Recordings that tap one session: the call's own, one on demand, a voicemail, one spare.
pub const MAX_TAPS: usize = 4;

/// Peers heard in one mix; the rest of the list is not heard (a conference has at most eight parties).
pub const MAX_MIXED: usize = 8;

/// Configured music sources and paging outputs together (`MediaCommand::Devices` promises 32 and 8).
pub const MAX_DEVICES: usize = 40;

/// How long a sound file may take to load before it is skipped; silence is heard meanwhile.
pub const LOAD_PATIENCE: Duration = Duration::from_secs(4);

/// Time between two RTCP reports of a session (RFC 3550 §6.2 minimum).
pub const RTCP_INTERVAL: Duration = Duration::from_secs(5);

/// A packet this late is lost to who listens at a dialled leg: as long as carriers' jitter buffers wait.
pub const LATEST: Duration = Duration::from_millis(60);

/// First `Silent` report, and the step between later ones.
pub const SILENT_STEP: Duration = Duration::from_secs(5);

/// Missing prompts named in `Trouble` once each; more distinct names than this are only counted.
pub const MAX_NAMED_MISSING: usize = 32;
