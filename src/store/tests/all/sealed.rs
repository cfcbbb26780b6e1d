//! The configuration at rest: no file of the data folder shows its secrets, the key is a file of its own, and whoever may
//! read the site reads it as before.
use crate::kept::open;
use model::config::{draft, text};
use model::id::Generation;
use rusqlite::Connection;
use std::path::Path;
use store::backup::{self, Wanted};
use store::migrate::{KNOWN, STEPS, bring};
use store::{Store, offline, reset};

const SITE: &str = include_str!("../../../../rootfs/usr/share/belfry/defaults/site.toml");
/// A password that stands in the configuration, and nowhere else.
const SECRET: &str = "tell-nobody-101";

fn with_secret() -> serde_json::Value {
    let mut tree = text::parse(SITE).unwrap();
    tree["extension"][0]["password"] = SECRET.into();
    tree
}

fn password(store: &Store) -> String {
    let (_, tree) = store.reader().current().unwrap().unwrap();
    tree["extension"][0]["password"].as_str().unwrap_or_default().to_owned()
}

/// Files of the folder, at any depth, that hold the secret.
fn telling(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in dir.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(telling(&path));
        } else if std::fs::read(&path).unwrap().windows(SECRET.len()).any(|bytes| bytes == SECRET.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

/// A folder as a program wrote it that knew schema `schema` only.
fn older(dir: &Path, schema: u32) {
    let mut db = Connection::open(dir.join("belfry.db")).unwrap();
    bring(&mut db, &STEPS, schema).unwrap();
    let config = store::finish(with_secret(), None).unwrap();
    let tree = draft::to_tree(&config).to_string();
    db.execute("INSERT INTO generation VALUES (1, 0, 'anna', 'x', ?1)", [tree]).unwrap();
}

#[test]
fn no_file_of_a_new_box_shows_a_password_and_everybody_reads_it_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    store.commit("anna", with_secret(), None, "").unwrap();
    assert_eq!(telling(dir.path()), Vec::<String>::new(), "while the box runs");
    assert_eq!(password(&store), SECRET);
    store.close();
    assert_eq!(telling(dir.path()), Vec::<String>::new(), "and while it rests");
    let (store, state, _) = open(dir.path());
    assert_eq!(state.config.map(|(generation, _)| generation), Some(Generation(1)));
    assert_eq!(password(&store), SECRET);
    assert!(offline::export(&store).unwrap().unwrap().contains(SECRET));
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(dir.path().join("keys/site")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn after_a_damaged_database_the_sealed_copy_beside_it_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    store.commit("anna", with_secret(), None, "").unwrap();
    store.close();
    std::fs::write(dir.path().join("belfry.db"), vec![7; 8192]).unwrap();
    let (store, state, _) = open(dir.path());
    assert!(state.set_aside.is_some());
    assert_eq!(password(&store), SECRET);
    assert_eq!(telling(dir.path()), Vec::<String>::new());
}

#[test]
fn a_backup_goes_to_a_box_with_another_key_and_both_keep_it_sealed() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (store, _, _) = open(dir.path());
    store.commit("anna", with_secret(), None, "").unwrap();
    let (file, now) = (dir.path().join("one.belfry"), model::clock::Wall(1_800_000_000_000));
    let wanted =
        Wanted { recordings: false, version: "test".into(), pass_phrase: "a long pass phrase".into() };
    backup::create(dir.path(), &file, &wanted, now).unwrap();
    assert_eq!(telling(dir.path()), Vec::<String>::new(), "neither the backup nor what it was made of");
    let (fresh, _, _) = open(other.path());
    fresh.close();
    backup::stage(other.path(), &file, "a long pass phrase").unwrap();
    backup::commit(other.path()).unwrap();
    let (fresh, state, _) = open(other.path());
    assert!(state.restored.is_some());
    assert_eq!(password(&fresh), SECRET);
    assert_eq!(telling(other.path()), Vec::<String>::new());
    let key = |dir: &Path| std::fs::read(dir.join("keys/site")).unwrap();
    assert_ne!(key(dir.path()), key(other.path()));
}

#[test]
fn data_of_a_version_that_could_not_read_it_stays_clear_so_that_going_back_works() {
    let dir = tempfile::tempdir().unwrap();
    older(dir.path(), 11);
    for _ in 0..2 {
        let (store, _, _) = open(dir.path());
        assert_eq!(password(&store), SECRET);
        store.close();
    }
    assert!(!dir.path().join("keys/site").exists());
    // The version before takes it back: with what the file brought along, and without any function of ours.
    let mut db = Connection::open(dir.path().join("belfry.db")).unwrap();
    bring(&mut db, &STEPS[..11], 11).unwrap();
    let tree: String = db.query_row("SELECT tree FROM generation", [], |row| row.get(0)).unwrap();
    assert!(tree.contains(SECRET));
}

#[test]
fn a_version_that_cannot_read_what_is_sealed_refuses_it_instead_of_starting_without_a_site() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    store.commit("anna", with_secret(), None, "").unwrap();
    store.close();
    let mut db = Connection::open(dir.path().join("belfry.db")).unwrap();
    let refused = bring(&mut db, &STEPS[..11], 11).unwrap_err();
    assert!(!refused.is_damage(), "it must not be set aside: {refused}");
    drop(db);
    let (store, _, _) = open(dir.path());
    assert_eq!(password(&store), SECRET, "nothing was harmed");
}

#[test]
fn when_the_key_is_destroyed_the_configuration_is_gone_and_the_box_is_set_up_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, _) = open(dir.path());
    store.commit("anna", with_secret(), None, "").unwrap();
    store.close();
    reset::destroy(&dir.path().join("keys")).unwrap();
    let (store, state, _) = open(dir.path());
    assert!(state.config.is_none() && store.reader().current().unwrap().is_none());
    store.commit("bert", with_secret(), None, "").unwrap();
    store.close();
    assert_eq!(telling(dir.path()), Vec::<String>::new(), "sealed with the new key");
    let db = Connection::open(dir.path().join("belfry.db")).unwrap();
    let version: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, KNOWN);
}
