//! Hot desks: a person moves to another phone, by star code or from the web. What follows is told in the same step: who can
//! be rung, whose lamp is lit, where agents work, what stands in the log. Whose PIN it was is decided before.
use super::Engine;
use crate::call::Heard;
use crate::intent::Peer;
use crate::phones::seats::Moved;
use model::clock::Now;
use model::command::{Actor, Reply};
use model::config::extension::HotDesk;
use model::id::{CallId, Ticket};
use model::number::Number;
use model::record::Record;
use model::refusal::Refusal;

impl Engine {
    /// Somebody logs in at a phone by the web, or leaves the foreign phone.
    pub(super) fn order_seat(
        &mut self,
        now: Now,
        by: &Actor,
        person: &Number,
        phone: Option<&Number>,
    ) -> Reply {
        let how = format!("web by {}", by.name);
        match phone {
            Some(phone) => self.seat(now, phone, Some(person), &how).map(drop),
            None => {
                let phone = self.phones.seats.away(person).cloned().ok_or(Refusal::Conflict)?;
                self.seat(now, &phone, None, &how).map(drop)
            }
        }
    }

    /// A star code moves somebody. The call hears when it is on disk, or why it does not go.
    pub(super) fn code_seat(&mut self, now: Now, call: CallId, phone: &Number, person: Option<&Number>) {
        match self.seat(now, phone, person, "star code") {
            Ok(Some(ticket)) => {
                self.awaited.insert(ticket, super::receipts::Waiting::Call(call));
                self.caller_is(now, call, person.unwrap_or(phone));
            }
            Ok(None) => self.hears(call, Heard::Stored),
            Err(_) => self.hears(call, Heard::CodeDone("desk-not-here")),
        }
    }

    /// Guests whom another configuration sends home.
    pub(super) fn seats_configured(&mut self, now: Now) {
        let config = self.config.clone();
        let moved = self.phones.seats.configure(&config);
        self.moved(now, &moved);
    }

    fn seat(
        &mut self,
        now: Now,
        phone: &Number,
        person: Option<&Number>,
        how: &str,
    ) -> Result<Option<Ticket>, Refusal> {
        let config = self.config.clone();
        let desk = config.extension.get(phone).ok_or(Refusal::Unknown)?;
        let moved = match person {
            None => self.phones.seats.leave(phone),
            Some(person) => {
                config.extension.get(person).ok_or(Refusal::Unknown)?;
                match desk.hot_desk {
                    HotDesk::No if person != phone => return Err(Refusal::Forbidden),
                    HotDesk::Shared if person == phone => return Err(Refusal::Forbidden),
                    HotDesk::No | HotDesk::Guests | HotDesk::Shared => {}
                }
                self.phones.seats.sit(phone, person)
            }
        };
        if moved.phones.is_empty() {
            return Ok(None);
        }
        let text = match person {
            Some(person) if person != phone => {
                format!("extension {person} is logged in at phone {phone}: {how}")
            }
            Some(_) | None => format!("phone {phone} is its owner's again: {how}"),
        };
        self.note(now, "info", "hot_desk", phone.as_str(), &text);
        Ok(self.moved(now, &moved))
    }

    /// Keeps and tells what changed.
    fn moved(&mut self, now: Now, moved: &Moved) -> Option<Ticket> {
        let mut last = None;
        for phone in &moved.phones {
            let record = self.phones.seats.record(now.wall, phone);
            last = Some(self.keep(now, Record::Seat(record), None));
        }
        for number in &moved.touched {
            self.phone_changed(now, number);
            self.lamp_of_phone(now, number);
        }
        last
    }

    /// From now on the caller's leg is this person's: nobody else rings at a phone that still hears the answer.
    fn caller_is(&mut self, now: Now, call: CallId, person: &Number) {
        let Some(leg) = self.calls.get(&call).map(|c| c.core.a.id) else { return };
        let Some(before) = self.ledger.leg_becomes(leg, Peer::Phone(person.clone())) else { return };
        self.peer_changed(now, &before, true);
        self.peer_changed(now, &Peer::Phone(person.clone()), true);
    }
}
