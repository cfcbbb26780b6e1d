//! How a carrier is reached and what our requests to it look like.
use super::State;
use model::config::trunk::{Transport, Trunk};
use sip::digest::Credentials;
use sip::endpoint::RequestOut;
use sip::indication::ClientId;
use sip::{Flow, Method, NameAddr, Uri};
use std::net::SocketAddr;

/// A REGISTER or OPTIONS to a carrier; `None` while its address is not known.
pub(super) fn request(local: SocketAddr, state: &State, id: ClientId, method: Method) -> Option<RequestOut> {
    let flow = flow(local, state)?;
    let trunk = &state.trunk;
    let domain = trunk.domain.as_deref().unwrap_or(&trunk.host);
    let port = (trunk.domain.is_none() && trunk.port != 5060).then_some(trunk.port);
    let target = Uri::sip(None, domain, port).ok()?;
    let account = Uri::sip(trunk.username.as_deref(), domain, None).ok()?;
    let register = method == Method::Register;
    let to = if register { account.clone() } else { target.clone() };
    Some(RequestOut {
        id,
        method,
        target,
        flow,
        route: Vec::new(),
        from: NameAddr::new(account),
        to: NameAddr::new(to),
        call_id: register.then(|| state.call_id.clone()),
        cseq: register.then_some(state.cseq),
        contact: Some(NameAddr::new(contact(local, trunk))),
        headers: if register { vec![("Expires".into(), state.expires_s.to_string())] } else { Vec::new() },
        content_type: String::new(),
        body: Vec::new(),
        credentials: credentials(trunk),
    })
}

fn contact(local: SocketAddr, trunk: &Trunk) -> Uri {
    let uri = Uri::at(trunk.username.as_deref(), local);
    match trunk.transport {
        Transport::Tcp => uri.with_param("transport", Some("tcp")),
        Transport::Udp => uri,
    }
}

/// Next hop of requests to a carrier; `None` while its address is not known.
pub(super) fn flow(local: SocketAddr, state: &State) -> Option<Flow> {
    let remote = SocketAddr::new(*state.addresses.first()?, state.trunk.port);
    Some(match state.trunk.transport {
        Transport::Tcp => Flow::tcp(local, remote),
        Transport::Udp => Flow::udp(local, remote),
    })
}

/// Our account there.
pub(super) fn credentials(trunk: &Trunk) -> Option<Credentials> {
    let username = trunk.auth_username.clone().or_else(|| trunk.username.clone())?;
    Some(Credentials { username, password: trunk.password.clone()? })
}

/// Whether a trunk need not be registered or looked up again.
pub(super) fn same_way(a: &Trunk, b: &Trunk) -> bool {
    let way = |t: &Trunk| {
        (
            t.kind,
            t.host.clone(),
            t.port,
            t.transport,
            t.domain.clone(),
            t.username.clone(),
            t.auth_username.clone(),
            t.password.clone(),
            t.register_expiry_s,
        )
    };
    way(a) == way(b)
}
