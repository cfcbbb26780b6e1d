//! Recordings of whole calls, files that are played, and a disk that refuses.
use super::*;
use crate::codec::SILENCE;
use crate::tone::{ulaw_amplitude, ulaw_share};
use crate::wav;
use model::media::{PlayEnd, RecordEnd};

fn channel(file: &[u8], n: usize, of: usize) -> Vec<u8> {
    file[wav::HEADER..].iter().skip(n).step_by(of).copied().collect()
}

fn done(world: &World, id: u64) -> Vec<(RecordEnd, u32)> {
    let of = |e: &MediaEvent| {
        if let MediaEvent::RecordDone { recording, end, ms } = e
            && *recording == RecordingId(id)
        {
            Some((*end, *ms))
        } else {
            None
        }
    };
    world.events.iter().filter_map(of).collect()
}

fn joined(world: &mut World) -> (Peer, Peer) {
    let (a, b) = (Peer::new(1, 500), Peer::new(2, 900));
    world.open(1, &a);
    world.open(2, &b);
    world.join(1, 2);
    (a, b)
}

#[test]
fn a_call_is_recorded_with_each_party_in_its_channel() {
    let mut world = World::new();
    let (mut a, mut b) = joined(&mut world);
    b.codec = Codec::Pcma;
    world.remote(2, b.remote());
    world.record(1, 1, Some(2));
    world.speak(5000, &mut [&mut a, &mut b]);
    world.ask(MediaCommand::StopRecord { recording: RecordingId(1) });
    assert_eq!(done(&world, 1), [(RecordEnd::Stopped, 5000)]);
    let file = world.file("rec/1.wav");
    assert_eq!(file.len(), wav::HEADER + 80_000);
    assert_eq!(file[..wav::HEADER], wav::header(2, 80_000));
    let (left, right) = (channel(&file, 0, 2), channel(&file, 1, 2));
    assert_eq!(left[..39_000], tone(500, 0, 39_000), "every sample in its place");
    assert!(ulaw_share(&left, 500.0) > 0.97 && ulaw_amplitude(&left, 900.0) < 50.0);
    let right = &right[..39_000];
    assert!(ulaw_share(right, 900.0) > 0.97, "{}", ulaw_share(right, 900.0));
    assert!(ulaw_amplitude(right, 500.0) < 50.0, "{}", ulaw_amplitude(right, 500.0));
}

#[test]
fn what_a_killed_process_has_written_is_at_most_a_second_behind() {
    let mut world = World::new();
    let (mut a, mut b) = joined(&mut world);
    world.record(1, 1, Some(2));
    world.speak(10_000, &mut [&mut a, &mut b]);
    let written = world.file("rec/1.wav").len() - wav::HEADER;
    assert!(written >= 2 * 8 * 9400, "{written} octets of 160,000");
}

#[test]
fn hold_and_the_end_of_the_second_party_are_silence() {
    let mut world = World::new();
    let (mut a, mut b) = joined(&mut world);
    world.record(1, 1, Some(2));
    world.speak(1000, &mut [&mut a, &mut b]);
    world.speak(1000, &mut [&mut b]);
    world.ask(MediaCommand::Close { session: SessionId(2) });
    assert_eq!(done(&world, 1), []);
    world.speak(1000, &mut [&mut a]);
    world.ask(MediaCommand::Close { session: SessionId(1) });
    assert_eq!(done(&world, 1), [(RecordEnd::Stopped, 3000)]);
    let file = world.file("rec/1.wav");
    let (left, right) = (channel(&file, 0, 2), channel(&file, 1, 2));
    let loud =
        |sound: &[u8]| sound.chunks(8000).map(|s| ulaw_amplitude(s, 500.0) > 1000.0).collect::<Vec<_>>();
    assert_eq!(loud(&left), [true, false, true]);
    assert_eq!(right[17_000..], [SILENCE; 7000]);
}

#[test]
fn a_voicemail_ends_by_a_digit_by_silence_and_by_length() {
    for (how, end) in
        [("digit", RecordEnd::Digit), ("silence", RecordEnd::Silence), ("long", RecordEnd::Length)]
    {
        let mut world = World::new();
        let mut a = Peer::new(1, 500);
        world.open(1, &a);
        world.ask(MediaCommand::Record {
            recording: RecordingId(1),
            left: SessionId(1),
            right: None,
            path: "vm/1.wav".into(),
            max_s: 10,
            silence_ms: 3000,
            until_digit: true,
        });
        world.speak(2000, &mut [&mut a]);
        match how {
            "digit" => {
                let press = a.press(11);
                world.packet(a.port, a.address, &press[0]);
            }
            "silence" => {
                a.tone = Tone::new(0, 0);
                world.speak(3100, &mut [&mut a]);
            }
            _ => world.speak(9000, &mut [&mut a]),
        }
        let ends = done(&world, 1);
        assert_eq!(ends.len(), 1, "{how}");
        assert_eq!(ends[0].0, end);
        let file = world.file("vm/1.wav");
        assert_eq!(file.len(), wav::HEADER + usize::try_from(ends[0].1).unwrap() * 8);
        assert!(ulaw_share(&channel(&file, 0, 1)[..15_000], 500.0) > 0.97);
    }
}

