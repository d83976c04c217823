//! What the vault is sent holds nothing that it must not learn.

use base64ct::{Base64UrlUnpadded, Encoding};
use bulla_key::Passphrase;

use crate::sample::{Sample, terms};

/// V-7.1: neither key nor password nor pepper, in bytes or in the messages' base64url at any
/// offset.
#[test]
fn nothing_is_sent() {
    let sample = Sample::new();
    let secret = "correct horse battery staple 0123456789";
    let password = Passphrase::new(secret).unwrap();
    sample.client().register(&password, &sample.key, &mut sample.files(), &terms()).unwrap();
    let locators = sample.files().read().unwrap();
    sample.client().recover(&password, &locators).unwrap();
    let received = sample.server.borrow().received.clone();
    let holds = |needle: &[u8]| received.windows(needle.len()).any(|window| window == needle);
    let holds_encoded = |needle: &[u8]| {
        (0..3).any(|skip| {
            let aligned = &needle[skip..];
            let whole = &aligned[..aligned.len() / 3 * 3];
            holds(Base64UrlUnpadded::encode_string(whole).as_bytes())
        })
    };
    assert!(holds_encoded(locators[0].registration()), "the search finds what is there");
    for hidden in [sample.key.expose(), &locators[0].pepper()[..], secret.as_bytes()] {
        assert!(!holds(hidden) && !holds_encoded(hidden));
    }
}
