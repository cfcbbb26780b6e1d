//! Connections to applications that lead calls: a WebSocket for each such call, opened by the box, on one thread of their
//! own, so that one that hangs holds up nobody. Each is watched for signs of life and limited in what it may send. Carries
//! words; what they mean is decided by the engine, which keeps the time of turns.
use crate::intake::Events;
use crate::{role, wire};
use engine::event::Event;
use futures_util::{SinkExt, StreamExt};
use model::application::{Connection, MESSAGE_MAX, Verb, Word};
use model::ask::Answer;
use model::id::CallId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::{self, Bytes, Message, protocol::WebSocketConfig};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// Words that wait until an application takes them: more than the verbs it may have asked for.
const WORDS: usize = 32;
/// Messages of one application in a second: nobody hears that many things.
const MESSAGES_PER_S: u32 = 50;
/// Looks for a sign of life within the time-out; one that misses all but one of them is lost.
const LOOKS: u32 = 4;
/// How long a last word may take.
const LAST_WORD: Duration = Duration::from_secs(1);
/// Longest that one call may be led by one connection: longer than any call may be.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Threads that look up names.
const BLOCKING: usize = 4;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Open = Arc<Mutex<BTreeMap<CallId, (u32, mpsc::Sender<Word>)>>>;

/// Who connects.
#[derive(Clone)]
pub struct Applications {
    open: Open,
    events: Events,
    tasks: Handle,
}

impl Applications {
    /// Starts the thread; nobody is connected yet.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(events: Events) -> std::io::Result<Applications> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(BLOCKING)
            .build()?;
        let tasks = runtime.handle().clone();
        role::spawn("applications", move || runtime.block_on(std::future::pending()))?;
        Ok(Applications { open: Open::default(), events, tasks })
    }

    /// Carries a word. An answer at once: the connection is not there, or too many are.
    #[must_use]
    pub fn carry(&self, call: CallId, number: u32, wanted: Connection) -> Option<Event> {
        let failed = |why: &str| Some(Event::Answered { call, number, answer: Answer::Failed(why.into()) });
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match wanted {
            Connection::Open { url, timeout_ms, language, fields } => {
                if open.len() >= wire::APPLICATIONS.length {
                    wire::APPLICATIONS.lost();
                    return failed("too many applications at once");
                }
                let (to, words) = mpsc::channel(WORDS);
                // The channel is new: there is room.
                let _ = to.try_send(Word::call(call, language, &fields));
                open.insert(call, (number, to));
                let (patience, here) = (Duration::from_millis(timeout_ms.into()), self.clone());
                self.tasks.spawn(async move { here.lead(call, number, &url, patience, words).await });
                None
            }
            Connection::Tell(word) => {
                let told = open.get(&call).filter(|(of, _)| *of == number);
                match told.map(|(_, to)| to.try_send(word)) {
                    Some(Ok(())) => None,
                    Some(Err(_)) | None => failed("the connection is lost"),
                }
            }
            Connection::Close(word) => {
                if open.get(&call).is_some_and(|(of, _)| *of == number)
                    && let Some((_, to)) = open.remove(&call)
                {
                    // Full: it does not read anyway.
                    let _ = to.try_send(word);
                }
                None
            }
        }
    }

    async fn lead(
        self,
        call: CallId,
        number: u32,
        url: &str,
        patience: Duration,
        words: mpsc::Receiver<Word>,
    ) {
        // Waits for room when the engine is far behind: then no application gets an answer anyway.
        let tell = |answer| self.events.push(Event::Answered { call, number, answer });
        let ended = timeout(LONGEST, talk(url, patience, words, &tell)).await;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.get(&call).is_some_and(|(of, _)| *of == number) {
            open.remove(&call);
        }
        drop(open);
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(why)) => tell(Answer::Failed(why)),
            Err(_) => tell(Answer::Failed("led for too long".to_owned())),
        }
    }
}

/// One connection, to its end. Ends well only when the box closes it.
async fn talk(
    url: &str,
    patience: Duration,
    words: mpsc::Receiver<Word>,
    tell: &(dyn Fn(Answer) + Sync),
) -> Result<(), String> {
    let limits = WebSocketConfig::default()
        .read_buffer_size(MESSAGE_MAX)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * MESSAGE_MAX)
        .max_message_size(Some(MESSAGE_MAX))
        .max_frame_size(Some(MESSAGE_MAX));
    let connected = timeout(patience, connect_async_with_config(url, Some(limits), true)).await;
    let (mut socket, _) = connected.map_err(|_| "nobody there in time".to_owned())?.map_err(|e| brief(&e))?;
    let ended = converse(&mut socket, patience, words, tell).await;
    if let Err(why) = &ended {
        let _ = timeout(LAST_WORD, socket.send(Message::text(Word::failed(why).write()))).await;
    }
    let _ = timeout(LAST_WORD, socket.close(None)).await;
    ended
}

