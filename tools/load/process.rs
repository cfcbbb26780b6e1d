//! CPU and memory of a process and all its descendants, from /proc.
use std::collections::BTreeMap;
use std::fs;

fn tree(pid: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(child) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        if let Some(parent) = fields(child).and_then(|f| f.get(1)?.parse().ok()) {
            children.entry(parent).or_default().push(child);
        }
    }
    let mut out = vec![pid];
    let mut next = 0;
    while let Some(&parent) = out.get(next) {
        out.extend(children.get(&parent).into_iter().flatten());
        next += 1;
    }
    out
}

/// The fields of /proc/PID/stat after the command name: state, parent, …
fn fields(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(") ")?.1.split(' ').map(str::to_owned).collect())
}

/// User and system time of the tree, seconds.
pub fn cpu_seconds(pid: u32) -> f64 {
    let ticks = |pid: u32| -> f64 {
        let fields = fields(pid).unwrap_or_default();
        (11..15).filter_map(|n| fields.get(n)?.parse::<f64>().ok()).sum()
    };
    tree(pid).into_iter().map(ticks).sum::<f64>() / 100.0
}

/// Proportional set size of the tree, KiB; `None` when it cannot be read.
pub fn memory_kib(pid: u32) -> Option<f64> {
    let one = |pid: u32| -> Option<f64> {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        text.lines().find(|l| l.starts_with("Pss:"))?.split_whitespace().nth(1)?.parse().ok()
    };
    tree(pid).into_iter().map(one).sum()
}
