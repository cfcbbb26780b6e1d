//! Mails that wait to be sent, so that a mail server that is down, or a restart, loses none. The binary's mailer takes
//! what is due, sends it, and says how it went. Decides when it is tried again, and when it is given up.
use crate::Store;
use crate::fault::Fault;
use crate::row::{self, key};
use model::clock::Wall;
use model::id::MessageId;
use model::record::MessageRecord;
use rusqlite::params;

/// Waits between attempts: 1 min, 5 min, 15 min, then hourly.
const RETRY_S: [i64; 4] = [60, 300, 900, 3600];
/// A mail is given up three days after its message came (RFC 5321 §4.5.4.1 asks for at least 4–5 days of a relay; a
/// voicemail is old news before).
const GIVE_UP_MS: i64 = 3 * 24 * 3600 * 1000;

/// A mail to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct MailJob {
    /// The message it is about.
    pub message: MessageRecord,
    /// Address.
    pub to: String,
    /// Attempts that failed.
    pub attempts: u32,
}

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailResult {
    /// The server took it.
    Sent,
    /// Not now; tried again later.
    Later(String),
    /// Never: the server refused it for good.
    Refused(String),
}

impl Store {
    /// Mails that are due, oldest first, at most 20. One whose time lies further ahead than any wait is due too: the
    /// clock was set back.
    ///
    /// # Errors
    /// The disk.
    pub fn mails_due(&self, now: Wall) -> Result<Vec<MailJob>, Fault> {
        let columns: Vec<String> = row::MESSAGE.split(", ").map(|c| format!("message.{c}")).collect();
        let sql = format!(
            "SELECT {}, mail.recipient, mail.attempts FROM mail JOIN message ON message.message = mail.message
             WHERE mail.next_at <= ?1 OR mail.next_at > ?2 ORDER BY mail.next_at LIMIT 20",
            columns.join(", ")
        );
        self.reader().with(|db| {
            let read = |row: &rusqlite::Row<'_>| {
                Ok(MailJob { message: row::message(row)?, to: row.get(10)?, attempts: row.get(11)? })
            };
            db.prepare_cached(&sql)?
                .query_map([now.0, now.0.saturating_add(RETRY_S[RETRY_S.len() - 1] * 1000)], read)?
                .collect()
        })
    }

    /// Notes how an attempt went. The answer is the next attempt, if there is one.
    ///
    /// # Errors
    /// The disk.
    pub fn mail_done(
        &self,
        message: MessageId,
        result: MailResult,
        now: Wall,
    ) -> Result<Option<Wall>, Fault> {
        self.ask(move |db| {
            let (why, again) = match result {
                MailResult::Sent => {
                    db.execute("DELETE FROM mail WHERE message = ?1", [key(message.0)])?;
                    return Ok(None);
                }
                MailResult::Later(why) => (why, true),
                MailResult::Refused(why) => (why, false),
            };
            let sql = "SELECT attempts, created FROM mail WHERE message = ?1";
            let mut found = db.prepare(sql)?;
            let mut rows = found.query([key(message.0)])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let (attempts, created): (u32, i64) = (row.get(0)?, row.get(1)?);
            let next = next_attempt(attempts, created, now).filter(|_| again);
            let why: String = why.chars().take(300).collect();
            let sql =
                "UPDATE mail SET attempts = attempts + 1, next_at = ?2, last_error = ?3 WHERE message = ?1";
            db.execute(sql, params![key(message.0), next.map(|w| w.0), why])?;
            Ok(next)
        })
    }
}

/// `None` = given up.
fn next_attempt(failed_before: u32, created: i64, now: Wall) -> Option<Wall> {
    let step = usize::try_from(failed_before).unwrap_or(usize::MAX).min(RETRY_S.len() - 1);
    (now.0 - created < GIVE_UP_MS).then(|| Wall(now.0 + RETRY_S[step] * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_come_further_apart_and_end_after_three_days() {
        let now = Wall(10_000_000);
        let waits: Vec<_> =
            (0..6).map(|n| next_attempt(n, now.0, now).map(|w| (w.0 - now.0) / 1000)).collect();
        assert_eq!(waits, [Some(60), Some(300), Some(900), Some(3600), Some(3600), Some(3600)]);
        assert_eq!(next_attempt(9, now.0 - GIVE_UP_MS, now), None);
    }
}
