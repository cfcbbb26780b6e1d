//! Embeds the prompts: runs `tools/prompts OUT`, or takes the folder named by `BELFRY_PROMPTS`, and writes a table of
//! `include_bytes!`. A debug build goes on without prompts when the tool fails; a release build does not.
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=BELFRY_PROMPTS");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    println!("cargo::rustc-env=BELFRY_BUILT_S={}", built());
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = match std::env::var_os("BELFRY_PROMPTS").filter(|dir| !dir.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => make(&root, &out.join("prompts")),
    };
    let mut table = String::new();
    for (name, part) in [("EN", "en"), ("ZH", "zh"), ("MUSIC", "music")] {
        let _ = writeln!(table, "static {name}: &[(&str, &[u8])] = &[");
        for path in sounds(&folder.join(part)) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let _ = writeln!(table, "    ({stem:?}, include_bytes!({:?})),", path.display().to_string());
        }
        table.push_str("];\n");
    }
    std::fs::write(out.join("prompts.rs"), table).expect("OUT_DIR is writable");
}

/// The date of the sources: as told, else that of the last commit; the same sources give the same binary. Without either
/// nothing is known, and every clock is believed.
fn built() -> u64 {
    let told = std::env::var("SOURCE_DATE_EPOCH").ok();
    let commit = || {
        let done = Command::new("git").args(["log", "-1", "--format=%ct"]).output().ok()?;
        String::from_utf8(done.stdout).ok()
    };
    told.or_else(commit).and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

fn make(root: &Path, out: &Path) -> PathBuf {
    let tool = root.join("tools/prompts");
    println!("cargo::rerun-if-changed={}", tool.display());
    for part in ["rootfs/usr/share/belfry/prompts", "rootfs/usr/share/belfry/music"] {
        if root.join(part).exists() {
            println!("cargo::rerun-if-changed={}", root.join(part).display());
        }
    }
    let done = Command::new(&tool).arg(out).current_dir(root).output();
    let why = match done {
        Ok(output) if output.status.success() => return out.to_owned(),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; "),
        Err(error) => error.to_string(),
    };
    let message = format!("no prompts: {} failed: {why} (tools/up installs what it needs)", tool.display());
    assert!(std::env::var("PROFILE").is_ok_and(|profile| profile != "release"), "{message}");
    println!("cargo::warning={message}");
    out.to_owned()
}

fn sounds(folder: &Path) -> Vec<PathBuf> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| std::fs::canonicalize(entry.ok()?.path()).ok())
        .filter(|path| path.extension().is_some_and(|e| e == "ul"))
        .collect();
    found.sort();
    found
}
