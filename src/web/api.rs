//! The interface: the table of all operations, the router made from it, and the OpenAPI document made from it. A file
//! per resource below. The whole table is here so that one look shows who may do what.
pub mod access;
pub mod agents;
pub mod backups;
pub mod calls;
pub mod campaigns;
pub mod capture;
pub mod config;
pub mod contacts;
pub mod control;
pub mod desk;
pub mod events;
pub mod flows;
pub mod health;
pub mod history;
pub mod item;
pub mod lists;
pub mod live;
pub mod messages;
pub mod network;
pub mod openapi;
pub mod pop;
pub mod reports;
pub mod reset;
pub mod revive;
pub mod sound;
pub mod status;
pub mod tokens;
pub mod trunks;
pub mod update;
pub mod users;
pub mod wall;

use crate::app::App;
use crate::error::ApiError;
use crate::guard::{Door, guard};
use crate::live::{phone, stream, ws};
use crate::operation::{ADMIN, AGENTS, Access, EVERYONE, LEADS, Operation, WALL, op};
use axum::Router;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use model::campaign::{
    Barred, CampaignOrder, CampaignView, DialForecast, DialQuestion, DialWorld, OutreachView, SteerRecord,
};
use model::contact::{Contact, ContactDraft};
use model::notice::{AgentView, CallView, CheckView, PhoneView, QueueView, TrunkView};
use model::query::{
    BarredImported, EntryRow, GenerationRow, Journey, ListImported, ListRow, NoteRow, Status,
};
use model::record::{BanRecord, CallRecord, MessageRecord};
use model::report::{AgentFigures, QueueFigures};
use model::saving::BackupState;
use model::sentence::Sentence;
use model::update::{SelfCall, UpdateView};
use model::what_if::{Forecast, Question};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;
const JSON: &str = "application/json";
const TOML: &str = "application/toml";
const CSV: &str = "text/csv";
const WAV: &str = "audio/wav";
const LINES: &str = "application/x-ndjson";
const BYTES: &str = "application/octet-stream";
const PCAP: &str = "application/vnd.tcpdump.pcap";

