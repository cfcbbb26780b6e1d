//! The Yocto layer against the rest of the tree: what its recipes name exists, both builders take the same overlay, units,
//! disk and boards. That it builds is not shown here; see yocto/README.md.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Names of the files below a folder, relative to it.
fn files(folder: &str) -> BTreeSet<String> {
    fn walk(top: &Path, folder: &Path, found: &mut BTreeSet<String>) {
        for entry in
            std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())).flatten()
        {
            let path = entry.path();
            if path.is_dir() {
                walk(top, &path, found);
            } else {
                let name = path.strip_prefix(top).expect("below it").display().to_string();
                found.insert(name);
            }
        }
    }
    let (top, mut found) = (root().join(folder), BTreeSet::new());
    walk(&top, &top, &mut found);
    found
}

fn layer(ending: &str) -> Vec<(String, String)> {
    let all = files("yocto/meta-belfry").into_iter().filter(|name| name.ends_with(ending));
    all.map(|name| (name.clone(), read(&format!("yocto/meta-belfry/{name}")))).collect()
}

/// The words of `NAME = "…"`, over several lines when they end with a backslash.
fn words(recipe: &str, name: &str) -> BTreeSet<String> {
    let start = recipe.find(&format!("{name} = \"")).unwrap_or_else(|| panic!("there is no {name}"));
    let value = recipe[start..].split('"').nth(1).expect("a value in quotes");
    value.split_whitespace().filter(|w| *w != "\\").map(str::to_owned).collect()
}

const SYSTEM: &str = "yocto/meta-belfry/recipes-belfry/belfry-system/belfry-system_git.bb";

#[test]
fn both_builders_take_every_unit_and_the_whole_overlay() {
    let recipe = read(SYSTEM);
    assert_eq!(words(&recipe, "BELFRY_UNITS"), files("systemd"), "units of the recipe and of systemd/");
    let enabled = words(&recipe, "SYSTEMD_SERVICE:${PN}");
    assert!(enabled.is_subset(&files("systemd")), "{enabled:?}");
    let overlay = files("rootfs");
    let elsewhere = words(&recipe, "BELFRY_ELSEWHERE");
    assert!(elsewhere.is_subset(&overlay), "left out, but not there: {elsewhere:?}");
    assert!(recipe.contains("cp -R --no-dereference --preserve=mode,links ${S}/rootfs/. ${D}/"));

    let debian = read("tools/imaging/root.sh");
    assert!(
        debian.contains("cp -a --no-preserve=ownership \"$1/.\" \"$root/\"")
            && debian.contains("\n    lay rootfs\n"),
        "tools/image takes the whole overlay"
    );
    let taken = |unit: &String| [".service", ".mount"].iter().any(|kind| unit.ends_with(kind));
    assert!(
        debian.contains("systemd/*.{service,mount}") && files("systemd").iter().all(taken),
        "and every unit"
    );
}

#[test]
fn every_file_of_the_tree_that_a_recipe_names_is_there() {
    for (name, recipe) in layer(".bb").into_iter().chain(layer(".bbappend")) {
        let beside = Path::new("yocto/meta-belfry").join(&name);
        for word in recipe.split(|c: char| c.is_whitespace() || c == '"') {
            let file = word.strip_prefix("file://").or_else(|| word.strip_prefix("${BELFRY_TREE}/"));
            let Some(file) = file.and_then(|f| f.split([';', ':']).next()) else { continue };
            if file.starts_with("${COMMON_LICENSE_DIR}") || file.starts_with("target/") {
                continue;
            }
            let boards = ["generic-x86_64", "rpi-cm4"].map(|board| file.replace("${BELFRY_BOARD}", board));
            for file in boards {
                let near = files_near(&beside, &file);
                assert!(root().join(&file).exists() || near, "{name} names {file}, which is nowhere");
            }
        }
    }
}

