//! Looks names up, off the call path: questions go in, answers come out within ten seconds whatever the name server does.
//! The last good answer of a name serves for a day when nobody answers. Addresses are answered at once. Decides nothing
//! about which address is used.
use std::collections::HashMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long a last good answer serves (promise R13).
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Look-ups at once. A tar-pit holds each for up to half a minute; further questions get the last good answer.
const AT_ONCE: usize = 8;
/// Names remembered. 64 trunks are supported; the rest is room for old names.
const NAMES: usize = 256;
/// Addresses of one name.
const ADDRESSES: usize = 8;
/// How often the loop shows that it lives.
const IDLE: Duration = Duration::from_millis(500);

/// Asks; any thread may hold it.
#[derive(Clone, Debug)]
pub struct Resolver {
    questions: SyncSender<Question>,
}

#[derive(Debug)]
struct Question {
    id: u64,
    name: String,
}

/// How a name is looked up: the operating system's resolver, or a test's.
pub type LookUp = Arc<dyn Fn(&str) -> Vec<IpAddr> + Send + Sync>;

/// The operating system's resolver (hosts file, DNS: A and AAAA).
#[must_use]
pub fn system() -> LookUp {
    Arc::new(|name| {
        let mut found: Vec<IpAddr> =
            (name, 0).to_socket_addrs().map(|all| all.map(|a| a.ip()).collect()).unwrap_or_default();
        found.dedup();
        found
    })
}

impl Resolver {
    /// A resolver with a queue of `length` questions, and its loop to be run on a thread.
    #[must_use]
    pub fn new(length: usize, look_up: LookUp) -> (Resolver, ResolverLoop) {
        let (questions, queue) = sync_channel(length);
        let looping = ResolverLoop {
            queue,
            look_up,
            kept: HashMap::new(),
            open: Vec::new(),
            running: 0,
            patience: PATIENCE,
        };
        (Resolver { questions }, looping)
    }

    /// Asks for the addresses of `name`; the answer carries `id`. Gives false when the queue is full: then the caller
    /// answers with nothing. Never waits.
    #[must_use]
    pub fn ask(&self, id: u64, name: String) -> bool {
        self.questions.try_send(Question { id, name }).is_ok()
    }
}

/// The loop behind a [`Resolver`].
pub struct ResolverLoop {
    queue: Receiver<Question>,
    look_up: LookUp,
    kept: HashMap<String, (Vec<IpAddr>, Instant)>,
    open: Vec<(Question, Instant)>,
    running: usize,
    patience: Duration,
}

