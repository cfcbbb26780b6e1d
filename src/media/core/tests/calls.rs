//! Two phones and what a call does to them: join, hold, play, digits, echo, paging, reports.
use super::*;
use crate::codec::SILENCE;
use crate::rtcp;
use crate::tone::{ulaw_amplitude, ulaw_share};
use model::media::{Digit, PlayEnd};

fn pair(world: &mut World) -> (Peer, Peer) {
    let (a, b) = (Peer::new(1, 500), Peer::new(2, 900));
    world.open(1, &a);
    world.open(2, &b);
    (a, b)
}

#[test]
fn joined_peers_hear_each_other_bit_for_bit() {
    let mut world = World::new();
    let (mut a, mut b) = pair(&mut world);
    world.join(1, 2);
    world.speak(1000, &mut [&mut a, &mut b]);
    assert_eq!(world.heard(b.address), tone(500, 0, 8000), "not re-encoded");
    assert_eq!(world.heard(a.address), tone(900, 0, 8000));
}

#[test]
fn who_takes_the_place_of_a_party_that_left_is_heard_whatever_the_numbers_of_its_packets() {
    let mut world = World::new();
    let (mut a, mut b) = pair(&mut world);
    world.join(1, 2);
    world.speak(200, &mut [&mut a, &mut b]);
    // A call that is handed over: nothing is played in between, because the phone answers at once.
    world.ask(MediaCommand::Close { session: SessionId(2) });
    let mut c = Peer::new(3, 1300);
    c.sequence = 5;
    world.open(3, &c);
    world.join(1, 3);
    world.packets(a.address);
    world.speak(1000, &mut [&mut a, &mut c]);
    assert_eq!(world.heard(a.address), tone(1300, 0, 8000));
}

#[test]
fn who_only_listens_is_no_conversation_and_two_seconds_after_the_last_word_it_is_over() {
    let mut world = World::new();
    let (mut a, mut b) = pair(&mut world);
    let is = |world: &World| world.core.is_conversing(world.now.mono);
    world.play(1, 1, vec![Sound::Music("calm".into())], true, false);
    world.speak(200, &mut [&mut a]);
    assert!(!is(&world), "a caller who waits and speaks to nobody");
    world.join(1, 2);
    world.speak(20, &mut [&mut a, &mut b]);
    assert!(is(&world));
    world.pass(1_900);
    assert!(is(&world), "a pause between two sentences");
    world.pass(200);
    assert!(!is(&world));
}

#[test]
fn different_laws_are_translated() {
    let mut world = World::new();
    let (mut a, mut b) = (Peer::new(1, 500), Peer::new(2, 900));
    b.codec = Codec::Pcma;
    world.open(1, &a);
    world.open(2, &b);
    world.join(1, 2);
    world.speak(1000, &mut [&mut a, &mut b]);
    assert!(world.packets(b.address).iter().all(|p| p.payload_type == 8));
    assert!(ulaw_share(&world.heard(a.address), 900.0) > 0.98);
}

#[test]
fn loss_and_reordering_on_the_way_in_are_passed_on_as_they_are() {
    let mut world = World::new();
    let (mut a, b) = pair(&mut world);
    world.join(1, 2);
    let frames: Vec<_> = (0..6).map(|_| a.frame()).collect();
    for n in [0, 2, 1, 5] {
        world.packet(a.port, a.address, &frames[n]);
        world.pass(20);
    }
    let out = world.packets(b.address);
    let first = out[0].sequence;
    let relative: Vec<_> = out
        .iter()
        .map(|p| (p.sequence.wrapping_sub(first), p.timestamp.wrapping_sub(out[0].timestamp)))
        .collect();
    assert_eq!(relative, [(0, 0), (2, 320), (1, 160), (5, 800)]);
}

#[test]
fn the_outgoing_stream_is_one_from_prompt_to_music_to_speech() {
    let mut world = World::new();
    let (a, mut b) = pair(&mut world);
    world.play(1, 1, vec![prompt("hello")], false, false);
    world.pass(500);
    world.play(1, 2, vec![Sound::Music("calm".into())], true, false);
    world.pass(500);
    world.join(1, 2);
    world.speak(500, &mut [&mut b]);
    let out = world.packets(a.address);
    assert!(out.len() >= 74, "{}", out.len());
    for pair in out.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
        assert_eq!(pair[1].ssrc, pair[0].ssrc);
        let step = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
        assert!((160..=320).contains(&step), "clock steps by {step}");
    }
    let marked = out.iter().filter(|p| p.marker).count();
    assert_eq!(marked, 2, "at the start, and where the source changed from the box to the peer");
}

