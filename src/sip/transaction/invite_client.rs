//! The INVITE client transaction (RFC 3261 section 17.1.1 with RFC 6026). A table: stage and input give the next stage
//! and what to do; no data, no clock. Leaves by: refusal → Completed → D · 2xx → Accepted → M · B or broken wire.
use super::Do;
use crate::timer::Timer;

/// Where the transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Sent, nothing heard.
    Calling,
    /// A provisional answer was heard.
    Proceeding,
    /// A 2xx was heard; later ones are passed on to be acknowledged.
    Accepted,
    /// A refusal was heard and acknowledged; later ones are acknowledged again.
    Completed,
    /// Gone.
    Over,
}

/// What may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// 1xx.
    Provisional,
    /// 2xx.
    Success,
    /// 3xx-6xx.
    Failure,
    /// The user sent CANCEL.
    Cancelled,
    /// The flow broke.
    Unreachable,
    /// A timer fired.
    Timer(Timer),
}

/// What to do at the start.
#[must_use]
pub fn start(reliable: bool) -> &'static [Do] {
    match reliable {
        true => &[Do::Send, Do::Start(Timer::B)],
        false => &[Do::Send, Do::Start(Timer::A), Do::Start(Timer::B)],
    }
}

/// One step.
#[must_use]
pub fn step(stage: Stage, input: Input) -> (Stage, &'static [Do]) {
    match stage {
        Stage::Calling => calling(input),
        Stage::Proceeding => proceeding(input),
        Stage::Accepted => accepted(input),
        Stage::Completed => completed(input),
        Stage::Over => (Stage::Over, &[]),
    }
}

const SUCCESS: &[Do] = &[Do::Stop(Timer::A), Do::Stop(Timer::B), Do::Shrink, Do::Start(Timer::M), Do::Tell];
const FAILURE: &[Do] =
    &[Do::Stop(Timer::A), Do::Stop(Timer::B), Do::Tell, Do::Ack, Do::Shrink, Do::Start(Timer::D)];

fn calling(input: Input) -> (Stage, &'static [Do]) {
    match input {
        Input::Provisional => (Stage::Proceeding, &[Do::Stop(Timer::A), Do::Stop(Timer::B), Do::Tell]),
        Input::Success => (Stage::Accepted, SUCCESS),
        Input::Failure => (Stage::Completed, FAILURE),
        Input::Timer(Timer::A) => (Stage::Calling, &[Do::Send, Do::Start(Timer::A)]),
        Input::Timer(Timer::B) => (Stage::Over, &[Do::TellTimeout]),
        Input::Unreachable => (Stage::Over, &[Do::TellUnreachable]),
        Input::Cancelled | Input::Timer(_) => (Stage::Calling, &[]),
    }
}

fn proceeding(input: Input) -> (Stage, &'static [Do]) {
    match input {
        Input::Provisional => (Stage::Proceeding, &[Do::Tell]),
        Input::Success => (Stage::Accepted, SUCCESS),
        Input::Failure => (Stage::Completed, FAILURE),
        Input::Cancelled => (Stage::Proceeding, &[Do::Start(Timer::B)]),
        Input::Timer(Timer::B) => (Stage::Over, &[Do::TellTimeout]),
        Input::Unreachable => (Stage::Over, &[Do::TellUnreachable]),
        Input::Timer(_) => (Stage::Proceeding, &[]),
    }
}

fn accepted(input: Input) -> (Stage, &'static [Do]) {
    match input {
        Input::Success => (Stage::Accepted, &[Do::Tell]),
        Input::Timer(Timer::M) => (Stage::Over, &[]),
        Input::Provisional | Input::Failure | Input::Cancelled | Input::Unreachable | Input::Timer(_) => {
            (Stage::Accepted, &[])
        }
    }
}

fn completed(input: Input) -> (Stage, &'static [Do]) {
    match input {
        Input::Failure => (Stage::Completed, &[Do::Ack]),
        Input::Timer(Timer::D) | Input::Unreachable => (Stage::Over, &[]),
        Input::Provisional | Input::Success | Input::Cancelled | Input::Timer(_) => (Stage::Completed, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_and_input() {
        use Stage::{Accepted, Calling, Completed, Over, Proceeding};
        let inputs = [
            Input::Provisional,
            Input::Success,
            Input::Failure,
            Input::Cancelled,
            Input::Unreachable,
            Input::Timer(Timer::A),
            Input::Timer(Timer::B),
            Input::Timer(Timer::D),
            Input::Timer(Timer::M),
        ];
        let table = [
            (Calling, [Proceeding, Accepted, Completed, Calling, Over, Calling, Over, Calling, Calling]),
            (
                Proceeding,
                [Proceeding, Accepted, Completed, Proceeding, Over, Proceeding, Over, Proceeding, Proceeding],
            ),
            (
                Accepted,
                [Accepted, Accepted, Accepted, Accepted, Accepted, Accepted, Accepted, Accepted, Over],
            ),
            (
                Completed,
                [Completed, Completed, Completed, Completed, Over, Completed, Completed, Over, Completed],
            ),
            (Over, [Over; 9]),
        ];
        for (stage, next) in table {
            assert_eq!(inputs.map(|i| step(stage, i).0), next, "{stage:?}");
        }
    }

    #[test]
    fn refusals_are_acknowledged_each_time_and_told_once() {
        assert!(step(Stage::Calling, Input::Failure).1.contains(&Do::Tell));
        assert_eq!(step(Stage::Completed, Input::Failure).1, [Do::Ack]);
        assert_eq!(
            step(Stage::Accepted, Input::Success).1,
            [Do::Tell],
            "each 2xx is the user's to acknowledge"
        );
    }

    #[test]
    fn streams_are_not_repeated() {
        assert!(!start(true).contains(&Do::Start(Timer::A)));
        assert!(start(false).contains(&Do::Start(Timer::A)));
    }
}
