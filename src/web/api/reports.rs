//! Reports: what queues and agents did in a span of time, as JSON and as CSV. Counted afresh from the records each time, so
//! a report and the call history can never differ. Calls count when they have ended.
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Query;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use model::clock::Wall;
use model::config::draft;
use model::config::reason::{self, Reason};
use model::report::{self, AgentFigures, QueueFigures, Span, Width};
use model::sentence::Sentence;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use utoipa::IntoParams;

/// Longest span of a report.
const LONGEST_MS: i64 = 400 * 86_400_000;
/// Times of reports: from 1970 until the year 10,000, where calendars end.
const TIMES: std::ops::Range<i64> = 0..253_402_300_800_000;
/// Most rows of an answer.
const ROWS: usize = 20_000;

/// Which report.
#[derive(Deserialize, IntoParams)]
pub struct ReportParams {
    /// From this time, UTC milliseconds.
    pub from: i64,
    /// Up to this time, which is left out.
    pub to: i64,
    /// How wide a row is; the whole span unless given.
    #[param(inline)]
    pub width: Option<Width>,
    /// Only this queue or agent.
    pub only: Option<String>,
}

/// `GET /reports/queues`
///
/// # Errors
/// 422 for a span that is none or too long.
pub async fn queues(
    State(app): State<App>,
    Query(params): Query<ReportParams>,
) -> Result<axum::Json<Vec<QueueFigures>>, ApiError> {
    queue_rows(&app, params).await.map(axum::Json)
}

/// `GET /reports/agents`
///
/// # Errors
/// 422 for a span that is none or too long.
pub async fn agents(
    State(app): State<App>,
    Query(params): Query<ReportParams>,
) -> Result<axum::Json<Vec<AgentFigures>>, ApiError> {
    agent_rows(&app, params).await.map(axum::Json)
}

type Csv = ([(HeaderName, HeaderValue); 2], String);

/// `GET /reports/queues.csv`
///
/// # Errors
/// As the JSON.
pub async fn queues_csv(State(app): State<App>, Query(params): Query<ReportParams>) -> Result<Csv, ApiError> {
    let head = "from_utc,queue,offered,answered,first_ring,in_level,abandoned,called_back,overflowed,wait_s,\
                wait_max_s,talk_s,service_level_percent,asa_s,abandoned_percent,surveys,score_average";
    let rows = queue_rows(&app, params).await?;
    let line = |r: &QueueFigures| {
        let counts =
            [r.offered, r.answered, r.first_ring, r.in_level, r.abandoned, r.called_back, r.overflowed];
        let mut cells = vec![utc(r.from), r.queue.clone()];
        cells.extend(counts.iter().map(u64::to_string));
        cells.extend([seconds(r.wait_ms), seconds(r.wait_max_ms), seconds(r.talk_ms)]);
        cells.extend([percent(r.in_level, r.offered), share(r.wait_ms, r.answered * 1000)]);
        cells.push(percent(r.abandoned, r.offered));
        cells.extend([r.scored.to_string(), hundredths(r.score_sum, r.scored)]);
        cells
    };
    let head: Vec<String> = head.split(',').map(str::to_owned).collect();
    csv_of("queues.csv", &head, rows.iter().map(line))
}

/// `GET /reports/agents.csv`
///
/// # Errors
/// As the JSON.
pub async fn agents_csv(State(app): State<App>, Query(params): Query<ReportParams>) -> Result<Csv, ApiError> {
    let head = "from_utc,agent,calls,signed_in_s,ready_s,ringing_s,talking_s,wrap_up_s,not_ready_s,\
                occupancy_percent,talk_utilisation_percent,surveys,score_average,unpaid_s";
    let rows = agent_rows(&app, params).await?;
    let unpaid: BTreeSet<String> =
        reasons_of(&app).await?.into_iter().filter(|r| !r.paid).map(|r| r.name).collect();
    // A column for each reason that was used.
    let used: BTreeSet<&String> = rows.iter().flat_map(|r| r.reason_ms.keys()).collect();
    let mut head: Vec<String> = head.split(',').map(str::to_owned).collect();
    head.extend(used.iter().map(|name| format!("not_ready_s: {name}")));
    let line = |r: &AgentFigures| {
        let busy = r.offered_ms + r.talking_ms + r.wrap_up_ms;
        let times = [r.signed_in_ms, r.ready_ms, r.offered_ms, r.talking_ms, r.wrap_up_ms, r.not_ready_ms];
        let mut cells = vec![utc(r.from), r.agent.clone(), r.calls.to_string()];
        cells.extend(times.iter().map(|ms| seconds(*ms)));
        cells.push(percent(busy, r.signed_in_ms - r.not_ready_ms));
        cells.push(percent(r.talking_ms, r.signed_in_ms));
        cells.extend([r.scored.to_string(), hundredths(r.score_sum, r.scored)]);
        cells.push(seconds(
            r.reason_ms.iter().filter(|(name, _)| unpaid.contains(*name)).map(|(_, ms)| ms).sum(),
        ));
        cells.extend(used.iter().map(|name| seconds(r.reason_ms.get(*name).copied().unwrap_or(0))));
        cells
    };
    csv_of("agents.csv", &head, rows.iter().map(line))
}

