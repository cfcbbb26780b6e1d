//! Network settings on a folder that stands for the machine: in force at once, kept only when somebody says so, gone
//! after a power cut that came first.
use crate::machine::Machine;
use board::steward::client::SHORT;
use board::steward::{Act, Answer, NetworkState, NetworkTree};
use serde_json::{Value, json};

fn tree(network: Value) -> NetworkTree {
    NetworkTree { network, time: json!({ "ntp": ["192.0.2.123"] }) }
}

fn fixed() -> NetworkTree {
    tree(json!({ "host_name": "pbx", "ipv4": "static", "ipv4_address": "192.0.2.10/24" }))
}

fn ask(machine: &Machine, act: Act) -> Result<Answer, String> {
    machine.steward().ask(&act, SHORT).map_err(|refused| refused.code)
}

fn state(machine: &Machine) -> NetworkState {
    match ask(machine, Act::Network) {
        Ok(Answer::Network(state)) => state,
        other => panic!("{other:?}"),
    }
}

fn text(machine: &Machine, path: &str) -> String {
    std::fs::read_to_string(machine.path(path)).unwrap_or_default()
}

const LIVE: &str = "run/systemd/network/10-belfry.network";
const KEPT: &str = "data/system/network/10-belfry.network";

#[test]
fn a_risky_change_is_in_force_at_once_and_on_disk_only_when_it_is_kept() {
    let machine = Machine::start();
    assert_eq!(ask(&machine, Act::ApplyNetwork { settings: fixed() }), Ok(Answer::Done));
    assert!(text(&machine, LIVE).contains("Address=192.0.2.10/24"));
    assert!(!machine.path(KEPT).exists());
    assert_eq!(machine.did("networkctl"), ["reload"]);
    assert_eq!(text(&machine, "run/belfry-steward/hostname"), "pbx");
    let tried = state(&machine).tried.expect("on trial");
    assert!((1..=60).contains(&tried.left_s));
    assert_eq!(ask(&machine, Act::KeepNetwork { token: "guess".into() }), Err("nothing_tried".into()));
    assert_eq!(ask(&machine, Act::KeepNetwork { token: tried.token }), Ok(Answer::Done));
    assert!(text(&machine, KEPT).contains("Address=192.0.2.10/24"));
    assert_eq!(text(&machine, "data/etc/hostname"), "pbx\n");
    let machine = machine.restart();
    assert_eq!(state(&machine).settled.network["ipv4_address"], "192.0.2.10/24");
}

#[test]
fn a_power_cut_before_anybody_kept_a_change_takes_it_back() {
    let machine = Machine::start();
    ask(&machine, Act::ApplyNetwork { settings: fixed() }).unwrap();
    let machine = machine.restart();
    let state = state(&machine);
    assert_eq!(state.tried, None);
    assert_eq!(
        state.undone.map(|u| (u.why, u.settings.network["ipv4"].clone())),
        Some(("restarted".into(), json!("static")))
    );
    assert!(text(&machine, LIVE).contains("DHCP=ipv4"), "the old settings are in force");
    assert!(!machine.path(KEPT).exists());
}

#[test]
fn a_change_can_be_taken_back_by_hand_and_a_tagged_link_goes_with_it() {
    let machine = Machine::start();
    ask(&machine, Act::ApplyNetwork { settings: tree(json!({ "vlan": 42 })) }).unwrap();
    assert!(text(&machine, "run/systemd/network/11-vlan.netdev").contains("Id=42"));
    assert_eq!(ask(&machine, Act::UndoNetwork), Ok(Answer::Done));
    assert!(!machine.path("run/systemd/network/11-vlan.netdev").exists());
    assert_eq!(machine.did("networkctl"), ["reload", "delete vlan42", "reload"]);
    assert_eq!(ask(&machine, Act::UndoNetwork), Err("nothing_tried".into()));
}

#[test]
fn harmless_settings_are_kept_at_once_and_wrong_ones_refused() {
    let machine = Machine::start();
    ask(&machine, Act::ApplyNetwork { settings: tree(json!({})) }).unwrap();
    assert!(text(&machine, "data/system/timesyncd.conf.d/20-belfry.conf").contains("NTP=192.0.2.123\n"));
    assert!(
        machine.did("systemctl").contains(&"--no-block try-restart systemd-timesyncd.service".to_owned())
    );
    assert_eq!(state(&machine).tried, None);
    let wrong = ask(&machine, Act::ApplyNetwork { settings: tree(json!({ "interface": "../../etc" })) });
    assert_eq!(wrong, Err("wrong_settings".into()));
}

#[test]
fn the_clock_is_set_to_a_time_that_can_be() {
    let machine = Machine::start();
    assert_eq!(ask(&machine, Act::SetClock { unix_s: 2_000_000_000 }), Ok(Answer::Done));
    assert_eq!(text(&machine, "run/belfry-steward/clock"), "2000000000");
    assert_eq!(ask(&machine, Act::SetClock { unix_s: 5_000_000_000 }), Err("wrong_time".into()));
}