impl ResolverLoop {
    /// Runs until every [`Resolver`] is gone. `answer` gets the id and the addresses, none when nobody knows.
    pub fn run(mut self, beat: &AtomicU64, mut answer: impl FnMut(u64, Vec<IpAddr>)) {
        let (done_in, done) = channel();
        loop {
            beat.fetch_add(1, Ordering::Relaxed);
            match self.queue.recv_timeout(self.wait()) {
                Ok(question) => self.take(question, &done_in, &mut answer),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while let Ok((name, found)) = done.try_recv() {
                self.finish(&name, found, &mut answer);
            }
            self.give_up(&mut answer);
        }
    }

    /// Short while look-ups run: their answers come by another channel.
    fn wait(&self) -> Duration {
        if self.open.is_empty() { IDLE } else { Duration::from_millis(5) }
    }

    fn take(
        &mut self,
        question: Question,
        done: &Sender<(String, Vec<IpAddr>)>,
        answer: &mut impl FnMut(u64, Vec<IpAddr>),
    ) {
        if let Ok(literal) = question.name.trim_matches(['[', ']']).parse() {
            answer(question.id, vec![literal]);
            return;
        }
        let asked_already = self.open.iter().any(|(open, _)| open.name == question.name);
        if !asked_already && !self.start(&question.name, done) {
            answer(question.id, self.last_good(&question.name));
            return;
        }
        self.open.push((question, Instant::now() + self.patience));
    }

    fn start(&mut self, name: &str, done: &Sender<(String, Vec<IpAddr>)>) -> bool {
        if self.running >= AT_ONCE {
            return false;
        }
        let (look_up, done, name) = (self.look_up.clone(), done.clone(), name.to_owned());
        let started = std::thread::Builder::new().name("look-up".into()).spawn(move || {
            let found = look_up(&name);
            // Nobody listens any more when the box stops.
            let _ = done.send((name, found));
        });
        self.running += usize::from(started.is_ok());
        started.is_ok()
    }

    fn finish(&mut self, name: &str, mut found: Vec<IpAddr>, answer: &mut impl FnMut(u64, Vec<IpAddr>)) {
        self.running -= 1;
        found.truncate(ADDRESSES);
        if found.is_empty() {
            found = self.last_good(name);
            tracing::warn!(
                name,
                kept = found.len(),
                "the name service knows no address; using the last good ones"
            );
        } else {
            if self.kept.len() >= NAMES && !self.kept.contains_key(name) {
                self.kept.clear();
            }
            self.kept.insert(name.to_owned(), (found.clone(), Instant::now()));
        }
        let (answered, open) = std::mem::take(&mut self.open).into_iter().partition(|(q, _)| q.name == name);
        self.open = open;
        for (question, _) in answered {
            answer(question.id, found.clone());
        }
    }

    fn give_up(&mut self, answer: &mut impl FnMut(u64, Vec<IpAddr>)) {
        let now = Instant::now();
        let (late, open) = std::mem::take(&mut self.open).into_iter().partition(|(_, until)| *until <= now);
        self.open = open;
        for (question, _) in late {
            tracing::warn!(
                name = question.name,
                "the name service does not answer; using the last good address"
            );
            answer(question.id, self.last_good(&question.name));
        }
    }

    fn last_good(&self, name: &str) -> Vec<IpAddr> {
        self.kept
            .get(name)
            .filter(|(_, at)| at.elapsed() < KEPT)
            .map(|(found, _)| found.clone())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Runs the loop over these names one after the other and gives the answers in order.
    fn answers(look_up: LookUp, names: &[&str]) -> Vec<(u64, Vec<IpAddr>)> {
        let (resolver, looping) = Resolver::new(16, look_up);
        let (tx, rx) = channel();
        let thread = std::thread::spawn(move || {
            looping.run(&AtomicU64::new(0), |id, found| tx.send((id, found)).unwrap());
        });
        let mut all = Vec::new();
        for (id, name) in (0..).zip(names) {
            assert!(resolver.ask(id, (*name).to_owned()));
            all.push(rx.recv_timeout(Duration::from_secs(20)).unwrap());
        }
        drop(resolver);
        thread.join().unwrap();
        all
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_need_no_name_service() {
        let never: LookUp = Arc::new(|name| panic!("{name} was looked up"));
        assert_eq!(
            answers(never, &["192.0.2.7", "[2001:db8::1]"]),
            [(0, vec![ip("192.0.2.7")]), (1, vec![ip("2001:db8::1")])]
        );
    }

    #[test]
    fn a_name_that_fails_later_keeps_its_last_good_address() {
        let script = Mutex::new(vec![vec![], vec![ip("192.0.2.1")]]);
        let once: LookUp = Arc::new(move |_| script.lock().unwrap().pop().unwrap_or_default());
        let got = answers(once, &["carrier.example", "carrier.example", "other.example"]);
        assert_eq!(got, [(0, vec![ip("192.0.2.1")]), (1, vec![ip("192.0.2.1")]), (2, vec![])]);
    }

    #[test]
    fn a_tar_pit_is_answered_for_in_time_and_does_not_hold_up_others() {
        let (hold, held) = channel::<()>();
        let held = Mutex::new(held);
        let pit: LookUp = Arc::new(move |name| {
            if name == "pit.example" {
                // Until the test is over.
                let _ = held.lock().unwrap().recv();
            }
            vec![ip("192.0.2.9")]
        });
        let (resolver, mut looping) = Resolver::new(16, pit);
        looping.patience = Duration::from_millis(50);
        let (tx, rx) = channel();
        let thread = std::thread::spawn(move || {
            looping.run(&AtomicU64::new(0), |id, found| tx.send((id, found)).unwrap());
        });
        assert!(resolver.ask(1, "pit.example".into()));
        assert_eq!(rx.recv_timeout(Duration::from_secs(20)).unwrap(), (1, vec![]));
        assert!(resolver.ask(2, "good.example".into()));
        assert_eq!(rx.recv_timeout(Duration::from_secs(20)).unwrap(), (2, vec![ip("192.0.2.9")]));
        drop(hold);
        drop(resolver);
        thread.join().unwrap();
    }

    #[test]
    fn the_hosts_file_is_read() {
        assert!(system()("localhost").iter().any(IpAddr::is_loopback));
    }
}
