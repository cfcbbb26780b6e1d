//! Reads `[system]`, `[mail]`, `[feature]`, `[audio]` and `[[schedule]]` of a draft, with their defaults.
use super::table::{Table, did_you_mean};
use super::value;
use crate::config::queue::Music;
use crate::config::system::{Audio, Features, Mail, MailSecurity, Recogniser, Schedule, System};
use crate::country::Country;
use crate::media::Language;
use crate::number::Number;
use std::collections::BTreeMap;

/// Spoken languages by their word.
pub(super) const LANGUAGES: [(&str, Language); 2] = [("en", Language::En), ("zh", Language::Zh)];

const SECURITY: [(&str, MailSecurity); 3] =
    [("none", MailSecurity::None), ("starttls", MailSecurity::Starttls), ("tls", MailSecurity::Tls)];

/// Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Calls at once unless the site says otherwise: a small box's share of 500 RTP ports, two a call.
const CALL_LIMIT: u32 = 250;

/// Names by which phones outside reach the box: one each for a few carriers' lines and a few domains.
const SIP_NAMES_MAX: usize = 20;

/// Makes of old phones: more than the makes there are.
const MD5_PHONES_MAX: usize = 50;

pub(super) fn system(t: Table<'_>) -> System {
    let system = System {
        name: t.text("name").unwrap_or_else(|| "Belfry".into()),
        country: country(&t),
        language: t.choice("language", &LANGUAGES).unwrap_or_default(),
        time_zone: t.parsed("time_zone", value::time_zone).unwrap_or_else(|| "UTC".into()),
        outside_prefix: t.parsed("outside_prefix", |text| value::digits(text, 3)).unwrap_or_default(),
        area_code: t.parsed("area_code", area_code).unwrap_or_default(),
        realm: t.parsed("realm", realm).unwrap_or_else(|| "pbx".into()),
        sip_names: t.list("sip_names", SIP_NAMES_MAX, value::host),
        md5_phones: md5_phones(&t),
        call_limit: t.count("call_limit", 1..=5000, CALL_LIMIT),
        announce_recording: t.flag("announce_recording", false),
        emergency_notify: t.list("emergency_notify", 20, value::internal),
        contact_page: t.parsed("contact_page", contact_page),
    };
    t.done();
    system
}

/// An address as people copy it from their other program, with the fields that the desk knows.
fn contact_page(text: &str) -> Result<String, String> {
    const FIELDS: [&str; 4] = ["number", "name", "queue", "call"];
    let page = value::url(text)?;
    let named = page.split('{').skip(1).filter_map(|part| part.split('}').next());
    for field in named {
        if !FIELDS.contains(&field) {
            return Err(format!(
                "{{{field}}} is not known here; use {{number}}, {{name}}, {{queue}} or {{call}}, e.g. \
                 https://crm.example.com/?phone={{number}}"
            ));
        }
    }
    Ok(page)
}

/// Makes that were seen to give up at the sight of a SHA-256 challenge: libre before 2.2, SIPp 3.6, and Asterisk 22 (also
/// under the name of FreePBX) unless its settings name SHA-256. What does not say its name is old or a tool. The list is
/// what a site without one of its own has.
const MD5_PHONES: [&str; 6] = ["Asterisk PBX", "FPBX-", "baresip v1.", "baresip v2.", "SIPp", "unnamed"];

fn md5_phones(t: &Table<'_>) -> Vec<String> {
    let typed = t.list("md5_phones", MD5_PHONES_MAX, phone_make);
    match t.value("md5_phones") {
        Some(_) => typed,
        None => MD5_PHONES.map(str::to_owned).to_vec(),
    }
}

fn phone_make(text: &str) -> Result<String, String> {
    if (3..=60).contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    Err("give 3 to 60 characters, as the phone's User-Agent begins, e.g. \"Cisco/SPA\"".into())
}

fn country(t: &Table<'_>) -> String {
    let remedy = "say in which country the box stands, e.g. country = \"DE\": emergency numbers depend on it";
    let text = t.needed("country", remedy).to_ascii_uppercase();
    if text.is_empty() || Country::find(&text).is_some() {
        return text;
    }
    let known: Vec<&str> = Country::all().iter().map(|c| c.code).collect();
    let hint = did_you_mean(&text, known.iter().copied());
    let message = format!("there is no profile for \"{text}\"{hint}; use one of: {}", known.join(", "));
    t.problem("country", "unknown_word", message);
    text
}

fn area_code(text: &str) -> Result<String, String> {
    let digits = value::digits(text, 6)?;
    if digits.starts_with('0') {
        return Err(format!("\"{text}\" begins with 0; write the area code without it, e.g. 30 for Berlin"));
    }
    Ok(digits)
}

fn realm(text: &str) -> Result<String, String> {
    let fine = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@'));
    if fine && text.len() <= 64 {
        return Ok(text.to_owned());
    }
    Err(format!("\"{text}\" cannot be a realm; use letters, digits, -, _ and . only, e.g. pbx.example.com"))
}

