//! A box behind the ports that exists in memory only, and the few words the tests speak with it.
mod ports;

pub use ports::{Clock, Disk, FakeEngine, FakeSaving, FakeSite, FakeSystem};

use crate::app::{App, Settings};
use crate::guard::Peer;
use crate::ports::{Ports, Storage};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use model::query::{Role, UserRow};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::{Arc, LazyLock, Mutex};
use tower::ServiceExt;

/// Password of everybody in these tests.
pub const PASSWORD: &str = "twelve white doves";
static HASH: LazyLock<String> = LazyLock::new(|| crate::password::hash(PASSWORD).unwrap());

/// The box.
pub struct Bench {
    pub app: App,
    pub router: Router,
    pub disk: Arc<Disk>,
    pub site: Arc<FakeSite>,
    pub engine: Arc<FakeEngine>,
    pub clock: Arc<Clock>,
    pub saving: Arc<FakeSaving>,
    pub system: Arc<FakeSystem>,
    pub folder: tempfile::TempDir,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A signed-in browser.
#[derive(Clone, Debug)]
pub struct Browser {
    pub cookie: String,
    pub csrf: String,
}

/// A box with one user per role: `anna` admin, `sam` supervisor, `ada` agent 7 at 101, `uli` user at 102.
pub fn bench() -> Bench {
    let disk = Arc::new(Disk::default());
    for (name, role, agent, extension) in [
        ("anna", Role::Admin, None, None),
        ("sam", Role::Supervisor, None, Some("103")),
        ("ada", Role::Agent, Some("7"), Some("101")),
        ("uli", Role::User, None, Some("102")),
    ] {
        let row = UserRow {
            name: name.into(),
            role,
            password_hash: HASH.clone(),
            agent: agent.map(Into::into),
            extension: extension.map(Into::into),
            created: model::clock::Wall(0),
        };
        disk.user_put(row).unwrap();
    }
    bench_on(disk)
}

/// A box that nobody has set up.
pub fn new_box() -> Bench {
    bench_on(Arc::default())
}

/// A box started on what is on that disk.
pub fn bench_on(disk: Arc<Disk>) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let (site, engine, clock) =
        (Arc::new(FakeSite::new()), Arc::new(FakeEngine::default()), Arc::new(Clock::new()));
    let saving = Arc::new(FakeSaving { folder: folder.path().into(), restored: Mutex::default() });
    let system = Arc::new(FakeSystem::new(folder.path().into()));
    let ports = Ports {
        storage: disk.clone(),
        site: site.clone(),
        engine: engine.clone(),
        machine: clock.clone(),
        saving: saving.clone(),
        lan: std::sync::Arc::new(ports::Lan::default()),
        capture: std::sync::Arc::new(ports::Capture::default()),
        flows: std::sync::Arc::new(ports::FakeFlows),
        updates: system.clone(),
        lists: std::sync::Arc::new(ports::Lists),
        phones: std::sync::Arc::new(ports::Phones),
    };
    let settings = Settings { data: folder.path().into(), setup_code: folder.path().join("setup-code") };
    let app = App::start(ports, settings).unwrap();
    let router = crate::server::router(&app);
    Bench { app, router, disk, site, engine, clock, saving, system, folder }
}

/// The name of a role's user on the bench.
pub fn name_of(role: Role) -> &'static str {
    match role {
        Role::Admin => "anna",
        Role::Supervisor => "sam",
        Role::Agent => "ada",
        Role::User => "uli",
        Role::Wall => "a token",
    }
}

impl Bench {
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let mut request = request;
        if request.extensions().get::<Peer>().is_none() {
            request.extensions_mut().insert(Peer::Net(IpAddr::from([192, 0, 2, 1])));
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn login_from(&self, user: &str, password: &str, from: [u8; 4]) -> Answer {
        let mut request = post("/api/v1/login", &json!({ "user": user, "password": password }));
        request.extensions_mut().insert(Peer::Net(IpAddr::from(from)));
        self.send(request).await
    }

    pub async fn sign_in(&self, user: &str) -> Browser {
        let answer = self.login_from(user, PASSWORD, [192, 0, 2, 9]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        browser(&answer)
    }

    pub async fn get(&self, browser: &Browser, path: &str) -> Answer {
        self.ask(browser, "GET", path, None).await
    }

    pub async fn ask(&self, browser: &Browser, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.send(with(browser, request(method, path, body))).await
    }

    pub async fn local(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let mut request = request(method, path, body);
        request.extensions_mut().insert(Peer::Local);
        self.send(request).await
    }
}

/// The browser that a sign-in answer makes.
pub fn browser(answer: &Answer) -> Browser {
    let cookie = answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    Browser { cookie, csrf: answer.json()["csrf"].as_str().unwrap().to_owned() }
}

pub fn request(method: &str, path: &str, body: Option<&Value>) -> Request<Body> {
    let builder = Request::builder().method(method).uri(path).header("host", "box.lan");
    match body {
        None => builder.body(Body::empty()).unwrap(),
        Some(body) => {
            builder.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()
        }
    }
}

pub fn post(path: &str, body: &Value) -> Request<Body> {
    request("POST", path, Some(body))
}

pub fn with(browser: &Browser, mut request: Request<Body>) -> Request<Body> {
    let headers = request.headers_mut();
    headers.insert("cookie", browser.cookie.parse().unwrap());
    headers.insert("x-csrf", browser.csrf.parse().unwrap());
    request
}
