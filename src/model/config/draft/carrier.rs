//! Reads `[[trunk]]`, `[[inbound]]` and `[[outbound]]` of a draft, with their defaults.
use super::people::record;
use super::site::{LANGUAGES, port};
use super::table::Table;
use super::value;
use crate::config::route::{Destination, Inbound, Outbound};
use crate::config::trunk::{NumberFormat, Transport, Trunk, TrunkKind};
use crate::media::Codec;
use crate::number::Mask;

const KINDS: [(&str, TrunkKind); 2] = [("address", TrunkKind::Address), ("register", TrunkKind::Register)];

const TRANSPORTS: [(&str, Transport); 2] = [("tcp", Transport::Tcp), ("udp", Transport::Udp)];

const FORMATS: [(&str, NumberFormat); 4] = [
    ("as_dialled", NumberFormat::AsDialled),
    ("e164", NumberFormat::E164),
    ("e164_no_plus", NumberFormat::E164NoPlus),
    ("national", NumberFormat::National),
];

pub(super) fn trunk(t: Table<'_>) -> Trunk {
    let username = t.text("username");
    let usual = if username.is_some() { TrunkKind::Register } else { TrunkKind::Address };
    let trunk = Trunk {
        name: t.name("name"),
        kind: t.choice("kind", &KINDS).unwrap_or(usual),
        host: t.parsed_needed("host", "name the carrier's SIP server", value::host).unwrap_or_default(),
        port: port(&t, 5060),
        transport: t.choice("transport", &TRANSPORTS).unwrap_or(Transport::Udp),
        domain: t.parsed("domain", value::host),
        username,
        auth_username: t.text("auth_username"),
        password: t.text("password"),
        addresses: t.list("addresses", 64, value::address),
        caller_id: t.number("caller_id"),
        number_format: t.choice("number_format", &FORMATS).unwrap_or(NumberFormat::E164),
        capacity: t.count("capacity", 1..=5000, 30),
        register_expiry_s: t.count("register_expiry_s", 60..=86_400, 600),
        codecs: codecs(&t),
        record: record(&t),
        budget: super::budget::own(&t),
    };
    if trunk.kind == TrunkKind::Register {
        for (field, value) in [("username", &trunk.username), ("password", &trunk.password)] {
            if value.is_none() {
                t.missing(field, "a trunk of kind \"register\" needs the account of the carrier");
            }
        }
    }
    t.done();
    trunk
}

fn codecs(t: &Table<'_>) -> Vec<Codec> {
    let read = |text: &str| match text {
        "pcma" => Ok(Codec::Pcma),
        "pcmu" => Ok(Codec::Pcmu),
        _ => Err(format!("\"{text}\" is not a codec of this box; use \"pcma\" and \"pcmu\"")),
    };
    let codecs = t.list("codecs", 8, read);
    if t.value("codecs").is_none() {
        return vec![Codec::Pcma, Codec::Pcmu];
    }
    let typed = t.value("codecs").and_then(|v| v.as_array()).map_or(0, Vec::len);
    let twice = codecs.iter().enumerate().any(|(i, c)| codecs[..i].contains(c));
    if typed == 0 || twice {
        let message = "a trunk needs each codec once and at least one; write e.g. [\"pcma\", \"pcmu\"]";
        t.problem("codecs", "wrong_list", message);
    }
    codecs
}

pub(super) fn inbound(t: Table<'_>) -> Inbound {
    let everything = || Mask::read("!").expect("! is a mask");
    let number = t.parsed("number", value::mask).unwrap_or_else(everything);
    let inbound = Inbound {
        name: t.text("name").unwrap_or_else(|| number.as_str().to_owned()),
        trunk: t.text("trunk"),
        class: t.parsed("class", value::class),
        caller: t.parsed("caller", value::mask),
        schedule: t.text("schedule"),
        language: t.choice("language", &LANGUAGES),
        to: destination(&t, "to", "say who gets the call, e.g. to = \"queue:main\""),
        number,
    };
    t.done();
    inbound
}

/// A destination that cannot be left out.
pub(super) fn destination(t: &Table<'_>, field: &'static str, remedy: &str) -> Destination {
    t.parsed_needed(field, remedy, value::destination).unwrap_or(Destination::HangUp)
}

pub(super) fn outbound(t: Table<'_>) -> Outbound {
    let remedy = "say which numbers it carries, e.g. number = \"!\" for all";
    let number = t.parsed_needed("number", remedy, value::mask);
    let number = number.unwrap_or_else(|| Mask::read("!").expect("! is a mask"));
    let outbound = Outbound {
        name: t.text("name").unwrap_or_else(|| number.as_str().to_owned()),
        strip: t.count("strip", 0..=20, 0),
        prepend: t.parsed("prepend", prepend).unwrap_or_default(),
        trunks: t.list("trunks", 16, value::name),
        transit: t.flag("transit", false),
        number,
    };
    if t.value("trunks").and_then(|v| v.as_array()).is_none_or(Vec::is_empty) {
        t.missing("trunks", "name at least one trunk, e.g. trunks = [\"carrier\"]");
    }
    t.done();
    outbound
}

fn prepend(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix('+').unwrap_or(text);
    if text.len() <= 20 && rest.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '#')) {
        return Ok(text.to_owned());
    }
    Err(format!("\"{text}\" cannot stand before a number; use digits, *, # and a leading +"))
}
