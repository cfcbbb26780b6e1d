//! What the kernel tells about the machine: heat, memory, load, wear of its flash, its watchdog. Read from sysfs and proc,
//! below a root that tests give. A value that the board does not have is `None`. Judges nothing.
use std::fs;
use std::path::{Path, PathBuf};

/// Most sensors of one kind that are looked at: more than any board has.
const MOST: usize = 64;
/// Sensors beyond these, °C, are broken, not hot.
const POSSIBLE_C: std::ops::RangeInclusive<i64> = -60..=200;

/// Where to look.
#[derive(Clone, Debug, Default)]
pub struct Sensors {
    root: PathBuf,
}

/// How the hardware watchdog is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchdogState {
    /// Whether somebody has it armed.
    pub active: bool,
    /// Whether it was what started the machine.
    pub did_reset: bool,
}

/// Bit of `bootstatus`: the last start was a reset by the watchdog (`WDIOF_CARDRESET`).
const CARD_RESET: u64 = 0x20;

impl Sensors {
    /// Below this root; `/` on a box.
    #[must_use]
    pub fn new(root: &Path) -> Sensors {
        Sensors { root: root.to_owned() }
    }

    fn file(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.file(path)).ok().map(|t| t.trim().to_owned())
    }

    /// The hottest sensor: its name and °C.
    #[must_use]
    pub fn hottest(&self) -> Option<(String, i64)> {
        self.zones().chain(self.chips()).filter(|(_, c)| POSSIBLE_C.contains(c)).max_by_key(|(_, c)| *c)
    }

    fn zones(&self) -> impl Iterator<Item = (String, i64)> {
        folders(&self.file("sys/class/thermal"), "thermal_zone").into_iter().filter_map(|zone| {
            let heat = number(&zone.join("temp"))? / 1000;
            Some((read(&zone.join("type")).unwrap_or_default(), heat))
        })
    }

    fn chips(&self) -> impl Iterator<Item = (String, i64)> {
        folders(&self.file("sys/class/hwmon"), "hwmon").into_iter().flat_map(|chip| {
            let name = read(&chip.join("name")).unwrap_or_default();
            let inputs =
                folders(&chip, "temp").into_iter().filter(|p| p.to_string_lossy().ends_with("_input"));
            let heats: Vec<i64> = inputs.filter_map(|p| Some(number(&p)? / 1000)).collect();
            heats.into_iter().map(move |heat| (name.clone(), heat))
        })
    }

    /// Worst of the flash chips (eMMC `life_time`): percent of its life used, in tens.
    #[must_use]
    pub fn wear_percent(&self) -> Option<i64> {
        let disks = folders(&self.file("sys/block"), "mmcblk");
        let worst = |path: &PathBuf| {
            let text = read(&path.join("device/life_time"))?;
            // 0x01 = up to a tenth used … 0x0A = up to all, 0x0B = beyond; 0x00 = not told.
            let parts = text
                .split_whitespace()
                .filter_map(|p| i64::from_str_radix(p.trim_start_matches("0x"), 16).ok());
            parts.filter(|&n| n > 0).max().map(|n| (n * 10).min(110))
        };
        disks.iter().filter_map(worst).max()
    }

    /// Memory that programs could still have, percent. From proc, or where a service may not see it from the nodes.
    #[must_use]
    pub fn memory_free_percent(&self) -> Option<i64> {
        let proc = self
            .text("proc/meminfo")
            .and_then(|t| Some((field(&t, "MemAvailable:")?, field(&t, "MemTotal:")?)));
        let node = || {
            let t = self.text("sys/devices/system/node/node0/meminfo")?;
            let of = |name| field(&t, name);
            let cache = of("FilePages:")? - of("Shmem:").unwrap_or(0) + of("SReclaimable:").unwrap_or(0);
            Some((of("MemFree:")? + cache, of("MemTotal:")?))
        };
        let (free, total) = proc.or_else(node)?;
        (total > 0).then(|| free * 100 / total)
    }

    /// Work waiting for each processor over the last minute, percent.
    #[must_use]
    pub fn load_percent(&self) -> Option<i64> {
        let shown = self.text("proc/loadavg").and_then(|t| t.split(' ').next().map(str::to_owned));
        let asked = || nix::sys::sysinfo::sysinfo().ok().map(|i| format!("{:.2}", i.load_average().0));
        // Always with two digits after the point: hundredths are percent.
        let percent: i64 = shown.or_else(asked)?.replace('.', "").parse().ok()?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Some(percent / i64::try_from(processors).unwrap_or(1))
    }

    /// A watchdog of the kernel, e.g. `watchdog0`; `None` when it is not there.
    #[must_use]
    pub fn watchdog(&self, name: &str) -> Option<WatchdogState> {
        let folder = self.file("sys/class/watchdog").join(name);
        if !folder.exists() {
            return None;
        }
        // A driver without these words is taken to be at work.
        let active = read(&folder.join("state")).is_none_or(|state| state == "active");
        let status = read(&folder.join("bootstatus")).and_then(|t| t.parse::<u64>().ok()).unwrap_or(0);
        Some(WatchdogState { active, did_reset: status & CARD_RESET != 0 })
    }

    /// A word of the start, as the first process left it: `recovery`, `slot` …
    #[must_use]
    pub fn boot_fact(&self, name: &str) -> Option<String> {
        let text = self.text("run/belfry-boot/facts")?;
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    }
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|t| t.trim().to_owned())
}

