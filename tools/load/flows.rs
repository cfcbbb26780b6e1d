//! Sends and counts the packets: 50 a second each way for each call, spread over the 20 ms, each with its time of
//! sending in its first eight bytes of sound.
use crate::signalling::Calls;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What the ends heard in the measured window.
#[derive(Default)]
pub struct Heard {
    /// Packets sent.
    pub sent: f64,
    /// Packets that came through.
    pub received: f64,
    /// CPU of the box in the window, seconds.
    pub cpu_s: f64,
    /// Length of the window, seconds.
    pub wall_s: f64,
    delays: Vec<u32>,
    late: Vec<u32>,
}

impl Heard {
    /// Quantile of the delay from our send call to our receive call, µs.
    pub fn delay_us(&self, q: f64) -> f64 {
        quantile(&self.delays, q)
    }

    /// Quantile of how late the generator itself was, µs: delays say nothing when this is large.
    pub fn late_us(&self, q: f64) -> f64 {
        quantile(&self.late, q)
    }
}

fn quantile(sorted: &[u32], q: f64) -> f64 {
    let last = f64::from(u32::try_from(sorted.len().saturating_sub(1)).unwrap_or(u32::MAX));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 ≤ q ≤ 1, so within the list"
    )]
    let index = (q * last) as usize;
    sorted.get(index).copied().map_or(0.0, f64::from)
}

/// One packet to send: from which end, to where, at which µs of the 20 ms.
struct Slot {
    from_caller: bool,
    to: SocketAddr,
    at_us: u64,
    ssrc: u32,
}

/// Runs the flows of all calls: `warm` unmeasured, then `window` measured.
///
/// # Errors
/// A sentence when a socket cannot be had.
pub fn run(
    calls: &Calls,
    caller: SocketAddr,
    callee: SocketAddr,
    warm: Duration,
    window: Duration,
    cpu: &dyn Fn() -> f64,
) -> Result<Heard, String> {
    let open = |address: SocketAddr| -> Result<UdpSocket, String> {
        let socket = UdpSocket::bind(address).map_err(|e| format!("{address}: {e}"))?;
        nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::RcvBuf, &(8 << 20))
            .map_err(|e| e.to_string())?;
        socket.set_read_timeout(Some(Duration::from_millis(100))).map_err(|e| e.to_string())?;
        Ok(socket)
    };
    let (a, b) = (open(caller)?, open(callee)?);
    let slots = slots(calls);
    let zero = Instant::now();
    let (from, to) = (micros(warm), micros(warm + window));
    let (stop, sent, heard) = (AtomicBool::new(false), AtomicU64::new(0), Mutex::new(Heard::default()));
    std::thread::scope(|scope| {
        for socket in [&a, &b] {
            scope.spawn(|| listen(socket, zero, (from, to), &stop, &heard));
        }
        let sender = scope.spawn(|| send(&slots, (&a, &b), zero, (from, to), &sent));
        std::thread::sleep(warm.saturating_sub(zero.elapsed()));
        let (cpu_before, wall_before) = (cpu(), Instant::now());
        std::thread::sleep((warm + window).saturating_sub(zero.elapsed()));
        let (cpu_s, wall_s) = (cpu() - cpu_before, wall_before.elapsed().as_secs_f64());
        let late = sender.join().unwrap_or_default();
        std::thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
        let mut heard = heard.lock().map_err(|_| "a listening thread failed".to_owned())?;
        (heard.cpu_s, heard.wall_s, heard.late) = (cpu_s, wall_s, late);
        Ok::<(), String>(())
    })?;
    let mut heard = heard.into_inner().map_err(|_| "a listening thread failed".to_owned())?;
    heard.sent = f64::from(u32::try_from(sent.load(Ordering::Relaxed)).unwrap_or(u32::MAX));
    heard.received = f64::from(u32::try_from(heard.delays.len()).unwrap_or(u32::MAX));
    heard.delays.sort_unstable();
    heard.late.sort_unstable();
    Ok(heard)
}

fn micros(d: Duration) -> u64 {
    u64::try_from(d.as_micros()).unwrap_or(u64::MAX)
}

fn slots(calls: &Calls) -> Vec<Slot> {
    let count = u64::try_from(calls.ports.len().max(1) * 2).unwrap_or(2);
    let both = calls.ports.iter().flat_map(|&(here, there)| [(true, here), (false, there)]);
    both.zip(0_u64..)
        .map(|((from_caller, to), n)| Slot {
            from_caller,
            to,
            at_us: n * 20_000 / count,
            ssrc: u32::try_from(n).unwrap_or(0) + 1,
        })
        .collect()
}

/// Sends every slot once in each 20 ms until the window ends; answers how late each measured packet left, µs.
fn send(
    slots: &[Slot],
    ends: (&UdpSocket, &UdpSocket),
    zero: Instant,
    window: (u64, u64),
    sent: &AtomicU64,
) -> Vec<u32> {
    let mut late = Vec::new();
    for round in 0_u32.. {
        let begin = u64::from(round) * 20_000;
        if begin >= window.1 {
            break;
        }
        for slot in slots {
            let due = begin + slot.at_us;
            let mut now = micros(zero.elapsed());
            if due > now + 200 {
                std::thread::sleep(Duration::from_micros(due - now - 100));
                now = micros(zero.elapsed());
            }
            let socket = if slot.from_caller { ends.0 } else { ends.1 };
            let fine = socket.send_to(&packet(round, slot.ssrc, now), slot.to).is_ok();
            if fine && (window.0..window.1).contains(&now) {
                sent.fetch_add(1, Ordering::Relaxed);
                late.push(u32::try_from(now.saturating_sub(due)).unwrap_or(u32::MAX));
            }
        }
    }
    late
}

fn packet(round: u32, ssrc: u32, now: u64) -> [u8; 172] {
    let mut out = [0xff; 172];
    let [.., high, low] = round.to_be_bytes();
    out[..4].copy_from_slice(&[0x80, 0, high, low]);
    out[4..8].copy_from_slice(&round.wrapping_mul(160).to_be_bytes());
    out[8..12].copy_from_slice(&ssrc.to_be_bytes());
    out[12..20].copy_from_slice(&now.to_be_bytes());
    out
}

fn listen(socket: &UdpSocket, zero: Instant, window: (u64, u64), stop: &AtomicBool, heard: &Mutex<Heard>) {
    let mut delays = Vec::new();
    let mut buffer = [0; 512];
    while !stop.load(Ordering::Relaxed) {
        let Ok((length, _)) = socket.recv_from(&mut buffer) else { continue };
        let now = micros(zero.elapsed());
        if let Some(stamp) =
            buffer[..length].get(12..20).and_then(|b| b.try_into().ok()).map(u64::from_be_bytes)
            && (window.0..window.1).contains(&stamp)
        {
            delays.push(u32::try_from(now.saturating_sub(stamp)).unwrap_or(u32::MAX));
        }
    }
    if let Ok(mut heard) = heard.lock() {
        heard.delays.append(&mut delays);
    }
}
