//! The INVITE server transaction (RFC 3261 section 17.2.1 with RFC 6026), and with it the repetition of our 2xx until
//! the ACK (section 13.3.1.4). A table, as `invite_client`. Leaves by: refusal → ACK → I, or H · 2xx → ACK → L, or L.
use super::Do;
use crate::timer::Timer;

/// Where the transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No final answer yet.
    Proceeding,
    /// A 2xx is sent and repeated.
    Accepted,
    /// The 2xx was acknowledged; late INVITEs are swallowed.
    Acknowledged,
    /// A refusal is sent and repeated.
    Completed,
    /// The refusal was acknowledged; late ACKs are swallowed.
    Confirmed,
    /// Gone.
    Over,
}

/// What may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The same INVITE again.
    Again,
    /// The user answers 101-199.
    Provisional,
    /// The user answers 2xx.
    Success,
    /// The user answers 3xx-6xx.
    Failure,
    /// The ACK.
    Ack,
    /// A timer fired.
    Timer(Timer),
}

/// What to do at the start.
pub const START: &[Do] = &[Do::Start(Timer::Trying)];

/// One step.
#[must_use]
pub fn step(stage: Stage, input: Input, reliable: bool) -> (Stage, &'static [Do]) {
    match stage {
        Stage::Proceeding => proceeding(input, reliable),
        Stage::Accepted => accepted(input),
        Stage::Acknowledged => acknowledged(input),
        Stage::Completed => completed(input),
        Stage::Confirmed => confirmed(input),
        Stage::Over => (Stage::Over, &[]),
    }
}

fn proceeding(input: Input, reliable: bool) -> (Stage, &'static [Do]) {
    match input {
        Input::Again | Input::Timer(Timer::Trying) => (Stage::Proceeding, &[Do::Send]),
        Input::Provisional => (Stage::Proceeding, &[Do::Stop(Timer::Trying), Do::Send]),
        Input::Success => {
            (Stage::Accepted, &[Do::Stop(Timer::Trying), Do::Send, Do::Start(Timer::G), Do::Start(Timer::L)])
        }
        Input::Failure if reliable => {
            (Stage::Completed, &[Do::Stop(Timer::Trying), Do::Send, Do::Shrink, Do::Start(Timer::H)])
        }
        Input::Failure => (
            Stage::Completed,
            &[Do::Stop(Timer::Trying), Do::Send, Do::Shrink, Do::Start(Timer::G), Do::Start(Timer::H)],
        ),
        Input::Ack | Input::Timer(_) => (Stage::Proceeding, &[]),
    }
}

fn accepted(input: Input) -> (Stage, &'static [Do]) {
    match input {
        Input::Timer(Timer::G) => (Stage::Accepted, &[Do::Send, Do::Start(Timer::G)]),
        Input::Ack => (Stage::Acknowledged, &[Do::Stop(Timer::G), Do::Forget, Do::Shrink, Do::Tell]),
        Input::Timer(Timer::L) => (Stage::Over, &[Do::Stop(Timer::G), Do::TellTimeout]),
        Input::Again | Input::Provisional | Input::Success | Input::Failure | Input::Timer(_) => {
            (Stage::Accepted, &[])
        }
    }
}

fn acknowledged(input: Input) -> (Stage, &'static [Do]) {
    match input {
        Input::Timer(Timer::L) => (Stage::Over, &[]),
        Input::Again
        | Input::Provisional
        | Input::Success
        | Input::Failure
        | Input::Ack
        | Input::Timer(_) => (Stage::Acknowledged, &[]),
    }
}

fn completed(input: Input) -> (Stage, &'static [Do]) {
    match input {
        Input::Again => (Stage::Completed, &[Do::Send]),
        Input::Timer(Timer::G) => (Stage::Completed, &[Do::Send, Do::Start(Timer::G)]),
        Input::Ack => {
            (Stage::Confirmed, &[Do::Stop(Timer::G), Do::Stop(Timer::H), Do::Forget, Do::Start(Timer::I)])
        }
        Input::Timer(Timer::H) => (Stage::Over, &[Do::Stop(Timer::G)]),
        Input::Provisional | Input::Success | Input::Failure | Input::Timer(_) => (Stage::Completed, &[]),
    }
}

fn confirmed(input: Input) -> (Stage, &'static [Do]) {
    match input {
        Input::Timer(Timer::I) => (Stage::Over, &[]),
        Input::Again
        | Input::Provisional
        | Input::Success
        | Input::Failure
        | Input::Ack
        | Input::Timer(_) => (Stage::Confirmed, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_and_input() {
        use Stage::{Accepted, Acknowledged, Completed, Confirmed, Over, Proceeding};
        let inputs = [
            Input::Again,
            Input::Provisional,
            Input::Success,
            Input::Failure,
            Input::Ack,
            Input::Timer(Timer::G),
            Input::Timer(Timer::H),
            Input::Timer(Timer::I),
            Input::Timer(Timer::L),
        ];
        let table = [
            (
                Proceeding,
                [
                    Proceeding, Proceeding, Accepted, Completed, Proceeding, Proceeding, Proceeding,
                    Proceeding, Proceeding,
                ],
            ),
            (
                Accepted,
                [Accepted, Accepted, Accepted, Accepted, Acknowledged, Accepted, Accepted, Accepted, Over],
            ),
            (
                Acknowledged,
                [
                    Acknowledged,
                    Acknowledged,
                    Acknowledged,
                    Acknowledged,
                    Acknowledged,
                    Acknowledged,
                    Acknowledged,
                    Acknowledged,
                    Over,
                ],
            ),
            (
                Completed,
                [
                    Completed, Completed, Completed, Completed, Confirmed, Completed, Over, Completed,
                    Completed,
                ],
            ),
            (
                Confirmed,
                [
                    Confirmed, Confirmed, Confirmed, Confirmed, Confirmed, Confirmed, Confirmed, Over,
                    Confirmed,
                ],
            ),
            (Over, [Over; 9]),
        ];
        for (stage, next) in table {
            assert_eq!(inputs.map(|i| step(stage, i, false).0), next, "{stage:?}");
        }
    }

    #[test]
    fn refusals_are_not_repeated_on_streams_but_2xx_are() {
        let repeats =
            |input, reliable| step(Stage::Proceeding, input, reliable).1.contains(&Do::Start(Timer::G));
        assert_eq!([repeats(Input::Failure, true), repeats(Input::Failure, false)], [false, true]);
        assert_eq!([repeats(Input::Success, true), repeats(Input::Success, false)], [true, true]);
    }

    #[test]
    fn a_missing_ack_is_told() {
        assert!(step(Stage::Accepted, Input::Timer(Timer::L), false).1.contains(&Do::TellTimeout));
        assert!(!step(Stage::Acknowledged, Input::Timer(Timer::L), false).1.contains(&Do::TellTimeout));
    }
}
