//! What the answers to our REGISTER and OPTIONS mean for a carrier's health, and when it is asked again.
use super::{Out, QUIET, State};
use crate::timers::TrunkTimer;
use model::clock::Now;
use model::config::trunk::TrunkKind;
use sip::Response;
use sip::indication::Failure;
use std::sync::Arc;
use std::time::Duration;

/// An OPTIONS was answered, by whatever code, or not. Whether the view changed.
pub(super) fn probed(now: Now, name: &str, state: &mut State, answered: bool, out: &mut Vec<Out>) -> bool {
    let wait = if answered { QUIET } else { Duration::from_secs(2) };
    let next = |timer| Out::Wait(name.to_owned(), timer, now.mono + wait);
    match (state.trunk.kind, answered) {
        (TrunkKind::Address, true) => {
            out.push(next(TrunkTimer::Probe));
            state.health.up(now, "answers_options", "")
        }
        (TrunkKind::Address, false) => {
            out.push(next(TrunkTimer::Probe));
            state.health.down(now, "no_answer", "no answer to OPTIONS")
        }
        (TrunkKind::Register, true) => {
            out.push(next(TrunkTimer::Probe));
            false
        }
        (TrunkKind::Register, false) => {
            // The registration is asked again: if that is answered, this carrier merely ignores OPTIONS.
            state.mute = true;
            out.push(Out::Wait(name.to_owned(), TrunkTimer::Register, now.mono));
            false
        }
    }
}

/// A REGISTER was answered, or not. Whether the view changed.
pub(super) fn registered(
    now: Now,
    name: &str,
    state: &mut State,
    result: Result<Arc<Response>, Failure>,
    out: &mut Vec<Out>,
) -> bool {
    let after = |seconds: u64| {
        Out::Wait(name.to_owned(), TrunkTimer::Register, now.mono + Duration::from_secs(seconds))
    };
    let response = match result {
        Ok(response) => response,
        Err(failure) => {
            state.mute = false;
            out.push(after(if failure == Failure::Timeout { 2 } else { 10 }));
            return state.health.down(now, "no_answer", &failure.to_string());
        }
    };
    let detail = format!("{} {}", response.code(), response.reason());
    match response.code() {
        200..=299 => {
            let granted = u64::from(granted(&response).unwrap_or(state.expires_s).clamp(10, 86_400));
            // A carrier that ignores OPTIONS is asked every minute, or its return after an outage is not noticed.
            let refresh = if state.mute { (granted * 4 / 5).min(60) } else { granted * 4 / 5 };
            out.push(after(refresh.max(5)));
            if !state.mute {
                out.push(Out::Wait(name.to_owned(), TrunkTimer::Probe, now.mono + QUIET));
            }
            state.health.up(now, "registered", &detail)
        }
        423 => {
            let least = response.header("Min-Expires").next().and_then(|v| v.trim().parse().ok());
            state.expires_s = least.unwrap_or(3600).clamp(10, 86_400);
            out.push(after(1));
            state.health.down(now, "refused", &detail)
        }
        401 | 407 => {
            out.push(after(60));
            state.health.down(now, "wrong_password", &detail)
        }
        403 => {
            out.push(after(60));
            state.health.down(now, "forbidden", &detail)
        }
        _ => {
            let asked = response.retry_after().map_or(15, |s| u64::from(s.min(20)));
            out.push(after(asked.max(2)));
            state.health.down(now, "refused", &detail)
        }
    }
}

/// The lifetime a carrier granted: of our Contact, else of the whole answer.
fn granted(response: &Response) -> Option<u32> {
    let own =
        response.contacts().filter_map(|c| c.param("expires").flatten().and_then(|v| v.parse().ok())).min();
    own.or(response.expires())
}
