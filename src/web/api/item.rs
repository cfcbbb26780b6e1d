//! One item or one section of the configuration. Each write reads the tree in force, changes that part, and commits the
//! whole: a conflict with somebody else's write is seen by the generation, and tried again when the asker named none.
use super::config::{Committed, commit, for_role, if_match};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::guard::Asker;
use crate::ports::Draft;
use axum::extract::State;
use axum::http::HeaderMap;
use model::config::{cascade, draft};
use model::id::Generation;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

/// Sections that are lists of items, and the field that names an item.
const LISTS: [(&str, &str); 7] = [
    ("agent", "id"),
    ("campaign", "name"),
    ("extension", "number"),
    ("flow", "name"),
    ("queue", "name"),
    ("schedule", "name"),
    ("trunk", "name"),
];
/// Sections that are read and replaced as one.
const WHOLE: [&str; 13] = [
    "alarm",
    "audio",
    "backup",
    "budget",
    "distribution",
    "feature",
    "inbound",
    "mail",
    "network",
    "outbound",
    "retention",
    "system",
    "time",
];
/// Tries at a write whose asker named no generation, while others write too.
const TRIES: u32 = 3;

/// `GET /config/{section}`
///
/// # Errors
/// 404.
pub async fn section(
    State(app): State<App>,
    asker: Asker,
    Path(section): Path<String>,
) -> Result<axum::Json<Value>, ApiError> {
    known(&section)?;
    let (_, tree) = app.site(|s| s.current()).await?;
    let mut tree = for_role(tree, asker.role);
    Ok(axum::Json(tree.get_mut(&section).map(Value::take).unwrap_or_default()))
}

/// `PUT /config/{section}`; `null` removes it.
///
/// # Errors
/// 404, 409, 422.
pub async fn put_section(
    State(app): State<App>,
    asker: Asker,
    headers: HeaderMap,
    Path(section): Path<String>,
    Json(body): Json<Value>,
) -> Result<axum::Json<Committed>, ApiError> {
    known(&section)?;
    change(&app, &asker, if_match(&headers)?, section.clone(), |tree| {
        let map = tree.as_object_mut().ok_or_else(broken)?;
        if body.is_null() {
            map.remove(&section);
        } else {
            map.insert(section.clone(), body.clone());
        }
        Ok(())
    })
    .await
}

/// `GET /config/{section}/{key}`
///
/// # Errors
/// 404.
pub async fn read(
    State(app): State<App>,
    asker: Asker,
    Path((section, key)): Path<(String, String)>,
) -> Result<axum::Json<Value>, ApiError> {
    let name = name_of(&section)?;
    let (_, tree) = app.site(|s| s.current()).await?;
    let mut tree = for_role(tree, asker.role);
    let list = tree[&section].as_array_mut().ok_or_else(|| ApiError::not_found("item"))?;
    let at = position(list, name, &key).ok_or_else(|| ApiError::not_found("item"))?;
    Ok(axum::Json(list.swap_remove(at)))
}

