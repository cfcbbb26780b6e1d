//! What the steward makes of update files: real bundles, real signatures; only the slots and the boot loader are stood
//! in for.
use crate::bundle::Signer;
use crate::machine::{FACTS_A, Machine};
use board::steward::client::SHORT;
use board::steward::{Act, Answer, Bundle, Refused, Slots, Went};
use model::sentence::Sentence;
use std::time::Duration;

const GOOD: &str = "compatible=belfry-test\nversion=0.2.0\nbuild=schema-99";
/// How many flipped bits a run tries; the long form sets BELFRY_FLIPS=1000.
const FLIPS: u32 = 120;
const LONG: Duration = Duration::from_secs(120);

struct Bench {
    machine: Machine,
    signer: Signer,
}

impl Bench {
    fn new() -> Bench {
        let (machine, signer) = (Machine::start(), Signer::new());
        std::fs::copy(signer.certificate(), machine.path("etc/rauc/keyring.pem"))
            .expect("a machine for tests does this");
        Bench { machine, signer }
    }

    fn upload(&self, bytes: &[u8]) {
        std::fs::write(self.machine.path("data/belfry/update/bundle.raucb"), bytes)
            .expect("a machine for tests does this");
    }

    fn ask(&self, act: &Act) -> Result<Answer, Refused> {
        self.machine.steward().ask(act, LONG)
    }

    fn inspect(&self, bytes: &[u8]) -> Result<Bundle, Refused> {
        self.upload(bytes);
        let Answer::Bundle(bundle) = self.ask(&Act::InspectBundle)? else { panic!("no bundle") };
        Ok(bundle)
    }

    fn slots(&self) -> Slots {
        let Ok(Answer::Slots(slots)) = self.ask(&Act::Slots) else { panic!("no slots") };
        slots
    }
}

#[test]
fn a_signed_bundle_for_this_board_is_taken_and_every_other_is_refused_with_its_reason() {
    let bench = Bench::new();
    let good = bench.signer.bundle(GOOD);
    let found = bench.inspect(&good).unwrap();
    assert_eq!((found.version.as_str(), found.running.as_str(), found.older), ("0.2.0", "0.1.0", false));
    let by = |update: &str| bench.signer.bundle(update);
    let table = [
        ("damaged", "unsigned", b"no bundle at all".repeat(1000)),
        ("damaged", "Download it again", good[..good.len() / 2].to_vec()),
        ("foreign_signature", "not signed by the maker", Signer::new().bundle(GOOD)),
        ("wrong_board", "belfry-toaster", by("compatible=belfry-toaster\nversion=0.2.0\nbuild=schema-99")),
        ("too_old", "0.0.9", by("compatible=belfry-test\nversion=0.0.9\nbuild=schema-99")),
        (
            "format_too_old",
            "one version at a time",
            by("compatible=belfry-test\nversion=0.2.0\nbuild=schema-1"),
        ),
    ];
    for (code, part, bytes) in table {
        let refused = bench.inspect(&bytes).expect_err(code);
        assert_eq!(refused.code, code, "{refused}");
        assert!(refused.said.en.contains(part) && !refused.said.zh.is_ascii(), "{refused}");
        assert_eq!(bench.ask(&Act::InstallBundle).expect_err(code).code, code);
    }
    assert!(!bench.machine.did("rauc").iter().any(|line| line.starts_with("install")));
}

#[test]
fn every_flipped_bit_and_every_cut_is_found_before_anything_is_written() {
    let bench = Bench::new();
    let good = bench.signer.bundle(GOOD);
    let flips = std::env::var("BELFRY_FLIPS").ok().and_then(|n| n.parse().ok()).unwrap_or(FLIPS);
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % below
    };
    let mut tried = std::collections::BTreeMap::<String, u32>::new();
    for round in 0..flips {
        let mut bytes = good.clone();
        let (at, bit) = (next(bytes.len()), next(8));
        bytes[at] ^= 1 << bit;
        let refused = bench.inspect(&bytes).expect_err(&format!("round {round}: bit {bit} of byte {at}"));
        *tried.entry(refused.code).or_default() += 1;
    }
    for round in 0..flips / 10 {
        let length = next(good.len());
        let refused = bench.inspect(&good[..length]).expect_err(&format!("round {round}: cut at {length}"));
        *tried.entry(refused.code).or_default() += 1;
    }
    assert!(bench.inspect(&good).is_ok());
    assert_eq!(tried.values().sum::<u32>(), flips + flips / 10, "{tried:?}");
}

#[test]
fn an_installed_update_waits_for_its_restart_and_is_kept_once_proven() {
    let bench = Bench::new();
    bench.upload(&bench.signer.bundle(GOOD));
    let mut percents = Vec::new();
    let answer = bench.machine.steward().follow(&Act::InstallBundle, LONG, |p| percents.push(p.percent));
    assert_eq!(answer, Ok(Answer::Done));
    assert!(percents.is_sorted() && percents.contains(&40) && percents.last() == Some(&100), "{percents:?}");
    let slots = bench.slots();
    assert!(slots.pending.as_ref().is_some_and(|p| p.installed && p.version == "0.2.0") && !slots.unproven());
    assert_eq!(bench.ask(&Act::RollBack).unwrap_err().code, "unproven");
    let bench = Bench { machine: bench.machine.restarted("slot=b\nversion=0.2.0\n", "second"), ..bench };
    assert!(bench.slots().unproven());
    assert_eq!(bench.ask(&Act::MarkGood), Ok(Answer::Done));
    let slots = bench.slots();
    assert!(
        slots.pending.is_none() && slots.last.is_some_and(|l| l.result == Went::Kept && l.version == "0.2.0")
    );
    assert!(bench.machine.did("rauc").contains(&"status mark-good".to_owned()));
}

