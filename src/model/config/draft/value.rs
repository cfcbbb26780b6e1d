//! Reads the small texts of a draft: names, numbers, hosts, mail addresses, destinations, music, opening times, dates.
//! Each answers with the value or with a sentence that says what to write instead. Looks at one text only.
use crate::config::flow::Say;
use crate::config::queue::Music;
use crate::config::route::Destination;
use crate::config::system::Voice;
use crate::number::{Mask, Number};

/// A name that others refer to.
pub(super) fn name(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
    if text.chars().count() > 40 {
        return Err(format!("\"{text}\" is too long for a name; use at most 40 characters"));
    }
    match text.chars().find(|&c| !fine(c)) {
        Some(c) => Err(format!("\"{c}\" cannot stand in a name; use letters, digits, space, -, _ and .")),
        None => Ok(text.to_owned()),
    }
}

/// A telephone number.
pub(super) fn number(text: &str) -> Result<Number, String> {
    Number::read(text).ok_or_else(|| {
        format!(
            "\"{text}\" is not a telephone number; use digits, *, # and a leading +, at most {}",
            Number::MAX
        )
    })
}

/// A number that phones inside dial: 2–6 digits.
pub(super) fn internal(text: &str) -> Result<Number, String> {
    let number = number(text)?;
    let digits = number.as_str();
    if (2..=6).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit()) {
        return Ok(number);
    }
    Err(format!("\"{text}\" cannot be an internal number; use 2 to 6 digits"))
}

/// Only digits, at most `max`; nothing is fine.
pub(super) fn digits(text: &str, max: usize) -> Result<String, String> {
    if text.len() <= max && text.chars().all(|c| c.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err(format!("\"{text}\" is not possible here; use at most {max} digits"))
}

/// A number mask.
pub(super) fn mask(text: &str) -> Result<Mask, String> {
    Mask::read(text)
}

/// A host name or address.
pub(super) fn host(text: &str) -> Result<String, String> {
    if text.parse::<std::net::IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    let label = |l: &str| {
        let inner = l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        !l.is_empty() && l.len() <= 63 && inner && !l.starts_with('-') && !l.ends_with('-')
    };
    let dotted_digits = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    if text.len() <= 253 && !dotted_digits && text.trim_end_matches('.').split('.').all(label) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "\"{text}\" is not a host name or address; write it like sip.example.com or 192.0.2.10, without port and without sip:"
    ))
}

/// An IP address.
pub(super) fn address(text: &str) -> Result<std::net::IpAddr, String> {
    text.parse()
        .map_err(|_| format!("\"{text}\" is not an IP address; write it like 192.0.2.10 or 2001:db8::10"))
}

/// A mail address.
pub(super) fn email(text: &str) -> Result<String, String> {
    let fine = text.rsplit_once('@').is_some_and(|(user, domain)| {
        let clean = |c: char| {
            c.is_ascii_graphic() && !matches!(c, '@' | '<' | '>' | '(' | ')' | ',' | ';' | ':' | '"' | '\\')
        };
        !user.is_empty() && user.chars().all(clean) && host(domain).is_ok()
    });
    if fine {
        Ok(text.to_owned())
    } else {
        Err(format!("\"{text}\" is not a mail address; write it like anna@example.com"))
    }
}

/// A fixed contact: `sip:user@host:port`.
pub(super) fn contact(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("sip:").unwrap_or_default();
    let fine =
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | ','));
    let host_part = rest.rsplit('@').next().unwrap_or_default();
    let host_part = host_part.split([';', '?']).next().unwrap_or_default();
    let (name, port) = match host_part.rsplit_once(':') {
        Some((name, port)) if !host_part.ends_with(']') => (name, port),
        _ => (host_part, "5060"),
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    if fine && host(name).is_ok() && port.parse::<u16>().is_ok_and(|p| p > 0) {
        return Ok(text.to_owned());
    }
    Err(format!("\"{text}\" is not a SIP address; write it like sip:door@192.0.2.20:5060"))
}

/// A file below the data folder.
pub(super) fn path(text: &str) -> Result<String, String> {
    let whole = !text.is_empty() && !text.starts_with('/') && !text.contains(['\\', '\0']);
    if whole && text.split('/').all(|part| !part.is_empty() && part != "." && part != "..") {
        return Ok(text.to_owned());
    }
    Err(format!(
        "\"{text}\" is not a file below the data folder; write it like sounds/welcome.wav, without .. and without a leading /"
    ))
}

/// A class of contacts.
pub(super) fn class(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    if text.len() <= 32 && text.chars().all(fine) {
        return Ok(text.to_owned());
    }
    Err(format!("\"{text}\" is not a class of contacts; use small letters, digits, _ and -, e.g. vip"))
}

