//! The few SIP messages that put calls up and take them down: one socket calls, one answers at once. Enough for a
//! loopback without loss; retransmits an INVITE that got no answer.
use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Calls in one run may not take longer than this to come up.
const LIMIT: Duration = Duration::from_secs(30);

/// Calls that are up.
pub struct Calls {
    caller: UdpSocket,
    callee: UdpSocket,
    target: SocketAddr,
    /// Where the box listens for the caller of each call that is up, and for its callee.
    pub ports: Vec<(SocketAddr, SocketAddr)>,
    byes: Vec<String>,
}

impl Calls {
    /// How many are up.
    pub fn up(&self) -> usize {
        self.ports.len()
    }

    /// Takes them all down and answers the BYEs at the other end.
    pub fn hang_up(&self) {
        let mut buffer = [0; 4096];
        for bye in &self.byes {
            let _ = self.caller.send_to(bye.as_bytes(), self.target);
            while let Ok((length, from)) = self.callee.recv_from(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if text.starts_with("BYE") {
                    let _ = self.callee.send_to(answer(&text, "200 OK", "", "").as_bytes(), from);
                }
            }
        }
    }
}

struct Pending {
    invite: String,
    sent: Instant,
    number: String,
}

/// Places `count` calls; the media of all callers is at `caller`, of all callees at `callee`.
///
/// # Errors
/// A sentence when a socket cannot be had.
pub fn set_up(
    target: SocketAddr,
    count: usize,
    caller: SocketAddr,
    callee: SocketAddr,
) -> Result<Calls, String> {
    let open = |host: [u8; 4], port: u16| -> Result<UdpSocket, String> {
        let address = SocketAddr::from((host, port));
        let socket = UdpSocket::bind(address).map_err(|e| format!("{address}: {e}"))?;
        socket.set_read_timeout(Some(Duration::from_millis(1))).map_err(|e| e.to_string())?;
        Ok(socket)
    };
    let sockets = (open([127, 0, 0, 2], 6060)?, open([127, 0, 0, 3], 5090)?);
    let mut calls =
        Calls { caller: sockets.0, callee: sockets.1, target, ports: Vec::new(), byes: Vec::new() };
    let mut pending: BTreeMap<String, Pending> = BTreeMap::new();
    let mut there: BTreeMap<String, SocketAddr> = BTreeMap::new();
    let (begin, mut placed) = (Instant::now(), 0);
    while begin.elapsed() < LIMIT && (placed < count || !pending.is_empty()) {
        if placed < count && begin.elapsed() >= Duration::from_millis(10) * u32::try_from(placed).unwrap_or(0)
        {
            let (id, call) = invite(target, placed, caller);
            let _ = calls.caller.send_to(call.invite.as_bytes(), target);
            pending.insert(id, call);
            placed += 1;
        }
        serve_callee(&calls.callee, callee, &mut there);
        serve_caller(&mut calls, &mut pending, &there);
        for call in pending.values_mut().filter(|c| c.sent.elapsed() > Duration::from_secs(1)) {
            call.sent = Instant::now();
            let _ = calls.caller.send_to(call.invite.as_bytes(), target);
        }
    }
    Ok(calls)
}

fn invite(target: SocketAddr, n: usize, media: SocketAddr) -> (String, Pending) {
    let number = format!("2{n:06}");
    let id = format!("load-{n}-{}", std::process::id());
    let sdp = sdp(media);
    let text = format!(
        "INVITE sip:{number}@{target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:6060;branch=z9hG4bK{id}\r\n\
         From: <sip:1000@127.0.0.2>;tag={id}\r\nTo: <sip:{number}@{target}>\r\nCall-ID: {id}\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:1000@127.0.0.2:6060>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    (id, Pending { invite: text, sent: Instant::now(), number })
}

fn sdp(media: SocketAddr) -> String {
    let (ip, port) = (media.ip(), media.port());
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n\
         a=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=sendrecv\r\n"
    )
}

fn serve_callee(socket: &UdpSocket, media: SocketAddr, there: &mut BTreeMap<String, SocketAddr>) {
    let mut buffer = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if text.starts_with("INVITE") {
            if let (Some(number), Some(port)) = (user(&text), media_of(&text)) {
                there.insert(number, port);
            }
            let _ = socket.send_to(answer(&text, "200 OK", ";tag=there", &sdp(media)).as_bytes(), from);
        } else if text.starts_with("OPTIONS") {
            let _ = socket.send_to(answer(&text, "200 OK", "", "").as_bytes(), from);
        }
    }
}

fn serve_caller(
    calls: &mut Calls,
    pending: &mut BTreeMap<String, Pending>,
    there: &BTreeMap<String, SocketAddr>,
) {
    let mut buffer = [0; 4096];
    while let Ok((length, _)) = calls.caller.recv_from(&mut buffer) {
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if !text.starts_with("SIP/2.0 200") || !header(&text, "CSeq").is_some_and(|c| c.ends_with("INVITE")) {
            continue;
        }
        let Some(id) = header(&text, "Call-ID").map(str::to_owned) else { continue };
        let contact = header(&text, "Contact").and_then(|c| Some(c.split_once('<')?.1.split_once('>')?.0));
        let request = |method: &str, n: u8| {
            format!(
                "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:6060;branch=z9hG4bK{id}{n}\r\nFrom: {}\r\nTo: {}\r\n\
                 Call-ID: {id}\r\nCSeq: {n} {method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
                contact.unwrap_or("sip:box@127.0.0.1"),
                header(&text, "From").unwrap_or_default(),
                header(&text, "To").unwrap_or_default(),
            )
        };
        let _ = calls.caller.send_to(request("ACK", 1).as_bytes(), calls.target);
        let Some(call) = pending.remove(&id) else { continue };
        if let (Some(here), Some(&callee)) = (media_of(&text), there.get(&call.number)) {
            calls.ports.push((here, callee));
        }
        calls.byes.push(request("BYE", 2));
    }
}

/// The response to a request, with its headers copied as RFC 3261 §8.2.6.2 wants.
fn answer(request: &str, status: &str, tag: &str, body: &str) -> String {
    let mut out = format!("SIP/2.0 {status}\r\n");
    for line in request.lines().take_while(|l| !l.is_empty()) {
        let name = line.split(':').next().unwrap_or_default();
        if ["Via", "From", "Call-ID", "CSeq", "Record-Route"].contains(&name) {
            out += &format!("{line}\r\n");
        } else if name == "To" {
            out += &format!("{line}{tag}\r\n");
        }
    }
    if !body.is_empty() {
        out += "Contact: <sip:load@127.0.0.3:5090>\r\nContent-Type: application/sdp\r\n";
    }
    out + &format!("Content-Length: {}\r\n\r\n{body}", body.len())
}

fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|l| l.split_once(':').filter(|(n, _)| n.eq_ignore_ascii_case(name)))
        .map(|(_, v)| v.trim())
}

fn user(request: &str) -> Option<String> {
    Some(request.split_once("sip:")?.1.split_once('@')?.0.to_owned())
}

fn media_of(text: &str) -> Option<SocketAddr> {
    let ip = text.lines().find_map(|l| l.strip_prefix("c=IN IP4 "))?;
    let port = text.lines().find_map(|l| l.strip_prefix("m=audio "))?.split(' ').next()?;
    format!("{}:{port}", ip.trim()).parse().ok()
}