fn number(path: &Path) -> Option<i64> {
    read(path)?.parse().ok()
}

/// Entries of a folder whose names begin so, sorted.
fn folders(path: &Path, start: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let named = entries.filter(|e| e.file_name().to_string_lossy().starts_with(start));
    let mut found: Vec<PathBuf> = named.take(MOST).map(|e| e.path()).collect();
    found.sort_unstable();
    found
}

/// A line `Name:  123 kB`, also with `Node 0` before it.
fn field(text: &str, name: &str) -> Option<i64> {
    let line = text.lines().find(|l| l.split_whitespace().any(|w| w == name))?;
    line.split_whitespace().skip_while(|w| *w != name).nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Sensors) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let sensors = Sensors::new(root.path());
        (root, sensors)
    }

    #[test]
    fn the_hottest_of_all_sensors_is_named_and_broken_ones_do_not_count() {
        let (_root, sensors) = machine(&[
            ("sys/class/thermal/thermal_zone0/temp", "51000\n"),
            ("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n"),
            ("sys/class/hwmon/hwmon0/name", "nvme\n"),
            ("sys/class/hwmon/hwmon0/temp1_input", "67850\n"),
            ("sys/class/hwmon/hwmon0/temp1_max", "99000\n"),
            ("sys/class/hwmon/hwmon1/temp1_input", "-274000\n"),
            ("sys/class/hwmon/hwmon1/temp2_input", "none"),
        ]);
        assert_eq!(sensors.hottest(), Some(("nvme".to_owned(), 67)));
    }

    #[test]
    fn a_board_without_sensors_says_nothing() {
        let (_root, sensors) = machine(&[]);
        assert_eq!(sensors.hottest(), None);
        assert_eq!(sensors.wear_percent(), None);
        assert_eq!(sensors.memory_free_percent(), None);
        assert_eq!(sensors.watchdog("watchdog0"), None);
        assert_eq!(sensors.boot_fact("recovery"), None);
    }

    #[test]
    fn wear_is_the_worst_figure_of_the_chip() {
        let (_root, sensors) = machine(&[("sys/block/mmcblk0/device/life_time", "0x02 0x09\n")]);
        assert_eq!(sensors.wear_percent(), Some(90));
    }

    #[test]
    fn memory_is_read_from_proc_or_from_the_node() {
        let (_root, sensors) = machine(&[("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable:  250 kB\n")]);
        assert_eq!(sensors.memory_free_percent(), Some(25));
        let node = "Node 0 MemTotal: 1000 kB\nNode 0 MemFree: 100 kB\nNode 0 FilePages: 300 kB\nNode 0 Shmem: 50 kB\n";
        let (_root, sensors) = machine(&[("sys/devices/system/node/node0/meminfo", node)]);
        assert_eq!(sensors.memory_free_percent(), Some(35));
    }

    #[test]
    fn a_watchdog_tells_whether_it_is_armed_and_whether_it_bit() {
        let (_root, sensors) = machine(&[
            ("sys/class/watchdog/watchdog0/state", "active\n"),
            ("sys/class/watchdog/watchdog0/bootstatus", "32\n"),
            ("sys/class/watchdog/watchdog1/state", "inactive\n"),
        ]);
        assert_eq!(sensors.watchdog("watchdog0"), Some(WatchdogState { active: true, did_reset: true }));
        assert_eq!(sensors.watchdog("watchdog1"), Some(WatchdogState { active: false, did_reset: false }));
    }

    #[test]
    fn load_is_counted_for_each_processor() {
        let (_root, sensors) = machine(&[("proc/loadavg", "6.00 1.0 1.0 1/99 7\n")]);
        let processors = i64::try_from(std::thread::available_parallelism().unwrap().get()).unwrap();
        assert!((sensors.load_percent().unwrap() - 600 / processors).abs() <= 1);
    }

    #[test]
    fn words_of_the_start_are_found() {
        let (_root, sensors) = machine(&[("run/belfry-boot/facts", "slot=a\nrecovery=1\n")]);
        assert_eq!(sensors.boot_fact("recovery").as_deref(), Some("1"));
        assert_eq!(sensors.boot_fact("slot").as_deref(), Some("a"));
    }
}
