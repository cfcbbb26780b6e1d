//! What is done to two legs: joined, put on hold, taken up again. Hold is the holder's wish in a re-INVITE; we answer it
//! ourselves and the other party hears music, without a message to that party.
use super::leg::Leg;
use super::stage::Stage;
use super::{Core, Out, Side};
use crate::intent::Intent;
use model::id::LegId;
use model::media::{MediaCommand, Sound};
use model::refusal::Refusal;

/// Cause of a call that its caller ended.
pub const CALLER_HUNG_UP: &str = "caller hung up";
/// Cause of a call that the called party ended.
pub const CALLED_HUNG_UP: &str = "called party hung up";

/// Each hears the other.
pub fn join(a: &Leg, b: &Leg, out: &mut Out) {
    if let (Some(a), Some(b)) = (a.session(), b.session()) {
        out.media(MediaCommand::Join { a, b });
    }
}

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
        && bridged.b.id == leg
    {
        if bridged.b.reoffered(sdp, out) {
            bridged.hold_changed(core, Side::Called, out);
        }
        return stage;
    }
    out.want(Intent::AnswerReoffer { leg, answer: Err(Refusal::Conflict.sip_code()) });
    stage
}

/// Music for whoever was put on hold.
pub fn music(leg: &Leg, out: &mut Out) {
    if let Some(session) = leg.session() {
        out.media(MediaCommand::Part { session });
        out.play(session, vec![Sound::Music("default".into())], true, false);
    }
}
