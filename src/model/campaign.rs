//! Words of outbound calling: what stands in a list, what one attempt was, what a supervisor or an agent may order, and what
//! the board shows. Plain data shared by dialler, store and web; decides nothing but the names of results.
pub mod attempt;
pub mod board;
pub mod forecast;
pub mod list;
pub mod order;

pub use attempt::{AttemptRecord, CallResult, Ending, Heard, Moment, Step};
pub use board::{CampaignView, OutreachView};
pub use forecast::{DialForecast, DialQuestion, DialRow, DialWorld, WorldCount};
pub use list::{Barred, Entry, HopperQuery};
pub use order::{CampaignOrder, CampaignPast, Hand, SteerRecord, Steering};
