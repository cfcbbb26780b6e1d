//! Two user agents talk to each other directly, so that a story that fails is not the phone's fault.
use super::*;
use crate::sound::Heard;
use crate::wire::Wire;
use model::clock::Wall;

struct Pair {
    uas: [Ua; 2],
    wire: Wire,
    now: Now,
}

impl Pair {
    fn new(seed: u64) -> Pair {
        let at = |n: u8| SocketAddr::from(([10, 1, 0, n], 5060));
        let uas = [Ua::new(seed, "a", at(1), 1, at(2)), Ua::new(seed, "b", at(2), 2, at(1))];
        Pair { uas, wire: Wire::new(seed), now: Now { mono: Mono(0), wall: Wall(0) } }
    }

    fn post(&mut self, sent: Vec<Datagram>) {
        for datagram in sent {
            let speech = datagram.from.port() != 5060;
            self.wire.send(self.now.mono, datagram, speech);
        }
    }

    fn run(&mut self, seconds: u64) {
        let end = self.now.mono + Duration::from_secs(seconds);
        loop {
            let next = self.uas.iter().filter_map(Ua::next).chain(self.wire.next()).min();
            let Some(at) = next.filter(|at| *at <= end) else { break };
            self.now.mono = at.max(self.now.mono);
            let mut sent = Vec::new();
            while let Some(datagram) = self.wire.arrived(self.now.mono) {
                for ua in self.uas.iter_mut().filter(|ua| ua.address.ip() == datagram.to.ip()) {
                    ua.receive(self.now, &datagram, &mut sent);
                }
            }
            for ua in &mut self.uas {
                ua.wake(self.now, &mut sent);
            }
            self.post(sent);
        }
        self.now.mono = end;
    }

    fn call(&mut self) -> LegId {
        let mut sent = Vec::new();
        let leg = self.uas[0].dial(self.now, "b", "a", &mut sent);
        self.post(sent);
        leg
    }

    fn theirs(&self) -> &UaCall {
        self.uas[1].calls.values().next().expect("it rang")
    }
}

#[test]
fn two_phones_talk_and_hang_up() {
    let mut pair = Pair::new(1);
    let leg = pair.call();
    pair.run(1);
    assert_eq!((&pair.uas[0].calls[&leg].state, &pair.theirs().state), (&State::Ringing, &State::Ringing));
    pair.run(4);
    assert_eq!(pair.uas[0].calls[&leg].ear.now(pair.now.mono), Some(&Heard::Voice(2)));
    assert_eq!(pair.theirs().ear.now(pair.now.mono), Some(&Heard::Voice(1)));
    let mut sent = Vec::new();
    pair.uas[0].hang_up(pair.now, leg, &mut sent);
    pair.post(sent);
    pair.run(1);
    assert_eq!(pair.theirs().state, State::Over(0));
}

#[test]
fn each_habit_does_what_it_says() {
    let second = Duration::from_secs(1);
    let table = [
        (Habit::Answer(second), State::Up),
        (Habit::Busy, State::Over(486)),
        (Habit::Decline(second), State::Over(603)),
        (Habit::Refuse(404, Some(1)), State::Over(404)),
        (Habit::Ignore, State::Ringing),
        (Habit::Off, State::Calling),
    ];
    for (habit, expected) in table {
        let mut pair = Pair::new(2);
        pair.uas[1].habit = habit;
        let leg = pair.call();
        pair.run(5);
        assert_eq!(pair.uas[0].calls[&leg].state, expected, "{habit:?}");
    }
}

#[test]
fn a_phone_keeps_registered_through_a_bad_line() {
    let mut pair = Pair::new(3);
    pair.wire.sip = crate::wire::Faults::BAD;
    let account = Account { user: "a".into(), password: "x".into(), expires_s: 60 };
    let now = pair.now;
    pair.uas[0].register(now, account);
    pair.run(10);
    assert!(pair.uas[0].registered);
    let first = pair.uas[0].registers_sent;
    pair.run(60);
    assert!(pair.uas[0].registered && pair.uas[0].registers_sent > first);
}

#[test]
fn hold_stops_the_voice_of_the_other_side() {
    let mut pair = Pair::new(4);
    let leg = pair.call();
    pair.run(5);
    let mut sent = Vec::new();
    pair.uas[0].hold(pair.now, leg, true, &mut sent);
    pair.post(sent);
    pair.run(2);
    assert_eq!(pair.uas[0].calls[&leg].ear.now(pair.now.mono), None, "the held side is silent");
    let mut sent = Vec::new();
    pair.uas[0].hold(pair.now, leg, false, &mut sent);
    pair.post(sent);
    pair.run(2);
    assert_eq!(pair.uas[0].calls[&leg].ear.now(pair.now.mono), Some(&Heard::Voice(2)));
}
