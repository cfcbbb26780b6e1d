//! What every request handler shares: the ports, who may sign in, sessions, limits and the live hub. Built once at start.
use crate::accounts::Accounts;
use crate::error::ApiError;
use crate::idempotency::Replays;
use crate::live::hub::{Hub, Inbox};
use crate::password::Gate;
use crate::ports::{Fault, Lists, Ports, Site, Storage, Stored};
use crate::session::Sessions;
use crate::setup::Setup;
use crate::throttle::Throttle;
use model::clock::Now;
use model::command::{Actor, Command};
use model::query::{BarredImport, BarredImported, ListImport, ListImported};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the web finds and keeps its files.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The data folder: recordings and messages are below it.
    pub data: PathBuf,
    /// File that holds the one-time set-up code while it is needed.
    pub setup_code: PathBuf,
}

/// Shared by all requests; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What is shared.
pub struct Inner {
    /// The rest of the box.
    pub ports: Ports,
    /// Where files are.
    pub data: PathBuf,
    /// Users and tokens.
    pub accounts: Accounts,
    /// Signed-in browsers.
    pub sessions: Sessions,
    /// The password hash.
    pub gate: Gate,
    /// Tries at secrets.
    pub throttle: Throttle,
    /// First start.
    pub setup: Setup,
    /// Live data.
    pub hub: Arc<Hub>,
    /// Answers given to `Idempotency-Key`s.
    pub replays: Replays,
}

impl Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Reads users, tokens, sessions and what live pages show from the start. Blocks.
    ///
    /// # Errors
    /// The disk failed, or the kernel gives no random bytes.
    pub fn start(ports: Ports, settings: Settings) -> Result<App, Fault> {
        let accounts = Accounts::load(&*ports.storage)?;
        // A box that is being made has no site yet.
        if let Ok((_, tree)) = ports.site.current() {
            accounts.personal().site_is(&tree);
        }
        let now = ports.machine.now();
        let sessions = Sessions::load(ports.storage.sessions()?, now);
        let setup = Setup::load(settings.setup_code, !accounts.has_admin())?;
        let hub = Hub::load(&*ports.storage, now.wall)?;
        let replays = Replays::load(&*ports.storage, now)?;
        Ok(App(Arc::new(Inner {
            ports,
            data: settings.data,
            accounts,
            sessions,
            gate: Gate::new()?,
            throttle: Throttle::default(),
            setup,
            hub: Arc::new(hub),
            replays,
        })))
    }

    /// Where the engine's loop puts notices; never blocks it.
    #[must_use]
    pub fn inbox(&self) -> Inbox {
        self.hub.inbox()
    }

    /// The one-time code, while set-up is needed.
    #[must_use]
    pub fn setup_code(&self) -> Option<String> {
        self.setup.code()
    }

    /// Whether nobody can administer the box yet.
    #[must_use]
    pub fn setup_needed(&self) -> bool {
        !self.accounts.has_admin()
    }

    /// Both clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        self.ports.machine.now()
    }

    /// Asks the store from a blocking thread.
    ///
    /// # Errors
    /// 500 when the disk failed.
    pub async fn store<T, F>(&self, ask: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Storage) -> Stored<T> + Send + 'static,
    {
        let storage = Arc::clone(&self.ports.storage);
        self.block(move || ask(&*storage)).await?.map_err(Into::into)
    }

    /// Asks the configuration from a blocking thread.
    ///
    /// # Errors
    /// 500 when the disk failed.
    pub async fn site<T, F>(&self, ask: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Site) -> Stored<T> + Send + 'static,
    {
        let site = Arc::clone(&self.ports.site);
        self.block(move || ask(&*site)).await?.map_err(Into::into)
    }

    /// Learns what of the configuration in force decides rights. Until it is read, those of before hold.
    ///
    /// # Errors
    /// 500 when the disk failed.
    pub async fn learn_site(&self) -> Result<(), ApiError> {
        let (_, tree) = self.site(|s| s.current()).await?;
        self.accounts.personal().site_is(&tree);
        Ok(())
    }

    /// Learns the site anew after each change, whoever made it, until the task is dropped.
    pub async fn follow_site(&self) {
        let mut changed = self.hub.watch();
        let mut known = None;
        while changed.changed().await.is_ok() {
            let now = self.hub.generation();
            if known == now {
                continue;
            }
            match self.learn_site().await {
                Ok(()) => known = now,
                Err(error) => tracing::warn!(?error, "who may open which mailbox could not be read again"),
            }
        }
    }

    /// Asks for lists of numbers, from a blocking thread.
    ///
    /// # Errors
    /// 500 when the disk failed.
    pub async fn lists<T, F>(&self, ask: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Lists) -> Stored<T> + Send + 'static,
    {
        let lists = Arc::clone(&self.ports.lists);
        self.block(move || ask(&*lists)).await?.map_err(Into::into)
    }

    /// Reads a file into a list.
    ///
    /// # Errors
    /// 422 with what is wrong with the file, 500 when the disk failed.
    pub async fn list_import(&self, file: PathBuf, order: ListImport) -> Result<ListImported, ApiError> {
        let lists = Arc::clone(&self.ports.lists);
        self.block(move || lists.import(&file, &order)).await?.map_err(Into::into)
    }

    /// Puts the numbers of a file on the do-not-call list.
    ///
    /// # Errors
    /// 422 with what is wrong with the file, 500 when the disk failed.
    pub async fn barred_import(
        &self,
        file: PathBuf,
        order: BarredImport,
    ) -> Result<BarredImported, ApiError> {
        let lists = Arc::clone(&self.ports.lists);
        self.block(move || lists.import_barred(&file, &order)).await?.map_err(Into::into)
    }

    /// Runs what may wait for the disk on a blocking thread.
    ///
    /// # Errors
    /// 500 when it panicked.
    pub async fn block<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        tokio::task::spawn_blocking(work).await.map_err(|e| ApiError::fault(&e))
    }

    /// Asks the engine for something.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn command(&self, by: &str, command: Command) -> Result<(), ApiError> {
        let by = Actor { name: by.to_owned() };
        self.ports.engine.command(by, command).await.map_err(Into::into)
    }

    /// Ends every session of a user but `keep`, here and in the store.
    ///
    /// # Errors
    /// 500 when the disk failed; the sessions are dead all the same.
    pub async fn end_sessions(&self, user: &str, keep: Option<&str>) -> Result<(), ApiError> {
        let gone = self.sessions.end_of(user, keep);
        self.store(move |s| gone.iter().try_for_each(|key| s.session_delete(key))).await
    }
}
