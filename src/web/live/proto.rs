//! Frames of the live socket, JSON text, version 1. `rev` of a subscription grows by one with each `delta`; a page that
//! misses one subscribes again and gets a new `snap`.
use super::topic::Topic;
use serde::Deserialize;
use std::fmt::Write;
use utoipa::ToSchema;

/// Version told in `hello`.
pub const VERSION: u32 = 1;

/// What a page says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ClientFrame {
    /// Still there.
    Ping {
        /// Somebody used the page since the last ping: keeps the session alive.
        #[serde(default)]
        active: bool,
    },
    /// Start watching (again: a new snapshot).
    Sub {
        /// Chosen by the page.
        id: u32,
        /// What.
        topic: Topic,
    },
    /// Stop watching.
    Unsub {
        /// Which.
        id: u32,
    },
}

/// First frame.
#[must_use]
pub fn hello(now_ms: i64) -> String {
    format!(r#"{{"type":"hello","v":{VERSION},"now":{now_ms}}}"#)
}

/// Answer to a ping.
#[must_use]
pub fn pong(now_ms: i64) -> String {
    format!(r#"{{"type":"pong","now":{now_ms}}}"#)
}

/// A subscription is refused.
#[must_use]
pub fn err(id: u32, code: &str) -> String {
    format!(r#"{{"type":"err","id":{id},"code":"{code}"}}"#)
}

/// The last frame.
#[must_use]
pub fn bye(reason: &str) -> String {
    format!(r#"{{"type":"bye","reason":"{reason}"}}"#)
}

/// Everything of a topic.
pub fn snap<'a>(id: u32, rev: u64, now_ms: i64, data: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = format!(r#"{{"type":"snap","id":{id},"rev":{rev},"now":{now_ms},"data":"#);
    object(&mut out, data);
    out.push('}');
    out
}

/// What changed.
pub fn delta<'a>(
    id: u32,
    rev: u64,
    now_ms: i64,
    up: impl Iterator<Item = (&'a str, &'a str)>,
    del: &[String],
) -> String {
    let mut out = format!(r#"{{"type":"delta","id":{id},"rev":{rev},"now":{now_ms},"up":"#);
    object(&mut out, up);
    let _ = write!(out, r#","del":{}}}"#, serde_json::json!(del));
    out
}

fn object<'a>(out: &mut String, items: impl Iterator<Item = (&'a str, &'a str)>) {
    out.push('{');
    for (i, (key, value)) in items.enumerate() {
        let comma = if i == 0 { "" } else { "," };
        let _ = write!(out, "{comma}{}:{value}", serde_json::Value::from(key));
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_json_whatever_the_keys() {
        let text = snap(7, 3, 99, [("a\"b", "{\"x\":1}"), ("c", "null")].into_iter());
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["data"]["a\"b"]["x"], 1);
        assert_eq!(value["rev"], 3);
        let text = delta(7, 4, 99, std::iter::empty(), &["k\\".to_owned()]);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["del"][0], "k\\");
        for text in [hello(1), pong(2), err(1, "forbidden"), bye("signed_out")] {
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_pages_say_is_read() {
        let read = |text| serde_json::from_str::<ClientFrame>(text);
        let sub = ClientFrame::Sub { id: 1, topic: Topic::Calls };
        assert_eq!(read(r#"{"type":"sub","id":1,"topic":"calls"}"#).unwrap(), sub);
        assert_eq!(read(r#"{"type":"ping"}"#).unwrap(), ClientFrame::Ping { active: false });
        assert!(read(r#"{"type":"sub","id":1,"topic":"secrets"}"#).is_err());
        assert!(read(r#"{"type":"sub","id":-1,"topic":"calls"}"#).is_err());
    }
}
