//! Opens the data folder at a start: holds it against a second process, sets aside a damaged database (the configuration
//! comes back from its copy beside it), closes the calls that a crash left open, hands out fresh ids, and reads what the engine starts with. Each of these happens
//! once a start, in one transaction.
use crate::fault::Fault;
use crate::row::id;
use crate::{
    backup, config, contacts, housekeeping, migrate, newer, outbound, past, pulse, reset, row, schema, spool,
    unfinished, vault,
};
use model::campaign::CampaignPast;
use model::clock::Wall;
use model::config::Config;
use model::config::draft::Problem;
use model::contact::Contact;
use model::id::{CallId, Generation, MessageId, RecordingId};
use model::number::Number;
use model::past::Past;
use model::record::{
    AgentSpell, BanRecord, BindingRecord, Bond, BudgetRecord, CallRecord, MessageRecord, SeatRecord,
    WrongPins,
};
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the box starts with.
#[derive(Debug)]
pub struct BootState {
    /// Number of this start; grows by one with each.
    pub epoch: u64,
    /// The configuration in force: the newest generation that still checks. `None` = a fresh data folder.
    pub config: Option<(Generation, Arc<Config>)>,
    /// Newer generations that no longer check, with the reasons; something for the event log.
    pub skipped: Vec<(Generation, Vec<Problem>)>,
    /// A generation of a newer program, whose known part is in force now; something for the event log.
    pub newer: Option<newer::Newer>,
    /// First free call id of this start.
    pub next_call: CallId,
    /// First free recording id of this start.
    pub next_recording: RecordingId,
    /// First free message id of this start.
    pub next_message: MessageId,
    /// Every voicemail message.
    pub messages: Vec<MessageRecord>,
    /// Own greetings: mailbox to path below the data folder.
    pub greetings: BTreeMap<Number, String>,
    /// Last known spell of each agent.
    pub agents: Vec<AgentSpell>,
    /// Which agents served which customers in the last calls.
    pub bonds: Vec<Bond>,
    /// What the queues go on with.
    pub past: Past,
    /// Registrations: those that have not run out, and where phones were in the last 30 days.
    pub bindings: Vec<BindingRecord>,
    /// Bans that still run.
    pub bans: Vec<BanRecord>,
    /// Wrong PINs in a row.
    pub wrong_pins: Vec<WrongPins>,
    /// Who is logged in at whose phone.
    pub seats: Vec<SeatRecord>,
    /// Minutes to outside that were used.
    pub budgets: Vec<BudgetRecord>,
    /// Everybody the site knows.
    pub contacts: Vec<Contact>,
    /// Campaigns as the box left them.
    pub campaigns: BTreeMap<String, CampaignPast>,
    /// Calls that were open when the box stopped, as they were closed now.
    pub closed: Vec<CallRecord>,
    /// Where a damaged database was put, if there was one.
    pub set_aside: Option<PathBuf>,
    /// The backup that was taken back just now, if one was.
    pub restored: Option<backup::Facts>,
}

/// Ids left out at each start: those of calls that a crash kept from the disk, whose files may exist all the same.
const ID_GAP: u64 = 100_000;
/// File that tells the next start to look at the whole database.
const SUSPECT: &str = "belfry.db.suspect";
const LOCK: &str = "belfry.lock";
/// A greeting younger than this may still be spoken, or wait for its record.
const GREETING_IN_USE: Duration = Duration::from_secs(3600);

/// Opens the folder. The lock holds the folder for as long as it lives.
pub(crate) fn open(dir: &Path, now: Wall) -> Result<(Connection, File, BootState), Fault> {
    schema::private_folder(dir)?;
    let lock = hold(dir)?;
    reset::apply_pending(dir)?;
    if !schema::file(dir).exists() && !dir.join(config::COPY).exists() {
        // No other program has ever kept anything here, so none is shut out.
        vault::make(dir)?;
    }
    let restored = backup::apply_pending(dir)?;
    let suspect = dir.join(SUSPECT).exists();
    let first = start(dir, now, suspect, false);
    let (db, state) = match first {
        Err(fault) if fault.is_damage() => {
            let aside = set_aside(dir, now)?;
            tracing::error!(%fault, aside = %aside.display(), "the database is damaged: set aside, starting afresh");
            let (db, state) = start(dir, now, false, true)?;
            (db, BootState { set_aside: Some(aside), ..state })
        }
        other => other?,
    };
    if suspect {
        std::fs::remove_file(dir.join(SUSPECT)).map_err(Fault::file(dir))?;
    }
    Ok((db, lock, BootState { restored, ..state }))
}

