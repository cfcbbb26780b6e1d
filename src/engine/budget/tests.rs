//! The books alone: who is charged, when a call must end, what a night, a midnight and a restart change.
use super::*;
use crate::fixture::{number, site};
use model::clock::Wall;
use model::config::budget::Limits;

/// Noon of a Monday in the site's zone, and seconds after it.
fn at(second: u64) -> Now {
    let ms = i64::try_from(second).expect("small") * 1000;
    Now { mono: Mono(1_000_000 + second * 1_000_000), wall: Wall(1_795_431_600_000 + ms) }
}

fn charge(by: &str, class: Class) -> Charge {
    Charge { by: Some(number(by)), trunk: "carrier".into(), class }
}

fn call(books: &mut Budgets, second: u64, leg: u64, by: &str, class: Class) {
    books.begins(LegId(leg), charge(by, class));
    books.answered(at(second), &site(), LegId(leg));
}

fn allowed(books: &Budgets, second: u64, class: Class) -> Result<(), Barred> {
    books.allows(&site(), at(second), Some(&number("101")), None, class)
}

#[test]
fn two_calls_at_once_use_the_minutes_up_in_half_the_time_and_both_end() {
    let (mut books, config) = (Budgets::default(), site());
    call(&mut books, 0, 1, "101", Class::Premium);
    call(&mut books, 0, 2, "101", Class::Premium);
    let mut now = at(0);
    let mut looks = 0;
    let found = loop {
        let found = books.look(now, &config);
        if !found.cut.is_empty() {
            break found;
        }
        now = Now { mono: books.next(now, &config).expect("calls run"), ..now };
        looks += 1;
        assert!(looks < 20, "it comes to an end");
    };
    assert_eq!(now.mono, at(150).mono, "five minutes for two");
    assert_eq!(found.cut, [LegId(1), LegId(2)]);
    assert_eq!(found.spent, [(Scope::Extension(number("101")), Class::Premium)]);
    assert!(books.look(now, &config).spent.is_empty(), "told once");
}

#[test]
fn minutes_are_counted_for_extension_trunk_and_site_and_refused_when_one_has_none_left() {
    let mut config = site();
    config.budget.site = Limits { premium_min: 4, ..Limits::default() };
    let mut books = Budgets::default();
    for (leg, by) in [(1, "101"), (2, "102")] {
        books.begins(LegId(leg), charge(by, Class::Premium));
        books.answered(at(0), &config, LegId(leg));
    }
    let found = books.look(at(120), &config);
    assert_eq!(found.cut.len(), 2, "each has three minutes left of its own, the site none");
    let third = books.allows(&config, at(121), Some(&number("103")), None, Class::Premium);
    assert_eq!(third, Err(Barred::Spent(Scope::Site)));
    assert_eq!(books.allows(&config, at(121), Some(&number("103")), None, Class::International), Ok(()));
}

#[test]
fn what_has_no_limit_is_not_counted_and_leaves_nothing_behind() {
    let (mut books, config) = (Budgets::default(), site());
    call(&mut books, 0, 1, "101", Class::National);
    books.look(at(36_000), &config);
    assert!(books.ends(at(36_000), &config, LegId(1)));
    assert_eq!(allowed(&books, 36_000, Class::National), Ok(()));
    assert!(books.changes(at(36_000), &config).is_empty());
    assert_eq!(books.next(at(36_000), &config), None);
}

#[test]
fn more_dear_calls_at_once_than_allowed_are_refused_also_while_they_ring() {
    let mut books = Budgets::default();
    books.begins(LegId(1), charge("101", Class::International));
    books.begins(LegId(2), charge("101", Class::Premium));
    assert_eq!(allowed(&books, 0, Class::International), Err(Barred::AtOnce));
    assert_eq!(allowed(&books, 0, Class::National), Ok(()));
    books.ends(at(1), &site(), LegId(1));
    assert_eq!(allowed(&books, 1, Class::International), Ok(()));
}

