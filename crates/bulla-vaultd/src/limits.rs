//! How many requests an address, and an account, may make.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use crate::record::Account;

/// Requests between two cleanings.
const CLEANING: u64 = 10_000;

/// The rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Requests per second from one address, and ten times as many at once.
    pub per_address: NonZeroU32,
    /// Requests per minute for one account, as many at once.
    pub per_account: NonZeroU32,
}

/// What was used of the rates so far.
pub struct Limits {
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    accounts: DefaultKeyedRateLimiter<Account>,
    clock: DefaultClock,
    seen: AtomicU64,
}

impl Default for Rates {
    fn default() -> Rates {
        let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Rates { per_address: number(20), per_account: number(60) }
    }
}

impl Limits {
    /// Nothing used yet.
    pub fn new(rates: Rates) -> Limits {
        let burst = rates.per_address.saturating_mul(NonZeroU32::MIN.saturating_add(9));
        Limits {
            addresses: DefaultKeyedRateLimiter::keyed(
                Quota::per_second(rates.per_address).allow_burst(burst),
            ),
            accounts: DefaultKeyedRateLimiter::keyed(Quota::per_minute(rates.per_account)),
            clock: DefaultClock::default(),
            seen: AtomicU64::new(0),
        }
    }

    /// Counts a request from an address.
    ///
    /// # Errors
    ///
    /// Seconds until the next one.
    pub fn address(&self, address: IpAddr) -> Result<(), u64> {
        if self.seen.fetch_add(1, Ordering::Relaxed) % CLEANING == CLEANING - 1 {
            // Whoever was away long enough has its whole rate again, and need not be remembered.
            self.addresses.retain_recent();
            self.accounts.retain_recent();
        }
        self.addresses.check_key(&network(address)).map_err(|not_until| self.seconds(not_until))
    }

    /// Counts a request for an account.
    ///
    /// # Errors
    ///
    /// Seconds until the next one.
    pub fn account(&self, account: &Account) -> Result<(), u64> {
        self.accounts.check_key(account).map_err(|not_until| self.seconds(not_until))
    }

    fn seconds(&self, not_until: governor::NotUntil<governor::clock::QuantaInstant>) -> u64 {
        not_until.wait_time_from(self.clock.now()).as_secs() + 1
    }
}

/// What is counted as one address: of IPv6 the network, as one host has all of its addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own() {
        let rates =
            Rates { per_address: NonZeroU32::MIN, per_account: NonZeroU32::new(3).unwrap() };
        let limits = Limits::new(rates);
        let [one, two] = [IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2])];
        assert_eq!((0..20).filter(|_| limits.address(one).is_ok()).count(), 10);
        assert!(limits.address(two).is_ok());
        assert!((0..3).all(|_| limits.account(&[1; 32]).is_ok()));
        let wait = limits.account(&[1; 32]).unwrap_err();
        assert!((1..=21).contains(&wait), "{wait}");
        assert!(limits.account(&[2; 32]).is_ok());
    }

    #[test]
    fn addresses_of_one_host() {
        let [a, b]: [IpAddr; 2] =
            ["2001:db8::1", "2001:db8::ffff:1"].map(|text| text.parse().unwrap());
        assert_eq!(network(a), network(b));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), IpAddr::from([192, 0, 2, 1]));
    }
}
