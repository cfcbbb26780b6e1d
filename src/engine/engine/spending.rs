//! Minutes to outside at work: legs are charged, calls that have used their minutes up end, people are told, and what was
//! used is kept. Decides by `crate::budget`.
use super::Engine;
use crate::budget::Found;
use crate::call::LegEvent;
use crate::effect::Effect;
use crate::intent::Chapter;
use crate::timers::Reason;
use model::clock::Now;
use model::command::{Actor, Reply};
use model::config::budget::{Class, Scope};
use model::id::LegId;
use model::notice::Notice;
use model::record::Record;
use model::refusal::Refusal;

/// Told to the far end of a call that is cut off (RFC 3326).
const USED_UP: &str = "Q.850;cause=50;text=\"minutes used up\"";

impl Engine {
    /// A leg was answered: its minutes run.
    pub(super) fn leg_counts(&mut self, now: Now, leg: LegId) {
        let config = self.config.clone();
        if self.budgets.answered(now, &config, leg) {
            self.budgets_changed(now);
        }
    }

    /// A leg is over: what it used stays used.
    pub(super) fn leg_paid(&mut self, now: Now, leg: LegId) {
        let config = self.config.clone();
        if self.budgets.ends(now, &config, leg) {
            self.budgets_changed(now);
        }
    }

    /// Counts, ends what has no minutes left, tells people.
    pub(super) fn look_at_budgets(&mut self, now: Now) {
        let config = self.config.clone();
        let Found { cut, near, spent } = self.budgets.look(now, &config);
        for (scope, class) in near {
            let text = format!("{} {} minutes are nearly used up today", scope.word(), class.word());
            self.note(now, "warning", "budget_near", &scope.word(), &text);
        }
        for (scope, class) in spent {
            let text = spent_words(&scope, class);
            self.note(now, "alarm", "budget_spent", &scope.word(), &text);
        }
        for leg in cut {
            let Some(call) = self.ledger.leg(leg).map(|l| l.call) else { continue };
            self.tell_story(now, call, Chapter::Step("budget", "minutes used up".into()));
            self.sip.hang_up(now, leg, Some(USED_UP), &mut self.outputs);
            self.leg_over(now, leg, LegEvent::Ended);
        }
        self.budgets_changed(now);
    }

    /// Somebody gives a day's minutes back.
    pub(super) fn reset_budget(&mut self, now: Now, by: &Actor, scope: &str) -> Reply {
        let known = Scope::read(scope).filter(|s| self.budgets.reset(s));
        let Some(scope) = known else { return Err(Refusal::Unknown) };
        let text = format!("{} gave {} the minutes of today back", by.name, scope.word());
        self.note(now, "info", "budget_reset", &scope.word(), &text);
        self.budgets_changed(now);
        Ok(())
    }

    fn budgets_changed(&mut self, now: Now) {
        let config = self.config.clone();
        for (scope, view, record) in self.budgets.changes(now, &config) {
            let notice = view.map_or_else(|| Notice::BudgetGone(scope.word()), Notice::Budget);
            self.effects.push(Effect::Notice(notice));
            self.keep(now, Record::Budget(record), None);
        }
        match self.budgets.next(now, &config) {
            Some(at) => self.timers.set(Reason::Budget, at),
            None => self.timers.cancel(&Reason::Budget),
        }
    }
}

fn spent_words(scope: &Scope, class: Class) -> String {
    format!(
        "the {} minutes of {} are used up today: calls were ended, and new ones are refused until midnight; emergency \
         calls go on",
        class.word(),
        scope.word()
    )
}