#[test]
fn a_restart_forgets_nothing_of_today_and_midnight_everything() {
    let (mut before, config) = (Budgets::default(), site());
    call(&mut before, 0, 1, "101", Class::Premium);
    before.look(at(290), &config);
    let records: Vec<BudgetRecord> =
        before.changes(at(290), &config).into_iter().map(|(_, _, r)| r).collect();
    assert_eq!(records.len(), 2, "the extension and the site: {records:?}");
    let mut books = Budgets::default();
    books.restore(at(300), &config, &records);
    call(&mut books, 300, 2, "101", Class::Premium);
    assert_eq!(books.next(at(300), &config), Some(at(310).mono), "ten seconds are left");
    let tomorrow = 12 * 3600;
    let mut later = Budgets::default();
    later.restore(at(tomorrow), &config, &records);
    assert_eq!(later.next(at(tomorrow), &config), None);
    books.ends(at(301), &config, LegId(2));
    books.look(at(tomorrow), &config);
    assert!(books.used.is_empty(), "a page a day");
    assert!(
        books.changes(at(tomorrow), &config).iter().all(|(_, view, r)| view.is_none() && r.used_ms == [0; 3])
    );
}

#[test]
fn while_the_office_is_closed_only_a_share_may_be_used() {
    let (mut books, mut config) = (Budgets::default(), site());
    config.budget.schedule = Some("office".into());
    config.budget.closed_percent = 20;
    config.schedule.get_mut("office").expect("it is there").holidays.clear();
    let night = 10 * 3600;
    books.begins(LegId(1), charge("101", Class::Premium));
    books.answered(at(night), &config, LegId(1));
    assert_eq!(books.next(at(night), &config), Some(at(night + 60).mono), "one minute of five");
    assert_eq!(books.look(at(night + 60), &config).cut, [LegId(1)]);
    config.budget.closed_percent = 100;
    assert_eq!(books.look(at(night + 60), &config).cut, []);
}

#[test]
fn minutes_given_back_and_a_warning_before_the_end() {
    let (mut books, config) = (Budgets::default(), site());
    call(&mut books, 0, 1, "101", Class::Premium);
    let own = Scope::Extension(number("101"));
    assert_eq!(books.look(at(245), &config).near, [(own.clone(), Class::Premium)]);
    assert_eq!(books.look(at(250), &config).near, [], "told once");
    books.look(at(300), &config);
    assert_eq!(allowed(&books, 300, Class::Premium), Err(Barred::Spent(own.clone())));
    assert!(books.reset(&own));
    assert!(!books.reset(&own));
    assert_eq!(allowed(&books, 300, Class::Premium), Ok(()));
}

#[test]
fn stopped_calls_end_and_none_begins() {
    let (mut books, mut config) = (Budgets::default(), site());
    call(&mut books, 0, 1, "101", Class::National);
    config.budget.stop = true;
    assert_eq!(books.look(at(1), &config).cut, [LegId(1)]);
    let refused = books.allows(&config, at(1), None, Some("carrier"), Class::National);
    assert_eq!(refused, Err(Barred::Stopped));
}

/// Thirty phones for 22 working days by the limits that a site has from the start: 20 calls in the country each day,
/// two abroad of up to twenty minutes, and every tenth day a service number for up to four minutes.
#[test]
fn a_month_of_ordinary_calls_is_never_cut() {
    let config = site();
    let mut books = Budgets::default();
    let mut leg = 0;
    let mut draw = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: u64| {
        draw ^= draw << 13;
        draw ^= draw >> 7;
        draw ^= draw << 17;
        draw % below
    };
    let (mut calls, mut cut, mut refused) = (0, 0, 0);
    for day in 0..22 {
        for phone in 0..30_u64 {
            let by = number(&(200 + phone).to_string());
            let mut second = day * 86_400;
            let dear = if (day + phone) % 10 == 0 { vec![(Class::Premium, 240)] } else { Vec::new() };
            let day_of_calls =
                [(Class::National, 900); 20].into_iter().chain([(Class::International, 1200); 2]);
            for (class, longest) in day_of_calls.chain(dear) {
                leg += 1;
                calls += 1;
                second += random(120);
                match books.allows(&config, at(second), Some(&by), None, class) {
                    Ok(()) => {}
                    Err(_) => refused += 1,
                }
                books.begins(LegId(leg), Charge { by: Some(by.clone()), trunk: "carrier".into(), class });
                books.answered(at(second), &config, LegId(leg));
                second += random(longest);
                cut += books.look(at(second), &config).cut.len();
                books.ends(at(second), &config, LegId(leg));
            }
        }
    }
    assert!(calls > 14_000, "{calls} calls");
    assert_eq!((cut, refused), (0, 0), "of {calls} calls");
}