#[test]
fn a_frame_leaves_every_twenty_milliseconds_and_sessions_take_turns() {
    let mut world = World::new();
    for n in 1..=20u8 {
        world.open(u64::from(n), &Peer::new(n, 500));
        world.play(u64::from(n), 1, vec![Sound::Music(String::new())], true, false);
    }
    world.pass(20);
    world.sent.clear();
    world.pass(1000);
    let mut each_ms: BTreeMap<u64, usize> = BTreeMap::new();
    world.sent.iter().for_each(|s| *each_ms.entry(s.at.0 / 1000).or_default() += 1);
    assert!(each_ms.values().all(|&n| n == 1), "spread evenly");
    let times: Vec<_> = world.packets(Peer::new(3, 0).address).iter().map(|p| p.at).collect();
    assert_eq!(times.len(), 50);
    assert!(times.windows(2).all(|t| t[1].0 - t[0].0 == 20_000));
}

#[test]
fn a_peer_on_hold_hears_nothing_and_the_other_hears_music() {
    let mut world = World::new();
    let (mut a, mut b) = pair(&mut world);
    world.join(1, 2);
    world.speak(200, &mut [&mut a, &mut b]);
    world.remote(1, Remote { send: false, receive: false, ..a.remote() });
    world.play(2, 1, vec![Sound::Music("calm".into())], true, false);
    world.sent.clear();
    world.speak(1000, &mut [&mut b]);
    assert!(world.packets(a.address).is_empty());
    assert!(ulaw_share(&world.heard(b.address), 350.0) > 0.98);
    world.remote(1, a.remote());
    world.ask(MediaCommand::StopPlay { session: SessionId(2) });
    world.sent.clear();
    world.speak(1000, &mut [&mut a, &mut b]);
    assert!(ulaw_share(&world.heard(b.address), 500.0) > 0.98, "the join is still there");
    assert!(ulaw_share(&world.heard(a.address), 900.0) > 0.98);
}

#[test]
fn a_play_ends_with_its_last_sound_and_silence_follows() {
    let mut world = World::new();
    let (a, _) = pair(&mut world);
    world.play(1, 7, vec![prompt("hello"), Sound::Silence(100)], false, false);
    world.pass(520);
    let done = MediaEvent::PlayDone { session: SessionId(1), play: PlayId(7), end: PlayEnd::Finished };
    assert!(world.events.contains(&done), "{:?}", world.events);
    assert!(ulaw_share(&world.heard(a.address)[..3200], 440.0) > 0.98);
    world.pass(200);
    assert_eq!(world.heard(a.address), [SILENCE; 1600]);
}

#[test]
fn nothing_is_sent_before_there_is_anything_to_hear() {
    let mut world = World::new();
    let (mut a, _) = pair(&mut world);
    world.speak(1000, &mut [&mut a]);
    assert!(world.sent.iter().all(|s| s.rtcp));
}

#[test]
fn a_digit_cuts_into_a_play_that_allows_it_only() {
    let mut world = World::new();
    let (mut a, _) = pair(&mut world);
    world.play(1, 1, vec![Sound::Music(String::new())], true, false);
    for bytes in a.press(1) {
        world.packet(a.port, a.address, &bytes);
    }
    assert_eq!(world.digits(), "1");
    assert!(!world.events.iter().any(|e| matches!(e, MediaEvent::PlayDone { .. })));
    world.play(1, 2, vec![Sound::Music(String::new())], true, true);
    for bytes in a.press(10) {
        world.packet(a.port, a.address, &bytes);
    }
    assert_eq!(world.digits(), "1*");
    let end = |play, end| MediaEvent::PlayDone { session: SessionId(1), play: PlayId(play), end };
    assert!(
        world.events.contains(&end(1, PlayEnd::Stopped)) && world.events.contains(&end(2, PlayEnd::Digit))
    );
}

#[test]
fn digits_pass_a_join_with_the_other_sides_number_and_are_told_once() {
    let mut world = World::new();
    let (mut a, mut b) = (Peer::new(1, 500), Peer::new(2, 900));
    b.events = Some(96);
    world.open(1, &a);
    world.open(2, &b);
    world.join(1, 2);
    world.speak(100, &mut [&mut a, &mut b]);
    for bytes in a.press(9) {
        world.packet(a.port, a.address, &bytes);
        world.pass(20);
    }
    world.speak(100, &mut [&mut a]);
    let out = world.packets(b.address);
    let events: Vec<_> = out.iter().filter(|p| p.payload_type == 96).collect();
    assert_eq!(events.len(), 8);
    assert!(events.iter().all(|p| p.timestamp == events[0].timestamp && p.payload[0] == 9));
    assert!(out.windows(2).all(|p| p[1].sequence == p[0].sequence.wrapping_add(1)));
    assert_eq!(world.digits(), "9");
}

