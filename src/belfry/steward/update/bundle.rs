//! Whether the uploaded bundle may be installed. In this order: it is a whole signed bundle (RAUC, then every block),
//! made for this board, not older than this system allows, with a data format that this box can go to and come back
//! from. The first thing that is wrong is told in one sentence; nothing is changed here.
use super::verity;
use super::version::Version;
use crate::steward::Tell;
use crate::steward::place::Place;
use crate::steward::run::{self, Ran};
use board::steward::{BUNDLE, Bundle, Refused};
use model::sentence::Sentence;
use serde::Deserialize;
use std::time::Duration;

/// RAUC reads the signature at the end of the file.
const LOOK: Duration = Duration::from_secs(60);
/// What this system says about updates; it comes with each image.
const RULES: &str = "/usr/share/belfry/update.toml";
/// RAUC's configuration: the board, and whose signatures count.
const SYSTEM: &str = "/etc/rauc/system.conf";
/// Start of the manifest's field `build`; the number of the data format follows.
const SCHEMA: &str = "schema-";

/// What an image says about updates.
#[derive(Debug, Deserialize)]
struct Rules {
    /// Oldest version that may replace this one.
    oldest: String,
}

/// What `rauc info` prints, as far as it is needed.
#[derive(Debug, Deserialize)]
struct Manifest {
    compatible: String,
    version: Option<String>,
    build: Option<String>,
}

/// Looks at the uploaded bundle, telling how far it is.
///
/// # Errors
/// Why it may not be installed.
pub fn inspect(place: &Place, tell: Tell<'_>) -> Result<Bundle, Refused> {
    let mut checked = |percent| tell(percent, Sentence::new("Checking the file", "正在检查文件"));
    checked(0);
    let path = place.path(BUNDLE);
    let bytes = std::fs::metadata(&path).map_err(|_| missing())?.len();
    let running = super::slots::running_version(place);
    let (file, system) = (path.to_string_lossy(), place.path(SYSTEM));
    let conf = format!("--conf={}", system.to_string_lossy());
    let manifest = read(&run::run(place, "rauc", &[&conf, "info", "--output-format=json", &file], LOOK)?)?;
    right_board(&manifest, &std::fs::read_to_string(&system).unwrap_or_default())?;
    let rules = std::fs::read_to_string(place.path(RULES)).unwrap_or_default();
    let version = new_enough(&manifest, &rules)?;
    right_format(&manifest, store::migrate::KNOWN, store::migrate::BACK_TO)?;
    if !verity::whole(&path, &mut checked).map_err(|_| missing())? {
        return Err(damaged());
    }
    let older = Version::read(&running).is_some_and(|now| version.older_than(&now));
    Ok(Bundle { version: version.to_string(), running, older, bytes })
}

fn read(ran: &Ran) -> Result<Manifest, Refused> {
    if !ran.ok {
        return Err(if ran.err.contains("signature verification failed") { foreign() } else { damaged() });
    }
    serde_json::from_str(ran.out.trim()).map_err(|_| damaged())
}

fn right_board(manifest: &Manifest, system: &str) -> Result<(), Refused> {
    let ours =
        system.lines().find_map(|line| line.trim().strip_prefix("compatible=")).unwrap_or_default().trim();
    if manifest.compatible == ours {
        return Ok(());
    }
    let theirs = &manifest.compatible;
    Err(Refused::new(
        "wrong_board",
        format!(
            "This update is for another kind of box ({theirs}); this one is {ours}. Get the file for {ours}."
        ),
        format!("此更新适用于另一种设备（{theirs}）；本机是 {ours}。请获取适用于 {ours} 的文件。"),
    ))
}

fn new_enough(manifest: &Manifest, rules: &str) -> Result<Version, Refused> {
    let version = manifest.version.as_deref().and_then(Version::read).ok_or_else(damaged)?;
    let rules: Option<Rules> = toml::from_str(rules).ok();
    let Some(oldest) = rules.and_then(|r| Version::read(&r.oldest)) else {
        return Err(Refused::new(
            "no_rules",
            "This system does not say which updates it takes (its file update.toml is missing).",
            "本系统没有说明可接受哪些更新（缺少 update.toml 文件）。",
        ));
    };
    if version.older_than(&oldest) {
        return Err(Refused::new(
            "too_old",
            format!("This update is version {version}; this box takes {oldest} or newer. Get a newer file."),
            format!("此更新的版本是 {version}；本机只接受 {oldest} 或更新的版本。请获取更新的文件。"),
        ));
    }
    Ok(version)
}

/// An older program takes the data back by the steps a newer one left; how far that was tested is `back_to`.
fn right_format(manifest: &Manifest, known: u32, back_to: u32) -> Result<(), Refused> {
    let number =
        manifest.build.as_deref().and_then(|b| b.strip_prefix(SCHEMA)).and_then(|n| n.parse::<u32>().ok());
    let number = number.ok_or_else(damaged)?;
    if number >= back_to {
        return Ok(());
    }
    Err(Refused::new(
        "format_too_old",
        format!(
            "This update keeps its data in format {number}; this box is at {known} and can go back to {back_to} only. \
             Go back one version at a time."
        ),
        format!("此更新的数据格式是 {number}；本机是 {known}，只能回退到 {back_to}。请逐个版本回退。"),
    ))
}

fn missing() -> Refused {
    Refused::new(
        "no_bundle",
        "No update file was uploaded. Upload one first.",
        "还没有上传更新文件。请先上传。",
    )
}

fn foreign() -> Refused {
    Refused::new(
        "foreign_signature",
        "This update is not signed by the maker of this box's system. Use only files from the maker.",
        "此更新没有本机系统制造者的签名。请只使用制造者提供的文件。",
    )
}

fn damaged() -> Refused {
    Refused::new(
        "damaged",
        "This is not a whole, signed Belfry update: it is unsigned, damaged, cut off or something else. Download it again.",
        "这不是完整且已签名的 Belfry 更新：它没有签名、已损坏、不完整或是其他文件。请重新下载。",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(version: &str, build: &str) -> Manifest {
        Manifest { compatible: "belfry-x".into(), version: Some(version.into()), build: Some(build.into()) }
    }

    #[test]
    fn only_a_bundle_for_this_board_is_taken() {
        let system = "[system]\ncompatible=belfry-x\n";
        assert!(right_board(&manifest("1.0", ""), system).is_ok());
        let refused = right_board(&manifest("1.0", ""), "compatible=belfry-y\n").unwrap_err();
        assert_eq!(refused.code, "wrong_board");
        assert!(refused.said.en.contains("belfry-y") && refused.said.zh.contains("belfry-x"));
    }

    #[test]
    fn what_is_older_than_the_image_allows_is_refused() {
        let rules = "oldest = \"0.2.0\"";
        assert!(new_enough(&manifest("0.2.0", ""), rules).is_ok());
        assert_eq!(new_enough(&manifest("0.1.9", ""), rules).unwrap_err().code, "too_old");
        assert_eq!(new_enough(&manifest("first", ""), rules).unwrap_err().code, "damaged");
        assert_eq!(new_enough(&manifest("0.2.0", ""), "").unwrap_err().code, "no_rules");
    }

    #[test]
    fn data_goes_back_by_one_version_only() {
        assert!(right_format(&manifest("1", "schema-9"), 5, 4).is_ok());
        assert!(right_format(&manifest("1", "schema-4"), 5, 4).is_ok());
        assert_eq!(right_format(&manifest("1", "schema-3"), 5, 4).unwrap_err().code, "format_too_old");
        assert_eq!(right_format(&manifest("1", "5"), 5, 4).unwrap_err().code, "damaged");
    }
}
