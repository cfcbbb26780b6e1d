//! The site's `[network]` and `[time]` as the text files of systemd-networkd, -resolved and -timesyncd. Pure: the same
//! settings give the same bytes; whoever calls writes them. Which settings are possible is decided in
//! `model::config::draft`, when they take effect and when they are taken back in [`trial`].
pub mod trial;

use model::config::network::{Ipv4Mode, Ipv6Mode, Network, Time};
use std::fmt::Write as _;

/// What the box's place on the LAN is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Section `[network]`.
    pub network: Network,
    /// Section `[time]`.
    pub time: Time,
}

/// A file below `/run/systemd` (in force now) and `/data/system` (from the next start on).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Place below the folder, e.g. `network/10-belfry.network`.
    pub path: &'static str,
    /// Whole content; `None` = the file must not exist.
    pub text: Option<String>,
}

/// Every file for these settings; their names come before that of the image's own `/etc/systemd/network`, so they win over
/// it. Those that other settings would have are named as absent.
#[must_use]
pub fn render(settings: &Settings) -> Vec<File> {
    let Settings { network, time } = settings;
    let file = |path, text| File { path, text };
    let tagged = network.vlan > 0;
    vec![
        file(
            "network/10-belfry.network",
            Some(if tagged { carrier(network) } else { place(network, time, &card(network)) }),
        ),
        file("network/11-vlan.netdev", tagged.then(|| tag(network))),
        file(
            "network/11-vlan.network",
            tagged.then(|| place(network, time, &format!("Name={}\n", vlan(network)))),
        ),
        file("resolved.conf.d/20-belfry.conf", Some(resolved(network))),
        file("timesyncd.conf.d/20-belfry.conf", Some(timesyncd(time))),
    ]
}

/// Says in each file where its content comes from.
const HEAD: &str = "# Written by Belfry from the site's configuration; changed there, never here.\n";

/// The network card: the named one, else every wired one.
fn card(network: &Network) -> String {
    network
        .interface
        .as_ref()
        .map_or_else(|| "Name=en* eth*\nType=ether\n".to_owned(), |name| format!("Name={name}\n"))
}

/// Name of the tagged link.
#[must_use]
pub fn vlan(network: &Network) -> String {
    format!("vlan{}", network.vlan)
}

/// The card under a VLAN: it carries the tag and has no address of its own.
fn carrier(network: &Network) -> String {
    let (card, vlan) = (card(network), vlan(network));
    format!(
        "{HEAD}[Match]\n{card}\n[Network]\nVLAN={vlan}\nDHCP=no\nIPv6AcceptRA=no\nLinkLocalAddressing=no\n"
    )
}

fn tag(network: &Network) -> String {
    format!("{HEAD}[NetDev]\nName={}\nKind=vlan\n\n[VLAN]\nId={}\n", vlan(network), network.vlan)
}

/// The link that has the addresses.
fn place(network: &Network, time: &Time, matches: &str) -> String {
    let yes = |on: bool| if on { "yes" } else { "no" };
    let mut out = format!("{HEAD}[Match]\n{matches}\n[Network]\n");
    let (v4, v6) = (network.ipv4, network.ipv6);
    let _ = writeln!(out, "DHCP={}", if v4 == Ipv4Mode::Dhcp { "ipv4" } else { "no" });
    let _ = writeln!(out, "IPv6AcceptRA={}", yes(v6 == Ipv6Mode::Auto));
    let _ = writeln!(out, "LinkLocalAddressing={}", if v6 == Ipv6Mode::Off { "no" } else { "ipv6" });
    let _ = writeln!(out, "MulticastDNS={}", yes(network.mdns));
    if let (Ipv4Mode::Static, Some(address)) = (v4, network.ipv4_address) {
        let _ = writeln!(out, "Address={address}");
        if let Some(gateway) = network.ipv4_gateway {
            let _ = writeln!(out, "Gateway={gateway}");
        }
    }
    if let (Ipv6Mode::Static, Some(address)) = (v6, network.ipv6_address) {
        let _ = writeln!(out, "Address={address}");
        if let Some(gateway) = network.ipv6_gateway {
            let _ = writeln!(out, "Gateway={gateway}");
        }
    }
    for server in &network.dns {
        let _ = writeln!(out, "DNS={server}");
    }
    let (dns, ntp) = (yes(network.dns.is_empty()), yes(time.ntp.is_empty()));
    if v4 == Ipv4Mode::Dhcp {
        // The identity by MAC: a box that got a new disk keeps its lease.
        let _ = write!(out, "\n[DHCPv4]\nClientIdentifier=mac\nUseHostname=no\nUseDNS={dns}\nUseNTP={ntp}\n");
    }
    if v6 == Ipv6Mode::Auto {
        let _ = write!(
            out,
            "\n[DHCPv6]\nUseHostname=no\nUseDNS={dns}\nUseNTP={ntp}\n\n[IPv6AcceptRA]\nUseDNS={dns}\n"
        );
    }
    out
}

