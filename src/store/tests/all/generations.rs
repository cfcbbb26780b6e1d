//! The configuration's generations, and what the command line does with them.

use crate::kept::open;
use model::config::{draft, text};
use model::id::Generation;
use model::query::Role;
use serde_json::{Value, json};
use store::{CommitRefusal, offline};

const SITE: &str = include_str!("../../../../rootfs/usr/share/belfry/defaults/site.toml");

fn renamed(tree: &Value, name: &str) -> Value {
    let mut tree = tree.clone();
    tree["system"]["name"] = json!(name);
    tree
}

#[test]
fn the_second_of_two_people_is_told_that_it_is_stale() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let first = store.commit("box", text::parse(SITE).unwrap(), None, "").unwrap();
    assert_eq!(first.generation, Generation(1));
    let tree = draft::to_tree(&first.config);
    let anna = store.commit("anna", renamed(&tree, "A"), Some(Generation(1)), "").unwrap();
    assert_eq!(anna.generation, Generation(2));
    let bert = store.commit("bert", renamed(&tree, "B"), Some(Generation(1)), "");
    assert!(matches!(bert, Err(CommitRefusal::Stale(Generation(2)))));
    assert_eq!(store.reader().current().unwrap().unwrap().1["system"]["name"], "A");
}

#[test]
fn two_at_the_same_moment_never_both_win() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let tree = draft::to_tree(&store.commit("box", text::parse(SITE).unwrap(), None, "").unwrap().config);
    let won: usize = std::thread::scope(|scope| {
        let try_one = |n: usize| {
            let (store, tree) = (store.clone(), renamed(&tree, &format!("name {n}")));
            scope.spawn(move || usize::from(store.commit("x", tree, Some(Generation(1)), "").is_ok()))
        };
        (0..8).map(try_one).collect::<Vec<_>>().into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert_eq!(won, 1);
    assert_eq!(store.reader().generations(None, 10).unwrap().items.len(), 2);
}

#[test]
fn undo_brings_the_old_content_back_as_a_new_generation() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let first = store.commit("box", text::parse(SITE).unwrap(), None, "").unwrap();
    store.commit("anna", renamed(&draft::to_tree(&first.config), "A"), None, "").unwrap();
    let undone = store.undo("anna", Generation(1), Some(Generation(2))).unwrap();
    assert_eq!((undone.generation, &undone.config), (Generation(3), &first.config));
    let rows = store.reader().generations(None, 10).unwrap().items;
    let summaries: Vec<_> =
        rows.iter().map(|r| (r.generation.0, r.by.as_str(), r.summary.as_str())).collect();
    assert_eq!(
        summaries,
        [(3, "anna", "back to 1"), (2, "anna", "system"), (1, "box", "first configuration")]
    );
    assert!(matches!(store.undo("anna", Generation(77), None), Err(CommitRefusal::Unknown(_))));
}

#[test]
fn a_wrong_draft_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let tree = json!({ "system": { "country": "DE", "call_limit": 0 } });
    assert!(matches!(store.commit("x", tree, None, ""), Err(CommitRefusal::Problems(p)) if p.len() == 1));
    assert!(store.reader().current().unwrap().is_none());
}

#[test]
fn who_looks_again_and_again_is_given_a_configuration_only_when_it_is_a_newer_one() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    assert_eq!(store.reader().newer_than(None).unwrap(), None, "there is none");
    store.commit("box", text::parse(SITE).unwrap(), None, "").unwrap();
    let (first, tree) = store.reader().newer_than(None).unwrap().unwrap();
    assert_eq!(Some((first, tree)), store.reader().current().unwrap());
    assert_eq!(store.reader().newer_than(Some(first)).unwrap(), None);
    let mut tree = text::parse(SITE).unwrap();
    tree["system"]["name"] = json!("Renamed");
    store.commit("anna", tree, None, "").unwrap();
    let newer = store.reader().newer_than(Some(first)).unwrap().map(|(generation, _)| generation);
    assert_eq!(newer, Some(Generation(2)));
}

#[test]
fn applying_the_same_file_again_changes_no_password() {
    let dir = tempfile::tempdir().unwrap();
    let first = offline::with(dir.path(), |s| offline::apply(s, "cli", SITE, "")).unwrap();
    let again = offline::with(dir.path(), |s| offline::apply(s, "cli", SITE, "")).unwrap();
    assert!(first.changed && !again.changed);
    assert_eq!(first.config, again.config);
    let passwords: std::collections::BTreeSet<_> =
        first.config.extension.values().map(|e| &e.password).collect();
    assert_eq!(passwords.len(), 5, "each phone has its own");
}

