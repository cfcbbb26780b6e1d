//! People who may sign in, their browsers, API tokens, and small settings of the box. Hashes come from the caller;
//! nothing here knows a password.
use crate::fault::Fault;
use crate::{Store, row};
use model::clock::Wall;
use model::query::{SessionRow, TokenRow, UserRow};
use rusqlite::{Row, params};

/// Before the keys of requests that were begun, among the settings.
pub(crate) const BEGUN: &str = "begun:";

pub(crate) const USER: &str = "name, role, password_hash, agent, extension, created";

pub(crate) fn user_row(row: &Row<'_>) -> rusqlite::Result<UserRow> {
    Ok(UserRow {
        name: row.get(0)?,
        role: row::read_word(row, 1)?,
        password_hash: row.get(2)?,
        agent: row.get(3)?,
        extension: row.get(4)?,
        created: Wall(row.get(5)?),
    })
}

pub(crate) const TOKEN: &str = "name, role, token_hash, created";

pub(crate) fn token_row(row: &Row<'_>) -> rusqlite::Result<TokenRow> {
    Ok(TokenRow {
        name: row.get(0)?,
        role: row::read_word(row, 1)?,
        token_hash: row.get(2)?,
        created: Wall(row.get(3)?),
    })
}

pub(crate) const SESSION: &str = "cookie_hash, user, csrf, created, seen";

pub(crate) fn session_row(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        cookie_hash: row.get(0)?,
        user: row.get(1)?,
        csrf: row.get(2)?,
        created: Wall(row.get(3)?),
        seen: Wall(row.get(4)?),
    })
}

/// Writes; each is on the disk when it returns, and blocks until then.
impl Store {
    /// Makes or replaces a user.
    ///
    /// # Errors
    /// The disk; the same holds for every method here.
    pub fn user_put(&self, user: UserRow) -> Result<(), Fault> {
        self.ask(move |db| {
            let sql = format!("INSERT OR REPLACE INTO user ({USER}) VALUES (?1,?2,?3,?4,?5,?6)");
            let role = user.role.word();
            let values =
                params![user.name, role, user.password_hash, user.agent, user.extension, user.created.0];
            db.execute(&sql, values).map(drop)
        })
    }

    /// Removes a user and signs their browsers out; false when there is none.
    ///
    /// # Errors
    /// The disk.
    pub fn user_delete(&self, name: &str) -> Result<bool, Fault> {
        let name = name.to_owned();
        self.ask(move |db| {
            db.execute("DELETE FROM session WHERE user = ?1", [&name])?;
            Ok(db.execute("DELETE FROM user WHERE name = ?1", [&name])? > 0)
        })
    }

    /// Makes or replaces a token.
    ///
    /// # Errors
    /// The disk.
    pub fn token_put(&self, token: TokenRow) -> Result<(), Fault> {
        self.ask(move |db| {
            let sql = format!("INSERT OR REPLACE INTO token ({TOKEN}) VALUES (?1,?2,?3,?4)");
            db.execute(&sql, params![token.name, token.role.word(), token.token_hash, token.created.0])
                .map(drop)
        })
    }

    /// Removes a token; false when there is none.
    ///
    /// # Errors
    /// The disk.
    pub fn token_delete(&self, name: &str) -> Result<bool, Fault> {
        let name = name.to_owned();
        self.ask(move |db| Ok(db.execute("DELETE FROM token WHERE name = ?1", [name])? > 0))
    }

    /// Makes or replaces a session.
    ///
    /// # Errors
    /// The disk.
    pub fn session_put(&self, session: SessionRow) -> Result<(), Fault> {
        self.ask(move |db| {
            let sql = format!("INSERT OR REPLACE INTO session ({SESSION}) VALUES (?1,?2,?3,?4,?5)");
            let s = session;
            db.execute(&sql, params![s.cookie_hash, s.user, s.csrf, s.created.0, s.seen.0]).map(drop)
        })
    }

    /// Removes a session.
    ///
    /// # Errors
    /// The disk.
    pub fn session_delete(&self, cookie_hash: &str) -> Result<(), Fault> {
        let hash = cookie_hash.to_owned();
        self.ask(move |db| db.execute("DELETE FROM session WHERE cookie_hash = ?1", [hash]).map(drop))
    }

    /// Signs every browser of a user out.
    ///
    /// # Errors
    /// The disk.
    pub fn sessions_delete_of(&self, user: &str) -> Result<(), Fault> {
        let user = user.to_owned();
        self.ask(move |db| db.execute("DELETE FROM session WHERE user = ?1", [user]).map(drop))
    }

    /// Remembers that a request with this key was begun, so that it is not done twice; forgets those before `since`.
    /// Kept among the small settings: a key that outlives its time does no harm.
    ///
    /// # Errors
    /// The disk.
    pub fn begun_put(&self, key: &str, at: Wall, since: Wall) -> Result<(), Fault> {
        let name = format!("{BEGUN}{key}");
        self.ask(move |db| {
            let old = "DELETE FROM setting WHERE name GLOB ?1 AND CAST(value AS INTEGER) < ?2";
            db.execute(old, params![format!("{BEGUN}*"), since.0])?;
            db.execute("INSERT OR REPLACE INTO setting VALUES (?1, ?2)", [name, at.0.to_string()]).map(drop)
        })
    }

    /// It was not done after all.
    ///
    /// # Errors
    /// The disk.
    pub fn begun_delete(&self, key: &str) -> Result<(), Fault> {
        self.setting_put(&format!("{BEGUN}{key}"), None)
    }

    /// Sets a small setting of the box, or removes it.
    ///
    /// # Errors
    /// The disk.
    pub fn setting_put(&self, name: &str, value: Option<&str>) -> Result<(), Fault> {
        let (name, value) = (name.to_owned(), value.map(str::to_owned));
        self.ask(move |db| match value {
            Some(value) => {
                db.execute("INSERT OR REPLACE INTO setting VALUES (?1, ?2)", [name, value]).map(drop)
            }
            None => db.execute("DELETE FROM setting WHERE name = ?1", [name]).map(drop),
        })
    }
}
