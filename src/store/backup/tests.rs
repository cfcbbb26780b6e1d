//! A backup gives back what was saved, on the same box and on a new one; what cannot be taken changes nothing; and a cut
//! at any step of a restore leaves the old site or the new one.
use super::*;
use crate::{Options, Store, offline};
use model::config::text;
use model::id::{CallId, MessageId, RecordingId, Ticket};
use model::number::Number;
use model::query::{HistoryQuery, Role, SessionRow};
use model::record::{CallRecord, Direction, MessageRecord, Outcome, Party, Record, RecordingRecord};
use std::collections::BTreeMap;
use std::sync::Arc;

const PHRASE: &str = "four words make sense";
const AT: Wall = Wall(1_700_000_000_000);

fn site(name: &str) -> String {
    format!(
        "[system]\nname = \"{name}\"\ncountry = \"DE\"\n[[extension]]\nnumber = \"101\"\n[extension.voicemail]\n\
         [audio.prompt.night]\nen = \"prompts/en/{name}.wav\"\n\
         [[flow]]\nname = \"f\"\nstart = \"bye\"\n[flow.step.bye]\nkind = \"hang_up\"\n\
         say = [\"file:sounds/{name}/bye.wav\"]\n"
    )
}

fn open(dir: &Path) -> Store {
    let options = Options { dir: dir.to_owned(), beat: Arc::default(), on_stored: Box::new(drop) };
    Store::open(options).unwrap().0
}

fn put(dir: &Path, path: &str, bytes: &[u8]) {
    let whole = dir.join(path);
    std::fs::create_dir_all(whole.parent().unwrap()).unwrap();
    std::fs::write(whole, bytes).unwrap();
}

fn call(id: u64) -> CallRecord {
    let party = |number: &str| Party { number: number.into(), name: String::new() };
    CallRecord {
        call: CallId(id),
        direction: Direction::Inbound,
        caller: party("+4930123456"),
        called: party("101"),
        trunk: None,
        queue: None,
        agent: None,
        answered_by: Some("101".into()),
        started: AT,
        answered: Some(AT),
        ended: Some(Wall(AT.0 + 60_000)),
        duration_ms: 60_000,
        talk_ms: 50_000,
        wait_ms: 0,
        outcome: Outcome::Answered,
        cause: "caller hung up".into(),
        score: None,
    }
}

/// A site with one of everything.
fn fill(dir: &Path, name: &str, sound: u8) {
    let store = open(dir);
    offline::apply(&store, "test", &site(name), "").unwrap();
    offline::user_set(&store, &name.to_lowercase(), Role::Admin, "hash").unwrap();
    let session =
        SessionRow { cookie_hash: "c".into(), user: "a".into(), csrf: "x".into(), created: AT, seen: AT };
    store.session_put(session).unwrap();
    let message = MessageRecord {
        message: MessageId(1),
        mailbox: Number::read("101").unwrap(),
        call: CallId(1),
        caller: call(1).caller,
        at: AT,
        ms: 5000,
        path: "voicemail/101/1.wav".into(),
        heard: false,
        mail_to: Some("anna@example.com".into()),
    };
    put(dir, "voicemail/101/1.wav", &vec![sound; 40_000]);
    put(dir, "greetings/101-1.wav", &vec![sound; 900]);
    put(dir, &format!("prompts/en/{name}.wav"), &[sound; 300]);
    put(dir, &format!("sounds/{name}/bye.wav"), &[sound; 200]);
    put(dir, "recordings/2023/1.wav", &vec![sound; 100_000]);
    let recording = RecordingRecord {
        recording: RecordingId(1),
        call: CallId(1),
        path: "recordings/2023/1.wav".into(),
        started: AT,
        left: "caller".into(),
        right: "101".into(),
    };
    let greeting =
        Record::Greeting { mailbox: Number::read("101").unwrap(), path: Some("greetings/101-1.wav".into()) };
    let records = [
        Record::CallEnded(call(1)),
        Record::Message(message),
        greeting,
        Record::Recording(recording),
        Record::RecordingEnded { recording: RecordingId(1), ms: 6000 },
    ];
    for record in records {
        store.keep(Ticket(1), record).unwrap();
    }
    store.flush().unwrap();
    store.close();
}

fn wanted(recordings: bool) -> Wanted {
    Wanted { recordings, version: "1.2.3".into(), pass_phrase: PHRASE.into() }
}

fn save(dir: &Path, recordings: bool) -> (PathBuf, Made) {
    let out = dir.join("saved.belfry");
    let _ = std::fs::remove_file(&out);
    let made = create(dir, &out, &wanted(recordings), AT).unwrap();
    (out, made)
}

