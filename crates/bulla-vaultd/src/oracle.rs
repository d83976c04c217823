//! An oracle for fuzzers: every decoder of the server, given any bytes. It panics if one of them
//! breaks a promise.
//!
//! Whoever calls a decoder in earnest has checked a MAC, a tag or a signature before. Here nothing
//! is checked, or the oracle signs the bytes itself: what is decoded is what a key holder with a
//! fault, or a hostile module, may have made.

mod glass;
mod records;
pub mod seeds;
mod socket;
mod texts;

/// A decoder's name, and the oracle that gives it bytes and says whether they were what it decodes.
pub type Decoder = (&'static str, fn(&[u8]) -> bool);

/// The decoders.
///
/// | decoder | the bytes are | what holds |
/// |---|---|---|
/// | `counter` | a counter without its MAC | one encoding; all that becomes of it is a newer counter |
/// | `set_back` | two counters, one from a backup | what they are clamped to allows no more than either |
/// | `content` | what is sealed | one encoding |
/// | `sealed` | a stored sealed record | one encoding |
/// | `call` | a frame to an evaluator | written again it is no longer; the answer's counter is one |
/// | `answer` | a frame from an evaluator | written again it is no longer |
/// | `login_state` | a login's state and KE3, without the token's seal | only the KE3 that it expects gets its session key |
/// | `login_token` | a login token | it opens for its own login only |
/// | `token` | a token | it is what its issuer signed |
/// | `claims` | a token's header and claims, to be signed | only a token of RFC 7519 for this vault, in its time, is taken |
/// | `tenants` | the tenants' file | written again it says the same |
/// | `log` | an audit log | as many whole lines as events |
/// | `event` | an event of it, its signature taken for granted | it is the first one, and the head is its digest |
/// | `records` | etcd's answer to a transaction | revisions and bytes as they stand there |
/// | `accounts` | etcd's answer to a range | names of the right kind only |
/// | `key_file` | a key file | one text |
pub const DECODERS: [Decoder; 16] = [
    ("counter", records::counter),
    ("set_back", records::set_back),
    ("content", records::content),
    ("sealed", records::sealed),
    ("call", socket::call),
    ("answer", socket::answer),
    ("login_state", socket::login_state),
    ("login_token", socket::login_token),
    ("token", texts::token),
    ("claims", texts::claims),
    ("tenants", texts::tenants),
    ("log", texts::log),
    ("event", texts::event),
    ("records", texts::records),
    ("accounts", texts::accounts),
    ("key_file", texts::key_file),
];

/// **The first byte chooses a decoder of [`DECODERS`], the rest are its bytes.**
///
/// None panics, and none takes memory that the input does not justify, which the fuzzer's limits
/// see to.
pub fn vault_records(bytes: &[u8]) {
    accepted(bytes);
}

/// The same, and says which decoder took the bytes for what it decodes, if it did.
pub fn accepted(bytes: &[u8]) -> Option<&'static str> {
    let (first, rest) = bytes.split_first()?;
    let (name, decoder) = DECODERS[usize::from(*first) % DECODERS.len()];
    decoder(rest).then_some(name)
}
