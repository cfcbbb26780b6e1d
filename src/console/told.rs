//! What the box tells in words of its own (events, levels, states, stages), in the language of the reader. English readers
//! get the box's own sentence, which says more; a word that is not known here is shown as it is.
use crate::words::Language;

/// A line of the event log.
#[must_use]
pub fn event(kind: &str, subject: &str, text: &str, language: Language) -> String {
    match (language, chinese_event(kind)) {
        (Language::Zh, Some(sentence)) => sentence.replace("{s}", subject),
        (Language::En | Language::Zh, _) => text.to_owned(),
    }
}

/// A level, a state of a trunk or a stage of a call.
#[must_use]
pub fn word(word: &str, language: Language) -> &str {
    match language {
        Language::En => word,
        Language::Zh => chinese_word(word).unwrap_or(word),
    }
}

fn chinese_event(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "backup_alarm" => "没有近期备份",
        "backup_failed" => "站点备份失败",
        "backup_good" => "站点已备份并通过验证",
        "backup_well" => "备份恢复正常",
        "ban" => "{s} 被封禁",
        "campaign_fault" => "外呼活动 {s} 的节奏模块故障，座席先看到条目再拨号",
        "campaign_form" => "外呼活动 {s} 改变了工作方式",
        "capture_started" => "{s} 开始抓取 SIP 消息",
        "capture_taken" => "{s} 下载了抓取的 SIP 消息",
        "budget_alarm" => "外线通话时长已用尽",
        "budget_near" => "{s} 的外线通话时长即将用尽",
        "budget_reset" => "{s} 的外线通话时长已恢复",
        "budget_spent" => "{s} 的外线通话时长已用尽",
        "budget_well" => "外线通话时长恢复可用",
        "certificate_alarm" => "网页证书即将到期",
        "certificate_well" => "网页证书恢复正常",
        "circle" => "某一步骤未能完成，已放弃",
        "clock_alarm" => "时钟未设置",
        "clock_found" => "时钟已校准，通话时间已更正",
        "clock_jump_alarm" => "时钟被更改",
        "clock_jump_well" => "时钟恢复稳定",
        "clock_sync_alarm" => "无法连接时间服务器",
        "clock_sync_well" => "时间服务器恢复正常",
        "clock_unknown" => "时钟为空或有误",
        "clock_well" => "时钟已设置",
        "config_alarm" => "最新的设置无法使用",
        "config_newer" => "仅新版本支持的设置未生效；它们保存在版本 {s} 中",
        "config_well" => "设置恢复生效",
        "database_damaged_alarm" => "损坏的数据库已被移开",
        "database_damaged_well" => "损坏的数据库文件已删除",
        "disk_failed" => "磁盘无法写入",
        "disk_filling" => "磁盘即将写满",
        "disk_full" => "磁盘已满，且没有可删除的录音",
        "disk_guard_alarm" => "正在删除旧录音以腾出空间",
        "disk_guard_well" => "录音空间恢复正常",
        "disk_ok" => "磁盘恢复写入",
        "disk_room" => "磁盘空间恢复",
        "disk_room_alarm" => "磁盘空间不足",
        "disk_room_well" => "磁盘空间恢复正常",
        "disk_wear_alarm" => "闪存寿命将尽",
        "disk_wear_well" => "闪存正常",
        "emergency_call" => "{s} 拨打了紧急电话",
        "emergency_room" => "中继 {s} 上的一路通话为紧急呼叫让路",
        "fault" => "设备故障导致一路通话结束",
        "guesses" => "{s} 出现密码错误，该处有话机注册",
        "hot_desk" => "话机 {s} 的登录人员",
        "late_answer" => "坐席 {s} 在振铃结束后才接听",
        "load_alarm" => "处理器负载过高",
        "load_well" => "处理器负载恢复正常",
        "md5_refused" => "分机 {s} 的话机只支持 MD5 验证，已被拒绝",
        "media" => "音频进程出现问题",
        "media_restarted" => "音频进程已重新启动",
        "memory_alarm" => "内存不足",
        "memory_well" => "内存恢复正常",
        "network_taken_back" => "网络设置未确认，已恢复原设置",
        "other_name" => "有话机请求“{s}”，这不是本设备的名称",
        "pause_over" => "{s} 未就绪时间超限",
        "phones_alarm" => "多部话机失去注册",
        "phones_well" => "话机恢复注册",
        "queue_order" => "队列 {s} 的等待顺序被调整",
        "recordings_deleted" => "磁盘已满：最早的录音已删除",
        "recordings_old" => "过期录音已删除",
        "recovery_alarm" => "数据分区不可用",
        "recovery_well" => "数据分区恢复正常",
        "restarts_alarm" => "设备的一部分被重新启动",
        "restarts_well" => "设备各部分稳定运行",
        "supervision" => "主管监听或介入通话",
        "temperature_alarm" => "设备温度过高",
        "temperature_well" => "设备温度恢复正常",
        "trunk_down" => "中继 {s} 中断",
        "trunk_refuses" => "中继 {s} 拒绝呼出通话",
        "trunk_up" => "中继 {s} 恢复正常",
        "update_alarm" => "更新已回退",
        "update_well" => "更新正常",
        "voicemail_listened" => "有人收听了信箱 {s} 的留言",
        "watchdog_alarm" => "硬件看门狗未启动",
        "watchdog_reset_alarm" => "设备被看门狗重启",
        "watchdog_reset_well" => "此后设备稳定运行",
        "watchdog_well" => "硬件看门狗恢复启动",
        "update" => "设备系统",
        _ => return None,
    })
}

fn chinese_word(word: &str) -> Option<&'static str> {
    Some(match word {
        "info" => "信息",
        "warning" => "警告",
        "alarm" => "告警",
        "up" => "正常",
        "down" => "中断",
        "refusing" => "拒绝呼叫",
        "trying" => "尝试中",
        "routing" => "选路中",
        "ivr" => "语音菜单",
        "queued" => "排队中",
        "offering" => "坐席振铃",
        "ringing" => "振铃中",
        "bridged" => "通话中",
        "held" => "保持中",
        "voicemail" => "留言中",
        "service" => "服务号码",
        "clearing" => "结束中",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_in_the_language_of_the_reader_and_unknown_ones_as_the_box_wrote_them() {
        let told = |kind, language| event(kind, "carrier", "trunk carrier is down: 403", language);
        assert_eq!(told("trunk_down", Language::Zh), "中继 carrier 中断");
        assert_eq!(told("trunk_down", Language::En), "trunk carrier is down: 403");
        assert_eq!(told("of tomorrow", Language::Zh), "trunk carrier is down: 403");
        assert_eq!((word("bridged", Language::Zh), word("bridged", Language::En)), ("通话中", "bridged"));
    }
}
