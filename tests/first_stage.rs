//! The button of the first boot stage: `board/common/boot/button` in the shell that runs it on the box, with a folder in
//! place of the machine. That `init` wipes when it is asked to is the scene `reset` of tests/image.
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A keyboard without the key 408, and a button that has nothing else, as the kernel writes their keys.
const KEYBOARD: &str = "402000000 3803078f800d001 feffffdfffefffff fffffffffffffffe\n";
const BUTTON: &str = "1000000 0 0 0 0 0 0\n";

/// A folder with lamps, a keyboard and a button, described by `board.toml`.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new(board: &str) -> Machine {
        let machine = Machine(tempfile::tempdir().expect("a folder"));
        machine.write("board.toml", board);
        for (device, keys) in [("event0", KEYBOARD), ("event1", BUTTON)] {
            machine.write(&format!("sys/class/input/{device}/device/capabilities/key"), keys);
        }
        for lamp in ["ACT", "PWR"] {
            machine.write(&format!("sys/class/leds/{lamp}/trigger"), "mmc0");
            machine.write(&format!("sys/class/leds/{lamp}/max_brightness"), "255\n");
            machine.write(&format!("sys/class/leds/{lamp}/brightness"), "0\n");
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// Runs `held` after these lines; the script ends with "reset" or "nothing".
    fn held(&self, lines: &str) -> Output {
        let button = Path::new(env!("CARGO_MANIFEST_DIR")).join("../board/common/boot/button");
        let script = format!(
            ". {}\nhere={}\n{lines}\nif held; then echo reset; else echo nothing; fi\n",
            button.display(),
            self.0.path().display()
        );
        Command::new("busybox").args(["sh", "-c", &script]).output().expect("busybox (tools/packages)")
    }
}

const BOARD: &str =
    "name = \"x\"\n\n[leds]\nstatus = \"ACT\"\nfault = \"PWR\"\n\n[button]\nkey = 408\n\n[image]\nkey = 1\n";

/// A button that is let go after so many seconds; a look at it takes one. Each look tells what the lamps showed.
fn finger(held_s: u32) -> String {
    format!(
        "at=0
        shown() {{ cat $here/sys/class/leds/ACT/brightness $here/sys/class/leds/PWR/brightness | tr '\\n' ' ' >>$here/shown; echo >>$here/shown; }}
        clock() {{ at=$((at + 1)); }}
        turned() {{ shown; [ $at = 0 ] && echo down; [ $at = {held_s} ] && echo up; }}
        : >$here/dev/input/event1"
    )
}

fn with_device(board: &str) -> Machine {
    let machine = Machine::new(board);
    machine.write("dev/input/event0", "");
    machine.write("dev/input/event1", "");
    machine
}

fn said(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("text").trim_end().lines().last().unwrap_or_default()
}

#[test]
fn a_button_held_at_power_on_resets_when_it_is_let_go_between_ten_and_twenty_seconds() {
    // The clock begins at one.
    for (held_s, wanted) in
        [(1, "nothing"), (9, "nothing"), (10, "reset"), (19, "reset"), (20, "nothing"), (60, "nothing")]
    {
        let machine = with_device(BOARD);
        let output = machine.held(&finger(held_s + 1));
        assert_eq!(said(&output), wanted, "held for {held_s} s: {output:?}");
        let invited = String::from_utf8_lossy(&output.stdout).matches("let it go now").count();
        assert_eq!(
            invited,
            usize::from(held_s >= 10),
            "{held_s} s: the serial line says once when to let go"
        );
    }
}

#[test]
fn the_lamps_show_that_the_button_is_seen_and_then_that_it_may_be_let_go() {
    let machine = with_device(BOARD);
    machine.held(&finger(61));
    let shown = std::fs::read_to_string(machine.path("shown")).expect("looks");
    let looks: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    // The first look comes before anything is shown.
    let (seen, armed) = (&looks[1..11], &looks[11..21]);
    assert!(seen.iter().all(|look| look[1] == "0"), "the red one stays dark at first: {seen:?}");
    assert_eq!(seen.iter().filter(|look| look[0] == "255").count(), 5, "the green one blinks: {seen:?}");
    assert!(armed.iter().all(|look| look[0] == look[1]), "then both blink together: {armed:?}");
    assert_eq!(armed.iter().filter(|look| look[0] == "255").count(), 5, "{armed:?}");
    for lamp in ["ACT", "PWR"] {
        let read = |file: &str| {
            std::fs::read_to_string(machine.path(&format!("sys/class/leds/{lamp}/{file}"))).expect("a lamp")
        };
        assert_eq!(
            (read("brightness").trim(), read("trigger").trim()),
            ("0", "none"),
            "called off: dark again"
        );
    }
}

#[test]
fn a_box_whose_button_is_not_held_or_that_has_none_goes_on_at_once() {
    let untouched = with_device(BOARD);
    assert_eq!(said(&untouched.held("")), "nothing");
    assert_eq!(
        std::fs::read_to_string(untouched.path("sys/class/leds/ACT/trigger")).expect("a lamp"),
        "mmc0"
    );
    for board in ["name = \"x\"\n[image]\nkey = 408\n", "name = \"x\"\n[button]\nkey = 409\n"] {
        assert_eq!(said(&with_device(board).held(&finger(11))), "nothing", "{board}");
    }
    let dark = with_device("name = \"x\"\n[button]\nkey = 408\n");
    assert_eq!(said(&dark.held(&finger(11))), "reset", "a board without lamps has a button all the same");
}

/// One event of a 64-bit kernel.
fn event(kind: u16, code: u16, value: i32) -> Vec<u8> {
    let mut bytes = vec![7; 16];
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(code.to_ne_bytes());
    bytes.extend(value.to_ne_bytes());
    bytes
}

#[test]
fn the_kernels_events_are_read_and_those_of_other_keys_are_not_ours() {
    let machine = Machine::new(BOARD);
    std::fs::create_dir_all(machine.path("dev/input")).expect("a folder");
    let device = machine.path("dev/input/event1");
    nix::unistd::mkfifo(&device, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    // Both ends open, as a device is: nobody waits for the other end.
    let mut kernel = std::fs::File::options().read(true).write(true).open(&device).expect("a pipe");
    let mut up = event(1, 30, 0);
    up.extend(event(1, 408, 0));
    up.extend(event(0, 0, 0));
    std::fs::write(machine.path("up"), up).expect("a file");
    std::fs::write(machine.path("other"), event(1, 30, 1)).expect("a file");
    kernel.write_all(&[event(4, 4, 88), event(1, 408, 1), event(0, 0, 0)].concat()).expect("events");
    // At the first look at the clock another key goes down; at the second, twelve seconds later, the button goes up.
    let clock = "patience=60
        clock() {
            case $at in
                '') at=100; cat $here/other >$here/dev/input/event1;;
                100) at=112; cat $here/up >$here/dev/input/event1;;
            esac
        }";
    assert_eq!(said(&machine.held(clock)), "reset");
}