#[test]
fn a_peer_without_events_hears_the_key_as_a_tone() {
    let mut world = World::new();
    let (mut a, mut b) = (Peer::new(1, 500), Peer::new(2, 900));
    b.events = None;
    world.open(1, &a);
    world.open(2, &b);
    world.join(1, 2);
    world.speak(100, &mut [&mut a]);
    for bytes in a.press(5) {
        world.packet(a.port, a.address, &bytes);
    }
    world.sent.clear();
    world.pass(100);
    let heard = world.heard(b.address);
    assert!(ulaw_share(&heard, 770.0) > 0.4 && ulaw_share(&heard, 1336.0) > 0.4);
    world.pass(100);
    world.sent.clear();
    world.speak(100, &mut [&mut a]);
    assert!(ulaw_share(&world.heard(b.address), 500.0) > 0.9, "speech goes on after it");
}

#[test]
fn a_key_in_the_sound_is_read_only_from_a_peer_without_events() {
    for (events, want) in [(None, "8"), (Some(101), "")] {
        let mut world = World::new();
        let mut a = Peer::new(1, 0);
        a.events = events;
        world.open(1, &a);
        a.tone = Tone::of_key('8');
        world.speak(100, &mut [&mut a]);
        a.tone = Tone::new(0, 0);
        world.speak(100, &mut [&mut a]);
        assert_eq!(world.digits(), want);
    }
}

#[test]
fn sent_digits_are_events_with_one_timestamp_and_the_speech_goes_on_after_them() {
    let mut world = World::new();
    let (mut a, mut b) = pair(&mut world);
    world.join(1, 2);
    world.speak(100, &mut [&mut a, &mut b]);
    world.sent.clear();
    for c in ['4', '2'] {
        let digit = Digit::try_from(c).unwrap();
        world.ask(MediaCommand::SendDigit { session: SessionId(1), digit, ms: 100 });
    }
    world.speak(700, &mut [&mut b]);
    let out = world.packets(a.address);
    let mut reader = crate::digits::EventReader::default();
    let read: String = out
        .iter()
        .filter(|p| p.payload_type == 101)
        .filter_map(|p| reader.read(p.at, p.ssrc, p.timestamp, p.marker, &p.payload))
        .map(Digit::as_char)
        .collect();
    assert_eq!(read, "42");
    assert_eq!(out.last().map(|p| p.payload_type), Some(0));
    assert!(out.windows(2).all(|p| p[1].sequence == p[0].sequence.wrapping_add(1)));
    let back: Vec<_> =
        out.windows(2).filter(|p| p[1].timestamp.wrapping_sub(p[0].timestamp) > 16_000).collect();
    assert!(back.is_empty(), "the clock never runs back: {back:?}");
}

#[test]
fn ten_thousand_digits_through_loss_and_reordering() {
    let mut world = World::new();
    let (mut a, mut b) = pair(&mut world);
    world.join(1, 2);
    world.speak(40, &mut [&mut a, &mut b]);
    let mut seed = 9u64;
    let mut dice = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % 1000
    };
    let mut pressed = String::new();
    let mut wire: Vec<Vec<u8>> = Vec::new();
    for n in 0..10_000u32 {
        let event = u8::try_from(n % 12).unwrap();
        pressed.push(Digit::from_event(event).unwrap().as_char());
        wire.extend(a.press(event).into_iter().filter(|_| dice() >= 20));
        wire.extend((0..3).map(|_| a.frame()).filter(|_| dice() >= 20));
    }
    for n in 1..wire.len() {
        if dice() < 10 {
            wire.swap(n - 1, n);
        }
    }
    for bytes in &wire {
        world.now.mono.0 += 20_000;
        world.packet(a.port, a.address, bytes);
        world.sent.clear();
    }
    let read = world.digits();
    assert!(read.len() <= pressed.len(), "none doubled");
    assert!(pressed.len() - read.len() <= 10, "{} lost", pressed.len() - read.len());
}

#[test]
fn echo_gives_back_what_was_said() {
    let mut world = World::new();
    let (mut a, _) = pair(&mut world);
    world.ask(MediaCommand::Echo { session: SessionId(1), on: true });
    world.speak(400, &mut [&mut a]);
    assert_eq!(world.heard(a.address), tone(500, 0, 3200));
    world.ask(MediaCommand::Echo { session: SessionId(1), on: false });
    world.speak(400, &mut [&mut a]);
    assert!(ulaw_amplitude(&world.heard(a.address), 500.0) < 1.0);
}

#[test]
fn a_join_ends_earlier_joins_of_both() {
    let mut world = World::new();
    let (mut a, mut b) = pair(&mut world);
    let mut c = Peer::new(3, 1300);
    world.open(3, &c);
    world.join(1, 2);
    world.join(2, 3);
    world.speak(400, &mut [&mut a, &mut b, &mut c]);
    assert!(ulaw_share(&world.heard(b.address), 1300.0) > 0.98);
    assert!(ulaw_share(&world.heard(c.address), 900.0) > 0.98);
    assert!(ulaw_amplitude(&world.heard(a.address), 900.0) < 1.0);
    world.join(2, 3);
    world.ask(MediaCommand::Part { session: SessionId(3) });
    world.sent.clear();
    world.speak(100, &mut [&mut b, &mut c]);
    assert!(ulaw_amplitude(&world.heard(b.address), 1300.0) < 1.0);
}

