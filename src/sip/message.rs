//! Bytes of one message → [`Request`] or [`Response`], checked. Tolerant of form (folding, compact names, blanks,
//! Latin-1, any method), strict about what routing and transactions need. A request that cannot be used comes back as
//! [`Rejected`] with the code to answer, if it can be answered at all. Never answers itself.
use crate::cseq::CSeq;
use crate::headers::Headers;
use crate::limits::{HEAD_BYTES_MAX, MESSAGE_BYTES_MAX};
use crate::method::Method;
use crate::name::Name;
use crate::name_addr::NameAddr;
use crate::scan;
use crate::uri::Uri;
use crate::via::Via;

mod multipart;
mod read;

/// A checked message.
#[derive(Clone, Debug)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

/// A checked request: its method, its Request-URI and the headers every request needs are readable.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) via: Via,
    pub(crate) from: NameAddr,
    pub(crate) to: NameAddr,
    pub(crate) cseq: CSeq,
    pub(crate) max_forwards: Option<u8>,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

/// A checked response.
#[derive(Clone, Debug)]
pub struct Response {
    pub(crate) code: u16,
    pub(crate) reason: String,
    pub(crate) via: Via,
    pub(crate) from: NameAddr,
    pub(crate) to: NameAddr,
    pub(crate) cseq: CSeq,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

/// A request that will not do: what was wrong and, when Via, From, To, Call-ID and CSeq are there to be echoed, the
/// code to answer with.
#[derive(Debug)]
pub struct Rejected {
    /// What was wrong.
    pub why: Why,
    /// The code to answer, when it can be answered (never for ACK and responses).
    pub code: Option<u16>,
    /// The headers to echo.
    pub headers: Headers,
}

/// What was wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Why {
    /// Longer than a message may be.
    #[error("message is longer than 64 KiB or its head longer than 32 KiB")]
    TooLong,
    /// Not a SIP start line.
    #[error("start line is neither a SIP request nor a SIP status line")]
    StartLine,
    /// A SIP version other than 2.0.
    #[error("SIP version is not 2.0")]
    Version,
    /// The Request-URI cannot be read.
    #[error("Request-URI cannot be read")]
    RequestUri,
    /// A header line without name or colon.
    #[error("a header line has no name or no colon")]
    HeaderLine,
    /// More header lines than allowed.
    #[error("more header lines than allowed")]
    TooManyHeaders,
    /// No blank line after the headers.
    #[error("no blank line ends the headers")]
    NoBlankLine,
    /// A header that must be there is missing or cannot be read.
    #[error("a mandatory header is missing or cannot be read")]
    Mandatory(Name),
    /// A header that may stand once stands twice.
    #[error("a header that may stand once stands more than once")]
    Repeated(Name),
    /// The CSeq method is not the method of the request line.
    #[error("CSeq names another method than the request line")]
    CSeqMethod,
    /// Content-Length is no number, or larger than what came.
    #[error("Content-Length is no number or larger than what came")]
    ContentLength,
    /// A number out of its range.
    #[error("a number is out of its range")]
    Number(Name),
    /// A Contact or Route value that cannot be read.
    #[error("an address in a list header cannot be read")]
    Address(Name),
}

impl Message {
    /// Reads one whole message: a datagram, or what the stream framer cut.
    ///
    /// # Errors
    /// [`Rejected`] with the reason and, for requests that can be answered, the code.
    pub fn read(bytes: &[u8]) -> Result<Message, Box<Rejected>> {
        read::message(bytes)
    }
}

macro_rules! common {
    ($kind:ty) => {
        impl $kind {
            /// The topmost Via.
            #[must_use]
            pub fn via(&self) -> &Via {
                &self.via
            }
            /// Who sent the request.
            #[must_use]
            pub fn from(&self) -> &NameAddr {
                &self.from
            }
            /// Whom the request was meant for.
            #[must_use]
            pub fn to(&self) -> &NameAddr {
                &self.to
            }
            /// The sequence number and method.
            #[must_use]
            pub fn cseq(&self) -> &CSeq {
                &self.cseq
            }
            /// The Call-ID.
            #[must_use]
            pub fn call_id(&self) -> &str {
                self.headers.first(Name::CallId).unwrap_or_default()
            }
            /// All header lines.
            #[must_use]
            pub fn headers(&self) -> &Headers {
                &self.headers
            }
            /// Values of a header by its text, long or compact, in any case.
            pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
                self.headers.named(name)
            }
            /// Readable Contact values; `*` is not among them.
            pub fn contacts(&self) -> impl Iterator<Item = NameAddr> {
                self.headers.list(Name::Contact).filter_map(|v| NameAddr::read(v).ok())
            }
            /// The Expires header, capped at 2^32-1 seconds (RFC 3261 section 20.19 has no larger one).
            #[must_use]
            pub fn expires(&self) -> Option<u32> {
                seconds(self.headers.first(Name::Expires)?)
            }
            /// The media type of the body, lower case, without parameters.
            #[must_use]
            pub fn content_type(&self) -> Option<String> {
                let value = self.headers.first(Name::ContentType)?;
                let end = value.find(';').unwrap_or(value.len());
                Some(
                    value[..end]
                        .chars()
                        .filter(|c| !c.is_whitespace())
                        .collect::<String>()
                        .to_ascii_lowercase(),
                )
            }
            /// The body.
            #[must_use]
            pub fn body(&self) -> &[u8] {
                &self.body
            }
            /// The session description: the body when it is SDP or says no type (as old peers do), or the part of a
            /// multipart body that is.
            #[must_use]
            pub fn sdp(&self) -> Option<&[u8]> {
                if self.body.is_empty() {
                    return None;
                }
                match self.content_type().as_deref() {
                    None | Some("application/sdp") => Some(&self.body),
                    Some(kind) if kind.starts_with("multipart/") => {
                        let value = self.headers.first(Name::ContentType).unwrap_or_default();
                        multipart::find(value, &self.body, "application/sdp")
                    }
                    Some(_) => None,
                }
            }
        }
    };
}
common!(Request);
common!(Response);

impl Request {
    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }
    /// The Request-URI.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }
    /// Hops left; none when the header is missing.
    #[must_use]
    pub fn max_forwards(&self) -> Option<u8> {
        self.max_forwards
    }
}

impl Response {
    /// The status code, 100-699.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }
    /// The reason phrase as it came.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
    /// Retry-After in seconds.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        let value = self.headers.first(Name::RetryAfter)?;
        seconds(value.split([';', '(', ' ']).next()?)
    }
}

/// Seconds as digits, capped at 2^32-1.
pub(crate) fn seconds(text: &str) -> Option<u32> {
    let text = scan::trim(text);
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}

/// Whether a message of this length may be looked at.
fn check_length(bytes: &[u8]) -> Result<(), Why> {
    if bytes.len() > MESSAGE_BYTES_MAX { Err(Why::TooLong) } else { Ok(()) }
}

/// Whether a head of this length may be looked at.
fn check_head(len: usize) -> Result<(), Why> {
    if len > HEAD_BYTES_MAX { Err(Why::TooLong) } else { Ok(()) }
}
