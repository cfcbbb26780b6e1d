//! The own greeting of a box: recording it, hearing it, going back to the built-in one. Parts of [`Retrieve`]. The greeting
//! before stays in force until the new one is on disk.
use super::retrieve::{Cx, Phase, Retrieve, keys};
use super::{Input, Out, SHORTEST_MS, SILENCE_MS, beep};
use model::media::{RecordEnd, Sound};
use model::record::Record;

/// Longest greeting, seconds: callers hear it each time.
const GREETING_MAX_S: u32 = 60;

impl Retrieve {
    pub(super) fn ask_greeting(&mut self, mut before: Vec<Sound>, out: &mut Vec<Out>) {
        self.phase = Phase::GreetingMenu;
        before.extend(self.prompts(&["vm-greeting-menu"]));
        self.play(before, out);
    }

    pub(super) fn greeting_menu(&mut self, cx: &mut Cx<'_>, input: Input, out: &mut Vec<Out>) {
        match input {
            Input::Digit(digit) => match digit.as_char() {
                '1' => {
                    let mut sounds = self.prompts(&["vm-record-greeting"]);
                    sounds.push(beep());
                    self.phase = Phase::GreetingTone;
                    out.push(Out::NoTimer);
                    out.push(Out::Play { sounds, barge_in: false });
                }
                '2' => self.ask_greeting(self.present_greeting(cx), out),
                '3' => self.keep_greeting(None, out),
                keys::BACK => self.open_menu(Vec::new(), out),
                keys::END => self.leave(&["goodbye"], out),
                _ => self.ask_greeting(self.prompts(&["invalid-choice"]), out),
            },
            Input::Played => self.wait(Phase::GreetingMenu, out),
            Input::Timer if self.asked_enough() => self.leave(&["goodbye"], out),
            Input::Timer => self.ask_greeting(Vec::new(), out),
            Input::Gone | Input::Recorded { .. } | Input::Stored => self.phase = Phase::GreetingMenu,
        }
    }

    fn present_greeting(&self, cx: &Cx<'_>) -> Vec<Sound> {
        let own = self.mailbox.as_ref().and_then(|mailbox| cx.boxes.greeting(mailbox));
        match own {
            Some(path) => vec![Sound::File(path.to_owned()), Sound::Silence(400)],
            None => self.prompts(&["vm-no-greeting"]),
        }
    }

    pub(super) fn greeting_tone(&mut self, cx: &mut Cx<'_>, input: Input, out: &mut Vec<Out>) {
        match (input, &self.mailbox) {
            (Input::Played, Some(mailbox)) => {
                // A new name each time: the file of the greeting in force must not be touched.
                let path = format!("greetings/{mailbox}-{}.wav", cx.now.wall.0);
                out.push(Out::Record { path: path.clone(), max_s: GREETING_MAX_S, silence_ms: SILENCE_MS });
                self.phase = Phase::GreetingRecording { path };
            }
            (Input::Played, None) => self.done(out),
            (Input::Digit(_) | Input::Gone | Input::Recorded { .. } | Input::Stored | Input::Timer, _) => {
                self.phase = Phase::GreetingTone
            }
        }
    }

    pub(super) fn greeting_recording(&mut self, path: String, input: Input, out: &mut Vec<Out>) {
        match input {
            Input::Recorded { end, ms } => {
                let spoken = if end == RecordEnd::Silence { ms.saturating_sub(SILENCE_MS) } else { ms };
                if spoken < SHORTEST_MS {
                    self.ask_greeting(self.prompts(&["vm-too-short"]), out);
                } else {
                    self.keep_greeting(Some(path), out);
                }
            }
            Input::Digit(_) | Input::Gone | Input::Played | Input::Stored | Input::Timer => {
                self.phase = Phase::GreetingRecording { path };
            }
        }
    }

    fn keep_greeting(&mut self, path: Option<String>, out: &mut Vec<Out>) {
        let Some(mailbox) = self.mailbox.clone() else { return self.done(out) };
        self.phase = Phase::GreetingSaving { set: path.is_some() };
        out.push(Out::NoTimer);
        out.push(Out::Keep { record: Box::new(Record::Greeting { mailbox, path }), receipt: true });
    }

    pub(super) fn greeting_saving(&mut self, cx: &mut Cx<'_>, set: bool, input: Input, out: &mut Vec<Out>) {
        match input {
            Input::Stored => {
                let done = if set { "vm-greeting-saved" } else { "vm-greeting-removed" };
                let mut sounds = self.prompts(&[done]);
                if set {
                    sounds.extend(self.present_greeting(cx));
                }
                self.open_menu(sounds, out);
            }
            Input::Digit(_) | Input::Gone | Input::Played | Input::Recorded { .. } | Input::Timer => {
                self.phase = Phase::GreetingSaving { set };
            }
        }
    }
}
