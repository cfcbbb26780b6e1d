//! What happens to a campaign when its pacing stands still or is killed, on the real binary: every desk shows previews soon,
//! and who talks goes on talking.
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::process::{Process, until};
use tests::harness::sipp::Sipp;
use tests::harness::tone::ToneParty;
use tests::harness::{campaign, daytime};

/// A loaded machine takes its time.
const LONG: Duration = Duration::from_secs(60);
const AGENTS: u32 = 2;
const PERSON_HZ: f32 = 700.0;
const AGENT_HZ: f32 = 400.0;

fn party(lan: Lan, host: u8, port: u16, ear: &ToneParty, folder: &Path) -> Process {
    let keys = vec![("rtp_ip", ear.address.ip().to_string()), ("rtp_port", ear.address.port().to_string())];
    let local = SocketAddr::from((lan.host(host), port));
    Sipp { scenario: "callee", local, remote: None, keys, more: vec![] }
        .start(&format!("party-{host}"), folder)
}

/// A campaign in the middle of its work: an agent talks to a person, and both hear each other.
struct Floor {
    pbx: Belfry,
    person: ToneParty,
    agent: ToneParty,
    _parties: [Process; 2],
}

impl Floor {
    fn at_work(lan: Lan, folder: &Path) -> Floor {
        let pbx = Belfry::start(lan, &campaign::site(lan, AGENTS, "predictive", "lines_max = 1"), folder);
        let person = ToneParty::open(SocketAddr::from((lan.host(21), 7000)), PERSON_HZ);
        let agent = ToneParty::open(SocketAddr::from((lan.host(31), 7000)), AGENT_HZ);
        let parties = [party(lan, 21, 5060, &person, folder), party(lan, 31, 5090, &agent, folder)];
        let rows: Vec<String> =
            (0..40).map(|n| format!("Person {n},{}{:04}", daytime::place(), 3000 + n)).collect();
        let sheet = folder.join("people.csv");
        std::fs::write(&sheet, format!("Name,Phone\n{}\n", rows.join("\n"))).expect("writable");
        pbx.upload("/lists/import?list=people&file=people.csv", &sheet);
        pbx.send("POST", "/campaigns/spring/order", &json!({ "order": "start" }));
        // There is one line: one agent talks, the other is free.
        pbx.until("an agent talks", "/campaigns", LONG, |c| c[0]["talking"].as_u64() > Some(0));
        let floor = Floor { pbx, person, agent, _parties: parties };
        floor.both_hear_each_other();
        floor
    }

    fn both_hear_each_other(&self) {
        let second = Duration::from_secs(1);
        until("both hear each other", LONG, || {
            let both =
                self.person.share_of(AGENT_HZ, second) > 0.9 && self.agent.share_of(PERSON_HZ, second) > 0.9;
            both.then_some(())
        });
    }

    fn pid_of(&self, role: &str) -> Pid {
        let status = self.pbx.status();
        let pid =
            status[format!("{role}_pid")].as_i64().unwrap_or_else(|| panic!("no {role}_pid in {status}"));
        Pid::from_raw(i32::try_from(pid).expect("a process id"))
    }
}

/// Waits until each of these agents has a preview on the screen and the campaign says why; how long the screens took.
fn previews(pbx: &Belfry, why: &str, agents: usize, since: Instant) -> Duration {
    pbx.until("previews on the screens", "/desks", LONG, |desks| {
        let shown = desks.as_array().into_iter().flatten().filter(|desk| desk["stage"] == "preview");
        shown.count() == agents
    });
    let took = since.elapsed();
    let works = |all: &Value| all[0]["works_as"] == "preview" && all[0]["held"] == why;
    pbx.until("the campaign works as preview", "/campaigns", LONG, works);
    took
}

/// Longest time without a packet since a moment.
fn gap_since(ear: &ToneParty, from: Instant) -> Duration {
    let frames = ear.heard().frames;
    let times: Vec<Instant> = frames.iter().map(|(at, _)| *at).filter(|at| *at >= from).collect();
    times.windows(2).map(|two| two[1] - two[0]).max().expect("packets went on")
}

fn endings(pbx: &Belfry) -> Vec<String> {
    let text = String::from_utf8(pbx.get_bytes("/campaigns/spring/attempts")).expect("text");
    let attempts = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    attempts.map(|a| a["ending"].as_str().unwrap_or("none yet").to_owned()).collect()
}

#[test]
fn a_pace_that_stood_still_shows_previews_and_who_talks_goes_on_talking() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let floor = Floor::at_work(Lan::take(), folder.path());
    let control = floor.pid_of("control");
    // Longer than a decision may be late, shorter than the supervisor is patient.
    let stopped = Instant::now();
    kill(control, Signal::SIGSTOP).expect("control runs");
    std::thread::sleep(Duration::from_millis(2500));
    kill(control, Signal::SIGCONT).expect("control stands still");
    let again = Instant::now();
    let took = previews(&floor.pbx, "stale", 1, again);
    println!("previews on the screens {took:?} after the pace went on");
    floor.both_hear_each_other();
    for ear in [&floor.person, &floor.agent] {
        let gap = gap_since(ear, stopped);
        assert!(gap < Duration::from_secs(2), "nobody fell silent while the pace stood still: {gap:?}");
    }
    assert_eq!(floor.pid_of("control"), control, "it was not started again");
    floor.pbx.until("all is well again", "/campaigns", LONG, |all| all[0]["works_as"] == "predictive");
    assert_eq!(endings(&floor.pbx), ["none yet"], "the call was not lost");
}

#[test]
fn a_pace_that_is_killed_shows_previews_on_every_screen_and_who_talks_goes_on_talking() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let floor = Floor::at_work(Lan::take(), folder.path());
    let control = floor.pid_of("control");
    let killed = Instant::now();
    kill(control, Signal::SIGKILL).expect("control runs");
    until("control is back", LONG, || {
        let out = floor.pbx.run(&["status", "--json"]);
        let status: Value = serde_json::from_slice(&out.stdout).ok()?;
        (status["control_pid"].as_i64()? != i64::from(control.as_raw())).then_some(())
    });
    let took = previews(&floor.pbx, "cut", usize::try_from(AGENTS).expect("small"), killed);
    println!("previews on the screens {took:?} after kill -9");
    floor.both_hear_each_other();
    for ear in [&floor.person, &floor.agent] {
        let gap = gap_since(ear, killed);
        assert!(gap < Duration::from_secs(2), "nobody fell silent: {gap:?}");
    }
    assert_eq!(endings(&floor.pbx), ["interrupted"], "nobody was dialled meanwhile");
    floor.pbx.until("all is well again", "/campaigns", LONG, |all| all[0]["works_as"] == "predictive");
}
