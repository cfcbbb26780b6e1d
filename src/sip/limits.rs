//! Every limit of SIP messages and tables, with its reason and what the peer sees when it is reached. Decides
//! nothing itself.
use std::time::Duration;

/// Bytes of one message. A UDP datagram cannot be longer; a stream whose message claims more is closed.
pub const MESSAGE_BYTES_MAX: usize = 65_535;

/// Bytes before the body (start line and headers). Real calls through many proxies stay below 8 KiB; RFC 4475 asks
/// for 4 KiB. Beyond: 513 where it can be answered, stream closed.
pub const HEAD_BYTES_MAX: usize = 32_768;

/// Header lines in one message. Seventy Via hops and all else fit. Beyond: 400.
pub const HEADERS_MAX: usize = 256;

/// Header lines copied from a request into its answer (Via, Record-Route), so that an answer cannot be blown up.
pub const ECHO_MAX: usize = 80;

/// Values split from one list header (Contact, Route, Via). Beyond: the rest is not looked at.
pub const LIST_MAX: usize = 128;

/// Bytes of blank lines tolerated before a start line on a stream (keep-alives). Beyond: stream closed.
pub const KEEPALIVE_BYTES_MAX: usize = 1_024;

/// Parameters looked at in one header value or URI. Beyond: ignored.
pub const PARAMS_MAX: usize = 64;

/// Live transactions by default; about 1.5 KiB each while they linger. Beyond: 503 with Retry-After.
pub const TRANSACTIONS_MAX: usize = 20_000;

/// Ended transactions kept by default, so that repetitions get the same answer; below 1 KiB each. At 100 calls a second
/// two legs leave about 10,000 behind. Beyond: the oldest go, and a very late repetition is taken for a new request.
pub const LINGERING_MAX: usize = 32_768;

/// Share of the transaction table kept for requests inside dialogs (BYE must get through in a flood): 1/8.
pub const TRANSACTION_RESERVE: usize = 8;

/// Seconds of Retry-After in our own 503.
pub const RETRY_AFTER_S: u32 = 5;

/// INVITE sessions (legs) at once; the engine's own call limit is far lower.
pub const LEGS_MAX: usize = 4_096;

/// 2xx of other forks acknowledged and ended for one INVITE. RFC 3261 sets no limit; a phone list has few entries.
pub const FORKS_MAX: usize = 12;

/// Times one request is sent again with credentials: one for 401, one for 407, one for `stale`.
pub const CHALLENGES_MAX: u8 = 3;

/// Subscriptions we serve at once. Beyond: 503.
pub const SUBSCRIPTIONS_MAX: usize = 4_096;

/// Longest life of a subscription between two refreshes, seconds.
pub const SUBSCRIPTION_S_MAX: u32 = 3_600;

/// Nonces remembered for their `nc`; only a right password makes an entry. Beyond: the oldest becomes stale.
pub const NONCES_MAX: usize = 16_384;

/// How long a nonce may be used.
pub const NONCE_LIFETIME: Duration = Duration::from_secs(60);

/// Lines of one SDP. Beyond: the rest is not looked at.
pub const SDP_LINES_MAX: usize = 512;

/// Media lines of one SDP that we answer one by one. Beyond: 488.
pub const SDP_MEDIA_MAX: usize = 32;

/// Provisional answers that wait for their turn at a caller who confirms each (RFC 3262). Beyond: the newest takes the
/// place of the last.
pub const RELIABLE_QUEUE_MAX: usize = 4;

/// Reliable provisional answers of one callee that we confirm; real ones send a handful. Beyond: not heard.
pub const RELIABLE_MAX: u16 = 32;

/// Shortest interval of a session timer, seconds: what RFC 4028 section 5 allows at least. Less: 422 with Min-SE.
pub const SESSION_S_MIN: u32 = 90;

/// Times a call of ours is tried again because a 422 asks for a longer interval (each server on the way may ask once).
pub const RAISES_MAX: u8 = 3;

/// Times a re-INVITE refused with 491 or 422 is tried again before the refusal is told.
pub const GLARE_TRIES_MAX: u8 = 5;
