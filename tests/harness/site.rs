//! Pieces of site texts that several tests share.
use super::kamailio::{ACCOUNT, PASSWORD};
use super::lan::Lan;
use std::fmt::Write;

/// A site in Germany with an outside prefix of `0`, and nothing else.
#[must_use]
pub fn head() -> String {
    "[system]\nname = \"Test\"\ncountry = \"DE\"\nlanguage = \"en\"\ntime_zone = \"Europe/Berlin\"\noutside_prefix = \"0\"\n"
        .to_owned()
}

/// A trunk `lines` known by the addresses of hosts 21 to 29, whose calls go to `to`.
#[must_use]
pub fn lines(lan: Lan, to: &str) -> String {
    let addresses: Vec<String> = (21..30).map(|n| format!("\"{}\"", lan.host(n))).collect();
    format!(
        "\n[[trunk]]\nname = \"lines\"\nkind = \"address\"\nhost = \"{}\"\naddresses = [{}]\ncapacity = 200\n\
         \n[[inbound]]\nname = \"all\"\nnumber = \"!\"\nto = \"{to}\"\n",
        lan.host(21),
        addresses.join(", ")
    )
}

/// The trunk `carrier` that registers at Kamailio (host 2), used for every outside number.
#[must_use]
pub fn carrier(lan: Lan) -> String {
    format!(
        "\n[[trunk]]\nname = \"carrier\"\nkind = \"register\"\nhost = \"{}\"\nusername = \"{ACCOUNT}\"\n\
         password = \"{PASSWORD}\"\n\n[[outbound]]\nname = \"all\"\nnumber = \"!\"\ntrunks = [\"carrier\"]\n",
        lan.host(2)
    )
}

/// Static phones `first..first+count` at `host`:5090, each with an agent who is always on.
#[must_use]
pub fn agents(lan: Lan, host: u8, first: u32, count: u32) -> String {
    let mut out = String::new();
    for n in first..first + count {
        let _ = write!(
            out,
            "\n[[extension]]\nnumber = \"{n}\"\nname = \"Agent {n}\"\npassword = \"static-{n}-unused\"\n\
             contact = \"sip:{n}@{}:5090\"\n\n[[agent]]\nid = \"{n}\"\nname = \"Agent {n}\"\nextension = \"{n}\"\n\
             always_on = true\n",
            lan.host(host)
        );
    }
    out
}

/// A queue of the agents `first..first+count` that waits without end.
#[must_use]
pub fn queue(first: u32, count: u32, strategy: &str, record: &str) -> String {
    let ids: Vec<String> = (first..first + count).map(|n| format!("\"{n}\"")).collect();
    format!(
        "\n[[queue]]\nname = \"floor\"\nstrategy = \"{strategy}\"\nagents = [{}]\nmax_wait_s = 0\nmax_waiting = 600\n\
         wrap_up_s = 0\npause_after_misses = 0\noverflow_when_empty = false\noverflow = \"hang_up\"\nrecord = \"{record}\"\n",
        ids.join(", ")
    )
}
