//! Hearing the messages of a box one after the other. Parts of [`Retrieve`]. A message counts as heard when it was played
//! to its end or skipped; "deleted" is said only after the store said so.
use super::retrieve::{Cx, Phase, Retrieve, keys};
use super::{Input, Out};
use crate::say;
use model::clock::Wall;
use model::id::MessageId;
use model::media::Sound;
use model::record::{MessageRecord, Record};

impl Retrieve {
    /// Begins with the new or the old messages, oldest first.
    pub(super) fn listen(&mut self, cx: &mut Cx<'_>, old: bool, out: &mut Vec<Out>) {
        let Some(mailbox) = &self.mailbox else { return self.done(out) };
        self.list = cx.boxes.of(mailbox).filter(|m| m.heard == old).map(|m| m.message).collect();
        self.at = 0;
        self.play_message(cx, Vec::new(), out);
    }

    /// Plays the message at the present place; one that is gone meanwhile is left out.
    fn play_message(&mut self, cx: &Cx<'_>, mut before: Vec<Sound>, out: &mut Vec<Out>) {
        while self.message(cx).is_none() && self.at < self.list.len() {
            self.list.remove(self.at);
        }
        let Some(message) = self.message(cx) else {
            before.extend(self.prompts(&["vm-no-more-messages"]));
            return self.open_menu(before, out);
        };
        before.extend(self.introduction(cx, message));
        before.push(Sound::File(message.path.clone()));
        self.phase = Phase::Listening { heard: false };
        self.play(before, out);
    }

    fn message<'a>(&self, cx: &'a Cx<'_>) -> Option<&'a MessageRecord> {
        self.list.get(self.at).and_then(|id| cx.boxes.message(*id))
    }

    /// "Message two, received today at two thirty p m, from one zero one."
    fn introduction(&self, cx: &Cx<'_>, message: &MessageRecord) -> Vec<Sound> {
        let place = u32::try_from(self.at + 1).unwrap_or(say::NUMBER_MAX);
        let mut names = vec!["vm-message".to_owned()];
        names.extend(say::number(self.language, place));
        let local = |wall: Wall| {
            let at = jiff::Timestamp::from_millisecond(wall.0).ok()?;
            Some(at.in_tz(&cx.config.system.time_zone).ok()?.datetime())
        };
        if let (Some(at), Some(today)) = (local(message.at), local(cx.now.wall)) {
            names.push("vm-received".into());
            names.extend(say::moment(self.language, at, today.date()));
        }
        let number = say::digits(&message.caller.number);
        if !number.is_empty() {
            names.push("vm-from".into());
            names.extend(number);
        }
        let mut sounds = say::sounds(self.language, names);
        sounds.push(Sound::Silence(400));
        sounds
    }

    pub(super) fn listening(&mut self, cx: &mut Cx<'_>, heard: bool, input: Input, out: &mut Vec<Out>) {
        match input {
            Input::Digit(digit) => self.key(cx, heard, digit.as_char(), out),
            Input::Played if heard => self.wait(Phase::Listening { heard: true }, out),
            Input::Played => {
                self.mark(cx, true, out);
                self.after_message(out);
            }
            Input::Timer if self.asked_enough() => self.leave(&["goodbye"], out),
            Input::Timer => self.after_message(out),
            Input::Gone | Input::Recorded { .. } | Input::Stored => self.phase = Phase::Listening { heard },
        }
    }

    fn after_message(&mut self, out: &mut Vec<Out>) {
        self.phase = Phase::Listening { heard: true };
        self.play(self.prompts(&["vm-message-menu"]), out);
    }

    fn key(&mut self, cx: &mut Cx<'_>, heard: bool, key: char, out: &mut Vec<Out>) {
        match key {
            keys::PREVIOUS => {
                self.at = self.at.saturating_sub(1);
                self.play_message(cx, Vec::new(), out);
            }
            keys::REPLAY => self.play_message(cx, Vec::new(), out),
            keys::NEXT => {
                self.mark(cx, true, out);
                self.at += 1;
                self.play_message(cx, Vec::new(), out);
            }
            keys::DELETE => {
                if let Some(id) = self.id() {
                    out.push(Out::NoTimer);
                    out.push(Out::Keep { record: Box::new(Record::MessageDeleted(id)), receipt: true });
                    self.phase = Phase::Deleting;
                }
            }
            keys::KEEP => {
                self.mark(cx, false, out);
                self.at += 1;
                self.play_message(cx, self.prompts(&["vm-kept-new"]), out);
            }
            keys::BACK => self.open_menu(Vec::new(), out),
            keys::END => self.leave(&["goodbye"], out),
            _ => {
                self.phase = Phase::Listening { heard };
                self.play(self.prompts(&["invalid-choice", "vm-message-menu"]), out);
            }
        }
    }

    pub(super) fn deleting(&mut self, cx: &mut Cx<'_>, input: Input, out: &mut Vec<Out>) {
        match input {
            Input::Stored => {
                if self.at < self.list.len() {
                    self.list.remove(self.at);
                }
                self.play_message(cx, self.prompts(&["vm-deleted"]), out);
            }
            Input::Digit(_) | Input::Gone | Input::Played | Input::Recorded { .. } | Input::Timer => {
                self.phase = Phase::Deleting;
            }
        }
    }

    fn id(&self) -> Option<MessageId> {
        self.list.get(self.at).copied()
    }

    /// Marks the present message heard or new, if it is not so already.
    fn mark(&self, cx: &Cx<'_>, heard: bool, out: &mut Vec<Out>) {
        if let Some(message) = self.message(cx).filter(|m| m.heard != heard) {
            let record = Record::MessageHeard { message: message.message, heard };
            out.push(Out::Keep { record: Box::new(record), receipt: false });
        }
    }
}
