//! Offer and answer (RFC 3264) for one audio stream of G.711 with telephone-event. Other media lines are answered with
//! port 0. Hold is the peer not receiving: `sendonly`, `inactive` or `c=0.0.0.0`. The session version grows when our
//! text changes. Never opens a port: addresses come in.
use super::{Direction, Media, Sdp};
use model::media::{Codec, Remote};
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

/// Payload type we offer for telephone-event.
const EVENT_TYPE: u8 = 101;

/// Our side of one session: what we write, and how often it changed.
#[derive(Clone, Debug)]
pub struct Side {
    /// Where we receive.
    address: SocketAddr,
    /// What we can do, best first.
    codecs: Vec<Codec>,
    id: u64,
    version: u64,
    last: String,
    shape: Shape,
}

/// Which media lines the session has had, so that later offers keep their number and order.
#[derive(Clone, Debug, Default)]
struct Shape {
    before: Vec<String>,
    after: Vec<String>,
}

/// What both sides agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Where the peer receives.
    pub address: SocketAddr,
    /// What both speak.
    pub codec: Codec,
    /// The peer's payload type of telephone-event, when both have it.
    pub event_type: Option<u8>,
    /// What we do: send, receive, both, neither.
    pub direction: Direction,
    /// Whether the peer put us on hold (it does not want our media).
    pub held: bool,
}

/// Why there is no audio between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDeal {
    /// No plain RTP audio line with a port.
    #[error("no audio line we can take (RTP/AVP with a port)")]
    NoAudio,
    /// No coding in common.
    #[error("no audio coding in common (we speak PCMU and PCMA)")]
    NoCodec,
}

impl Agreed {
    /// The same in the words of media. `signalled_from` is the peer's SIP address.
    #[must_use]
    pub fn remote(&self, signalled_from: IpAddr) -> Remote {
        Remote {
            address: self.address,
            signalled_from,
            codec: self.codec,
            event_type: self.event_type,
            send: self.direction.sends(),
            receive: self.direction.receives(),
        }
    }
}

impl Side {
    /// Our side, receiving at `address`, able to speak `codecs`, best first. `id` names the session in `o=`.
    #[must_use]
    pub fn new(address: SocketAddr, codecs: &[Codec], id: u64) -> Side {
        Side {
            address,
            codecs: codecs.to_vec(),
            id,
            version: 0,
            last: String::new(),
            shape: Shape::default(),
        }
    }

    /// An offer. `direction` is ours: `SendOnly` puts the peer on hold.
    #[must_use]
    pub fn offer(&mut self, direction: Direction) -> Vec<u8> {
        let audio = self.audio(&self.codecs, Some(EVENT_TYPE), direction);
        self.write(&audio)
    }

    /// The answer to an offer, and what is agreed by it. `peer` stands in for an address that is a host name;
    /// `direction` is what we want (`SendRecv` unless we hold the peer).
    ///
    /// # Errors
    /// [`NoDeal`]: answer 488.
    pub fn answer(
        &mut self,
        offer: &Sdp,
        peer: IpAddr,
        direction: Direction,
    ) -> Result<(Agreed, Vec<u8>), NoDeal> {
        let (index, agreed) = self.agree(offer, peer, direction)?;
        let refuse = |m: &Media| refused_line(m);
        self.shape.before = offer.media[..index].iter().map(refuse).collect();
        self.shape.after = offer.media[index + 1..].iter().map(refuse).collect();
        let audio = self.audio(&[agreed.codec], agreed.event_type, agreed.direction);
        Ok((agreed, self.write(&audio)))
    }

    /// What the peer's answer to our offer agrees to. `direction` is what we offered.
    ///
    /// # Errors
    /// [`NoDeal`]: hang up, there is nothing to hear.
    pub fn settle(&self, answer: &Sdp, peer: IpAddr, direction: Direction) -> Result<Agreed, NoDeal> {
        self.agree(answer, peer, direction).map(|(_, agreed)| agreed)
    }

