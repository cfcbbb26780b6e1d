//! What parties change about their own sound. Hold is the holder's wish in a re-INVITE; we answer it ourselves and the other
//! party hears music, without a message to that party.
use super::stage::Stage;
use super::{Core, Out, Side};
use crate::intent::Intent;
use model::id::LegId;
use model::refusal::Refusal;

/// Cause of a call that its caller ended.
pub const CALLER_HUNG_UP: &str = "caller hung up";
/// Cause of a call that the called party ended.
pub const CALLED_HUNG_UP: &str = "called party hung up";

/// A party wants to change its sound; the answer goes out at once. In a bridge, hold or its end follow from it.
pub fn reoffer(core: &mut Core, mut stage: Stage, leg: LegId, sdp: Option<Vec<u8>>, out: &mut Out) -> Stage {
    if core.a.id == leg {
        let changed = core.a.reoffered(sdp, out);
        if let (Stage::Bridged(bridged), true) = (&mut stage, changed) {
            bridged.hold_changed(core, Side::Caller, out);
        }
        return stage;
    }
    if let Stage::Bridged(bridged) = &mut stage
        && let Some(party) = bridged.leg_of(leg)
    {
        let changed = party.reoffered(sdp, out);
        if changed && bridged.b.id == leg {
            bridged.hold_changed(core, Side::Called, out);
        }
        return stage;
    }
    let answer = match (stage.fork_of(leg), sdp) {
        (Some(fork), Some(offer)) => fork.reoffered(leg, &offer, out),
        (Some(_) | None, _) => Err(Refusal::Conflict),
    };
    out.want(Intent::AnswerReoffer { leg, answer: answer.map_err(Refusal::sip_code) });
    stage
}

/// The answer to an offer in a 2xx of ours.
pub fn acked(core: &mut Core, stage: &mut Stage, leg: LegId, sdp: &[u8], out: &mut Out) {
    if core.a.id == leg {
        core.a.acked(sdp, out);
    } else if let Stage::Bridged(bridged) = stage
        && let Some(party) = bridged.leg_of(leg)
    {
        party.acked(sdp, out);
    }
}
