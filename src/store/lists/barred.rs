//! The do-not-call list from a file: one number a row, as CSV, plain text or XLSX. Many small transactions on the writing
//! thread. Each row that is not taken is told with its reason; what was taken before a fault stays. Takes nobody off.
use super::numbers::Column;
use super::{BATCH, NoList, ROWS_MAX, TEXT_MAX, sheet, too_long};
use crate::Store;
use crate::fault::Fault;
use crate::outbound;
use model::campaign::Barred;
use model::number::Number;
use model::query::{BarredImport, BarredImported, RejectRow};
use model::sentence::Sentence;
use std::path::Path;

/// Rejected rows told one by one; the rest are counted.
const TOLD_MAX: usize = 1000;

impl Store {
    /// Puts the numbers of a file on the do-not-call list. Blocks for its whole length: for a thread of its own.
    ///
    /// # Errors
    /// `File`: it cannot be read, or has no column of numbers. What was taken before stays.
    pub fn import_barred(&self, path: &Path, import: &BarredImport) -> Result<BarredImported, NoList> {
        let mut column = None;
        let mut done = BarredImported::default();
        let mut batch = Vec::with_capacity(BATCH);
        sheet::each_row(path, &NoList::File, &mut |line, cells| {
            let column = match &column {
                Some(column) => column,
                None => {
                    let found = column.insert(Column::new(&cells, &import.country).map_err(NoList::File)?);
                    if found.headed {
                        return Ok(());
                    }
                    found
                }
            };
            if cells.iter().all(String::is_empty) {
                return Ok(());
            }
            done.rows += 1;
            if done.rows > ROWS_MAX {
                return Err(too_long());
            }
            match column.number(&cells) {
                Ok(number) => batch.push(number),
                Err(reason) => reject(&mut done, line, &cells, reason),
            }
            if batch.len() >= BATCH {
                self.bar_batch(import, std::mem::take(&mut batch), &mut done)?;
            }
            Ok(())
        })?;
        if column.is_none() {
            return Err(NoList::File(Sentence::new(
                "The file is empty; it needs one number a row.",
                "文件为空；每行应有一个号码。",
            )));
        }
        self.bar_batch(import, batch, &mut done)?;
        Ok(done)
    }

    fn bar_batch(
        &self,
        import: &BarredImport,
        batch: Vec<String>,
        done: &mut BarredImported,
    ) -> Result<(), Fault> {
        let (at, by, of) = (import.at, import.by.clone(), batch.len());
        let fresh = self.ask(move |db| {
            let mut fresh = 0;
            for number in batch {
                let number = Number::read(&number).unwrap_or_default();
                let barred = Barred { number, at, by: by.clone(), listed: true };
                fresh += outbound::barred(db, &barred)?;
            }
            Ok(fresh)
        })?;
        done.taken += u64::try_from(fresh).unwrap_or(0);
        done.known += u64::try_from(of.saturating_sub(fresh)).unwrap_or(0);
        Ok(())
    }
}

fn reject(done: &mut BarredImported, line: u64, cells: &[String], reason: &'static str) {
    done.rejected += 1;
    if done.rejects.len() < TOLD_MAX {
        let text = cells.join(", ").chars().take(TEXT_MAX).collect();
        done.rejects.push(RejectRow { line, text, reason: reason.to_owned() });
    }
}
