//! What a vault bears: recoveries per second, and how long each of their two calls takes. Prints its figures; run it alone:
//!
//! ```text
//! cargo test --release -p bulla-vaultd --test load -- --ignored --nocapture embedded
//! tests/scripts/vault-cluster.sh --load
//! ```

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]
#![cfg(unix)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bulla_vault::AccountHash;
use bulla_vault::messages::LoginStarted;
use bulla_vaultd::accounts::Issuer;
use support::cluster::{Members, Node};
use support::online::{ISSUER, Online, Site, evaluated};
use support::*;

const THREADS: usize = 8;
const MEASURED: Duration = Duration::from_secs(20);

fn accounts() -> usize {
    std::env::var("BULLA_LOAD_ACCOUNTS").map_or(10_000, |number| number.parse().unwrap())
}

fn subject(number: usize) -> String {
    format!("user {number}")
}

/// Works on numbers in parallel.
fn each(count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= count {
                        break;
                    }
                    work(number);
                }
            });
        }
    });
}

#[derive(Default)]
struct Times {
    start: Vec<Duration>,
    finish: Vec<Duration>,
    refused: usize,
}

/// A recovery, with each call asked again until it is answered.
fn recover(site: &Site, subject: &str, times: &mut Times) {
    let guess = site.guess(subject, REG, "right");
    let again = |times: &mut Times| {
        times.refused += 1;
        std::thread::sleep(Duration::from_millis(50));
    };
    let began = Instant::now();
    let started: LoginStarted = loop {
        match site.start(subject, &guess) {
            Ok(answer) if answer.status == 200 => break answer.is(),
            Ok(answer) => assert_eq!(answer.status, 503),
            Err(_) => {}
        }
        again(times);
    };
    times.start.push(began.elapsed());
    let proof = guess.prove(&evaluated(&started)).expect("the right password");
    let ke3: [u8; 64] = proof.ke3.clone().try_into().unwrap();
    let began = Instant::now();
    loop {
        match site.finish(subject, &guess, &proof.token, ke3) {
            Ok(answer) if answer.status == 200 => break,
            Ok(answer) => assert_eq!(answer.status, 503),
            Err(_) => {}
        }
        again(times);
    }
    times.finish.push(began.elapsed());
}

/// Recoveries of random accounts by all threads for a while.
fn load(name: &str, sites: &[&Site], accounts: usize, done: &AtomicBool) {
    let began = Instant::now();
    let all: Vec<Times> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let mut times = Times::default();
                    let mut number = thread * 7919;
                    while !done.load(Ordering::SeqCst) && began.elapsed() < MEASURED {
                        // Two threads are never at one account at a time.
                        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        let account = (number >> 33) % (accounts / THREADS) * THREADS + thread;
                        recover(
                            sites[(thread + times.start.len()) % sites.len()],
                            &subject(account),
                            &mut times,
                        );
                    }
                    times
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    let count: usize = all.iter().map(|times| times.finish.len()).sum();
    let refused: usize = all.iter().map(|times| times.refused).sum();
    println!(
        "{name}: {:.0} recoveries/s by {THREADS} clients, {refused} calls asked again",
        count as f64 / seconds
    );
    let quantiles = |call: &str, mut times: Vec<Duration>| {
        times.sort();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        println!("  {call}: median {:.1?}, 99% {:.1?}, longest {:.1?}", at(0.5), at(0.99), at(1.0));
    };
    quantiles("first call", all.iter().flat_map(|times| times.start.clone()).collect());
    quantiles("second call", all.iter().flat_map(|times| times.finish.clone()).collect());
}

fn enroll(sites: &[&Site], accounts: usize) {
    let began = Instant::now();
    each(accounts, |number| {
        let site = sites[number % sites.len()];
        assert_eq!(site.register(&subject(number), REG, "right", 10, cheap()).status, 200);
        recover(site, &subject(number), &mut Times::default());
    });
    println!("{accounts} accounts registered and proven in {:.0?}", began.elapsed());
}

/// Every account is there, and its guesses are full.
fn nothing_lost(sites: &[&Site], accounts: usize) {
    each(accounts, |number| {
        assert_eq!(sites[number % sites.len()].left(&subject(number)), 10, "{}", subject(number));
    });
    println!("nothing lost: {accounts} accounts, all guesses full");
}

/// Time that a part took, over all threads.
fn shares(bench: &Bench) {
    let account = *AccountHash::of(ISSUER, "shares").as_bytes();
    bench.enroll(&account, &REG, "right", 10);
    let began = Instant::now();
    let count = 200;
    for _ in 0..count {
        login(&bench.vault, &account, &REG, "right").unwrap();
    }
    println!(
        "one client, no HTTP: {:.2?} for a recovery, its client's part included",
        began.elapsed() / count
    );
}

#[test]
#[ignore = "takes minutes, and the machine for itself"]
fn embedded() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path());
    let online = Online::new(&bench);
    let accounts = accounts();
    enroll(&[&online.site], accounts);
    load("redb, key file, one process", &[&online.site], accounts, &AtomicBool::new(false));
    nothing_lost(&[&online.site], accounts);
    let size = std::fs::metadata(folder.path().join("records")).unwrap().len();
    println!("records: {} bytes per account", size / accounts as u64);
    shares(&bench);
}

#[test]
#[ignore = "needs etcd and SoftHSM2: run by tests/scripts/vault-cluster.sh --load"]
fn several_data_centres() {
    let folder = tempfile::tempdir().unwrap();
    let mut members = Members::start(folder.path());
    let issuer = Arc::new(Issuer::generate(ISSUER).unwrap());
    let nodes: Vec<_> =
        (0..3).map(|number| Node::start(folder.path(), number, members.endpoints(), &issuer)).collect();
    let sites: Vec<_> = nodes.iter().map(|node| &node.site).collect();
    let accounts = accounts();
    enroll(&sites, accounts);
    load("etcd, 5 members, 3 servers, SoftHSM2", &sites, accounts, &AtomicBool::new(false));
    // Again, with a member killed and started again every two seconds.
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let killing = scope.spawn(|| {
            let mut member = 0;
            while !done.load(Ordering::SeqCst) {
                members.kill(member);
                std::thread::sleep(Duration::from_secs(1));
                members.start_one(member);
                std::thread::sleep(Duration::from_secs(1));
                member = (member + 3) % 5;
            }
        });
        load("the same, members killed one after another", &sites, accounts, &done);
        done.store(true, Ordering::SeqCst);
        killing.join().unwrap();
    });
    nothing_lost(&sites, accounts);
}
