//! Has recognisers of speech hear what callers say to menus: one utterance over one WebSocket, on a thread of its own while
//! the menu waits. Belongs to the media role, where the sound is. Decides nothing: a recogniser that is away, hangs or talks
//! nonsense is told as failed, and the menu goes on by keys.
//!
//! The words are those of the Vosk server (github.com/alphacep/vosk-server), which therefore serves as it is; any other
//! recogniser needs these few lines of adapter:
//!
//! 1. We connect when the menu begins and send the text `{"config": {"sample_rate": 8000, "words": true, "language": "en",
//!    "phrase_list": ["sales", …, "[unk]"]}}`. `language` is `en` or `zh`; the phrases are the words of the menu's keys.
//! 2. Once the caller speaks we send binary messages: linear sound of 16 bits, little-endian, 8,000 samples a second, one
//!    channel, 20 to 400 ms each, as it is spoken and from a moment before the first syllable on.
//! 3. It may send `{"partial": "…"}` at any time. The first that is not empty stops the prompt.
//! 4. Once the caller is quiet for 0.7 s (or has spoken for 8 s) we send the text `{"eof" : 1}`.
//! 5. It answers within `answer_ms`, or earlier: `{"text": "…"}`, with the words that it understood or an empty text.
//!    Beside it, if it knows: `"confidence"` from 0 to 1 (or `"result"`, a list of words with a `"conf"` each, whose mean
//!    counts), and `"intent"`, the name of what the caller wants.
//! 6. We close. Who never speaks is never sent: no sound leaves, and the connection is closed when the menu is left.
use crate::wire;
use media::codec::ulaw_to_linear;
use media::out::EarSaid;
use model::media::Language;
use model::speech::{Hearing, SAID_MAX, Said};
use net::media_loop::{EarFeed, EarPiece, Recognisers};
use serde_json::{Value, json};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::HandshakeError;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Error, Message, WebSocket};

/// How often it is looked whether the recogniser has said something.
const LOOK: Duration = Duration::from_millis(25);
/// So much before the call itself gives up, it is told that a recogniser hangs: a person then hears of it.
const SOONER: Duration = Duration::from_millis(50);
/// The same while the connection is made.
const LOOK_SOON: Duration = Duration::from_millis(5);
/// Longest message of a recogniser, bytes: a sentence, word by word.
const MESSAGE_MAX: usize = 64 * 1024;
/// Sound that a recogniser may leave unread, bytes: more than the longest utterance, so this only bounds what is wrong.
const UNREAD_MAX: usize = 256 * 1024;
/// What ends an utterance, to the letter: the Vosk server compares the text.
const END: &str = "{\"eof\" : 1}";

type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

/// Recognisers behind WebSockets, a limited number of utterances at once.
#[derive(Default)]
pub struct WebSockets {
    running: Arc<AtomicUsize>,
}

/// One of the utterances at once; given back when it ends, whatever happens.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Recognisers for WebSockets {
    fn start(&mut self, hearing: Hearing, sound: Receiver<EarPiece>, tell: EarFeed) -> Result<(), String> {
        let place = Place(self.running.clone());
        if self.running.fetch_add(1, Ordering::Relaxed) >= wire::HEARINGS.length {
            wire::HEARINGS.lost();
            return Err("too many callers speak to menus at once".to_owned());
        }
        let listen = move || {
            let _place = place;
            if let Err(why) = listen(&hearing, &sound, &tell) {
                tell(EarSaid::Failed(why));
            }
        };
        std::thread::Builder::new()
            .name("hearing".into())
            .spawn(listen)
            .map(drop)
            .map_err(|_| "no thread for it".to_owned())
    }
}

