//! Who may sign in and which tokens exist, kept in memory and written through to the store: a request then never waits
//! for the disk to know who asks. The web is the only writer while the box runs.
use crate::error::ApiError;
use crate::personal::Personal;
use crate::ports::{Storage, Stored};
use model::query::{Role, TokenRow, UserRow};
use model::sentence::Sentence;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// People who may sign in, at most: every list of them is shown whole.
const USERS: usize = 1000;
/// API tokens, at most.
const TOKENS: usize = 200;

#[derive(Default)]
struct Known {
    users: BTreeMap<String, UserRow>,
    tokens: BTreeMap<String, TokenRow>,
}

/// Users and tokens.
pub struct Accounts {
    known: RwLock<Known>,
    personal: Personal,
}

impl Accounts {
    /// Reads them all. Blocks.
    ///
    /// # Errors
    /// The disk failed.
    pub fn load(storage: &dyn Storage) -> Stored<Accounts> {
        let users = storage.users()?.into_iter().map(|u| (u.name.clone(), u)).collect();
        let tokens = storage.tokens()?.into_iter().map(|t| (t.name.clone(), t)).collect();
        let (known, personal) = (Known { users, tokens }, Personal::default());
        personal.signs_in(known.users.values());
        Ok(Accounts { known: RwLock::new(known), personal })
    }

    /// One user.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<UserRow> {
        self.read().users.get(name).cloned()
    }

    /// All users by name.
    #[must_use]
    pub fn users(&self) -> Vec<UserRow> {
        self.read().users.values().cloned().collect()
    }

    /// Which mailboxes are personal, now and later.
    #[must_use]
    pub fn personal(&self) -> &Personal {
        &self.personal
    }

    /// All tokens by name.
    #[must_use]
    pub fn tokens(&self) -> Vec<TokenRow> {
        self.read().tokens.values().cloned().collect()
    }

    /// The token whose text hashes to this.
    #[must_use]
    pub fn token_by_hash(&self, hash: &str) -> Option<TokenRow> {
        self.read().tokens.values().find(|t| t.token_hash == hash).cloned()
    }

    /// Whether somebody can administer the box; until then only set-up is open.
    #[must_use]
    pub fn has_admin(&self) -> bool {
        self.admins() > 0
    }

    /// How many can.
    #[must_use]
    pub fn admins(&self) -> usize {
        self.read().users.values().filter(|u| u.role == Role::Admin).count()
    }

    /// Makes or replaces a user, on disk first. Blocks.
    ///
    /// # Errors
    /// 409 at the limit; 500 when the disk failed.
    pub fn put_user(&self, storage: &dyn Storage, user: UserRow) -> Result<(), ApiError> {
        let mut known = self.write();
        if known.users.len() >= USERS && !known.users.contains_key(&user.name) {
            return Err(ApiError::conflict(Sentence::new(
                "There are 1,000 users already.",
                "已有 1,000 个用户。",
            )));
        }
        storage.user_put(user.clone())?;
        known.users.insert(user.name.clone(), user);
        self.personal.signs_in(known.users.values());
        Ok(())
    }

    /// Makes the first administrator, on disk first. Blocks.
    ///
    /// # Errors
    /// 409 when there is one already; 500 when the disk failed.
    pub fn put_first_admin(&self, storage: &dyn Storage, user: UserRow) -> Result<(), ApiError> {
        let mut known = self.write();
        if known.users.values().any(|u| u.role == Role::Admin) {
            return Err(set_up_already());
        }
        storage.user_put(user.clone())?;
        known.users.insert(user.name.clone(), user);
        Ok(())
    }

    /// Removes a user, on disk first. The last admin stays. Blocks.
    ///
    /// # Errors
    /// 404, 409 for the last admin, 500 when the disk failed.
    pub fn delete_user(&self, storage: &dyn Storage, name: &str) -> Result<(), ApiError> {
        let mut known = self.write();
        let role = known.users.get(name).map(|u| u.role).ok_or_else(|| ApiError::not_found("user"))?;
        let admins = known.users.values().filter(|u| u.role == Role::Admin).count();
        if role == Role::Admin && admins == 1 {
            return Err(last_admin());
        }
        storage.user_delete(name)?;
        known.users.remove(name);
        self.personal.signs_in(known.users.values());
        Ok(())
    }

    /// Makes a token, on disk first. Blocks.
    ///
    /// # Errors
    /// 409 when the name is taken or at the limit; 500 when the disk failed.
    pub fn add_token(&self, storage: &dyn Storage, token: TokenRow) -> Result<(), ApiError> {
        let mut known = self.write();
        if known.tokens.contains_key(&token.name) {
            return Err(ApiError::conflict(Sentence::new(
                "There is a token of this name already. Delete it first.",
                "已有同名令牌，请先删除它。",
            )));
        }
        if known.tokens.len() >= TOKENS {
            return Err(ApiError::conflict(Sentence::new(
                "There are 200 tokens already.",
                "已有 200 个令牌。",
            )));
        }
        storage.token_put(token.clone())?;
        known.tokens.insert(token.name.clone(), token);
        Ok(())
    }

    /// Removes a token, on disk first. Blocks.
    ///
    /// # Errors
    /// 404; 500 when the disk failed.
    pub fn delete_token(&self, storage: &dyn Storage, name: &str) -> Result<(), ApiError> {
        let mut known = self.write();
        if !known.tokens.contains_key(name) {
            return Err(ApiError::not_found("token"));
        }
        storage.token_delete(name)?;
        known.tokens.remove(name);
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 409: there is an administrator already.
pub(crate) fn set_up_already() -> ApiError {
    ApiError::conflict(Sentence::new("The set-up is done already. Sign in.", "初始设置已完成，请登录。"))
}

/// 409: nobody would be left who may do everything.
pub(crate) fn last_admin() -> ApiError {
    ApiError::conflict(Sentence::new(
        "This is the last administrator. Make another one first.",
        "这是最后一个管理员，请先添加另一个。",
    ))
}
