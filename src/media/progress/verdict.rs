//! Person or machine: the moments of a greeting weighed (logistic regression, weights made by tools/weigh from the training
//! half of tools/greetings), and when a verdict is due. In doubt it is a person.
use super::talk::Moment;
use super::weights::{INPUTS, WEIGHTS};
use model::media::{Doubt, Finding, Listening};

/// A greeting this unlikely to be a machine's is a person's at its first pause.
const SURELY_A_PERSON: f32 = 0.2;

/// Seconds of quiet after which a machine's greeting is over and no beep will come.
pub(super) const OVER: f32 = 2.5;

/// The verdict at this moment, when one is due. `now`: seconds since the answer.
pub(super) fn verdict(moment: Option<&Moment>, now: f32, listening: &Listening) -> Option<Finding> {
    let Some(moment) = moment else {
        return (now >= seconds(listening.silence_ms)).then_some(Finding::Unsure(Doubt::Silence));
    };
    let machine = likeness(moment);
    let pause = seconds(listening.pause_ms);
    if moment.span >= seconds(listening.talk_ms)
        && machine >= f32::from(listening.certainty_permille) / 1000.0
    {
        return Some(Finding::Machine);
    }
    let soon = moment.quiet >= pause && machine < SURELY_A_PERSON;
    let late = moment.quiet >= 2.0 * pause || now - moment.before >= seconds(listening.longest_ms);
    let person = if machine < 0.5 { Finding::Person } else { Finding::Unsure(Doubt::Unclear) };
    (soon || late).then_some(person)
}

/// How much a moment looks like a machine's, 0–1.
pub(super) fn likeness(moment: &Moment) -> f32 {
    let weights = WEIGHTS[usize::from(is_pause(moment))];
    let sum: f32 = inputs(moment).iter().zip(weights).map(|(input, weight)| input * weight).sum();
    1.0 / (1.0 + (-sum).exp())
}

/// Talking and pausing are weighed each in its own way.
pub(super) fn is_pause(moment: &Moment) -> bool {
    moment.quiet >= 0.25
}

/// A moment as the numbers that are weighed, each of about the size of one.
pub(super) fn inputs(m: &Moment) -> [f32; INPUTS] {
    let part = |from: f32, to: f32| ((m.span - from) / (to - from)).clamp(0.0, 1.0);
    [
        1.0,
        part(0.0, 0.6),
        part(0.6, 1.2),
        part(1.2, 2.0),
        part(2.0, 3.0),
        part(3.0, 4.0),
        part(4.0, 5.0),
        part(5.0, 6.0),
        part(6.0, 7.0),
        m.quiet.min(1.6),
        m.before.min(1.5),
        m.words / 5.0,
        m.longest_word,
        m.longest_pause.min(1.5),
        m.syllables / 10.0,
        m.syllables / m.speech.max(0.3) / 5.0,
        m.spread / 5.0,
        m.contrast / 30.0,
    ]
}

fn seconds(ms: u16) -> f32 {
    f32::from(ms) / 1000.0
}
