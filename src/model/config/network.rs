//! Sections `[network]` and `[time]`: how the box stands on the LAN and whom it asks for the time. On a PC only the marks
//! of packets and the time are used: the machine's own network is left alone there. Decides nothing.
use serde::Serialize;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How the box stands on the LAN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Network {
    /// One label; the box is found as this name followed by `.local`.
    pub host_name: String,
    /// Network card, e.g. `eth0`; `None` = every wired one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// VLAN id, 1–4094; 0 = untagged.
    pub vlan: u16,
    /// Where the IPv4 address comes from.
    pub ipv4: Ipv4Mode,
    /// Address and prefix length; used when `ipv4` is static.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4_address: Option<Prefix>,
    /// Router of IPv4; used when `ipv4` is static.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4_gateway: Option<Ipv4Addr>,
    /// Where IPv6 addresses come from.
    pub ipv6: Ipv6Mode,
    /// Address and prefix length; used when `ipv6` is static.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_address: Option<Prefix>,
    /// Router of IPv6; used when `ipv6` is static.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_gateway: Option<Ipv6Addr>,
    /// Name servers; empty = those of DHCP.
    pub dns: Vec<IpAddr>,
    /// Whether the box answers to its name on the LAN (mDNS).
    pub mdns: bool,
    /// DSCP of SIP packets, 0–63.
    pub dscp_sip: u8,
    /// DSCP of speech packets, 0–63.
    pub dscp_rtp: u8,
}

impl Default for Network {
    /// What a box does that nobody told anything: it asks DHCP and routers.
    fn default() -> Network {
        Network {
            host_name: "belfry".into(),
            interface: None,
            vlan: 0,
            ipv4: Ipv4Mode::Dhcp,
            ipv4_address: None,
            ipv4_gateway: None,
            ipv6: Ipv6Mode::Auto,
            ipv6_address: None,
            ipv6_gateway: None,
            dns: Vec::new(),
            mdns: true,
            dscp_sip: DSCP_SIP,
            dscp_rtp: DSCP_RTP,
        }
    }
}

/// DSCP of signalling: CS3, what phones and switches of the field ship with.
const DSCP_SIP: u8 = 24;
/// DSCP of speech: EF (RFC 3246).
const DSCP_RTP: u8 = 46;

impl Network {
    /// Whether a change from these settings to `other` can cut the administrator off: it is then tried and counted
    /// down. Marks, names and name servers cannot.
    #[must_use]
    pub fn is_risky(&self, other: &Network) -> bool {
        let ways = |n: &Network| (n.interface.clone(), n.vlan, n.ipv4_way(), n.ipv6_way());
        ways(self) != ways(other)
    }

    fn ipv4_way(&self) -> (Ipv4Mode, Option<Prefix>, Option<Ipv4Addr>) {
        match self.ipv4 {
            Ipv4Mode::Dhcp | Ipv4Mode::Off => (self.ipv4, None, None),
            Ipv4Mode::Static => (self.ipv4, self.ipv4_address, self.ipv4_gateway),
        }
    }

    fn ipv6_way(&self) -> (Ipv6Mode, Option<Prefix>, Option<Ipv6Addr>) {
        match self.ipv6 {
            Ipv6Mode::Auto | Ipv6Mode::Off => (self.ipv6, None, None),
            Ipv6Mode::Static => (self.ipv6, self.ipv6_address, self.ipv6_gateway),
        }
    }
}

/// Where the IPv4 address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ipv4Mode {
    /// A DHCP server.
    Dhcp,
    /// No IPv4.
    Off,
    /// The settings.
    Static,
}

/// Where IPv6 addresses come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ipv6Mode {
    /// Routers (RFC 4862) and DHCPv6 when they say so.
    Auto,
    /// No IPv6.
    Off,
    /// The settings.
    Static,
}

/// An address and the length of its network's prefix, written `192.0.2.10/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The box's own address.
    pub address: IpAddr,
    /// Bits of the network.
    pub length: u8,
}

impl Prefix {
    /// Whether `other` is on the same network.
    #[must_use]
    pub fn holds(self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.length.min(32))).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.length.min(128))).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl Serialize for Prefix {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// Whom the box asks for the time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Time {
    /// NTP servers, in order; empty = those of DHCP.
    pub ntp: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_its_own_network_only() {
        let prefix = |address: &str, length| Prefix { address: address.parse().unwrap(), length };
        let holds = |p: Prefix, other: &str| p.holds(other.parse().unwrap());
        assert!(holds(prefix("192.0.2.10", 24), "192.0.2.1"));
        assert!(!holds(prefix("192.0.2.10", 24), "192.0.3.1"));
        assert!(holds(prefix("192.0.2.10", 0), "8.8.8.8"));
        assert!(!holds(prefix("192.0.2.10", 32), "192.0.2.11"));
        assert!(holds(prefix("2001:db8::1", 64), "2001:db8::ffff"));
        assert!(!holds(prefix("2001:db8::1", 64), "2001:db8:1::1"));
        assert!(!holds(prefix("2001:db8::1", 0), "192.0.2.1"));
    }
}
