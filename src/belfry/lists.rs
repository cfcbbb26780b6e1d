//! Lists of numbers for the web, answered by the store. Translates, decides nothing.
use crate::ports::fault;
use model::campaign::{AttemptRecord, Barred, SteerRecord};
use model::id::{CallId, EntryId};
use model::query::{BarredImport, BarredImported, EntryRow, ListImport, ListImported, ListRow, RejectRow};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{NoList, Store};
use web::ports::{ListRefusal, Stored};

/// Where uploads are put, below the data folder.
const FOLDER: &str = "lists";

/// The disk.
pub struct Lists {
    store: Arc<Store>,
    uploads: AtomicU64,
}

impl Lists {
    /// On this store.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Lists {
        Lists { store, uploads: AtomicU64::new(0) }
    }
}

impl web::ports::Lists for Lists {
    fn lists(&self) -> Stored<Vec<ListRow>> {
        self.store.reader().lists().map_err(fault)
    }
    fn upload(&self) -> Stored<PathBuf> {
        let folder = self.store.dir().join(FOLDER);
        std::fs::create_dir_all(&folder).map_err(store::Fault::file(&folder)).map_err(fault)?;
        let number = self.uploads.fetch_add(1, Ordering::Relaxed);
        Ok(folder.join(format!("upload-{number}")))
    }
    fn import(&self, file: &Path, order: &ListImport) -> Result<ListImported, ListRefusal> {
        self.store.import(file, order).map_err(refusal)
    }
    fn import_barred(&self, file: &Path, order: &BarredImport) -> Result<BarredImported, ListRefusal> {
        self.store.import_barred(file, order).map_err(refusal)
    }
    fn entries(&self, list: &str, after: EntryId) -> Stored<Vec<EntryRow>> {
        self.store.reader().entries(list, after).map_err(fault)
    }
    fn rejects(&self, list: &str, after: u64) -> Stored<Vec<RejectRow>> {
        self.store.reader().rejects(list, after).map_err(fault)
    }
    fn delete(&self, list: &str) -> Stored<bool> {
        self.store.list_delete(list).map_err(fault)
    }
    fn barred(&self, after: &str) -> Stored<Vec<Barred>> {
        self.store.reader().barred(after).map_err(fault)
    }
    fn attempts(&self, campaign: &str, after: CallId) -> Stored<Vec<AttemptRecord>> {
        self.store.reader().attempts(campaign, after).map_err(fault)
    }
    fn last_attempts(&self, campaign: &str) -> Stored<Vec<AttemptRecord>> {
        self.store.reader().last_attempts(campaign).map_err(fault)
    }
    fn changes(&self, campaign: &str) -> Stored<Vec<SteerRecord>> {
        self.store.reader().steered(campaign).map_err(fault)
    }
}

fn refusal(no: NoList) -> ListRefusal {
    match no {
        NoList::File(said) => ListRefusal::File(said),
        NoList::Fault(error) => ListRefusal::Fault(fault(error)),
    }
}
