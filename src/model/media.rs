//! Words to and from media. Control owns what to say, media owns sockets and ports: every word here crosses the
//! bounded local socket between the two processes, so it is plain data and small.
//!
//! Order: commands of one connection are carried out in the order sent. A command for a session that is not open is
//! ignored and counted (it may have closed by itself). Media never asks back.
use crate::id::{PlayId, RecordingId, SessionId};
use crate::speech::{Hearing, Speech};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// Version of these words; both processes are one executable, so a difference means an update is half done.
pub const PROTOCOL: u16 = 4;

/// Spoken language of prompts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Mandarin, written in simplified characters.
    Zh,
}

impl Language {
    /// The two letters used in folders, configuration and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::Zh => "zh",
        }
    }

    /// Reads the two letters.
    #[must_use]
    pub fn read(code: &str) -> Option<Language> {
        [Language::En, Language::Zh].into_iter().find(|l| l.code() == code)
    }
}

/// A sound coding that media can relay, play and record. Clock 8 kHz, one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// G.711 µ-law, static payload type 0.
    Pcmu,
    /// G.711 A-law, static payload type 8.
    Pcma,
}

impl Codec {
    /// The static RTP payload type (RFC 3551).
    #[must_use]
    pub fn payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        }
    }
}

/// One key of a phone: `0`–`9`, `*`, `#`, `A`–`D`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "char", into = "char")]
pub struct Digit(char);

impl Digit {
    /// The key as a character.
    #[must_use]
    pub fn as_char(self) -> char {
        self.0
    }

    /// The event code of RFC 4733 (0–15).
    #[must_use]
    pub fn event(self) -> u8 {
        const KEYS: &str = "0123456789*#ABCD";
        u8::try_from(KEYS.find(self.0).unwrap_or(0)).unwrap_or(0)
    }

    /// The key of an event code of RFC 4733, if it is one of the sixteen keys.
    #[must_use]
    pub fn from_event(event: u8) -> Option<Digit> {
        b"0123456789*#ABCD".get(usize::from(event)).map(|&b| Digit(char::from(b)))
    }
}

impl TryFrom<char> for Digit {
    type Error = String;
    fn try_from(c: char) -> Result<Digit, String> {
        let c = c.to_ascii_uppercase();
        match c {
            '0'..='9' | '*' | '#' | 'A'..='D' => Ok(Digit(c)),
            other => Err(format!("\"{other}\" is not a key of a phone; use 0-9, *, #, A-D")),
        }
    }
}

impl From<Digit> for char {
    fn from(d: Digit) -> char {
        d.0
    }
}

/// Where the other end of a session is, as its SDP said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// Address and port of the peer's `c=` and `m=` lines.
    pub address: SocketAddr,
    /// Where its SIP comes from: the only other source that may be latched on to (NAT), once.
    pub signalled_from: IpAddr,
    /// What we send; also what we expect (both G.711 laws are understood on receipt).
    pub codec: Codec,
    /// Payload type of `telephone-event`, when the peer offered it.
    pub event_type: Option<u8>,
    /// Whether we send to the peer (false: it put us on hold or said `recvonly`/`inactive` from its side).
    pub send: bool,
    /// Whether the peer sends to us.
    pub receive: bool,
}

/// One thing in a list of things to play.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sound {
    /// A built-in prompt by name, e.g. `vm-enter-pin`; falls back to English, then to silence (and is counted).
    Prompt {
        /// Which set.
        language: Language,
        /// File name without ending.
        name: String,
    },
    /// A sound file below the data folder (voicemail, greeting, uploaded prompt), relative path.
    File(String),
    /// Nothing for a while, milliseconds.
    Silence(u32),
    /// A tone: frequency in Hz (0 = none), second frequency, on and off in milliseconds, repeated `times`.
    Tone {
        /// First frequency, Hz.
        hz: u16,
        /// Second frequency, Hz; 0 for a single tone.
        hz2: u16,
        /// Sounding, ms.
        on_ms: u32,
        /// Pause after it, ms.
        off_ms: u32,
        /// How often.
        times: u16,
    },
    /// Music on hold by the name of its source; plays until stopped.
    Music(String),
}

