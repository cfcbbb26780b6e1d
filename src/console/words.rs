//! Every text of the console in both languages. A phrase that lacks one does not compile.

/// Language of the menu.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Simplified Chinese; needs a terminal that shows UTF-8.
    Zh,
}

macro_rules! phrases {
    ($($(#[$doc:meta])* $name:ident: $en:literal, $zh:literal;)*) => {
        /// Something the console says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Phrase { $($(#[$doc])* $name,)* }

        impl Phrase {
            /// Its text.
            #[must_use]
            pub fn text(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Phrase::$name, Language::En) => $en, (Phrase::$name, Language::Zh) => $zh,)*
                }
            }

            /// All of them, for tests.
            #[cfg(test)]
            pub const ALL: &'static [Phrase] = &[$(Phrase::$name,)*];
        }
    };
}

phrases! {
    Addresses: "Addresses", "地址";
    AdminAt: "Administration", "管理页面";
    AdminName: "Administrator's name: ", "管理员名称：";
    Again: "The same again: ", "再输入一次：";
    AllWell: "all well", "一切正常";
    Answer: "Type a number and press Enter.", "输入数字后按回车。";
    Away: "Signed out after five minutes without a key.", "五分钟无操作，已退出登录。";
    Back: "Enter: back", "回车：返回";
    Calls: "Calls", "通话";
    CaptureFile: "Download the file for Wireshark on the page Capture.", "请在“抓包”页面下载 Wireshark 文件。";
    CaptureMessages: "SIP messages kept", "已保留的 SIP 消息";
    CaptureRests: "No capture runs", "当前没有抓包";
    CaptureRuns: "Capturing until", "抓包结束时间";
    CaptureWords: "Type: capture 60, capture stop, capture forget, or capture alone.", "请输入：capture 60、capture stop、capture forget，或只输入 capture。";
    ClockWords: "Type the present time like: clock 2026-11-22 16:05:00", "请输入当前时间，例如：clock 2026-11-22 16:05:00";
    CommandHint: "Type help for the verbs, leave to go back to the menu.", "输入 help 查看命令，输入 leave 返回菜单。";
    CommandLine: "Command line: every setting, network, clock", "命令行：所有设置、网络、时钟";
    Configured: "configured", "已配置";
    DiskFree: "Disk free", "磁盘剩余";
    Done: "Done.", "完成。";
    Down: "The box does not answer: ", "设备没有响应：";
    FollowHint: "Shows new lines as they come. Enter: back", "实时显示新记录。回车：返回";
    Generation: "Configuration version", "配置版本";
    Health: "Health", "健康状态";
    Leave: "Leave", "退出";
    Log: "Event log", "事件记录";
    Login: "Sign in as an administrator.", "请以管理员身份登录。";
    Media: "Media process", "媒体进程";
    MediaDown: "DOWN", "已停止";
    More: "Enter: next page   0: back", "回车：下一页   0：返回";
    Name: "Name: ", "名称：";
    Network: "Network", "网络";
    NewPassword: "New password (at least 10 characters): ", "新密码（至少 10 个字符）：";
    NoVerb: "There is no such verb, or a word is missing. Type help.", "没有这个命令或缺少参数。请输入 help。";
    NoAddresses: "No network address: check the cable.", "没有网络地址：请检查网线。";
    NoBundles: "There is no update file (.raucb) on the stick.", "U 盘中没有更新文件（.raucb）。";
    NoCalls: "Nobody is talking.", "当前没有通话。";
    NoEvents: "Nothing has happened yet.", "还没有任何事件。";
    NoPhones: "No phone is registered.", "没有已注册的话机。";
    NoField: "No field begins so. Type schema alone for all of them.", "没有以此开头的字段。输入 schema 查看全部字段。";
    NoTrial: "No network change is on trial.", "没有试用中的网络更改。";
    NoTrunks: "No trunk is configured.", "没有配置中继。";
    NotAdmin: "This user is no administrator.", "该用户不是管理员。";
    NotSame: "The two are not the same. Nothing was changed.", "两次输入不一致，未作更改。";
    NotUnderstood: "There is no such choice.", "没有这个选项。";
    Of: "of", "/";
    Others: "Other language: 中文", "其他语言：English";
    Password: "Password: ", "密码：";
    PasswordSet: "The password is set.", "密码已设置。";
    Phones: "Phones", "话机";
    Refused: "Refused: ", "被拒绝：";
    Registered: "registered", "已注册";
    SetWords: "Type paths and values in turn: set network.vlan 42", "请依次输入路径和值：set network.vlan 42";
    SetPassword: "Set an administrator's password", "设置管理员密码";
    SetupCode: "Set-up code", "初始设置码";
    SetupDone: "The set-up is done; there is no code any more.", "初始设置已完成，设置码不再有效。";
    SetupNeeded: "Not set up yet: open the administration and type the set-up code.", "尚未完成初始设置：请打开管理页面并输入设置码。";
    Sip: "Phones register at", "话机注册地址";
    Status: "Status", "状态";
    TooMany: "Three wrong tries. Wait half a minute.", "连续三次错误，请等待半分钟。";
    Trunks: "Trunks", "中继";
    Up: "up", "正常";
    UpdateBegun: "Copying and checking; type update to see how far it is.", "正在复制和检查；输入 update 查看进度。";
    UpdateFound: "Ready to be installed", "可以安装";
    UpdateWaiting: "Starts at next restart", "下次重启时生效";
    UpdateWork: "At work", "正在进行";
    Uptime: "Running for", "运行时间";
    VerbAdd: "adds an item, a rule or a text", "添加一项、一条规则或一段文字";
    VerbBack: "takes a network change back now", "立即撤回网络更改";
    VerbBackup: "saves the site now, as configured", "按配置立即备份站点";
    VerbCapture: "copies SIP messages; alone: shows them", "抓取 SIP 消息；不带参数则显示";
    VerbClock: "sets the clock, in the site's time zone", "按站点时区设置时钟";
    VerbDelete: "takes away; --cascade with its users", "删除；--cascade 连同使用者";
    VerbExport: "the whole site as text", "以文本显示整个站点";
    VerbHelp: "this", "显示此帮助";
    VerbInstall: "installs what update found whole", "安装已检查的更新";
    VerbKeep: "keeps a network change on trial", "保留试用中的网络更改";
    VerbLeave: "back to the menu", "返回菜单";
    VerbNetwork: "how the box stands on the network", "查看网络状态";
    VerbRestart: "restarts; later takes a wish back", "重新启动；later 取消等待中的重启";
    VerbReset: "removes everything; starts as new", "删除所有内容并恢复出厂状态";
    VerbSchema: "fields, and what may stand in them", "字段及允许的取值";
    VerbSet: "sets fields, all at once", "一次设置一个或多个字段";
    VerbShow: "shows a setting, or all", "显示一个或全部设置";
    VerbUpdate: "takes a file from the stick; alone: shows", "从 U 盘读取更新；不带参数则显示状态";
    VerbUsb: "update files on the USB stick", "查看 U 盘中的更新文件";
    Version: "Version", "版本";
    Wrong: "Wrong name or password.", "名称或密码错误。";
}

