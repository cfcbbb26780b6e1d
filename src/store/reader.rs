//! Reads what is kept, through connections that cannot write. Every question looks at a bounded number of rows. Blocks
//! on the disk: for the web's blocking threads, never for the engine.
use crate::fault::Fault;
use crate::row::{self, key};
use crate::schema;
use model::clock::Wall;
use model::id::{CallId, Generation, MessageId, RecordingId};
use model::query::{
    GenerationRow, HistoryQuery, Journey, NoteRow, PAGE_MAX, Page, RecordingRow, SessionRow, TokenRow,
    UserRow,
};
use model::record::{AgentSpell, BanRecord, CallRecord, MessageRecord, Outcome};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params, params_from_iter};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Connections kept for the next question; more are opened when more ask at once.
const POOL: usize = 4;
/// Most calls one page of history looks at: some 100 ms on a slow box. The rest is behind `next`.
const SCAN: u32 = 50_000;
/// Most steps and recordings of one journey.
const JOURNEY: u32 = 2000;
/// Most messages of one answer.
const MESSAGES: u32 = 1000;

/// Reads what is kept. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    dir: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Reader {
    /// Opens nothing yet.
    pub(crate) fn new(dir: &Path) -> Reader {
        Reader { dir: Arc::new(dir.to_owned()), idle: Arc::default() }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A connection that failed is not used again.
    pub(crate) fn with<T>(&self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Fault> {
        let idle = self.idle.lock().ok().and_then(|mut all| all.pop());
        let db = match idle {
            Some(db) => db,
            None => schema::reading(&self.dir)?,
        };
        let answer = ask(&db)?;
        if let Ok(mut all) = self.idle.lock()
            && all.len() < POOL
        {
            all.push(db);
        }
        Ok(answer)
    }

    fn all<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Fault> {
        self.with(|db| db.prepare_cached(sql)?.query_map(values, read)?.collect())
    }

    fn one<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Fault> {
        self.with(|db| db.prepare_cached(sql)?.query_row(values, read).optional())
    }

    /// A page of calls, newest first. A page may be short and still have a next one.
    ///
    /// # Errors
    /// The disk; the same holds for every method here.
    pub fn history(&self, query: &HistoryQuery) -> Result<Page<CallRecord>, Fault> {
        let (sql, values) = history_sql(query);
        let limit = usize::try_from(query.limit.clamp(1, PAGE_MAX)).unwrap_or(1);
        self.with(|db| {
            let mut sql = db.prepare_cached(&sql)?;
            let mut rows = sql.query(params_from_iter(values))?;
            let (mut items, mut seen, mut last) = (Vec::new(), 0, None);
            while let Some(row) = rows.next()? {
                seen += 1;
                last = Some(row::id(row.get(0)?));
                let call = row::call(row)?;
                if wanted(query, &call) {
                    items.push(call);
                }
                if items.len() == limit {
                    return Ok(Page { items, next: last });
                }
            }
            Ok(Page { items, next: last.filter(|_| seen == SCAN) })
        })
    }

    /// Everything about one call.
    ///
    /// # Errors
    /// The disk.
    pub fn journey(&self, call: CallId) -> Result<Option<Journey>, Fault> {
        let by_call = |columns: &str, table: &str, order: &str| {
            format!("SELECT {columns} FROM {table} WHERE call = ?1 ORDER BY {order} LIMIT {JOURNEY}")
        };
        let Some(record) = self.one(&by_call(row::CALL, "call", "call"), [key(call.0)], row::call)? else {
            return Ok(None);
        };
        let steps = self.all(&by_call(row::STEP, "step", "seq"), [key(call.0)], row::step)?;
        let recordings = by_call(row::RECORDING_HELD, "recording", "recording");
        let recordings = self.all(&recordings, [key(call.0)], row::recording)?;
        Ok(Some(Journey { record, steps, recordings }))
    }

    /// One recording.
    ///
    /// # Errors
    /// The disk.
    pub fn recording(&self, recording: RecordingId) -> Result<Option<RecordingRow>, Fault> {
        let sql = format!("SELECT {} FROM recording WHERE recording = ?1", row::RECORDING_HELD);
        self.one(&sql, [key(recording.0)], row::recording)
    }

    /// Recordings without a length: running, or cut off by a crash.
    ///
    /// # Errors
    /// The disk.
    pub fn open_recordings(&self) -> Result<Vec<RecordingRow>, Fault> {
        let sql =
            format!("SELECT {} FROM recording WHERE ms IS NULL ORDER BY recording", row::RECORDING_HELD);
        self.all(&sql, [], row::recording)
    }

    /// Messages of one mailbox, or all, newest first, at most 1,000.
    ///
    /// # Errors
    /// The disk.
    pub fn messages(&self, mailbox: Option<&str>) -> Result<Vec<MessageRecord>, Fault> {
        let columns = row::MESSAGE;
        match mailbox {
            Some(mailbox) => {
                let rest = "WHERE mailbox = ?1 ORDER BY message DESC";
                self.all(
                    &format!("SELECT {columns} FROM message {rest} LIMIT {MESSAGES}"),
                    [mailbox],
                    row::message,
                )
            }
            None => {
                let sql = format!("SELECT {columns} FROM message ORDER BY message DESC LIMIT {MESSAGES}");
                self.all(&sql, [], row::message)
            }
        }
    }

    /// One message.
    ///
    /// # Errors
    /// The disk.
    pub fn message(&self, message: MessageId) -> Result<Option<MessageRecord>, Fault> {
        let sql = format!("SELECT {} FROM message WHERE message = ?1", row::MESSAGE);
        self.one(&sql, [key(message.0)], row::message)
    }

    /// A page of the event log, newest first.
    ///
    /// # Errors
    /// The disk.
    pub fn notes(&self, before: Option<u64>, limit: u32) -> Result<Page<NoteRow>, Fault> {
        let sql = format!("SELECT {} FROM note WHERE note < ?1 ORDER BY note DESC LIMIT ?2", row::NOTE);
        let limit = limit.clamp(1, PAGE_MAX);
        let items = self.all(&sql, params![key(before.unwrap_or(u64::MAX)), limit], row::note)?;
        Ok(paged(items, limit, |note| note.id))
    }

    /// Bans in force at that time.
    ///
    /// # Errors
    /// The disk.
    pub fn bans(&self, at: Wall) -> Result<Vec<BanRecord>, Fault> {
        let sql = format!("SELECT {} FROM ban WHERE until > ?1 ORDER BY until DESC LIMIT 10000", row::BAN);
        self.all(&sql, [at.0], row::ban)
    }

    /// Spells of one agent that began in `[from, to)`, in order, at most 10,000.
    ///
    /// # Errors
    /// The disk.
    pub fn spells(&self, agent: &str, from: Wall, to: Wall) -> Result<Vec<AgentSpell>, Fault> {
        let rest = "WHERE agent = ?1 AND since >= ?2 AND since < ?3 ORDER BY spell LIMIT 10000";
        let sql = format!("SELECT {} FROM spell {rest}", row::SPELL);
        self.all(&sql, params![agent, from.0, to.0], row::spell)
    }

    /// A page of stored configurations, newest first.
    ///
    /// # Errors
    /// The disk.
    pub fn generations(&self, before: Option<Generation>, limit: u32) -> Result<Page<GenerationRow>, Fault> {
        let limit = limit.clamp(1, PAGE_MAX);
        let sql = "SELECT generation, at, by_whom, summary FROM generation
            WHERE generation < ?1 ORDER BY generation DESC LIMIT ?2";
        let before = before.map_or(u64::MAX, |g| g.0);
        let items = self.all(sql, params![key(before), limit], crate::config::generation_row)?;
        Ok(paged(items, limit, |g| g.generation.0))
    }

    /// The newest generation and its tree (secrets included).
    ///
    /// # Errors
    /// The disk.
    pub fn current(&self) -> Result<Option<(Generation, serde_json::Value)>, Fault> {
        let sql = "SELECT generation, unseal(tree) FROM generation ORDER BY generation DESC LIMIT 1";
        self.one(sql, [], crate::config::generation_tree)
    }

    /// The newest configuration, when it is another one than `seen`: for those who look again and again. The tree is read
    /// only then.
    ///
    /// # Errors
    /// The disk.
    pub fn newer_than(
        &self,
        seen: Option<Generation>,
    ) -> Result<Option<(Generation, serde_json::Value)>, Fault> {
        let newest =
            self.one("SELECT max(generation) FROM generation", [], |row| row.get::<_, Option<i64>>(0))?;
        let seen = seen.map(|generation| key(generation.0));
        if newest.flatten() == seen { Ok(None) } else { self.current() }
    }

    /// The tree of one generation.
    ///
    /// # Errors
    /// The disk.
    pub fn generation(&self, generation: Generation) -> Result<Option<serde_json::Value>, Fault> {
        let sql = "SELECT generation, unseal(tree) FROM generation WHERE generation = ?1";
        Ok(self.one(sql, [key(generation.0)], crate::config::generation_tree)?.map(|(_, tree)| tree))
    }

    /// Everybody who may sign in, by name.
    ///
    /// # Errors
    /// The disk.
    pub fn users(&self) -> Result<Vec<UserRow>, Fault> {
        self.all(
            &format!("SELECT {} FROM user ORDER BY name", crate::users::USER),
            [],
            crate::users::user_row,
        )
    }

    /// One of them.
    ///
    /// # Errors
    /// The disk.
    pub fn user(&self, name: &str) -> Result<Option<UserRow>, Fault> {
        self.one(
            &format!("SELECT {} FROM user WHERE name = ?1", crate::users::USER),
            [name],
            crate::users::user_row,
        )
    }

    /// All API tokens, by name.
    ///
    /// # Errors
    /// The disk.
    pub fn tokens(&self) -> Result<Vec<TokenRow>, Fault> {
        self.all(
            &format!("SELECT {} FROM token ORDER BY name", crate::users::TOKEN),
            [],
            crate::users::token_row,
        )
    }

    /// The token with this SHA-256 (lower-case hex).
    ///
    /// # Errors
    /// The disk.
    pub fn token_by_hash(&self, hash: &str) -> Result<Option<TokenRow>, Fault> {
        let sql = format!("SELECT {} FROM token WHERE token_hash = ?1", crate::users::TOKEN);
        self.one(&sql, [hash], crate::users::token_row)
    }

    /// All kept sessions.
    ///
    /// # Errors
    /// The disk.
    pub fn sessions(&self) -> Result<Vec<SessionRow>, Fault> {
        let sql = format!("SELECT {} FROM session ORDER BY created", crate::users::SESSION);
        self.all(&sql, [], crate::users::session_row)
    }

    /// Keys of requests begun since then.
    ///
    /// # Errors
    /// The disk.
    pub fn begun(&self, since: Wall) -> Result<Vec<String>, Fault> {
        let sql = "SELECT substr(name, length(?1) + 1) FROM setting
                   WHERE name GLOB ?1 || '*' AND CAST(value AS INTEGER) >= ?2";
        self.all(sql, params![crate::users::BEGUN, since.0], |row| row.get(0))
    }

    /// A small setting of the box itself, e.g. the state of the set-up.
    ///
    /// # Errors
    /// The disk.
    pub fn setting(&self, name: &str) -> Result<Option<String>, Fault> {
        self.one("SELECT value FROM setting WHERE name = ?1", [name], |row| row.get(0))
    }
}

/// Full pages have a next one.
fn paged<T>(items: Vec<T>, limit: u32, id: impl Fn(&T) -> u64) -> Page<T> {
    let full = u32::try_from(items.len()).is_ok_and(|n| n == limit);
    let next = items.last().filter(|_| full).map(id);
    Page { items, next }
}

/// The rows to look at, newest first. The condition with an index picks them; the others are checked by [`wanted`].
fn history_sql(query: &HistoryQuery) -> (String, Vec<Value>) {
    let before = key(query.before.map_or(u64::MAX, |c| c.0));
    let mut values = vec![Value::Integer(before)];
    let mut pick = |column: &str, value: String| {
        values.push(Value::Text(value));
        format!("AND {column} = ?2 ")
    };
    let picked = match (&query.agent, &query.queue, query.outcome) {
        (Some(agent), _, _) => pick("agent", agent.clone()),
        (None, Some(queue), _) => pick("queue", queue.clone()),
        (None, None, Some(outcome)) => pick("outcome", row::word(&outcome)),
        (None, None, None) => String::new(),
    };
    let sql =
        format!("SELECT {} FROM call WHERE call < ?1 {picked}ORDER BY call DESC LIMIT {SCAN}", row::CALL);
    (sql, values)
}

/// Whether every condition holds. Open calls are shown only when asked for.
fn wanted(query: &HistoryQuery, call: &CallRecord) -> bool {
    let outcome = query.outcome.map_or(call.outcome != Outcome::Open, |o| o == call.outcome);
    let same = |wanted: &Option<String>, is: &Option<String>| wanted.is_none() || wanted == is;
    let text = query.text.as_ref().is_none_or(|text| {
        let text = text.to_lowercase();
        let parties = [&call.caller.number, &call.caller.name, &call.called.number, &call.called.name];
        parties.iter().any(|p| p.to_lowercase().contains(&text))
    });
    let direction = query.direction.is_none_or(|d| d == call.direction);
    let own = query.own.as_ref().is_none_or(|own| own.has(call));
    outcome && direction && text && own && same(&query.queue, &call.queue) && same(&query.agent, &call.agent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(query: &HistoryQuery) -> String {
        let mut db = Connection::open_in_memory().unwrap();
        crate::migrate::to_known(&mut db).unwrap();
        let (sql, values) = history_sql(query);
        let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let lines = explain.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn every_page_of_history_is_found_by_an_index_and_never_sorted() {
        let some = |text: &str| Some(text.to_owned());
        let table = [
            (HistoryQuery::default(), "PRIMARY KEY"),
            (HistoryQuery { text: some("x"), ..Default::default() }, "PRIMARY KEY"),
            (HistoryQuery { queue: some("main"), ..Default::default() }, "call_by_queue"),
            (HistoryQuery { agent: some("7"), queue: some("main"), ..Default::default() }, "call_by_agent"),
            (HistoryQuery { outcome: Some(Outcome::Voicemail), ..Default::default() }, "call_by_outcome"),
        ];
        for (query, index) in table {
            let plan = plan(&query);
            assert!(plan.contains(index) && plan.contains("SEARCH"), "{query:?}: {plan}");
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{query:?}: {plan}");
        }
    }
}
