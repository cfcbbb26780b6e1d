//! Contacts on the disk: each number belongs to one of them, and there are never more than the engine's table holds. Knows
//! nothing of calls.
use crate::Store;
use crate::fault::Fault;
use crate::reader::Reader;
use crate::row::{self, id, key};
use model::clock::Wall;
use model::contact::{Contact, ContactQuery, ContactRefusal, MOST};
use model::id::ContactId;
use model::number::Number;
use model::query::{PAGE_MAX, Page};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params, params_from_iter};

const CONTACT: &str = "contact, numbers, name, company, class, language, notes, fields, changed";

/// Contacts written in one transaction of an import, so that calls' records never wait for a whole list.
const BATCH: usize = 500;

/// Reads a row of [`CONTACT`].
pub(crate) fn contact(row: &Row<'_>) -> Result<Contact> {
    Ok(Contact {
        contact: ContactId(id(row.get(0)?)),
        numbers: row::read_json(row, 1)?,
        name: row.get(2)?,
        company: row.get(3)?,
        class: row.get(4)?,
        language: match row.get::<_, Option<String>>(5)? {
            Some(_) => Some(row::read_word(row, 5)?),
            None => None,
        },
        notes: row.get(6)?,
        fields: row::read_json(row, 7)?,
        changed: Wall(row.get(8)?),
    })
}

/// Every contact, for the engine's table.
pub(crate) fn all(db: &Connection) -> Result<Vec<Contact>> {
    db.prepare(&format!("SELECT {CONTACT} FROM contact ORDER BY contact"))?.query_map([], contact)?.collect()
}

impl Reader {
    /// A page of contacts by name; `next` is the offset of the next page.
    ///
    /// # Errors
    /// The disk; the same holds for every method here.
    pub fn contacts(&self, query: &ContactQuery) -> std::result::Result<Page<Contact>, Fault> {
        let mut conditions = vec!["1".to_owned()];
        let mut values: Vec<Value> = Vec::new();
        if let Some(text) = &query.text {
            values.push(format!("%{}%", literal(text)).into());
            // A number may be written with spaces; anything else is looked for as it stands.
            let number = Number::read(text).map_or_else(|| text.clone(), |n| n.to_string());
            values.push(format!("%{}%", literal(number.trim_start_matches('+'))).into());
            let like = |column: &str, n: u8| format!("{column} LIKE ?{n} ESCAPE '\\'");
            conditions.push(format!(
                "({} OR {} OR {})",
                like("name", 1),
                like("company", 1),
                like("numbers", 2)
            ));
        }
        if let Some(class) = &query.class {
            values.push(class.clone().into());
            conditions.push(format!("class = ?{}", values.len()));
        }
        let limit = query.limit.clamp(1, PAGE_MAX);
        values.push(Value::from(i64::from(limit) + 1));
        values.push(Value::from(key(query.offset)));
        let (limit_at, offset_at) = (values.len() - 1, values.len());
        let sql = format!(
            "SELECT {CONTACT} FROM contact WHERE {} ORDER BY name, contact LIMIT ?{limit_at} OFFSET ?{offset_at}",
            conditions.join(" AND ")
        );
        let mut items: Vec<Contact> =
            self.with(|db| db.prepare_cached(&sql)?.query_map(params_from_iter(values), contact)?.collect())?;
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > most;
        items.truncate(most);
        Ok(Page { items, next: more.then(|| query.offset + u64::from(limit)) })
    }

    /// One contact.
    ///
    /// # Errors
    /// The disk.
    pub fn contact(&self, which: ContactId) -> std::result::Result<Option<Contact>, Fault> {
        self.with(|db| {
            let sql = format!("SELECT {CONTACT} FROM contact WHERE contact = ?1");
            db.prepare_cached(&sql)?.query_row([key(which.0)], contact).optional()
        })
    }

    /// Whose number it is.
    ///
    /// # Errors
    /// The disk.
    pub fn contact_of(&self, number: &Number) -> std::result::Result<Option<Contact>, Fault> {
        self.with(|db| {
            let sql = format!(
                "SELECT {CONTACT} FROM contact WHERE contact = (SELECT contact FROM contact_number WHERE number = ?1)"
            );
            db.prepare_cached(&sql)?.query_row([number.as_str()], contact).optional()
        })
    }
}

