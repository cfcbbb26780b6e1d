//! What mails, webhooks and the console say of each kind of trouble: what it is, and what to do, in both languages. The
//! pages have their own words of the same kinds. Decides nothing.
use crate::media::Language;
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An alarm began.
    Raised,
    /// It ended.
    Cleared,
    /// Somebody tries whether alarms arrive.
    Test,
}

/// Name and advice in English and Chinese.
type Words = [&'static str; 4];

/// Every kind.
pub const KINDS: [(&str, Words); 22] = [
    (
        "backup",
        [
            "No recent backup",
            "Look at the page Backup: the last one failed, or its target is not there.",
            "没有近期备份",
            "请查看“备份”页面：上一次备份失败，或备份目标不可用。",
        ],
    ),
    (
        "budget",
        [
            "Minutes to outside are used up",
            "Look under Settings, Budgets, whose calls they were. If they were no honest calls, change the password of that extension first; else give more minutes.",
            "外线通话时长已用尽",
            "请在“设置 - 话费预算”查看是谁的通话。若非正常通话，请先更改该分机密码；否则可增加时长。",
        ],
    ),
    (
        "certificate",
        [
            "The web's certificate ends soon",
            "Put a new certificate in place, or remove the old one so that the box makes its own.",
            "网页证书即将到期",
            "请更换证书，或删除旧证书让设备自动生成。",
        ],
    ),
    (
        "clock",
        [
            "The clock is not set",
            "Check the time servers and the network: records have wrong times until it is set.",
            "时钟未设置",
            "请检查时间服务器和网络：时钟校正之前，记录的时间不正确。",
        ],
    ),
    (
        "clock_jump",
        [
            "The clock was changed",
            "Calls were not harmed. If nobody set it, check the time servers.",
            "时钟被更改",
            "通话未受影响。若无人更改时间，请检查时间服务器。",
        ],
    ),
    (
        "clock_sync",
        [
            "The clock has no time server",
            "Check the time servers and the network.",
            "时钟没有同步",
            "请检查时间服务器和网络。",
        ],
    ),
    (
        "config",
        [
            "The newest settings cannot be used",
            "Older settings are in force. Look at the page Changes, correct the settings and save them again.",
            "最新的设置无法使用",
            "当前使用较早的设置。请查看“更改记录”页面，更正后重新保存。",
        ],
    ),
    (
        "database",
        [
            "The database cannot be written",
            "Calls go on. Check the disk; nothing new is confirmed until it writes again.",
            "数据库无法写入",
            "通话继续进行。请检查磁盘；恢复写入前不会确认任何新数据。",
        ],
    ),
    (
        "database_damaged",
        [
            "A damaged database was set aside",
            "Settings came back from their copy. Restore a backup for older records, then delete the file.",
            "损坏的数据库已被移开",
            "设置已从副本恢复。如需旧记录，请恢复备份，然后删除该文件。",
        ],
    ),
    (
        "disk_guard",
        [
            "Old recordings are deleted to make room",
            "Use a larger disk or keep recordings for a shorter time.",
            "正在删除旧录音以腾出空间",
            "请使用更大的磁盘，或缩短录音保留时间。",
        ],
    ),
    (
        "disk_room",
        [
            "The disk is nearly full",
            "Delete old recordings or use a larger disk. Calls go on.",
            "磁盘空间不足",
            "请删除旧录音或使用更大的磁盘。通话继续进行。",
        ],
    ),
    (
        "disk_wear",
        [
            "The flash memory is nearly worn out",
            "Make a backup and plan a new storage module.",
            "闪存寿命将尽",
            "请做备份，并准备更换存储模块。",
        ],
    ),
    (
        "load",
        [
            "The processors have too much to do",
            "Look at the number of calls and at what else runs; lower the call limit if it stays.",
            "处理器负载过高",
            "请查看通话数量和其他任务；若持续，请降低通话上限。",
        ],
    ),
    (
        "memory",
        [
            "Memory is running out",
            "Restart the box at a quiet time and tell whoever maintains it.",
            "内存不足",
            "请在空闲时重启设备，并通知维护人员。",
        ],
    ),
    (
        "phones",
        [
            "Phones have lost the box",
            "Check the switch and the network of these phones.",
            "多部话机失去注册",
            "请检查这些话机的交换机和网络。",
        ],
    ),
    (
        "recovery",
        [
            "The data partition cannot be used",
            "The box works from memory and forgets everything at a restart. Replace the storage and restore a backup.",
            "数据分区不可用",
            "设备在内存中运行，重启后数据会丢失。请更换存储并恢复备份。",
        ],
    ),
    (
        "restarts",
        [
            "A part of the box had to be started again",
            "It works again. If this comes back, send the log to whoever maintains the box.",
            "设备的一部分被重新启动",
            "现已恢复工作。若再次发生，请把日志发给维护人员。",
        ],
    ),
    (
        "temperature",
        [
            "The box is too hot",
            "Check its fan, its vents and the room.",
            "设备温度过高",
            "请检查风扇、通风口和机房温度。",
        ],
    ),
    (
        "trunk",
        [
            "A trunk is down or refuses calls",
            "Look at the page Trunks: it names the cause and what to do.",
            "中继线路中断或拒绝呼叫",
            "请查看“中继”页面，其中说明原因和处理办法。",
        ],
    ),
    (
        "update",
        [
            "An update was taken back",
            "The version before runs. Look at the page Update for the cause.",
            "更新已回退",
            "正在运行之前的版本。原因请见“更新”页面。",
        ],
    ),
    (
        "watchdog",
        [
            "The hardware watchdog is not armed",
            "A frozen box would not restart by itself. Restart it; if this stays, have it looked at.",
            "硬件看门狗未启动",
            "设备死机时不会自动重启。请重启设备；若仍未恢复，请送检。",
        ],
    ),
    (
        "watchdog_reset",
        [
            "The box was restarted by its watchdog",
            "It had stopped working. If this comes back, send the log to whoever maintains the box.",
            "设备被看门狗重启",
            "设备曾停止工作。若再次发生，请把日志发给维护人员。",
        ],
    ),
];

/// Name and advice of a kind. One that is not known here is named by its word.
#[must_use]
pub fn of(kind: &str, language: Language) -> (&str, &'static str) {
    match (KINDS.iter().find(|(name, _)| *name == kind), language) {
        (Some((_, words)), Language::En) => (words[0], words[1]),
        (Some((_, words)), Language::Zh) => (words[2], words[3]),
        (None, _) => (kind, ""),
    }
}

/// Subject line.
#[must_use]
pub fn headline(event: Event, kind: &str, subject: &str, site: &str, language: Language) -> String {
    let (name, _) = of(kind, language);
    let which = match (subject.is_empty(), language) {
        (true, _) => String::new(),
        (false, Language::En) => format!(" ({subject})"),
        (false, Language::Zh) => format!("（{subject}）"),
    };
    match (event, language) {
        (Event::Raised, Language::En) => format!("[{site}] Alarm: {name}{which}"),
        (Event::Raised, Language::Zh) => format!("[{site}] 告警：{name}{which}"),
        (Event::Cleared, Language::En) => format!("[{site}] All well again: {name}{which}"),
        (Event::Cleared, Language::Zh) => format!("[{site}] 已恢复：{name}{which}"),
        (Event::Test, Language::En) => format!("[{site}] Test alarm"),
        (Event::Test, Language::Zh) => format!("[{site}] 测试告警"),
    }
}

/// A value with its unit.
#[must_use]
pub fn amount(value: i64, unit: &str, language: Language) -> String {
    let unit = match (unit, language) {
        ("celsius", _) => " °C",
        ("percent", _) => " %",
        ("days", Language::En) => " days",
        ("days", Language::Zh) => " 天",
        ("hours", Language::En) => " hours",
        ("hours", Language::Zh) => " 小时",
        ("seconds", Language::En) => " seconds",
        ("seconds", Language::Zh) => " 秒",
        _ => "",
    };
    format!("{value}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_all_its_words_in_both_languages() {
        for (kind, words) in KINDS {
            assert!(words.iter().all(|w| !w.is_empty()), "{kind}");
            assert!(words[0].is_ascii() && !words[2].is_ascii() && !words[3].is_ascii(), "{kind}");
        }
        let mut names: Vec<_> = KINDS.iter().map(|(name, _)| *name).collect();
        names.dedup();
        assert_eq!(names.len(), KINDS.len());
        assert!(names.is_sorted());
    }

    #[test]
    fn headlines_name_the_site_and_the_thing() {
        let line = headline(Event::Raised, "trunk", "carrier", "Shop", Language::En);
        assert_eq!(line, "[Shop] Alarm: A trunk is down or refuses calls (carrier)");
        assert!(headline(Event::Cleared, "trunk", "carrier", "Shop", Language::Zh).contains("已恢复"));
    }
}