/// Every operation.
#[must_use]
pub fn operations() -> Vec<Operation> {
    [
        sign_in(),
        configuration(),
        calls(),
        steering(),
        directory(),
        outbound(),
        figures(),
        people(),
        menus(),
        saving(),
        lan(),
        capture(),
        system(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn sign_in() -> Vec<Operation> {
    use {access as a, revive as r};
    let public = Access::Public;
    vec![
        op(GET, "/api/openapi.json", public, "This document.", openapi::document).gives_raw(JSON),
        op(GET, "/api/v1/setup", public, "Whether the first set-up is to be done.", a::setup_state)
            .gives::<a::SetupState>(),
        op(POST, "/api/v1/setup", public, "Does the first set-up with the one-time code.", a::setup)
            .takes::<a::SetupForm>()
            .gives::<a::SessionView>(),
        op(
            POST,
            "/api/v1/setup/backup",
            public,
            "Brings a backup to a box without an administrator.",
            r::upload,
        )
        .takes_raw(BYTES)
        .gives::<backups::Uploaded>(),
        op(POST, "/api/v1/setup/restore", public, "Takes that backup back instead of a set-up.", r::restore)
            .takes::<r::RestoreForm>()
            .gives::<backups::Described>(),
        op(
            GET,
            "/api/v1/setup/code",
            ADMIN,
            "The one-time code; answered on the local socket only.",
            a::code,
        )
        .gives::<a::SetupCode>(),
        op(POST, "/api/v1/login", public, "Signs in.", a::login)
            .takes::<a::LoginForm>()
            .gives::<a::SessionView>(),
        op(POST, "/api/v1/logout", EVERYONE, "Signs out.", a::logout),
        op(GET, "/api/v1/session", EVERYONE, "Who is signed in.", a::session).gives::<a::SessionView>(),
        op(POST, "/api/v1/password", EVERYONE, "Changes the own password; signs out elsewhere.", a::password)
            .takes::<a::PasswordForm>(),
        op(GET, "/api/v1/live", EVERYONE, "Live data over a WebSocket.", ws::upgrade),
        op(GET, phone::PATH, EVERYONE, "The own phone in this browser, over a WebSocket.", phone::upgrade)
            .query::<phone::PhoneParams>(),
        op(GET, "/api/v1/status", LEADS, "State of the box.", status::status).gives::<Status>(),
    ]
}

fn configuration() -> Vec<Operation> {
    use {config as c, item as i};
    vec![
        op(
            GET,
            "/api/v1/config",
            EVERYONE,
            "The configuration, without secrets but for administrators.",
            c::whole,
        )
        .gives::<c::Versioned>(),
        op(PUT, "/api/v1/config", ADMIN, "Replaces the whole configuration.", c::replace)
            .takes_raw(JSON)
            .gives::<c::Committed>(),
        op(GET, "/api/v1/config/export", ADMIN, "The configuration as text, with secrets.", c::export)
            .gives_raw(TOML),
        op(POST, "/api/v1/config/check", ADMIN, "Lists every problem of a draft; stores nothing.", c::check)
            .takes_raw(TOML)
            .gives::<c::Checked>(),
        op(POST, "/api/v1/config/apply", ADMIN, "Puts a text in force.", c::apply)
            .takes_raw(TOML)
            .gives::<c::Committed>(),
        op(POST, "/api/v1/config/rule", ADMIN, "Reads a rule and tells it in plain words.", c::rule)
            .takes::<c::RuleForm>()
            .gives::<c::RuleWords>(),
        op(GET, "/api/v1/config/history", ADMIN, "Stored configurations, newest first.", c::history)
            .query::<c::HistoryParams>()
            .gives_page::<GenerationRow>(),
        op(GET, "/api/v1/config/history/{generation}", ADMIN, "What a change changed.", c::changes)
            .gives::<c::Changes>(),
        op(
            POST,
            "/api/v1/config/history/{generation}/undo",
            ADMIN,
            "Makes a stored one current again.",
            c::undo,
        )
        .gives::<c::Committed>(),
        op(GET, "/api/v1/config/{section}", LEADS, "A section.", i::section).gives_raw(JSON),
        op(PUT, "/api/v1/config/{section}", ADMIN, "Replaces a section.", i::put_section)
            .takes_raw(JSON)
            .gives::<c::Committed>(),
        op(GET, "/api/v1/config/{section}/{key}", LEADS, "An item of a section.", i::read).gives_raw(JSON),
        op(PUT, "/api/v1/config/{section}/{key}", ADMIN, "Makes or replaces an item.", i::put)
            .takes_raw(JSON)
            .gives::<c::Committed>(),
        op(DELETE, "/api/v1/config/{section}/{key}", ADMIN, "Removes an item.", i::delete)
            .query::<i::DeleteParams>()
            .gives::<c::Committed>(),
    ]
}

fn calls() -> Vec<Operation> {
    use {agents as g, calls as c, history as h, messages as m};
    vec![
        op(GET, "/api/v1/calls", EVERYONE, "Calls in progress.", c::list).gives_list::<CallView>(),
        op(POST, "/api/v1/calls", EVERYONE, "Rings a phone and connects it to a number.", c::dial)
            .takes::<c::DialForm>(),
        op(DELETE, "/api/v1/calls/{call}", EVERYONE, "Ends a call.", c::hang_up),
        op(POST, "/api/v1/calls/{call}/record", EVERYONE, "Starts, stops, pauses a recording.", c::record)
            .takes::<c::RecordForm>(),
        op(GET, "/api/v1/calls/{call}/pop", AGENTS, "What is known of a call's other party.", pop::pop)
            .gives::<pop::Pop>(),
        op(GET, "/api/v1/history", EVERYONE, "Past calls, newest first.", h::list)
            .query::<h::HistoryParams>()
            .gives_page::<CallRecord>(),
        op(GET, "/api/v1/history/{call}", EVERYONE, "A call's journey.", h::journey).gives::<Journey>(),
        op(GET, "/api/v1/recordings/{recording}", EVERYONE, "A recording's sound.", h::sound).gives_raw(WAV),
        op(GET, "/api/v1/messages", EVERYONE, "Voicemail messages, newest first.", m::list)
            .query::<m::MessageParams>()
            .gives_list::<MessageRecord>(),
        op(GET, "/api/v1/messages/{message}/audio", EVERYONE, "A message's sound.", m::sound).gives_raw(WAV),
        op(PATCH, "/api/v1/messages/{message}", EVERYONE, "Marks a message heard or new.", m::mark)
            .takes::<m::HeardForm>(),
        op(DELETE, "/api/v1/messages/{message}", EVERYONE, "Deletes a message.", m::delete),
        op(GET, "/api/v1/agents", AGENTS, "Agents now.", live::agents).gives_list::<AgentView>(),
        op(GET, "/api/v1/phones", EVERYONE, "Registered phones now.", live::phones).gives_list::<PhoneView>(),
        op(
            PUT,
            "/api/v1/extensions/{extension}/desk",
            EVERYONE,
            "Logs an extension in at another's phone, or home.",
            desk::login,
        )
        .takes::<desk::DeskForm>(),
        op(
            DELETE,
            "/api/v1/extensions/{extension}/desk",
            EVERYONE,
            "Gives the other's phone back to its owner.",
            desk::logout,
        ),
        op(GET, "/api/v1/health", LEADS, "What the box keeps an eye on, and how it is.", live::health)
            .gives_list::<CheckView>(),
        op(GET, "/api/v1/queues", AGENTS, "Queues now.", live::queues).gives_list::<QueueView>(),
        op(GET, "/api/v1/trunks", LEADS, "Trunks now.", live::trunks).gives_list::<TrunkView>(),
        op(GET, "/api/v1/reasons", AGENTS, "Why agents may take no calls.", reports::reasons)
            .gives_list::<model::config::reason::Reason>(),
        op(POST, "/api/v1/agents/{agent}/login", AGENTS, "The agent goes to work.", g::login),
        op(POST, "/api/v1/agents/{agent}/logout", AGENTS, "The agent goes home.", g::logout),
        op(POST, "/api/v1/agents/{agent}/ready", AGENTS, "The agent is free.", g::ready),
        op(POST, "/api/v1/agents/{agent}/pause", AGENTS, "The agent takes no calls.", g::pause)
            .takes::<g::PauseForm>(),
        op(POST, "/api/v1/agents/{agent}/wrap", AGENTS, "What the last call was about.", g::wrap)
            .takes::<g::WrapForm>(),
        op(POST, "/api/v1/agents/{agent}/extend", AGENTS, "More time for after-call work.", g::extend),
        op(
            DELETE,
            "/api/v1/callbacks/{callback}",
            LEADS,
            "Calls this customer back no more.",
            c::no_callback,
        ),
        op(PUT, "/api/v1/calls/{call}/place", LEADS, "Puts a waiting caller to another place.", c::place)
            .takes::<c::PlaceForm>(),
    ]
}

fn directory() -> Vec<Operation> {
    use contacts as c;
    vec![
        op(GET, "/api/v1/contacts", AGENTS, "Contacts by name.", c::list)
            .query::<c::ContactParams>()
            .gives_page::<Contact>(),
        op(POST, "/api/v1/contacts", AGENTS, "Adds a contact.", c::create)
            .takes::<ContactDraft>()
            .gives::<Contact>(),
        op(
            POST,
            "/api/v1/contacts/import",
            LEADS,
            "Takes contacts from a list with a header line.",
            c::import,
        )
        .takes_raw(CSV)
        .gives::<c::Imported>(),
        op(GET, "/api/v1/contacts/of/{number}", AGENTS, "The contact with this number.", c::of)
            .gives::<Contact>(),
        op(GET, "/api/v1/contacts/{contact}", AGENTS, "A contact.", c::read).gives::<Contact>(),
        op(PUT, "/api/v1/contacts/{contact}", AGENTS, "Replaces a contact.", c::put)
            .takes::<ContactDraft>()
            .gives::<Contact>(),
        op(DELETE, "/api/v1/contacts/{contact}", LEADS, "Removes a contact.", c::delete),
    ]
}

fn figures() -> Vec<Operation> {
    use reports as r;
    vec![
        op(GET, "/api/v1/reports/queues", LEADS, "What queues did in a span of time.", r::queues)
            .query::<r::ReportParams>()
            .gives_list::<QueueFigures>(),
        op(GET, "/api/v1/reports/agents", LEADS, "What agents did in a span of time.", r::agents)
            .query::<r::ReportParams>()
            .gives_list::<AgentFigures>(),
        op(GET, "/api/v1/reports/queues.csv", LEADS, "The same as a list for spreadsheets.", r::queues_csv)
            .query::<r::ReportParams>()
            .gives_raw(CSV),
        op(GET, "/api/v1/reports/agents.csv", LEADS, "The same as a list for spreadsheets.", r::agents_csv)
            .query::<r::ReportParams>()
            .gives_raw(CSV),
        op(GET, "/api/v1/wall", WALL, "Queues and agents as a screen on the wall shows them.", wall::wall)
            .gives::<wall::WallBoard>(),
    ]
}

fn menus() -> Vec<Operation> {
    use flows as f;
    vec![
        op(POST, "/api/v1/what-if", LEADS, "What would happen to a call; nobody is called.", f::what_if)
            .takes::<Question>()
            .gives::<Forecast>(),
        op(
            POST,
            "/api/v1/simulate/dialer",
            LEADS,
            "What would come of a campaign, by the pace of real ones; nobody is called.",
            f::dialling,
        )
        .takes::<DialQuestion>()
        .gives::<DialForecast>(),
        op(GET, "/api/v1/prompts/{name}/{language}", LEADS, "An own prompt's sound.", f::listen)
            .gives_raw(WAV),
        op(PUT, "/api/v1/prompts/{name}/{language}", ADMIN, "Keeps a prompt's sound.", f::keep)
            .takes_raw(WAV)
            .gives::<f::Kept>(),
        op(POST, "/api/v1/prompts/{name}/{language}/spoken", ADMIN, "Has a prompt spoken.", f::speak)
            .takes::<f::SpeakForm>()
            .gives::<f::Kept>(),
        op(
            POST,
            "/api/v1/prompts/{name}/{language}/recorded",
            ADMIN,
            "Rings a phone, where a prompt is recorded.",
            f::record,
        )
        .takes::<f::RecordForm>(),
    ]
}

fn outbound() -> Vec<Operation> {
    use {campaigns as c, lists as l};
    vec![
        op(GET, "/api/v1/campaigns", AGENTS, "Campaigns now.", c::all).gives_list::<CampaignView>(),
        op(GET, "/api/v1/desks", AGENTS, "Entries of campaigns at the agents' desks now.", live::desks)
            .gives_list::<OutreachView>(),
        op(
            POST,
            "/api/v1/campaigns/{campaign}/order",
            AGENTS,
            "Steers a campaign, or works in it.",
            c::order,
        )
        .takes::<CampaignOrder>(),
        op(GET, "/api/v1/campaigns/{campaign}/changes", LEADS, "Who changed what, newest first.", c::changes)
            .gives_list::<SteerRecord>(),
        op(
            GET,
            "/api/v1/campaigns/{campaign}/world",
            LEADS,
            "What a campaign's last attempts say of the people it calls.",
            c::world,
        )
        .gives::<DialWorld>(),
        op(
            GET,
            "/api/v1/campaigns/{campaign}/attempts",
            LEADS,
            "The evidence: every attempt with its raw events, one JSON object a line.",
            c::attempts,
        )
        .query::<l::AfterParams>()
        .gives_raw(LINES),
        op(GET, "/api/v1/lists", LEADS, "Lists of numbers.", l::all).gives_list::<ListRow>(),
        op(POST, "/api/v1/lists/import", LEADS, "Reads a sheet (CSV or XLSX) into a list.", l::import)
            .query::<l::ImportParams>()
            .takes_raw(BYTES)
            .gives::<ListImported>(),
        op(GET, "/api/v1/lists/{list}/entries", LEADS, "Entries of a list.", l::entries)
            .query::<l::AfterParams>()
            .gives_list::<EntryRow>(),
        op(
            GET,
            "/api/v1/lists/{list}/rejects",
            LEADS,
            "Rows that were not taken, with the reason.",
            l::rejects,
        )
        .gives_raw(CSV),
        op(
            DELETE,
            "/api/v1/lists/{list}",
            LEADS,
            "Removes a list; its attempts stay as evidence.",
            l::delete,
        ),
        op(GET, "/api/v1/barred", LEADS, "Numbers that must not be called.", l::barred)
            .query::<l::AfterNumber>()
            .gives_list::<Barred>(),
        op(POST, "/api/v1/barred", LEADS, "Puts a number on the do-not-call list, or takes it off.", l::bar)
            .takes::<l::BarForm>(),
        op(
            POST,
            "/api/v1/barred/import",
            LEADS,
            "Puts the numbers of a file (CSV, plain text or XLSX, one a row) on the do-not-call list.",
            l::bar_all,
        )
        .query::<l::BarredParams>()
        .takes_raw(BYTES)
        .gives::<BarredImported>(),
    ]
}

fn people() -> Vec<Operation> {
    use {events as e, tokens as t, users as u};
    vec![
        op(POST, "/api/v1/health/test", ADMIN, "Sends a test alarm to everybody who is told.", health::test)
            .gives::<health::Told>(),
        op(POST, "/api/v1/trunks/{trunk}/retry", LEADS, "Tries a trunk again now.", trunks::retry),
        op(
            DELETE,
            "/api/v1/budgets/{scope}",
            ADMIN,
            "Gives the minutes to outside of today back: site, extension 101, trunk carrier.",
            e::budget_reset,
        ),
        op(GET, "/api/v1/bans", ADMIN, "Addresses not answered for a while.", e::bans)
            .gives_list::<BanRecord>(),
        op(DELETE, "/api/v1/bans/{address}", ADMIN, "Ends a ban.", e::pardon),
        op(GET, "/api/v1/events", LEADS, "The event log, newest first.", e::list)
            .query::<e::EventParams>()
            .gives_page::<NoteRow>(),
        op(
            GET,
            stream::PATH,
            LEADS,
            "What happens, numbered, over a WebSocket that can be resumed.",
            stream::upgrade,
        )
        .query::<stream::StreamParams>(),
        op(GET, "/api/v1/users", ADMIN, "Who may sign in.", u::list).gives_list::<u::UserView>(),
        op(POST, "/api/v1/users", ADMIN, "Adds somebody.", u::create)
            .takes::<u::NewUser>()
            .gives::<u::UserView>(),
        op(PUT, "/api/v1/users/{name}", ADMIN, "Changes or adds somebody.", u::put)
            .takes::<u::UserChange>()
            .gives::<u::UserView>(),
        op(DELETE, "/api/v1/users/{name}", ADMIN, "Removes somebody.", u::delete),
        op(GET, "/api/v1/tokens", ADMIN, "API tokens, without their secret.", t::list)
            .gives_list::<t::TokenView>(),
        op(POST, "/api/v1/tokens", ADMIN, "Makes a token; it is shown this once.", t::create)
            .takes::<t::NewToken>()
            .gives::<t::MadeToken>(),
        op(DELETE, "/api/v1/tokens/{name}", ADMIN, "Removes a token.", t::delete),
    ]
}

fn saving() -> Vec<Operation> {
    use backups as b;
    vec![
        op(GET, "/api/v1/backups", ADMIN, "Backups: what is there, and how the last one went.", b::state)
            .gives::<BackupState>(),
        op(POST, "/api/v1/backups", ADMIN, "Begins a backup now.", b::start),
        op(POST, "/api/v1/backups/upload", ADMIN, "Brings a backup to the box.", b::upload_one)
            .takes_raw(BYTES)
            .gives::<b::Uploaded>(),
        op(GET, "/api/v1/backups/{name}", ADMIN, "A backup's file.", b::download).gives_raw(BYTES),
        op(DELETE, "/api/v1/backups/{name}", ADMIN, "Deletes a backup.", b::delete),
        op(POST, "/api/v1/backups/{name}/check", ADMIN, "Reads a backup and says what is in it.", b::check)
            .takes::<b::PassPhraseForm>()
            .gives::<b::Described>(),
        op(
            POST,
            "/api/v1/backups/{name}/restore",
            ADMIN,
            "Takes a backup back; the box starts again.",
            b::restore,
        )
        .takes::<b::PassPhraseForm>()
        .gives::<b::Described>(),
        op(
            POST,
            "/api/v1/backups/{name}/fetch",
            ADMIN,
            "Copies a backup from a USB stick to the box.",
            b::fetch,
        )
        .gives::<b::Uploaded>(),
        op(
            POST,
            "/api/v1/reset",
            ADMIN,
            "Factory reset: removes everything; the box starts again.",
            reset::reset,
        )
        .takes::<reset::ResetForm>(),
        op(
            PUT,
            "/api/v1/recordings/{recording}/hold",
            LEADS,
            "Orders that a recording is not deleted, or lifts it.",
            history::hold,
        )
        .takes::<history::HoldForm>(),
    ]
}

fn steering() -> Vec<Operation> {
    use control as k;
    vec![
        op(POST, "/api/v1/calls/{call}/hold", EVERYONE, "The other party hears music.", k::hold),
        op(POST, "/api/v1/calls/{call}/resume", EVERYONE, "Takes the other party back.", k::resume),
        op(POST, "/api/v1/calls/{call}/mute", EVERYONE, "Nobody hears the own party.", k::mute),
        op(POST, "/api/v1/calls/{call}/unmute", EVERYONE, "The own party is heard again.", k::unmute),
        op(
            POST,
            "/api/v1/calls/{call}/consult",
            EVERYONE,
            "Asks a third party; the other hears music.",
            k::consult,
        )
        .takes::<k::ToForm>(),
        op(
            POST,
            "/api/v1/calls/{call}/back",
            EVERYONE,
            "Ends the question: back to the other party.",
            k::back,
        ),
        op(POST, "/api/v1/calls/{call}/transfer", EVERYONE, "Hands the other party over.", k::transfer)
            .takes::<k::MaybeToForm>(),
        op(POST, "/api/v1/calls/{call}/conference", EVERYONE, "Takes a third party in.", k::conference)
            .takes::<k::MaybeToForm>(),
        op(POST, "/api/v1/calls/{call}/hang_up", EVERYONE, "The own party leaves the call.", k::hang_up),
        op(
            POST,
            "/api/v1/calls/{call}/supervise",
            LEADS,
            "Listens, whispers, barges in, takes over.",
            k::supervise,
        )
        .takes::<k::SuperviseForm>(),
        op(POST, "/api/v1/calls/{call}/leave", LEADS, "Ends supervising.", k::leave).takes::<k::LeaveForm>(),
    ]
}

fn lan() -> Vec<Operation> {
    use network as n;
    vec![
        op(GET, "/api/v1/network", LEADS, "How the box stands on the LAN, and its clock.", n::state)
            .gives::<n::NetworkView>(),
        op(POST, "/api/v1/network/keep", Access::Public, "Keeps a network change, by its token.", n::keep)
            .takes::<n::KeepForm>(),
        op(POST, "/api/v1/network/undo", ADMIN, "Takes a network change back now.", n::undo),
        op(POST, "/api/v1/time", ADMIN, "Sets the clock of the machine.", n::set_clock)
            .takes::<n::ClockForm>(),
    ]
}

fn capture() -> Vec<Operation> {
    use capture as c;
    vec![
        op(GET, "/api/v1/capture", ADMIN, "The capture of SIP messages: how it stands.", c::view)
            .gives::<c::CaptureView>(),
        op(POST, "/api/v1/capture", ADMIN, "Begins to capture; what was captured before goes.", c::start)
            .takes::<c::CaptureForm>()
            .gives::<c::CaptureView>(),
        op(POST, "/api/v1/capture/stop", ADMIN, "Ends the capture and keeps it.", c::stop)
            .gives::<c::CaptureView>(),
        op(DELETE, "/api/v1/capture", ADMIN, "Ends the capture and forgets it.", c::forget),
        op(GET, "/api/v1/capture/file", ADMIN, "What was captured, for Wireshark.", c::file).gives_raw(PCAP),
    ]
}

fn system() -> Vec<Operation> {
    use update as u;
    vec![
        op(GET, u::PATH, ADMIN, "The system: slots, update, restart.", u::view).gives::<UpdateView>(),
        op(
            POST,
            u::PATH,
            ADMIN,
            "Uploads an update bundle; the box then looks at it, installs nothing.",
            u::receive,
        )
        .takes_raw(BYTES)
        .begins()
        .gives::<UpdateView>(),
        op(GET, "/api/v1/update/usb", ADMIN, "Update bundles on the USB stick.", u::stick)
            .gives_list::<u::StickBundle>(),
        op(POST, "/api/v1/update/usb", ADMIN, "Brings a bundle from the stick and looks at it.", u::fetch)
            .takes::<u::StickForm>(),
        op(POST, "/api/v1/update/install", ADMIN, "Installs the uploaded bundle.", u::install)
            .takes::<u::RestartForm>()
            .begins(),
        op(POST, "/api/v1/update/rollback", ADMIN, "Goes back to the system before.", u::roll_back)
            .takes::<u::RestartForm>()
            .begins(),
        op(POST, "/api/v1/update/restart", ADMIN, "Restarts the box.", u::restart)
            .takes::<u::RestartForm>()
            .begins(),
        op(POST, "/api/v1/self-call", LEADS, "The box calls itself and listens.", u::self_call)
            .gives::<SelfCall>(),
    ]
}

/// The router of the interface: each operation behind its own door.
pub fn router(app: &App) -> Router<App> {
    let router = operations().into_iter().fold(Router::new(), |router, operation| {
        let door = Door { app: app.clone(), access: operation.access };
        router.route(operation.path, operation.route.route_layer(from_fn_with_state(door, guard)))
    });
    router
        .route("/api", axum::routing::any(nothing))
        .route("/api/{*rest}", axum::routing::any(nothing))
        .method_not_allowed_fallback(wrong_method)
}

async fn nothing() -> ApiError {
    let said = Sentence::new(
        "There is no such operation. See /api/openapi.json.",
        "没有这样的操作；见 /api/openapi.json。",
    );
    ApiError::new(StatusCode::NOT_FOUND, "not_found", said)
}

async fn wrong_method() -> ApiError {
    let said = Sentence::new("This path does not know that method.", "此路径不支持该方法。");
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method", said)
}