/// What control asks of media.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaCommand {
    /// First word on a new connection. Media answers `Ready`. Sessions left by an earlier control process go on as
    /// they were until both ends are silent for `orphan_s`, then close by themselves.
    Hello {
        /// [`PROTOCOL`].
        protocol: u16,
        /// Number of this control process's start; sessions of other epochs are orphans.
        epoch: u64,
        /// Seconds of silence after which an orphan closes.
        orphan_s: u16,
    },
    /// Takes the (already bound) even port for a new session. RTCP is on port + 1.
    Open {
        /// New id.
        session: SessionId,
        /// One of the ports of `Ready`.
        port: u16,
    },
    /// Sets or changes the other end (answer, re-INVITE). A new `address` opens one new source learning.
    Remote {
        /// Which session.
        session: SessionId,
        /// The other end.
        remote: Remote,
    },
    /// Plays a list to the peer instead of what it hears now; ends with `PlayDone`. Replaces an earlier play.
    Play {
        /// Which session.
        session: SessionId,
        /// Handed back in `PlayDone`.
        play: PlayId,
        /// In order. At most 64.
        sounds: Vec<Sound>,
        /// Starts again after the last.
        repeat: bool,
        /// A digit from the peer ends it (barge-in).
        barge_in: bool,
    },
    /// Ends a play now (`PlayDone` follows with `Stopped`). Nothing when none runs.
    StopPlay {
        /// Which session.
        session: SessionId,
    },
    /// Each hears the other. Ends any earlier join of either; plays are stopped. Digits are relayed between them
    /// and still reported.
    Join {
        /// One end.
        a: SessionId,
        /// Other end.
        b: SessionId,
    },
    /// Ends the join of this session, if any, for both.
    Part {
        /// Which session.
        session: SessionId,
    },
    /// The peer hears itself (delay test).
    Echo {
        /// Which session.
        session: SessionId,
        /// On or off.
        on: bool,
    },
    /// Sends a key press as RFC 4733 events.
    SendDigit {
        /// Which session.
        session: SessionId,
        /// Which key.
        digit: Digit,
        /// Milliseconds held.
        ms: u16,
    },
    /// Records to a file below the data folder, WAV G.711 µ-law 8 kHz. `left` = what its peer says on channel 0;
    /// `right` likewise on channel 1 (two channels), or `None` for one channel.
    Record {
        /// New id.
        recording: RecordingId,
        /// Channel 0.
        left: SessionId,
        /// Channel 1.
        right: Option<SessionId>,
        /// Relative path; parent folders are made.
        path: String,
        /// Ends by itself after this many seconds.
        max_s: u32,
        /// Ends by itself after this much silence, ms (0 = never). For voicemail.
        silence_ms: u32,
        /// A digit of `left` ends it. For voicemail.
        until_digit: bool,
    },
    /// Ends a recording; `RecordDone` follows.
    StopRecord {
        /// Which recording.
        recording: RecordingId,
    },
    /// Silences a running recording from here on (a card is read out), or goes on.
    PauseRecord {
        /// Which recording.
        recording: RecordingId,
        /// Paused or not.
        paused: bool,
    },
    /// What this session's peer says goes to the paging output (sound card) by name, or stops going there.
    Page {
        /// Which session.
        session: SessionId,
        /// Name of the output in the configuration; `None` ends it.
        output: Option<String>,
    },
    /// Ends the session; `Closed` follows. Its port may be used again after that.
    Close {
        /// Which session.
        session: SessionId,
    },
    /// Which music sources and paging outputs exist. Sent after `Hello` and at each change of configuration.
    Devices {
        /// Name → what it is. At most 32.
        sources: Vec<(String, MusicSource)>,
        /// Name → ALSA PCM name. At most 8.
        outputs: Vec<(String, String)>,
    },
    /// Marks the packets of every port (`IP_TOS`, `IPV6_TCLASS`). Sent with `Devices`.
    Mark {
        /// DSCP, 0–63.
        dscp: u8,
    },
    /// Answered by `Pong` from each media thread; the supervisor's proof that they beat.
    Ping(u64),
    /// From now on the peer hears the sum of what the peers of these sessions say, instead of its join, which stays
    /// for the other way. Nobody in the list: silence. Ends with the next `Join`, `Part` or `Echo`.
    Mix {
        /// Who hears.
        session: SessionId,
        /// Who is heard. At most 8.
        from: Vec<SessionId>,
    },
    /// What the peer says goes nowhere: no join, no mix, no recording. Its keys still do.
    Mute {
        /// Whose.
        session: SessionId,
        /// On or off.
        on: bool,
    },
    /// Listens who or what is at the other end, from now on anew; `Found` follows. Not given, it stops.
    Listen {
        /// To whose peer.
        session: SessionId,
        /// How.
        listening: Option<Listening>,
    },
    /// What the peer says goes to a recogniser of speech, one utterance of it; `Speech` follows. Not given, or given anew,
    /// the one before ends without a word.
    Hear {
        /// Whose peer.
        session: SessionId,
        /// How.
        hearing: Option<Hearing>,
    },
}

