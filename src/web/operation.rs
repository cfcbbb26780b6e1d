//! The form of one operation of the interface: method, path, who may, what goes in and out. The table of all operations
//! (`api::operations`) makes the router, its guards and the OpenAPI document, so none of the three can forget one:
//! what is not in the table does not exist.
use crate::app::App;
use crate::error::ErrorBody;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use model::query::Role;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, ToSchema};

/// Who may use an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody; the list of these is written out in a test.
    Public,
    /// Only these.
    Roles(&'static [Role]),
}

const JSON: &str = "application/json";

/// Administrators only.
pub const ADMIN: Access = Access::Roles(&[Role::Admin]);
/// Administrators and supervisors.
pub const LEADS: Access = Access::Roles(&[Role::Supervisor, Role::Admin]);
/// Those who work with calls from queues, and their leads.
pub const AGENTS: Access = Access::Roles(&[Role::Agent, Role::Supervisor, Role::Admin]);
/// Leads, and screens on the wall.
pub const WALL: Access = Access::Roles(&[Role::Wall, Role::Supervisor, Role::Admin]);
/// Everybody signed in; the operation itself shows each only their own.
pub const EVERYONE: Access = Access::Roles(&[Role::User, Role::Agent, Role::Supervisor, Role::Admin]);

/// Schemas by name.
pub type Schemas = BTreeMap<String, Value>;

/// A body in or out. What it looks like is worked out only where the document is made: all of them together are a hundred
/// times the code and memory that a running box needs for the table.
#[derive(Clone, Copy, Debug)]
pub struct Content {
    mime: &'static str,
    schema: fn(&mut Schemas) -> Value,
}

/// One operation.
pub struct Operation {
    /// Method.
    pub method: Method,
    /// Path with `{names}`.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// What it does, one line.
    pub summary: &'static str,
    /// The code.
    pub route: MethodRouter<App>,
    query: fn() -> Vec<Value>,
    request: Option<Content>,
    response: Option<Content>,
    begins: bool,
}

/// An operation without bodies; [`Operation::takes`] and the like add them.
pub fn op<H, T>(
    method: Method,
    path: &'static str,
    access: Access,
    summary: &'static str,
    code: H,
) -> Operation
where
    H: Handler<T, App>,
    T: 'static,
{
    let filter = MethodFilter::try_from(method.clone()).expect("the table names only the usual methods");
    Operation {
        method,
        path,
        access,
        summary,
        route: on(filter, code),
        query: Vec::new,
        request: None,
        response: None,
        begins: false,
    }
}

impl Operation {
    /// Takes these in the query.
    #[must_use]
    pub fn query<T: IntoParams>(mut self) -> Operation {
        self.query = || T::into_params(|| Some(ParameterIn::Query)).iter().map(|p| json!(p)).collect();
        self
    }

    /// Takes a JSON body.
    #[must_use]
    pub fn takes<T: ToSchema>(mut self) -> Operation {
        self.request = Some(Content { mime: JSON, schema: reference::<T> });
        self
    }

    /// Takes a text or a free tree.
    #[must_use]
    pub fn takes_raw(mut self, mime: &'static str) -> Operation {
        self.request = Some(raw(mime));
        self
    }

    /// Answers before it is done: how far it is, is to be looked at elsewhere.
    #[must_use]
    pub fn begins(mut self) -> Operation {
        self.begins = true;
        self
    }

    /// Answers with JSON.
    #[must_use]
    pub fn gives<T: ToSchema>(mut self) -> Operation {
        self.response = Some(Content { mime: JSON, schema: reference::<T> });
        self
    }

    /// Answers with a JSON list.
    #[must_use]
    pub fn gives_list<T: ToSchema>(mut self) -> Operation {
        self.response = Some(Content { mime: JSON, schema: list_of::<T> });
        self
    }

    /// Answers with a page of rows.
    #[must_use]
    pub fn gives_page<T: ToSchema>(mut self) -> Operation {
        self.response = Some(Content { mime: JSON, schema: page_of::<T> });
        self
    }

    /// Answers with a text, a file or a free tree.
    #[must_use]
    pub fn gives_raw(mut self, mime: &'static str) -> Operation {
        self.response = Some(raw(mime));
        self
    }

    /// Its OpenAPI object; the schemas that it names are put into `schemas`.
    #[must_use]
    pub fn describe(&self, schemas: &mut Schemas) -> Value {
        let roles: Vec<&str> = match self.access {
            Access::Public => vec!["public"],
            Access::Roles(roles) => roles.iter().map(|r| r.word()).collect(),
        };
        let mut out = json!({
            "operationId": self.id(),
            "summary": self.summary,
            "tags": [self.tag()],
            "x-roles": roles,
            "parameters": self.path_parameters().chain((self.query)()).collect::<Vec<_>>(),
            "responses": {
                self.status(): body("Done.", self.response, schemas),
                "default": body("Refused.", Some(Content { mime: JSON, schema: reference::<ErrorBody> }), schemas),
            },
        });
        if let Some(content) = self.request {
            let schema = (content.schema)(schemas);
            out["requestBody"] =
                json!({ "required": true, "content": { content.mime: { "schema": schema } } });
        }
        if self.access == Access::Public {
            out["security"] = json!([]);
        }
        out
    }

    fn status(&self) -> &'static str {
        if matches!(self.path, "/api/v1/live" | crate::live::stream::PATH | crate::live::phone::PATH) {
            "101"
        } else if self.begins {
            "202"
        } else if self.response.is_some() {
            "200"
        } else {
            "204"
        }
    }

    fn tag(&self) -> &str {
        self.path.trim_start_matches("/api/").trim_start_matches("v1/").split('/').next().unwrap_or("api")
    }

    fn id(&self) -> String {
        let words = self.path.trim_start_matches("/api/").trim_start_matches("v1/");
        let words: String = words.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let words: Vec<&str> = words.split('_').filter(|w| !w.is_empty()).collect();
        format!("{}_{}", self.method.as_str().to_lowercase(), words.join("_"))
    }

    fn path_parameters(&self) -> impl Iterator<Item = Value> {
        let names = self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        names.map(|name| {
            let number = matches!(name, "call" | "contact" | "generation" | "message" | "recording");
            let schema =
                if number { json!({"type": "integer", "minimum": 0}) } else { json!({"type": "string"}) };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
    }
}

fn raw(mime: &'static str) -> Content {
    let schema: fn(&mut Schemas) -> Value =
        if mime == JSON { |_| json!({}) } else { |_| json!({"type": "string"}) };
    Content { mime, schema }
}

fn reference<T: ToSchema>(schemas: &mut Schemas) -> Value {
    let mut found: Vec<(String, RefOr<Schema>)> = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut found);
    schemas.extend(found.into_iter().map(|(name, schema)| (name, json!(schema))));
    json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
}

fn list_of<T: ToSchema>(schemas: &mut Schemas) -> Value {
    json!({ "type": "array", "items": reference::<T>(schemas) })
}

fn page_of<T: ToSchema>(schemas: &mut Schemas) -> Value {
    json!({
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": list_of::<T>(schemas),
            "next": {
                "description": "`before` of the next page; null = this was the last.",
                "type": ["integer", "null"],
                "minimum": 0,
            },
        },
    })
}

fn body(text: &str, content: Option<Content>, schemas: &mut Schemas) -> Value {
    match content {
        None => json!({ "description": text }),
        Some(c) => json!({ "description": text, "content": { c.mime: { "schema": (c.schema)(schemas) } } }),
    }
}
