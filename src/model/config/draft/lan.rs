//! Reads `[network]` and `[time]` of a draft, with their defaults, and refuses what no network can be.
use super::table::Table;
use super::value;
use crate::config::network::{Ipv4Mode, Ipv6Mode, Network, Prefix, Time};
use std::net::{IpAddr, Ipv4Addr};

const IPV4: [(&str, Ipv4Mode); 3] =
    [("dhcp", Ipv4Mode::Dhcp), ("off", Ipv4Mode::Off), ("static", Ipv4Mode::Static)];
const IPV6: [(&str, Ipv6Mode); 3] =
    [("auto", Ipv6Mode::Auto), ("off", Ipv6Mode::Off), ("static", Ipv6Mode::Static)];
/// Name servers the system's resolver asks.
const DNS_MAX: usize = 4;
/// Time servers: four tell a wrong one from the right ones, more are no better.
const NTP_MAX: usize = 4;

pub(super) fn network(t: Table<'_>) -> Network {
    let usual = Network::default();
    let network = Network {
        host_name: t.parsed("host_name", host_name).unwrap_or(usual.host_name),
        interface: t.parsed("interface", interface),
        vlan: small(t.count("vlan", 0..=4094, 0)),
        ipv4: t.choice("ipv4", &IPV4).unwrap_or(usual.ipv4),
        ipv4_address: t.parsed("ipv4_address", |text| prefix(text, IpAddr::is_ipv4)),
        ipv4_gateway: t.parsed("ipv4_gateway", |text| {
            text.parse().map_err(|_| format!("\"{text}\" is not an IPv4 address; write it like 192.0.2.1"))
        }),
        ipv6: t.choice("ipv6", &IPV6).unwrap_or(usual.ipv6),
        ipv6_address: t.parsed("ipv6_address", |text| prefix(text, IpAddr::is_ipv6)),
        ipv6_gateway: t.parsed("ipv6_gateway", |text| {
            text.parse().map_err(|_| format!("\"{text}\" is not an IPv6 address; write it like fe80::1"))
        }),
        dns: t.list("dns", DNS_MAX, value::address),
        mdns: t.flag("mdns", usual.mdns),
        dscp_sip: dscp(&t, "dscp_sip", usual.dscp_sip),
        dscp_rtp: dscp(&t, "dscp_rtp", usual.dscp_rtp),
    };
    whole(&t, &network);
    t.done();
    network
}

/// What no field can see alone.
fn whole(t: &Table<'_>, n: &Network) {
    if n.ipv4 == Ipv4Mode::Off && n.ipv6 == Ipv6Mode::Off {
        let message = "without IPv4 and IPv6 nobody reaches the box; switch one of them on";
        t.problem("ipv4", "no_network", message);
    }
    if n.ipv4 == Ipv4Mode::Static && n.ipv4_address.is_none() && t.value("ipv4_address").is_none() {
        t.missing("ipv4_address", "a static address is written like 192.0.2.10/24");
    }
    if n.ipv6 == Ipv6Mode::Static && n.ipv6_address.is_none() && t.value("ipv6_address").is_none() {
        t.missing("ipv6_address", "a static address is written like 2001:db8::10/64");
    }
    if let (Ipv4Mode::Static, Some(own), Some(gateway)) = (n.ipv4, n.ipv4_address, n.ipv4_gateway) {
        beside(t, "ipv4_gateway", own, gateway.into());
    }
    let local = n.ipv6_gateway.is_some_and(|g| g.is_unicast_link_local());
    if let (Ipv6Mode::Static, Some(own), Some(gateway), false) =
        (n.ipv6, n.ipv6_address, n.ipv6_gateway, local)
    {
        beside(t, "ipv6_gateway", own, gateway.into());
    }
}

/// A router is on the box's own network and is not the box.
fn beside(t: &Table<'_>, field: &'static str, own: Prefix, gateway: IpAddr) {
    if !own.holds(gateway) {
        let message = format!("{gateway} is not on the network of {own}; name the router of this network");
        t.problem(field, "not_on_network", message);
    } else if own.address == gateway {
        let message = format!("{gateway} is the box itself; name the router of this network");
        t.problem(field, "not_on_network", message);
    }
}

pub(super) fn time(t: Table<'_>) -> Time {
    let time = Time { ntp: t.list("ntp", NTP_MAX, value::host) };
    t.done();
    time
}

fn small(n: u32) -> u16 {
    u16::try_from(n).unwrap_or(0)
}

fn dscp(t: &Table<'_>, field: &'static str, usual: u8) -> u8 {
    u8::try_from(t.count(field, 0..=63, u32::from(usual))).unwrap_or(usual)
}

fn host_name(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let whole = (1..=63).contains(&text.len()) && text.chars().all(fine);
    if whole && !text.starts_with('-') && !text.ends_with('-') && text != "localhost" {
        return Ok(text.to_owned());
    }
    Err(format!(
        "\"{text}\" cannot be the name of the box; use a-z, 0-9 and - (not at the ends), at most 63, without a dot"
    ))
}

/// Longest name of a network card, as the kernel has it (IFNAMSIZ less its end).
const INTERFACE_MAX: usize = 15;

fn interface(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if text.len() <= INTERFACE_MAX && text.chars().all(fine) && text != "lo" {
        return Ok(text.to_owned());
    }
    Err(format!("\"{text}\" is not the name of a network card; write it like eth0, or leave it out"))
}

