//! The sound card's mixer: many codecs start muted, so the board's description names the controls and how far to open
//! them. Set once at the start; a control that is missing is told and left out. Decides nothing.
use crate::description::{Control, Sound};
use alsa::mixer::{Mixer, Selem, SelemId};

/// Opens the card's controls as the board says.
pub fn set(sound: &Sound) {
    let mixer = match Mixer::new(&sound.card, false) {
        Ok(mixer) => mixer,
        Err(error) => {
            tracing::warn!(card = sound.card, %error, "the sound card's mixer does not open; paging and line in may be silent");
            return;
        }
    };
    for control in &sound.controls {
        match mixer.find_selem(&SelemId::new(&control.name, 0)) {
            None => tracing::warn!(
                card = sound.card,
                control = control.name,
                "the sound card has no such control; check the board's description"
            ),
            Some(selem) => {
                if let Err(error) = open(&selem, control) {
                    tracing::warn!(control = control.name, %error, "a control of the sound card cannot be set");
                }
            }
        }
    }
}

fn open(selem: &Selem<'_>, control: &Control) -> alsa::Result<()> {
    let on = i32::from(control.percent > 0);
    if selem.has_playback_volume() {
        let (low, high) = selem.get_playback_volume_range();
        selem.set_playback_volume_all(share(low, high, control.percent))?;
    }
    if selem.has_playback_switch() {
        selem.set_playback_switch_all(on)?;
    }
    if selem.has_capture_volume() {
        let (low, high) = selem.get_capture_volume_range();
        selem.set_capture_volume_all(share(low, high, control.percent))?;
    }
    if selem.has_capture_switch() {
        for channel in alsa::mixer::SelemChannelId::all() {
            if selem.has_capture_channel(*channel) {
                selem.set_capture_switch(*channel, on)?;
            }
        }
    }
    Ok(())
}

/// A share of a range.
fn share(low: i64, high: i64, percent: u8) -> i64 {
    low + (high - low) * i64::from(percent.min(100)) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_range_also_below_zero() {
        assert_eq!([share(0, 64, 0), share(0, 64, 50), share(0, 64, 100)], [0, 32, 64]);
        assert_eq!(share(-10_239, 400, 100), 400);
        assert_eq!(share(0, 31, 200), 31);
    }

    #[test]
    fn a_missing_card_harms_nobody() {
        let control = Control { name: "Master".into(), percent: 80 };
        set(&Sound { card: "hw:NoSuchCard".into(), controls: vec![control] });
    }
}
