//! Which column is what, and which rows are numbers that can exist: by the plans of all countries. Pure.
use super::{FIELDS_MAX, Fate, Fresh};
use model::query::Mapping;
use model::sentence::Sentence;
use model::zone;
use phonenumber::{Mode, country};
use std::collections::BTreeMap;

/// Words that head a column in the sheets of customers, whatever language the pages are in.
const NUMBER: [&str; 21] = [
    "number",
    "phone",
    "phone number",
    "telephone",
    "tel",
    "tel.",
    "mobile",
    "msisdn",
    "telefon",
    "telefonnummer",
    "rufnummer",
    "handy",
    "handynummer",
    "mobil",
    "téléphone",
    "teléfono",
    "电话",
    "电话号码",
    "手机",
    "手机号",
    "号码",
];
const NAME: [&str; 8] = ["name", "full name", "customer", "company", "kunde", "firma", "姓名", "客户"];
const ZONE: [&str; 6] = ["zone", "time zone", "time_zone", "timezone", "zeitzone", "时区"];
const VALUE: [&str; 4] = ["value", "priority", "优先级", "价值"];
/// Longest text of one column.
const CELL_MAX: usize = 500;

/// What the columns of one sheet are.
pub(super) struct Plan {
    number: usize,
    name: Option<usize>,
    zone: Option<usize>,
    value: Option<usize>,
    fields: Vec<(usize, String)>,
    country: Option<country::Id>,
}

impl Plan {
    /// Finds the columns by the mapping, or by their usual names.
    pub(super) fn new(head: &[String], mapping: &Mapping, country: &str) -> Result<Plan, Sentence> {
        let find = |given: &Option<String>, usual: &[&str]| match given {
            Some(name) => head.iter().position(|h| h.eq_ignore_ascii_case(name.trim())),
            None => head.iter().position(|h| usual.contains(&h.to_lowercase().as_str())),
        };
        let number = find(&mapping.number, &NUMBER).ok_or_else(|| {
            let names = head.iter().map(String::as_str).take(20).collect::<Vec<_>>().join(", ");
            Sentence::new(
                format!("No column holds the numbers. Say which one does; there are: {names}."),
                format!("没有号码列。请指明哪一列是号码；现有的列：{names}。"),
            )
        })?;
        let (name, zone, value) =
            (find(&mapping.name, &NAME), find(&mapping.zone, &ZONE), find(&mapping.value, &VALUE));
        let taken = |at: usize| [Some(number), name, zone, value].contains(&Some(at));
        let others = head.iter().enumerate().filter(|(at, h)| !taken(*at) && !h.is_empty());
        let fields = others.map(|(at, h)| (at, h.chars().take(60).collect())).take(FIELDS_MAX).collect();
        Ok(Plan { number, name, zone, value, fields, country: country.to_uppercase().parse().ok() })
    }

    /// Whether a row can be called.
    pub(super) fn fate(&self, line: u64, cells: &[String]) -> Fate {
        let cell =
            |at: Option<usize>| at.and_then(|at| cells.get(at)).map(String::as_str).unwrap_or_default();
        let short = |text: &str| -> String { text.chars().take(CELL_MAX).collect() };
        let text = cells.join(", ");
        let rejected = |reason| Fate::Rejected { line, text: text.clone(), reason };
        let number = match self.e164(cell(Some(self.number))) {
            Ok(number) => number,
            Err(reason) => return rejected(reason),
        };
        let told = cell(self.zone);
        if !told.is_empty() && !zone::is_known(told) {
            return rejected("unknown_zone");
        }
        let zones = zone::narrowed(&zone::zones(&number), Some(told));
        if zones.is_empty() {
            return rejected("no_zone");
        }
        let fields: BTreeMap<String, String> =
            self.fields.iter().map(|(at, name)| (name.clone(), short(cell(Some(*at))))).collect();
        Fate::Taken(Fresh {
            line,
            zones,
            name: short(cell(self.name)),
            fields,
            value: cell(self.value).parse().unwrap_or(0),
            number,
            text,
        })
    }

    fn e164(&self, text: &str) -> Result<String, &'static str> {
        e164(self.country, text)
    }
}

/// The international form, or why there is none.
fn e164(country: Option<country::Id>, text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        return Err("empty");
    }
    // International calls are often typed with two zeroes.
    let typed = match text.strip_prefix("00") {
        Some(rest) => format!("+{rest}"),
        None => text.to_owned(),
    };
    let number = phonenumber::parse(country, typed).map_err(|_| "not_a_number")?;
    if !phonenumber::is_valid(&number) {
        return Err("impossible_number");
    }
    Ok(number.format().mode(Mode::E164).to_string())
}