#[test]
fn a_start_takes_the_newest_generation_that_still_checks() {
    let dir = tempfile::tempdir().unwrap();
    let (store, state, _) = open(dir.path());
    assert!(state.config.is_none());
    store.commit("box", text::parse(SITE).unwrap(), None, "").unwrap();
    store.close();
    let db = rusqlite::Connection::open(dir.path().join("belfry.db")).unwrap();
    let odd = r#"{"system":{"country":7},"from_a_newer_program":{}}"#;
    db.execute("INSERT INTO generation VALUES (2, 0, 'x', 'y', ?1)", [odd]).unwrap();
    drop(db);
    let (store, state, _) = open(dir.path());
    assert_eq!(state.config.map(|(g, _)| g), Some(Generation(1)));
    assert_eq!(state.skipped[0].0, Generation(2));
    assert!(state.skipped[0].1.iter().any(|p| p.field == "from_a_newer_program"));
    assert_eq!(state.newer, None, "more is wrong with it than being newer");
    let next = store.commit("anna", text::parse(SITE).unwrap(), None, "").unwrap();
    assert_eq!(next.generation, Generation(3), "what does not check is not written over");
}

#[test]
fn what_was_set_in_a_newer_version_stays_in_force_after_the_roll_back_but_for_what_is_not_known() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let first = store.commit("box", text::parse(SITE).unwrap(), None, "").unwrap();
    let plain = renamed(&draft::to_tree(&first.config), "Set after the update");
    store.close();
    let mut newer = plain.clone();
    newer["from_a_newer_program"] = json!({ "a": 1 });
    newer["extension"][1]["hologram"] = json!(true);
    newer["extension"][0]["record"] = json!("in_colour");
    let db = rusqlite::Connection::open(dir.path().join("belfry.db")).unwrap();
    db.execute("INSERT INTO generation VALUES (2, 0, 'anna', 'y', ?1)", [newer.to_string()]).unwrap();
    drop(db);

    let (store, state, _) = open(dir.path());
    let left_out = state.newer.expect("it was written by a newer program");
    assert_eq!(left_out.generation, Generation(2));
    assert!(left_out.left_out.contains(&"from_a_newer_program".to_owned()), "{left_out:?}");
    assert!(left_out.left_out.contains(&"extension[1].hologram".to_owned()), "{left_out:?}");
    assert_eq!((left_out.left_out.len(), state.skipped.len()), (3, 0), "{left_out:?}");
    let (generation, config) = state.config.expect("there is one");
    assert_eq!((generation, config.system.name.as_str()), (Generation(3), "Set after the update"));
    assert_eq!(
        draft::to_tree(&config),
        store.reader().current().unwrap().unwrap().1,
        "pages see what is in force"
    );
    assert_eq!(store.reader().generation(Generation(2)).unwrap(), Some(newer), "nothing is lost");
    store.close();
    let (_, state, _) = open(dir.path());
    assert_eq!((state.newer, state.config.map(|(g, _)| g)), (None, Some(Generation(3))), "once");
}

#[test]
fn the_command_line_works_on_a_box_that_is_off() {
    let dir = tempfile::tempdir().unwrap();
    offline::with(dir.path(), |s| offline::apply(s, "cli", SITE, "")).unwrap();
    let text = offline::with(dir.path(), offline::export).unwrap().unwrap();
    let changed = text.replace("name = \"Phone 1\"", "name = \"Reception\"");
    offline::with(dir.path(), |s| offline::apply(s, "cli", &changed, "")).unwrap();
    let changes = offline::with(dir.path(), |s| offline::changes(s, Generation(2))).unwrap().unwrap();
    let paths: Vec<_> = changes.iter().map(|c| c.path.as_str()).collect();
    assert_eq!(paths, ["agent[101].name", "extension[101].name"]);
    offline::with(dir.path(), |s| offline::undo(s, "cli", Generation(1))).unwrap();
    assert_eq!(offline::with(dir.path(), offline::export).unwrap().unwrap(), text);
    assert_eq!(offline::with(dir.path(), |s| offline::history(s, 10)).unwrap().len(), 3);
}

