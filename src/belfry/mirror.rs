//! What the box looks like now, for `belfry status` and for an orderly stop: the last notice of each thing that matters
//! there. Filled by the engine's loop, read by others. Decides nothing.
use model::id::{CallId, Generation};
use model::notice::{BudgetView, Notice, PhoneView, TrunkView};
use model::update::SelfCall;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shared between the engine's loop and those who ask.
#[derive(Debug, Default)]
pub struct Mirror {
    state: Mutex<State>,
    self_call: Mutex<(u64, Option<SelfCall>)>,
}

/// What is known.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Calls in progress.
    pub calls: BTreeSet<CallId>,
    /// Trunks by name.
    pub trunks: BTreeMap<String, TrunkView>,
    /// Minutes to outside by scope.
    pub budgets: BTreeMap<String, BudgetView>,
    /// Extensions with at least one registered phone.
    pub registered: BTreeSet<String>,
    /// Extensions configured.
    pub phones: BTreeSet<String>,
    /// Most calls.
    pub call_limit: u32,
    /// Configuration in force.
    pub generation: Generation,
    /// Media answers.
    pub media: bool,
}

impl State {
    fn phone(&mut self, phone: &PhoneView) {
        self.phones.insert(phone.extension.clone());
        if phone.contacts.is_empty() {
            self.registered.remove(&phone.extension);
        } else {
            self.registered.insert(phone.extension.clone());
        }
    }
}

impl Mirror {
    /// Takes what it needs of a notice.
    pub fn see(&self, notice: &Notice) {
        match notice {
            Notice::Call(call) => drop(self.lock().calls.insert(call.call)),
            Notice::CallGone(call) => drop(self.lock().calls.remove(call)),
            Notice::Trunk(trunk) => drop(self.lock().trunks.insert(trunk.trunk.clone(), trunk.clone())),
            Notice::TrunkGone(name) => drop(self.lock().trunks.remove(name)),
            Notice::Budget(budget) => drop(self.lock().budgets.insert(budget.scope.clone(), budget.clone())),
            Notice::BudgetGone(scope) => drop(self.lock().budgets.remove(scope)),
            Notice::Phone(phone) => self.lock().phone(phone),
            Notice::PhoneGone(extension) => {
                let mut state = self.lock();
                state.registered.remove(extension);
                state.phones.remove(extension);
            }
            Notice::System(system) => {
                let mut state = self.lock();
                state.call_limit = system.call_limit;
                state.media = system.media;
                state.generation = system.generation;
            }
            Notice::ConfigApplied(generation) => self.lock().generation = *generation,
            Notice::Agent(_)
            | Notice::AgentGone(_)
            | Notice::Ban(_)
            | Notice::BanGone(_)
            | Notice::Check(_)
            | Notice::CheckGone(_)
            | Notice::Mailbox(_)
            | Notice::Message(_)
            | Notice::MessageGone(_)
            | Notice::Note(_)
            | Notice::Queue(_)
            | Notice::QueueGone(_)
            | Notice::Update(_)
            | Notice::Campaign(_)
            | Notice::CampaignGone(_)
            | Notice::Outreach(_)
            | Notice::OutreachGone(_) => {}
        }
    }

    /// The box has called itself.
    pub fn self_called(&self, result: SelfCall) {
        let mut last = self.self_call.lock().unwrap_or_else(PoisonError::into_inner);
        *last = (last.0 + 1, Some(result));
    }

    /// How often the box has called itself, and what became of it the last time.
    #[must_use]
    pub fn self_call(&self) -> (u64, Option<SelfCall>) {
        self.self_call.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at what is known without a copy of it; short, the engine's loop waits meanwhile.
    #[must_use]
    pub fn ask<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    /// Whether nobody is in a call.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.ask(|state| state.calls.is_empty())
    }

    /// A copy of what is known: with a thousand phones some hundred KiB, so not for whoever asks again and again.
    #[must_use]
    pub fn state(&self) -> State {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::clock::Wall;
    use model::notice::ContactView;

    #[test]
    fn a_phone_counts_while_it_has_a_contact() {
        let mirror = Mirror::default();
        let contact = ContactView {
            address: "192.0.2.1:5060".into(),
            transport: "udp".into(),
            user_agent: String::new(),
            expires: Wall(0),
        };
        let phone = |contacts| {
            Notice::Phone(PhoneView {
                extension: "101".into(),
                contacts,
                in_call: false,
                guest: None,
                away: None,
            })
        };
        mirror.see(&phone(vec![contact]));
        assert_eq!(mirror.state().registered.len(), 1);
        mirror.see(&phone(vec![]));
        assert!(mirror.state().registered.is_empty());
        assert_eq!(mirror.state().phones.len(), 1);
    }
}