/// Beside the recipe, where bitbake looks: in a folder of its own name or `files`.
fn files_near(recipe: &Path, file: &str) -> bool {
    let folder = root().join(recipe.parent().expect("a recipe lies in a folder"));
    let stem = recipe.file_stem().expect("a file").to_string_lossy();
    let package = stem.split('_').next().unwrap_or_default();
    ["files", package].iter().any(|sub| folder.join(sub).join(file).exists())
}

#[test]
fn the_disk_is_the_one_of_board_common() {
    let wks = read("yocto/meta-belfry/files/wic/belfry.wks.in");
    let after = |line: &str, word: &str| {
        line.split_whitespace().skip_while(|w| *w != word).nth(1).unwrap_or_default().to_owned()
    };
    let ours: Vec<String> = wks
        .lines()
        .filter(|l| l.starts_with("part "))
        .map(|l| format!("{} {}", after(l, "--part-name"), after(l, "--fixed-size").trim_end_matches('M')))
        .collect();
    let theirs: Vec<String> = read("board/common/disk")
        .lines()
        .filter(|l| !l.starts_with('#') && !l.trim().is_empty())
        .map(|l| {
            let words: Vec<&str> = l.split_whitespace().collect();
            format!("{} {}", words[0], words[2])
        })
        .collect();
    assert_eq!(ours, theirs);
    let slots = read("rootfs/etc/rauc/system.conf");
    for name in ["boot-a", "root-a", "boot-b", "root-b"] {
        assert!(
            ours.iter().any(|p| p.starts_with(name)) && slots.contains(&format!("/part/{name}")),
            "{name}"
        );
    }
}

#[test]
fn each_kas_file_builds_a_machine_of_the_layer_for_a_board_of_the_tree() {
    for (kas, board) in [("generic-x86-64", "generic-x86_64"), ("rpi-cm4", "rpi-cm4")] {
        let machine = format!("belfry-{kas}");
        assert!(read(&format!("yocto/kas/{kas}.yml")).contains(&format!("machine: {machine}\n")), "{kas}");
        let conf = read(&format!("yocto/meta-belfry/conf/machine/{machine}.conf"));
        assert!(conf.contains(&format!("BELFRY_BOARD = \"{board}\"")), "{machine}");
        assert!(conf.contains("require conf/machine/include/belfry.inc"), "{machine}");
        let board = read(&format!("board/{board}/board.toml"));
        assert!(board.contains("[image]") && board.contains("loader ="), "{machine}: {board}");
    }
    assert!(read("yocto/kas/common.yml").contains("distro: belfryos\n"));
    let licence =
        std::process::Command::new("md5sum").arg(root().join("LICENSE-MIT")).output().expect("coreutils");
    let sum = String::from_utf8_lossy(&licence.stdout);
    let sum = sum.split_whitespace().next().expect("a sum");
    for (name, recipe) in layer(".bb") {
        if recipe.contains("file://LICENSE-MIT;md5=") {
            assert!(recipe.contains(sum), "{name} has another sum of the licence");
        }
    }
}

#[test]
fn every_program_the_first_boot_stage_calls_is_in_both_memory_file_systems() {
    let init = read("board/common/boot/init");
    let (debian, recipe) = (
        read("tools/imaging/boot.sh"),
        read("yocto/meta-belfry/recipes-belfry/images/belfry-first-stage.bb"),
    );
    for program in ["dmsetup", "e2fsck", "mke2fs", "sfdisk", "blkdiscard", "grub-editenv"] {
        assert!(init.contains(&format!("/bin/{program}")), "the first process no longer calls {program}");
        assert!(debian.contains(program) && recipe.contains(program), "{program} is missing in one of them");
    }
    assert!(init.lines().any(|line| line == ". /button"), "the first process no longer reads the button");
    for file in ["boot/init", "boot/button", "board.toml"] {
        assert!(debian.contains(file) && recipe.contains(file), "{file} is missing in one of them");
    }
}
