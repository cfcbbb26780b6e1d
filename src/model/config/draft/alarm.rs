//! Reads `[alarm]` of a draft, with its defaults.
use super::table::Table;
use super::value;
use crate::config::alarm::Alarm;

/// Most mail addresses: an alarm is for a few people; more belong in a mailing list.
const RECIPIENTS: usize = 20;
/// Shortest secret of a person's own choice.
const SECRET_MIN: usize = 16;

pub(super) fn alarm(t: Table<'_>) -> Alarm {
    let alarm = Alarm {
        mail_to: t.list("mail_to", RECIPIENTS, value::email),
        webhook: t.parsed("webhook", web_address),
        webhook_secret: t.parsed("webhook_secret", secret),
        temperature_max_c: t.count("temperature_max_c", 30..=120, 85),
        disk_free_min_percent: t.count("disk_free_min_percent", 1..=90, 10),
        memory_free_min_percent: t.count("memory_free_min_percent", 1..=90, 8),
        load_max_percent: t.count("load_max_percent", 50..=100_000, 400),
        trunk_down_s: t.count("trunk_down_s", 0..=3600, 15),
        phones_lost_max: t.count("phones_lost_max", 1..=5000, 5),
        certificate_min_days: t.count("certificate_min_days", 1..=365, 14),
        backup_age_max_h: t.count("backup_age_max_h", 1..=8760, 48),
    };
    t.done();
    alarm
}

fn secret(text: &str) -> Result<String, String> {
    if text.chars().count() >= SECRET_MIN {
        return Ok(text.to_owned());
    }
    Err(format!(
        "a secret of at least {SECRET_MIN} characters is needed here; leave it out and the box makes one"
    ))
}

/// `https://host[:port]/path`, or `http://` for a receiver on the own network. Names and passwords do not belong in it.
fn web_address(text: &str) -> Result<String, String> {
    let wrong = || {
        Err(format!(
            "\"{text}\" is not a web address; write it like https://alarms.example.com/belfry, without user and password"
        ))
    };
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return wrong();
    };
    let place = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match place.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
        Some((address, port)) => (address, port.strip_prefix(':')),
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let fine_port = port.is_none_or(|p| p.parse::<u16>().is_ok_and(|p| p > 0));
    let fine_text = text.chars().all(|c| c.is_ascii_graphic());
    if fine_port && fine_text && value::host(host).is_ok() { Ok(text.to_owned()) } else { wrong() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses_are_http_with_a_host_and_no_password() {
        for fine in [
            "https://a.example/x?y=1",
            "http://192.0.2.1:8080/",
            "https://[2001:db8::1]:8443/a",
            "http://box",
        ] {
            assert!(web_address(fine).is_ok(), "{fine}");
        }
        for wrong in
            ["ftp://a", "https://", "https://user:secret@host/", "https://a b/", "http://a:0/", "a.example"]
        {
            assert!(web_address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(secret("0123456789abcdef").is_ok());
        assert!(secret("0123456789").is_err());
    }
}
