//! Who calls: people and companies the site knows, by their numbers. Checked where they are typed or imported; the engine
//! looks them up by number (class for rank and routes, name for the pop), the store keeps them. Decides nothing about calls.
use crate::clock::Wall;
use crate::config::draft::Problem;
use crate::country::Country;
use crate::id::ContactId;
use crate::media::Language;
use crate::number::Number;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most contacts of a site: some 25 MB in the engine's table.
pub const MOST: usize = 50_000;
/// Most numbers of one contact.
pub const NUMBERS: usize = 8;
/// Longest name and company, in characters.
const NAME: usize = 100;
/// Longest notes, in characters: what an agent reads while it rings.
const NOTES: usize = 4000;
/// Longest class and field name.
const WORD: usize = 32;
/// Most fields of one contact.
const FIELDS: usize = 20;
/// Longest value of a field, in characters.
const VALUE: usize = 200;

/// Somebody known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Contact {
    /// Key.
    pub contact: ContactId,
    /// 1–8 numbers, in international form where they have one; none belongs to another contact.
    pub numbers: Vec<Number>,
    /// Name.
    pub name: String,
    /// Company; may be empty.
    pub company: String,
    /// What queues and routes go by, e.g. `vip`: `a-z 0-9 _ -`; empty = ordinary.
    pub class: String,
    /// Language spoken, if known.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub language: Option<Language>,
    /// What agents should know, plain text.
    pub notes: String,
    /// Further fields by name (`a-z 0-9 _`), e.g. `customer_no`; flows and rules may read them.
    pub fields: BTreeMap<String, String>,
    /// Last change.
    pub changed: Wall,
}

/// A contact as a person or a file gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ContactDraft {
    /// 1–8 numbers, as people write them.
    pub numbers: Vec<String>,
    /// Name, 1–100 characters; may be empty when there is a company.
    pub name: String,
    /// Company, at most 100 characters.
    pub company: String,
    /// Class, e.g. `vip`.
    pub class: String,
    /// `en`, `zh` or none.
    pub language: Option<String>,
    /// Notes, at most 4,000 characters.
    pub notes: String,
    /// Further fields.
    pub fields: BTreeMap<String, String>,
}

/// Where the site is, so that numbers written at home get their international form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// Its country.
    pub country: &'static Country,
    /// Its area code.
    pub area: String,
}

impl Home {
    /// The form under which a number is kept and looked up.
    #[must_use]
    pub fn number(&self, text: &str) -> Option<Number> {
        let number = Number::read(text)?;
        Some(self.country.e164(&number, &self.area).unwrap_or(number))
    }
}

impl ContactDraft {
    /// The contact, with an id of 0 until the store gives one.
    ///
    /// # Errors
    /// Every problem with its field.
    pub fn check(self, home: &Home, now: Wall) -> Result<Contact, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut wrong = |field: &str, code: &str, message: String| {
            problems.push(Problem { field: field.into(), code: code.into(), message });
        };
        let mut numbers: Vec<Number> = Vec::new();
        let given: Vec<&String> = self.numbers.iter().filter(|n| !n.trim().is_empty()).collect();
        if given.is_empty() || given.len() > NUMBERS {
            wrong("numbers", "count", format!("give 1 to {NUMBERS} numbers"));
        }
        for (i, text) in given.into_iter().take(NUMBERS).enumerate() {
            match home.number(text) {
                Some(number) if !numbers.contains(&number) => numbers.push(number),
                Some(_) => {}
                None => {
                    wrong(&format!("numbers[{i}]"), "wrong_number", format!("\"{text}\" is not a number"))
                }
            }
        }
        let (name, company) = (tidy(&self.name), tidy(&self.company));
        if name.is_empty() && company.is_empty() {
            wrong("name", "missing", "give a name or a company".into());
        }
        for (field, text, most) in
            [("name", &name, NAME), ("company", &company, NAME), ("notes", &self.notes, NOTES)]
        {
            if text.chars().count() > most {
                wrong(field, "too_long", format!("is longer than {most} characters"));
            }
        }
        let class = self.class.trim().to_lowercase();
        if !is_word(&class, true) && !class.is_empty() {
            wrong("class", "wrong_word", format!("use up to {WORD} of a-z, 0-9, _ and -"));
        }
        let language = self.language.as_deref().map(str::trim).filter(|l| !l.is_empty());
        let spoken = language.and_then(Language::read);
        if language.is_some() && spoken.is_none() {
            wrong("language", "unknown", "use en or zh".into());
        }
        if self.fields.len() > FIELDS {
            wrong("fields", "count", format!("give at most {FIELDS} fields"));
        }
        for (key, value) in self.fields.iter().take(FIELDS) {
            let field = format!("fields.{key}");
            if !is_word(key, false) {
                wrong(&field, "wrong_word", format!("name a field with up to {WORD} of a-z, 0-9 and _"));
            } else if value.chars().count() > VALUE {
                wrong(&field, "too_long", format!("is longer than {VALUE} characters"));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Contact {
            contact: ContactId(0),
            numbers,
            name,
            company,
            class,
            language: spoken,
            notes: self.notes,
            fields: self.fields,
            changed: now,
        })
    }
}

/// Why a contact is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactRefusal {
    /// There are [`MOST`] already.
    Full,
    /// One of its numbers belongs to another one.
    Taken(Number, ContactId),
    /// There is none with this key.
    Unknown,
}

/// Which contacts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactQuery {
    /// Part of a name, company or number.
    pub text: Option<String>,
    /// Only this class.
    pub class: Option<String>,
    /// Left out at the start.
    pub offset: u64,
    /// Most rows.
    pub limit: u32,
}

/// What becomes known to the engine's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactChange {
    /// New or changed.
    Put(Box<Contact>),
    /// Removed.
    Gone(ContactId),
}

fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_word(text: &str, dash: bool) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || (dash && b == b'-');
    (1..=WORD).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> Home {
        Home { country: Country::find("DE").expect("a profile"), area: "30".into() }
    }

    fn draft(numbers: &[&str]) -> ContactDraft {
        ContactDraft {
            numbers: numbers.iter().map(|n| (*n).to_owned()).collect(),
            name: "  Li   Na ".into(),
            ..ContactDraft::default()
        }
    }

    #[test]
    fn numbers_get_the_form_in_which_callers_are_shown_and_names_are_tidied() {
        let given =
            ContactDraft { class: " VIP ".into(), ..draft(&["030 / 1234567", "0049 30 1234567", "101"]) };
        let contact = given.check(&home(), Wall(7)).expect("a contact");
        let numbers: Vec<&str> = contact.numbers.iter().map(Number::as_str).collect();
        assert_eq!(numbers, ["+49301234567", "101"], "one number written twice is one");
        assert_eq!((contact.name.as_str(), contact.class.as_str()), ("Li Na", "vip"));
    }

    #[test]
    fn every_fault_is_told_with_its_field() {
        let wrong = ContactDraft {
            name: String::new(),
            class: "very important".into(),
            language: Some("tlh".into()),
            notes: "x".repeat(NOTES + 1),
            fields: [("Shoe Size".to_owned(), "42".to_owned())].into(),
            ..draft(&["call me", ""])
        };
        let problems = wrong.check(&home(), Wall(0)).expect_err("wrong");
        let fields: Vec<&str> = problems.iter().map(|p| p.field.as_str()).collect();
        assert_eq!(fields, ["numbers[0]", "name", "notes", "class", "language", "fields.Shoe Size"]);
        assert!(draft(&[]).check(&home(), Wall(0)).is_err());
        assert!(draft(&["1"; 9]).check(&home(), Wall(0)).is_err());
    }
}
