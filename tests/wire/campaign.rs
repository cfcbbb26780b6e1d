//! Campaigns through the real binary, its disk and a real trunk: SIPp answers as the people called and as the agents. A list
//! comes in as a sheet over the interface; the evidence that comes out is judged by `tests/evidence.py`, which shares no
//! code with the box.
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tests::harness::belfry::Belfry;
use tests::harness::lan::Lan;
use tests::harness::sipp::{people, silent};
use tests::harness::{campaign, daytime};

/// A loaded machine takes its time.
const LONG: Duration = Duration::from_secs(60);
/// People on the list; whose number ends in 9 is busy, the last of them must not be called.
const PEOPLE: u32 = 12;
/// How many of them.
const BUSY: usize = 1;
const MORE: &str = "calls_per_second = 20\nscript = \"Good morning.\"";

fn order(pbx: &Belfry, order: &Value) {
    pbx.send("POST", "/campaigns/spring/order", order);
}

fn board(pbx: &Belfry) -> Value {
    pbx.get("/campaigns")[0].clone()
}

/// Attempts that are over, by the board.
fn over(board: &Value) -> u64 {
    let results = board["results"].as_object().expect("results by name");
    results.values().filter_map(Value::as_u64).sum()
}

#[test]
fn a_list_is_called_through_the_trunk_and_its_evidence_says_the_same_as_the_board() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let lan = Lan::take();
    let pbx = Belfry::start(lan, &campaign::site(lan, 3, "progressive", MORE), folder);
    let _people = people(lan, folder);
    let _agents = silent(lan, 31, 5090, "callee", folder);

    let mut sheet = String::from("Name,Phone,City\n");
    for n in 0..PEOPLE {
        sheet += &format!("Person {n},{}{:04},Town\n", daytime::place(), 2000 + n);
    }
    sheet += "Nobody,not a number,Town\n";
    std::fs::write(folder.join("people.csv"), sheet).expect("the test folder is writable");
    let taken = pbx.upload("/lists/import?list=people&file=people.csv", &folder.join("people.csv"));
    let taken: Value = serde_json::from_slice(&taken).expect("JSON");
    assert_eq!((&taken["taken"], &taken["rejected"]), (&json!(PEOPLE), &json!(1)), "{taken}");
    let rejects = String::from_utf8(pbx.get_bytes("/lists/people/rejects")).expect("text");
    assert!(rejects.contains("not_a_number"), "{rejects}");

    // One of them must not be called: a file says so, with one row that is no number.
    let never = format!("{}{:04}", daytime::place(), 2000 + PEOPLE - 1);
    std::fs::write(folder.join("never.txt"), format!("{never}\nsome text\n")).expect("writable");
    let barred = pbx.upload("/barred/import?country=de", &folder.join("never.txt"));
    let barred: Value = serde_json::from_slice(&barred).expect("JSON");
    assert_eq!((&barred["taken"], &barred["rejected"]), (&json!(1), &json!(1)), "{barred}");
    assert_eq!(barred["rejects"][0]["reason"], json!("not_a_number"), "{barred}");

    order(&pbx, &json!({ "order": "start" }));
    pbx.until("somebody talks", "/campaigns", LONG, |c| c[0]["talking"].as_u64() > Some(0));
    // In the middle of it the supervisor has it dial ahead of free agents.
    order(&pbx, &json!({ "order": "form", "form": "predictive" }));
    pbx.until("all were tried", "/campaigns", LONG, |c| over(&c[0]) >= u64::from(PEOPLE) - 1);
    order(&pbx, &json!({ "order": "pause" }));

    let evidence = folder.join("evidence.ndjson");
    std::fs::write(&evidence, pbx.get_bytes("/campaigns/spring/attempts")).expect("writable");
    let (verdict, board) = (campaign::judged(&evidence, "us", &[]), board(&pbx));
    assert_eq!(verdict["broken"], json!([]), "{verdict}");
    assert_eq!(verdict["attempts"], json!(PEOPLE - 1));
    assert_eq!(
        (&verdict["live"], &verdict["abandoned"]),
        (&board["live_30"], &board["abandoned_30"]),
        "{board}"
    );
    assert_eq!(board["results"]["busy"], json!(BUSY), "{board}");
    assert!(board["results"]["talked"].as_u64() > Some(0), "{board}");

    let text = std::fs::read_to_string(&evidence).expect("just written");
    let attempts: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let numbers: BTreeSet<&str> = attempts.iter().filter_map(|a| a["number"].as_str()).collect();
    assert_eq!(numbers.len(), attempts.len(), "everybody once");
    assert!(!numbers.contains(never.as_str()), "{never} must not be called");
    let who: Vec<Value> = pbx.get("/campaigns/spring/changes").as_array().cloned().unwrap_or_default();
    let what: Vec<&str> = who.iter().filter_map(|c| c["what"].as_str()).collect();
    assert_eq!(what, ["pause", "form", "start"], "newest first");
}

#[test]
fn a_file_without_numbers_is_refused_in_both_languages() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lan = Lan::take();
    let pbx = Belfry::start(lan, &campaign::site(lan, 1, "progressive", MORE), folder.path());
    let list = "/lists/import?list=people&country=de";
    let (_, chinese) = pbx.refused("POST", list, b"Remark,City\nx,Berlin\n");
    assert!(chinese.contains("Remark") && chinese.contains("City"), "the columns that there are: {chinese}");
    let (_, chinese) = pbx.refused("POST", list, b"");
    assert!(chinese.contains("为空"), "{chinese}");
    let (_, chinese) = pbx.refused("POST", list, b"PK\x03\x04 no sheet");
    assert!(chinese.contains("XLSX"), "{chinese}");
    let (_, chinese) = pbx.refused("POST", "/lists/import?list=a/b", b"Phone\n");
    assert!(chinese.contains("40"), "the name of the list: {chinese}");
    let never = "/barred/import?country=de";
    let (_, chinese) = pbx.refused("POST", never, b"Remark\nx\n");
    assert!(chinese.contains("number"), "what heads the column: {chinese}");
    let (_, chinese) = pbx.refused("POST", never, b"");
    assert!(chinese.contains("为空"), "{chinese}");
}