fn prefix(text: &str, family: fn(&IpAddr) -> bool) -> Result<Prefix, String> {
    let example = if family(&IpAddr::V4(Ipv4Addr::LOCALHOST)) { "192.0.2.10/24" } else { "2001:db8::10/64" };
    let wrong = |why: &str| format!("\"{text}\" {why}; write it like {example}");
    let Some((address, length)) = text.split_once('/') else {
        return Err(wrong("has no prefix length"));
    };
    let address: IpAddr = address.parse().map_err(|_| wrong("is not an address"))?;
    let length: u8 = length.parse().map_err(|_| wrong("is not an address with a prefix length"))?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    if !family(&address) || !(1..=bits).contains(&length) {
        return Err(wrong("is not an address of this kind with its prefix length"));
    }
    let prefix = Prefix { address, length };
    if unusable(prefix) { Err(wrong("cannot be the address of a box")) } else { Ok(prefix) }
}

/// Addresses that no box can have: of nobody, of many, of itself, of the network, of everybody on it.
fn unusable(prefix: Prefix) -> bool {
    let special =
        prefix.address.is_unspecified() || prefix.address.is_multicast() || prefix.address.is_loopback();
    let edge = match prefix.address {
        IpAddr::V4(v4) if prefix.length < 31 => {
            let host = u32::MAX.checked_shr(u32::from(prefix.length)).unwrap_or(0);
            let part = v4.to_bits() & host;
            part == 0 || part == host
        }
        IpAddr::V4(_) | IpAddr::V6(_) => false,
    };
    special || edge
}

#[cfg(test)]
mod tests {
    use crate::config::draft;
    use serde_json::{Value, json};

    /// The problems of a `[network]` as `field code`.
    fn problems(network: Value) -> Vec<String> {
        let tree = json!({ "system": { "country": "DE" }, "network": network });
        match draft::read(&tree) {
            Ok(_) => Vec::new(),
            Err(all) => all.iter().map(|p| format!("{} {}", p.field, p.code)).collect(),
        }
    }

    #[test]
    fn a_box_asks_dhcp_and_routers_unless_told() {
        let config = draft::read(&json!({ "system": { "country": "DE" } })).expect("defaults");
        let text = serde_json::to_value(&config.network).expect("a tree");
        let usual = json!({ "host_name": "belfry", "vlan": 0, "ipv4": "dhcp", "ipv6": "auto", "dns": [],
            "mdns": true, "dscp_sip": 24, "dscp_rtp": 46 });
        assert_eq!(text, usual);
        assert!(config.time.ntp.is_empty());
    }

    #[test]
    fn what_no_network_can_be_is_refused_by_field() {
        let fixed = |address: &str, gateway: &str| {
            problems(json!({ "ipv4": "static", "ipv4_address": address, "ipv4_gateway": gateway }))
        };
        assert!(fixed("192.0.2.10/24", "192.0.2.1").is_empty());
        assert_eq!(fixed("192.0.2.10/24", "192.0.3.1"), ["network.ipv4_gateway not_on_network"]);
        assert_eq!(fixed("192.0.2.10/24", "192.0.2.10"), ["network.ipv4_gateway not_on_network"]);
        for wrong in
            ["192.0.2.10", "192.0.2.0/24", "192.0.2.255/24", "127.0.0.1/8", "192.0.2.1/33", "::1/64", "x/24"]
        {
            assert_eq!(fixed(wrong, "192.0.2.1"), ["network.ipv4_address wrong_text"], "{wrong}");
        }
        let one = |field: &str, value: Value| problems(json!({ field: value }));
        assert_eq!(one("ipv4", json!("static")), ["network.ipv4_address missing"]);
        assert_eq!(one("ipv6", json!("static")), ["network.ipv6_address missing"]);
        assert_eq!(one("vlan", json!(4095)), ["network.vlan out_of_range"]);
        assert_eq!(one("dscp_rtp", json!(64)), ["network.dscp_rtp out_of_range"]);
        assert_eq!(one("host_name", json!("Belfry.lan")), ["network.host_name wrong_text"]);
        assert_eq!(one("interface", json!("../eth0")), ["network.interface wrong_text"]);
        assert_eq!(one("dns", json!(["dns.example"])), ["network.dns[0] wrong_text"]);
        assert_eq!(problems(json!({ "ipv4": "off", "ipv6": "off" })), ["network.ipv4 no_network"]);
    }

    #[test]
    fn only_what_can_cut_somebody_off_is_risky() {
        let read = |network: Value| {
            let tree = json!({ "system": { "country": "DE" }, "network": network });
            draft::read(&tree).expect("fine").network
        };
        let usual = read(json!({}));
        let harmless = json!({ "host_name": "pbx", "dns": ["192.0.2.1"], "dscp_sip": 0, "mdns": false,
            "ipv4_address": "192.0.2.10/24" });
        assert!(!usual.is_risky(&read(harmless)));
        for risky in [
            json!({ "vlan": 7 }),
            json!({ "ipv4": "static", "ipv4_address": "192.0.2.10/24" }),
            json!({ "ipv6": "off" }),
            json!({ "interface": "eth1" }),
        ] {
            assert!(usual.is_risky(&read(risky.clone())), "{risky}");
        }
    }
}