/// The one column of a file that holds nothing but numbers, such as a do-not-call list; its first row may be a heading.
pub(super) struct Column {
    at: usize,
    country: Option<country::Id>,
    /// The first row is no number.
    pub(super) headed: bool,
}

impl Column {
    /// Finds the column in the first row: by its heading, or because a number stands there.
    pub(super) fn new(first: &[String], country: &str) -> Result<Column, Sentence> {
        let country = country.to_uppercase().parse().ok();
        let named = first.iter().position(|cell| NUMBER.contains(&cell.to_lowercase().as_str()));
        let number = || first.iter().position(|cell| e164(country, cell).is_ok());
        // A file with one column needs no heading, and its first number may be a wrong one.
        let only = || (first.len() == 1 && first[0].chars().any(|c| c.is_ascii_digit())).then_some(0);
        match (named, number().or_else(only)) {
            (Some(at), _) => Ok(Column { at, country, headed: true }),
            (None, Some(at)) => Ok(Column { at, country, headed: false }),
            (None, None) => Err(Sentence::new(
                "The first row holds no number and names no column of numbers; head that column \"number\".",
                "首行没有号码，也没有号码列的名称；请将该列命名为“number”。",
            )),
        }
    }

    /// The number of a row in international form, or why there is none.
    pub(super) fn number(&self, cells: &[String]) -> Result<String, &'static str> {
        e164(self.country, cells.get(self.at).map(String::as_str).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(head: &[&str]) -> Plan {
        let head: Vec<String> = head.iter().map(|h| (*h).to_owned()).collect();
        Plan::new(&head, &Mapping::default(), "DE").expect("columns")
    }

    #[test]
    fn the_columns_of_sheets_as_customers_have_them_are_found() {
        let heads = [
            (["Name", "Telefon"], 1),
            (["Kunde", "Rufnummer"], 1),
            (["Tel.", "Firma"], 0),
            (["TÉLÉPHONE", "Nom"], 0),
            (["客户", "手机号"], 1),
        ];
        for (head, at) in heads {
            assert_eq!(plan(&head).number, at, "{head:?}");
        }
    }

    #[test]
    fn numbers_as_people_type_them_become_international_or_get_a_reason() {
        let plan = plan(&["Name", "Telephone"]);
        let table = [
            ("030 901820", Ok("+4930901820")),
            ("+49 (30) 90 18 20", Ok("+4930901820")),
            ("0044 20 7946 0018", Ok("+442079460018")),
            ("+1 212-555-2368", Ok("+12125552368")),
            ("", Err("empty")),
            ("n/a", Err("not_a_number")),
            ("+49 1", Err("not_a_number")),
            ("+1 112 555 2368", Err("impossible_number")),
        ];
        for (typed, expected) in table {
            assert_eq!(plan.e164(typed).as_deref(), expected.as_deref(), "{typed}");
        }
    }

    #[test]
    fn the_column_of_a_file_of_numbers_is_found_with_and_without_a_heading() {
        let row = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        let find = |cells: &[&str]| Column::new(&row(cells), "DE").map(|c| (c.at, c.headed));
        assert_eq!(find(&["Since", "Phone"]), Ok((1, true)));
        assert_eq!(find(&["030 901820"]), Ok((0, false)));
        assert_eq!(find(&["Ann", "+44 20 7946 0018"]), Ok((1, false)));
        assert_eq!(find(&["12"]), Ok((0, false)), "a wrong number at the top is a row, not a heading");
        assert!(find(&["remark"]).is_err_and(|why| why.en.contains("number") && why.zh.contains("number")));
    }

    #[test]
    fn columns_are_found_by_their_usual_names_and_the_rest_is_kept() {
        let plan = plan(&["客户", "手机号", "City", "priority"]);
        assert_eq!((plan.number, plan.name, plan.value), (1, Some(0), Some(3)));
        assert_eq!(plan.fields, [(2, "City".to_owned())]);
        let missing = Plan::new(&["a".into(), "b".into()], &Mapping::default(), "DE");
        let why = missing.err().expect("no column");
        assert!(why.en.contains("there are: a, b") && why.zh.contains("a, b"), "{why:?}");
    }
}
