//! The client transaction of every request but INVITE (RFC 3261 section 17.1.2). A table, as `invite_client`.
//! Leaves by: final answer → Completed → K · F or broken wire.
use super::Do;
use crate::timer::Timer;

/// Where the transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Sent, nothing heard.
    Trying,
    /// A provisional answer was heard.
    Proceeding,
    /// A final answer was heard; repetitions are swallowed.
    Completed,
    /// Gone.
    Over,
}

/// What may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// 1xx.
    Provisional,
    /// 2xx-6xx.
    Final,
    /// The flow broke.
    Unreachable,
    /// A timer fired.
    Timer(Timer),
}

/// What to do at the start.
#[must_use]
pub fn start(reliable: bool) -> &'static [Do] {
    match reliable {
        true => &[Do::Send, Do::Start(Timer::F)],
        false => &[Do::Send, Do::Start(Timer::E), Do::Start(Timer::F)],
    }
}

/// One step.
#[must_use]
pub fn step(stage: Stage, input: Input) -> (Stage, &'static [Do]) {
    match stage {
        Stage::Trying | Stage::Proceeding => waiting(stage, input),
        Stage::Completed => completed(input),
        Stage::Over => (Stage::Over, &[]),
    }
}

fn waiting(stage: Stage, input: Input) -> (Stage, &'static [Do]) {
    match input {
        Input::Provisional => (Stage::Proceeding, &[]),
        Input::Final => (
            Stage::Completed,
            &[Do::Stop(Timer::E), Do::Stop(Timer::F), Do::Shrink, Do::Tell, Do::Start(Timer::K)],
        ),
        Input::Timer(Timer::E) => (stage, &[Do::Send, Do::Start(Timer::E)]),
        Input::Timer(Timer::F) => (Stage::Over, &[Do::TellTimeout]),
        Input::Unreachable => (Stage::Over, &[Do::TellUnreachable]),
        Input::Timer(_) => (stage, &[]),
    }
}

fn completed(input: Input) -> (Stage, &'static [Do]) {
    match input {
        Input::Timer(Timer::K) | Input::Unreachable => (Stage::Over, &[]),
        Input::Provisional | Input::Final | Input::Timer(_) => (Stage::Completed, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_and_input() {
        use Stage::{Completed, Over, Proceeding, Trying};
        let inputs = [
            Input::Provisional,
            Input::Final,
            Input::Unreachable,
            Input::Timer(Timer::E),
            Input::Timer(Timer::F),
            Input::Timer(Timer::K),
        ];
        let table = [
            (Trying, [Proceeding, Completed, Over, Trying, Over, Trying]),
            (Proceeding, [Proceeding, Completed, Over, Proceeding, Over, Proceeding]),
            (Completed, [Completed, Completed, Over, Completed, Completed, Over]),
            (Over, [Over; 6]),
        ];
        for (stage, next) in table {
            assert_eq!(inputs.map(|i| step(stage, i).0), next, "{stage:?}");
        }
    }

    #[test]
    fn an_answer_is_told_once() {
        assert!(step(Stage::Trying, Input::Final).1.contains(&Do::Tell));
        assert_eq!(step(Stage::Completed, Input::Final).1, []);
    }
}
