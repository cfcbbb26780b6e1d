//! Contacts: who calls. Everybody who works with calls reads and writes them; leads import lists and remove people. A
//! list comes as CSV with a header line, at most 1 MiB at a time; each line is taken or refused by itself.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::guard::Asker;
use axum::extract::State;
use axum::http::StatusCode;
use model::config::draft::Problem;
use model::contact::{Contact, ContactDraft, ContactQuery, ContactRefusal, Home, MOST};
use model::country::Country;
use model::id::ContactId;
use model::query::{PAGE_MAX, Page};
use model::sentence::Sentence;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Longest text looked for.
const TEXT: usize = 64;
/// Most refused lines told of one import: more have the same cause.
const TOLD: usize = 100;

/// Which contacts.
#[derive(Deserialize, IntoParams)]
pub struct ContactParams {
    /// Part of a name, company or number.
    pub q: Option<String>,
    /// Only this class.
    pub class: Option<String>,
    /// `next` of the page before.
    pub before: Option<u64>,
    /// Most contacts, 1–200; 50 unless given.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// What became of a list.
#[derive(Default, Serialize, ToSchema)]
pub struct Imported {
    /// Lines taken.
    pub taken: u32,
    /// Lines refused.
    pub refused: u32,
    /// The first 100 of the refused ones.
    pub lines: Vec<RefusedLine>,
}

/// A line that was not taken.
#[derive(Serialize, ToSchema)]
pub struct RefusedLine {
    /// Its number in the file; the header is line 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: Problem,
}

/// `GET /contacts`
///
/// # Errors
/// 500 when the disk failed.
pub async fn list(
    State(app): State<App>,
    Query(params): Query<ContactParams>,
) -> Result<axum::Json<Page<Contact>>, ApiError> {
    let given = |text: Option<String>| {
        text.map(|t| t.trim().chars().take(TEXT).collect::<String>()).filter(|t| !t.is_empty())
    };
    let query = ContactQuery {
        text: given(params.q),
        class: given(params.class),
        offset: params.before.unwrap_or(0).min(u64::try_from(MOST).unwrap_or(u64::MAX)),
        limit: params.limit.unwrap_or(50).clamp(1, PAGE_MAX),
    };
    Ok(axum::Json(app.store(move |s| s.contacts(&query)).await?))
}

/// `GET /contacts/{contact}`
///
/// # Errors
/// 404.
pub async fn read(State(app): State<App>, Path(contact): Path<u64>) -> Result<axum::Json<Contact>, ApiError> {
    let found = app.store(move |s| s.contact(ContactId(contact))).await?;
    found.map(axum::Json).ok_or_else(|| ApiError::not_found("contact"))
}

/// `GET /contacts/of/{number}`
///
/// # Errors
/// 404.
pub async fn of(State(app): State<App>, Path(number): Path<String>) -> Result<axum::Json<Contact>, ApiError> {
    let number = home(&app).await?.number(&number).ok_or_else(|| ApiError::not_found("contact"))?;
    let found = app.store(move |s| s.contact_of(&number)).await?;
    found.map(axum::Json).ok_or_else(|| ApiError::not_found("contact"))
}

/// `POST /contacts`
///
/// # Errors
/// 409 for a number of somebody else and when there is no room, 422.
pub async fn create(
    State(app): State<App>,
    Json(draft): Json<ContactDraft>,
) -> Result<axum::Json<Contact>, ApiError> {
    keep(&app, ContactId(0), draft).await
}

/// `PUT /contacts/{contact}`
///
/// # Errors
/// 404, 409 for a number of somebody else, 422.
pub async fn put(
    State(app): State<App>,
    Path(contact): Path<u64>,
    Json(draft): Json<ContactDraft>,
) -> Result<axum::Json<Contact>, ApiError> {
    if contact == 0 {
        return Err(ApiError::not_found("contact"));
    }
    keep(&app, ContactId(contact), draft).await
}

/// `DELETE /contacts/{contact}`
///
/// # Errors
/// 404.
pub async fn delete(
    State(app): State<App>,
    asker: Asker,
    Path(contact): Path<u64>,
) -> Result<StatusCode, ApiError> {
    tracing::info!(by = asker.name, contact, "a contact is removed");
    let found = app.store(move |s| s.contact_delete(ContactId(contact))).await?;
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found("contact")) }
}

/// `POST /contacts/import`
///
/// # Errors
/// 422 when the header line has no column we know; 413.
pub async fn import(
    State(app): State<App>,
    asker: Asker,
    text: String,
) -> Result<axum::Json<Imported>, ApiError> {
    let (home, now) = (home(&app).await?, app.now().wall);
    let mut done = Imported::default();
    let (mut lines, mut contacts) = (Vec::new(), Vec::new());
    for (line, draft) in rows(&text)? {
        match draft.and_then(|draft| draft.check(&home, now)) {
            Ok(contact) => {
                lines.push(line);
                contacts.push(contact);
            }
            Err(problems) => done.refuse(line, problems),
        }
    }
    let answers = app.store(move |s| s.contacts_take(contacts)).await?;
    for (line, answer) in lines.into_iter().zip(answers) {
        match answer {
            Ok(_) => done.taken += 1,
            Err(refusal) => done.refuse(line, vec![problem(&refusal)]),
        }
    }
    done.lines.sort_by_key(|l| l.line);
    tracing::info!(by = asker.name, taken = done.taken, refused = done.refused, "contacts were imported");
    Ok(axum::Json(done))
}

