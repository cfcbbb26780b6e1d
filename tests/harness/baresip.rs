//! baresip: a real softphone, driven over its JSON control port. It talks a tone and keeps what it hears as WAV.
use super::process::{Process, until};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// From one key to the next; the phone sends a key for 100 ms or so.
const KEY: Duration = Duration::from_millis(250);

/// A running phone.
pub struct Phone {
    /// The process; kept so that it ends with the test.
    pub process: Process,
    control: TcpStream,
    events: Arc<Mutex<Vec<Value>>>,
    folder: PathBuf,
}

/// How a phone is set up.
pub struct Account<'a> {
    /// Its SIP port at 127.0.0.1 (baresip sends sound from there whatever it is bound to); control is two above (TLS is between),
    /// sound 10 to 59 above.
    pub port: u16,
    /// The box.
    pub registrar: Ipv4Addr,
    /// Extension.
    pub user: &'a str,
    /// SIP password.
    pub password: &'a str,
    /// The tone it talks, Hz.
    pub hz: u16,
    /// Picks up by itself.
    pub answers: bool,
    /// Has a message lamp.
    pub lamp: bool,
}

impl Phone {
    /// Starts the phone and waits until its control port answers.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(account: &Account<'_>, folder: &Path) -> Phone {
        let home = folder.join(format!("phone-{}", account.user));
        std::fs::create_dir_all(&home).expect("the test folder is writable");
        std::fs::write(home.join("config"), config(account, &home)).expect("the test folder is writable");
        std::fs::write(home.join("accounts"), line(account, &home)).expect("the test folder is writable");
        std::fs::write(home.join("contacts"), "").expect("the test folder is writable");
        std::fs::write(home.join("voice.wav"), voice(account.hz, 60)).expect("the test folder is writable");
        let name = format!("baresip-{}", account.user);
        let process = Process::start(&name, Command::new("baresip").arg("-f").arg(&home), folder);
        let address = (Ipv4Addr::LOCALHOST, account.port + 2);
        let control = until("baresip's control port answers", Duration::from_secs(15), || {
            TcpStream::connect(address).ok()
        });
        let events = Arc::new(Mutex::new(Vec::new()));
        let reader = control.try_clone().expect("a socket can be copied");
        std::thread::spawn({
            let events = events.clone();
            move || listen(reader, &events)
        });
        Phone { process, control, events, folder: home }
    }

    /// Gives a command as typed at its prompt, e.g. `dial` with `sip:102@box`.
    ///
    /// # Panics
    /// When the phone is gone.
    pub fn command(&mut self, command: &str, parameters: &str) {
        let text =
            serde_json::json!({ "command": command, "params": parameters, "token": command }).to_string();
        let frame = format!("{}:{text},", text.len());
        self.control.write_all(frame.as_bytes()).expect("the phone runs");
    }

    /// Waits until it is registered. Read from its output: the event may come before anybody listens for it.
    ///
    /// # Panics
    /// When it is not in time; the message shows its output.
    pub fn wait_registered(&self, limit: Duration) {
        let what = format!(
            "phone in {} is registered; its output: {}",
            self.folder.display(),
            self.process.output()
        );
        until(&what, limit, || self.process.output().contains("200 OK () [").then_some(()));
    }

    /// Waits for an event whose text holds all the words, e.g. `["CALL_ESTABLISHED"]`.
    ///
    /// # Panics
    /// When it does not come in time; the message shows what did.
    pub fn wait_for(&self, words: &[&str], limit: Duration) {
        let what = format!(
            "phone in {} tells {words:?}; its output: {}",
            self.folder.display(),
            self.process.output()
        );
        until(&what, limit, || self.told(words).then_some(()));
    }

    /// Whether such an event has come.
    ///
    /// # Panics
    /// Never in a test that has not panicked already.
    #[must_use]
    pub fn told(&self, words: &[&str]) -> bool {
        self.times(words) > 0
    }

    /// How often such an event has come.
    ///
    /// # Panics
    /// Never in a test that has not panicked already.
    #[must_use]
    pub fn times(&self, words: &[&str]) -> usize {
        let events = self.events.lock().expect("the listening thread does not panic");
        let fits = |event: &&Value| {
            let text = event.to_string();
            words.iter().all(|word| text.contains(word))
        };
        events.iter().filter(fits).count()
    }

    /// Presses keys in the call that stands, one after the other as fingers do.
    ///
    /// # Panics
    /// When the phone is gone.
    pub fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            self.command("sndcode", &key.to_string());
            std::thread::sleep(KEY);
        }
    }

    /// The sound it heard in its calls so far: 16-bit samples at 8 kHz of every decoder dump, joined.
    #[must_use]
    pub fn heard(&self) -> Vec<i16> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.path())
            .filter(|p| p.to_string_lossy().ends_with("-dec.wav"))
            .collect();
        files.sort();
        files.iter().filter_map(|p| std::fs::read(p).ok()).flat_map(|bytes| samples(&bytes)).collect()
    }
}