    fn agree(&self, theirs: &Sdp, peer: IpAddr, wanted: Direction) -> Result<(usize, Agreed), NoDeal> {
        let mut lines = theirs.media.iter().enumerate();
        let (index, media) = lines.find(|(_, m)| is_audio(m)).ok_or(NoDeal::NoAudio)?;
        let codec = self.common(media).ok_or(NoDeal::NoCodec)?;
        let ip = theirs.address_of(media);
        let direction = theirs.direction_of(media);
        let parked = ip.is_some_and(|ip| ip.is_unspecified());
        let takes = direction.receives() && !parked;
        let ours = Direction::of(wanted.sends() && takes, wanted.receives() && direction.sends());
        let address = SocketAddr::new(ip.unwrap_or(peer), media.port);
        Ok((index, Agreed { address, codec, event_type: event_type(media), direction: ours, held: !takes }))
    }

    /// The peer's best codec that is also ours (RFC 3264 section 6.1: the offerer's order counts).
    fn common(&self, media: &Media) -> Option<Codec> {
        media.formats.iter().filter_map(|f| f.parse().ok()).find_map(|pt: u8| {
            let coding = media.coding(pt)?;
            self.codecs.iter().copied().find(|c| c.payload_type() == pt && is_coding(coding, name(*c)))
        })
    }

    fn audio(&self, codecs: &[Codec], event_type: Option<u8>, direction: Direction) -> String {
        let mut types: Vec<String> = codecs.iter().map(|c| c.payload_type().to_string()).collect();
        types.extend(event_type.map(|e| e.to_string()));
        let mut text = format!("m=audio {} RTP/AVP {}\r\n", self.address.port(), types.join(" "));
        for codec in codecs {
            let _ = write!(text, "a=rtpmap:{} {}/8000\r\n", codec.payload_type(), name(*codec));
        }
        if let Some(e) = event_type {
            let _ = write!(text, "a=rtpmap:{e} telephone-event/8000\r\na=fmtp:{e} 0-15\r\n");
        }
        let _ = write!(text, "a=ptime:20\r\na={}\r\n", direction.as_str());
        text
    }

    fn write(&mut self, audio: &str) -> Vec<u8> {
        let ip = self.address.ip();
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        let before: String = self.shape.before.concat();
        let after: String = self.shape.after.concat();
        let rest = format!("s=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n{before}{audio}{after}");
        if rest != self.last {
            self.version += 1;
            self.last.clone_from(&rest);
        }
        format!("v=0\r\no=- {} {} IN {family} {ip}\r\n{rest}", self.id, self.version).into_bytes()
    }
}

fn name(codec: Codec) -> &'static str {
    match codec {
        Codec::Pcmu => "PCMU",
        Codec::Pcma => "PCMA",
    }
}

fn is_audio(media: &Media) -> bool {
    let plain =
        media.protocol.eq_ignore_ascii_case("RTP/AVP") || media.protocol.eq_ignore_ascii_case("RTP/AVPF");
    media.kind.eq_ignore_ascii_case("audio") && media.port != 0 && plain
}

/// Whether an rtpmap value names this coding at 8 kHz, one channel.
fn is_coding(coding: &str, name: &str) -> bool {
    let mut parts = coding.split('/');
    let named = parts.next().is_some_and(|n| n.eq_ignore_ascii_case(name));
    named && parts.next() == Some("8000") && matches!(parts.next(), None | Some("1"))
}

fn event_type(media: &Media) -> Option<u8> {
    let types = media.formats.iter().filter_map(|f| f.parse::<u8>().ok());
    types.filter(|pt| *pt >= 96).find(|pt| media.coding(*pt).is_some_and(|c| is_coding(c, "telephone-event")))
}

