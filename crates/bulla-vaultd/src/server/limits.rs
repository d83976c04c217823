//! Request rate limits per address and per account.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use crate::record::Account;

/// Number of requests between two removals of idle entries.
const CLEANUP_INTERVAL: u64 = 10_000;

/// Request rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Requests per second from one address. Bursts of up to ten times this number are allowed.
    pub per_address: NonZeroU32,
    /// Requests per minute for one account. Bursts of up to this number are allowed.
    pub per_account: NonZeroU32,
}

/// Rate limiters for addresses and accounts.
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
    /// Creates limiters with all quotas unused.
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
    /// Returns the number of seconds until the next request is allowed.
    pub fn address(&self, address: IpAddr) -> Result<(), u64> {
        if self.seen.fetch_add(1, Ordering::Relaxed) % CLEANUP_INTERVAL == CLEANUP_INTERVAL - 1 {
            // An entry whose quota has refilled is no different from a new entry.
            self.addresses.retain_recent();
            self.accounts.retain_recent();
        }
        self.addresses.check_key(&network(address)).map_err(|not_until| self.seconds(not_until))
    }

    /// Counts a request for an account.
    ///
    /// # Errors
    ///
    /// Returns the number of seconds until the next request is allowed.
    pub fn account(&self, account: &Account) -> Result<(), u64> {
        self.accounts.check_key(account).map_err(|not_until| self.seconds(not_until))
    }

    fn seconds(&self, not_until: governor::NotUntil<governor::clock::QuantaInstant>) -> u64 {
        not_until.wait_time_from(self.clock.now()).as_secs() + 1
    }
}

/// Returns the key under which an address is counted. For IPv6, this is the address's /64 network,
/// because a host usually has all the addresses in its network.
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
    fn limits_each_address_and_account_separately() {
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
    fn counts_an_ipv6_network_as_one_address() {
        let [a, b]: [IpAddr; 2] =
            ["2001:db8::1", "2001:db8::ffff:1"].map(|text| text.parse().unwrap());
        assert_eq!(network(a), network(b));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), IpAddr::from([192, 0, 2, 1]));
    }
}
