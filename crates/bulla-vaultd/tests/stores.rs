//! The embedded store keeps to what any store must do, and outlives its process.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use bulla_vaultd::store::{Embedded, Key, Store, StoreError, Transaction};
use support::contract;

#[test]
fn embedded() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("records");
    contract::holds(&Embedded::open(&path).unwrap());
    let store = Embedded::open(&path).unwrap();
    assert_eq!(store.read(&[Key::Counter([1; 32])]).unwrap()[0].as_ref().unwrap().value, b"locked");
    let second = Embedded::open(&path).err().unwrap();
    assert!(matches!(second, StoreError::Unavailable(_)), "one process at a time");
}

/// A transaction that is refused leaves no trace, not even a revision.
#[test]
fn a_refused_transaction() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(&directory.path().join("records")).unwrap();
    let put = |value: &[u8]| Transaction::default().put(Key::Counter([1; 32]), value.to_vec());
    let first = store.commit(&put(b"a")).unwrap();
    store.commit(&put(b"b").unless_changed(Key::Counter([2; 32]), None)).unwrap();
    let refused = put(b"c").unless_changed(Key::Counter([1; 32]), None);
    assert_eq!(store.commit(&refused).unwrap(), bulla_vaultd::store::Commit::Changed);
    assert_eq!(store.read(&[Key::Counter([1; 32])]).unwrap()[0].as_ref().unwrap().value, b"b");
    assert_ne!(store.commit(&put(b"d")).unwrap(), first);
}