/// How the far end of a dialled call is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// The call was answered: persons and machines are told apart. Before, only what the network sends.
    pub answered: bool,
    /// Milliseconds after the answer without a word after which nobody waits any longer.
    pub silence_ms: u16,
    /// Milliseconds of quiet that end a greeting. Twice as much ends the doubt.
    pub pause_ms: u16,
    /// Milliseconds after the first word by which there is a verdict.
    pub longest_ms: u16,
    /// Milliseconds that nobody talks without being a machine who is sure to be one: none is known before.
    pub talk_ms: u16,
    /// How sure a machine must be, in thousandths.
    pub certainty_permille: u16,
    /// Seconds for which a machine's beep is waited for.
    pub beep_s: u16,
}

impl Listening {
    /// What a network sends before the answer.
    #[must_use]
    pub fn early() -> Listening {
        Listening { answered: false, ..Listening::default() }
    }
}

impl Finding {
    /// Its word in records.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Finding::Ringing => "ringing",
            Finding::Busy => "busy",
            Finding::Congestion => "congestion",
            Finding::Information(_) => "information",
            Finding::Announcement => "announcement",
            Finding::Fax => "fax",
            Finding::Person => "person",
            Finding::Machine => "machine",
            Finding::Beep => "beep",
            Finding::GreetingOver => "greeting_over",
            Finding::Unsure(_) => "unsure",
        }
    }
}

impl Default for Listening {
    /// After the answer; each value with its reason.
    fn default() -> Listening {
        Listening {
            answered: true,
            // The law's two seconds (47 CFR 64.1200(a)(7)) win over the detector.
            silence_ms: 2000,
            // Within a greeting people pause for 0.2 to 0.6 s; twice this is still within two seconds.
            pause_ms: 800,
            // Longer than nearly every person's greeting; who talks so long is not waiting for anybody.
            longest_ms: 7000,
            // A company's greeting takes so long.
            talk_ms: 4800,
            // Measured by tests/greetings.rs of media: no more than one person in a hundred is taken for a machine.
            certainty_permille: 980,
            // Longer than nearly all greetings.
            beep_s: 30,
        }
    }
}

/// What was heard at the far end of a dialled call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Finding {
    /// The network's ringing tone.
    Ringing,
    /// The network's busy tone.
    Busy,
    /// The network's congestion tone ("reorder").
    Congestion,
    /// The three rising tones before an announcement.
    Information(Information),
    /// Speech after them.
    Announcement,
    /// A fax or a modem.
    Fax,
    /// A person.
    Person,
    /// An answering machine, still talking.
    Machine,
    /// Its beep: a message may be left now.
    Beep,
    /// Its greeting is over without a beep: the same.
    GreetingOver,
    /// Neither; to be treated as a person.
    Unsure(Doubt),
}

/// Which special information tone (E.180 knows one, Telcordia SR-2275 tells four apart).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Information {
    /// Some announcement follows.
    Any,
    /// The number was changed or is not in use.
    Intercept,
    /// There is no such number.
    VacantCode,
    /// The network is busy here.
    Reorder,
    /// The network is busy farther on.
    NoCircuit,
}

