//! What callers say, on its way from the loop to recognisers. The loop never waits for them: a recogniser that does not take
//! its sound in time loses the utterance, and the menu goes on by keys.
use super::turn::{Inbox, Message};
use super::{EarPiece, Recognisers};
use media::out::{EarId, EarOp, EarSaid};
use std::collections::BTreeMap;
use std::sync::mpsc::{SyncSender, sync_channel};

/// Pieces waiting for one recogniser: four seconds. A network that stalls for longer brings no answer in time either.
const PIECES: usize = 64;

pub(super) struct Ears {
    recognisers: Box<dyn Recognisers>,
    open: BTreeMap<EarId, SyncSender<EarPiece>>,
}

impl Ears {
    pub fn new(recognisers: Box<dyn Recognisers>) -> Ears {
        Ears { recognisers, open: BTreeMap::new() }
    }

    /// Does what the core wants done; why not, when that ends the utterance.
    pub fn carry_out(&mut self, op: EarOp, inbox: &Inbox) -> Option<(EarId, EarSaid)> {
        let (ear, done) = match op {
            EarOp::Open { ear, hearing } => {
                let (sender, sound) = sync_channel(PIECES);
                let inbox = inbox.clone();
                let tell = Box::new(move |said| {
                    // A loop that has ended asks nobody.
                    let _ = inbox.offer(Message::Ear(ear, said));
                });
                let started = self.recognisers.start(hearing, sound, tell);
                (ear, started.map(|()| drop(self.open.insert(ear, sender))))
            }
            EarOp::Sound { ear, sound } => (ear, self.send(ear, EarPiece::Sound(sound))),
            EarOp::End { ear } => (ear, self.send(ear, EarPiece::End)),
            EarOp::Close { ear } => {
                self.open.remove(&ear);
                return None;
            }
        };
        let why = done.err()?;
        self.open.remove(&ear);
        Some((ear, EarSaid::Failed(why)))
    }

    fn send(&self, ear: EarId, piece: EarPiece) -> Result<(), String> {
        let Some(sender) = self.open.get(&ear) else { return Ok(()) };
        sender.try_send(piece).map_err(|_| "it does not take the sound in time".to_owned())
    }

    /// The recogniser has said this; after its last word nobody sends it anything.
    pub fn told(&mut self, ear: EarId, said: &EarSaid) {
        match said {
            EarSaid::Said(_) | EarSaid::Failed(_) => drop(self.open.remove(&ear)),
            EarSaid::Ready | EarSaid::Words => {}
        }
    }
}