/// One utterance, from the first word with the recogniser to the last.
fn listen(hearing: &Hearing, sound: &Receiver<EarPiece>, tell: &EarFeed) -> Result<(), String> {
    let patience = Duration::from_millis(hearing.answer_ms.into());
    let mut socket = connect(&hearing.service, patience)?;
    send(&mut socket, Message::text(config(hearing)))?;
    tell(EarSaid::Ready);
    let mut ended: Option<Instant> = None;
    let mut words = false;
    loop {
        match sound.recv_timeout(LOOK) {
            Ok(EarPiece::Sound(ulaw)) => send(&mut socket, Message::binary(linear(&ulaw)))?,
            Ok(EarPiece::End) => {
                ended = Some(Instant::now());
                send(&mut socket, Message::text(END))?;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                // Nobody wants to know any more; a recogniser that does not take a good-bye gets none.
                drop(socket.close(None));
                return Ok(());
            }
        }
        while let Some(text) = receive(&mut socket)? {
            match understood(&text, ended.is_some())? {
                Understood::Nothing => {}
                Understood::Words if words => {}
                Understood::Words => {
                    words = true;
                    tell(EarSaid::Words);
                }
                Understood::All(said) => {
                    tell(EarSaid::Said(said));
                    drop(socket.close(None));
                    return Ok(());
                }
            }
        }
        if ended.is_some_and(|at| at.elapsed() >= patience.saturating_sub(SOONER)) {
            return Err("no answer in time".to_owned());
        }
    }
}

/// Connects within this time. The socket never blocks afterwards.
fn connect(service: &str, patience: Duration) -> Result<Socket, String> {
    let until = Instant::now() + patience;
    let request = service.into_client_request().map_err(|error| error.to_string())?;
    let uri = request.uri();
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("wss") { 443 } else { 80 });
    let addresses =
        (host.as_str(), port).to_socket_addrs().map_err(|_| format!("the name {host} is not known"))?;
    let refused = |error: std::io::Error| format!("no connection with {host}: {error}");
    let mut stream = Err(format!("the name {host} has no address"));
    for address in addresses {
        let left = until.saturating_duration_since(Instant::now()).max(LOOK_SOON);
        stream = TcpStream::connect_timeout(&address, left).map_err(refused);
        if stream.is_ok() {
            break;
        }
    }
    let stream = stream?;
    stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true)).map_err(refused)?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_MAX))
        .max_frame_size(Some(MESSAGE_MAX))
        .write_buffer_size(0)
        .max_write_buffer_size(UNREAD_MAX);
    let mut shaking = tungstenite::client_tls_with_config(request, stream, Some(config), None);
    loop {
        match shaking {
            Ok((socket, _)) => return Ok(socket),
            Err(HandshakeError::Failure(error)) => return Err(brief(&error)),
            Err(HandshakeError::Interrupted(_)) if Instant::now() >= until => {
                return Err(format!("{host} does not answer as a WebSocket"));
            }
            Err(HandshakeError::Interrupted(half)) => {
                std::thread::sleep(LOOK_SOON);
                shaking = half.handshake();
            }
        }
    }
}

fn config(hearing: &Hearing) -> String {
    let unknown = "[unk]".to_owned();
    let phrases: Vec<&String> = hearing.phrases.iter().chain([&unknown]).collect();
    let language = match hearing.language {
        Language::En => "en",
        Language::Zh => "zh",
    };
    let all = json!({ "sample_rate": 8000, "words": true, "language": language, "phrase_list": phrases });
    json!({ "config": all }).to_string()
}

fn linear(ulaw: &[u8]) -> Vec<u8> {
    ulaw.iter().flat_map(|&code| ulaw_to_linear(code).to_le_bytes()).collect()
}