/// How long a held folder is waited for. A process that was started while the folder was held shares the lock between its
/// `fork` and its `exec`, and a role that was killed holds it until the system has taken it apart: neither is another box.
const HELD: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(10);

/// Takes the folder for this process, or says within [`HELD`] that another has it.
pub(crate) fn hold(dir: &Path) -> Result<File, Fault> {
    let path = dir.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.map_err(Fault::file(&path))?;
    let asked = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) if asked.elapsed() < HELD => std::thread::sleep(LOOK),
            Err(std::fs::TryLockError::WouldBlock) => return Err(Fault::InUse(dir.to_owned())),
            Err(std::fs::TryLockError::Error(source)) => return Err(Fault::File { path, source }),
        }
    }
}

/// Tells the next start to look closely.
pub(crate) fn mark_suspect(dir: &Path) {
    if let Err(error) = File::create(dir.join(SUSPECT)).and_then(|f| f.sync_all()) {
        tracing::warn!(%error, "cannot mark the database as suspect");
    }
}

/// Renames the database and its log, which belong together.
fn set_aside(dir: &Path, now: Wall) -> Result<PathBuf, Fault> {
    let aside = |end: &str| dir.join(format!("{}.damaged-{}{end}", schema::FILE, now.0));
    for end in ["-wal", "-shm", ""] {
        let from = dir.join(format!("{}{end}", schema::FILE));
        if from.exists() {
            std::fs::rename(&from, aside(end)).map_err(Fault::file(&from))?;
        }
    }
    schema::sync_folder(dir)?;
    Ok(aside(""))
}

fn start(dir: &Path, now: Wall, suspect: bool, from_copy: bool) -> Result<(Connection, BootState), Fault> {
    let mut db = schema::writing(dir)?;
    if suspect {
        look_closely(&db)?;
    }
    let before = migrate::version(&db)?;
    migrate::to_known(&mut db)?;
    vault::settle(&mut db, dir, before, migrate::KNOWN)?;
    if from_copy {
        config::take_copy(&db, dir, now)?;
    }
    let state = load(&mut db, now, pulse::last(dir))?;
    pulse::forget(dir);
    spool::sweep(dir, "greetings", GREETING_IN_USE, |path| state.greetings.values().any(|kept| kept == path));
    Ok((db, state))
}

/// The whole database is read; only after trouble, because it takes seconds on a full disk.
pub(crate) fn look_closely(db: &Connection) -> Result<(), Fault> {
    let word: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if word == "ok" {
        return Ok(());
    }
    let damage = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(rusqlite::Error::SqliteFailure(damage, Some(word)).into())
}

