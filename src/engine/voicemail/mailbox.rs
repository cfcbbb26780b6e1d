//! The index of every mailbox: messages (never their sound), own greetings, wrong PINs. Rebuilt from the store at each
//! start and changed by the same records that go to the store. Bounded by `max_messages` of each box and by the number of
//! extensions. Decides when a box is full or locked; never touches a file.
use model::clock::{Mono, Now, Wall};
use model::config::Config;
use model::id::MessageId;
use model::notice::{MailboxView, Notice};
use model::number::Number;
use model::record::{MessageRecord, Record, WrongPins};
use std::collections::BTreeMap;
use std::time::Duration;

/// Wrong PINs in a row before a box is locked.
pub const PIN_TRIES: u32 = 5;

/// How long it is locked then: 5 tries in 15 min make a six-digit PIN last for years.
pub const LOCK: Duration = Duration::from_secs(15 * 60);

/// Boxes whose wrong PINs are remembered; more distinct numbers are tried only by an attacker, and then the oldest lock
/// goes first.
const PINS_MAX: usize = 4_096;

#[derive(Clone, Debug, Default)]
struct Wrong {
    tries: u32,
    locked_until: Option<Mono>,
}

/// What a PIN was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    /// The box is locked for now; the PIN was not looked at.
    Locked,
    /// Right.
    Right,
    /// Wrong, or there is no such box.
    Wrong,
}

/// All mailboxes.
#[derive(Clone, Debug, Default)]
pub struct Mailboxes {
    messages: BTreeMap<MessageId, MessageRecord>,
    greetings: BTreeMap<Number, String>,
    wrong: BTreeMap<Number, Wrong>,
}

impl Mailboxes {
    /// The index from what the store holds.
    #[must_use]
    pub fn new(messages: Vec<MessageRecord>, greetings: BTreeMap<Number, String>) -> Mailboxes {
        let messages = messages.into_iter().map(|m| (m.message, m)).collect();
        Mailboxes { messages, greetings, wrong: BTreeMap::new() }
    }

    /// Goes on counting wrong PINs where the last run stopped.
    #[must_use]
    pub fn with_wrong_pins(mut self, now: Now, kept: &[WrongPins]) -> Mailboxes {
        for pins in kept.iter().take(PINS_MAX) {
            let left = pins.until.map(|until| u64::try_from(until.millis_since(now.wall)).unwrap_or(0));
            let locked_until = left.map(|ms| now.mono + Duration::from_millis(ms).min(LOCK));
            self.wrong.insert(pins.mailbox.clone(), Wrong { tries: pins.tries, locked_until });
        }
        self
    }

    /// The wrong PINs of a box as they are to be kept.
    #[must_use]
    pub fn wrong_pins(&self, now: Now, mailbox: &Number) -> WrongPins {
        let wrong = self.wrong.get(mailbox).cloned().unwrap_or_default();
        let left = wrong.locked_until.map(|until| until.since(now.mono).as_millis());
        let until = left.map(|ms| Wall(now.wall.0.saturating_add(i64::try_from(ms).unwrap_or(0))));
        WrongPins { mailbox: mailbox.clone(), tries: wrong.tries, until }
    }