/// The line that refuses a media line: same kind, protocol and formats, port 0. Words of the peer are made safe.
fn refused_line(media: &Media) -> String {
    let safe = |t: &str| t.chars().filter(|c| !c.is_control()).collect::<String>();
    let formats = if media.formats.is_empty() { "0".to_owned() } else { media.formats.join(" ") };
    format!("m={} 0 {} {}\r\n", safe(&media.kind), safe(&media.protocol), safe(&formats))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "198.51.100.7";

    fn side() -> Side {
        Side::new("192.0.2.1:10000".parse().unwrap(), &[Codec::Pcma, Codec::Pcmu], 7)
    }

    fn sdp(rest: &str) -> Sdp {
        Sdp::read(
            format!("v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n{rest}").as_bytes(),
        )
        .unwrap()
    }

    fn answer(rest: &str) -> (Agreed, String) {
        let (agreed, body) = side().answer(&sdp(rest), PEER.parse().unwrap(), Direction::SendRecv).unwrap();
        (agreed, String::from_utf8(body).unwrap())
    }

    #[test]
    fn an_offer_names_both_laws_and_events() {
        let text = String::from_utf8(side().offer(Direction::SendRecv)).unwrap();
        assert_eq!(
            text,
            "v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 10000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
        );
    }

    #[test]
    fn the_answer_follows_the_offerers_order_and_refuses_other_lines() {
        let (agreed, text) = answer(
            "m=video 5000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 18 0 8 97\r\na=rtpmap:97 telephone-event/8000\r\nm=audio 4002 RTP/AVP 0\r\n",
        );
        assert_eq!((agreed.codec, agreed.event_type, agreed.held), (Codec::Pcmu, Some(97), false));
        assert_eq!(agreed.address, "198.51.100.9:4000".parse().unwrap());
        let lines: Vec<_> = text.lines().filter(|l| l.starts_with("m=")).collect();
        assert_eq!(lines, ["m=video 0 RTP/AVP 31", "m=audio 10000 RTP/AVP 0 97", "m=audio 0 RTP/AVP 0"]);
    }

    #[test]
    fn every_form_of_hold() {
        for (line, direction) in [
            ("a=sendonly", Direction::RecvOnly),
            ("a=inactive", Direction::Inactive),
            ("c=IN IP4 0.0.0.0", Direction::RecvOnly),
        ] {
            let (agreed, text) = answer(&format!("m=audio 4000 RTP/AVP 0\r\n{line}\r\n"));
            assert!(agreed.held && agreed.direction == direction, "{line}");
            assert!(text.contains(&format!("a={}\r\n", direction.as_str())), "{line}");
        }
        let (agreed, _) = answer("m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n");
        assert_eq!((agreed.held, agreed.direction), (false, Direction::SendOnly));
    }

    #[test]
    fn no_deal_says_why() {
        let refuse =
            |rest: &str| side().answer(&sdp(rest), PEER.parse().unwrap(), Direction::SendRecv).unwrap_err();
        assert_eq!(refuse("m=audio 0 RTP/AVP 0\r\n"), NoDeal::NoAudio);
        assert_eq!(refuse("m=audio 4000 RTP/SAVP 0\r\n"), NoDeal::NoAudio);
        assert_eq!(refuse("m=audio 4000 RTP/AVP 18\r\n"), NoDeal::NoCodec);
        assert_eq!(refuse("m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 OPUS/48000/2\r\n"), NoDeal::NoCodec);
        assert_eq!(refuse(""), NoDeal::NoAudio);
    }

    #[test]
    fn the_version_grows_only_with_a_change() {
        let mut s = side();
        let version = |b: Vec<u8>| String::from_utf8(b).unwrap().lines().nth(1).unwrap().to_owned();
        assert_eq!(version(s.offer(Direction::SendRecv)), "o=- 7 1 IN IP4 192.0.2.1");
        assert_eq!(version(s.offer(Direction::SendRecv)), "o=- 7 1 IN IP4 192.0.2.1");
        assert_eq!(version(s.offer(Direction::SendOnly)), "o=- 7 2 IN IP4 192.0.2.1");
    }

    #[test]
    fn an_answer_to_ours_is_settled() {
        let agreed = side()
            .settle(
                &sdp("m=audio 4000 RTP/AVP 8\r\na=sendrecv\r\n"),
                PEER.parse().unwrap(),
                Direction::SendRecv,
            )
            .unwrap();
        assert_eq!((agreed.codec, agreed.event_type), (Codec::Pcma, None));
        let r = agreed.remote(PEER.parse().unwrap());
        assert!(r.send && r.receive);
    }

    #[test]
    fn a_host_name_gives_way_to_the_signalled_address() {
        let sdp = Sdp::read(b"v=0\r\nc=IN IP4 media.example.com\r\nm=audio 4000 RTP/AVP 0\r\n").unwrap();
        let (agreed, _) = side().answer(&sdp, PEER.parse().unwrap(), Direction::SendRecv).unwrap();
        assert_eq!(agreed.address, "198.51.100.7:4000".parse().unwrap());
    }
}