pub(super) fn mail(t: Table<'_>) -> Mail {
    let security = t.choice("security", &SECURITY).unwrap_or(MailSecurity::Starttls);
    let usual = match security {
        MailSecurity::None => 25,
        MailSecurity::Starttls => 587,
        MailSecurity::Tls => 465,
    };
    let mail = Mail {
        host: t.parsed_needed("host", "name the mail server", value::host).unwrap_or_default(),
        port: port(&t, usual),
        security,
        user: t.text("user"),
        password: t.text("password"),
        from: t
            .parsed_needed("from", "give the sender address, e.g. pbx@example.com", value::email)
            .unwrap_or_default(),
    };
    if mail.user.is_some() != mail.password.is_some() {
        let field = if mail.user.is_some() { "password" } else { "user" };
        t.missing(
            field,
            "a login needs both user and password; remove the other one if the server wants none",
        );
    }
    t.done();
    mail
}

pub(super) fn port(t: &Table<'_>, usual: u16) -> u16 {
    u16::try_from(t.count("port", 1..=65_535, u32::from(usual))).unwrap_or(usual)
}

pub(super) fn feature(t: Table<'_>) -> Features {
    let code = |field: &'static str, usual: &str| {
        let typed = t.parsed(field, service_code);
        typed.unwrap_or_else(|| Number::read(usual).expect("the default codes are numbers"))
    };
    let features = Features {
        echo: code("echo", "*43"),
        announcement: code("announcement", "*44"),
        voicemail: code("voicemail", "*97"),
        agent_login: code("agent_login", "*50"),
        agent_ready: code("agent_ready", "*51"),
        agent_pause: code("agent_pause", "*52"),
        agent_wrap_up_done: code("agent_wrap_up_done", "*53"),
        agent_wrap_code: code("agent_wrap_code", "*54"),
        agent_wrap_extend: code("agent_wrap_extend", "*55"),
        agent_campaigns: code("agent_campaigns", "*56"),
        hot_desk: code("hot_desk", "*58"),
        supervise: code("supervise", "*60"),
        paging: code("paging", "*80"),
        record: code("record", "*1"),
        record_pause: code("record_pause", "*2"),
    };
    t.done();
    features
}

fn service_code(text: &str) -> Result<Number, String> {
    let number = value::number(text)?;
    if (2..=6).contains(&number.as_str().len()) && !number.as_str().starts_with('+') {
        return Ok(number);
    }
    Err(format!("\"{text}\" cannot be a service code; use 2 to 6 of 0-9, * and #, e.g. *43"))
}

pub(super) fn audio(t: Table<'_>) -> Audio {
    let mut music = BTreeMap::from([("default".to_owned(), Music::BuiltIn)]);
    t.tell_entries("music");
    for (name, path, typed) in t.entries("music", 32) {
        let read =
            typed.as_str().ok_or_else(|| "a text in quotes is needed here, e.g. \"builtin\"".to_owned());
        match value::name(name).and_then(|name| Ok((name, value::music(read?)?))) {
            Ok((name, source)) => drop(music.insert(name, source)),
            Err(why) => t.problems().add(&path, "wrong_text", why),
        }
    }
    let audio = Audio {
        music,
        paging: t.text("paging"),
        prompt: prompts(&t),
        voice: t.parsed("voice", value::voice),
        recogniser: t.table("recogniser").and_then(recogniser),
    };
    t.done();
    audio
}

/// Who understands speech; without any address, nobody.
fn recogniser(t: Table<'_>) -> Option<Recogniser> {
    let read = Recogniser {
        en: t.parsed("en", value::socket),
        zh: t.parsed("zh", value::socket),
        answer_ms: t.count("answer_ms", 200..=3_000, 1_000),
        certainty_percent: t.count("certainty_percent", 0..=100, 60),
    };
    t.done();
    (read.en.is_some() || read.zh.is_some()).then_some(read)
}

/// Own prompts by name: a file for each language.
fn prompts(t: &Table<'_>) -> BTreeMap<String, BTreeMap<Language, String>> {
    if t.describes() {
        drop(files(&t.any_entry("prompt")));
    }
    let mut prompts = BTreeMap::new();
    for (name, path, value) in t.entries("prompt", 500) {
        let entry = Table::new(path.clone(), Some(value), t.problems());
        let files = files(&entry);
        entry.done();
        match value::name(name) {
            Ok(name) => drop(prompts.insert(name, files)),
            Err(why) => t.problems().add(&path, "wrong_text", why),
        }
    }
    prompts
}

fn files(t: &Table<'_>) -> BTreeMap<Language, String> {
    let both = [(Language::En, t.parsed("en", value::path)), (Language::Zh, t.parsed("zh", value::path))];
    both.into_iter().filter_map(|(language, path)| Some((language, path?))).collect()
}

pub(super) fn schedule(t: Table<'_>) -> Schedule {
    let schedule = Schedule {
        name: t.name("name"),
        week: t.table("week").map(week).unwrap_or_default(),
        holidays: t.list("holidays", 400, value::date),
    };
    if schedule.week.iter().all(Vec::is_empty) {
        t.missing(
            "week",
            "a schedule is open at some time, e.g. week = { mon = \"08:00-12:00 13:00-17:30\" }",
        );
    }
    t.done();
    schedule
}

fn week(t: Table<'_>) -> [Vec<(u16, u16)>; 7] {
    let week = DAYS.map(|day| t.parsed(day, value::spans).unwrap_or_default());
    t.done();
    week
}