/// A trunk's cause in words: what is wrong and what to do.
#[must_use]
pub fn cause(word: &str, language: Language) -> Option<&'static str> {
    let (en, zh) = match word {
        "registered" => ("registered at the carrier", "已在运营商注册"),
        "answers_options" => ("the carrier answers", "运营商有响应"),
        "wrong_password" => ("wrong user name or password: check both", "用户名或密码错误：请核对"),
        "forbidden" => ("the carrier forbids it: ask them", "运营商禁止：请联系运营商"),
        "no_answer" => ("no answer: check address, port, firewall", "无响应：请检查地址、端口和防火墙"),
        "name_unknown" => ("host name unknown: check spelling and DNS", "主机名无法解析：请检查拼写和 DNS"),
        "refused" => ("refused by the carrier", "被运营商拒绝"),
        "calls_password" => ("calls refused: check name, password", "呼叫被拒绝：请核对用户名和密码"),
        "calls_forbidden" => ("calls forbidden: check shown number", "呼叫被禁止：请检查主叫号码"),
        "silent" => ("a call got no answer: being asked", "呼叫无应答：正在询问"),
        "starting" => ("just starting", "正在启动"),
        _ => return None,
    };
    Some(match language {
        Language::En => en,
        Language::Zh => zh,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_has_both_languages_and_fits() {
        for phrase in Phrase::ALL {
            for language in [Language::En, Language::Zh] {
                let text = phrase.text(language);
                assert!(!text.is_empty() && crate::screen::width(text) < 79, "{phrase:?}");
            }
        }
    }
}
