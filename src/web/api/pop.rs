//! What is known of a call's other party, for the desk while the phone rings: contact, earlier calls, the way through
//! the menus, the script of the queue. Who may see the call may see it. Reads only.
use super::contacts::home;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Path;
use crate::guard::Asker;
use crate::live::scope::Scope;
use axum::extract::State;
use model::clock::Wall;
use model::contact::{Contact, Home};
use model::id::CallId;
use model::number::Number;
use model::query::Journey;
use model::record::{CallRecord, CallStep};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;
use utoipa::ToSchema;

/// Earlier calls shown.
const EARLIER: u32 = 5;

/// A record is on the disk after some 50 ms; a slow disk gets a second.
const TURN: Duration = Duration::from_millis(20);
/// How often it is looked for.
const TURNS: u32 = 50;

/// What is known.
#[derive(Serialize, ToSchema)]
pub struct Pop {
    /// The other party's number; empty when it is withheld.
    pub number: String,
    /// Who has it.
    pub contact: Option<Contact>,
    /// The queue the call came to last.
    pub queue: Option<String>,
    /// Milliseconds waited there.
    pub waited_ms: u64,
    /// What agents of that queue say; lines of plain text.
    pub script: String,
    /// What a call of that queue may have been about; said in after-call work.
    pub wrap_codes: Vec<WrapChoice>,
    /// The last calls of that number or contact, newest first.
    pub calls: Vec<EarlierCall>,
    /// What happened in this call so far.
    pub steps: Vec<CallStep>,
    /// Page of another program about this caller, when the site has one.
    pub page: Option<String>,
}

/// A wrap code of the queue.
#[derive(Serialize, ToSchema)]
pub struct WrapChoice {
    /// Two digits.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// An earlier call.
#[derive(Serialize, ToSchema)]
pub struct EarlierCall {
    /// Its record.
    #[serde(flatten)]
    pub record: CallRecord,
    /// Name of the agent who took it.
    pub agent_name: Option<String>,
}

/// `GET /calls/{call}/pop`
///
/// # Errors
/// 404, also for somebody else's call.
pub async fn pop(
    State(app): State<App>,
    asker: Asker,
    Path(call): Path<u64>,
) -> Result<axum::Json<Pop>, ApiError> {
    let call = CallId(call);
    let live = app.hub.call(call, &Scope::of(&asker));
    let journey = journey_of(&app, call, live.is_some()).await?;
    let mine = |j: &Journey| asker.sees_all() || live.is_some() || asker.own.has(&j.record);
    let journey = journey.filter(mine).ok_or_else(|| ApiError::not_found("call"))?;
    let (home, now) = (home(&app).await?, app.now().wall);
    let (_, tree) = app.site(|s| s.current()).await?;
    let own = asker.own.extension.clone();
    app.store(move |storage| {
        let number = other_number(&journey, own.as_deref());
        let known = home.number(&number);
        let contact = match &known {
            Some(number) => storage.contact_of(number)?,
            None => None,
        };
        let numbers = contact.as_ref().map_or_else(|| known.into_iter().collect(), |c| c.numbers.clone());
        let calls = earlier(storage.calls_of(&as_kept(&home, numbers), EARLIER + 1)?, call, &tree);
        let (queue, waited_ms) = visit(&journey, now);
        let script = queue.as_deref().map(|q| script(&tree, q)).unwrap_or_default();
        let wrap_codes = queue.as_deref().map(|q| wrap_codes(&tree, q)).unwrap_or_default();
        let page = tree["system"]["contact_page"].as_str().map(|template| {
            let name = contact.as_ref().map_or("", |c| c.name.as_str());
            let queue = queue.as_deref().unwrap_or_default();
            let known =
                [("number", &*number), ("name", name), ("queue", queue), ("call", &*call.to_string())];
            filled(template, &known)
        });
        let steps = journey.steps;
        Ok(axum::Json(Pop { number, contact, queue, waited_ms, script, wrap_codes, calls, steps, page }))
    })
    .await
}

/// What means something in an address: all but its unreserved characters (RFC 3986, section 2.3).
const TEXT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The address with its fields; what a caller brings along stands in it as text and can change nothing else of it.
fn filled(template: &str, known: &[(&str, &str)]) -> String {
    let mut page = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (field, next) = after.split_once('}').unwrap_or((after, ""));
        let value = known.iter().find(|(name, _)| *name == field).map_or("", |(_, value)| value);
        page.push_str(before);
        page.extend(utf8_percent_encode(value, TEXT));
        rest = next;
    }
    page + rest
}