fn samples(wav: &[u8]) -> Vec<i16> {
    let body = wav.get(44..).unwrap_or_default();
    body.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect()
}

fn listen(mut stream: TcpStream, events: &Mutex<Vec<Value>>) {
    let mut pending = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = stream.read(&mut buffer) {
        pending.extend_from_slice(&buffer[..n]);
        while let Some(colon) = pending.iter().position(|&b| b == b':') {
            let Ok(length) = String::from_utf8_lossy(&pending[..colon]).parse::<usize>() else { return };
            if pending.len() < colon + length + 2 {
                break;
            }
            let frame: Vec<u8> = pending.drain(..colon + length + 2).collect();
            if let Ok(value) = serde_json::from_slice(&frame[colon + 1..=colon + length]) {
                events.lock().expect("the test thread only reads").push(value);
            }
        }
    }
}

/// So many seconds of tone as 16-bit WAV at 8 kHz.
#[must_use]
pub fn voice(hz: u16, seconds: u32) -> Vec<u8> {
    let samples = seconds * 8000;
    let mut out = Vec::from(*b"RIFF");
    out.extend((36 + samples * 2).to_le_bytes());
    out.extend(*b"WAVEfmt ");
    out.extend(16_u32.to_le_bytes());
    out.extend([1, 0, 1, 0]);
    out.extend(8000_u32.to_le_bytes());
    out.extend(16000_u32.to_le_bytes());
    out.extend([2, 0, 16, 0]);
    out.extend(*b"data");
    out.extend((samples * 2).to_le_bytes());
    let mut phase = 0_f32;
    for _ in 0..samples {
        phase = (phase + f32::from(hz) / 8000.0) % 1.0;
        out.extend(super::tone::sample((phase * std::f32::consts::TAU).sin() * 8000.0).to_le_bytes());
    }
    out
}

fn line(account: &Account<'_>, home: &Path) -> String {
    let Account { registrar, user, password, answers, .. } = account;
    let answer = if *answers { "auto" } else { "manual" };
    let lamp = if account.lamp { "yes" } else { "no" };
    format!(
        "<sip:{user}@{registrar}>;auth_user={user};auth_pass={password};answermode={answer};regint=60;mwi={lamp};\
         audio_codecs=PCMU;audio_source=aufile,{}/voice.wav\n",
        home.display()
    )
}

/// `mwi.so` comes first: 1 ms after its start it walks through the subscriptions it has and adds one for each, without
/// end when a fast registrar has let it make one by then.
fn config(account: &Account<'_>, home: &Path) -> String {
    let folder = home.display();
    let (sip, control, low, high) = (account.port, account.port + 2, account.port + 10, account.port + 59);
    format!(
        "sip_listen 127.0.0.1:{sip}\nsip_trans_def udp\ncall_local_timeout 120\ncall_max_calls 4\n\
         audio_player aufile,{folder}/play.wav\naudio_source aufile,{folder}/voice.wav\n\
         ausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\n\
         rtp_ports {low}-{high}\nnet_interface 127.0.0.1\n\
         module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aufile.so\nmodule sndfile.so\n\
         module_app mwi.so\nmodule_app account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
         snd_path {folder}\nctrl_tcp_listen 127.0.0.1:{control}\n"
    )
}
