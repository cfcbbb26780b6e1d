//! Queues through the real binary: a service outside names the agent over real HTTP, or is silent (E3); who hangs up is called
//! back in their turn through a real carrier (E8); after `kill -9` agents, figures and places are as before (E14).
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;
use tests::harness::belfry::Belfry;
use tests::harness::kamailio::Kamailio;
use tests::harness::lan::Lan;
use tests::harness::process::Process;
use tests::harness::sipp::{Sipp, silent};
use tests::harness::site;

/// A loaded machine takes its time.
const LONG: Duration = Duration::from_secs(60);

/// A customer with this number who stays for `ms` once the box has answered.
fn customer(lan: Lan, port: u16, number: &str, scenario: &str, ms: u32, folder: &Path) -> Process {
    let keys = vec![
        ("number", "+4930123456".into()),
        ("name", "Customer".into()),
        ("caller", number.into()),
        ("rtp_ip", lan.host(21).to_string()),
        ("rtp_port", "9".into()),
    ];
    let sipp = Sipp {
        scenario,
        local: SocketAddr::from((lan.host(21), port)),
        remote: Some(SocketAddr::from((lan.host(1), 5060))),
        keys,
        more: vec!["-m".into(), "1".into(), "-d".into(), ms.to_string()],
    };
    sipp.start(&format!("customer-{port}"), folder)
}

/// A service that names agent 203 to whoever's number ends in an even digit, and says nothing to others.
fn service(at: SocketAddr) {
    let listener = TcpListener::bind(at).expect("an address of the test's own");
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream);
            let mut line = String::new();
            let _ = reader.read_line(&mut line);
            let caller = line.split("n=").nth(1).and_then(|rest| rest.split([' ', '&']).next());
            let even = caller.and_then(|c| c.chars().last()).and_then(|c| c.to_digit(10)).map(|d| d % 2 == 0);
            if even != Some(true) {
                silent.push(reader);
                continue;
            }
            let body = r#"{"agent":"203"}"#;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            let _ = write!(reader.get_mut(), "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    });
}

fn records(pbx: &Belfry) -> Vec<Value> {
    pbx.get("/history?limit=100")["items"].as_array().cloned().unwrap_or_default()
}

/// E3.
#[test]
fn a_service_outside_names_the_agent_over_http_and_when_it_is_silent_the_queue_decides() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let at = SocketAddr::from((lan.host(4), 8090));
    service(at);
    let decide = format!("[queue.decide]\nurl = \"http://{at}/who?n={{caller}}\"\ntimeout_ms = 1000\n");
    let parts = [
        site::head(),
        site::agents(lan, 31, 201, 3),
        site::queue(201, 3, "in_order", "never"),
        decide,
        site::lines(lan, "queue:floor"),
    ];
    let pbx = Belfry::start(lan, &parts.concat(), folder);
    let _agents = silent(lan, 31, 5090, "callee", folder);
    for (n, expected) in [(2_u16, "203"), (3, "201"), (4, "203"), (5, "201")] {
        let number = format!("+4930555{n}");
        let mut caller = customer(lan, 15_000 + n, &number, "caller", 2_500, folder);
        assert!(caller.wait(LONG).success(), "{number}: {}", caller.output());
        let over = |h: &Value| h["items"][0]["caller"]["number"] == number.as_str();
        let history = pbx.until("the call is on record", "/history?limit=1", LONG, over);
        assert_eq!(history["items"][0]["agent"], expected, "{number}: {history}");
    }
}

