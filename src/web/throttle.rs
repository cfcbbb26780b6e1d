//! Limits tries at secrets per address: ten failures in five minutes, then 429 for that address only. The owner at
//! another address is never locked out. A try counts from its start and is forgiven when it was right.
use model::clock::Mono;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Failures allowed in [`WINDOW`].
pub const TRIES: usize = 10;
/// How long a failure counts.
pub const WINDOW: Duration = Duration::from_secs(300);
/// Addresses remembered; the one longest silent is forgotten first. 4,096 × ~150 bytes.
const ADDRESSES: usize = 4096;

/// Tries by address.
#[derive(Default)]
pub struct Throttle {
    tries: Mutex<BTreeMap<IpAddr, VecDeque<Mono>>>,
}

impl Throttle {
    /// Counts a try.
    ///
    /// # Errors
    /// The limit is reached: seconds until the next try is weighed.
    pub fn begin(&self, who: IpAddr, now: Mono) -> Result<(), u32> {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let who = network(who);
        if !tries.contains_key(&who) && tries.len() >= ADDRESSES {
            let oldest = tries.iter().min_by_key(|(_, t)| t.back().copied()).map(|(a, _)| *a);
            oldest.and_then(|a| tries.remove(&a));
        }
        let mine = tries.entry(who).or_default();
        while mine.front().is_some_and(|&t| now.since(t) >= WINDOW) {
            mine.pop_front();
        }
        if mine.len() >= TRIES {
            let first = mine.front().copied().unwrap_or(now);
            let left = WINDOW.saturating_sub(now.since(first)).as_secs() + 1;
            return Err(u32::try_from(left).unwrap_or(u32::MAX));
        }
        mine.push_back(now);
        Ok(())
    }

    /// The try that began last from there was right.
    pub fn forgive(&self, who: IpAddr) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let who = network(who);
        if let Some(mine) = tries.get_mut(&who) {
            mine.pop_back();
            if mine.is_empty() {
                tries.remove(&who);
            }
        }
    }
}

/// One customer: an IPv4 address, or the /64 that every IPv6 host owns.
fn network(who: IpAddr) -> IpAddr {
    match who.to_canonical() {
        IpAddr::V4(a) => IpAddr::V4(a),
        IpAddr::V6(a) => IpAddr::V6((u128::from(a) >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Mono {
        Mono(s * 1_000_000)
    }

    #[test]
    fn ten_failures_close_the_door_for_five_minutes_for_that_address_only() {
        let throttle = Throttle::default();
        let (bad, owner): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for i in 0..10 {
            throttle.begin(bad, at(i)).unwrap();
        }
        assert_eq!(throttle.begin(bad, at(10)), Err(291));
        assert_eq!(throttle.begin(owner, at(10)), Ok(()));
        assert_eq!(throttle.begin(bad, at(300)), Ok(()), "the first failure is five minutes old");
        assert!(throttle.begin(bad, at(300)).is_err());
    }

    #[test]
    fn right_answers_do_not_count() {
        let throttle = Throttle::default();
        let who = "192.0.2.1".parse().unwrap();
        for i in 0..100 {
            throttle.begin(who, at(i)).unwrap();
            throttle.forgive(who);
        }
    }

    #[test]
    fn a_whole_ipv6_network_is_one_guesser_and_memory_is_bounded() {
        let throttle = Throttle::default();
        for i in 0..10 {
            throttle.begin(format!("2001:db8::{i}").parse().unwrap(), at(0)).unwrap();
        }
        assert!(throttle.begin("2001:db8::ffff".parse().unwrap(), at(0)).is_err());
        for i in 0..10_000u32 {
            throttle.begin(IpAddr::V4(i.into()), at(1)).unwrap();
        }
        assert!(throttle.tries.lock().unwrap().len() <= ADDRESSES);
    }
}
