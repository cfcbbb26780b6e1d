//! K8 and K7, as far as text can tell: no part of the product asks for a licence or calls an address outside that nobody
//! configured; the same program serves five extensions and five hundred. `tests/wire/alone.rs` runs it without a way out.
use model::config::draft;
use serde_json::json;
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Where the product is; its tests and its simulator do not run on a box.
const PRODUCT: [&str; 4] = ["src", "rootfs", "systemd", "board"];

/// Words of programs that sell themselves by parts or report home.
const GATES: [&str; 16] = [
    "licence_key",
    "license_key",
    "licensekey",
    "licencekey",
    "license_server",
    "licence_server",
    "activation_code",
    "product_key",
    "entitlement",
    "trial_period",
    "trial_days",
    "paid_feature",
    "phone_home",
    "phonehome",
    "telemetry",
    "analytics",
];

/// Names that stand in the product and are never asked: examples, names of formats, credits.
const NEVER_ASKED: [&str; 7] = [
    "example.com",
    "example.net",
    "example.org",
    "www.w3.org",
    "lucide.dev",
    "age-encryption.org",
    "theivrvoice.com",
];

/// Ends of names on the Internet. A firm's service would be under one of these.
const ENDS: [&str; 10] = [".com", ".net", ".org", ".io", ".cn", ".cloud", ".app", ".ai", ".dev", ".eu"];

/// Every text of the product, without its tests, by name.
fn product() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<_> = PRODUCT.iter().map(|f| Path::new(ROOT).join(f)).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the tree is there").flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let skip =
                ["node_modules", "dist", "tests", "sim", "package-lock.json", "tests.rs", "openapi.json"];
            if skip.contains(&name.as_str()) || path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let shipped = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                found.push((path.display().to_string(), shipped));
            }
        }
    }
    found
}

/// Names of hosts in a text: runs of letters, digits, dots and hyphens with a known end.
fn hosts(text: &str) -> Vec<&str> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_' || c == '(';
    let name = |w: &&str| {
        let plain = !w.contains(['_', '(']) && w.chars().all(|c| !c.is_ascii_uppercase());
        plain && ENDS.iter().any(|end| w.strip_suffix(end).is_some_and(|host| !host.is_empty()))
    };
    text.split(|c: char| !part(c)).map(|w| w.trim_end_matches('.')).filter(name).collect()
}

/// A name that is asked by nobody: an example, or a field of ours like `self.app`.
fn harmless(host: &str) -> bool {
    let example = |name: &str| host == name || host.ends_with(&format!(".{name}"));
    NEVER_ASKED.iter().any(|name| example(name)) || (host.matches('.').count() == 1 && host.ends_with(".app"))
}

#[test]
fn nothing_is_gated_by_a_licence_and_nobody_is_reported_to() {
    for (file, text) in product() {
        let text = text.to_lowercase();
        let found: Vec<&&str> = GATES.iter().filter(|word| text.contains(**word)).collect();
        assert!(found.is_empty(), "{file} speaks of {found:?}");
    }
}

#[test]
fn no_address_outside_is_built_in() {
    let all = product();
    assert!(all.len() > 300, "the product is found: {} files", all.len());
    for (file, text) in &all {
        let found: Vec<&str> = hosts(text).into_iter().filter(|host| !harmless(host)).collect();
        assert!(
            found.is_empty(),
            "{file} names {found:?}: what the box asks outside comes from its site only"
        );
    }
}

#[test]
fn a_name_outside_would_be_found() {
    let found = |text| hosts(text).into_iter().filter(|host| !harmless(host)).count();
    assert_eq!(found("ask(\"https://updates.belfry-cloud.com/check\")"), 1);
    assert_eq!(found("servers = [\"0.pool.ntp.org\"]"), 1);
    assert_eq!(found("e.g. mail.example.com, self.app"), 0);
}

#[test]
fn five_extensions_or_five_hundred_are_the_same_program() {
    for count in [5_u32, 500] {
        let extension = |n: u32| json!({ "number": (1000 + n).to_string(), "name": "Phone", "password": "long-enough-1" });
        let site = json!({
            "system": { "name": "Shop", "country": "DE", "time_zone": "Europe/Berlin" },
            "extension": (0..count).map(extension).collect::<Vec<_>>(),
        });
        match draft::read(&site) {
            Ok(config) => assert_eq!(config.extension.len(), usize::try_from(count).expect("small")),
            Err(problems) => panic!("{count} extensions are refused: {problems:?}"),
        }
    }
}
