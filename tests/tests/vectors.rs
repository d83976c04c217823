//! Checks the library against every container vector in `spec/vectors`, through every API for
//! opening and sealing.

use bulla_testkit::reference::{self, ContainerError, SealParams};
use bulla_testkit::vectors::container::{Failure, Outcome, Vector, all};
use bulla_tests::library;

fn key(vector: &Vector) -> [u8; 32] {
    vector.key[..].try_into().unwrap()
}

/// F-2.1, F-3.3 to F-3.8, F-4.3, F-4.4, F-5.2, F-7.1 to F-7.5: the released plaintext and the final
/// outcome match.
#[test]
fn opens_as_a_stream() {
    for vector in all() {
        let got = library::open_stream(&vector.container, &key(&vector), vector.context.as_deref());
        assert_eq!(Outcome::from(&got), vector.stream, "{}", vector.name);
    }
}

/// Opens each vector from memory and from a file.
#[test]
fn opens_with_positional_access() {
    for vector in all() {
        let (key, context) = (key(&vector), vector.context.as_deref());
        for open in [library::open_positional, library::open_file] {
            let got = open(&vector.container, &key, context);
            assert_eq!(Outcome::from(&got), vector.positional, "{}", vector.name);
        }
    }
}

/// F-7.5, F-7.6: a range reader verifies chunk n first, so it may report n even if a lower chunk is
/// also invalid.
#[test]
fn opens_by_range() {
    let mut reported_last = 0;
    for vector in all() {
        let (key, context) = (key(&vector), vector.context.as_deref());
        let got = Outcome::from(&library::open_by_range(&vector.container, &key, context));
        if got != vector.positional {
            let opening = reference::open_range(&vector.container, &key, context, 0..0);
            let Err(fault @ ContainerError::ChunkRejected { .. }) = opening else {
                panic!("{}: got {got:?}, expected {:?}", vector.name, vector.positional);
            };
            assert_eq!(got, Outcome::Error(Failure::from(fault)), "{}", vector.name);
            assert!(
                matches!(&vector.positional, Outcome::Error(stated) if stated.name == fault.name()),
                "{}",
                vector.name
            );
            reported_last += 1;
        }
    }
    assert!(reported_last > 0, "no vector rejects the last chunk and a lower one");
}

/// F-8.1: reading the envelopes requires no key.
#[test]
fn returns_both_envelopes() {
    for vector in all() {
        match (library::envelopes(&vector.container), vector.envelopes) {
            (Ok((head, tail)), Some(stated)) => {
                assert_eq!(head, *stated.head, "{}", vector.name);
                assert_eq!(tail.as_deref(), stated.tail.as_deref(), "{}", vector.name);
            }
            (Err(fault), None) => {
                assert_eq!(vector.positional, Outcome::Error(fault.into()), "{}", vector.name);
            }
            (Ok(_), None) => panic!("{}: the envelopes could be read", vector.name),
            (Err(fault), Some(_)) => panic!("{}: {fault:?}", vector.name),
        }
    }
}

/// F-4.5: every container whose header matches the key exports the secret, even if later parts are
/// invalid.
#[test]
fn exports_the_same_secrets() {
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
    assert!(exported >= 100, "compared only {exported} secrets");
}

/// F-2.1, F-3.1, F-3.2, F-4.3, F-5.1, F-5.2
#[test]
fn seals_the_same_bytes() {
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
    assert!(sealed >= 30, "sealed only {sealed} vectors");
}