async fn converse(
    socket: &mut Socket,
    patience: Duration,
    mut words: mpsc::Receiver<Word>,
    tell: &(dyn Fn(Answer) + Sync),
) -> Result<(), String> {
    let mut look = interval(patience / LOOKS);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut silent = 0;
    let mut pace = Pace::default();
    loop {
        tokio::select! {
            word = words.recv() => {
                let Some(word) = word else { return Ok(()) };
                send(socket, Message::text(word.write()), patience).await?;
            }
            message = socket.next() => {
                silent = 0;
                if let Some(text) = text(message)? {
                    pace.one_more(Instant::now())?;
                    tell(Answer::Verb(Box::new(Verb::read(&text)?)));
                }
            }
            _ = look.tick() => {
                silent += 1;
                if silent >= LOOKS {
                    return Err("no sign of life".to_owned());
                }
                send(socket, Message::Ping(Bytes::new()), patience).await?;
            }
        }
    }
}

async fn send(socket: &mut Socket, message: Message, patience: Duration) -> Result<(), String> {
    match timeout(patience, socket.send(message)).await {
        Ok(sent) => sent.map_err(|error| lost(&error)),
        Err(_) => Err("it takes no more words".to_owned()),
    }
}

/// The text of a message, if it is one for us.
fn text(message: Option<tungstenite::Result<Message>>) -> Result<Option<String>, String> {
    let closed = || "it closed the connection".to_owned();
    match message.ok_or_else(closed)?.map_err(|error| lost(&error))? {
        Message::Text(text) => Ok(Some(text.as_str().to_owned())),
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(None),
        Message::Binary(_) => Err("a message that is no text".to_owned()),
        Message::Close(_) => Err(closed()),
    }
}

/// Why there is no connection.
fn brief(error: &tungstenite::Error) -> String {
    if let tungstenite::Error::Http(response) = error {
        format!("it answered {}", response.status().as_u16())
    } else {
        error.to_string()
    }
}

/// Why there is one no longer.
fn lost(error: &tungstenite::Error) -> String {
    if matches!(error, tungstenite::Error::Capacity(_)) {
        "a message that is too long".to_owned()
    } else {
        tracing::debug!(%error, "the connection to an application is lost");
        "the connection is lost".to_owned()
    }
}

/// Messages of the second that runs.
struct Pace {
    since: Instant,
    count: u32,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { since: Instant::now(), count: 0 }
    }
}

