//! Lists of numbers to be called, and numbers that must not be. Leads import, look and remove. A sheet is the body of the
//! import; rows that are not taken come back as a sheet that says why.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::guard::Asker;
use crate::ports::ListRefusal;
use crate::upload;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use model::campaign::Barred;
use model::command::Command;
use model::country::Country;
use model::id::EntryId;
use model::number::Number;
use model::query::{
    BarredImport, BarredImported, EntryRow, ListImport, ListImported, ListRow, Mapping, RejectRow,
};
use model::sentence::Sentence;
use serde::Deserialize;
use std::fmt::Write as _;
use utoipa::{IntoParams, ToSchema};

/// Longest name of a list, as of everything that is named in the configuration.
const NAME: usize = 40;
/// Pages of rejects in one file: 200,000 rows.
const REJECT_PAGES: usize = 200;

/// An import.
#[derive(Deserialize, IntoParams)]
pub struct ImportParams {
    /// List that the rows go to.
    pub list: String,
    /// Name of the file, shown in the list.
    pub file: Option<String>,
    /// Country of numbers without one, ISO code; that of the site unless given.
    pub country: Option<String>,
    /// Column of the numbers.
    pub number: Option<String>,
    /// Column of the names.
    pub name: Option<String>,
    /// Column of the time zones.
    pub zone: Option<String>,
    /// Column of the values: higher is called first.
    pub value: Option<String>,
}

/// An import into the do-not-call list.
#[derive(Deserialize, IntoParams)]
pub struct BarredParams {
    /// Country of numbers without one, ISO code; that of the site unless given.
    pub country: Option<String>,
}

/// Where a page begins.
#[derive(Deserialize, IntoParams)]
pub struct AfterParams {
    /// The last one of the page before.
    pub after: Option<u64>,
}

/// Where a page of numbers begins.
#[derive(Deserialize, IntoParams)]
pub struct AfterNumber {
    /// The last one of the page before.
    pub after: Option<String>,
}

/// A number for or off the do-not-call list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BarForm {
    /// In any form that the site's phones could dial.
    pub number: String,
    /// On the list, or off it.
    pub listed: bool,
}

impl From<ListRefusal> for ApiError {
    fn from(refusal: ListRefusal) -> ApiError {
        match refusal {
            ListRefusal::File(said) => ApiError::field("file", "unreadable", said),
            ListRefusal::Fault(fault) => fault.into(),
        }
    }
}

/// `GET /lists`
///
/// # Errors
/// 500 when the disk failed.
pub async fn all(State(app): State<App>) -> Result<axum::Json<Vec<ListRow>>, ApiError> {
    Ok(axum::Json(app.lists(|l| l.lists()).await?))
}

/// `POST /lists/import`: the sheet is the body.
///
/// # Errors
/// 413, 422 with what is wrong with the file, 507.
pub async fn import(
    State(app): State<App>,
    asker: Asker,
    Query(params): Query<ImportParams>,
    body: Body,
) -> Result<axum::Json<ListImported>, ApiError> {
    let list = params.list.trim().to_owned();
    let fine = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
    if list.is_empty() || list.chars().count() > NAME || !list.chars().all(fine) {
        let said = Sentence::new(
            "Give the list a name of letters, digits, space, -, _ and ., at most 40 characters.",
            "请用字母、数字、空格、-、_ 和 . 为列表命名，最多 40 个字符。",
        );
        return Err(ApiError::field("list", "out_of_range", said));
    }
    let country = match params.country {
        Some(code) => code,
        None => home(&app).await?.0,
    };
    let path = app.lists(|l| l.upload()).await?;
    upload::to_file(body, &path, upload::LIST).await?;
    let order = ListImport {
        list,
        file: params.file.unwrap_or_default().chars().take(200).collect(),
        country,
        mapping: Mapping { number: params.number, name: params.name, zone: params.zone, value: params.value },
        by: asker.name.clone(),
        at: app.now().wall,
    };
    let file = path.clone();
    let done = app.list_import(file, order).await;
    // The file has been read, or is of no use.
    let _ = tokio::fs::remove_file(&path).await;
    let done = done?;
    app.command(&asker.name, Command::ListsChanged).await?;
    Ok(axum::Json(done))
}

