//! A phone or carrier at the other end: an endpoint, what it was told, and short words to make it act.
use super::{BOX, World};
use model::id::LegId;
use sip::digest::Credentials;
use sip::endpoint::{Hop, Invite, RequestOut, Settings};
use sip::indication::{ClientId, ServerId};
use sip::{Endpoint, Flow, Indication, Method, NameAddr, Request, Uri};
use std::net::SocketAddr;
use std::sync::Arc;

pub struct Peer {
    pub user: String,
    pub password: String,
    pub address: SocketAddr,
    pub endpoint: Endpoint,
    /// What happened and was not asked for yet.
    pub told: Vec<Indication>,
    /// Requests outside INVITE that were answered 200.
    pub requests: Vec<Arc<Request>>,
    /// Hears nothing and says nothing.
    pub deaf: bool,
    /// Another way to the box than a datagram.
    pub over: Option<Flow>,
    ids: u64,
}

impl Peer {
    pub fn new(user: &str, address: SocketAddr, n: usize) -> Peer {
        Peer {
            user: user.into(),
            password: format!("secret-{user}"),
            address,
            endpoint: Endpoint::new(Settings::new([u8::try_from(n + 1).unwrap(); 32])),
            told: Vec::new(),
            requests: Vec::new(),
            deaf: false,
            over: None,
            ids: 0,
        }
    }

    pub fn flow(&self) -> Flow {
        if let Some(flow) = self.over {
            return flow;
        }
        Flow::udp(self.address, BOX.parse().unwrap())
    }

    pub fn next(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }
}

pub fn uri(text: &str) -> Uri {
    Uri::read(text).unwrap()
}

/// What a phone offers and answers, at its own address.
pub fn sdp(address: SocketAddr, line: &str) -> Vec<u8> {
    let ip = address.ip();
    format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n{line}").into_bytes()
}

impl World {
    /// A request outside a session; the final code (0 for none).
    pub fn request(&mut self, peer: usize, change: impl FnOnce(&mut RequestOut)) -> u16 {
        let id = self.send(peer, change);
        self.moment();
        let told = &mut self.peers[peer].told;
        let at = told.iter().position(|i| matches!(i, Indication::Response { id: of, .. } if *of == id));
        match at.map(|at| told.remove(at)) {
            Some(Indication::Response { result: Ok(response), .. }) => response.code(),
            _ => 0,
        }
    }

    /// A REGISTER is on its way; nobody waits for its answer.
    pub fn request_later(&mut self, peer: usize) {
        self.send(peer, |_| {});
    }

    fn send(&mut self, peer: usize, change: impl FnOnce(&mut RequestOut)) -> ClientId {
        let id = ClientId(self.peers[peer].next());
        let p = &self.peers[peer];
        let (user, password) = (p.user.clone(), p.password.clone());
        let account = uri(&format!("sip:{user}@192.0.2.1"));
        let mut request = RequestOut {
            id,
            method: Method::Register,
            target: uri("sip:192.0.2.1"),
            flow: p.flow(),
            route: Vec::new(),
            from: NameAddr::new(account.clone()),
            to: NameAddr::new(account),
            call_id: Some(format!("reg-{}", p.address)),
            cseq: Some(u32::try_from(id.0 * 10).unwrap()),
            contact: Some(NameAddr::new(Uri::at(Some(&user), p.address))),
            headers: vec![("Expires".into(), "600".into())],
            content_type: String::new(),
            body: Vec::new(),
            credentials: Some(Credentials { username: user, password }),
        };
        change(&mut request);
        self.act(peer, |e, now, _, out| e.request(now, request, out));
        id
    }

    pub fn register(&mut self, peer: usize) -> u16 {
        self.request(peer, |_| {})
    }

    /// Calls a number; the leg.
    pub fn dial(&mut self, peer: usize, number: &str) -> LegId {
        self.dial_with(peer, number, |_| {})
    }