/// What a person would find on the box.
#[derive(Debug, PartialEq)]
struct Seen {
    config: String,
    users: Vec<String>,
    sessions: usize,
    calls: Vec<CallRecord>,
    messages: Vec<(MessageRecord, Vec<u8>)>,
    greetings: BTreeMap<String, Vec<u8>>,
    recordings: Vec<(u64, Option<u32>, Vec<u8>)>,
    prompt: Vec<u8>,
    said: Vec<u8>,
}

fn look(dir: &Path) -> Seen {
    let store = open(dir);
    let read = |path: &str| std::fs::read(dir.join(path)).unwrap_or_default();
    let reader = store.reader();
    let recordings = reader.recording(RecordingId(1)).unwrap();
    let greetings = reader.with(|db| {
        let mut query = db.prepare("SELECT mailbox, path FROM greeting")?;
        let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    });
    let (_, tree) = reader.current().unwrap().unwrap_or_default();
    let prompt = tree["audio"]["prompt"]["night"]["en"].as_str().map(read).unwrap_or_default();
    let said = tree["flow"][0]["step"]["bye"]["say"][0].as_str().and_then(|s| s.strip_prefix("file:"));
    let seen = Seen {
        prompt,
        said: said.map(read).unwrap_or_default(),
        config: offline::export(&store).unwrap().unwrap_or_default(),
        users: reader.users().unwrap().into_iter().map(|u| u.name).collect(),
        sessions: reader.sessions().unwrap().len(),
        calls: reader.history(&HistoryQuery { limit: 50, ..Default::default() }).unwrap().items,
        messages: reader.messages(None).unwrap().into_iter().map(|m| (m.clone(), read(&m.path))).collect(),
        greetings: greetings.unwrap().into_iter().map(|(mailbox, path)| (mailbox, read(&path))).collect(),
        recordings: recordings
            .into_iter()
            .map(|r| (r.recording.recording.0, r.ms, read(&r.recording.path)))
            .collect(),
    };
    store.close();
    seen
}

fn restore(dir: &Path, file: &Path) -> Facts {
    offline::restore(dir, file, PHRASE).unwrap()
}

#[test]
fn a_new_box_becomes_the_old_one() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(old.path(), "Old", 7);
    let (file, made) = save(old.path(), true);
    assert!(made.files == 5 && made.rows > 5 && made.bytes > 140_000, "{made:?}");
    let facts = restore(new.path(), &file);
    assert_eq!((facts.site.as_str(), &facts), ("Old", &made.facts));
    let (was, is) = (look(old.path()), look(new.path()));
    assert_eq!(is.sessions, 0, "nobody is signed in on the new box");
    assert_eq!(is, Seen { sessions: 0, ..was });
    assert_eq!(is.recordings, [(1, Some(6000), vec![7; 100_000])]);
    assert_eq!(is.prompt, [7; 300], "own prompts come with the configuration that names them");
    assert_eq!(is.said, [7; 200], "so do other sound files");
    let again = save(new.path(), true).1.facts;
    assert_eq!(again.config_sha256, made.facts.config_sha256);
}

#[test]
fn recordings_that_stay_behind_stay_on_their_own_box_only() {
    let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(own.path(), "Own", 7);
    let (file, made) = save(own.path(), false);
    assert_eq!(made.files, 4);
    fill(own.path(), "Changed", 7);
    fill(other.path(), "Other", 9);
    restore(own.path(), &file);
    restore(other.path(), &file);
    let (own, other) = (look(own.path()), look(other.path()));
    assert!(own.config.contains("Own") && other.config.contains("Own"));
    assert_eq!(own.recordings, [(1, Some(6000), vec![7; 100_000])], "the own box keeps them");
    assert_eq!(other.recordings, [], "another box's recordings are not shown under these calls");
}

fn content(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                out.insert(path.clone(), std::fs::read(&path).unwrap());
            }
        }
    }
    out
}

