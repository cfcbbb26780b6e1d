//! Live things as plain lists, for scripts and the console that do not keep a socket open. The same filter by role as
//! the socket.
use crate::app::App;
use crate::guard::Asker;
use crate::live::hub::Shown;
use crate::live::scope::Scope;
use crate::live::topic::Topic;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// `GET /agents`
pub async fn agents(State(app): State<App>, asker: Asker) -> Response {
    list(&app, &asker, Topic::Agents)
}

/// `GET /desks`
pub async fn desks(State(app): State<App>, asker: Asker) -> Response {
    list(&app, &asker, Topic::Outreach)
}

/// `GET /health`
pub async fn health(State(app): State<App>, asker: Asker) -> Response {
    list(&app, &asker, Topic::Health)
}

/// `GET /phones`
pub async fn phones(State(app): State<App>, asker: Asker) -> Response {
    list(&app, &asker, Topic::Phones)
}

/// `GET /queues`
pub async fn queues(State(app): State<App>, asker: Asker) -> Response {
    list(&app, &asker, Topic::Queues)
}

/// `GET /trunks`
pub async fn trunks(State(app): State<App>, asker: Asker) -> Response {
    list(&app, &asker, Topic::Trunks)
}

/// The things are kept as JSON text: they are only joined here.
fn list(app: &App, asker: &Asker, topic: Topic) -> Response {
    let all = app.hub.difference(topic, &Scope::of(asker), &mut Shown::new()).up;
    let items: Vec<&str> = all.iter().map(|(_, json)| &**json).collect();
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (kind, format!("[{}]", items.join(","))).into_response()
}
