//! A fuzzing oracle that feeds arbitrary bytes to each of the server's decoders. It panics if a
//! decoder breaks one of its promises.
//!
//! The server decodes most of these bytes only after it has verified a MAC, a tag or a signature.
//! Here, nothing is verified, or the oracle signs the bytes itself. It therefore covers input that
//! a faulty key holder or a hostile module could produce.

mod fakes;
mod records;
pub mod seeds;
mod socket;
mod texts;

/// A decoder's name, and its oracle, which returns whether the decoder accepted the bytes.
pub type Decoder = (&'static str, fn(&[u8]) -> bool);

/// The decoders.
///
/// | decoder | bytes | promise |
/// |---|---|---|
/// | `counter` | a counter without its MAC | unique encoding; every change gives a newer counter |
/// | `set_back` | two counters, one from a backup | clamping allows no more than either |
/// | `content` | a sealed record's plaintext | unique encoding |
/// | `sealed` | a stored sealed record | unique encoding |
/// | `call` | a frame to an evaluator | never grows when re-encoded; returned counters are valid |
/// | `answer` | a frame from an evaluator | never grows when re-encoded |
/// | `login_state` | a login's state and KE3 | only the expected KE3 yields the session key |
/// | `login_token` | a login token | opens only for its own login |
/// | `token` | an account token | it is exactly what its issuer signed |
/// | `claims` | header and claims to be signed | only a valid JWT for this vault is accepted |
/// | `tenants` | a tenants file | rewriting it gives an equivalent file |
/// | `log` | an audit log | it has exactly one complete line per event |
/// | `event` | an unsigned audit log event | it is the first event, and its digest is the head |
/// | `records` | etcd's response to a transaction | revisions and values match the response |
/// | `accounts` | etcd's response to a range request | only keys of the right kind |
/// | `key_file` | a key file | unique encoding |
pub const DECODERS: [Decoder; 16] = [
    ("counter", records::counter),
    ("set_back", records::set_back),
    ("content", records::content),
    ("sealed", records::sealed),
    ("call", socket::call),
    ("answer", socket::response),
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

/// Fuzzes one decoder. **The first byte selects the decoder from [`DECODERS`], and the rest is its
/// input.**
///
/// No input may cause a panic, or an allocation out of proportion to the input's size. The fuzzer's
/// limits check the latter.
pub fn vault_records(bytes: &[u8]) {
    accepted(bytes);
}

/// Fuzzes one decoder, and returns its name if it accepted the bytes.
pub fn accepted(bytes: &[u8]) -> Option<&'static str> {
    let (first, rest) = bytes.split_first()?;
    let (name, decoder) = DECODERS[usize::from(*first) % DECODERS.len()];
    decoder(rest).then_some(name)
}