#[test]
fn a_new_password_signs_every_browser_out_and_keeps_the_person() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    offline::user_set(&store, "anna", Role::Agent, "hash-1").unwrap();
    let mut anna = store.reader().user("anna").unwrap().unwrap();
    anna.agent = Some("7".into());
    store.user_put(anna.clone()).unwrap();
    let session = model::query::SessionRow {
        cookie_hash: "c".into(),
        user: "anna".into(),
        csrf: "x".into(),
        created: anna.created,
        seen: anna.created,
    };
    store.session_put(session.clone()).unwrap();
    assert_eq!(store.reader().sessions().unwrap(), [session]);
    offline::user_set(&store, "anna", Role::Admin, "hash-2").unwrap();
    assert_eq!(store.reader().sessions().unwrap(), []);
    let row = store.reader().user("anna").unwrap().unwrap();
    assert_eq!(
        (row.role, row.password_hash.as_str(), row.agent.as_deref()),
        (Role::Admin, "hash-2", Some("7"))
    );
    assert!(store.user_delete("anna").unwrap() && !store.user_delete("anna").unwrap());
}

#[test]
fn tokens_are_found_by_their_hash() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    offline::token_create(&store, "crm", Role::Supervisor, "abc").unwrap();
    assert_eq!(store.reader().token_by_hash("abc").unwrap().unwrap().name, "crm");
    assert_eq!(store.reader().token_by_hash("abd").unwrap(), None);
    assert!(store.token_delete("crm").unwrap());
    assert_eq!(store.reader().tokens().unwrap(), []);
}

#[test]
fn settings_are_kept_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    store.setting_put("setup", Some("done")).unwrap();
    store.close();
    let (store, _, _) = open(dir.path());
    assert_eq!(store.reader().setting("setup").unwrap().as_deref(), Some("done"));
    store.setting_put("setup", None).unwrap();
    assert_eq!(store.reader().setting("setup").unwrap(), None);
}

#[test]
fn what_was_begun_is_remembered_over_a_restart_for_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let wall = model::clock::Wall;
    {
        let (store, _, _) = open(dir.path());
        store.begun_put("old", wall(1_000), wall(0)).unwrap();
        store.begun_put("k1", wall(5_000), wall(2_000)).unwrap();
        store.begun_put("k2", wall(6_000), wall(2_000)).unwrap();
        store.begun_delete("k2").unwrap();
        store.close();
    }
    let (store, _, _) = open(dir.path());
    assert_eq!(store.reader().begun(wall(0)).unwrap(), ["k1"]);
    assert!(store.reader().begun(wall(5_001)).unwrap().is_empty());
}

#[test]
fn own_prompts_that_no_generation_names_are_removed_once_they_are_old() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    let mut tree = text::parse(SITE).unwrap();
    tree["audio"] = json!({ "prompt": { "夜 间": { "zh": "prompts/zh/夜 间-1.wav" } } });
    store.commit("anna", tree.clone(), None, "").unwrap();
    tree["audio"]["prompt"]["夜 间"]["zh"] = json!("prompts/zh/夜 间-2.wav");
    store.commit("anna", tree, None, "").unwrap();
    std::fs::create_dir_all(dir.path().join("prompts/zh")).unwrap();
    let all = ["夜 间-1.wav", "夜 间-2.wav", "夜 间-3.wav"];
    for name in all {
        std::fs::write(dir.path().join("prompts/zh").join(name), b"sound").unwrap();
    }
    let left = || {
        let entries = std::fs::read_dir(dir.path().join("prompts/zh")).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(store.sweep_prompts(std::time::Duration::from_secs(3600)).unwrap(), 0);
    assert_eq!(left(), all, "the third may be about to be named");
    assert_eq!(store.sweep_prompts(std::time::Duration::ZERO).unwrap(), 1);
    assert_eq!(left(), all[..2], "in force, and one step of undo away");
    assert_eq!(store.sweep_prompts(std::time::Duration::ZERO).unwrap(), 0);
}

#[test]
fn what_was_spoken_at_a_phone_and_is_old_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    std::fs::create_dir_all(dir.path().join("takes")).unwrap();
    std::fs::write(dir.path().join("takes/7-1.wav"), b"sound").unwrap();
    assert_eq!(store.sweep_takes(std::time::Duration::from_secs(3600)), 0, "somebody may still be speaking");
    assert_eq!(store.sweep_takes(std::time::Duration::ZERO), 1);
    assert!(!dir.path().join("takes/7-1.wav").exists());
}
