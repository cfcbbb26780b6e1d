//! Who asks, and whether they may: the one door in front of every operation. A cookie session, an API token or the local
//! socket (administrator); roles by the table of operations; the CSRF proof is checked before the body is read. Decides
//! access only, never what an operation does.
use crate::app::App;
use crate::error::ApiError;
use crate::idempotency;
use crate::operation::Access;
use crate::personal::Personal;
use crate::{secret, session};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use model::query::{Own, Role};
use model::sentence::Sentence;
use std::net::IpAddr;

/// Header that carries the CSRF proof of a session.
pub const CSRF: &str = "x-csrf";
/// Name shown for what comes in through the local socket.
const CONSOLE: &str = "console";

/// Where a connection comes from; put on each request by the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The local socket: whoever may open it is root on the box.
    Local,
    /// The network.
    Net(IpAddr),
}

/// How they proved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Came in through the local socket.
    Local,
    /// Signed in with a browser.
    Session {
        /// Key of the session.
        cookie_hash: String,
        /// What writes must carry.
        csrf: String,
    },
    /// An API token.
    Token {
        /// Its hash.
        token_hash: String,
    },
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Asker {
    /// User or token name, or `console`.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// How they proved it.
    pub proof: Proof,
    /// Their agent and extension.
    pub own: Own,
    /// Mailboxes that are closed to administrators; supervisors may listen, and it is noted.
    pub personal: Personal,
}

impl Asker {
    /// Whether they see and steer everybody's calls, queues and agents.
    #[must_use]
    pub fn sees_all(&self) -> bool {
        self.role >= Role::Supervisor
    }
}

impl<S: Sync> FromRequestParts<S> for Asker {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asker, ApiError> {
        parts.extensions.get::<Asker>().cloned().ok_or_else(ApiError::unauthenticated)
    }
}

/// The address of the asker, for limits; the local socket has none.
pub struct Address(pub Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Address {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Address, ApiError> {
        Ok(Address(match peer(&parts.extensions) {
            Peer::Local => None,
            Peer::Net(address) => Some(address),
        }))
    }
}

fn peer(extensions: &axum::http::Extensions) -> Peer {
    extensions.get::<Peer>().copied().unwrap_or(Peer::Net(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)))
}

/// The door of one operation.
#[derive(Clone)]
pub struct Door {
    /// What is shared.
    pub app: App,
    /// Who may pass.
    pub access: Access,
}

/// Lets a request pass, or answers it.
pub async fn guard(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let asker = match admit(&door, &request) {
        Ok(asker) => asker,
        Err(refusal) => return refusal.into_response(),
    };
    let key = idempotency::key_of(&request, asker.as_ref());
    if let Some(asker) = asker {
        request.extensions_mut().insert(asker);
    }
    match key {
        Some(key) => idempotency::answer(door.app, key, request, next).await,
        None => next.run(request).await,
    }
}

fn admit(door: &Door, request: &Request) -> Result<Option<Asker>, ApiError> {
    let asker = identify(&door.app, request)?;
    let write = !matches!(*request.method(), Method::GET | Method::HEAD);
    if write {
        same_origin(request.headers())?;
    }
    let Access::Roles(roles) = door.access else { return Ok(asker) };
    let Some(asker) = asker else {
        return Err(if door.app.setup_needed() { setup_first() } else { ApiError::unauthenticated() });
    };
    if !roles.contains(&asker.role) {
        return Err(ApiError::forbidden());
    }
    if let (true, Proof::Session { csrf, .. }) = (write, &asker.proof) {
        let given = request.headers().get(CSRF).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if !secret::same(given, csrf) {
            let said = Sentence::new(
                "Send the csrf value of GET /api/v1/session in the header X-CSRF.",
                "请在请求头 X-CSRF 中发送 GET /api/v1/session 的 csrf 值。",
            );
            return Err(ApiError::new(StatusCode::FORBIDDEN, "csrf", said));
        }
    }
    Ok(Some(asker))
}

fn setup_first() -> ApiError {
    let said =
        Sentence::new("Finish the set-up first, with the one-time code.", "请先用一次性设置码完成初始设置。");
    ApiError::new(StatusCode::FORBIDDEN, "setup_needed", said)
}

/// Whoever the request proves to be; `None` = anonymous.
fn identify(app: &App, request: &Request) -> Result<Option<Asker>, ApiError> {
    if peer(request.extensions()) == Peer::Local {
        let own = Own::default();
        let personal = app.accounts.personal().clone();
        return Ok(Some(Asker {
            name: CONSOLE.into(),
            role: Role::Admin,
            proof: Proof::Local,
            own,
            personal,
        }));
    }
    let headers = request.headers();
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(|v| v.strip_prefix("Bearer ")).unwrap_or_default();
        return by_token(app, token.trim()).map(Some).ok_or_else(ApiError::unauthenticated);
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    Ok(cookies.filter_map(session::cookie_of).find_map(|cookie| by_cookie(app, cookie)))
}

fn by_token(app: &App, token: &str) -> Option<Asker> {
    let row = app.accounts.token_by_hash(&secret::sha256_hex(token))?;
    let proof = Proof::Token { token_hash: row.token_hash };
    let personal = app.accounts.personal().clone();
    Some(Asker { name: row.name, role: row.role, proof, own: Own::default(), personal })
}

fn by_cookie(app: &App, cookie: &str) -> Option<Asker> {
    let found = app.sessions.find(cookie, app.now())?;
    let user = app.accounts.user(&found.user)?;
    if let Some(row) = found.renew {
        keep(app, row);
    }
    Some(Asker {
        personal: app.accounts.personal().clone(),
        name: user.name,
        role: user.role,
        proof: Proof::Session { cookie_hash: found.cookie_hash, csrf: found.csrf },
        own: Own { agent: user.agent, extension: user.extension },
    })
}

/// Stores the time of last use beside the request; losing it only shortens a session after a crash.
pub(crate) fn keep(app: &App, row: model::query::SessionRow) {
    let storage = std::sync::Arc::clone(&app.ports.storage);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = storage.session_put(row) {
            tracing::warn!(%error, "a session's last use was not stored");
        }
    });
}

/// A browser says which page a write comes from; only our own may.
///
/// # Errors
/// 403 for another origin.
pub fn same_origin(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let ours = origin.to_str().ok().and_then(|o| o.strip_prefix("https://")) == Some(host);
    if ours && !host.is_empty() {
        return Ok(());
    }
    let said = Sentence::new("This request comes from another site's page.", "此请求来自其他网站的页面。");
    Err(ApiError::new(StatusCode::FORBIDDEN, "origin", said))
}

/// Whether what somebody proved at the start of a live connection still holds. Does not count as use.
#[must_use]
pub fn still_valid(app: &App, asker: &Asker) -> bool {
    match &asker.proof {
        Proof::Local => true,
        Proof::Session { cookie_hash, .. } => app.sessions.alive(cookie_hash, app.now().mono),
        Proof::Token { token_hash } => app.accounts.token_by_hash(token_hash).is_some(),
    }
}
