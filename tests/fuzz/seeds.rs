//! Good input of each target, and mutants of it. The same seed gives the same mutants.
use media::wav;
use model::id::SessionId;
use model::media::MediaCommand;
use std::path::Path;

const INVITE: &str = "INVITE sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.9;branch=z9hG4bKm;rport\r\nFrom: <sip:a@h>;tag=9\r\n\
    To: <sip:b@h>\r\nCall-ID: m\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:a@198.51.100.9>\r\n\
    Content-Type: application/sdp\r\nContent-Length: ";
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n";
const VALUES: &str = "\"A. G. Bell\" <sip:agb@bell-telephone.com;transport=udp?Subject=x>;tag=a48s\n\
    SIP/2.0/UDP 192.0.2.1:5060;received=192.0.2.207;branch=z9hG4bK77asjd\n4711 INVITE\nsip:+49301234@h;user=phone\ntel:+1-201-555-0123\n\
    Digest realm=\"biloxi.com\", qop=\"auth,auth-int\", nonce=\"dcd98b\", opaque=\"5ccc\", algorithm=SHA-256\n0[1-9]X.\n+49 (30) 123-45\n";
/// Bits that grammars turn on.
const BITS: [&[u8]; 16] = [
    b"\r\n",
    b";",
    b",",
    b"\"",
    b"<",
    b">",
    b":",
    b"@",
    b"\0",
    b"\xff",
    b"\r\n ",
    b"z9hG4bK",
    b"4294967296",
    b"%",
    b"[",
    b"=",
];
/// Longest mutant: a datagram.
const LONGEST: usize = 65_535;

fn files(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let mut names: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|f| f.path()).collect();
    names.sort();
    names.iter().filter_map(|name| std::fs::read(name).ok()).collect()
}

/// Good input of a target; one empty input for a name that is none.
#[must_use]
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let invite = format!("{INVITE}{}\r\n\r\n{SDP}", SDP.len()).into_bytes();
    match target {
        "frame" => {
            let words = [
                MediaCommand::Hello { protocol: 1, epoch: 1, orphan_s: 60 },
                MediaCommand::Open { session: SessionId(1), port: 10_000 },
            ];
            vec![words.iter().filter_map(|word| net::frame::encode(word).ok()).flatten().collect()]
        }
        "rtcp" => vec![[&[0x81, 200, 0, 12, 0, 0, 0, 2][..], &[0; 20], &[0, 0, 0, 1], &[0; 20]].concat()],
        "rtp" => {
            let sound = [&[0x80, 0x80, 0, 1, 0, 0, 0, 160, 0, 0, 0, 2][..], &[0x55; 160]].concat();
            vec![sound, [&[0x80, 0xE5, 0, 2, 0, 0, 1, 64, 0, 0, 0, 2][..], &[5, 0x0A, 0, 160]].concat()]
        }
        "sdp" => vec![SDP.into()],
        "sip" => [files("src/sip/tests/data/rfc4475"), vec![invite]].concat(),
        "site" => {
            [files("tests/data/config"), files("tests/data"), files("rootfs/usr/share/belfry/defaults")]
                .concat()
        }
        "stream" => vec![invite.repeat(3)],
        "values" => vec![VALUES.into()],
        "wav" => vec![
            [wav::header(1, 320), vec![0x55; 320]].concat(),
            [wav::header(2, 320), vec![0x55; 320]].concat(),
        ],
        _ => vec![Vec::new()],
    }
}

/// Makes mutants of seeds.
pub struct Mutator {
    seeds: Vec<Vec<u8>>,
    state: u64,
}

impl Mutator {
    /// Of these seeds; the number decides which.
    #[must_use]
    pub fn new(seeds: Vec<Vec<u8>>, seed: u64) -> Mutator {
        Mutator { seeds, state: seed.max(1) }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % u64::try_from(limit.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    fn seed(&mut self) -> Vec<u8> {
        let place = self.below(self.seeds.len());
        self.seeds.get(place).cloned().unwrap_or_default()
    }

    /// The next one.
    pub fn mutant(&mut self) -> Vec<u8> {
        let mut mutant = self.seed();
        for _ in 0..=self.below(4) {
            self.change(&mut mutant);
        }
        mutant.truncate(LONGEST);
        mutant
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1);
        let end = (at + self.below(60)).min(bytes.len());
        match self.below(6) {
            0 => {
                let byte = u8::try_from(self.below(256)).unwrap_or(0);
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
            }
            1 => bytes.truncate(at),
            2 => {
                let bit = BITS[self.below(BITS.len())];
                bytes.splice(at..at, bit.iter().copied());
            }
            3 => drop(bytes.drain(at..end)),
            4 => {
                let piece = bytes[at..end].to_vec();
                let times = 1 + self.below(20);
                bytes.splice(at..at, piece.repeat(times));
            }
            _ => {
                let other = self.seed();
                let from = self.below(other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
        }
    }
}
