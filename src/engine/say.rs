//! What is spoken of numbers, digits, dates and times, as names of prompts in the order of words of each language. English
//! as in the United States with a 12-hour clock; Mandarin with the measure and the choice of 二 and 两 that people use. Pure
//! tables; decides nothing else, plays nothing.
use model::media::{Language, Sound};

/// Largest number that is spoken as a number; larger ones are spoken digit by digit.
pub const NUMBER_MAX: u32 = 9_999;

/// Prompts as sounds of one language.
#[must_use]
pub fn sounds(language: Language, names: Vec<String>) -> Vec<Sound> {
    names.into_iter().map(|name| Sound::Prompt { language, name }).collect()
}

/// A count, 0..=9999: "one hundred twenty three", 一百二十三.
#[must_use]
pub fn number(language: Language, n: u32) -> Vec<String> {
    if n > NUMBER_MAX {
        return digits(&n.to_string());
    }
    match language {
        Language::En => english(n),
        Language::Zh => mandarin(n),
    }
}

/// A count of things, before a measure word: as [`number`], but two is 两 in Mandarin.
#[must_use]
pub fn count(language: Language, n: u32) -> Vec<String> {
    match (language, n) {
        (Language::Zh, 2) => vec!["num-liang".into()],
        (Language::En | Language::Zh, _) => number(language, n),
    }
}

/// Each key by itself: an extension, a telephone number. Other characters than `0-9 * # +` are left out.
#[must_use]
pub fn digits(text: &str) -> Vec<String> {
    text.chars()
        .filter_map(|c| match c {
            '0'..='9' => Some(format!("digit-{c}")),
            '*' => Some("digit-star".into()),
            '#' => Some("digit-pound".into()),
            '+' => Some("digit-plus".into()),
            _ => None,
        })
        .collect()
}

/// The measure after a position in a queue: none in English, 位 in Mandarin.
#[must_use]
pub fn after_position(language: Language) -> Vec<String> {
    match language {
        Language::En => Vec::new(),
        Language::Zh => vec!["queue-position-after".into()],
    }
}

/// A moment: "Monday, March fifth, at two thirty p m"; 三月五日星期一下午两点三十分. With `today`, the day is "today" or
/// "yesterday" where it is.
#[must_use]
pub fn moment(language: Language, at: jiff::civil::DateTime, today: jiff::civil::Date) -> Vec<String> {
    let mut names = day(language, at.date(), today);
    names.extend(time(language, at.time()));
    names
}

/// A day, as in [`moment`].
#[must_use]
pub fn day(language: Language, date: jiff::civil::Date, today: jiff::civil::Date) -> Vec<String> {
    if date == today {
        return vec!["today".into()];
    }
    if today.yesterday().is_ok_and(|yesterday| yesterday == date) {
        return vec!["yesterday".into()];
    }
    let weekday = format!("day-{}", date.weekday().to_monday_zero_offset() + 1);
    let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
    match language {
        Language::En => vec![weekday, format!("month-{month}"), format!("ordinal-{day}")],
        Language::Zh => {
            let mut names = vec![format!("month-{month}")];
            names.extend(number(language, day.into()));
            names.push("date-day".into());
            names.push(weekday);
            names
        }
    }
}

/// A time of day.
#[must_use]
pub fn time(language: Language, at: jiff::civil::Time) -> Vec<String> {
    let (hour, minute) = (at.hour().unsigned_abs(), at.minute().unsigned_abs());
    let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
    match language {
        Language::En => english_time(hour, twelve, minute),
        Language::Zh => mandarin_time(hour, twelve, minute),
    }
}

fn english_time(hour: u8, twelve: u8, minute: u8) -> Vec<String> {
    let mut names = vec!["time-at".to_owned()];
    names.extend(english(twelve.into()));
    match minute {
        0 => {}
        1..=9 => names.extend(["digit-oh".to_owned(), format!("num-{minute}")]),
        _ => names.extend(english(minute.into())),
    }
    names.push(if hour < 12 { "time-am" } else { "time-pm" }.to_owned());
    names
}

fn mandarin_time(hour: u8, twelve: u8, minute: u8) -> Vec<String> {
    let part = match hour {
        0..=5 => "time-early",
        6..=11 => "time-am",
        12 => "time-noon",
        13..=17 => "time-pm",
        _ => "time-evening",
    };
    let shown = if hour == 0 { 0 } else { twelve };
    let mut names = vec![part.to_owned()];
    names.extend(count(Language::Zh, shown.into()));
    names.push("time-hour".into());
    match minute {
        0 => names.push("time-sharp".into()),
        1..=9 => names.extend(["num-0".to_owned(), format!("num-{minute}"), "time-minute".into()]),
        _ => {
            names.extend(mandarin(minute.into()));
            names.push("time-minute".into());
        }
    }
    names
}