/// Why nobody can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Doubt {
    /// Nothing was said.
    Silence,
    /// What was said could be either.
    Unclear,
}

/// The reason of what was heard: what the detector knew of the greeting.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Milliseconds since the answer, or since listening began.
    pub after_ms: u32,
    /// From the first word to the end of the last, milliseconds.
    pub greeting_ms: u32,
    /// Words (stretches of speech).
    pub words: u16,
    /// The longest pause within, milliseconds.
    pub pause_ms: u32,
    /// Thousandths by which it is a machine rather than a person.
    pub machine_permille: u16,
}

/// Where hold music comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MusicSource {
    /// The built-in piece.
    BuiltIn,
    /// A WAV file below the data folder, relative path.
    File(String),
    /// An ALSA PCM name to capture from.
    Alsa(String),
}

/// Why a play ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlayEnd {
    /// All sounds were heard.
    Finished,
    /// A digit cut in (it was also reported as `Digit`).
    Digit,
    /// Control stopped or replaced it.
    Stopped,
}

/// Why a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordEnd {
    /// A digit of the speaker (it was also reported as `Digit`).
    Digit,
    /// The disk refused; the part before is kept.
    Disk,
    /// `max_s` was reached.
    Length,
    /// `silence_ms` of silence.
    Silence,
    /// Control stopped it, or its session closed.
    Stopped,
}

/// What a session carried in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaStats {
    /// RTP packets taken from the peer.
    pub received: u32,
    /// RTP packets sent to the peer.
    pub sent: u32,
    /// Gaps in the peer's sequence numbers.
    pub lost: u32,
    /// Packets from other sources than the learned one, thrown away.
    pub foreign: u32,
    /// Interarrival jitter (RFC 3550 §6.4.1), microseconds, at the end.
    pub jitter_us: u32,
}

/// What media tells control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaEvent {
    /// Answer to `Hello`.
    Ready {
        /// [`PROTOCOL`].
        protocol: u16,
        /// Even ports that are bound and free, as inclusive ranges.
        ports: Vec<(u16, u16)>,
    },
    /// A port of an orphan session is free now.
    PortFree {
        /// Even port.
        port: u16,
    },
    /// The peer pressed a key (each press once, at its end of start packet, duplicates removed).
    Digit {
        /// Which session.
        session: SessionId,
        /// Which key.
        digit: Digit,
    },
    /// A play ended.
    PlayDone {
        /// Which session.
        session: SessionId,
        /// Which play.
        play: PlayId,
        /// Why.
        end: PlayEnd,
    },
    /// A recording ended and its file is closed and synced.
    RecordDone {
        /// Which recording.
        recording: RecordingId,
        /// Why.
        end: RecordEnd,
        /// Milliseconds of sound.
        ms: u32,
    },
    /// The first packet of the peer came, or its source was learned anew (NAT).
    Latched {
        /// Which session.
        session: SessionId,
        /// Where it really comes from.
        source: SocketAddr,
    },
    /// No packet from the peer for this long although it should send (not while held).
    Silent {
        /// Which session.
        session: SessionId,
        /// Seconds.
        seconds: u16,
    },
    /// Answer to `Close`.
    Closed {
        /// Which session.
        session: SessionId,
        /// What it carried.
        stats: MediaStats,
    },
    /// Answer to `Ping`.
    Pong {
        /// The number pinged.
        number: u64,
    },
    /// Something a person should look at (a device is gone, the recording queue is full); a short English sentence.
    Trouble(String),
    /// What `Listen` asked for. Each kind once; after `Person` and `Unsure` nothing more.
    Found {
        /// At whose peer.
        session: SessionId,
        /// What.
        finding: Finding,
        /// Why.
        evidence: Evidence,
    },
    /// What `Hear` asked for.
    Speech {
        /// Whose peer.
        session: SessionId,
        /// Number of the hearing.
        number: u32,
        /// What.
        speech: Speech,
    },
}
