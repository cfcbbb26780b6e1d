//! The configuration in force: its start, its live change, and the views that follow from it. Calls in progress keep what
//! they began with.
use super::{Engine, PHONES_EVERY};
use crate::effect::Effect;
use crate::timers::Reason;
use model::clock::Now;
use model::config::Config;
use model::id::{Generation, Ticket};
use model::notice::{Notice, SystemView};
use model::number::Number;
use model::record::{BanRecord, BindingRecord, Record};
use std::sync::Arc;

impl Engine {
    /// What is said and done once at the start.
    pub(super) fn begin(&mut self, now: Now, bans: &[BanRecord]) {
        let ends: Vec<_> = self.guard.bans().map(|(address, at, _)| (address, at)).collect();
        for (address, at) in ends {
            self.timers.set(Reason::BanEnd(address), at);
        }
        for ban in bans.iter().filter(|b| b.until > now.wall) {
            self.effects.push(Effect::Notice(Notice::Ban(ban.clone())));
        }
        let numbers: Vec<Number> = self.config.extension.keys().cloned().collect();
        for number in &numbers {
            self.phone_changed(now, number);
            self.tell_mailbox(number);
        }
        self.configure_trunks(now);
        self.dialer_wakes(now);
        self.look_at_budgets(now);
        self.timers.set(Reason::Phones, now.mono + PHONES_EVERY);
        self.tell_system();
        self.effects.push(Effect::Notice(Notice::ConfigApplied(self.generation)));
    }

    /// A stored configuration comes into force.
    pub(super) fn apply(&mut self, now: Now, ticket: Ticket, generation: Generation, config: Arc<Config>) {
        let old = std::mem::replace(&mut self.config, config.clone());
        self.generation = generation;
        self.with_acd(now, None, |acd, said| acd.configure(now, &config, said));
        self.apply_extensions(now, &old);
        self.seats_configured(now);
        self.configure_trunks(now);
        self.configure_dialer(now);
        if old.audio != config.audio && self.media_up {
            self.tell_devices();
        }
        if old.network.dscp_rtp != config.network.dscp_rtp && self.media_up {
            self.tell_marks();
        }
        self.look_at_budgets(now);
        self.effects.push(Effect::Reply { ticket, reply: Ok(()) });
        self.effects.push(Effect::Notice(Notice::ConfigApplied(generation)));
        self.system_changed(now);
    }

    fn apply_extensions(&mut self, now: Now, old: &Config) {
        let config = self.config.clone();
        for (number, before) in &old.extension {
            let after = config.extension.get(number);
            if after.is_none_or(|a| a.password != before.password || a.user != before.user) {
                let records = self.phones.forget(now, number);
                self.phones_changed(now, &[], records);
            }
            if after.is_none() {
                self.phone_changed(now, number);
                self.effects.push(Effect::Notice(Notice::PhoneGone(number.to_string())));
            }
        }
        for (number, after) in &config.extension {
            if old.extension.get(number) != Some(after) {
                self.phone_changed(now, number);
                self.tell_mailbox(number);
            }
        }
    }

    fn configure_trunks(&mut self, now: Now) {
        let config = self.config.clone();
        let mut said = Vec::new();
        let ids = &mut self.ids;
        let gone = self.trunks.configure(now, &config, &mut || ids.ticket(), &mut said);
        for name in gone {
            self.effects.push(Effect::Notice(Notice::TrunkGone(name)));
        }
        self.trunks_said(now, said);
    }

    /// Phones came, went or were refreshed.
    pub(super) fn phones_changed(
        &mut self,
        now: Now,
        changed: &[Number],
        records: Vec<BindingRecord>,
    ) -> Option<Ticket> {
        let mut last = None;
        for record in records {
            last = Some(self.keep(now, Record::Binding(record), None));
        }
        for number in changed {
            self.phone_changed(now, number);
            if let Some(guest) = self.phones.seats.guest(number).cloned() {
                self.phone_changed(now, &guest);
            }
        }
        last
    }

    /// The live view of a trunk.
    pub(crate) fn tell_trunk(&mut self, name: &str) {
        if let Some(view) = self.trunks.view(name) {
            self.effects.push(Effect::Notice(Notice::Trunk(view)));
        }
    }

    /// A line of the event log when a trunk has just come up or gone down: its state is as old as this step.
    pub(crate) fn note_trunk(&mut self, now: Now, name: &str) {
        let Some(view) = self.trunks.view(name).filter(|v| v.since == now.wall) else { return };
        match view.state.as_str() {
            "up" => self.note(now, "info", "trunk_up", name, &format!("trunk {name} is up")),
            "down" => {
                let text = format!("trunk {name} is down: {} {}", view.cause.replace('_', " "), view.detail);
                self.note(now, "alarm", "trunk_down", name, text.trim_end());
            }
            "refusing" => {
                let text = format!("trunk {name} refuses our calls: {}", view.detail);
                self.note(now, "alarm", "trunk_refuses", name, &text);
            }
            _ => {}
        }
    }

    fn tell_mailbox(&mut self, number: &Number) {
        if self.config.extension.get(number).is_some_and(|e| e.voicemail.is_some()) {
            self.effects.push(Effect::Notice(Notice::Mailbox(self.mailboxes.view(number))));
        }
    }

    /// The numbers of the box.
    pub(super) fn tell_system(&mut self) {
        self.effects.push(Effect::Notice(Notice::System(SystemView {
            calls: u32::try_from(self.calls.len()).unwrap_or(u32::MAX),
            call_limit: self.config.system.call_limit,
            media: self.media_up,
            free_ports: u32::try_from(self.ports.free()).unwrap_or(u32::MAX),
            draining: self.draining,
            shed: self.shed,
            generation: self.generation,
        })));
    }
}
