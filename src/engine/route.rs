//! Who gets a call: numbers dialled inside, calls from trunks, calls to outside, and who may make them. Pure functions of
//! configuration, number and hour. Never touches a call.
pub mod dialled;
pub mod high_cost;
pub mod inbound;
pub mod outbound;
pub mod screening;

use crate::acd::code::Code;
use model::clock::Wall;
use model::config::Config;
use model::country::Country;
use model::media::Language;
use model::number::Number;

/// What a dialled number means inside the box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The test announcement.
    Announcement,
    /// The echo test.
    Echo,
    /// An emergency number, without outside prefix.
    Emergency(Number),
    /// Tells that an emergency number was dialled at this extension.
    EmergencyNotice(Number),
    /// A phone.
    Extension(Number),
    /// A star code about the caller's own work as an agent.
    Feature(Code),
    /// An IVR flow by name.
    Flow(String),
    /// Nobody.
    HangUp,
    /// Log in at this phone, as the extension that was dialled behind the code, or out.
    HotDesk(Option<Number>),
    /// A number outside, without outside prefix.
    Outside(Number),
    /// The paging output.
    Paging,
    /// A queue by name.
    Queue(String),
    /// The caller's own mailbox, with PIN.
    Retrieve,
    /// Where a prompt of the site is recorded.
    Studio(NewPrompt),
    /// The call at this extension, for a supervisor with a PIN.
    Supervise(Number),
    /// A mailbox, to leave a message.
    Voicemail(Number),
}

/// A prompt of the site that somebody records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPrompt {
    /// Its name.
    pub name: String,
    /// In which language it is.
    pub language: Language,
    /// Who wants it.
    pub by: String,
}

impl From<&model::config::route::Destination> for Target {
    fn from(to: &model::config::route::Destination) -> Target {
        use model::config::route::Destination as D;
        match to {
            D::Announcement => Target::Announcement,
            D::Echo => Target::Echo,
            D::Extension(n) => Target::Extension(n.clone()),
            D::Flow(name) => Target::Flow(name.clone()),
            D::HangUp => Target::HangUp,
            D::Queue(name) => Target::Queue(name.clone()),
            D::Voicemail(n) => Target::Voicemail(n.clone()),
        }
    }
}

/// The country profile of a site.
#[must_use]
pub fn country(config: &Config) -> &'static Country {
    Country::find(&config.system.country).unwrap_or(Country::generic())
}

/// A moment in the site's zone; UTC when the zone is not known.
#[must_use]
pub fn local_time(config: &Config, at: Wall) -> jiff::civil::DateTime {
    let zone = jiff::tz::TimeZone::get(&config.system.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let moment = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    moment.to_zoned(zone).datetime()
}