/// A field of a call in a flow.
pub(crate) fn field(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.');
    if text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(fine) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "\"{text}\" is not a field of a call; use caller, called, digits, contact.name, or a short name in small letters, digits, _ and ."
    ))
}

/// A text in which `{field}` stands for a field of the call.
pub(super) fn template(text: &str) -> Result<String, String> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('{') {
        let (name, next) = after
            .split_once('}')
            .ok_or_else(|| format!("a }} is missing in \"{text}\"; write it like {{caller}}"))?;
        field(name)?;
        rest = next;
    }
    Ok(text.to_owned())
}

/// An address of a service: `http://` or `https://`, with fields of the call in it.
pub(super) fn url(text: &str) -> Result<String, String> {
    service(text, ["https://", "http://"], "https://crm.example.com/by-number?n={caller}")
}

/// An address of an application: `ws://` or `wss://`, with fields of the call in it.
pub(super) fn application(text: &str) -> Result<String, String> {
    service(text, ["wss://", "ws://"], "wss://bot.example.com/calls?n={caller}")
}

fn service(text: &str, schemes: [&str; 2], example: &str) -> Result<String, String> {
    let wrong = || format!("\"{text}\" is not an address; write it like {example}");
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme)).ok_or_else(wrong)?;
    let server = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if server.is_empty() || server.contains(['{', '@']) || text.contains(char::is_whitespace) {
        return Err(wrong());
    }
    template(text)
}

/// A thing to say: the name of a built-in prompt, `file:PATH`, or a field read aloud (`number:FIELD`).
pub(super) fn say(text: &str) -> Result<Say, String> {
    match text.split_once(':') {
        Some(("file", file)) => return path(file).map(Say::File),
        Some(("date", name)) => return field(name).map(Say::Date),
        Some(("digits", name)) => return field(name).map(Say::Digits),
        Some(("number", name)) => return field(name).map(Say::Number),
        Some(("prompt", own)) => return name(own).map(Say::Own),
        Some(_) | None => {}
    }
    let fine =
        !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if fine {
        return Ok(Say::BuiltIn(text.to_owned()));
    }
    Err(format!(
        "\"{text}\" is not a prompt; use the name of a built-in one, like welcome, or file:sounds/welcome.wav, or a field read aloud, like digits:caller"
    ))
}

/// A thing that an application outside says: as [`say`], but no file, and values as well as fields (`number:42`).
pub(crate) fn said(text: &str) -> Result<Say, String> {
    let value = |name: &str| !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_lowercase());
    match text.split_once(':') {
        Some(("file", _)) => {
            Err(format!("\"{text}\" cannot be said; make it a prompt of the site (prompt:NAME)"))
        }
        Some(("date", day)) if value(day) => Ok(Say::Date(day.to_owned())),
        Some(("digits", keys)) if value(keys) => Ok(Say::Digits(keys.to_owned())),
        Some(("number", number)) if value(number) => Ok(Say::Number(number.to_owned())),
        Some(_) | None => say(text),
    }
}

/// Who speaks texts.
pub(super) fn voice(text: &str) -> Result<Voice, String> {
    match text {
        "espeak-ng" => Ok(Voice::Espeak),
        address => url(address).map(Voice::Http).map_err(|_| {
            format!("\"{text}\" is no voice; use espeak-ng, or the address of a service that speaks")
        }),
    }
}

/// The address of a WebSocket.
pub(super) fn socket(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("ws://").or_else(|| text.strip_prefix("wss://"));
    let host = rest.and_then(|r| r.split(['/', '?']).next()).unwrap_or_default();
    let odd =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>' | '\\' | '#' | '@');
    if host.is_empty() || host.starts_with(':') || text.chars().any(odd) {
        return Err(format!(
            "\"{text}\" is no address of a recogniser; write it like ws://10.0.0.5:2700 or wss://speech.example.com/en"
        ));
    }
    Ok(text.to_owned())
}

/// Longest thing that callers say to a menu, characters.
const SPOKEN_MAX: usize = 40;

/// Something that callers say to a menu, in small letters.
pub(super) fn spoken(text: &str) -> Result<String, String> {
    let word = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if word.is_empty() || word.chars().count() > SPOKEN_MAX || !word.chars().any(char::is_alphanumeric) {
        return Err(format!(
            "\"{text}\" cannot be said; write a word or a few, at most {SPOKEN_MAX} characters"
        ));
    }
    Ok(word)
}

/// A music source.
pub(super) fn music(text: &str) -> Result<Music, String> {
    match text.split_once(':') {
        None if text == "builtin" => Ok(Music::BuiltIn),
        Some(("file", file)) => path(file).map(Music::File),
        Some(("alsa", pcm)) if !pcm.is_empty() => Ok(Music::Alsa(pcm.to_owned())),
        _ => Err(format!("\"{text}\" is not a music source; use builtin, file:sounds/music.wav or alsa:PCM")),
    }
}

