//! Listening to a mailbox by phone: whose, PIN, counts, menu. Listening to messages is in `listen.rs`, the own greeting in
//! `greeting.rs`.
//!
//! Ways through: `Extension` → `Pin` → `Menu` ⇄ `Listening`, `Greeting…` → `Leaving` → done. Caller gone: done at once. A
//! caller who presses nothing is asked again twice and then sent away. Keys are listed in [`keys`].
use super::mailbox::{Mailboxes, Pin};
use super::{Input, Out, prompt};
use crate::say;
use model::clock::Now;
use model::config::Config;
use model::id::MessageId;
use model::media::{Language, Sound};
use model::number::Number;
use model::record::Record;
use std::time::Duration;

/// Wrong PINs in one call before it is ended; the box itself locks by [`super::mailbox::PIN_TRIES`].
pub const TRIES_A_CALL: u32 = 3;

/// How often a silent caller is asked again.
const ASKED_AGAIN: u32 = 2;

/// Pause after the last key of a number that ends it.
const KEY_PAUSE: Duration = Duration::from_secs(4);

/// Silence after a menu before it is said again.
const MENU_PAUSE: Duration = Duration::from_secs(6);

/// Most keys of an extension or PIN; further ones begin to mean nothing.
const KEYS_MAX: usize = 12;

/// The keys while a message is heard.
pub mod keys {
    /// The message before.
    pub const PREVIOUS: char = '4';
    /// This message again.
    pub const REPLAY: char = '5';
    /// The next message.
    pub const NEXT: char = '6';
    /// Deletes it.
    pub const DELETE: char = '7';
    /// Keeps it as new.
    pub const KEEP: char = '9';
    /// Back to the menu.
    pub const BACK: char = '*';
    /// Ends the call.
    pub const END: char = '#';
}

/// What a step may look at and change.
pub struct Cx<'a> {
    /// The time.
    pub now: Now,
    /// The site.
    pub config: &'a Config,
    /// The boxes. Records in `Out::Keep` are applied to them by the call, at once.
    pub boxes: &'a mut Mailboxes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Extension { keys: String },
    Pin { keys: String },
    Menu,
    Listening { heard: bool },
    Deleting,
    GreetingMenu,
    GreetingTone,
    GreetingRecording { path: String },
    GreetingSaving { set: bool },
    Leaving,
    Over,
}

/// One caller listening.
#[derive(Clone, Debug)]
pub struct Retrieve {
    pub(super) language: Language,
    pub(super) mailbox: Option<Number>,
    pub(super) phase: Phase,
    pub(super) list: Vec<MessageId>,
    pub(super) at: usize,
    wrong: u32,
    silent: u32,
}

impl Retrieve {
    /// Begins. `own` is the mailbox of the phone that calls, if it has one: then only the PIN is asked.
    #[must_use]
    pub fn start(own: Option<Number>, language: Language, out: &mut Vec<Out>) -> Retrieve {
        let mut run = Retrieve {
            language,
            mailbox: own,
            phase: Phase::Over,
            list: Vec::new(),
            at: 0,
            wrong: 0,
            silent: 0,
        };
        out.push(Out::Trace { kind: "voicemail", detail: "listen".into() });
        if run.mailbox.is_some() {
            run.ask_pin(&[], out);
        } else {
            run.ask_extension(out);
        }
        run
    }