/// `num-0`…`num-20`, `num-30`…`num-90`, `num-hundred`, `num-thousand`.
fn english(n: u32) -> Vec<String> {
    let mut names = Vec::new();
    let (thousands, hundreds, rest) = (n / 1000, n / 100 % 10, n % 100);
    if thousands > 0 {
        names.extend([format!("num-{thousands}"), "num-thousand".into()]);
    }
    if hundreds > 0 {
        names.extend([format!("num-{hundreds}"), "num-hundred".into()]);
    }
    match rest {
        0 if n > 0 => {}
        0..=20 => names.push(format!("num-{rest}")),
        _ => {
            names.push(format!("num-{}", rest / 10 * 10));
            if rest % 10 > 0 {
                names.push(format!("num-{}", rest % 10));
            }
        }
    }
    names
}

/// `num-0`…`num-10`, `num-liang`, `num-hundred`, `num-thousand`: 十二 but 一百一十二; 一百零二; 一千零二十; 两千, 两百, 二十.
fn mandarin(n: u32) -> Vec<String> {
    if n == 0 {
        return vec!["num-0".into()];
    }
    let mut names: Vec<String> = Vec::new();
    let mut gap = false;
    for (unit, word) in
        [(1000, Some("num-thousand")), (100, Some("num-hundred")), (10, Some("num-10")), (1, None)]
    {
        let digit = n / unit % 10;
        if digit == 0 {
            gap = !names.is_empty();
            continue;
        }
        if gap {
            names.push("num-0".into());
            gap = false;
        }
        match (unit, digit) {
            (10, 1) if names.is_empty() => {}
            (100 | 1000, 2) => names.push("num-liang".into()),
            _ => names.push(format!("num-{digit}")),
        }
        names.extend(word.map(str::to_owned));
    }
    names
}

