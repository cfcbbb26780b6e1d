//! `belfry steward`: the one small process with the rights of root. It carries out the acts of `board::steward`, one
//! connection one act, only for root and the user the box runs as, and writes each into the log. Every path and program
//! is below `--root`, so tests run it on a folder. Never decides whether an act is wanted: that is the control role's.
mod network;
mod place;
mod power;
mod run;
mod storage;
mod update;

use crate::args::StewardOptions;
use crate::lifecycle::{BadInput, complain};
use board::steward::{Act, Answer, LINE_MAX, Line, Progress, Refused};
use model::sentence::Sentence;
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::{Uid, User};
use place::Place;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The user the box runs as.
const BOX_USER: &str = "belfry";
/// Connections at once: the box asks for one thing at a time, a technician for another; more are hung up on.
const CONNECTIONS: usize = 4;
/// How long a request line, or a reader of our lines, may take.
const LINE_TIME: Duration = Duration::from_secs(5);

/// Serves until it is killed.
#[must_use]
pub fn run(options: &StewardOptions) -> ExitCode {
    match serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::from(if error.is::<BadInput>() { crate::role::EXIT_BAD_INPUT } else { 1 })
        }
    }
}

fn serve(options: &StewardOptions) -> anyhow::Result<()> {
    let listener = listen(&options.socket)?;
    let place = Arc::new(Place::new(options.root.clone()));
    let keeper = network::Keeper::start(place.clone())?;
    let open = Arc::new(AtomicUsize::new(0));
    update::proof::watch(place.clone())?;
    for stream in listener.incoming() {
        let stream = stream?;
        if open.fetch_add(1, Ordering::AcqRel) >= CONNECTIONS {
            open.fetch_sub(1, Ordering::AcqRel);
            tracing::warn!("too many ask the steward at once; one is hung up on");
            continue;
        }
        let (place, open, keeper) = (place.clone(), open.clone(), keeper.clone());
        std::thread::Builder::new().name("act".into()).spawn(move || {
            if let Err(error) = attend(&stream, &place, &keeper) {
                tracing::warn!(%error, "the steward could not hear or answer");
            }
            open.fetch_sub(1, Ordering::AcqRel);
        })?;
    }
    Ok(())
}

fn listen(socket: &Path) -> anyhow::Result<UnixListener> {
    if socket.exists() {
        std::fs::remove_file(socket)?;
    }
    let listener = UnixListener::bind(socket)
        .map_err(|error| BadInput(format!("the steward cannot listen on {}: {error}", socket.display())))?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

fn attend(stream: &UnixStream, place: &Place, keeper: &network::Keeper) -> std::io::Result<()> {
    stream.set_read_timeout(Some(LINE_TIME))?;
    stream.set_write_timeout(Some(LINE_TIME))?;
    let asker = getsockopt(stream, PeerCredentials)?.uid();
    if !may_ask(Uid::from_raw(asker), place) {
        tracing::warn!(uid = asker, "somebody who may not has asked the steward");
        return put(stream, &Line::Answer(Answer::Refused(not_allowed())));
    }
    let answer = match hear(stream) {
        Ok(act) => {
            if act.looks_only() {
                tracing::debug!(?act, uid = asker, "asked");
            } else {
                tracing::info!(?act, uid = asker, "asked");
            }
            let mut tell = |percent, step| {
                // Nobody has to listen: the act goes on without.
                let _ = put(stream, &Line::Progress(Progress { percent, step }));
            };
            carry_out(&act, place, keeper, &mut tell)
        }
        Err(error) => Err(not_understood(&error.to_string())),
    };
    if let Err(refused) = &answer {
        tracing::warn!(code = refused.code, why = %refused, "refused");
    }
    put(stream, &Line::Answer(answer.unwrap_or_else(Answer::Refused)))
}

/// Root, the box's own user, and in a folder of a test whoever started us.
fn may_ask(asker: Uid, place: &Place) -> bool {
    let own_folder = place.is_folder() && asker == Uid::current();
    let box_user = || User::from_name(BOX_USER).ok().flatten().is_some_and(|user| user.uid == asker);
    asker.is_root() || own_folder || box_user()
}

fn hear(stream: &UnixStream) -> std::io::Result<Act> {
    let mut line = Vec::new();
    BufReader::new(stream).take(LINE_MAX as u64).read_until(b'\n', &mut line)?;
    Ok(serde_json::from_slice(&line)?)
}

fn put(mut stream: &UnixStream, line: &Line) -> std::io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    stream.write_all(&bytes)
}

/// Where an act tells how far it is: percent, and what it does.
type Tell<'a> = &'a mut dyn FnMut(u8, Sentence);

fn carry_out(act: &Act, place: &Place, keeper: &network::Keeper, tell: Tell<'_>) -> Result<Answer, Refused> {
    match act {
        Act::Slots => update::slots::look(place).map(Answer::Slots),
        Act::InspectBundle => update::bundle::inspect(place, tell).map(Answer::Bundle),
        Act::InstallBundle => update::install(place, tell),
        Act::MarkGood => update::mark_good(place),
        Act::MarkBad { why } => update::mark_bad(place, why),
        Act::RollBack => update::roll_back(place),
        Act::FactoryReset => storage::factory_reset(place),
        Act::UsbFiles => storage::files(place),
        Act::UsbPut { name, keep } => storage::put(place, name, *keep),
        Act::UsbGet { name } => storage::get(place, name),
        Act::UsbBundles => storage::bundles::list(place),
        Act::UsbBundle { name } => storage::bundles::fetch(place, name, tell),
        Act::ApplyNetwork { settings } => keeper.apply(settings),
        Act::KeepNetwork { token } => keeper.keep(token),
        Act::UndoNetwork => keeper.undo(),
        Act::Network => Ok(Answer::Network(keeper.state())),
        Act::SetClock { unix_s } => network::set_clock(place, *unix_s),
        Act::Reboot => power::reboot(place),
        Act::PowerOff => power::off(place),
    }
}

fn not_allowed() -> Refused {
    Refused::new(
        "not_allowed",
        "Only the box itself and root may ask the steward.",
        "只有本机服务和 root 可以使用系统服务。",
    )
}

fn not_understood(why: &str) -> Refused {
    Refused::new(
        "not_understood",
        format!("The steward does not understand this: {why}."),
        format!("系统服务不明白这个请求：{why}。"),
    )
}