async fn queue_rows(app: &App, params: ReportParams) -> Result<Vec<QueueFigures>, ApiError> {
    let (span, tree) = span(app, &params).await?;
    let (from, to) = (span.from, span.to);
    let steps = app.store(move |s| s.queue_steps(from, to)).await?.ok_or_else(too_much)?;
    let rows = app.block(move || {
        let level = |queue: &str| {
            let queues = tree["queue"].as_array().into_iter().flatten();
            let seconds = queues.filter(|q| q["name"] == queue).find_map(|q| q["service_level_s"].as_u64());
            seconds.and_then(|s| u32::try_from(s).ok()).unwrap_or(20)
        };
        report::queues(&report::visits(&steps), &span, &level)
    });
    bounded(rows.await?, |row| params.only.as_ref().is_none_or(|only| *only == row.queue))
}

async fn agent_rows(app: &App, params: ReportParams) -> Result<Vec<AgentFigures>, ApiError> {
    let (span, _) = span(app, &params).await?;
    let (from, to, now) = (span.from, span.to, app.now().wall);
    let spells = app.store(move |s| s.agent_spells(from, to)).await?.ok_or_else(too_much)?;
    let steps = app.store(move |s| s.queue_steps(from, to)).await?.ok_or_else(too_much)?;
    let count = move || report::agents(&spells, &report::visits(&steps), &span, now);
    let rows = app.block(count).await?;
    bounded(rows, |row| params.only.as_ref().is_none_or(|only| *only == row.agent))
}

/// `GET /reasons`
///
/// # Errors
/// Those of the store.
pub async fn reasons(State(app): State<App>) -> Result<axum::Json<Vec<Reason>>, ApiError> {
    reasons_of(&app).await.map(axum::Json)
}

/// The reasons of the site in force, with the usual ones where it lists none.
async fn reasons_of(app: &App) -> Result<Vec<Reason>, ApiError> {
    let (_, tree) = app.site(|s| s.current()).await?;
    let read = app.block(move || draft::read(&tree)).await?;
    Ok(read.map_or_else(|_| reason::usual(), |config| config.distribution.reason))
}

fn bounded<T>(rows: Vec<T>, wanted: impl Fn(&T) -> bool) -> Result<Vec<T>, ApiError> {
    let rows: Vec<T> = rows.into_iter().filter(wanted).collect();
    if rows.len() > ROWS { Err(too_much()) } else { Ok(rows) }
}

/// The span asked for, in the site's zone, and the configuration.
async fn span(app: &App, params: &ReportParams) -> Result<(Span, Value), ApiError> {
    for (field, time) in [("from", params.from), ("to", params.to)] {
        if !TIMES.contains(&time) {
            return Err(ApiError::field(
                field,
                "out_of_range",
                Sentence::new(
                    "Give a time between the years 1970 and 9999.",
                    "请填写 1970 年到 9999 年之间的时间。",
                ),
            ));
        }
    }
    if params.from >= params.to || params.to.saturating_sub(params.from) > LONGEST_MS {
        let said = Sentence::new("Give a span of at most 400 days.", "时间跨度最长为 400 天。");
        return Err(ApiError::field("to", "out_of_range", said));
    }
    let (_, tree) = app.site(|s| s.current()).await?;
    let zone = tree["system"]["time_zone"].as_str().unwrap_or("UTC").to_owned();
    let width = params.width.unwrap_or(Width::Total);
    Ok((Span { from: Wall(params.from), to: Wall(params.to), width, zone }, tree))
}

fn too_much() -> ApiError {
    let said = Sentence::new(
        "That is more than one report can look at. Choose a shorter time.",
        "数据量超出一份报表的范围，请选择更短的时间。",
    );
    ApiError::field("to", "too_many", said)
}

fn csv_of(name: &str, head: &[String], rows: impl Iterator<Item = Vec<String>>) -> Result<Csv, ApiError> {
    let mut file = csv::Writer::from_writer(Vec::new());
    let written = file.write_record(head.iter().map(|cell| harmless(cell))).and_then(|()| {
        let mut rows = rows;
        rows.try_for_each(|row| file.write_record(row.iter().map(|cell| harmless(cell))))
    });
    written.map_err(|e| ApiError::fault(&e))?;
    let bytes = file.into_inner().map_err(|e| ApiError::fault(&e))?;
    let text = String::from_utf8(bytes).map_err(|e| ApiError::fault(&e))?;
    let as_file = format!("attachment; filename=\"{name}\"");
    let as_file = HeaderValue::from_str(&as_file).map_err(|e| ApiError::fault(&e))?;
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, as_file)], text))
}

/// A name that a spreadsheet would run as a formula is shown as text.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t']) { format!("'{cell}") } else { cell.to_owned() }
}

fn utc(at: Wall) -> String {
    let seconds = at.0.div_euclid(1000);
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// The date of a day since 1970 (after Howard Hinnant's `civil_from_days`).
fn date(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// Part of a whole with one decimal; empty without a whole.
fn percent(part: u64, whole: u64) -> String {
    share(part * 100, whole)
}

fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    let tenths = (part * 10 + whole / 2) / whole;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// A mean with two decimals; empty of nothing.
fn hundredths(sum: u64, count: u64) -> String {
    if count == 0 {
        return String::new();
    }
    let hundredths = (sum * 100 + count / 2) / count;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_shares_are_written_as_spreadsheets_read_them() {
        assert_eq!(utc(Wall(1_795_392_000_000)), "2026-11-23T00:00:00Z");
        assert_eq!(utc(Wall(951_782_400_000)), "2000-02-29T00:00:00Z");
        assert_eq!(
            (percent(1, 3).as_str(), percent(0, 0).as_str(), seconds(12_345).as_str()),
            ("33.3", "", "12.345")
        );
        assert_eq!((hundredths(14, 3).as_str(), hundredths(0, 0).as_str()), ("4.67", ""));
        assert_eq!(harmless("=cmd()"), "'=cmd()");
    }
}
