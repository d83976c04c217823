//! Requests contain none of the secrets that the vault must not learn.

use base64ct::{Base64UrlUnpadded, Encoding};
use bulla_key::Passphrase;

use crate::fixture::{Fixture, options};

/// V-7.1: the test searches for each secret as bytes, and as base64url at any alignment.
#[test]
fn sends_neither_key_nor_password_nor_pepper() {
    let fixture = Fixture::new();
    let secret = "correct horse battery staple 0123456789";
    let password = Passphrase::new(secret).unwrap();
    fixture.client().register(&password, &fixture.key, &mut fixture.files(), &options()).unwrap();
    let locators = fixture.files().read().unwrap();
    fixture.client().recover(&password, &locators).unwrap();
    let received = fixture.server.borrow().received.clone();
    let contains = |needle: &[u8]| received.windows(needle.len()).any(|window| window == needle);
    let contains_encoded = |needle: &[u8]| {
        (0..3).any(|skip| {
            let aligned = &needle[skip..];
            let whole = &aligned[..aligned.len() / 3 * 3];
            contains(Base64UrlUnpadded::encode_string(whole).as_bytes())
        })
    };
    assert!(contains_encoded(locators[0].registration()), "the search finds what was sent");
    for secret_bytes in [fixture.key.expose(), &locators[0].pepper()[..], secret.as_bytes()] {
        assert!(!contains(secret_bytes) && !contains_encoded(secret_bytes));
    }
}