fn resolved(network: &Network) -> String {
    let mdns = if network.mdns { "yes" } else { "no" };
    format!("{HEAD}[Resolve]\nMulticastDNS={mdns}\nLLMNR=no\nFallbackDNS=\n")
}

fn timesyncd(time: &Time) -> String {
    format!("{HEAD}[Time]\nNTP={}\nFallbackNTP=\n", time.ntp.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::config::draft;
    use serde_json::{Value, json};

    fn settings(network: Value, time: Value) -> Settings {
        let tree = json!({ "system": { "country": "DE" }, "network": network, "time": time });
        let config = draft::read(&tree).unwrap_or_else(|problems| panic!("{problems:#?}"));
        Settings { network: config.network, time: config.time }
    }

    fn text(files: &[File], path: &str) -> String {
        let file = files.iter().find(|f| f.path == path).expect(path);
        file.text.clone().unwrap_or_default()
    }

    #[test]
    fn the_usual_box_asks_dhcp_and_routers() {
        let files = render(&settings(json!({}), json!({})));
        let expected = "# Written by Belfry from the site's configuration; changed there, never here.\n\
            [Match]\nName=en* eth*\nType=ether\n\n\
            [Network]\nDHCP=ipv4\nIPv6AcceptRA=yes\nLinkLocalAddressing=ipv6\nMulticastDNS=yes\n\n\
            [DHCPv4]\nClientIdentifier=mac\nUseHostname=no\nUseDNS=yes\nUseNTP=yes\n\n\
            [DHCPv6]\nUseHostname=no\nUseDNS=yes\nUseNTP=yes\n\n[IPv6AcceptRA]\nUseDNS=yes\n";
        assert_eq!(text(&files, "network/10-belfry.network"), expected);
        assert_eq!(text(&files, "network/11-vlan.netdev"), "");
        assert!(text(&files, "timesyncd.conf.d/20-belfry.conf").ends_with("[Time]\nNTP=\nFallbackNTP=\n"));
    }

    #[test]
    fn static_addresses_replace_dhcp_and_routers() {
        let network = json!({ "interface": "eth0", "ipv4": "static", "ipv4_address": "192.0.2.10/24",
            "ipv4_gateway": "192.0.2.1", "ipv6": "static", "ipv6_address": "2001:db8::10/64",
            "ipv6_gateway": "fe80::1", "dns": ["192.0.2.53"], "mdns": false });
        let files = render(&settings(network, json!({ "ntp": ["a.example", "192.0.2.123"] })));
        let expected = "# Written by Belfry from the site's configuration; changed there, never here.\n\
            [Match]\nName=eth0\n\n\
            [Network]\nDHCP=no\nIPv6AcceptRA=no\nLinkLocalAddressing=ipv6\nMulticastDNS=no\n\
            Address=192.0.2.10/24\nGateway=192.0.2.1\nAddress=2001:db8::10/64\nGateway=fe80::1\nDNS=192.0.2.53\n";
        assert_eq!(text(&files, "network/10-belfry.network"), expected);
        assert!(text(&files, "resolved.conf.d/20-belfry.conf").contains("MulticastDNS=no\nLLMNR=no\n"));
        assert!(text(&files, "timesyncd.conf.d/20-belfry.conf").contains("NTP=a.example 192.0.2.123\n"));
    }

    #[test]
    fn own_name_and_time_servers_win_over_those_of_dhcp() {
        let files = render(&settings(json!({ "dns": ["192.0.2.53"] }), json!({ "ntp": ["a.example"] })));
        let text = text(&files, "network/10-belfry.network");
        assert_eq!((text.matches("UseDNS=no").count(), text.matches("UseNTP=no").count()), (3, 2), "{text}");
    }

    #[test]
    fn a_vlan_moves_the_addresses_to_the_tagged_link() {
        let files = render(&settings(json!({ "vlan": 42, "ipv6": "off" }), json!({})));
        let wired = text(&files, "network/10-belfry.network");
        assert!(wired.contains("VLAN=vlan42\nDHCP=no\n"), "{wired}");
        let netdev = text(&files, "network/11-vlan.netdev");
        assert!(netdev.ends_with("[NetDev]\nName=vlan42\nKind=vlan\n\n[VLAN]\nId=42\n"), "{netdev}");
        let tagged = text(&files, "network/11-vlan.network");
        assert!(tagged.contains(
            "[Match]\nName=vlan42\n\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\nLinkLocalAddressing=no\n"
        ));
    }
}