    pub fn dial_with(&mut self, peer: usize, number: &str, change: impl FnOnce(&mut Invite)) -> LegId {
        let leg = LegId(self.peers[peer].next());
        let p = &self.peers[peer];
        let target = uri(&format!("sip:{}@192.0.2.1", number.replace('#', "%23")));
        let mut invite = Invite {
            to: NameAddr::new(target.clone()),
            target,
            flow: p.flow(),
            route: Vec::new(),
            from: NameAddr::new(uri(&format!("sip:{}@192.0.2.1", p.user))),
            contact: Uri::at(Some(&p.user), p.address),
            max_forwards: 70,
            headers: Vec::new(),
            sdp: sdp(p.address, ""),
            credentials: Some(Credentials { username: p.user.clone(), password: p.password.clone() }),
            reliable: false,
            hop: Hop::Symmetric,
        };
        change(&mut invite);
        self.act(peer, |e, now, _, out| e.invite(now, leg, invite, out));
        self.moment();
        leg
    }

    /// The call that came in, taken but not answered yet; the leg and the request.
    pub fn rung(&mut self, peer: usize) -> Option<(LegId, Arc<Request>)> {
        let told = &mut self.peers[peer].told;
        let at = told.iter().position(|i| matches!(i, Indication::Invite { .. }))?;
        let Indication::Invite { server, request, .. } = told.remove(at) else { return None };
        let leg = LegId(self.peers[peer].next());
        self.adopt(peer, server, leg);
        Some((leg, request))
    }

    fn adopt(&mut self, peer: usize, server: ServerId, leg: LegId) {
        let contact = Uri::at(Some(&self.peers[peer].user), self.peers[peer].address);
        self.act(peer, |e, now, _, out| {
            e.adopt(now, server, leg, contact, out);
            e.ring(now, leg, 180, None, out);
        });
        self.moment();
    }

    /// Answers a call.
    pub fn answer(&mut self, peer: usize, leg: LegId) {
        let body = sdp(self.peers[peer].address, "");
        self.act(peer, |e, now, _, out| e.accept(now, leg, body, Vec::new(), out));
        self.moment();
    }

    /// Takes the call that came in: rings and answers.
    pub fn take(&mut self, peer: usize) -> LegId {
        let (leg, _) = self.rung(peer).expect("it rings");
        self.answer(peer, leg);
        leg
    }

    pub fn refuse(&mut self, peer: usize, leg: LegId, code: u16) {
        self.act(peer, |e, now, _, out| e.refuse(now, leg, code, None, Vec::new(), out));
        self.moment();
    }

    pub fn hang_up(&mut self, peer: usize, leg: LegId) {
        self.act(peer, |e, now, _, out| e.hang_up(now, leg, None, out));
        self.moment();
    }

    /// Changes the sound of a session: `a=sendonly` holds.
    pub fn reoffer(&mut self, peer: usize, leg: LegId, line: &str) {
        let body = sdp(self.peers[peer].address, line);
        self.act(peer, |e, now, _, out| e.reoffer(now, leg, body, out));
        self.moment();
    }

    /// Whether the session was answered.
    pub fn is_up(&mut self, peer: usize) -> bool {
        self.peers[peer].told.iter().any(|i| matches!(i, Indication::Answered { .. }))
    }

    /// The code with which the call was refused.
    pub fn refused(&self, peer: usize) -> Option<u16> {
        self.peers[peer]
            .told
            .iter()
            .find_map(|i| if let Indication::Refused { code, .. } = i { Some(*code) } else { None })
    }

    /// Whether a session ended by the other side.
    pub fn ended(&self, peer: usize) -> bool {
        self.peers[peer]
            .told
            .iter()
            .any(|i| matches!(i, Indication::Ended { .. } | Indication::Cancelled { .. }))
    }

    /// Provisional codes that came.
    pub fn progress(&self, peer: usize) -> Vec<u16> {
        let codes = self.peers[peer]
            .told
            .iter()
            .filter_map(|i| if let Indication::Progress { code, .. } = i { Some(*code) } else { None });
        codes.filter(|c| *c > 100).collect()
    }

    /// What happened to a peer is forgotten.
    pub fn forget(&mut self, peer: usize) {
        self.peers[peer].told.clear();
    }
}
