//! Runs bulla's oracles against the version of bulla that this crate was built with.

use bulla_testkit::{oracles, vectors};
use downstream::Store;

#[test]
fn every_oracle_accepts_every_seed() {
    let seeds = oracles::seeds::generate();
    let mut inputs = 0;
    for (name, oracle) in oracles::ALL {
        let seeds = seeds.get(name).unwrap_or_else(|| panic!("no seeds for {name}"));
        assert!(!seeds.is_empty(), "no seeds for {name}");
        for bytes in seeds.values() {
            oracle(bytes);
            inputs += 1;
        }
    }
    println!("{} oracles checked {inputs} inputs", oracles::ALL.len());
}

#[test]
fn package_contains_the_vectors() {
    assert!(vectors::container::all().len() >= 150);
}

#[test]
fn returns_stored_attachments() {
    let mut store = Store::new().unwrap();
    let numbers = [0, 1, 65_536, 200_000].map(|len| (len, store.put(&vec![7; len]).unwrap()));
    for (len, number) in numbers {
        assert_eq!(store.get(number).unwrap().unwrap(), vec![7; len]);
    }
    assert_eq!(store.get(4).unwrap(), None);
}
