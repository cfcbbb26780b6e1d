//! A floor that dials out, on virtual time: agents, a list, lines, and a rule that decides how many to launch. The shipped
//! pacing is one rule; the others are what people know from elsewhere, for comparison. One second is one decision.
pub mod chance;
pub mod floor;
pub mod report;
pub mod rule;
pub mod scenario;

pub use floor::{Outcome, run, run_while};
pub use report::{Report, Row};
pub use rule::Form;
pub use scenario::Scenario;
