//! The OpenAPI document, made from the table of operations. The box gives out the committed copy; a test keeps both equal.
use crate::error::ErrorBody;
use crate::live::proto::ClientFrame;
use crate::live::topic::Topic;
use crate::operation::Schemas;
use axum::http::header;
use axum::response::IntoResponse;
use model::browser_phone::{PhoneAsk, PhoneTell};
use model::notice::{MailboxView, SystemView};
use serde_json::{Value, json};
use utoipa::{PartialSchema, ToSchema};

static DOCUMENT: &str = include_str!("../openapi.json");

/// `GET /api/openapi.json`
pub async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}

/// The document.
#[must_use]
pub fn build() -> Value {
    let mut paths = json!({});
    let mut schemas = Schemas::new();
    for operation in super::operations() {
        let method = operation.method.as_str().to_lowercase();
        paths[operation.path][method] = operation.describe(&mut schemas);
    }
    add::<ErrorBody>(&mut schemas);
    add::<ClientFrame>(&mut schemas);
    add::<Topic>(&mut schemas);
    add::<PhoneAsk>(&mut schemas);
    add::<PhoneTell>(&mut schemas);
    // Values of live topics that no list gives.
    add::<MailboxView>(&mut schemas);
    add::<SystemView>(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Belfry",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The interface of the box. Times are milliseconds since 1970 UTC. Writes with a cookie \
                session carry the header X-CSRF. POST takes Idempotency-Key. x-roles names who may call an operation; \
                whatever is not listed does not exist.",
            "license": { "name": env!("CARGO_PKG_LICENSE") },
        },
        "security": [{ "session": [] }, { "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": crate::session::COOKIE },
                "token": { "type": "http", "scheme": "bearer" },
            },
        },
    })
}

fn add<T: ToSchema + PartialSchema>(schemas: &mut Schemas) {
    let mut found = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut found);
    schemas.extend(found.into_iter().map(|(name, schema)| (name, json!(schema))));
}
