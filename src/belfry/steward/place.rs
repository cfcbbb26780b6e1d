//! Where the steward works: the whole machine, or a folder that stands for it in a test. Every path and every program an
//! act uses is asked for here, so nothing outside the folder is touched.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Facts of this boot, written by the initrd.
const FACTS: &str = "/run/belfry-boot/facts";

/// The machine, or a folder.
#[derive(Debug)]
pub struct Place {
    root: Option<PathBuf>,
}

impl Place {
    /// `None` = the machine itself.
    #[must_use]
    pub fn new(root: Option<PathBuf>) -> Place {
        Place { root }
    }

    /// Whether a folder stands for the machine.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.root.is_some()
    }

    /// Where an absolute path of the machine is.
    #[must_use]
    pub fn path(&self, absolute: &str) -> PathBuf {
        match &self.root {
            None => PathBuf::from(absolute),
            Some(root) => root.join(absolute.trim_start_matches('/')),
        }
    }

    /// Where a program of the machine is, or a path that does not exist.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        ["/usr/bin", "/usr/sbin"]
            .into_iter()
            .map(|folder| self.path(folder).join(name))
            .find(|path| path.exists())
            .unwrap_or_else(|| self.path("/usr/bin").join(name))
    }

    /// What a program finds in its environment: nothing of ours but where programs are, and in a folder of a test where
    /// that folder is.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, std::ffi::OsString)> {
        let mut all: Vec<(&'static str, std::ffi::OsString)> =
            vec![("PATH", "/usr/sbin:/usr/bin:/sbin:/bin".into()), ("LC_ALL", "C.UTF-8".into())];
        if let Some(root) = &self.root {
            all.push(("STEWARD_ROOT", root.into()));
        }
        all
    }

    /// One fact of this boot (`slot`, `recovery`, `reset`, `version`, `first_boot`).
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<String> {
        facts(&self.path(FACTS)).remove(name)
    }
}

/// Reads `name=value` lines.
#[must_use]
pub fn facts(file: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().trim_matches('"').to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_below_the_folder_of_a_test() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(Some(folder.path().to_owned()));
        assert!(place.path("/etc/rauc").starts_with(folder.path()));
        assert!(place.program("systemctl").starts_with(folder.path()));
        std::fs::create_dir_all(folder.path().join("run/belfry-boot")).unwrap();
        std::fs::write(folder.path().join("run/belfry-boot/facts"), "slot=b\nversion=\"1.2\"\nnoise\n")
            .unwrap();
        assert_eq!(place.fact("slot").as_deref(), Some("b"));
        assert_eq!(place.fact("version").as_deref(), Some("1.2"));
        assert_eq!(place.fact("recovery"), None);
    }
}