impl Imported {
    fn refuse(&mut self, line: u64, problems: Vec<Problem>) {
        self.refused += 1;
        if let Some(problem) = problems.into_iter().next().filter(|_| self.lines.len() < TOLD) {
            self.lines.push(RefusedLine { line, problem });
        }
    }
}

type DraftRow = (u64, Result<ContactDraft, Vec<Problem>>);

/// The lines of a list. Columns we know: `number` (several, also `number2`, `phone`, `mobile`), `name`, `company`,
/// `class`, `language`, `notes`; any other becomes a field of its name.
fn rows(text: &str) -> Result<Vec<DraftRow>, ApiError> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let comma = separator(&text);
    let mut file = csv::ReaderBuilder::new().delimiter(comma).flexible(true).from_reader(text.as_bytes());
    let header: Vec<Column> = match file.headers() {
        Ok(names) => names.iter().map(Column::of).collect(),
        Err(_) => Vec::new(),
    };
    if !header.contains(&Column::Number) {
        let said = Sentence::new(
            "The first line must name the columns, one of them \"number\".",
            "首行必须是各列的名称，其中一列为“number”。",
        );
        return Err(ApiError::field("number", "missing", said));
    }
    let mut rows = Vec::new();
    for record in file.records() {
        let broken = |why: &csv::Error| Problem {
            field: String::new(),
            code: "wrong_line".into(),
            message: format!("this line cannot be read: {why}"),
        };
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                rows.push((line, Ok(draft(&header, &record))));
            }
            Err(why) => {
                let line = why.position().map_or(0, csv::Position::line);
                rows.push((line, Err(vec![broken(&why)])));
            }
        }
    }
    Ok(rows)
}

/// Spreadsheets of many countries write semicolons.
fn separator(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |c: char| first.matches(c).count();
    [(',', b','), (';', b';'), ('\t', b'\t')]
        .into_iter()
        .rev()
        .max_by_key(|(c, _)| count(*c))
        .map_or(b',', |s| s.1)
}

#[derive(PartialEq)]
enum Column {
    Number,
    Name,
    Company,
    Class,
    Language,
    Notes,
    Field(String),
}

impl Column {
    fn of(name: &str) -> Column {
        let name: String = name.trim().to_lowercase().replace([' ', '-'], "_");
        match name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_') {
            "number" | "phone" | "mobile" | "telephone" | "电话" | "号码" | "手机" => Column::Number,
            "name" | "姓名" => Column::Name,
            "company" | "公司" => Column::Company,
            "class" | "类别" => Column::Class,
            "language" | "语言" => Column::Language,
            "notes" | "note" | "备注" => Column::Notes,
            _ => Column::Field(name),
        }
    }
}

fn draft(header: &[Column], record: &csv::StringRecord) -> ContactDraft {
    let mut draft = ContactDraft::default();
    for (column, value) in header.iter().zip(record) {
        let value = value.trim();
        if value.is_empty() {
            continue;
        }
        match column {
            Column::Number => draft.numbers.push(value.to_owned()),
            Column::Name => value.clone_into(&mut draft.name),
            Column::Company => value.clone_into(&mut draft.company),
            Column::Class => value.clone_into(&mut draft.class),
            Column::Language => draft.language = Some(value.to_lowercase()),
            Column::Notes => value.clone_into(&mut draft.notes),
            Column::Field(name) => drop(draft.fields.insert(name.clone(), value.to_owned())),
        }
    }
    draft
}

async fn keep(app: &App, contact: ContactId, draft: ContactDraft) -> Result<axum::Json<Contact>, ApiError> {
    let wanted = draft.check(&home(app).await?, app.now().wall).map_err(ApiError::problems)?;
    let kept = app.store(move |s| s.contact_put(Contact { contact, ..wanted })).await?;
    kept.map(axum::Json).map_err(|refusal| match &refusal {
        ContactRefusal::Unknown => ApiError::not_found("contact"),
        ContactRefusal::Full | ContactRefusal::Taken(..) => ApiError::problems(vec![problem(&refusal)]),
    })
}

fn problem(refusal: &ContactRefusal) -> Problem {
    let (field, code, message) = match refusal {
        ContactRefusal::Full => {
            ("", "full", format!("there are {MOST} contacts already; remove some nobody needs"))
        }
        ContactRefusal::Taken(number, other) => {
            ("numbers", "taken", format!("{number} belongs to contact {other}"))
        }
        ContactRefusal::Unknown => ("", "unknown", "there is no such contact any more".to_owned()),
    };
    Problem { field: field.into(), code: code.into(), message }
}

/// Where the site is.
pub(super) async fn home(app: &App) -> Result<Home, ApiError> {
    let (_, tree) = app.site(|s| s.current()).await?;
    let word = |key: &str| tree["system"][key].as_str().unwrap_or_default().to_owned();
    let country = Country::find(&word("country")).unwrap_or(Country::generic());
    Ok(Home { country, area: word("area_code") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_whatever_the_spreadsheet_wrote() {
        let text =
            "\u{feff}Name;Number;Number 2;Customer No;Class\r\n\"Li; Na\";030 1;0302;77;vip\r\n\"broken\n";
        let rows = rows(text).unwrap();
        assert_eq!(rows[0].0, 2);
        let first = rows[0].1.as_ref().unwrap();
        assert_eq!(first.numbers, ["030 1", "0302"]);
        assert_eq!((first.name.as_str(), first.class.as_str()), ("Li; Na", "vip"));
        assert_eq!(first.fields["customer_no"], "77");
        assert!(super::rows("Name,Company\nA,B\n").is_err(), "no column of numbers");
        assert!(super::rows("").is_err());
    }
}
