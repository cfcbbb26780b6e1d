//! Lines that fit: at most 80 columns and 24 rows, wide Chinese characters counted as two, control characters taken out
//! so that no name or User-Agent can steer the terminal. Pure.

/// Columns of the smallest terminal.
pub const COLUMNS: usize = 80;
/// Its rows.
pub const ROWS: usize = 24;
/// Rows of a page's content: the rest is title, rule, hint and prompt.
pub const BODY: usize = ROWS - 5;

/// Columns of a character on a terminal.
#[must_use]
pub fn width_of(c: char) -> usize {
    match c {
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f000}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// Columns of a text.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

/// The text without anything that is not a visible character, cut to so many columns.
#[must_use]
pub fn clip(text: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| visible(*c)) {
        used += width_of(c);
        if used > columns {
            break;
        }
        out.push(c);
    }
    out
}

/// Neither a control nor a character that changes direction, hides or joins others: those count no columns.
fn visible(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text in a column: cut or filled up to exactly so many.
#[must_use]
pub fn cell(text: &str, columns: usize) -> String {
    let mut out = clip(text, columns);
    out.push_str(&" ".repeat(columns - width(&out)));
    out
}

/// A line as screen lines, folded at the edge; cleaned like every other.
#[must_use]
pub fn fold(text: &str) -> Vec<String> {
    let (mut out, mut line, mut used) = (Vec::new(), String::new(), 0);
    for c in clip(text, usize::MAX).chars() {
        if used + width_of(c) >= COLUMNS {
            out.push(std::mem::take(&mut line));
            used = 0;
        }
        used += width_of(c);
        line.push(c);
    }
    out.push(line);
    out
}

/// Cells beside each other with one blank between.
#[must_use]
pub fn row(cells: &[(&str, usize)]) -> String {
    let cells: Vec<String> = cells.iter().map(|(text, columns)| cell(text, *columns)).collect();
    clip(cells.join(" ").trim_end(), COLUMNS)
}

/// One screen: title, rule, content, hint. At most [`ROWS`] minus the prompt's row; longer content is the caller's to
/// split (`pages`).
#[must_use]
pub fn frame(title: &str, right: &str, content: &[String], hint: &str) -> String {
    let right = clip(right, 30);
    let left = cell(title, COLUMNS - 1 - width(&right));
    let mut out = format!("{left}{right}\n{}\n", "-".repeat(COLUMNS - 1));
    for line in content.iter().take(BODY) {
        out.push_str(&clip(line, COLUMNS - 1));
        out.push('\n');
    }
    out.push('\n');
    out.push_str(&clip(hint, COLUMNS - 1));
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_count_twice_and_are_never_cut_in_half() {
        assert_eq!(width("中文 ab"), 7);
        assert_eq!(clip("中文字", 5), "中文");
        assert_eq!(cell("中文", 5), "中文 ");
        assert_eq!(width(&row(&[("名称名称名称", 7), ("x", 3)])), 9);
    }

    #[test]
    fn names_cannot_steer_the_terminal() {
        assert_eq!(clip("evil\u{1b}[2J\u{7}\r\nname\u{202e}", 80), "evil[2Jname");
        assert_eq!(clip("a\tb", 80), "a b");
    }
}
