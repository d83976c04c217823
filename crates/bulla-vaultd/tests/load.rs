//! A load test that measures recoveries per second, and the latency of a recovery's two calls. It
//! prints its results. Run it on its own:
//!
//! ```text
//! cargo test --release -p bulla-vaultd --test load -- --ignored --nocapture embedded
//! tests/scripts/vault-cluster.sh --load
//! ```

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]
#![cfg(unix)]

mod support;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bulla_vault::AccountHash;
use bulla_vault::messages::LoginStarted;
use bulla_vaultd::hsm::KeyFile;
use bulla_vaultd::store::{
    Commit, Embedded, Held, RecordKey, RecordKind, Store, StoreError, Transaction, Versioned,
};
use bulla_vaultd::tokens::Issuer;
use rustix::time::{ClockId, clock_gettime};
use support::cluster::{EtcdCluster, Node, cpu as process_cpu};
use support::server::{ISSUER, TestClient, TestServer, evaluated};
use support::*;

const THREADS: usize = 8;
const MEASURED: Duration = Duration::from_secs(20);

fn accounts() -> usize {
    std::env::var("BULLA_LOAD_ACCOUNTS").map_or(10_000, |number| number.parse().unwrap())
}

fn subject(number: usize) -> String {
    format!("user {number}")
}

/// Runs `work` for each number below `count`, on several threads.
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

/// Performs a recovery, repeating each call until the server responds.
fn recover(client: &TestClient, subject: &str, times: &mut Times) {
    let guess = client.guess(subject, REG, "right");
    let again = |times: &mut Times| {
        times.refused += 1;
        std::thread::sleep(Duration::from_millis(50));
    };
    let began = Instant::now();
    let started: LoginStarted = loop {
        match client.start(subject, &guess) {
            Ok(response) if response.status == 200 => break response.is(),
            Ok(response) => assert_eq!(response.status, 503),
            Err(_) => {}
        }
        again(times);
    };
    times.start.push(began.elapsed());
    let proof = guess.prove(&evaluated(&started)).expect("correct password");
    let ke3: [u8; 64] = proof.ke3.clone().try_into().unwrap();
    let began = Instant::now();
    loop {
        match client.finish(subject, &guess, &proof.token, ke3) {
            Ok(response) if response.status == 200 => break,
            Ok(response) => assert_eq!(response.status, 503),
            Err(_) => {}
        }
        again(times);
    }
    times.finish.push(began.elapsed());
}