    /// Takes what happened.
    pub fn input(&mut self, cx: &mut Cx<'_>, input: Input, out: &mut Vec<Out>) {
        if input == Input::Gone {
            return self.gone(out);
        }
        if matches!(input, Input::Digit(_)) {
            self.silent = 0;
        }
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Extension { keys } => self.extension(keys, input, out),
            Phase::Pin { keys } => self.pin(cx, keys, input, out),
            Phase::Menu => self.menu(cx, input, out),
            Phase::Listening { heard } => self.listening(cx, heard, input, out),
            Phase::Deleting => self.deleting(cx, input, out),
            Phase::GreetingMenu => self.greeting_menu(cx, input, out),
            Phase::GreetingTone => self.greeting_tone(cx, input, out),
            Phase::GreetingRecording { path } => self.greeting_recording(path, input, out),
            Phase::GreetingSaving { set } => self.greeting_saving(cx, set, input, out),
            Phase::Leaving => self.leaving(input, out),
            Phase::Over => {}
        }
    }

    /// Whether it is done.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    fn gone(&mut self, out: &mut Vec<Out>) {
        match self.phase {
            Phase::Over => return,
            Phase::GreetingRecording { .. } => out.push(Out::StopRecord),
            Phase::Extension { .. }
            | Phase::Pin { .. }
            | Phase::Menu
            | Phase::Listening { .. }
            | Phase::Deleting
            | Phase::GreetingMenu
            | Phase::GreetingTone
            | Phase::GreetingSaving { .. }
            | Phase::Leaving => {}
        }
        self.done(out);
    }

    pub(super) fn play(&self, sounds: Vec<Sound>, out: &mut Vec<Out>) {
        out.push(Out::NoTimer);
        out.push(Out::Play { sounds, barge_in: true });
    }

    pub(super) fn prompts(&self, names: &[&str]) -> Vec<Sound> {
        names.iter().map(|name| prompt(self.language, name)).collect()
    }

    fn ask_extension(&mut self, out: &mut Vec<Out>) {
        self.phase = Phase::Extension { keys: String::new() };
        self.play(self.prompts(&["vm-enter-extension"]), out);
    }

    fn extension(&mut self, keys: String, input: Input, out: &mut Vec<Out>) {
        match gather(keys, input, out) {
            Gathered::More(keys) => self.phase = Phase::Extension { keys },
            Gathered::Nothing if self.asked_enough() => self.leave(&["goodbye"], out),
            Gathered::Nothing => self.ask_extension(out),
            Gathered::All(keys) => {
                // An extension without a mailbox is asked for a PIN too: the answer tells nothing about numbers.
                self.mailbox = Number::read(&keys);
                self.ask_pin(&[], out);
            }
        }
    }

    fn ask_pin(&mut self, before: &[&str], out: &mut Vec<Out>) {
        self.phase = Phase::Pin { keys: String::new() };
        let mut sounds = self.prompts(before);
        sounds.extend(self.prompts(&["vm-enter-pin"]));
        self.play(sounds, out);
    }

    fn pin(&mut self, cx: &mut Cx<'_>, keys: String, input: Input, out: &mut Vec<Out>) {
        match gather(keys, input, out) {
            Gathered::More(keys) => self.phase = Phase::Pin { keys },
            Gathered::Nothing if self.asked_enough() => self.leave(&["goodbye"], out),
            Gathered::Nothing => self.ask_pin(&[], out),
            Gathered::All(keys) => self.pin_given(cx, &keys, out),
        }
    }

    fn pin_given(&mut self, cx: &mut Cx<'_>, keys: &str, out: &mut Vec<Out>) {
        let Some(mailbox) = self.mailbox.clone() else { return self.ask_extension(out) };
        let before = cx.boxes.wrong_pins(cx.now, &mailbox).tries;
        let pin = cx.boxes.pin(cx.now, cx.config, &mailbox, keys);
        let pins = cx.boxes.wrong_pins(cx.now, &mailbox);
        if pins.tries != before {
            out.push(Out::Keep { record: Box::new(Record::WrongPins(pins)), receipt: false });
        }
        match pin {
            Pin::Locked => self.leave(&["vm-locked", "goodbye"], out),
            Pin::Right => {
                out.push(Out::Trace { kind: "voicemail", detail: format!("opened {mailbox}") });
                let counts = self.counts(cx);
                self.open_menu(counts, out);
            }
            Pin::Wrong => {
                out.push(Out::Trace { kind: "voicemail", detail: "wrong pin".into() });
                self.wrong += 1;
                if self.wrong >= TRIES_A_CALL {
                    self.leave(&["vm-pin-wrong", "goodbye"], out);
                } else {
                    self.ask_pin(&["vm-pin-wrong"], out);
                }
            }
        }
    }

    /// "You have two new messages and one old message."
    fn counts(&self, cx: &Cx<'_>) -> Vec<Sound> {
        let Some(mailbox) = &self.mailbox else { return Vec::new() };
        let view = cx.boxes.view(mailbox);
        let some = |n: u32, one: &str, many: &str| {
            let mut names = say::count(self.language, n);
            names.push(if n == 1 { one } else { many }.to_owned());
            names
        };
        let mut names = vec!["vm-you-have".to_owned()];
        match (view.new, view.old) {
            (0, 0) => names = vec!["vm-no-messages".to_owned()],
            (new, 0) => names.extend(some(new, "vm-new-message", "vm-new-messages")),
            (0, old) => names.extend(some(old, "vm-old-message", "vm-old-messages")),
            (new, old) => {
                names.extend(some(new, "vm-new-message", "vm-new-messages"));
                names.push("vm-and".into());
                names.extend(some(old, "vm-old-message", "vm-old-messages"));
            }
        }
        say::sounds(self.language, names)
    }

    pub(super) fn open_menu(&mut self, mut before: Vec<Sound>, out: &mut Vec<Out>) {
        self.phase = Phase::Menu;
        before.push(prompt(self.language, "vm-menu"));
        self.play(before, out);
    }

    fn menu(&mut self, cx: &mut Cx<'_>, input: Input, out: &mut Vec<Out>) {
        match input {
            Input::Digit(digit) => match digit.as_char() {
                '1' => self.listen(cx, false, out),
                '2' => self.listen(cx, true, out),
                '3' => self.ask_greeting(Vec::new(), out),
                keys::BACK => {
                    let counts = self.counts(cx);
                    self.open_menu(counts, out);
                }
                keys::END => self.leave(&["goodbye"], out),
                _ => self.open_menu(self.prompts(&["invalid-choice"]), out),
            },
            Input::Played => self.wait(Phase::Menu, out),
            Input::Timer if self.asked_enough() => self.leave(&["goodbye"], out),
            Input::Timer => self.open_menu(Vec::new(), out),
            Input::Gone | Input::Recorded { .. } | Input::Stored => self.phase = Phase::Menu,
        }
    }

    /// Waits for a key after the last word of a menu.
    pub(super) fn wait(&mut self, phase: Phase, out: &mut Vec<Out>) {
        self.phase = phase;
        out.push(Out::Timer(MENU_PAUSE));
    }

    /// Counts a silence; whether the caller has been asked often enough.
    pub(super) fn asked_enough(&mut self) -> bool {
        self.silent += 1;
        self.silent > ASKED_AGAIN
    }

    pub(super) fn leave(&mut self, names: &[&str], out: &mut Vec<Out>) {
        self.phase = Phase::Leaving;
        out.push(Out::NoTimer);
        out.push(Out::Play { sounds: self.prompts(names), barge_in: false });
    }

    fn leaving(&mut self, input: Input, out: &mut Vec<Out>) {
        match input {
            Input::Played => self.done(out),
            Input::Digit(_) | Input::Gone | Input::Recorded { .. } | Input::Stored | Input::Timer => {
                self.phase = Phase::Leaving;
            }
        }
    }

    pub(super) fn done(&mut self, out: &mut Vec<Out>) {
        self.phase = Phase::Over;
        out.extend([Out::NoTimer, Out::Done]);
    }
}

enum Gathered {
    /// All keys are there.
    All(String),
    /// Not yet.
    More(String),
    /// The caller pressed none in time.
    Nothing,
}

/// Gathers the keys of a number; `#` or a pause ends it.
fn gather(mut keys: String, input: Input, out: &mut Vec<Out>) -> Gathered {
    let end = |keys: String| if keys.is_empty() { Gathered::Nothing } else { Gathered::All(keys) };
    match input {
        Input::Digit(digit) => match digit.as_char() {
            '#' => end(keys),
            '*' => {
                out.push(Out::Timer(KEY_PAUSE));
                Gathered::More(String::new())
            }
            key => {
                if keys.len() < KEYS_MAX {
                    keys.push(key);
                }
                out.push(Out::Timer(KEY_PAUSE));
                Gathered::More(keys)
            }
        },
        Input::Played => {
            out.push(Out::Timer(KEY_PAUSE));
            Gathered::More(keys)
        }
        Input::Timer => end(keys),
        Input::Gone | Input::Recorded { .. } | Input::Stored => Gathered::More(keys),
    }
}
