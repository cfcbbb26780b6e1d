//! What only a test can do to a campaign: break its pace while it works.
use super::*;
use crate::acd::Acd;
use crate::acd::bonds::Bonds;
use crate::agents::Ask;
use crate::dialer::{Dialer, EVERY};
use crate::fixture::{number, site};
use crate::ledger::Ids;
use model::campaign::CampaignOrder;
use model::id::{EntryId, MessageId, RecordingId};
use model::notice::Notice;

struct Floor {
    now: Now,
    config: Arc<Config>,
    acd: Acd,
    dialer: Dialer,
    ids: Ids,
    out: Vec<Out>,
}

impl Floor {
    fn new() -> Floor {
        let mut config = site();
        let mut settings = crate::dialer::compliance::tests::settings(model::config::campaign::Profile::Us);
        settings.queue = "support".into();
        config.campaign.insert(settings.name.clone(), settings);
        let config = Arc::new(config);
        // Noon in Berlin.
        let now = Now { mono: Mono(1_000_000), wall: Wall(1_772_622_000_000) };
        let mut said = Vec::new();
        let mut acd = Acd::new(now, &config, &[], Bonds::default(), &model::past::Past::default(), &mut said);
        for (agent, phone) in [("1", "102"), ("2", "103")] {
            acd.phone(now, &number(phone), true, false, &mut said);
            acd.ask(now, agent, &Ask::Login, "test", &mut said).expect("at work");
        }
        let dialer = Dialer::new(now, &config, &BTreeMap::new());
        Floor {
            now,
            config,
            acd,
            dialer,
            ids: Ids::new(CallId(1), RecordingId(1), MessageId(1)),
            out: Vec::new(),
        }
    }

    fn with<R>(&mut self, act: impl FnOnce(&mut Dialer, &Cx, &mut Ids, &mut Vec<Out>) -> R) -> R {
        let cx = Cx { now: self.now, config: &self.config, acd: &self.acd, lines: &|_| Some(30) };
        act(&mut self.dialer, &cx, &mut self.ids, &mut self.out)
    }

    fn order(&mut self, order: CampaignOrder) {
        self.with(|d, cx, ids, out| d.order(cx, "lead", "autumn", order, ids, out)).expect("taken");
    }

    fn run(&mut self, time: Duration) {
        let end = self.now.mono + time;
        while self.now.mono < end {
            self.now.mono = self.now.mono + EVERY;
            self.now.wall = Wall(self.now.wall.0 + i64::try_from(EVERY.as_millis()).expect("small"));
            let from = self.out.len();
            self.with(|d, cx, ids, out| d.tick(cx, ids, out));
            if self.out[from..].iter().any(|out| matches!(out, Out::Fetch(..))) {
                self.fill();
            }
        }
    }

    /// The disk answers.
    fn fill(&mut self) {
        let entry = |n: u64| Entry {
            entry: EntryId(n),
            list: "a".into(),
            number: number(&format!("+49301{n:05}")),
            zones: vec!["Europe/Berlin".into()],
            ..Entry::default()
        };
        self.dialer.filled(self.now, "autumn", (1..=100).map(entry).collect());
    }

    fn campaign(&mut self) -> &mut Campaign {
        self.dialer.campaigns.get_mut("autumn").expect("configured")
    }
}

#[test]
fn a_broken_pace_turns_every_screen_to_preview_within_three_seconds_and_stays_there_until_a_person_says_so() {
    let mut floor = Floor::new();
    floor.order(CampaignOrder::Start);
    floor.run(Duration::from_secs(2));
    let running: Vec<CallId> = floor.campaign().trials.keys().copied().collect();
    assert!(!running.is_empty(), "lines are dialled ahead");
    floor.out.clear();
    floor.campaign().health.break_pace = true;
    // The pace is asked only while it may still dial; nobody is free for what runs.
    floor.run(Duration::from_secs(3));
    let shown = |out: &Out| matches!(out, Out::Notice(Notice::Outreach(v)) if v.stage == "preview");
    assert_eq!(floor.out.iter().filter(|o| shown(o)).count(), 2, "{:?}", floor.out);
    let alarm = |out: &Out| matches!(out, Out::Note("alarm", "campaign_fault", _, _));
    assert_eq!(floor.out.iter().filter(|o| alarm(o)).count(), 1);
    let given_up = |out: &Out| matches!(out, Out::GiveUp(_));
    assert_eq!(floor.out.iter().filter(|o| given_up(o)).count(), 0, "what runs goes on");
    assert!(running.iter().all(|call| floor.campaign().trials.contains_key(call)));

    floor.run(Duration::from_secs(60));
    let form = floor.campaign().form();
    assert_eq!(floor.campaign().health.works_as(form), Form::Preview);
    floor.order(CampaignOrder::Form { form: Form::Predictive });
    floor.run(Duration::from_secs(1));
    assert_eq!(floor.campaign().health.works_as(form), Form::Predictive);
}