#[test]
fn damaged_foreign_and_newer_files_are_refused_with_the_reason_and_change_nothing() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(from.path(), "From", 7);
    fill(to.path(), "To", 9);
    let (file, _) = save(from.path(), true);
    let good = std::fs::read(&file).unwrap();
    let before = content(to.path());
    let try_it = |bytes: &[u8], phrase: &str| {
        std::fs::write(&file, bytes).unwrap();
        let why = stage(to.path(), &file, phrase).unwrap_err().to_string();
        assert_eq!(content(to.path()), before, "{why}");
        why
    };
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    assert!(try_it(&good, "another phrase altogether").contains("pass-phrase does not open"));
    assert!(
        try_it(b"PK\x03\x04 a zip perhaps, and no backup at all", PHRASE)
            .contains("no backup of a Belfry box")
    );
    assert!(try_it(b"", PHRASE).contains("no backup of a Belfry box"));
    for share in [3, 5, 8, 9] {
        assert!(try_it(&good[..good.len() * share / 10], PHRASE).contains("damaged"), "{share}");
        assert!(try_it(&flipped(good.len() * share / 10), PHRASE).contains("damaged"), "{share}");
    }
    let another = seal_of(|tar| tar.append_data(&mut head(3), "notes.txt", &b"abc"[..]).unwrap());
    assert!(try_it(&another, PHRASE).contains("manifest"));
    let escape = seal_of(|tar| {
        let manifest = serde_json::to_vec(&check_facts(&good, from.path())).unwrap();
        tar.append_data(&mut head(manifest.len()), "manifest.json", manifest.as_slice()).unwrap();
        tar.append_data(&mut head(3), "run/lock", &b"abc"[..]).unwrap();
    });
    assert!(try_it(&escape, PHRASE).contains("does not belong"));
    let mut newer = check_facts(&good, from.path());
    newer.schema = crate::migrate::KNOWN + 1;
    let newer = seal_of(|tar| {
        let manifest = serde_json::to_vec(&newer).unwrap();
        tar.append_data(&mut head(manifest.len()), "manifest.json", manifest.as_slice()).unwrap();
    });
    let why = try_it(&newer, PHRASE);
    assert!(why.contains("newer program (1.2.3)") && why.contains("update this box first"), "{why}");
}

fn check_facts(good: &[u8], dir: &Path) -> Facts {
    let file = dir.join("good.belfry");
    std::fs::write(&file, good).unwrap();
    check(&file, PHRASE).unwrap()
}

fn head(bytes: usize) -> tar::Header {
    let mut head = tar::Header::new_gnu();
    head.set_size(u64::try_from(bytes).unwrap());
    head.set_mode(0o600);
    head
}

fn seal_of(fill: impl FnOnce(&mut tar::Builder<age::stream::StreamWriter<Vec<u8>>>)) -> Vec<u8> {
    let mut tar = tar::Builder::new(seal::lock(Vec::new(), PHRASE, Path::new("it")).unwrap());
    fill(&mut tar);
    tar.into_inner().unwrap().finish().unwrap()
}

#[test]
fn a_cut_at_any_step_leaves_the_old_site_or_the_new_one() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(from.path(), "From", 7);
    fill(to.path(), "To", 9);
    let (file, _) = save(from.path(), true);
    let (old, new) = (look(to.path()), Seen { sessions: 0, ..look(from.path()) });
    stage(to.path(), &file, PHRASE).unwrap();
    let staged = content(to.path());
    let mut steps = 0;
    loop {
        let cut = tempfile::tempdir().unwrap();
        for (path, bytes) in &staged {
            put(cut.path(), path.strip_prefix(to.path()).unwrap().to_str().unwrap(), bytes);
        }
        let dir = cut.path();
        if steps == 0 {
            assert_eq!(look(dir), old, "staged is not restored");
            assert!(!dir.join("restore").exists(), "what does not count is cleared away");
            steps = 1;
            continue;
        }
        commit(dir).unwrap();
        let mut left = steps;
        let end = restore::apply_stepwise(dir, &mut || {
            left -= 1;
            if left == 0 { Err(Fault::Closed) } else { Ok(()) }
        });
        assert_eq!(look(dir), new, "cut at step {steps}");
        assert!(!dir.join("restore").exists());
        if end.is_ok() {
            break;
        }
        steps += 1;
    }
    assert!(steps > 10, "only {steps} steps were cut");
}

#[test]
fn a_deleted_message_and_a_full_disk_spoil_no_backup() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), "Site", 7);
    std::fs::remove_file(dir.path().join("voicemail/101/1.wav")).unwrap();
    let (file, made) = save(dir.path(), false);
    assert_eq!(made.files, 3, "the greeting, the prompt and the sound of the menu");
    let new = tempfile::tempdir().unwrap();
    restore(new.path(), &file);
    assert_eq!(look(new.path()).messages, [], "no row without its sound");
    let empty = tempfile::tempdir().unwrap();
    open(empty.path()).close();
    let out = empty.path().join("x.belfry");
    assert!(matches!(create(empty.path(), &out, &wanted(false), AT), Err(BackupFault::Empty)));
    assert!(!out.exists());
    assert!(text::parse(&look(new.path()).config).is_ok());
}
