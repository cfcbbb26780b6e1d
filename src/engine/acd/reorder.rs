//! A supervisor puts a waiting caller to another place of the queue. The places themselves stay what they are: the caller takes
//! one, and those between move up or down by one, so that no two ever stand alike and the order towards other queues is
//! touched no more than needed. Part of [`Acd`].
use super::Acd;
use super::Out;
use super::rank::Rank;
use model::clock::Now;
use model::id::CallId;
use model::refusal::Refusal;

impl Acd {
    /// Puts a waiting caller to a place, counted from 1; beyond the last it is the last. Gives the queue. O(n log n).
    ///
    /// # Errors
    /// `Unknown` when the call does not wait, `Conflict` while a phone rings for it.
    pub fn place(
        &mut self,
        now: Now,
        call: CallId,
        place: u32,
        out: &mut Vec<Out>,
    ) -> Result<String, Refusal> {
        let ticket = self.tickets.get(&call).ok_or(Refusal::Unknown)?;
        if !ticket.ringing.is_empty() {
            return Err(Refusal::Conflict);
        }
        let queue = ticket.queue.clone();
        let before = self.lines.get(&queue).map(|line| line.places()).unwrap_or_default();
        let Some(from) = before.iter().position(|(_, c)| *c == call) else { return Err(Refusal::Unknown) };
        let place = usize::try_from(place).unwrap_or(usize::MAX).clamp(1, before.len());
        let (mut calls, ranks): (Vec<CallId>, Vec<Rank>) = before.into_iter().map(|(r, c)| (c, r)).unzip();
        calls.remove(from);
        calls.insert(place - 1, call);
        let moved = from.min(place - 1)..=from.max(place - 1);
        self.stand_at(&queue, &calls[moved.clone()], &ranks[moved]);
        self.touch(&queue);
        self.finish(now, out);
        Ok(queue)
    }

    /// These callers of a line stand at these places from now on.
    fn stand_at(&mut self, queue: &str, calls: &[CallId], ranks: &[Rank]) {
        let Some(line) = self.lines.get_mut(queue) else { return };
        for ticket in calls.iter().filter_map(|call| self.tickets.get(call)) {
            line.leave(ticket);
        }
        for (call, rank) in calls.iter().zip(ranks) {
            let Some(ticket) = self.tickets.get_mut(call) else { continue };
            ticket.rank = *rank;
            match ticket.ringing.is_empty() {
                true => line.wait(ticket),
                false => line.offer(ticket),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acd::OfferResult;
    use crate::acd::tests::Desk;
    use crate::agents::Ask;

    fn order(desk: &Desk) -> Vec<u64> {
        desk.acd.lines["support"].in_order().iter().map(|call| call.0).collect()
    }

    fn puts(desk: &mut Desk, call: u64, place: u32) -> Result<String, Refusal> {
        let done = desk.acd.place(desk.now, CallId(call), place, &mut desk.out);
        desk.fine();
        done
    }

    #[test]
    fn a_caller_is_put_anywhere_and_the_others_keep_their_order() {
        let mut desk = Desk::asleep(|_| {});
        for call in 1..=5 {
            desk.caller(call);
        }
        let table: [(u64, u32, [u64; 5]); 6] = [
            (4, 2, [1, 4, 2, 3, 5]),
            (4, 2, [1, 4, 2, 3, 5]),
            (1, 99, [4, 2, 3, 5, 1]),
            (3, 1, [3, 4, 2, 5, 1]),
            (3, 0, [3, 4, 2, 5, 1]),
            (4, 3, [3, 2, 4, 5, 1]),
        ];
        for (call, place, expected) in table {
            assert_eq!(puts(&mut desk, call, place), Ok("support".to_owned()));
            assert_eq!(order(&desk), expected, "{call} to {place}");
        }
        desk.ask("1", Ask::Login);
        assert_eq!(desk.serves("1"), [3], "who was put first is served first");
        assert_eq!(puts(&mut desk, 9, 1), Err(Refusal::Unknown));
    }

    #[test]
    fn nobody_is_taken_from_a_ringing_phone_and_who_is_put_before_comes_next() {
        let mut desk = Desk::new(|q| q.agents = vec!["1".into()]);
        for call in 1..=3 {
            desk.caller(call);
        }
        assert_eq!(puts(&mut desk, 1, 3), Err(Refusal::Conflict), "a phone rings for the first");
        assert_eq!(puts(&mut desk, 3, 1), Ok("support".to_owned()));
        assert!(desk.result(1, "1", OfferResult::NoAnswer));
        desk.offers();
        desk.wait(30);
        assert_eq!(desk.offers(), [(3, "1".to_owned())]);
    }
}
