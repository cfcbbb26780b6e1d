//! The box calls itself: through its own SIP door, its own media and its own disk, while customers talk.
use model::command::Command;
use sim::{World, each_seed, site};
use std::time::Duration;

#[test]
fn a_healthy_box_hears_itself_and_leaves_no_trace() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|_| {}));
        w.phones_up(&["101", "102"]);
        let from = w.dial("101", "102");
        let to = w.until_answers("102");
        w.until_talk(from, to);
        assert_eq!(w.command(Command::SelfCall), Ok(()));
        w.run_for(Duration::from_secs(12));
        let [result] = w.pbx.self_calls.as_slice() else { panic!("{:?}", w.pbx.self_calls) };
        assert_eq!(result.failed, None, "{result:?}");
        assert!(result.ms > 1000 && result.ms < 10_000, "{result:?}");
        w.hang_up(from);
        w.until_over(to);
        w.rest();
        assert_eq!(w.pbx.sessions(), 0, "its ports are free again");
        assert_eq!(w.records().len(), 1, "a self-call is nobody's call");
    });
}