#[test]
fn a_card_number_read_out_while_paused_is_not_kept() {
    let mut world = World::new();
    let (mut a, mut b) = joined(&mut world);
    world.record(1, 1, Some(2));
    let pause = |paused| MediaCommand::PauseRecord { recording: RecordingId(1), paused };
    world.speak(1000, &mut [&mut a, &mut b]);
    world.ask(pause(true));
    world.speak(1000, &mut [&mut a, &mut b]);
    world.ask(pause(false));
    world.speak(1000, &mut [&mut a, &mut b]);
    world.ask(MediaCommand::StopRecord { recording: RecordingId(1) });
    let left = channel(&world.file("rec/1.wav"), 0, 2);
    assert_eq!(left.len(), 24_000);
    assert_eq!(left[8000..16_000], [SILENCE; 8000]);
    assert!(ulaw_share(&left[16_000..23_000], 500.0) > 0.97);
}

#[test]
fn a_greeting_is_loaded_once_and_played() {
    let mut world = World::new();
    let (a, _) = joined(&mut world);
    world.play(
        1,
        1,
        vec![Sound::File("greet/101.wav".into()), Sound::File("greet/101.wav".into())],
        false,
        false,
    );
    assert_eq!(world.loads, ["greet/101.wav"]);
    world.pass(40);
    world.sent.clear();
    world.core.loaded("greet/101.wav", Ok(Arc::from(tone(600, 0, 1600))), &mut world.out);
    world.pass(420);
    assert!(ulaw_share(&world.heard(a.address)[..3200], 600.0) > 0.97);
    let finished = MediaEvent::PlayDone { session: SessionId(1), play: PlayId(1), end: PlayEnd::Finished };
    assert!(world.events.contains(&finished));
}

#[test]
fn a_file_or_prompt_that_is_missing_is_said_and_skipped() {
    let mut world = World::new();
    let (a, _) = joined(&mut world);
    world.play(1, 1, vec![prompt("nope"), Sound::File("gone.wav".into()), prompt("hello")], false, false);
    world.core.loaded("gone.wav", Err("no such file".into()), &mut world.out);
    world.pass(400);
    assert!(ulaw_share(&world.heard(a.address)[..3000], 440.0) > 0.97, "what is there is heard at once");
    let troubles: Vec<_> = world
        .events
        .iter()
        .filter_map(|e| if let MediaEvent::Trouble(t) = e { Some(t) } else { None })
        .collect();
    assert_eq!(troubles.len(), 2);
    assert!(troubles[0].contains("nope") && troubles[1].contains("gone.wav"));
    world.play(1, 2, vec![prompt("nope")], false, false);
    assert_eq!(world.core.counters().prompts_missing, 2);
}

#[test]
fn a_disk_that_gives_up_ends_the_recording_and_says_so() {
    let mut world = World::new();
    let (mut a, mut b) = joined(&mut world);
    world.record(1, 1, Some(2));
    world.speak(2000, &mut [&mut a, &mut b]);
    let file = *world.disk.keys().next().unwrap();
    world.core.file_closed(file, Err("no space left".into()), &mut world.out);
    world.speak(1000, &mut [&mut a, &mut b]);
    assert!(matches!(done(&world, 1)[..], [(RecordEnd::Disk, ms)] if ms >= 1600));
    assert!(world.events.iter().any(|e| matches!(e, MediaEvent::Trouble(t) if t.contains("no space left"))));
    world.ask(MediaCommand::StopRecord { recording: RecordingId(1) });
    assert_eq!(done(&world, 1).len(), 1);
}

#[test]
fn a_recording_that_cannot_be_is_answered_at_once() {
    let mut world = World::new();
    joined(&mut world);
    world.record(1, 77, None);
    assert_eq!(done(&world, 1), [(RecordEnd::Stopped, 0)], "the session has closed by itself");
    world.ask(MediaCommand::Record {
        recording: RecordingId(2),
        left: SessionId(1),
        right: None,
        path: "../etc/passwd".into(),
        max_s: 1,
        silence_ms: 0,
        until_digit: false,
    });
    assert_eq!(done(&world, 2), [(RecordEnd::Disk, 0)]);
    for id in 10..20 {
        world.record(id, 1, None);
    }
    assert_eq!(done(&world, 19), [(RecordEnd::Disk, 0)], "one session feeds a few recordings only");
    assert!(world.disk.values().all(|(path, _)| path.starts_with("rec/")));
}