/// What is kept of a call. Records are gathered for some moments before they are written, and the page asks as soon as it
/// rings: a call that is going on is looked for again.
async fn journey_of(app: &App, call: CallId, live: bool) -> Result<Option<Journey>, ApiError> {
    for _ in 0..TURNS {
        let found = app.store(move |s| s.journey(call)).await?.filter(|j| !j.steps.is_empty());
        if found.is_some() || !live {
            return Ok(found);
        }
        tokio::time::sleep(TURN).await;
    }
    Ok(None)
}

/// The number of whoever is not the asker.
fn other_number(journey: &Journey, own: Option<&str>) -> String {
    let record = &journey.record;
    let from_me = own == Some(record.caller.number.as_str());
    if from_me { record.called.number.clone() } else { record.caller.number.clone() }
}

/// Records carry numbers as they were shown: in the international form, and as dialled.
fn as_kept(home: &Home, numbers: Vec<Number>) -> Vec<Number> {
    let shown = numbers.iter().filter_map(|n| home.number(n.as_str())).filter(|n| !numbers.contains(n));
    let shown: Vec<Number> = shown.collect();
    numbers.into_iter().chain(shown).collect()
}

fn earlier(calls: Vec<CallRecord>, but: CallId, tree: &Value) -> Vec<EarlierCall> {
    let name = |id: &str| {
        let agents = tree["agent"].as_array().into_iter().flatten();
        agents.filter(|a| a["id"] == id).find_map(|a| a["name"].as_str()).map(str::to_owned)
    };
    let calls = calls.into_iter().filter(|c| c.call != but).take(usize::try_from(EARLIER).unwrap_or(0));
    calls.map(|record| EarlierCall { agent_name: record.agent.as_deref().and_then(name), record }).collect()
}

/// The queue and the wait there until an agent answered, or until now.
fn visit(journey: &Journey, now: Wall) -> (Option<String>, u64) {
    let steps = &journey.steps;
    let Some(at) = steps.iter().rposition(|s| s.kind == "queue") else { return (None, 0) };
    let began = &steps[at];
    let answered = steps[at..].iter().find(|s| s.kind == "answered").map(|s| s.offset_ms - began.offset_ms);
    let until_now = u64::try_from(now.millis_since(began.at)).unwrap_or(0);
    (Some(began.detail.clone()), answered.unwrap_or(until_now))
}

fn script(tree: &Value, queue: &str) -> String {
    let queues = tree["queue"].as_array().into_iter().flatten();
    let lines = queues.filter(|q| q["name"] == queue).find_map(|q| q["script"].as_array());
    lines.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

fn wrap_codes(tree: &Value, queue: &str) -> Vec<WrapChoice> {
    let queues = tree["queue"].as_array().into_iter().flatten();
    let codes = queues.filter(|q| q["name"] == queue).find_map(|q| q["wrap_codes"].as_array());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let choice = |code: &Value| WrapChoice { code: text(&code["code"]), name: text(&code["name"]) };
    codes.into_iter().flatten().map(choice).collect()
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn what_a_caller_brings_along_is_text_in_the_address() {
        let known = [("number", "+4930 1&x=/"), ("name", "Li 娜"), ("queue", "")];
        let page = filled("https://crm.example.com/by?n={number}&who={name}&q={queue}&t=1", &known);
        assert_eq!(page, "https://crm.example.com/by?n=%2B4930%201%26x%3D%2F&who=Li%20%E5%A8%9C&q=&t=1");
        assert_eq!(filled("https://crm.example.com/", &known), "https://crm.example.com/");
    }
}
