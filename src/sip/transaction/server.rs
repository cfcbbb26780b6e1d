//! The server transaction of every request but INVITE (RFC 3261 section 17.2.2). A table, as `invite_client`.
//! Leaves by: final answer → Completed → J · the user never answers (Patience).
use super::Do;
use crate::timer::Timer;

/// Where the transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing said yet.
    Trying,
    /// A final answer is sent; repetitions get it again.
    Completed,
    /// Gone.
    Over,
}

/// What may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The same request again.
    Again,
    /// The user answers.
    Final,
    /// A timer fired.
    Timer(Timer),
}

/// What to do at the start.
pub const START: &[Do] = &[Do::Start(Timer::Patience)];

/// One step.
#[must_use]
pub fn step(stage: Stage, input: Input) -> (Stage, &'static [Do]) {
    match (stage, input) {
        (Stage::Trying, Input::Final) => {
            (Stage::Completed, &[Do::Stop(Timer::Patience), Do::Send, Do::Shrink, Do::Start(Timer::J)])
        }
        (Stage::Trying, Input::Timer(Timer::Patience)) | (Stage::Completed, Input::Timer(Timer::J)) => {
            (Stage::Over, &[])
        }
        (Stage::Completed, Input::Again) => (Stage::Completed, &[Do::Send]),
        (Stage::Trying | Stage::Completed | Stage::Over, Input::Again | Input::Final | Input::Timer(_)) => {
            (stage, &[])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_and_input() {
        use Stage::{Completed, Over, Trying};
        let inputs = [Input::Again, Input::Final, Input::Timer(Timer::J), Input::Timer(Timer::Patience)];
        let table = [
            (Trying, [Trying, Completed, Trying, Over]),
            (Completed, [Completed, Completed, Over, Completed]),
            (Over, [Over; 4]),
        ];
        for (stage, next) in table {
            assert_eq!(inputs.map(|i| step(stage, i).0), next, "{stage:?}");
        }
    }

    #[test]
    fn repetitions_get_the_answer_again_but_not_before_there_is_one() {
        assert_eq!(step(Stage::Trying, Input::Again).1, []);
        assert_eq!(step(Stage::Completed, Input::Again).1, [Do::Send]);
    }
}
