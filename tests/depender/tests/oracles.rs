//! The oracles of bulla, held against the version of bulla that this crate was built with.

use bulla_testkit::{oracles, vectors};
use depender::Store;

#[test]
fn every_oracle_on_every_seed() {
    let seeds = oracles::seeds::generate();
    let mut judged = 0;
    for (name, oracle) in oracles::ALL {
        let seeds = seeds.get(name).unwrap_or_else(|| panic!("no seeds for {name}"));
        assert!(!seeds.is_empty(), "no seeds for {name}");
        for bytes in seeds.values() {
            oracle(bytes);
            judged += 1;
        }
    }
    println!("{} oracles judged {judged} inputs", oracles::ALL.len());
}

#[test]
fn the_vectors_are_there() {
    assert!(vectors::container::all().len() >= 150);
}

#[test]
fn what_was_put_in_comes_out() {
    let mut store = Store::new().unwrap();
    let numbers = [0, 1, 65_536, 200_000].map(|len| (len, store.put(&vec![7; len]).unwrap()));
    for (len, number) in numbers {
        assert_eq!(store.get(number).unwrap().unwrap(), vec![7; len]);
    }
    assert_eq!(store.get(4).unwrap(), None);
}
