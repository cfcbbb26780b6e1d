//! Who has no business here gets no call, learns nothing, and is banned for a while when it does not stop.
use sim::ua::Account;
use sim::{World, each_seed, site};
use std::net::IpAddr;

#[test]
fn a_wrong_password_registers_nothing_and_places_no_call() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|_| {}));
        let thief = w.add_ua("101-thief", IpAddr::from([10, 2, 0, 1]), 900);
        let now = w.now();
        let account = Account { user: "101".into(), password: "guess".into(), expires_s: 60 };
        w.change(thief).register(now, account);
        w.pass(3);
        assert!(!w.look(thief).registered);
        let call = w.dial("101-thief", "102");
        let code = w.until_over(call);
        assert!(matches!(code, 401 | 403 | 408), "{code}");
        w.rest();
        assert!(w.records().is_empty(), "{:?}", w.records());
    });
}

#[test]
fn the_answer_is_the_same_whether_or_not_the_extension_exists() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|_| {}));
        let mut codes = Vec::new();
        for (n, user) in (1_u8..).zip(["101", "999"]) {
            let name = format!("stranger-{n}");
            let ua = w.add_ua(&name, IpAddr::from([10, 2, 0, n]), 900 + u16::from(n));
            let now = w.now();
            let account = Account { user: user.into(), password: "guess".into(), expires_s: 60 };
            w.change(ua).register(now, account);
            w.pass(1);
            let call = w.dial(&name, user);
            codes.push((w.until_over(call), w.look(ua).registered));
        }
        assert_eq!(codes[0], codes[1]);
        w.rest();
    });
}

#[test]
fn who_guesses_on_is_banned_and_shown_and_others_are_not() {
    each_seed(|seed| {
        let mut w = World::new(seed, site::site(|_| {}));
        w.phones_up(&["102"]);
        let thief = w.add_ua("thief", IpAddr::from([10, 2, 0, 1]), 900);
        for n in 0..40 {
            let now = w.now();
            let account = Account { user: "101".into(), password: format!("guess-{n}"), expires_s: 60 };
            w.change(thief).register(now, account);
            w.pass(1);
        }
        assert!(w.pbx.watch.notes.iter().any(|(kind, _)| kind == "ban"), "{:?}", w.pbx.watch.notes);
        w.phones_up(&["103"]);
        let from = w.dial("103", "102");
        let to = w.until_answers("102");
        w.until_talk(from, to);
        w.rest();
    });
}