/// `GET /lists/{list}/entries`
///
/// # Errors
/// 500 when the disk failed.
pub async fn entries(
    State(app): State<App>,
    Path(list): Path<String>,
    Query(params): Query<AfterParams>,
) -> Result<axum::Json<Vec<EntryRow>>, ApiError> {
    let after = EntryId(params.after.unwrap_or(0));
    Ok(axum::Json(app.lists(move |l| l.entries(&list, after)).await?))
}

/// `GET /lists/{list}/rejects`: CSV.
///
/// # Errors
/// 500 when the disk failed.
pub async fn rejects(
    State(app): State<App>,
    Path(list): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let mut text = String::from("row,reason,text\r\n");
    let mut after = 0;
    for _ in 0..REJECT_PAGES {
        let name = list.clone();
        let page: Vec<RejectRow> = app.lists(move |l| l.rejects(&name, after)).await?;
        let Some(last) = page.last() else { break };
        after = last.line;
        for row in &page {
            let _ = write!(text, "{},{},\"{}\"\r\n", row.line, row.reason, row.text.replace('"', "\"\""));
        }
    }
    let file = "attachment; filename=\"rejected.csv\"";
    Ok(([(header::CONTENT_TYPE, "text/csv"), (header::CONTENT_DISPOSITION, file)], text))
}

/// `DELETE /lists/{list}`
///
/// # Errors
/// 404.
pub async fn delete(
    State(app): State<App>,
    asker: Asker,
    Path(list): Path<String>,
) -> Result<StatusCode, ApiError> {
    if !app.lists(move |l| l.delete(&list)).await? {
        return Err(ApiError::not_found("list"));
    }
    app.command(&asker.name, Command::ListsChanged).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /barred`
///
/// # Errors
/// 500 when the disk failed.
pub async fn barred(
    State(app): State<App>,
    Query(params): Query<AfterNumber>,
) -> Result<axum::Json<Vec<Barred>>, ApiError> {
    let after = params.after.unwrap_or_default();
    Ok(axum::Json(app.lists(move |l| l.barred(&after)).await?))
}

/// `POST /barred`
///
/// # Errors
/// 422 for what is no number.
pub async fn bar(
    State(app): State<App>,
    asker: Asker,
    Json(form): Json<BarForm>,
) -> Result<StatusCode, ApiError> {
    let (country, area) = home(&app).await?;
    let country = Country::find(&country).unwrap_or(Country::generic());
    let number = Number::read(&form.number).and_then(|n| country.e164(&n, &area));
    let number = number.ok_or_else(|| {
        let said = Sentence::new(
            "This is no telephone number; write it like +4930123456.",
            "这不是电话号码；请按 +4930123456 的格式填写。",
        );
        ApiError::field("number", "malformed", said)
    })?;
    app.command(&asker.name, Command::Bar { number, listed: form.listed }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /barred/import`: the file is the body, one number a row.
///
/// # Errors
/// 413, 422 with what is wrong with the file, 507.
pub async fn bar_all(
    State(app): State<App>,
    asker: Asker,
    Query(params): Query<BarredParams>,
    body: Body,
) -> Result<axum::Json<BarredImported>, ApiError> {
    let country = match params.country {
        Some(code) => code,
        None => home(&app).await?.0,
    };
    let path = app.lists(|l| l.upload()).await?;
    upload::to_file(body, &path, upload::LIST).await?;
    let order = BarredImport { country, by: asker.name.clone(), at: app.now().wall };
    let done = app.barred_import(path.clone(), order).await;
    // The file has been read, or is of no use.
    let _ = tokio::fs::remove_file(&path).await;
    // What was taken before a fault stays, so campaigns look again in any case.
    app.command(&asker.name, Command::BarredChanged).await?;
    Ok(axum::Json(done?))
}

/// Country and area code of the site.
async fn home(app: &App) -> Result<(String, String), ApiError> {
    let (_, tree) = app.site(|s| s.current()).await?;
    let text = |field: &str| tree["system"][field].as_str().unwrap_or_default().to_owned();
    Ok((text("country"), text("area_code")))
}