#[test]
fn an_update_that_fails_its_proof_is_taken_back_and_the_reason_is_kept() {
    let bench = Bench::new();
    bench.upload(&bench.signer.bundle(GOOD));
    assert_eq!(bench.ask(&Act::InstallBundle), Ok(Answer::Done));
    let why = Sentence::new("It could not call itself.", "自检通话失败。");
    let bad = Act::MarkBad { why: why.clone() };
    assert_eq!(bench.ask(&bad).unwrap_err().code, "proven", "what runs now is not the update");
    let bench = Bench { machine: bench.machine.restarted("slot=b\nversion=0.2.0\n", "second"), ..bench };
    assert_eq!(bench.ask(&bad), Ok(Answer::Done));
    assert!(bench.machine.did("rauc").contains(&"status mark-bad".to_owned()));
    assert_eq!(bench.machine.did("systemctl"), ["--no-block reboot"]);
    let bench = Bench { machine: bench.machine.restarted(FACTS_A, "third"), ..bench };
    let last = bench.slots().last.unwrap();
    assert_eq!((last.result, last.version.as_str(), last.said), (Went::TakenBack, "0.2.0", why));
}

#[test]
fn an_update_that_never_came_up_is_noted_by_the_system_that_did() {
    let bench = Bench::new();
    bench.upload(&bench.signer.bundle(GOOD));
    assert_eq!(bench.ask(&Act::InstallBundle), Ok(Answer::Done));
    let bench = Bench { machine: bench.machine.restarted(FACTS_A, "second"), ..bench };
    let slots = bench.slots();
    assert!(slots.pending.is_none());
    let last = slots.last.unwrap();
    assert_eq!(last.result, Went::TakenBack);
    assert!(last.said.en.contains("did not start"), "{}", last.said.en);
}

#[test]
fn an_update_that_cannot_be_written_changes_nothing() {
    let bench = Bench::new();
    bench.upload(&bench.signer.bundle(GOOD));
    std::fs::write(bench.machine.path("disk-broken"), "").unwrap();
    let refused = bench.ask(&Act::InstallBundle).unwrap_err();
    assert_eq!(refused.code, "install_failed");
    assert!(refused.said.en.contains("No space left"), "{refused}");
    assert!(bench.slots().pending.is_none());
}

#[test]
fn a_person_can_go_back_to_the_system_before() {
    let bench = Bench::new();
    assert_eq!(bench.machine.steward().ask(&Act::RollBack, SHORT), Ok(Answer::Done));
    assert!(bench.machine.did("rauc").contains(&"status mark-active other".to_owned()));
    let rolled_back = |slots: Slots| {
        slots.last.is_some_and(|l| l.result == Went::RolledBack && l.said.en.contains("0.0.9"))
    };
    assert!(rolled_back(bench.slots()));
    let bench = Bench { machine: bench.machine.restarted("slot=b\nversion=0.0.9\n", "second"), ..bench };
    assert!(rolled_back(bench.slots()), "it runs, and that is how it came");
    let bench = Bench { machine: bench.machine.restarted(FACTS_A, "third"), ..bench };
    assert!(rolled_back(bench.slots()), "what happens later is no part of it");
}

#[test]
fn a_person_can_go_back_to_the_system_that_the_box_came_with() {
    let bench = Bench::new();
    bench.upload(&bench.signer.bundle(GOOD));
    assert_eq!(bench.ask(&Act::InstallBundle), Ok(Answer::Done));
    let bench = Bench { machine: bench.machine.restarted("slot=b\nversion=0.2.0\n", "second"), ..bench };
    assert_eq!(bench.ask(&Act::MarkGood), Ok(Answer::Done));
    assert_eq!(
        bench.slots().a.version.as_deref(),
        Some("0.1.0"),
        "RAUC did not install it and knows nothing of it"
    );
    assert_eq!(bench.ask(&Act::RollBack), Ok(Answer::Done));
    assert!(bench.slots().last.is_some_and(|l| l.result == Went::RolledBack && l.said.en.contains("0.1.0")));
}

#[test]
fn a_system_that_does_not_start_when_a_person_goes_back_to_it_is_told_as_such() {
    let bench = Bench::new();
    assert_eq!(bench.machine.steward().ask(&Act::RollBack, SHORT), Ok(Answer::Done));
    // The boot loader gave up on it: what ran before runs again.
    let bench = Bench { machine: bench.machine.restarted(FACTS_A, "second"), ..bench };
    let last = bench.slots().last.unwrap();
    assert_eq!((last.result, last.version.as_str()), (Went::TakenBack, "0.0.9"));
    assert!(last.said.en.contains("did not start") && last.said.zh.contains("无法启动"), "{last:?}");
}