/// Writes; each is on the disk when it returns, and blocks until then.
impl Store {
    /// Makes a contact (id 0) or replaces one; the answer carries its id.
    ///
    /// # Errors
    /// The disk; inside, why it is not kept.
    pub fn contact_put(
        &self,
        wanted: Contact,
    ) -> std::result::Result<std::result::Result<Contact, ContactRefusal>, Fault> {
        self.ask(move |db| put(db, wanted))
    }

    /// Removes one; false when there is none.
    ///
    /// # Errors
    /// The disk.
    pub fn contact_delete(&self, which: ContactId) -> std::result::Result<bool, Fault> {
        self.ask(move |db| {
            db.execute("DELETE FROM contact_number WHERE contact = ?1", [key(which.0)])?;
            Ok(db.execute("DELETE FROM contact WHERE contact = ?1", [key(which.0)])? > 0)
        })
    }

    /// Takes a list: who is known by one of the numbers is replaced, others are new. One answer for each, in order; a
    /// refused one changes nothing.
    ///
    /// # Errors
    /// The disk; what came before it stays kept.
    pub fn contacts_take(
        &self,
        wanted: Vec<Contact>,
    ) -> std::result::Result<Vec<std::result::Result<Contact, ContactRefusal>>, Fault> {
        let mut answers = Vec::with_capacity(wanted.len());
        let mut rest = wanted.into_iter().peekable();
        while rest.peek().is_some() {
            let batch: Vec<Contact> = rest.by_ref().take(BATCH).collect();
            let done =
                self.ask(move |db| batch.into_iter().map(|c| take(db, c)).collect::<Result<Vec<_>>>())?;
            answers.extend(done);
        }
        Ok(answers)
    }
}

fn take(db: &Connection, wanted: Contact) -> Result<std::result::Result<Contact, ContactRefusal>> {
    let known = wanted.numbers.iter().find_map(|number| owner(db, number).transpose()).transpose()?;
    put(db, Contact { contact: known.unwrap_or_default(), ..wanted })
}

fn owner(db: &Connection, number: &Number) -> Result<Option<ContactId>> {
    let mut sql = db.prepare_cached("SELECT contact FROM contact_number WHERE number = ?1")?;
    let found: Option<i64> = sql.query_row([number.as_str()], |row| row.get(0)).optional()?;
    Ok(found.map(|found| ContactId(id(found))))
}

fn put(db: &Connection, mut wanted: Contact) -> Result<std::result::Result<Contact, ContactRefusal>> {
    for number in &wanted.numbers {
        if let Some(other) = owner(db, number)?.filter(|other| *other != wanted.contact) {
            return Ok(Err(ContactRefusal::Taken(number.clone(), other)));
        }
    }
    let new = wanted.contact == ContactId(0);
    if new && count(db)? >= MOST {
        return Ok(Err(ContactRefusal::Full));
    }
    let values = params![
        (!new).then(|| key(wanted.contact.0)),
        row::json(&wanted.numbers),
        wanted.name,
        wanted.company,
        wanted.class,
        wanted.language.map(|l| l.code()),
        wanted.notes,
        row::json(&wanted.fields),
        wanted.changed.0,
    ];
    if new {
        let sql = format!("INSERT INTO contact ({CONTACT}) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)");
        db.prepare_cached(&sql)?.execute(values)?;
        wanted.contact = ContactId(id(db.last_insert_rowid()));
    } else {
        let sql = "UPDATE contact SET numbers = ?2, name = ?3, company = ?4, class = ?5, language = ?6, notes = ?7, \
             fields = ?8, changed = ?9 WHERE contact = ?1";
        if db.prepare_cached(sql)?.execute(values)? == 0 {
            return Ok(Err(ContactRefusal::Unknown));
        }
        db.prepare_cached("DELETE FROM contact_number WHERE contact = ?1")?
            .execute([key(wanted.contact.0)])?;
    }
    let mut index = db.prepare_cached("INSERT INTO contact_number VALUES (?1, ?2)")?;
    for number in &wanted.numbers {
        index.execute(params![number.as_str(), key(wanted.contact.0)])?;
    }
    Ok(Ok(wanted))
}

fn count(db: &Connection) -> Result<usize> {
    let count: i64 = db.prepare_cached("SELECT count(*) FROM contact")?.query_row([], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// What a person typed, meant as it stands.
fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