/// Every prompt name this file can ask for in a language.
#[must_use]
pub fn vocabulary(language: Language) -> Vec<String> {
    let named = |prefix: &str, range: std::ops::RangeInclusive<u32>| -> Vec<String> {
        range.map(|n| format!("{prefix}-{n}")).collect()
    };
    let mut names = named("digit", 0..=9);
    names.extend(["digit-star", "digit-pound", "digit-plus"].map(str::to_owned));
    names.extend(
        ["num-hundred", "num-thousand", "today", "yesterday", "time-am", "time-pm"].map(str::to_owned),
    );
    names.extend(named("day", 1..=7));
    names.extend(named("month", 1..=12));
    match language {
        Language::En => {
            names.extend(named("num", 0..=20));
            names.extend((3..=9).map(|tens| format!("num-{}", tens * 10)));
            names.extend(named("ordinal", 1..=31));
            names.extend(["digit-oh", "time-at"].map(str::to_owned));
        }
        Language::Zh => {
            names.extend(named("num", 0..=10));
            let only = ["num-liang", "date-day", "time-early", "time-noon", "time-evening", "time-hour"];
            names.extend(only.map(str::to_owned));
            names.extend(["time-sharp", "time-minute", "queue-position-after"].map(str::to_owned));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time as clock};
    use std::collections::BTreeSet;

    /// Prompt names as the words they stand for, so that the tables below read like speech.
    fn spoken(language: Language, names: &[String]) -> String {
        let zh = [
            ("num-0", "零"),
            ("num-liang", "两"),
            ("num-10", "十"),
            ("num-hundred", "百"),
            ("num-thousand", "千"),
            ("date-day", "日"),
            ("time-early", "凌晨"),
            ("time-am", "上午"),
            ("time-noon", "中午"),
            ("time-pm", "下午"),
            ("time-evening", "晚上"),
            ("time-hour", "点"),
            ("time-sharp", "整"),
            ("time-minute", "分"),
            ("today", "今天"),
            ("yesterday", "昨天"),
            ("day-1", "星期一"),
            ("month-3", "三月"),
        ];
        let figures = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
        names
            .iter()
            .map(|name| match language {
                Language::En => name.trim_start_matches("num-").to_owned() + " ",
                Language::Zh => zh.iter().find(|(n, _)| n == name).map_or_else(
                    || {
                        let digit: usize = name.trim_start_matches("num-").parse().expect("a figure");
                        figures[digit].to_owned()
                    },
                    |(_, word)| (*word).to_owned(),
                ),
            })
            .collect::<String>()
            .trim()
            .to_owned()
    }

    #[test]
    fn mandarin_numbers_are_read_as_people_read_them() {
        let table = [
            (0, "零"),
            (2, "二"),
            (10, "十"),
            (12, "十二"),
            (20, "二十"),
            (22, "二十二"),
            (100, "一百"),
            (101, "一百零一"),
            (110, "一百一十"),
            (112, "一百一十二"),
            (200, "两百"),
            (222, "两百二十二"),
            (1000, "一千"),
            (1002, "一千零二"),
            (1010, "一千零一十"),
            (1020, "一千零二十"),
            (1100, "一千一百"),
            (2002, "两千零二"),
            (2020, "两千零二十"),
            (2200, "两千两百"),
            (9999, "九千九百九十九"),
        ];
        for (n, words) in table {
            assert_eq!(spoken(Language::Zh, &number(Language::Zh, n)), words, "{n}");
        }
        assert_eq!(spoken(Language::Zh, &count(Language::Zh, 2)), "两");
        assert_eq!(spoken(Language::Zh, &count(Language::Zh, 12)), "十二");
    }

    #[test]
    fn english_numbers_are_read_as_people_read_them() {
        let table = [
            (0, "0"),
            (7, "7"),
            (20, "20"),
            (21, "20 1"),
            (40, "40"),
            (100, "1 hundred"),
            (115, "1 hundred 15"),
            (1002, "1 thousand 2"),
            (9999, "9 thousand 9 hundred 90 9"),
        ];
        for (n, words) in table {
            assert_eq!(spoken(Language::En, &number(Language::En, n)), words, "{n}");
        }
        assert_eq!(number(Language::En, 10_000).len(), 5, "larger ones digit by digit");
    }

    #[test]
    fn times_of_day_have_their_words() {
        let table = [
            (clock(0, 5, 0, 0), "time-at 12 digit-oh 5 time-am", "凌晨零点零五分"),
            (clock(2, 0, 0, 0), "time-at 2 time-am", "凌晨两点整"),
            (clock(9, 30, 0, 0), "time-at 9 30 time-am", "上午九点三十分"),
            (clock(12, 0, 0, 0), "time-at 12 time-pm", "中午十二点整"),
            (clock(14, 30, 0, 0), "time-at 2 30 time-pm", "下午两点三十分"),
            (clock(22, 2, 0, 0), "time-at 10 digit-oh 2 time-pm", "晚上十点零二分"),
        ];
        for (at, en, zh) in table {
            assert_eq!(spoken(Language::En, &time(Language::En, at)), en);
            assert_eq!(spoken(Language::Zh, &time(Language::Zh, at)), zh);
        }
    }

    #[test]
    fn days_are_near_or_named() {
        let today = date(2026, 3, 4);
        assert_eq!(day(Language::En, today, today), ["today"]);
        assert_eq!(day(Language::Zh, date(2026, 3, 3), today), ["yesterday"]);
        assert_eq!(day(Language::En, date(2026, 3, 2), today), ["day-1", "month-3", "ordinal-2"]);
        assert_eq!(spoken(Language::Zh, &day(Language::Zh, date(2026, 3, 2), today)), "三月二日星期一");
    }

    #[test]
    fn numbers_are_digits_for_extensions() {
        assert_eq!(digits("+1 0*#x"), ["digit-plus", "digit-1", "digit-0", "digit-star", "digit-pound"]);
    }

    #[test]
    fn everything_said_is_in_the_vocabulary() {
        for language in [Language::En, Language::Zh] {
            let words: BTreeSet<String> = vocabulary(language).into_iter().collect();
            let mut said: BTreeSet<String> = (0..=NUMBER_MAX).flat_map(|n| number(language, n)).collect();
            said.extend((0..10_000).flat_map(|n| count(language, n)));
            for (hour, minute) in (0..24).flat_map(|h| (0..60).map(move |m| (h, m))) {
                said.extend(time(language, clock(hour, minute, 0, 0)));
            }
            let first = date(2027, 1, 1);
            said.extend((0..366).flat_map(|n| {
                day(language, first.saturating_add(jiff::Span::new().days(n)), date(2029, 1, 1))
            }));
            said.extend(after_position(language));
            let missing: Vec<&String> = said.difference(&words).collect();
            assert!(missing.is_empty(), "{language:?} lacks {missing:?}");
        }
    }
}
