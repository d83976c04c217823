//! The contract that every store must fulfil.

use std::sync::atomic::{AtomicUsize, Ordering};

use bulla_vaultd::store::{
    Commit, Held, RecordKey, RecordKind, Store, StoreError, Transaction, Versioned,
};

const A: [u8; 32] = [1; 32];
const B: [u8; 32] = [2; 32];

fn one(store: &dyn Store, key: RecordKey) -> Option<Versioned> {
    store.read(&[key]).unwrap().remove(0)
}

pub fn check(store: &dyn Store) {
    let (counter, sealed) = (RecordKey::Counter(A), RecordKey::Sealed(A, B));
    assert_eq!(store.read(&[counter, sealed]).unwrap(), [None, None]);

    // A transaction applies all of its changes or none.
    let make = || {
        Transaction::default()
            .unless_changed(counter, None)
            .unless_changed(sealed, None)
            .put(counter, b"first".to_vec())
            .put(sealed, vec![0, 255, b'\n'])
    };
    let Commit::Done { revision } = store.commit(&make()).unwrap() else { panic!() };
    assert_eq!(store.commit(&make()).unwrap(), Commit::Changed);
    let first = Versioned { value: b"first".to_vec(), revision };
    let record = Versioned { value: vec![0, 255, b'\n'], revision };
    assert_eq!(
        store.read(&[sealed, counter]).unwrap(),
        [Some(record.clone()), Some(first.clone())]
    );

    // Writing the same bytes again is a change.
    let again = Transaction::default()
        .unless_changed(counter, Some(&first))
        .put(counter, b"first".to_vec());
    let Commit::Done { revision: second } = store.commit(&again).unwrap() else { panic!() };
    assert!(second > revision);
    assert_eq!(store.commit(&again).unwrap(), Commit::Changed);
    let now = one(store, counter).unwrap();
    assert_eq!(now.revision, second);

    assert_eq!(store.confirm(&counter, &now).unwrap(), Held::Enough);
    assert_eq!(store.confirm(&counter, &first).unwrap(), Held::Newer);
    let other = Versioned { value: b"other".to_vec(), revision: second };
    assert!(matches!(store.confirm(&counter, &other), Err(StoreError::TooFew { held: 0, .. })));
    let later = Versioned { value: b"first".to_vec(), revision: second + 1000 };
    assert!(matches!(store.confirm(&counter, &later), Err(StoreError::TooFew { .. })));
    assert!(matches!(
        store.confirm(&RecordKey::Counter([9; 32]), &now),
        Err(StoreError::TooFew { .. })
    ));

    // All conditions must hold, not just one.
    let stale = Transaction::default()
        .unless_changed(sealed, Some(&record))
        .unless_changed(counter, Some(&first))
        .delete(sealed);
    assert_eq!(store.commit(&stale).unwrap(), Commit::Changed);
    assert!(one(store, sealed).is_some());
    let lock = Transaction::default()
        .unless_changed(sealed, Some(&record))
        .unless_changed(counter, Some(&now))
        .put(counter, b"locked".to_vec())
        .delete(sealed);
    assert!(matches!(store.commit(&lock).unwrap(), Commit::Done { .. }));
    assert_eq!(one(store, sealed), None);
    assert_eq!(one(store, counter).unwrap().value, b"locked");
    races(store);
    pages(store);
}

/// Of several transactions that follow the same read, exactly one commits.
fn races(store: &dyn Store) {
    let key = RecordKey::Counter(B);
    store.commit(&Transaction::default().put(key, b"0".to_vec())).unwrap();
    let done = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    loop {
                        let read = one(store, key).unwrap();
                        let number: usize =
                            String::from_utf8(read.value.clone()).unwrap().parse().unwrap();
                        let next = Transaction::default()
                            .unless_changed(key, Some(&read))
                            .put(key, (number + 1).to_string().into_bytes());
                        if let Commit::Done { .. } = store.commit(&next).unwrap() {
                            break;
                        }
                    }
                    done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(
        one(store, key).unwrap().value,
        done.load(Ordering::SeqCst).to_string().into_bytes()
    );
}

fn pages(store: &dyn Store) {
    let accounts: Vec<[u8; 32]> = (0..7u8).map(|number| [0xf0 + number; 32]).collect();
    for account in &accounts {
        let transaction = Transaction::default()
            .put(RecordKey::Watermark(*account), b"mark".to_vec())
            .put(RecordKey::Sealed(*account, [0; 32]), b"sealed".to_vec());
        store.commit(&transaction).unwrap();
    }
    let mut found = Vec::new();
    loop {
        let page = store.accounts(RecordKind::Watermark, found.last(), 3).unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 3);
        found.extend(page);
    }
    assert_eq!(found, accounts);
    assert_eq!(store.accounts(RecordKind::Counter, None, 10).unwrap(), [A, B]);
}