/// What does not leave at once leaves with the next one.
fn send(socket: &mut Socket, message: Message) -> Result<(), String> {
    match socket.send(message) {
        Err(error) if !waits(&error) => Err(brief(&error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The next text, if there is one.
fn receive(socket: &mut Socket) -> Result<Option<String>, String> {
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => return Ok(Some(text.as_str().to_owned())),
            Ok(Message::Close(_)) => return Err("it hung up without an answer".to_owned()),
            Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
            Err(error) if waits(&error) => return Ok(None),
            Err(error) => return Err(brief(&error)),
        }
    }
}

fn waits(error: &Error) -> bool {
    matches!(error, Error::Io(why) if why.kind() == std::io::ErrorKind::WouldBlock)
}

fn brief(error: &Error) -> String {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => "it hung up without an answer".to_owned(),
        Error::Http(answer) => format!("it answered {} to the WebSocket", answer.status().as_u16()),
        Error::Capacity(_) => "its message is too long".to_owned(),
        Error::WriteBufferFull(_) => "it does not take the sound in time".to_owned(),
        Error::Io(_)
        | Error::Tls(_)
        | Error::Protocol(_)
        | Error::Utf8(_)
        | Error::AttackAttempt
        | Error::Url(_)
        | Error::HttpFormat(_) => error.to_string(),
    }
}

/// What a message says.
#[derive(Debug, PartialEq)]
enum Understood {
    Nothing,
    Words,
    All(Said),
}

/// Reads a message. An empty text before the end is a pause, not an answer.
fn understood(text: &str, ended: bool) -> Result<Understood, String> {
    let wrong = || "what it sends is no JSON object".to_owned();
    let message: Value = serde_json::from_str(text).map_err(|_| wrong())?;
    if !message.is_object() {
        return Err(wrong());
    }
    let said = Said {
        text: tidy(&message["text"]),
        intent: tidy(&message["intent"]),
        certainty_permille: certainty(&message),
    };
    let empty = said.text.is_empty() && said.intent.is_empty();
    let answers = message["text"].is_string() || !said.intent.is_empty();
    Ok(match answers {
        true if !empty || ended => Understood::All(said),
        true => Understood::Nothing,
        false if tidy(&message["partial"]).is_empty() => Understood::Nothing,
        false => Understood::Words,
    })
}

/// A text without control characters and what stands for unknown words, cut to what is kept.
fn tidy(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default().replace("[unk]", " ");
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words: Vec<&str> = words.into_iter().filter(|w| !w.is_empty()).collect();
    words.join(" ").chars().take(SAID_MAX).collect()
}

fn certainty(message: &Value) -> Option<u16> {
    let of_words = || {
        let words = message["result"].as_array().filter(|all| !all.is_empty())?;
        let sum: f64 = words.iter().filter_map(|w| w["conf"].as_f64()).sum();
        let count = u32::try_from(words.len()).ok()?;
        Some(sum / f64::from(count))
    };
    let share = message["confidence"].as_f64().or_else(of_words)?;
    // Thousandths by search: a number that is no share is the nearest one.
    (0..=1000_u16).find(|permille| f64::from(*permille) + 0.5 > share * 1000.0).or(Some(1000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};

    /// Longest wait; only reached when a test fails.
    const LONG: Duration = Duration::from_secs(30);

    struct Rig {
        sound: SyncSender<EarPiece>,
        told: Receiver<EarSaid>,
    }

    impl Rig {
        fn next(&self) -> EarSaid {
            self.told.recv_timeout(LONG).expect("the recogniser's thread says something")
        }

        fn failed(&self) -> String {
            loop {
                if let EarSaid::Failed(why) = self.next() {
                    return why;
                }
            }
        }
    }

    fn hear(service: String, answer_ms: u32) -> Rig {
        let (sound, pieces) = sync_channel(64);
        let (told_to, told): (Sender<EarSaid>, _) = channel();
        let hearing =
            Hearing { number: 1, service, language: Language::En, phrases: vec!["sales".into()], answer_ms };
        let tell: EarFeed = Box::new(move |said| drop(told_to.send(said)));
        WebSockets::default().start(hearing, pieces, tell).unwrap();
        Rig { sound, told }
    }

    /// A recogniser that serves one connection like this.
    fn recogniser(serve: impl FnOnce(WebSocket<TcpStream>) + Send + 'static) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            serve(tungstenite::accept(stream).unwrap());
        });
        format!("ws://{address}/en")
    }

    #[test]
    fn it_gets_the_words_and_the_sound_and_its_answer_is_told() {
        let (seen_by, seen) = channel();
        let service = recogniser(move |mut socket| {
            let config = socket.read().unwrap().into_text().unwrap();
            seen_by.send(config.as_str().to_owned()).unwrap();
            let mut samples = 0;
            loop {
                match socket.read() {
                    Ok(Message::Binary(sound)) => {
                        samples += sound.len() / 2;
                        socket.send(Message::text(r#"{"partial": ""}"#)).unwrap();
                        socket.send(Message::text(r#"{"partial": "sal"}"#)).unwrap();
                    }
                    Ok(Message::Text(text)) => {
                        seen_by.send(format!("{samples} {text}")).unwrap();
                        let words = r#"[{"word": "sales", "conf": 0.9}, {"word": "please", "conf": 0.8}]"#;
                        let answer = format!(r#"{{"result": {words}, "text": "sales please"}}"#);
                        socket.send(Message::text(answer)).unwrap();
                    }
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        });
        let rig = hear(service, 20_000);
        assert_eq!(rig.next(), EarSaid::Ready);
        rig.sound.send(EarPiece::Sound(vec![0x55; 480])).unwrap();
        rig.sound.send(EarPiece::Sound(vec![0x55; 160])).unwrap();
        assert_eq!(rig.next(), EarSaid::Words);
        rig.sound.send(EarPiece::End).unwrap();
        let said = Said { text: "sales please".into(), intent: String::new(), certainty_permille: Some(850) };
        assert_eq!(rig.next(), EarSaid::Said(said));
        let config: Value = serde_json::from_str(&seen.recv_timeout(LONG).unwrap()).unwrap();
        assert_eq!(config["config"]["phrase_list"], json!(["sales", "[unk]"]));
        assert_eq!(config["config"]["sample_rate"], 8000);
        assert_eq!(seen.recv_timeout(LONG).unwrap(), r#"640 {"eof" : 1}"#);
    }

    #[test]
    fn one_that_is_away_hangs_closes_or_talks_nonsense_fails_with_a_reason() {
        let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(hear(format!("ws://{unused}"), 1000).failed().contains("no connection"));

        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let why = hear(format!("ws://{}", silent.local_addr().unwrap()), 200).failed();
        assert!(why.contains("does not answer as a WebSocket"), "{why}");

        let hangs = hear(recogniser(|mut socket| while socket.read().is_ok() {}), 200);
        assert_eq!(hangs.next(), EarSaid::Ready);
        hangs.sound.send(EarPiece::End).unwrap();
        assert_eq!(hangs.failed(), "no answer in time");

        let closes = hear(recogniser(|mut socket| drop(socket.close(None))), 20_000);
        let why = closes.failed();
        assert!(why.contains("hung up"), "{why}");

        for nonsense in ["hello", "[1]", "{\"text\": "] {
            let service = recogniser(move |mut socket| {
                socket.send(Message::text(nonsense)).unwrap();
                while socket.read().is_ok() {}
            });
            assert!(hear(service, 20_000).failed().contains("no JSON object"), "{nonsense}");
        }
        let floods = recogniser(|mut socket| {
            drop(socket.send(Message::text("x".repeat(MESSAGE_MAX + 1))));
            while socket.read().is_ok() {}
        });
        assert_eq!(hear(floods, 20_000).failed(), "its message is too long");
    }

    #[test]
    fn nobody_asks_any_more_and_the_connection_ends() {
        let (over, ended) = channel();
        let rig = hear(
            recogniser(move |mut socket| {
                while socket.read().is_ok() {}
                over.send(()).unwrap();
            }),
            20_000,
        );
        assert_eq!(rig.next(), EarSaid::Ready);
        drop(rig.sound);
        ended.recv_timeout(LONG).expect("the recogniser sees the end");
    }

    #[test]
    fn only_so_many_at_once() {
        let mut all = WebSockets::default();
        all.running.store(wire::HEARINGS.length, Ordering::Relaxed);
        let hearing = Hearing {
            number: 1,
            service: "ws://127.0.0.1:9".into(),
            language: Language::En,
            phrases: vec![],
            answer_ms: 200,
        };
        let (_sender, pieces) = sync_channel(1);
        assert!(all.start(hearing, pieces, Box::new(drop)).unwrap_err().contains("too many"));
        assert_eq!(
            all.running.load(Ordering::Relaxed),
            wire::HEARINGS.length,
            "the refused one takes no place"
        );
    }

    #[test]
    fn messages_are_read_as_they_are_meant() {
        let said = |text: &str, intent: &str, certainty_permille| {
            Understood::All(Said { text: text.into(), intent: intent.into(), certainty_permille })
        };
        let table = [
            (r#"{"partial": ""}"#, false, Understood::Nothing),
            (r#"{"partial": "[unk]"}"#, false, Understood::Nothing),
            (r#"{"partial": "sa"}"#, true, Understood::Words),
            (r#"{"text": ""}"#, false, Understood::Nothing),
            (r#"{"text": ""}"#, true, said("", "", None)),
            (r#"{"text": "[unk]"}"#, true, said("", "", None)),
            (r#"{"text": "sales\n now", "confidence": 0.93}"#, false, said("sales now", "", Some(930))),
            (r#"{"intent": "buy", "confidence": 7}"#, true, said("", "buy", Some(1000))),
            (r#"{"text": "x", "confidence": -1}"#, true, said("x", "", Some(0))),
            (r#"{"more": 1}"#, true, Understood::Nothing),
        ];
        for (message, ended, expected) in table {
            assert_eq!(understood(message, ended).unwrap(), expected, "{message}");
        }
    }
}