    /// Takes a record that is given to the store. Returns the mailbox whose numbers changed, for its lamp.
    pub fn apply(&mut self, record: &Record, notices: &mut Vec<Notice>) -> Option<Number> {
        let changed = match record {
            Record::Message(message) => {
                self.messages.insert(message.message, message.clone());
                notices.push(Notice::Message(message.clone()));
                message.mailbox.clone()
            }
            Record::MessageHeard { message, heard } => {
                let found = self.messages.get_mut(message).filter(|m| m.heard != *heard)?;
                found.heard = *heard;
                notices.push(Notice::Message(found.clone()));
                found.mailbox.clone()
            }
            Record::MessageDeleted(message) => {
                let gone = self.messages.remove(message)?;
                notices.push(Notice::MessageGone(*message));
                gone.mailbox
            }
            Record::Greeting { mailbox, path } => {
                match path {
                    Some(path) => self.greetings.insert(mailbox.clone(), path.clone()),
                    None => self.greetings.remove(mailbox),
                };
                return None;
            }
            Record::CallStarted(_)
            | Record::CallStep(_)
            | Record::CallEnded(_)
            | Record::Recording(_)
            | Record::RecordingEnded { .. }
            | Record::AgentState(_)
            | Record::Binding(_)
            | Record::Ban(_)
            | Record::Budget(_)
            | Record::WrongPins(_)
            | Record::Seat(_)
            | Record::Callback(_)
            | Record::CallbackGone(_)
            | Record::Note(_)
            | Record::AttemptBegun(_)
            | Record::AttemptEnded(_)
            | Record::AttemptSaid(_)
            | Record::Barred(_)
            | Record::Steered(_) => return None,
        };
        notices.push(Notice::Mailbox(self.view(&changed)));
        Some(changed)
    }

    /// New and old messages of a box. O(all messages).
    #[must_use]
    pub fn view(&self, mailbox: &Number) -> MailboxView {
        let count = |heard: bool| {
            let n = self.of(mailbox).filter(|m| m.heard == heard).count();
            u32::try_from(n).unwrap_or(u32::MAX)
        };
        MailboxView { mailbox: mailbox.to_string(), new: count(false), old: count(true) }
    }

    /// The messages of a box, oldest first.
    pub fn of<'a>(&'a self, mailbox: &'a Number) -> impl Iterator<Item = &'a MessageRecord> {
        self.messages.values().filter(move |m| &m.mailbox == mailbox)
    }

    /// One message.
    #[must_use]
    pub fn message(&self, message: MessageId) -> Option<&MessageRecord> {
        self.messages.get(&message)
    }

    /// The file of the box's own greeting.
    #[must_use]
    pub fn greeting(&self, mailbox: &Number) -> Option<&str> {
        self.greetings.get(mailbox).map(String::as_str)
    }

    /// Whether no further message fits.
    #[must_use]
    pub fn is_full(&self, config: &Config, mailbox: &Number) -> bool {
        let box_of = config.extension.get(mailbox).and_then(|e| e.voicemail.as_ref());
        let most = box_of.map_or(0, |v| usize::try_from(v.max_messages).unwrap_or(usize::MAX));
        self.of(mailbox).count() >= most
    }

    /// Looks at a PIN. Wrong ones are counted by mailbox, whoever calls; the answer is the same for a number without a box.
    pub fn pin(&mut self, now: Now, config: &Config, mailbox: &Number, pin: &str) -> Pin {
        let wrong = self.wrong.entry(mailbox.clone()).or_default();
        match wrong.locked_until {
            Some(until) if now.mono < until => return Pin::Locked,
            Some(_) => *wrong = Wrong::default(),
            None => {}
        }
        let real = config.extension.get(mailbox).and_then(|e| e.voicemail.as_ref()).map(|v| v.pin.as_str());
        if real.is_some_and(|real| same(real, pin)) {
            self.wrong.remove(mailbox);
            return Pin::Right;
        }
        wrong.tries += 1;
        if wrong.tries >= PIN_TRIES {
            wrong.locked_until = Some(now.mono + LOCK);
        }
        self.forget_some(mailbox);
        Pin::Wrong
    }

    fn forget_some(&mut self, keep: &Number) {
        if self.wrong.len() > PINS_MAX {
            let oldest = self.wrong.iter().filter(|(n, _)| *n != keep).min_by_key(|(_, w)| w.locked_until);
            if let Some(number) = oldest.map(|(n, _)| n.clone()) {
                self.wrong.remove(&number);
            }
        }
    }
}

/// Compares without stopping at the first difference, so that the time taken tells nothing about the PIN.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}