/// `PUT /config/{section}/{key}`. A body with another name renames the item. Secrets that the body leaves out stay.
///
/// # Errors
/// 404, 409, 422.
pub async fn put(
    State(app): State<App>,
    asker: Asker,
    headers: HeaderMap,
    Path((section, key)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> Result<axum::Json<Committed>, ApiError> {
    let name = name_of(&section)?;
    let mut item = body;
    let fields = item.as_object_mut().ok_or_else(|| ApiError::malformed("An item is a JSON object."))?;
    fields.entry(name).or_insert_with(|| json!(key));
    change(&app, &asker, if_match(&headers)?, format!("{section} {key}"), |tree| {
        let item = with_secrets(&item, &section, name, &key, tree);
        let list = list_of(tree, &section)?;
        match position(list, name, &key) {
            Some(at) => list[at] = item,
            None => list.push(item),
        }
        Ok(())
    })
    .await
}

/// Whether what uses a thing goes with it.
#[derive(Deserialize, IntoParams)]
pub struct DeleteParams {
    /// True: everything that names it is taken away or changed with it.
    pub cascade: Option<bool>,
}

/// `DELETE /config/{section}/{key}`
///
/// # Errors
/// 404, 409; 422 `in_use` with the list of users when something else still names it.
pub async fn delete(
    State(app): State<App>,
    asker: Asker,
    headers: HeaderMap,
    Path((section, key)): Path<(String, String)>,
    Query(params): Query<DeleteParams>,
) -> Result<axum::Json<Committed>, ApiError> {
    let name = name_of(&section)?;
    change(&app, &asker, if_match(&headers)?, format!("{section} {key} removed"), |tree| {
        let list = list_of(tree, &section)?;
        let at = position(list, name, &key).ok_or_else(|| ApiError::not_found("item"))?;
        list.remove(at);
        match draft::read(tree) {
            Err(problems) if cascade::only_uses(&problems) && params.cascade == Some(true) => {
                *tree = cascade::mend(tree.take()).map_err(ApiError::problems)?.0;
                Ok(())
            }
            Err(problems) if cascade::only_uses(&problems) => Err(in_use(tree, &section, &key, problems)),
            // Other problems are told by the commit.
            Ok(_) | Err(_) => Ok(()),
        }
    })
    .await
}

fn in_use(tree: &Value, section: &str, key: &str, problems: Vec<draft::Problem>) -> ApiError {
    let users = cascade::users(tree, &problems).join(", ");
    ApiError::in_use(
        format!("{section} {key} is used by: {users}. Change them first, or delete them with it."),
        problems,
    )
}

async fn change(
    app: &App,
    asker: &Asker,
    based_on: Option<Generation>,
    summary: String,
    edit: impl Fn(&mut Value) -> Result<(), ApiError>,
) -> Result<axum::Json<Committed>, ApiError> {
    let mut left = TRIES;
    loop {
        left -= 1;
        let (generation, mut tree) = app.site(|s| s.current()).await?;
        edit(&mut tree)?;
        let based_on = based_on.or(Some(generation));
        let done = commit(app, asker, Draft::Tree(tree), based_on, summary.clone()).await;
        match done {
            Err(error) if error.code() == "conflict" && left > 0 && based_on == Some(generation) => {}
            done => return done,
        }
    }
}

fn known(section: &str) -> Result<(), ApiError> {
    let fine = WHOLE.contains(&section) || LISTS.iter().any(|(name, _)| *name == section);
    if fine { Ok(()) } else { Err(ApiError::not_found("section")) }
}

fn name_of(section: &str) -> Result<&'static str, ApiError> {
    let found = LISTS.iter().find(|(name, _)| *name == section);
    found.map(|(_, field)| *field).ok_or_else(|| ApiError::not_found("section with items"))
}

fn list_of<'a>(tree: &'a mut Value, section: &str) -> Result<&'a mut Vec<Value>, ApiError> {
    let map = tree.as_object_mut().ok_or_else(broken)?;
    map.entry(section).or_insert_with(|| json!([])).as_array_mut().ok_or_else(broken)
}

fn broken() -> ApiError {
    ApiError::fault(&"the stored configuration is not a tree of sections")
}

fn position(list: &[Value], name: &str, key: &str) -> Option<usize> {
    list.iter().position(|item| item[name].as_str() == Some(key))
}

/// The item with the secrets that its page was not shown and left out, by the rule of the configuration itself, also
/// when it gets another name: the box must not invent a new secret and cut off a phone.
fn with_secrets(item: &Value, section: &str, name: &str, key: &str, tree: &Value) -> Value {
    let wanted = item[name].clone();
    let mut item = item.clone();
    item[name] = json!(key);
    let mut small = json!({ section: [item] });
    draft::inherit(&mut small, tree);
    let mut item = small[section][0].take();
    item[name] = wanted;
    item
}
