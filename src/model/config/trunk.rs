//! Section `[[trunk]]`: a carrier connection.
use crate::config::budget::Limits;
use crate::config::extension::RecordPolicy;
use crate::media::Codec;
use crate::number::Number;
use serde::Serialize;
use std::net::IpAddr;

/// A carrier connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trunk {
    /// Name, unique.
    pub name: String,
    /// Whether we register there or are known by address.
    pub kind: TrunkKind,
    /// Host name or address of the carrier's SIP server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Transport of our requests.
    pub transport: Transport,
    /// SIP domain in From/To and Request-URI when it differs from `host`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Account name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Name in digest answers when it differs from `username`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_username: Option<String>,
    /// Account password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Addresses whose requests are this trunk's, besides those `host` resolves to.
    pub addresses: Vec<IpAddr>,
    /// Number shown when the extension has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<Number>,
    /// How numbers are written towards this carrier.
    pub number_format: NumberFormat,
    /// Most calls at once over it.
    pub capacity: u32,
    /// Asked lifetime of a registration, seconds.
    pub register_expiry_s: u32,
    /// In order of preference.
    pub codecs: Vec<Codec>,
    /// Recording of its calls.
    pub record: RecordPolicy,
    /// Minutes a day over it; those of section `[budget]` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Limits>,
}

/// How a carrier knows us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TrunkKind {
    /// By our address; no registration.
    Address,
    /// By REGISTER with digest.
    Register,
}

/// SIP transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// How numbers are written towards a carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberFormat {
    /// As the route made it.
    AsDialled,
    /// `+49…`.
    E164,
    /// `49…`.
    E164NoPlus,
    /// `0049…` abroad, `030…` at home.
    National,
}
