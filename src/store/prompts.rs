//! Own prompts that nothing can ever say again: files below `prompts/` that no kept generation of the configuration names,
//! neither the one in force nor one that somebody may go back to. Young files stay: an editor may be about to name them.
//! And what was spoken at a phone: a take that was kept became a prompt, a copy of it.
use crate::fault::Fault;
use crate::{Store, spool};
use std::collections::BTreeSet;
use std::time::Duration;

/// Where they are, below the data folder; a folder for each language.
const FOLDER: &str = "prompts";
/// Where a phone puts what is spoken for a prompt.
const TAKES: &str = "takes";

impl Store {
    /// Removes what was spoken at phones longer ago than `age`, kept or not. Gives how many went.
    #[must_use]
    pub fn sweep_takes(&self, age: Duration) -> usize {
        spool::sweep(self.dir(), TAKES, age, |_| false)
    }

    /// Removes those older than `age`. Gives how many went; a file that cannot be removed is left.
    ///
    /// # Errors
    /// The disk; nothing is removed then.
    pub fn sweep_prompts(&self, age: Duration) -> Result<usize, Fault> {
        let folders = std::fs::read_dir(self.dir().join(FOLDER)).into_iter().flatten().flatten();
        let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
        let old: BTreeSet<String> =
            names.flat_map(|name| spool::aged(self.dir(), &format!("{FOLDER}/{name}"), age)).collect();
        let unnamed = self.unnamed(old)?;
        Ok(unnamed.iter().filter(|path| std::fs::remove_file(self.dir().join(path)).is_ok()).count())
    }

    /// Those that no generation names. One generation at a time is in memory, and none when there is nothing to look for.
    fn unnamed(&self, mut paths: BTreeSet<String>) -> Result<BTreeSet<String>, Fault> {
        self.reader().with(|db| {
            let mut query =
                db.prepare_cached("SELECT unseal(tree) FROM generation ORDER BY generation DESC")?;
            let mut rows = query.query([])?;
            while !paths.is_empty()
                && let Some(row) = rows.next()?
            {
                let tree: String = row.get(0)?;
                // What cannot be read may name anything.
                paths.retain(|path| !tree.is_empty() && !tree.contains(path.as_str()));
            }
            Ok(paths)
        })
    }
}
