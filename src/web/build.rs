//! Builds the pages of `ui/` and packs them into a Rust table. Never fetches anything unless the lock file changed.
//!
//! `BELFRY_UI=none` leaves them out, `BELFRY_UI=build` builds them, `BELFRY_UI=DIR` takes finished ones from a folder.
//! Unset: release builds build them, debug builds leave them out, so that tests of the Rust side need no Node.
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=BELFRY_UI");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let debug = std::env::var("PROFILE").is_ok_and(|p| p == "debug");
    let wish = std::env::var("BELFRY_UI").unwrap_or_default();
    let folder = match wish.as_str() {
        "none" => None,
        "" if debug => None,
        "" | "build" => Some(build(&ui, &out)),
        folder => {
            println!("cargo:rerun-if-changed={folder}");
            Some(PathBuf::from(folder))
        }
    };
    let files = folder.map(|folder| {
        if !folder.join("index.html").is_file() {
            stop(&format!(
                "{} holds no index.html; set BELFRY_UI=none to do without pages",
                folder.display()
            ));
        }
        let mut files = BTreeMap::new();
        collect(&folder, "", &mut files);
        files
    });
    pack(&files.unwrap_or_default(), &out);
}

/// Runs npm (when the lock changed) and Vite; the folder with the result.
fn build(ui: &Path, out: &Path) -> PathBuf {
    // Named one by one: a folder or file that is not there would make cargo build the pages every time.
    for part in std::fs::read_dir(ui).into_iter().flatten().flatten() {
        if part.file_name() != "node_modules" && part.file_name() != "dist" {
            println!("cargo:rerun-if-changed={}", part.path().display());
        }
    }
    let lock = std::fs::read(ui.join("package-lock.json")).unwrap_or_else(|e| {
        stop(&format!("ui/package-lock.json: {e}; set BELFRY_UI=none to do without pages"))
    });
    let stamp = ui.join("node_modules/.belfry-lock");
    if std::fs::read(&stamp).ok().as_deref() != Some(&lock) {
        run(Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(ui));
        std::fs::write(&stamp, &lock).unwrap_or_else(|e| stop(&format!("{}: {e}", stamp.display())));
    }
    let dist = out.join("dist");
    let vite = ui.join("node_modules/.bin/vite");
    run(Command::new(vite).args(["build", "--emptyOutDir", "--outDir"]).arg(&dist).current_dir(ui));
    dist
}

fn run(command: &mut Command) {
    let done = command.status().unwrap_or_else(|e| {
        stop(&format!(
            "{:?} does not start: {e}; install Node 20, or set BELFRY_UI to a folder with finished pages or to none",
            command.get_program()
        ))
    });
    if !done.success() {
        stop(&format!("{:?} failed with {done}", command.get_program()));
    }
}

fn stop(text: &str) -> ! {
    println!("cargo:warning={text}");
    std::process::exit(1);
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| stop(&format!("{}: {e}", folder.display())));
    for entry in entries.flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, entry.path());
        }
    }
}

fn pack(files: &BTreeMap<String, PathBuf>, out: &Path) {
    let mut table = String::from("static ASSETS: &[Asset] = &[\n");
    for (i, (name, path)) in files.iter().enumerate() {
        let plain = std::fs::read(path).unwrap_or_else(|e| stop(&format!("{}: {e}", path.display())));
        let mut zip = GzEncoder::new(Vec::new(), Compression::best());
        let packed = zip.write_all(&plain).and_then(|()| zip.finish()).unwrap_or_default();
        let smaller = !packed.is_empty() && packed.len() + packed.len() / 10 < plain.len();
        let (raw, gz) = (out.join(format!("{i}.raw")), out.join(format!("{i}.gz")));
        write(&raw, &plain);
        write(&gz, &packed);
        let packed = if smaller { format!("Some(include_bytes!({gz:?}))") } else { "None".to_owned() };
        let _ =
            writeln!(table, "Asset {{ path: {name:?}, plain: include_bytes!({raw:?}), packed: {packed} }},");
    }
    table.push_str("];\n");
    write(&out.join("assets.rs"), table.as_bytes());
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap_or_else(|e| stop(&format!("{}: {e}", path.display())));
}
