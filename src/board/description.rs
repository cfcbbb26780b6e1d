//! What this board has, read from its `board.toml`. Without a file it is the bench board: a PC pretending, with no
//! hardware of its own. Decides nothing.
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Where an image keeps the description of its board.
pub const PLACE: &str = "/usr/share/belfry/board.toml";
/// Environment variable that names another file (benches and tests).
pub const VARIABLE: &str = "BELFRY_BOARD";
/// The bench board.
const BENCH: &str = include_str!("../../board/bench/board.toml");

/// A board.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Name, the folder under `board/`.
    pub name: String,
    /// Hardware watchdog that Belfry feeds itself; none = the service manager's only.
    pub watchdog: Option<Watchdog>,
    /// How the image of this board is made; none = a board without one. Read by `tools/image` and the Yocto layer.
    pub image: Option<Image>,
    /// What is looked at to know how the machine is.
    #[serde(default)]
    pub health: Health,
    /// Its lamps.
    #[serde(default)]
    pub leds: Leds,
    /// Its button, if it has one.
    pub button: Option<Button>,
    /// Controls of its sound card that have to be opened.
    pub sound: Option<Sound>,
}

/// Lamps, by their names below `/sys/class/leds`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Leds {
    /// Where `sys` is; `/` on a box.
    pub root: PathBuf,
    /// The green one.
    pub status: Option<String>,
    /// The red one.
    pub fault: Option<String>,
}

impl Default for Leds {
    fn default() -> Leds {
        Leds { root: "/".into(), status: None, fault: None }
    }
}

/// A button, known by its key: whichever input device of the machine has it. The first boot stage looks for it in the
/// same way (`board/common/boot/button`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Button {
    /// Where `sys` and `dev` are; `/` on a box.
    #[serde(default = "top")]
    pub root: PathBuf,
    /// Its key code of `linux/input-event-codes.h`, e.g. 408 (`KEY_RESTART`).
    pub key: u16,
}

fn top() -> PathBuf {
    "/".into()
}

/// A sound card's mixer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sound {
    /// Card, e.g. `hw:0`.
    pub card: String,
    /// What is opened, and how far.
    pub controls: Vec<Control>,
}

/// One control.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Its simple name, e.g. `Master`.
    pub name: String,
    /// 0 = closed, 100 = as far as it goes.
    pub percent: u8,
}

/// Where the machine tells how it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    /// Where `sys`, `proc` and `run` are; `/` on a box.
    pub root: PathBuf,
    /// Watchdog that the service manager holds, by its name below `/sys/class/watchdog`; none = not looked at.
    pub watchdog: Option<String>,
}

impl Default for Health {
    fn default() -> Health {
        Health { root: "/".into(), watchdog: None }
    }
}

/// What an image of the board needs. The running box uses none of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// `grub-efi` or `u-boot`.
    pub loader: String,
    /// Kernel console, e.g. `ttyS0,115200`; the technician's line.
    pub console: String,
    /// Further kernel arguments.
    pub kernel_arguments: String,
    /// Kernel modules of the first boot stage, in order.
    pub modules: Vec<String>,
}

/// A hardware watchdog.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watchdog {
    /// Device, e.g. `/dev/watchdog0`.
    pub device: PathBuf,
    /// Seconds without a sign of life until the board resets, 5–600.
    pub timeout_s: u32,
}

/// Why a description cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file named by [`VARIABLE`] cannot be read.
    #[error("the board description {path} cannot be read: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not a board description.
    #[error("the board description {path} is wrong: {message}")]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// Where and what.
        message: String,
    },
}

impl Board {
    /// The description of the board we run on.
    ///
    /// # Errors
    /// [`Fault`] when the file is there and cannot be used.
    pub fn load() -> Result<Board, Fault> {
        if let Some(path) = std::env::var_os(VARIABLE).filter(|v| !v.is_empty()) {
            return Board::from_file(Path::new(&path));
        }
        if Path::new(PLACE).exists() {
            return Board::from_file(Path::new(PLACE));
        }
        Board::read(BENCH, Path::new("board/bench/board.toml"))
    }

    fn from_file(path: &Path) -> Result<Board, Fault> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| Fault::Unreadable { path: path.to_owned(), source })?;
        Board::read(&text, path)
    }

    fn read(text: &str, path: &Path) -> Result<Board, Fault> {
        let wrong = |message: String| Fault::Wrong { path: path.to_owned(), message };
        let board: Board = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        match &board.watchdog {
            Some(w) if !(5..=600).contains(&w.timeout_s) => {
                Err(wrong(format!("watchdog.timeout_s is {}; it must be 5 to 600", w.timeout_s)))
            }
            Some(_) | None => Ok(board),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Board, Fault> {
        Board::read(text, Path::new("test.toml"))
    }

    #[test]
    fn the_bench_board_has_no_hardware_watchdog() {
        let board = read(BENCH).unwrap();
        assert_eq!(board.name, "bench");
        assert_eq!(board.watchdog, None);
    }

    #[test]
    fn every_board_of_the_tree_is_readable_and_called_like_its_folder() {
        let boards = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../board");
        let mut seen = 0;
        for folder in std::fs::read_dir(boards).unwrap().map(|entry| entry.unwrap()) {
            let file = folder.path().join("board.toml");
            if file.exists() {
                let board = Board::from_file(&file).unwrap();
                assert_eq!(board.name, folder.file_name().to_string_lossy());
                seen += 1;
            }
        }
        assert!(seen >= 4, "{seen} boards");
    }

    #[test]
    fn a_board_with_a_watchdog_names_its_device() {
        let board = read("name = \"x\"\n[watchdog]\ndevice = \"/dev/watchdog0\"\ntimeout_s = 20\n").unwrap();
        assert_eq!(board.watchdog.unwrap().device, PathBuf::from("/dev/watchdog0"));
    }

    #[test]
    fn lamps_button_and_sound_are_named_by_the_board() {
        let text = "name = \"x\"\n[leds]\nstatus = \"x:green:status\"\n[button]\nkey = 408\n\
                    [sound]\ncard = \"hw:0\"\ncontrols = [{ name = \"Master\", percent = 80 }]\n";
        let board = read(text).unwrap();
        assert_eq!(board.leds.status.as_deref(), Some("x:green:status"));
        assert_eq!(board.button.map(|b| b.key), Some(408));
        assert_eq!(board.sound.map(|s| s.controls.len()), Some(1));
        assert!(read(BENCH).unwrap().button.is_none());
    }

    #[test]
    fn wrong_descriptions_are_refused_with_the_field() {
        let table = [
            ("name = 1", "name"),
            ("nam = \"x\"", "nam"),
            ("name = \"x\"\n[watchdog]\ndevice = \"/dev/w\"\ntimeout_s = 2", "timeout_s"),
            ("name = \"x\"\n[watchdog]\ntimeout_s = 20", "device"),
        ];
        for (text, part) in table {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("test.toml"), "{text}: {error}");
        }
    }
}
