//! Tests the embedded store: the store contract, durability and locking.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use bulla_vaultd::store::{Embedded, RecordKey, Store, StoreError, Transaction};
use support::contract;

#[test]
fn the_embedded_store_fulfils_the_contract_and_survives_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("records");
    contract::check(&Embedded::open(&path).unwrap());
    let store = Embedded::open(&path).unwrap();
    assert_eq!(
        store.read(&[RecordKey::Counter([1; 32])]).unwrap()[0].as_ref().unwrap().value,
        b"locked"
    );
    let second = Embedded::open(&path).err().unwrap();
    assert!(matches!(second, StoreError::Unavailable(_)), "opened twice");
}

/// A transaction whose condition fails changes nothing, not even the revision.
#[test]
fn a_refused_transaction_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(&directory.path().join("records")).unwrap();
    let put =
        |value: &[u8]| Transaction::default().put(RecordKey::Counter([1; 32]), value.to_vec());
    let first = store.commit(&put(b"a")).unwrap();
    store.commit(&put(b"b").unless_changed(RecordKey::Counter([2; 32]), None)).unwrap();
    let refused = put(b"c").unless_changed(RecordKey::Counter([1; 32]), None);
    assert_eq!(store.commit(&refused).unwrap(), bulla_vaultd::store::Commit::Changed);
    assert_eq!(
        store.read(&[RecordKey::Counter([1; 32])]).unwrap()[0].as_ref().unwrap().value,
        b"b"
    );
    assert_ne!(store.commit(&put(b"d")).unwrap(), first);
}