impl Pace {
    fn one_more(&mut self, now: Instant) -> Result<(), String> {
        if now.duration_since(self.since) >= Duration::from_secs(1) {
            *self = Pace { since: now, count: 0 };
        }
        self.count += 1;
        if self.count > MESSAGES_PER_S { Err("too many messages".to_owned()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::{self, Intake};
    use model::application::{End, Why};
    use model::media::Language;
    use std::net::{SocketAddr, TcpListener};
    use tokio_tungstenite::tungstenite::accept;

    /// A loaded machine takes its time.
    const LONG: Duration = Duration::from_secs(60);
    const CALL: CallId = CallId(7);

    type Peer = tungstenite::WebSocket<std::net::TcpStream>;
    type Act = fn(&mut Peer);

    fn box_side() -> (Applications, Intake) {
        let (events, intake) = intake::open().unwrap();
        (Applications::start(events).unwrap(), intake)
    }

    /// An application that does this with the connection of the box.
    fn application(act: impl FnOnce(Peer) + Send + 'static) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || act(accept(listener.accept().unwrap().0).unwrap()));
        address
    }

    fn open(to: SocketAddr, timeout_ms: u32) -> Connection {
        let fields = BTreeMap::from([("caller".to_owned(), "+4930".to_owned())]);
        Connection::Open { url: format!("ws://{to}/"), timeout_ms, language: Language::En, fields }
    }

    fn answer(intake: &mut Intake) -> (u32, Answer) {
        let end = Instant::now() + LONG;
        while Instant::now() < end {
            if let Ok(Some((_, Event::Answered { call: CALL, number, answer }))) =
                intake.next(Duration::from_millis(50))
            {
                return (number, answer);
            }
        }
        panic!("no answer in time");
    }

    fn failure(intake: &mut Intake) -> String {
        match answer(intake) {
            (1, Answer::Failed(why)) => why,
            other => panic!("{other:?} is no failure"),
        }
    }

    fn said(peer: &mut Peer) -> String {
        loop {
            if let Message::Text(text) = peer.read().unwrap() {
                return text.as_str().to_owned();
            }
        }
    }

    #[test]
    fn words_go_there_and_verbs_come_back_until_the_box_closes() {
        let (box_side, mut intake) = box_side();
        let (done, finished) = std::sync::mpsc::channel();
        let to = application(move |mut peer| {
            let first = said(&mut peer);
            peer.send(Message::text(r#"{"verb":"play","say":["welcome"]}"#)).unwrap();
            let second = said(&mut peer);
            let last = said(&mut peer);
            let closed = matches!(peer.read(), Ok(Message::Close(_)) | Err(_));
            done.send((first, second, last, closed)).unwrap();
        });
        assert!(box_side.carry(CALL, 1, open(to, 60_000)).is_none());
        assert!(matches!(answer(&mut intake), (1, Answer::Verb(verb)) if verb.name() == "play"));
        assert!(box_side.carry(CALL, 1, Connection::Tell(Word::Played { end: End::Heard })).is_none());
        let over = Word::Over { why: Why::Left, detail: "queue".into() };
        assert!(box_side.carry(CALL, 1, Connection::Close(over)).is_none());
        let (first, second, last, closed) = finished.recv_timeout(LONG).unwrap();
        assert!(first.contains(r#""event":"call","version":1,"call":7,"caller":"+4930""#), "{first}");
        assert_eq!(second, r#"{"event":"played","end":"heard"}"#);
        assert_eq!(last, r#"{"event":"over","why":"left","detail":"queue"}"#);
        assert!(closed);
        let late = box_side.carry(CALL, 1, Connection::Tell(Word::Played { end: End::Heard }));
        assert!(matches!(late, Some(Event::Answered { answer: Answer::Failed(_), .. })), "nobody is there");
    }

    #[test]
    fn an_application_that_goes_or_says_nonsense_is_told_of_at_once() {
        let table: [(&str, Act); 5] = [
            ("lost", |peer| drop(peer.get_mut().shutdown(std::net::Shutdown::Both))),
            ("closed", |peer| peer.close(None).unwrap()),
            ("unknown variant `sing`", |peer| peer.send(Message::text(r#"{"verb":"sing"}"#)).unwrap()),
            ("no text", |peer| peer.send(Message::binary(vec![1, 2])).unwrap()),
            ("too long", |peer| peer.send(Message::text("x".repeat(MESSAGE_MAX + 1))).unwrap()),
        ];
        for (words, act) in table {
            let (box_side, mut intake) = box_side();
            let to = application(move |mut peer| {
                said(&mut peer);
                act(&mut peer);
                // Until the box is done with it.
                while peer.read().is_ok() {}
            });
            assert!(box_side.carry(CALL, 1, open(to, 60_000)).is_none());
            let why = failure(&mut intake);
            assert!(why.contains(words), "{words}: {why}");
        }
    }

    #[test]
    fn a_flood_of_verbs_ends_the_connection() {
        let (box_side, mut intake) = box_side();
        let to = application(|mut peer| while peer.send(Message::text(r#"{"verb":"stop"}"#)).is_ok() {});
        assert!(box_side.carry(CALL, 1, open(to, 60_000)).is_none());
        let mut verbs = 0;
        let why = loop {
            match answer(&mut intake) {
                (1, Answer::Failed(why)) => break why,
                (_, Answer::Verb(_)) => verbs += 1,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(why, "too many messages");
        assert!(verbs >= MESSAGES_PER_S, "{verbs} were taken");
    }

    #[test]
    fn who_is_not_there_or_never_reads_is_given_up_in_its_time() {
        let (box_side, mut intake) = box_side();
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(box_side.carry(CALL, 1, open(nobody, 60_000)).is_none());
        assert!(failure(&mut intake).contains("refused"), "nobody listens there");
        // Takes the connection and says nothing: no WebSocket.
        let mute = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(box_side.carry(CALL, 1, open(mute.local_addr().unwrap(), 500)).is_none());
        assert_eq!(failure(&mut intake), "nobody there in time");
        // A WebSocket that never reads, so that it answers no ping.
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let to = application(move |peer| drop((stopped.recv(), peer)));
        assert!(box_side.carry(CALL, 1, open(to, 6_000)).is_none());
        assert_eq!(failure(&mut intake), "no sign of life");
        drop(stop);
    }

    #[test]
    fn more_connections_than_there_may_be_are_refused_at_once() {
        let (box_side, _intake) = box_side();
        let mute = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = mute.local_addr().unwrap();
        let most = u64::try_from(wire::APPLICATIONS.length).unwrap();
        for call in 0..most {
            assert!(box_side.carry(CallId(call), 1, open(to, 60_000)).is_none());
        }
        let refused = box_side.carry(CallId(most), 1, open(to, 60_000));
        assert!(matches!(refused, Some(Event::Answered { answer: Answer::Failed(_), .. })));
        let over = Word::Over { why: Why::HungUp, detail: String::new() };
        assert!(box_side.carry(CallId(0), 1, Connection::Close(over)).is_none());
        assert!(box_side.carry(CallId(most), 1, open(to, 60_000)).is_none(), "a place is free again");
    }
}
