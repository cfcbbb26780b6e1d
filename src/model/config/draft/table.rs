//! Reads the fields of one table of a draft. Every wrong field becomes a problem with its path and remedy, and a
//! harmless stand-in value, so that reading goes on and all problems are found at once. Knows no section.
use super::Problem;
use crate::config::schema::{Field, Kind};
use crate::number::Number;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::ops::RangeInclusive;

/// Longest text of a field: a name or an address, never a document.
pub(super) const TEXT_MAX: usize = 200;
/// Most problems reported at once: more would not be read, and a hostile draft must not fill memory.
const PROBLEMS_MAX: usize = 500;

/// Where problems are gathered; or, when a reader only tells what it reads, the fields it asks for.
#[derive(Default)]
pub(super) struct Problems(RefCell<Vec<Problem>>, Option<RefCell<Vec<Field>>>);

impl Problems {
    /// For readers that are to tell their fields.
    pub(super) fn describing() -> Problems {
        Problems(RefCell::default(), Some(RefCell::default()))
    }

    /// The fields that were told, in the order in which they were asked for.
    pub(super) fn into_fields(self) -> Vec<Field> {
        self.1.map(RefCell::into_inner).unwrap_or_default()
    }

    /// Notes a field; a reader may look at one more than once, and the last look knows most about it.
    fn field(&self, path: String, kind: Kind) {
        let Some(fields) = &self.1 else { return };
        let mut fields = fields.borrow_mut();
        match fields.iter_mut().find(|f| f.path == path) {
            Some(_) if kind == Kind::Any => {}
            Some(known) => known.kind = kind,
            None => fields.push(Field { path, kind }),
        }
    }

    pub(super) fn add(&self, field: &str, code: &str, message: impl Into<String>) {
        let mut all = self.0.borrow_mut();
        if all.len() < PROBLEMS_MAX {
            all.push(Problem { field: field.into(), code: code.into(), message: message.into() });
        }
    }

    pub(super) fn into_vec(self) -> Vec<Problem> {
        self.0.into_inner()
    }
}

/// One table and the names asked of it so far; what was never asked for is unknown.
pub(super) struct Table<'a> {
    path: String,
    fields: Option<&'a Map<String, Value>>,
    asked: RefCell<Vec<&'static str>>,
    problems: &'a Problems,
}

