//! What each entry of the menu shows, from what the interface answers. Pure; a field that is missing shows as nothing.
use crate::screen::row;
use crate::told;
use crate::words::{Language, Phrase, cause};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Who reads.
pub struct Reader<'a> {
    /// Language of the menu.
    pub language: Language,
    /// The site's zone.
    pub zone: &'a TimeZone,
}

/// Lays an answer out as lines.
pub type Lay = fn(&Value, &Reader<'_>) -> Vec<String>;

/// Width of the names on the left.
const LEFT: usize = 24;

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn number(value: &Value, field: &str) -> u64 {
    value[field].as_u64().unwrap_or(0)
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn one(phrase: Phrase, reader: &Reader<'_>) -> Vec<String> {
    vec![phrase.text(reader.language).to_owned()]
}

/// `GET /status`
pub fn status(body: &Value, reader: &Reader<'_>) -> Vec<String> {
    let word = |p: Phrase| p.text(reader.language);
    let trunks = items(&body["trunks"]);
    let up = trunks.iter().filter(|t| text(t, "state") == "up").count();
    let of = word(Phrase::Of);
    let media = if body["media_pid"].is_u64() { word(Phrase::Up) } else { word(Phrase::MediaDown) };
    let mib = number(body, "disk_free_bytes") / (1 << 20);
    let lines = [
        (Phrase::Version, text(body, "version").to_owned()),
        (Phrase::Uptime, length(number(body, "uptime_s"))),
        (Phrase::Calls, format!("{} {of} {}", number(body, "calls"), number(body, "call_limit"))),
        (Phrase::Trunks, format!("{up} {of} {} {}", trunks.len(), word(Phrase::Up))),
        (
            Phrase::Phones,
            format!(
                "{} {}, {} {}",
                number(body, "phones_registered"),
                word(Phrase::Registered),
                number(body, "phones_configured"),
                word(Phrase::Configured)
            ),
        ),
        (Phrase::Media, media.to_owned()),
        (Phrase::Generation, number(body, "generation").to_string()),
        (Phrase::DiskFree, format!("{mib} MiB")),
    ];
    let mut out: Vec<String> =
        lines.iter().map(|(name, value)| row(&[(word(*name), LEFT), (value, 50)])).collect();
    out.extend(alarms(body, reader));
    if body["setup_needed"] == true {
        out.push(String::new());
        out.push(word(Phrase::SetupNeeded).to_owned());
    }
    out
}

/// What is not well, one a line.
fn alarms(body: &Value, reader: &Reader<'_>) -> Vec<String> {
    let name = Phrase::Health.text(reader.language);
    let spoken = match reader.language {
        Language::En => model::media::Language::En,
        Language::Zh => model::media::Language::Zh,
    };
    let one = |alarm: &Value| {
        let (what, _) = model::health::of(text(alarm, "kind"), spoken);
        let line = format!("! {what} {} {}", text(alarm, "subject"), text(alarm, "detail"));
        row(&[(name, LEFT), (line.trim(), 50)])
    };
    let lines: Vec<String> = items(&body["alarms"]).iter().map(one).collect();
    if lines.is_empty() {
        return vec![row(&[(name, LEFT), (Phrase::AllWell.text(reader.language), 50)])];
    }
    lines
}

/// `GET /calls`
pub fn calls(body: &Value, reader: &Reader<'_>) -> Vec<String> {
    let lines: Vec<String> = items(body)
        .iter()
        .map(|c| {
            let party = |field: &str| format!("{} {}", text(&c[field], "number"), text(&c[field], "name"));
            let since = clock(c["started"].as_i64().unwrap_or(0), reader);
            row(&[
                (&since, 8),
                (&party("caller"), 24),
                (&party("called"), 24),
                (told::word(text(c, "stage"), reader.language), 10),
                (text(c, "with"), 9),
            ])
        })
        .collect();
    if lines.is_empty() { one(Phrase::NoCalls, reader) } else { lines }
}

/// `GET /trunks`
pub fn trunks(body: &Value, reader: &Reader<'_>) -> Vec<String> {
    let line = |t: &Value| {
        let calls = format!("{}/{}", number(t, "calls"), number(t, "capacity"));
        let why = cause(text(t, "cause"), reader.language).unwrap_or_else(|| text(t, "cause"));
        let state = told::word(text(t, "state"), reader.language);
        let mut lines = vec![row(&[(text(t, "trunk"), 20), (state, 7), (&calls, 8), (why, 42)])];
        if text(t, "state") != "up" && !text(t, "detail").is_empty() {
            lines.push(row(&[("", 20), (text(t, "detail"), 58)]));
        }
        lines
    };
    let lines: Vec<String> = items(body).iter().flat_map(line).collect();
    if lines.is_empty() { one(Phrase::NoTrunks, reader) } else { lines }
}

/// `GET /phones`
pub fn phones(body: &Value, reader: &Reader<'_>) -> Vec<String> {
    let lines: Vec<String> = items(body)
        .iter()
        .flat_map(|phone| {
            items(&phone["contacts"]).iter().map(move |contact| {
                row(&[
                    (text(phone, "extension"), 8),
                    (text(contact, "address"), 28),
                    (text(contact, "transport"), 4),
                    (text(contact, "user_agent"), 36),
                ])
            })
        })
        .collect();
    if lines.is_empty() { one(Phrase::NoPhones, reader) } else { lines }
}

/// `GET /status`, the addresses in it.
pub fn network(body: &Value, reader: &Reader<'_>) -> Vec<String> {
    let word = |p: Phrase| p.text(reader.language);
    let port = text(body, "https").rsplit(':').next().unwrap_or_default().to_owned();
    let mut out = vec![row(&[(word(Phrase::Sip), LEFT), (text(body, "sip"), 50)])];
    let addresses = items(&body["addresses"]);
    if addresses.is_empty() {
        out.extend(one(Phrase::NoAddresses, reader));
    }
    for address in addresses.iter().filter_map(Value::as_str) {
        let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        out.push(row(&[(word(Phrase::Addresses), LEFT), (address, 50)]));
        out.push(row(&[(word(Phrase::AdminAt), LEFT), (&format!("https://{host}:{port}/"), 50)]));
    }
    out
}

/// `GET /capture`: how it stands, then the newest messages.
pub fn capture(body: &Value, reader: &Reader<'_>) -> Vec<String> {
    let word = |p: Phrase| p.text(reader.language);
    let running = body["running"] == true;
    let state = if running { Phrase::CaptureRuns } else { Phrase::CaptureRests };
    let until = body["ends"].as_i64().filter(|_| running).map(|at| clock(at, reader)).unwrap_or_default();
    let mut lines = vec![row(&[(word(state), LEFT), (&until, 50)])];
    lines.push(row(&[(word(Phrase::CaptureMessages), LEFT), (&number(body, "messages").to_string(), 50)]));
    for line in items(&body["lines"]) {
        let at = clock(line["at"].as_i64().unwrap_or(0), reader);
        let way = if line["sent"] == true { ">" } else { "<" };
        lines.push(row(&[(&at, 8), (way, 1), (text(line, "peer"), 24), (text(line, "first"), 43)]));
    }
    if number(body, "messages") > 0 {
        lines.push(word(Phrase::CaptureFile).to_owned());
    }
    lines
}

/// `GET /update/usb`
pub fn stick(body: &Value, reader: &Reader<'_>) -> Vec<String> {
    let line = |file: &Value| {
        let size = format!("{} MB", number(file, "bytes").div_ceil(1_000_000));
        row(&[(&size, 8), (text(file, "name"), 70)])
    };
    let lines: Vec<String> = items(body).iter().map(line).collect();
    if lines.is_empty() { one(Phrase::NoBundles, reader) } else { lines }
}

/// `GET /update`
pub fn update(body: &Value, reader: &Reader<'_>) -> Vec<String> {
    let said = |value: &Value| match reader.language {
        Language::En => text(value, "en").to_owned(),
        Language::Zh => text(value, "zh").to_owned(),
    };
    let work = &body["work"];
    let step = format!("{} % {}", number(work, "percent"), said(&work["step"]));
    let found = &body["bundle"];
    let found = format!("{} ({} MB)", text(found, "version"), number(found, "bytes").div_ceil(1_000_000));
    let lines = [
        (Phrase::Version, text(body, "version").to_owned(), true),
        (Phrase::UpdateWork, step, work.is_object()),
        (Phrase::UpdateFound, found, body["bundle"].is_object()),
        (Phrase::UpdateWaiting, text(body, "waiting").to_owned(), body["waiting"].is_string()),
        (Phrase::Refused, said(&body["refused"]), body["refused"].is_object()),
        (Phrase::Refused, said(&body["impossible"]), body["impossible"].is_object()),
    ];
    let shown = lines.into_iter().filter(|(_, _, there)| *there);
    // A sentence may be long: it is folded where it is shown.
    shown.map(|(name, value, _)| row(&[(name.text(reader.language), LEFT), (&value, 400)])).collect()
}

/// `GET /setup/code`
pub fn setup_code(body: &Value, reader: &Reader<'_>) -> Vec<String> {
    match body["code"].as_str() {
        Some(code) => vec![
            String::new(),
            format!("    {code}"),
            String::new(),
            Phrase::SetupNeeded.text(reader.language).into(),
        ],
        None => one(Phrase::SetupDone, reader),
    }
}

/// `GET /events`: those after `last` (`None` = the first look), oldest first.
pub fn events(body: &Value, reader: &Reader<'_>, last: &mut Option<u64>) -> Vec<String> {
    let mut lines = Vec::new();
    for event in items(&body["items"]).iter().rev().filter(|e| last.is_none_or(|l| number(e, "id") > l)) {
        let at = clock(event["at"].as_i64().unwrap_or(0), reader);
        let said = |field| text(event, field);
        let told = told::event(said("kind"), said("subject"), said("text"), reader.language);
        lines.push(row(&[(&at, 8), (told::word(said("level"), reader.language), 7), (&told, 62)]));
    }
    if last.is_none() && lines.is_empty() {
        lines = one(Phrase::NoEvents, reader);
    }
    let newest = items(&body["items"]).iter().map(|e| number(e, "id")).max();
    *last = Some(newest.unwrap_or(0).max(last.unwrap_or(0)));
    lines
}

/// Wall milliseconds as the site's time of day.
fn clock(ms: i64, reader: &Reader<'_>) -> String {
    let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(reader.zone.clone()).strftime("%H:%M:%S").to_string()
}

/// Seconds as days and a clock.
fn length(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let clock = format!("{}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if days == 0 { clock } else { format!("{days} d {clock}") }
}
