//! Lists as they come in from sheets: bad numbers are found, good ones are never refused, and a file of numbers that must
//! not be called counts at once.
use crate::kept::open;
use model::clock::Wall;
use model::query::{BarredImport, ListImport, Mapping};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use store::Store;

/// Rows of the seeded sheet.
const ROWS: u64 = 2_000;

/// A stream of numbers that looks like chance and is the same every time (Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// The n-th good number, as people type it; n decides digits that no other one has.
fn good(dice: &mut Dice, n: u64) -> String {
    let six = format!("{:06}", n);
    let (a, b) = six.split_at(3);
    match dice.below(8) {
        0 => format!("030 9{six}"),
        1 => format!("+49 (0)151 23{six}"),
        2 => format!("0049-89-2{six}"),
        3 => format!("+1 (212) 5{}-{}{b}", &a[..2], &a[2..]),
        4 => format!("001.415.6{}.{}{b}", &a[..2], &a[2..]),
        5 => format!("+44 20 79{} {}{b}", &a[..2], &a[2..]),
        6 => format!("+86 138 12{} {}{b}", &a[..2], &a[2..]),
        _ => format!("+86 10 62{six}"),
    }
}

fn bad(dice: &mut Dice, n: u64) -> String {
    match dice.below(8) {
        0 => "n/a".into(),
        1 => String::new(),
        2 => format!("{}", n % 10),
        3 => format!("+1 112 555 {:04}", n % 10_000),
        4 => format!("+1 212 55{}", n % 10),
        5 => format!("+49 151 2345 6789 0123 4567 {n}"),
        6 => "see remarks".into(),
        _ => format!("+999 12345{n}"),
    }
}

/// The sheet and the lines of its bad rows.
fn sheet(seed: u64) -> (String, BTreeSet<u64>) {
    let (mut dice, mut bad_lines) = (Dice(seed), BTreeSet::new());
    let mut text = String::from("Name;Telephone;City\n");
    for n in 0..ROWS {
        // The header is line 1.
        let line = n + 2;
        let number = if n % 20 == seed {
            bad_lines.insert(line);
            bad(&mut dice, n)
        } else {
            good(&mut dice, n)
        };
        writeln!(text, "Person {n};{number};Town").unwrap();
    }
    (text, bad_lines)
}

fn import(list: &str) -> ListImport {
    ListImport {
        list: list.into(),
        file: "people.csv".into(),
        country: "DE".into(),
        mapping: Mapping::default(),
        by: "test".into(),
        at: Wall(1_772_622_000_000),
    }
}

fn rejected(store: &Store, list: &str) -> Vec<(u64, String)> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = store.reader().rejects(list, after).unwrap();
        let Some(last) = page.last() else { return found };
        after = last.line;
        found.extend(page.into_iter().map(|r| (r.line, format!("{}: {}", r.reason, r.text))));
    }
}

#[test]
fn of_a_sheet_with_five_percent_bad_numbers_exactly_those_are_refused() {
    for seed in [1, 2, 3] {
        let dir = tempfile::tempdir().unwrap();
        let (store, _, _) = open(dir.path());
        let (text, bad_lines) = sheet(seed);
        let file = dir.path().join("people.csv");
        std::fs::write(&file, text).unwrap();
        let done = store.import(&file, &import("people")).unwrap();
        let found = rejected(&store, "people");
        let lines: BTreeSet<u64> = found.iter().map(|(line, _)| *line).collect();
        let refused_good: Vec<_> = found.iter().filter(|(line, _)| !bad_lines.contains(line)).collect();
        assert!(refused_good.is_empty(), "good numbers were refused: {refused_good:?}");
        assert_eq!(lines, bad_lines, "every bad number is found");
        assert_eq!((done.taken, done.rejected), (ROWS - bad_lines.len() as u64, bad_lines.len() as u64));
        let lists = store.reader().lists().unwrap();
        assert_eq!((lists[0].open, lists[0].done), (done.taken, 0), "the page says how many are left");
    }
}

fn bar(store: &Store, file: &Path, text: &str) -> Result<model::query::BarredImported, store::NoList> {
    std::fs::write(file, text).unwrap();
    let order = BarredImport { country: "DE".into(), by: "lead".into(), at: Wall(1_772_622_000_000) };
    store.import_barred(file, &order)
}

#[test]
fn a_file_bars_its_numbers_and_says_which_rows_it_did_not_take() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let file = dir.path().join("never.txt");
    let done = bar(&store, &file, "030 901820\n\n+44 20 7946 0018\nnobody\n0049 30 901820\n").unwrap();
    assert_eq!((done.rows, done.taken, done.known, done.rejected), (4, 2, 1, 1));
    assert_eq!((done.rejects[0].line, done.rejects[0].reason.as_str()), (4, "not_a_number"));
    let done = bar(&store, &file, "Since,Phone\n2026,+442079460018\n2026,+12125552368\n").unwrap();
    assert_eq!((done.rows, done.taken, done.known), (2, 1, 1));
    let listed: Vec<String> =
        store.reader().barred("").unwrap().iter().map(|b| b.number.to_string()).collect();
    assert_eq!(listed, ["+12125552368", "+442079460018", "+4930901820"]);
    let done = {
        std::fs::write(&file, "Phone\n030 901820\n030 901821\n").unwrap();
        store.import(&file, &import("people")).unwrap()
    };
    assert_eq!((done.taken, done.reasons["do_not_call"]), (1, 1), "no list takes a barred number");
}

#[test]
fn a_file_without_numbers_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let file = dir.path().join("never.csv");
    let said = |text| bar(&store, &file, text).unwrap_err().to_string();
    assert!(said("remark,who\nx,y\n").contains("head that column \"number\""));
    assert!(said("").contains("empty"));
}
