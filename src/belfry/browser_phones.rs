//! Phones in browsers put together: the board of the control role, the sessions of the media role, and the port by which
//! the web reaches them. Decides nothing.
use crate::args::RunOptions;
use crate::clock::Clock;
use crate::role::Bond;
use crate::{lifecycle, ports};
use model::config::draft;
use net::browser_phone::{self, BoardConfig, Switch};
use net::rtc::{self, RtcConfig};
use sip::digest::Credentials;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use store::Store;
use tokio::sync::watch;

/// The web's way to them.
pub struct Phones(Switch);

impl web::ports::Phones for Phones {
    fn attach(&self, extension: String, key: String) -> Option<web::ports::PhoneLine> {
        let (line, told) = self.0.attach(extension, key)?;
        Some(web::ports::PhoneLine { ask: Box::new(move |ask| line.ask(ask)), told })
    }
}

/// Starts the control role's half. `sip`: where the engine takes SIP.
///
/// # Errors
/// No socket, no thread, no randomness.
pub fn start(
    options: &RunOptions,
    bond: &Bond,
    sip: SocketAddr,
    clock: Clock,
    store: Arc<Store>,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<Arc<Phones>> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let switch = browser_phone::start(BoardConfig {
        engine: sip,
        rtc: lifecycle::rtc_socket(&options.data),
        accounts: Box::new(move |extension| account(&store, extension)),
        now: Box::new(move || clock.now()),
        seed,
        beat: bond.beat("browser-phones"),
        stop,
    })?;
    Ok(Arc::new(Phones(switch)))
}

/// As whom an extension's phones log in now.
fn account(store: &Store, extension: &str) -> Option<Credentials> {
    let (_, tree) = store.reader().current().ok()??;
    let config = draft::read(&tree).ok()?;
    let found = config.extension.values().find(|e| e.number.as_str() == extension)?;
    Some(Credentials { username: found.user.clone(), password: found.password.clone() })
}

/// Starts the media role's half. Browsers come to the port of HTTPS, over UDP. A box on which something else has that port
/// goes on without phones in browsers: calls do not depend on it.
pub fn start_sessions(options: &RunOptions, bond: &Bond, stop: Arc<AtomicBool>) {
    let given = options.media_address;
    let bind = SocketAddr::new(options.sip.ip(), options.https.port());
    let config = RtcConfig {
        bind,
        socket: lifecycle::rtc_socket(&options.data),
        addresses: Box::new(move || addresses(given)),
        beat: bond.beat("browsers"),
        stop,
    };
    if let Err(error) = rtc::start(config) {
        tracing::error!(
            %error,
            "no phones in browsers: UDP on {bind} cannot be used; stop what uses it or choose another port with --https"
        );
    }
}

/// Where browsers may reach the box: the address given for media first, then those of its interfaces.
fn addresses(given: Option<IpAddr>) -> Vec<IpAddr> {
    given.into_iter().chain(ports::own_addresses()).collect()
}