fn load(db: &mut Connection, now: Wall, beat: Option<Wall>) -> Result<BootState, Fault> {
    housekeeping::tidy_start(db, now)?;
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let closed = unfinished::close(&tx, now, beat)?;
    outbound::close(&tx, now)?;
    let next = next_ids(&tx)?;
    let epoch = counted(&tx, "epoch", |n| n + 1)?;
    name_box(&tx)?;
    let newer = newer::adapt(&tx, now)?;
    let chosen = config::choose(&tx)?;
    let past = past::read(&tx, chosen.current.as_ref().map(|(_, config)| &**config), now, &closed)?;
    let state = BootState {
        epoch,
        past,
        config: chosen.current,
        skipped: chosen.skipped,
        newer,
        next_call: CallId(next),
        next_recording: RecordingId(next),
        next_message: MessageId(next),
        messages: all(
            &tx,
            &format!("SELECT {} FROM message ORDER BY message", row::MESSAGE),
            [],
            row::message,
        )?,
        greetings: all(&tx, "SELECT mailbox, path FROM greeting", [], row::greeting)?.into_iter().collect(),
        agents: last_spells(&tx)?,
        bonds: bonds(&tx)?,
        bindings: all(
            &tx,
            &format!("SELECT {} FROM binding WHERE expires > ?1", row::BINDING),
            [now.0 - housekeeping::BINDING_MS],
            row::binding,
        )?,
        wrong_pins: all(
            &tx,
            "SELECT value FROM setting WHERE name LIKE ?1 || '%'",
            [row::WRONG_PINS],
            row::wrong_pins,
        )?
        .into_iter()
        .flatten()
        .collect(),
        seats: all(&tx, "SELECT value FROM setting WHERE name LIKE ?1 || '%'", [row::SEAT], row::seat)?
            .into_iter()
            .flatten()
            .collect(),
        budgets: all(&tx, "SELECT value FROM setting WHERE name LIKE ?1 || '%'", [row::BUDGET], row::budget)?
            .into_iter()
            .flatten()
            .collect(),
        bans: all(&tx, &format!("SELECT {} FROM ban WHERE until > ?1", row::BAN), [now.0], row::ban)?,
        contacts: contacts::all(&tx)?,
        campaigns: outbound::states(&tx, now)?,
        closed,
        set_aside: None,
        restored: None,
    };
    housekeeping::alive(&tx, now)?;
    tx.commit()?;
    Ok(state)
}

fn all<T>(
    db: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    db.prepare(sql)?.query_map(values, read)?.collect()
}

fn last_spells(db: &Connection) -> rusqlite::Result<Vec<AgentSpell>> {
    let sql = format!(
        "SELECT {} FROM spell WHERE spell IN (SELECT max(spell) FROM spell GROUP BY agent) ORDER BY agent",
        row::SPELL
    );
    all(db, &sql, [], row::spell)
}

/// Calls of agents that are looked at for who knows whom: a year of a busy site, read in a second on a small box.
const BONDS_OF: u32 = 200_000;

fn bonds(db: &Connection) -> rusqlite::Result<Vec<Bond>> {
    let sql = "SELECT caller_number, agent, count(*), max(started) FROM
        (SELECT caller_number, agent, started FROM call
         WHERE agent IS NOT NULL AND direction = 'inbound' ORDER BY call DESC LIMIT ?1)
        GROUP BY caller_number, agent ORDER BY max(started)";
    let read = |row: &Row<'_>| {
        let customer: String = row.get(0)?;
        let bond =
            |customer| Ok(Bond { customer, agent: row.get(1)?, times: row.get(2)?, last: Wall(row.get(3)?) });
        Number::read(&customer).map(bond).transpose()
    };
    db.prepare(sql)?.query_map([BONDS_OF], read)?.filter_map(Result::transpose).collect()
}

/// Ids that were never used, whatever the crash took. Stored, so that a start without calls moves on too.
fn next_ids(db: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT max(coalesce((SELECT max(call) FROM call), 0), coalesce((SELECT max(recording) FROM recording), 0),
        coalesce((SELECT max(message) FROM message), 0), coalesce((SELECT max(call) FROM step), 0),
        coalesce((SELECT max(call) FROM attempt), 0))";
    let used: i64 = db.query_row(sql, [], |row| row.get(0))?;
    counted(db, "next_id", |before| match (before, id(used)) {
        (0, 0) => 1,
        (before, used) => before.max(used) + ID_GAP,
    })
}

/// A random name, once for each data folder: a backup knows by it whether it comes back to its own box.
fn name_box(db: &Connection) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO setting VALUES (?1, lower(hex(randomblob(16))))";
    db.execute(sql, [backup::BOX_ID]).map(drop)
}

/// Changes a number among the settings.
fn counted(db: &Connection, name: &str, change: impl FnOnce(u64) -> u64) -> rusqlite::Result<u64> {
    let sql = "SELECT value FROM setting WHERE name = ?1";
    let text: Option<String> = db.query_row(sql, [name], |row| row.get(0)).optional()?;
    let value = change(text.and_then(|t| t.parse().ok()).unwrap_or(0));
    db.execute("INSERT OR REPLACE INTO setting VALUES (?1, ?2)", params![name, value.to_string()])?;
    Ok(value)
}