#[test]
fn paging_takes_the_peers_voice_to_one_output_at_a_time() {
    let mut world = World::new();
    let (mut a, _) = pair(&mut world);
    let page = |n, output: Option<&str>| MediaCommand::Page {
        session: SessionId(n),
        output: output.map(str::to_owned),
    };
    world.ask(page(1, Some("hall")));
    assert!(matches!(world.events.last(), Some(MediaEvent::Trouble(t)) if t.contains("hall")));
    world.ask(MediaCommand::Devices { sources: vec![], outputs: vec![("hall".into(), "null".into())] });
    world.ask(page(1, Some("hall")));
    world.ask(page(2, Some("hall")));
    assert!(matches!(world.events.last(), Some(MediaEvent::Trouble(t)) if t.contains("in use")));
    world.speak(100, &mut [&mut a]);
    let sound: Vec<u8> = world.pages.iter().flat_map(|(_, s)| s.clone()).collect();
    assert_eq!(sound, tone(500, 0, 800));
    world.ask(page(1, None));
    world.ask(page(2, Some("hall")));
    assert_eq!(world.events.len(), 3, "two troubles and one latch; free again: {:?}", world.events);
}

#[test]
fn reports_go_out_every_five_seconds_and_name_what_was_lost() {
    let mut world = World::new();
    let (mut a, mut b) = pair(&mut world);
    world.join(1, 2);
    for n in 0..600 {
        let bytes = a.frame();
        if n % 10 != 0 {
            world.packet(a.port, a.address, &bytes);
        }
        world.speak(20, &mut [&mut b]);
    }
    let reports: Vec<_> = world.sent.iter().filter(|s| s.rtcp && s.port == a.port).cloned().collect();
    assert_eq!(reports.len(), 2, "in twelve seconds");
    let to = SocketAddr::new(a.address.ip(), a.address.port() + 1);
    assert!(reports.iter().all(|r| r.to == to));
    let block = rtcp::parse(&reports[1].bytes, a.ssrc).and_then(|h| h.block).expect("about its stream");
    assert!((20..=30).contains(&block.fraction), "a tenth of 256: {}", block.fraction);
    assert!(reports[1].bytes[1] == 200, "a sender report");
    world.ask(MediaCommand::Close { session: SessionId(1) });
    let last = world.sent.iter().rfind(|s| s.rtcp && s.port == a.port).expect("a last report");
    assert_eq!(rtcp::parse(&last.bytes, a.ssrc).map(|h| h.bye), Some(true), "it says goodbye");
}

#[test]
fn silence_of_a_peer_that_should_speak_is_told_every_five_seconds() {
    let mut world = World::new();
    let (mut a, mut b) = pair(&mut world);
    world.pass(20_000);
    assert!(world.events.is_empty(), "not in use yet: {:?}", world.events);
    world.join(1, 2);
    world.speak(100, &mut [&mut a]);
    world.events.clear();
    world.speak(10_500, &mut [&mut b]);
    let silent: Vec<_> = world
        .events
        .iter()
        .filter_map(|e| {
            if let MediaEvent::Silent { session, seconds } = e { Some((session.0, *seconds)) } else { None }
        })
        .collect();
    assert_eq!(silent, [(1, 5), (1, 10)]);
    world.remote(1, Remote { receive: false, ..a.remote() });
    world.events.clear();
    world.speak(10_500, &mut [&mut b]);
    assert!(world.events.is_empty(), "on hold: {:?}", world.events);
}

#[test]
fn closing_tells_what_was_carried_and_frees_the_port() {
    let mut world = World::new();
    let (mut a, mut b) = pair(&mut world);
    world.join(1, 2);
    a.frame();
    world.speak(200, &mut [&mut a, &mut b]);
    world.ask(MediaCommand::Close { session: SessionId(1) });
    let Some(MediaEvent::Closed { session: SessionId(1), stats }) = world.events.last() else {
        panic!("{:?}", world.events)
    };
    assert_eq!((stats.received, stats.sent, stats.lost, stats.foreign), (10, 10, 0, 0));
    world.open(9, &a);
    assert!(!matches!(world.events.last(), Some(MediaEvent::Trouble(_))), "{:?}", world.events);
    world.speak(100, &mut [&mut b]);
    world.ask(MediaCommand::Close { session: SessionId(1) });
    assert_eq!(world.core.counters().ignored_commands, 1);
}
