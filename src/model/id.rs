//! Ids of things that live only while the box runs, and of things kept on disk. Configured things (extensions,
//! trunks, queues, flows) are named by their key in the configuration instead.
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

id!(/// A customer's whole experience; the key of its one `CallRecord`. Unique for ever: the store gives each start a block.
    CallId);
id!(/// One dialog with one party inside a call. Unique while the box runs.
    LegId);
id!(/// One end of RTP: a port, a peer, and what is played, heard and recorded there. Unique while control runs.
    SessionId);
id!(/// One playback request, so that a late `PlayDone` of an older one is not taken for the newer.
    PlayId);
id!(/// A recording or a voicemail's sound; names its file.
    RecordingId);
id!(/// One kept voicemail message.
    MessageId);
id!(/// Somebody the site knows.
    ContactId);
id!(/// One number of a list of outbound calls.
    EntryId);
id!(/// A stored version of the configuration; grows by one with each change.
    Generation);
id!(/// Pairs an answer with the question of a shell; the engine only hands it back.
    Ticket);