/// A destination.
pub(super) fn destination(text: &str) -> Result<Destination, String> {
    let help = || {
        format!(
            "\"{text}\" is not a destination; use extension:101, queue:NAME, flow:NAME, voicemail:101, echo, announcement or hang_up"
        )
    };
    match text.split_once(':') {
        None if text == "echo" => Ok(Destination::Echo),
        None if text == "announcement" => Ok(Destination::Announcement),
        None if text == "hang_up" => Ok(Destination::HangUp),
        Some(("extension", n)) => number(n).map(Destination::Extension),
        Some(("voicemail", n)) => number(n).map(Destination::Voicemail),
        Some(("queue", n)) if !n.trim().is_empty() => Ok(Destination::Queue(n.trim().to_owned())),
        Some(("flow", n)) if !n.trim().is_empty() => Ok(Destination::Flow(n.trim().to_owned())),
        _ => Err(help()),
    }
}

/// Opening times of one day, `08:00-12:00 13:00-17:30`, as minutes after midnight.
pub(super) fn spans(text: &str) -> Result<Vec<(u16, u16)>, String> {
    let mut out: Vec<(u16, u16)> = Vec::new();
    for part in text.split([' ', ',']).filter(|p| !p.is_empty()) {
        let span = part.split_once('-').and_then(|(from, to)| Some((clock(from)?, clock(to)?)));
        let Some((from, to)) = span else {
            return Err(format!("\"{part}\" is not a time span; write it like 08:00-12:30"));
        };
        if from >= to {
            return Err(format!(
                "\"{part}\" ends before it begins; split a span over midnight into two days"
            ));
        }
        if out.last().is_some_and(|&(_, end)| from < end) {
            return Err(format!(
                "\"{part}\" overlaps or comes before the span in front of it; write them in order"
            ));
        }
        out.push((from, to));
    }
    Ok(out)
}

fn clock(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |t: &str| {
        (t.len() <= 2 && t.chars().all(|c| c.is_ascii_digit())).then(|| t.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (two(hour)?, two(minute)?);
    (minute < 60 && hour * 60 + minute <= 1440).then_some(hour * 60 + minute)
}

/// A day, `2026-12-24`.
pub(super) fn date(text: &str) -> Result<jiff::civil::Date, String> {
    text.parse().map_err(|_| format!("\"{text}\" is not a day; write it like 2026-12-24"))
}

/// A time zone by its IANA name.
pub(super) fn time_zone(text: &str) -> Result<String, String> {
    match jiff::tz::TimeZone::get(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!(
            "\"{text}\" is not a time zone; use an IANA name like Europe/Berlin or Asia/Shanghai"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_only() {
        for fine in ["sip.example.com", "192.0.2.1", "2001:db8::1", "pbx", "a-b.c"] {
            assert!(host(fine).is_ok(), "{fine}");
        }
        for wrong in ["sip:carrier", "a b", "1.2.3", "1.2.3.4:5060", "-a.com", ""] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn opening_times_are_ordered_and_within_a_day() {
        assert_eq!(spans("08:00-12:00 13:00-17:30"), Ok(vec![(480, 720), (780, 1050)]));
        assert_eq!(spans("00:00-24:00"), Ok(vec![(0, 1440)]));
        for wrong in ["8-12", "12:00-08:00", "08:00-12:00 11:00-13:00", "08:00-24:01", "08:60-09:00"] {
            assert!(spans(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn files_never_leave_the_data_folder() {
        for wrong in ["/etc/passwd", "../x", "a/../../b", "a//b", ""] {
            assert!(path(wrong).is_err(), "{wrong}");
        }
        assert!(path("sounds/welcome.wav").is_ok());
    }

    #[test]
    fn contacts_need_host_and_scheme() {
        for fine in [
            "sip:192.0.2.4",
            "sip:door@192.0.2.4:5062",
            "sip:a@[2001:db8::1]:5060;transport=tcp",
            "sip:a@[::1]",
        ] {
            assert!(contact(fine).is_ok(), "{fine}");
        }
        for wrong in ["door@192.0.2.4", "sip:", "sip:a@host:99999", "sip:a b@host", "tel:123"] {
            assert!(contact(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn destinations_are_read_as_they_are_written() {
        for text in [
            "extension:101",
            "queue:main",
            "flow:welcome",
            "voicemail:101",
            "echo",
            "announcement",
            "hang_up",
        ] {
            assert_eq!(destination(text).expect(text).to_string(), text);
        }
        assert!(
            destination("queue").is_err() && destination("queue:").is_err() && destination("sofa:1").is_err()
        );
    }
}
