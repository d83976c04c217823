//! The library against every vector of spec/vectors, by every way to open a container and to seal
//! one.

use bulla_testkit::reference::{self, Fault, SealParams};
use bulla_testkit::vectors::{Failure, Outcome, Vector, all};
use bulla_tests::library;

fn key(vector: &Vector) -> [u8; 32] {
    vector.key[..].try_into().unwrap()
}

/// F-2.1, F-3.3 to F-3.8, F-4.3, F-4.4, F-5.2, F-7.1 to F-7.5: what is released, and what is
/// reported at the end.
#[test]
fn by_stream() {
    for vector in all() {
        let got = library::open_stream(&vector.container, &key(&vector), vector.context.as_deref());
        assert_eq!(Outcome::from(&got), vector.stream, "{}", vector.name);
    }
}

/// The same with positional access, from memory and from a file.
#[test]
fn by_position() {
    for vector in all() {
        let (key, context) = (key(&vector), vector.context.as_deref());
        for way in [library::open_positional, library::open_file] {
            let got = way(&vector.container, &key, context);
            assert_eq!(Outcome::from(&got), vector.positional, "{}", vector.name);
        }
    }
}

/// F-7.5, F-7.6: a reader of ranges opens with chunk n alone, so it may name n where a lower one is
/// rejected too.
#[test]
fn by_range() {
    let mut last_instead = 0;
    for vector in all() {
        let (key, context) = (key(&vector), vector.context.as_deref());
        let got = Outcome::from(&library::open_by_range(&vector.container, &key, context));
        if got != vector.positional {
            let opening = reference::open_range(&vector.container, &key, context, 0..0);
            let Err(fault @ Fault::ChunkRejected { .. }) = opening else {
                panic!("{}: {got:?}, but {:?} is stated", vector.name, vector.positional);
            };
            assert_eq!(got, Outcome::Error(Failure::from(fault)), "{}", vector.name);
            assert!(
                matches!(&vector.positional, Outcome::Error(stated) if stated.name == fault.name()),
                "{}",
                vector.name
            );
            last_instead += 1;
        }
    }
    assert!(last_instead > 0, "no vector has the last chunk rejected with a lower one");
}

/// F-8.1: the envelope comes back, from both ends, whatever the key.
#[test]
fn envelopes() {
    for vector in all() {
        match (library::envelopes(&vector.container), vector.envelopes) {
            (Ok((head, tail)), Some(stated)) => {
                assert_eq!(head, *stated.head, "{}", vector.name);
                assert_eq!(tail.as_deref(), stated.tail.as_deref(), "{}", vector.name);
            }
            (Err(fault), None) => {
                assert_eq!(vector.positional, Outcome::Error(fault.into()), "{}", vector.name);
            }
            (Ok(_), None) => panic!("{}: the envelopes are read", vector.name),
            (Err(fault), Some(_)) => panic!("{}: {fault:?}", vector.name),
        }
    }
}

/// F-4.5: of every container whose header fits the key, whatever is wrong behind it.
#[test]
fn exported_secrets() {
    let mut exported = 0;
    for vector in all() {
        let (key, context) = (key(&vector), vector.context.as_deref());
        let Some(stated) = &vector.intermediates else { continue };
        match library::export(&vector.container, &key, context, &stated.export.label) {
            Ok(secret) => assert_eq!(secret, stated.export.secret[..], "{}", vector.name),
            Err(fault) => {
                assert_eq!(vector.positional, Outcome::Error(fault.into()), "{}", vector.name);
                continue;
            }
        }
        exported += 1;
    }
    assert!(exported >= 100, "only {exported} secrets were compared");
}

/// F-2.1, F-3.1, F-3.2, F-4.3, F-5.1, F-5.2: the same input gives the same bytes, and the same
/// secret.
#[test]
fn sealing() {
    let mut sealed = 0;
    for vector in all() {
        let Some(given) = &vector.seal else { continue };
        let params = SealParams {
            key: key(&vector),
            salt: given.salt[..].try_into().unwrap(),
            chunk_log2: given.chunk_log2,
            content: given.content,
            context: vector.context.as_deref(),
            envelope: &given.envelope,
            plaintext: &given.plaintext,
        };
        assert!(library::seal(&params) == *vector.container, "{}", vector.name);
        assert!(library::seal_by_stream(&params, 1000) == *vector.container, "{}", vector.name);
        let stated = &vector.intermediates.as_ref().unwrap().export;
        assert_eq!(
            library::draft(&params).export(&stated.label)[..],
            stated.secret[..],
            "{}",
            vector.name
        );
        sealed += 1;
    }
    assert!(sealed >= 30, "only {sealed} vectors can be sealed");
}
