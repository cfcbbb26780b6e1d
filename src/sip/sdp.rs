//! SDP (RFC 8866) as values: what an audio call needs, the rest kept as text. Tolerant: unknown lines are skipped, LF
//! alone ends a line, a missing `t=` or `s=` is no fault. Decides nothing; `offer_answer` does.
use crate::limits::{SDP_LINES_MAX, SDP_MEDIA_MAX};
use std::net::IpAddr;

pub mod offer_answer;

/// Which way media flows, seen from the writer of the SDP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// Only from the writer.
    SendOnly,
    /// Only to the writer.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// The attribute's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    /// Whether the writer sends.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether the writer receives.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The direction with these two ways open.
    #[must_use]
    pub fn of(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    fn read(text: &str) -> Option<Direction> {
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive]
            .into_iter()
            .find(|d| text.eq_ignore_ascii_case(d.as_str()))
    }
}

/// A session description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sdp {
    /// The `o=` line's value.
    pub origin: String,
    /// The session's `c=` address; a host name is none.
    pub connection: Option<IpAddr>,
    /// The session's direction, for media lines without one.
    pub direction: Option<Direction>,
    /// The media lines.
    pub media: Vec<Media>,
}

/// One `m=` line with what follows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, `image`…
    pub kind: String,
    /// The port; 0 refuses the line.
    pub port: u16,
    /// `RTP/AVP`…
    pub protocol: String,
    /// Payload types or other formats.
    pub formats: Vec<String>,
    /// The line's own `c=` address.
    pub connection: Option<IpAddr>,
    /// The line's own direction.
    pub direction: Option<Direction>,
    /// `(payload type, "NAME/clock[/channels]")` of each `a=rtpmap`.
    pub rtpmaps: Vec<(u8, String)>,
}

/// Why a body is no session description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// It does not start with `v=0`.
    #[error("SDP does not start with v=0")]
    Version,
    /// An `m=` line cannot be read.
    #[error("an m= line of the SDP cannot be read")]
    Media,
    /// More media lines than we answer.
    #[error("SDP has more media lines than we answer")]
    TooMany,
}

impl Sdp {
    /// Reads a body.
    ///
    /// # Errors
    /// [`SdpError`] when it is no session description or one too large.
    pub fn read(body: &[u8]) -> Result<Sdp, SdpError> {
        let text = String::from_utf8_lossy(body);
        let mut lines = text.split('\n').map(|l| l.trim_end_matches('\r')).filter(|l| !l.is_empty());
        if lines.next().map(str::trim_end) != Some("v=0") {
            return Err(SdpError::Version);
        }
        let mut sdp = Sdp::default();
        for line in lines.take(SDP_LINES_MAX) {
            if let Some((kind, value)) = line.split_once('=') {
                sdp.line(kind, value.trim())?;
            }
        }
        Ok(sdp)
    }

    fn line(&mut self, kind: &str, value: &str) -> Result<(), SdpError> {
        match kind {
            "o" => value.clone_into(&mut self.origin),
            "m" if self.media.len() >= SDP_MEDIA_MAX => return Err(SdpError::TooMany),
            "m" => self.media.push(Media::read(value).ok_or(SdpError::Media)?),
            "c" => match self.media.last_mut() {
                Some(media) => media.connection = connection(value),
                None => self.connection = connection(value),
            },
            "a" => self.attribute(value),
            _ => {}
        }
        Ok(())
    }

    fn attribute(&mut self, value: &str) {
        if let Some(direction) = Direction::read(value) {
            match self.media.last_mut() {
                Some(media) => media.direction = Some(direction),
                None => self.direction = Some(direction),
            }
        } else if let (Some(map), Some(media)) = (value.strip_prefix("rtpmap:"), self.media.last_mut())
            && let Some((pt, name)) = map.trim().split_once(' ')
        {
            media.rtpmaps.extend(pt.parse().ok().map(|pt| (pt, name.trim().to_owned())));
        }
    }

    /// Where media of this line goes: its own address, else the session's.
    #[must_use]
    pub fn address_of(&self, media: &Media) -> Option<IpAddr> {
        media.connection.or(self.connection)
    }

    /// The direction of this line: its own, else the session's, else both ways.
    #[must_use]
    pub fn direction_of(&self, media: &Media) -> Direction {
        media.direction.or(self.direction).unwrap_or_default()
    }
}

impl Media {
    fn read(value: &str) -> Option<Media> {
        let mut words = value.split_ascii_whitespace();
        let kind = words.next()?.to_owned();
        let port = words.next()?.split('/').next()?.parse().ok()?;
        let protocol = words.next()?.to_owned();
        Some(Media { kind, port, protocol, formats: words.map(str::to_owned).collect(), ..Media::default() })
    }

    /// The coding behind a payload type: what `rtpmap` says, else the static one of RFC 3551.
    #[must_use]
    pub fn coding(&self, payload_type: u8) -> Option<&str> {
        let mapped = self.rtpmaps.iter().find(|(pt, _)| *pt == payload_type).map(|(_, name)| name.as_str());
        mapped.or(match payload_type {
            0 => Some("PCMU/8000"),
            8 => Some("PCMA/8000"),
            _ => None,
        })
    }
}

/// The address of a `c=` value: `IN IP4 192.0.2.1[/ttl]`.
fn connection(value: &str) -> Option<IpAddr> {
    let address = value.split_ascii_whitespace().nth(2)?;
    address.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_phones_send() {
        let sdp = Sdp::read(b"v=0\no=- 1 1 IN IP4 h\r\nc=IN IP4 192.0.2.1/127\r\na=recvonly\r\nx=odd\r\nm=audio 4000/2 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\nm=video 0 RTP/AVP 31\r\nc=IN IP6 2001:db8::1\r\na=inactive\r\n").unwrap();
        let (audio, video) = (&sdp.media[0], &sdp.media[1]);
        assert_eq!(
            (audio.port, audio.formats.len(), audio.coding(101), audio.coding(0)),
            (4000, 2, Some("telephone-event/8000"), Some("PCMU/8000"))
        );
        assert_eq!(
            (sdp.direction_of(audio), sdp.direction_of(video)),
            (Direction::RecvOnly, Direction::Inactive)
        );
        assert_eq!(sdp.address_of(video), Some("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn refuses_what_is_none() {
        assert_eq!(Sdp::read(b""), Err(SdpError::Version));
        assert_eq!(Sdp::read(b"hello"), Err(SdpError::Version));
        assert_eq!(Sdp::read(b"v=0\r\nm=audio\r\n"), Err(SdpError::Media));
        assert_eq!(Sdp::read(b"v=0\r\nm=audio 99999 RTP/AVP 0\r\n"), Err(SdpError::Media));
        let many = [b"v=0\r\n".to_vec(), b"m=audio 1 RTP/AVP 0\r\n".repeat(SDP_MEDIA_MAX + 1)].concat();
        assert_eq!(Sdp::read(&many), Err(SdpError::TooMany));
    }
}