/// Recovers random accounts on all threads for a while, and prints rates and latencies.
fn load(name: &str, clients: &[&TestClient], accounts: usize, done: &AtomicBool) {
    let began = Instant::now();
    let all: Vec<Times> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let mut times = Times::default();
                    let mut number = thread * 7919;
                    while !done.load(Ordering::SeqCst) && began.elapsed() < MEASURED {
                        // Each account belongs to one thread.
                        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        let account = (number >> 33) % (accounts / THREADS) * THREADS + thread;
                        recover(
                            clients[(thread + times.start.len()) % clients.len()],
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
        "{name}: {:.0} recoveries/s by {THREADS} clients, {refused} calls repeated",
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

fn enroll(clients: &[&TestClient], accounts: usize) {
    let began = Instant::now();
    each(accounts, |number| {
        let client = clients[number % clients.len()];
        assert_eq!(client.register(&subject(number), REG, "right", 10, cheap()).status, 200);
        recover(client, &subject(number), &mut Times::default());
    });
    println!("{accounts} accounts registered in {:.0?}", began.elapsed());
}

/// Checks that every account exists and has all its guesses.
fn check_no_loss(clients: &[&TestClient], accounts: usize) {
    each(accounts, |number| {
        assert_eq!(
            clients[number % clients.len()].left(&subject(number)),
            10,
            "{}",
            subject(number)
        );
    });
    println!("no loss: {accounts} accounts have all their guesses");
}

/// Returns this thread's CPU time in milliseconds.
fn thread_cpu() -> f64 {
    let taken = clock_gettime(ClockId::ThreadCPUTime);
    taken.tv_sec as f64 * 1e3 + taken.tv_nsec as f64 / 1e6
}

/// One component's wall time and CPU time, in milliseconds.
#[derive(Default)]
struct Stopwatch {
    time: Mutex<(f64, f64)>,
}

impl Stopwatch {
    fn of<T>(&self, work: impl FnOnce() -> T) -> T {
        let (began, cpu) = (Instant::now(), thread_cpu());
        let done = work();
        let mut time = self.time.lock().unwrap();
        time.0 += began.elapsed().as_secs_f64() * 1e3;
        time.1 += thread_cpu() - cpu;
        done
    }

    fn taken(&self) -> (f64, f64) {
        *self.time.lock().unwrap()
    }
}

/// A store that measures the time it takes.
struct TimedStore(Arc<dyn Store>, Arc<Stopwatch>);

impl Store for TimedStore {
    fn read(&self, keys: &[RecordKey]) -> Result<Vec<Option<Versioned>>, StoreError> {
        self.1.of(|| self.0.read(keys))
    }

    fn commit(&self, transaction: &Transaction) -> Result<Commit, StoreError> {
        self.1.of(|| self.0.commit(transaction))
    }

    fn confirm(&self, key: &RecordKey, held: &Versioned) -> Result<Held, StoreError> {
        self.1.of(|| self.0.confirm(key, held))
    }

    fn accounts(
        &self,
        kind: RecordKind,
        after: Option<&[u8; 32]>,
        limit: usize,
    ) -> Result<Vec<[u8; 32]>, StoreError> {
        self.0.accounts(kind, after, limit)
    }
}

/// Prints each component's share of a single client's recovery time, measured first without HTTP
/// and then with it.
fn shares(directory: &Path) {
    const COUNT: u32 = 500;
    let [records, watermarks, client, vault] = [(); 4].map(|()| Arc::new(Stopwatch::default()));
    let measured = |name: &str, part: &Arc<Stopwatch>| -> Arc<dyn Store> {
        Arc::new(TimedStore(
            Arc::new(Embedded::open(&directory.join(name)).unwrap()),
            Arc::clone(part),
        ))
    };
    let hsm = Arc::new(KeyFile::create(&directory.join("keys")).unwrap());
    let fixture = TestVault::from_parts(
        measured("records", &records),
        hsm,
        measured("marks", &watermarks),
        policy(),
        TestClock::new(),
    );
    let server = TestServer::new(&fixture);
    let account = *AccountHash::of(ISSUER, "shares").as_bytes();
    fixture.enroll(&account, &REG, "right", 10);
    let before = [records.taken(), watermarks.taken()];
    for _ in 0..COUNT {
        let guess = client.of(|| Guess::new(&account, &REG, "right"));
        let evaluated = vault.of(|| guess.start(&fixture.vault)).unwrap();
        let proof = client.of(|| guess.prove(&evaluated)).unwrap();
        vault.of(|| proof.finish(&fixture.vault)).unwrap();
    }
    let since = |part: &Stopwatch, before: (f64, f64)| {
        (part.taken().0 - before.0, part.taken().1 - before.1)
    };
    let (records, watermarks) = (since(&records, before[0]), since(&watermarks, before[1]));
    let (client, vault) = (client.taken(), vault.taken());
    let (began, cpu) = (Instant::now(), process_cpu("self"));
    for _ in 0..COUNT {
        recover(&server.client, "shares", &mut Times::default());
    }
    let http = (began.elapsed().as_secs_f64() * 1e3, (process_cpu("self") - cpu) * 1e3);
    let parts = [
        ("client: OPAQUE without Argon2id", client),
        ("records in redb", records),
        ("watermarks in redb", watermarks),
        (
            "OPAQUE, sealing, counters",
            (vault.0 - records.0 - watermarks.0, vault.1 - records.1 - watermarks.1),
        ),
        (
            "HTTP, JSON and tokens, both sides",
            (http.0 - vault.0 - client.0, http.1 - vault.1 - client.1),
        ),
    ];
    println!(
        "single client: {:.2} ms per recovery, {:.2} ms of CPU time",
        http.0 / f64::from(COUNT),
        http.1 / f64::from(COUNT)
    );
    for (name, (time, cpu)) in parts {
        println!(
            "  {name}: {:.2} ms ({:.0}%), CPU {:.2} ms ({:.0}%)",
            time / f64::from(COUNT),
            time / http.0 * 100.0,
            cpu / f64::from(COUNT),
            cpu / http.1 * 100.0
        );
    }
}

/// Returns the CPU time of the etcd members, the servers, the evaluators, and this process, which
/// runs all clients.
fn by_process(members: &EtcdCluster, nodes: &[Node]) -> [f64; 4] {
    let (servers, evaluators) =
        nodes.iter().map(Node::cpu).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
    [members.cpu(), servers, evaluators, process_cpu("self")]
}

#[test]
#[ignore = "takes minutes, and needs an idle machine"]
fn embedded() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    let server = TestServer::new(&fixture);
    let accounts = accounts();
    enroll(&[&server.client], accounts);
    load("redb, key file, one process", &[&server.client], accounts, &AtomicBool::new(false));
    check_no_loss(&[&server.client], accounts);
    let size = std::fs::metadata(directory.path().join("records")).unwrap().len();
    println!("records: {} bytes per account", size / accounts as u64);
    let directory = tempfile::tempdir().unwrap();
    shares(directory.path());
}

#[test]
#[ignore = "needs etcd and SoftHSM2: run by tests/scripts/vault-cluster.sh --load"]
fn several_data_centres() {
    let directory = tempfile::tempdir().unwrap();
    let mut members = EtcdCluster::start(directory.path());
    let issuer = Arc::new(Issuer::generate(ISSUER).unwrap());
    let mut nodes: Vec<_> = (0..3)
        .map(|number| Node::start(directory.path(), number, members.endpoints(), None, &issuer))
        .collect();
    let clients: Vec<_> = nodes.iter().map(|node| node.client.another()).collect();
    let clients: Vec<_> = clients.iter().collect();
    let accounts = accounts();
    enroll(&clients, accounts);
    let before = by_process(&members, &nodes);
    load("etcd, 5 members, 3 servers, SoftHSM2", &clients, accounts, &AtomicBool::new(false));
    let taken: Vec<_> = by_process(&members, &nodes)
        .iter()
        .zip(before)
        .map(|(after, before)| after - before)
        .collect();
    let all: f64 = taken.iter().sum();
    for (name, taken) in
        ["etcd members", "servers", "evaluators and SoftHSM2", "clients"].iter().zip(taken)
    {
        println!("  CPU time of {name}: {:.0}%", taken / all * 100.0);
    }
    // Measure the same while a process is killed and restarted every two seconds.
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let killing = scope.spawn(|| {
            let mut random = 1_u64;
            let mut killed = [0; 3];
            for what in (0..3).cycle() {
                if done.load(Ordering::SeqCst) {
                    break;
                }
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let which = (random >> 40) as usize;
                let node = which % nodes.len();
                let pause = || std::thread::sleep(Duration::from_secs(1));
                killed[what] += 1;
                match what {
                    0 => {
                        members.kill(which % 5);
                        pause();
                        members.start_one(which % 5);
                    }
                    1 => {
                        nodes[node].kill_server();
                        pause();
                        nodes[node].start_server();
                    }
                    _ => {
                        nodes[node].kill_evaluator();
                        pause();
                        nodes[node].start_evaluator();
                    }
                }
                pause();
            }
            println!(
                "killed: {} members, {} servers, {} evaluators",
                killed[0], killed[1], killed[2]
            );
        });
        load("the same, with a process killed every two seconds", &clients, accounts, &done);
        done.store(true, Ordering::SeqCst);
        killing.join().unwrap();
    });
    members.until_healthy();
    check_no_loss(&clients, accounts);
}