impl<'a> Table<'a> {
    pub(super) fn new(path: String, value: Option<&'a Value>, problems: &'a Problems) -> Table<'a> {
        let fields = match value {
            None | Some(Value::Null) => None,
            Some(Value::Object(fields)) => Some(fields),
            Some(other) => {
                let message = format!("this is {}; a table of named fields is needed here", kind(other));
                problems.add(&path, "wrong_type", message);
                None
            }
        };
        Table { path, fields, asked: RefCell::default(), problems }
    }

    /// Path of the table itself, or of a field in it.
    pub(super) fn path(&self, field: &str) -> String {
        match (self.path.as_str(), field) {
            ("", _) => field.to_owned(),
            (_, "") => self.path.clone(),
            (path, _) => format!("{path}.{field}"),
        }
    }

    pub(super) fn problem(&self, field: &str, code: &str, message: impl Into<String>) {
        self.problems.add(&self.path(field), code, message);
    }

    pub(super) fn problems(&self) -> &'a Problems {
        self.problems
    }

    /// Whether the reader is only to tell what it reads: it then asks for every field it knows.
    pub(super) fn describes(&self) -> bool {
        self.problems.1.is_some()
    }

    fn tell(&self, field: &str, kind: impl FnOnce() -> Kind) {
        if self.describes() {
            self.problems.field(self.path(field), kind());
        }
    }

    /// The value of a field; `null` counts as left out.
    pub(super) fn value(&self, field: &'static str) -> Option<&'a Value> {
        self.tell(field, || Kind::Any);
        self.asked.borrow_mut().push(field);
        self.fields?.get(field).filter(|v| !v.is_null())
    }

    fn wrong_type(&self, field: &str, value: &Value, wanted: &str) {
        let quote = match value {
            Value::Number(n) => format!(", e.g. {field} = \"{n}\""),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                String::new()
            }
        };
        let hint = if wanted.starts_with("text") { quote } else { String::new() };
        self.problem(field, "wrong_type", format!("this is {}; {wanted} is needed here{hint}", kind(value)));
    }

    /// A text as typed, spaces around it taken off; an empty one counts as left out.
    pub(super) fn text(&self, field: &'static str) -> Option<String> {
        self.tell(field, || Kind::Text);
        let value = self.value(field)?;
        let Some(text) = value.as_str() else {
            self.wrong_type(field, value, "text in quotes");
            return None;
        };
        self.checked(field, text)
    }

    fn checked(&self, field: &str, text: &str) -> Option<String> {
        if text.chars().count() > TEXT_MAX {
            self.problem(
                field,
                "too_long",
                format!("this text is longer than {TEXT_MAX} characters; shorten it"),
            );
            return None;
        }
        if text.chars().any(char::is_control) {
            self.problem(
                field,
                "wrong_text",
                "this text has control characters (a tab or a line break); remove them",
            );
            return None;
        }
        Some(text.trim().to_owned()).filter(|t| !t.is_empty())
    }

    /// A text that cannot be left out.
    pub(super) fn needed(&self, field: &'static str, remedy: &str) -> String {
        let before = self.problems.0.borrow().len();
        let text = self.text(field);
        if text.is_none() && self.problems.0.borrow().len() == before {
            self.missing(field, remedy);
        }
        text.unwrap_or_default()
    }

    pub(super) fn missing(&self, field: &str, remedy: &str) {
        self.problem(field, "missing", format!("{field} is missing; {remedy}"));
    }

    /// A text read into something else.
    pub(super) fn parsed<T>(
        &self,
        field: &'static str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(field)?;
        read(&text).map_err(|why| self.problem(field, "wrong_text", why)).ok()
    }

    /// The same, and it cannot be left out.
    pub(super) fn parsed_needed<T>(
        &self,
        field: &'static str,
        remedy: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.needed(field, remedy);
        if text.is_empty() {
            return None;
        }
        read(&text).map_err(|why| self.problem(field, "wrong_text", why)).ok()
    }

    /// A telephone number, if given.
    pub(super) fn number(&self, field: &'static str) -> Option<Number> {
        self.parsed(field, super::value::number)
    }

    /// A name that others refer to: a key of its section.
    pub(super) fn name(&self, field: &'static str) -> String {
        self.parsed_needed(field, "give it a short name", super::value::name).unwrap_or_default()
    }

    pub(super) fn count(&self, field: &'static str, range: RangeInclusive<u32>, default: u32) -> u32 {
        self.tell(field, || Kind::Number { min: *range.start(), max: *range.end(), usual: default });
        let Some(value) = self.value(field) else { return default };
        let Some(number) = value.as_i64() else {
            self.wrong_type(field, value, "a whole number without quotes");
            return default;
        };
        match u32::try_from(number) {
            Ok(n) if range.contains(&n) => n,
            _ => {
                let (low, high) = (range.start(), range.end());
                self.problem(
                    field,
                    "out_of_range",
                    format!("{number} is not possible here; use {low} to {high}"),
                );
                default
            }
        }
    }

    pub(super) fn flag(&self, field: &'static str, default: bool) -> bool {
        self.tell(field, || Kind::Flag { usual: default });
        let Some(value) = self.value(field) else { return default };
        value.as_bool().unwrap_or_else(|| {
            self.wrong_type(field, value, "true or false without quotes");
            default
        })
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, field: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(field);
        self.tell(field, || Kind::Choice { words: words.iter().map(|&(word, _)| word.to_owned()).collect() });
        let text = text?;
        let found = words.iter().find(|(word, _)| *word == text).map(|&(_, value)| value);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|&(word, _)| word).collect();
            let message = format!("\"{text}\" is not known here; use one of: {}", known.join(", "));
            self.problem(field, "unknown_word", message + &did_you_mean(&text, known.iter().copied()));
        }
        found
    }

    /// Whole numbers by free names.
    pub(super) fn counts(
        &self,
        field: &'static str,
        max: usize,
        range: RangeInclusive<u32>,
    ) -> Vec<(String, u32)> {
        let (low, high) = (*range.start(), *range.end());
        self.tell(&format!("{field}{{}}"), || Kind::Number { min: low, max: high, usual: low });
        let mut out = Vec::new();
        for (name, path, value) in self.entries(field, max) {
            match value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| range.contains(n)) {
                Some(n) if super::value::name(name).is_ok() => out.push((name.to_owned(), n)),
                Some(_) => {
                    self.problems.add(&path, "wrong_text", "this is no short name; use letters and digits")
                }
                None => {
                    let message = format!("a whole number is needed here: from {low} to {high}");
                    self.problems.add(&path, "out_of_range", message);
                }
            }
        }
        out
    }

    /// A list of a few words.
    pub(super) fn words<T: Copy>(&self, field: &'static str, words: &[(&str, T)]) -> Vec<T> {
        let known: Vec<&str> = words.iter().map(|&(word, _)| word).collect();
        self.list(field, words.len(), |text| {
            let found = words.iter().find(|(word, _)| *word == text).map(|&(_, value)| value);
            found.ok_or_else(|| {
                let hint = did_you_mean(text, known.iter().copied());
                format!("\"{text}\" is not known here; use one of: {}{hint}", known.join(", "))
            })
        })
    }

    /// A list of texts, each read into something.
    pub(super) fn list<T>(
        &self,
        field: &'static str,
        max: usize,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        self.tell(field, || Kind::List { most: max });
        let mut out = Vec::new();
        for (path, value) in self.items(field, max) {
            let text = value.as_str().map(str::trim).filter(|t| t.chars().count() <= TEXT_MAX);
            match text.map(&read) {
                Some(Ok(item)) => out.push(item),
                Some(Err(why)) => self.problems.add(&path, "wrong_text", why),
                None => self.problems.add(&path, "wrong_type", "a short text in quotes is needed here"),
            }
        }
        out
    }

    fn items(&self, field: &'static str, max: usize) -> Vec<(String, &'a Value)> {
        let Some(value) = self.value(field) else { return Vec::new() };
        let Some(items) = value.as_array() else {
            let tables = format!("a list, written with two brackets as [[{field}]],");
            self.wrong_type(field, value, if value.is_object() { &tables } else { "a list in [ ]" });
            return Vec::new();
        };
        if items.len() > max {
            let message = format!("{} entries are too many; at most {max} are possible", items.len());
            self.problem(field, "too_many", message);
        }
        let path = self.path(field);
        items.iter().take(max).enumerate().map(|(i, v)| (format!("{path}[{i}]"), v)).collect()
    }

    /// A list of tables.
    pub(super) fn tables(&self, field: &'static str, max: usize) -> Vec<Table<'a>> {
        if self.describes() {
            return vec![Table::new(format!("{}[]", self.path(field)), None, self.problems)];
        }
        let items = self.items(field, max).into_iter();
        items.map(|(path, value)| Table::new(path, Some(value), self.problems)).collect()
    }

    /// A table inside, if there.
    pub(super) fn table(&self, field: &'static str) -> Option<Table<'a>> {
        if self.describes() {
            return Some(Table::new(self.path(field), None, self.problems));
        }
        let value = self.value(field)?;
        Some(Table::new(self.path(field), Some(value), self.problems))
    }

    /// The table of a free name, and nothing in it: for readers that tell their fields.
    pub(super) fn any_entry(&self, field: &str) -> Table<'a> {
        Table::new(format!("{}{{}}", self.path(field)), None, self.problems)
    }

    /// A free name with a text: told to whoever asks for the fields.
    pub(super) fn tell_entries(&self, field: &str) {
        self.tell(&format!("{field}{{}}"), || Kind::Text);
    }

    /// Lists of texts by free names, each text read into something: name, path and texts of each entry.
    pub(super) fn lists<T>(
        &self,
        field: &'static str,
        most: (usize, usize),
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<(&'a str, String, Vec<T>)> {
        self.tell(&format!("{field}{{}}"), || Kind::List { most: most.1 });
        let mut out = Vec::new();
        for (name, path, value) in self.entries(field, most.0) {
            let Some(items) = value.as_array().filter(|items| items.len() <= most.1) else {
                let message = format!("a list in [ ] of at most {} texts is needed here", most.1);
                self.problems.add(&path, "wrong_type", message);
                continue;
            };
            let mut texts = Vec::new();
            for (i, item) in items.iter().enumerate() {
                match item
                    .as_str()
                    .ok_or_else(|| "a text in quotes is needed here".to_owned())
                    .and_then(&read)
                {
                    Ok(text) => texts.push(text),
                    Err(why) => self.problems.add(&format!("{path}[{i}]"), "wrong_text", why),
                }
            }
            out.push((name, path, texts));
        }
        out
    }

    /// A table inside whose names are free: name, path and value of each entry.
    pub(super) fn entries(&self, field: &'static str, max: usize) -> Vec<(&'a str, String, &'a Value)> {
        if self.describes() {
            return Vec::new();
        }
        let Some(value) = self.value(field) else { return Vec::new() };
        let Some(fields) = value.as_object() else {
            self.wrong_type(field, value, "a table of named entries");
            return Vec::new();
        };
        if fields.len() > max {
            let message = format!("{} entries are too many; at most {max} are possible", fields.len());
            self.problem(field, "too_many", message);
        }
        let path = self.path(field);
        fields.iter().take(max).map(|(name, v)| (name.as_str(), format!("{path}.{name}"), v)).collect()
    }

    /// Ends the reading: every field that nobody asked for is unknown.
    pub(super) fn done(self) {
        let asked = self.asked.borrow();
        for name in self.fields.into_iter().flat_map(Map::keys) {
            if !asked.contains(&name.as_str()) {
                let mut known = asked.clone();
                known.sort_unstable();
                known.dedup();
                let hint = did_you_mean(name, known.iter().copied());
                let message = format!(
                    "\"{name}\" is not known here{hint}; remove it, or use one of: {}",
                    known.join(", ")
                );
                self.problem(name, "unknown_field", message);
            }
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number without quotes",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

/// ` (did you mean "x"?)` for the nearest known word, when one is near.
pub(super) fn did_you_mean<'w>(typed: &str, known: impl Iterator<Item = &'w str>) -> String {
    let begins = |w: &str| typed.len().min(w.len()) >= 3 && (typed.starts_with(w) || w.starts_with(typed));
    let reach = |w: &str| if w.len() <= 3 { 1 } else { 2.max(w.len() / 4) };
    let near =
        known.filter(|w| begins(w) || distance(typed, w) <= reach(w)).min_by_key(|w| distance(typed, w));
    near.map(|word| format!(" (did you mean \"{word}\"?)")).unwrap_or_default()
}

/// Edit distance of Levenshtein, over at most 40 characters of each.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(40).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(40).enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, &cb) in b.iter().enumerate() {
            let change = before + usize::from(!ca.eq_ignore_ascii_case(&cb));
            before = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(before + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_known_word_is_offered() {
        let words = ["ring_timeout_s", "wrap_up_s"];
        assert_eq!(did_you_mean("ring_timeout", words.into_iter()), " (did you mean \"ring_timeout_s\"?)");
        assert_eq!(did_you_mean("colour", words.into_iter()), "");
    }

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
