//! One contact's texts and records: how it is shown in a 200, kept on disk, read from the configuration.
use super::{Binding, Contact, NotRegistered, Stamp};
use model::clock::{Now, Wall};
use model::number::Number;
use model::record::BindingRecord;
use sip::{Flow, Uri};
use std::net::SocketAddr;

/// A refresh must be newer than what it refreshes, within one Call-ID.
pub(super) fn in_order(binding: &Binding, stamp: &Stamp) -> Result<(), NotRegistered> {
    match binding.stamp.call_id == stamp.call_id && stamp.cseq <= binding.stamp.cseq {
        true => Err(NotRegistered::OutOfOrder),
        false => Ok(()),
    }
}

/// A fixed contact that names an address.
pub(super) fn fixed(text: &str, local: SocketAddr) -> Option<Contact> {
    let uri = Uri::read(text).ok()?;
    let remote = SocketAddr::new(uri.ip()?, uri.port().unwrap_or(5060));
    let tcp = uri.param("transport").flatten().is_some_and(|t| t.eq_ignore_ascii_case("tcp"));
    let flow = if tcp { Flow::tcp(local, remote) } else { Flow::udp(local, remote) };
    Some(Contact { uri, flow, route: Vec::new() })
}

pub(super) fn shown(now: Now, binding: &Binding) -> String {
    let left = binding.expires.since(now.mono).as_secs();
    format!("<{}>;expires={left}", binding.uri.as_str())
}

pub(super) fn record(extension: &Number, binding: &Binding) -> BindingRecord {
    BindingRecord {
        extension: extension.clone(),
        contact: binding.uri.as_str().to_owned(),
        transport: binding.flow.transport.param().to_owned(),
        address: binding.flow.remote,
        expires: binding.expires_wall,
        call_id: binding.stamp.call_id.clone(),
        cseq: binding.stamp.cseq,
        user_agent: binding.user_agent.clone(),
        path: binding.path.iter().map(|p| p.as_str().to_owned()).collect(),
        digest: binding.stamp.digest,
    }
}

pub(super) fn gone(now: Now, extension: &Number, binding: &Binding) -> BindingRecord {
    BindingRecord { expires: Wall(now.wall.0 - 1), ..record(extension, binding) }
}