/// E8.
#[test]
fn who_asks_for_it_is_called_back_through_the_carrier_before_who_came_later() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let _carrier = Kamailio::start(lan.host(2), lan.host(1), lan.host(3), folder);
    let back = "[queue.callback]\nafter_s = 1\nretry_s = 60\n".to_owned();
    let parts = [
        site::head(),
        site::agents(lan, 31, 201, 1),
        site::queue(201, 1, "longest_idle", "never"),
        back,
        site::lines(lan, "queue:floor"),
        site::carrier(lan),
    ];
    let pbx = Belfry::start(lan, &parts.concat(), folder);
    let _agent = silent(lan, 31, 5090, "callee", folder);
    let _home = silent(lan, 3, 5090, "called_back", folder);
    pbx.until("the trunk is up", "/trunks", LONG, |t| t.to_string().contains(r#""state":"up""#));
    pbx.send("POST", "/agents/201/pause", &json!({ "reason": "lunch" }));

    let mut asks = customer(lan, 15_001, "+493055501", "asks_back", 0, folder);
    assert!(asks.wait(LONG).success(), "the promise was given: {}", asks.output());
    let promised = |q: &Value| q[0]["callbacks"][0]["caller"]["number"] == "+493055501";
    pbx.until("the promise stands", "/queues", LONG, promised);
    let _live = customer(lan, 15_002, "+493055502", "caller", 120_000, folder);
    pbx.until("the other one waits on the line", "/queues", LONG, |q| {
        q[0]["waiting"].as_array().is_some_and(|w| w.iter().any(|w| w["caller"]["number"] == "+493055502"))
    });

    pbx.send("POST", "/agents/201/ready", &json!({}));
    let calls = pbx.until("agent and customer talk", "/calls", LONG, |calls| {
        let talks = |c: &Value| c["stage"] == "bridged" && c["called"]["number"] == "+493055501";
        calls.as_array().is_some_and(|c| c.iter().any(talks))
    });
    let waits = calls.as_array().is_some_and(|c| c.iter().any(|c| c["stage"] == "queued"));
    assert!(waits, "who came later still waits: {calls}");
    let call = calls.as_array().into_iter().flatten().find(|c| c["stage"] == "bridged").expect("just seen");
    pbx.send("DELETE", &format!("/calls/{}", call["call"]), &json!({}));
    pbx.until("then who came later talks", "/calls", LONG, |calls| {
        let talks = |c: &Value| c["stage"] == "bridged" && c["caller"]["number"] == "+493055502";
        calls.as_array().is_some_and(|c| c.iter().any(talks))
    });
    let queues = pbx.get("/queues");
    assert_eq!(queues[0]["callbacks"].as_array().map_or(0, Vec::len), 0, "nobody is owed a call: {queues}");
    let tries: Vec<Value> =
        records(&pbx).into_iter().filter(|r| r["called"]["number"] == "+493055501").collect();
    assert_eq!(tries.len(), 1, "one call to the customer: {tries:?}");
    assert_eq!((&tries[0]["agent"], &tries[0]["queue"]), (&json!("201"), &json!("floor")));
}

/// Numbers of those who wait, in order.
fn waiting(queues: &Value) -> Vec<String> {
    let waiting = queues[0]["waiting"].as_array().into_iter().flatten();
    waiting.map(|w| w["caller"]["number"].as_str().unwrap_or_default().to_owned()).collect()
}

/// E14.
#[test]
fn after_kill_nine_agents_figures_and_the_places_of_callers_are_as_before() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let parts = [
        site::head(),
        site::agents(lan, 31, 201, 3).replace("always_on = true\n", ""),
        site::queue(201, 3, "longest_idle", "never"),
        site::lines(lan, "queue:floor"),
    ];
    let mut pbx = Belfry::start(lan, &parts.concat(), folder);
    let _agents = silent(lan, 31, 5090, "callee", folder);
    pbx.send("POST", "/agents/201/login", &json!({}));
    let mut served = customer(lan, 15_001, "+493055501", "caller", 1_000, folder);
    assert!(served.wait(LONG).success(), "{}", served.output());
    pbx.until("the call is counted", "/queues", LONG, |q| q[0]["answered"] == 1);
    pbx.send("POST", "/agents/202/login", &json!({}));
    pbx.send("POST", "/agents/202/pause", &json!({ "reason": "lunch" }));
    pbx.send("POST", "/agents/201/pause", &json!({ "reason": "training" }));
    let first = customer(lan, 15_002, "+493055502", "caller", 120_000, folder);
    pbx.until("the first waits", "/queues", LONG, |q| waiting(q) == ["+493055502"]);
    let second = customer(lan, 15_003, "+493055503", "caller", 120_000, folder);
    let before = pbx.until("both wait", "/queues", LONG, |q| waiting(q) == ["+493055502", "+493055503"]);
    let agents = pbx.get("/agents");
    // What a call has reached is written within 50 ms; a crash may take that much.
    std::thread::sleep(Duration::from_secs(1));

    let pid = i32::try_from(pbx.process.pid()).expect("a process id");
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("the box runs");
    let _ = pbx.process.wait(LONG);
    drop((first, second));
    pbx.restart();

    let states = |agents: &Value| -> Vec<Value> {
        let agents = agents.as_array().into_iter().flatten();
        // Who never came to work is at home since the start of the box.
        let since = |a: &Value| if a["state"] == "logged_out" { Value::Null } else { a["since"].clone() };
        agents.map(|a| json!([a["agent"], a["state"], a["reason"], since(a), a["calls"]])).collect()
    };
    let now = pbx.get("/agents");
    assert_eq!(states(&now), states(&agents), "states, reasons, times and calls are as before");
    let queues = pbx.get("/queues");
    for figure in ["offered", "answered", "in_level", "wait_ms"] {
        assert_eq!(queues[0][figure], before[0][figure], "{figure}: {queues}");
    }
    assert_eq!(queues[0]["abandoned"], 2, "who waited was cut off: {queues}");
    // The one who came last rings again first.
    let _second = customer(lan, 15_013, "+493055503", "caller", 120_000, folder);
    pbx.until("the second waits again", "/queues", LONG, |q| waiting(q) == ["+493055503"]);
    let _first = customer(lan, 15_012, "+493055502", "caller", 120_000, folder);
    pbx.until("the first is before them", "/queues", LONG, |q| waiting(q) == ["+493055502", "+493055503"]);
    pbx.send("POST", "/agents/201/ready", &json!({}));
    pbx.until("and is served first", "/calls", LONG, |calls| {
        let talks = |c: &Value| c["stage"] == "bridged" && c["caller"]["number"] == "+493055502";
        calls.as_array().is_some_and(|c| c.iter().any(talks))
    });
}
