//! Section `[alarm]`: who is told when the box is not well, and from where on it is not. Decides nothing.
use serde::Serialize;

/// Whom to tell, and the limits of what is measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alarm {
    /// Mail addresses that hear of every alarm and of its end; needs section `[mail]`.
    pub mail_to: Vec<String>,
    /// Address that gets every alarm as signed JSON, `https://…` or `http://…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// Key of the signature (HMAC-SHA-256) of what the webhook gets; made when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<String>,
    /// Hottest sensor, °C.
    pub temperature_max_c: u32,
    /// Room left on the data partition, percent.
    pub disk_free_min_percent: u32,
    /// Memory left, percent.
    pub memory_free_min_percent: u32,
    /// Work waiting for each processor over a minute, percent: 100 = each is busy all the time.
    pub load_max_percent: u32,
    /// How long a trunk may be down.
    pub trunk_down_s: u32,
    /// Phones that may have lost their registration at the same time.
    pub phones_lost_max: u32,
    /// Days before the end of the web's certificate.
    pub certificate_min_days: u32,
    /// Age of the newest good backup, hours; counts only where backups are scheduled.
    pub backup_age_max_h: u32,
}
