//! Finds a single typing mistake in a key.
//!
//! The 64 digits contain no checksum, but a key can be checked against the commitment in a
//! container or in an envelope slot. If a typed key does not match, this module tries every key
//! that is one typing mistake away.

use std::fmt;

use bulla::Key;
use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::key_text::{DIGITS, Digits, GROUP, ParseError, key_of};

/// Groups in a key.
const GROUPS: usize = DIGITS / GROUP;

/// Searches a typed key for a single mistake (E-1.4).
///
/// `matches` returns whether a key is the right one. Use
/// [`Header::matches`](bulla::Header::matches) for a container, or
/// [`Envelope::matches`](crate::Envelope::matches) for an envelope.
///
/// | digits typed | mistakes tried |
/// |---|---|
/// | 64 | each digit replaced, each pair of adjacent digits swapped, each pair of groups swapped |
/// | 63 | each digit inserted at each position |
/// | 65 | each digit removed |
///
/// The search tries at most 1,143 keys in the current rayon pool. This takes a few milliseconds if
/// `matches` computes two HMACs, as it does for a container. Returns `None` if no key matches, or
/// if the text contains no mistake.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bulla::{Key, Options, Preamble};
/// use bulla_key::{key_text, typing, typing::Mistake};
///
/// let key = Key::from_bytes(&[0x12; 32]);
/// let container = bulla::seal(&key, b"a message", &Options::new())?;
/// let header = Preamble::read_at(&container)?.header().clone();
///
/// let typed = key_text::format(&key).replacen("1212 1212 1212", "1212 1212 1312", 1);
/// let found = typing::find_mistake(&typed, |key| header.matches(key, None))?;
/// let found = found.expect("one digit is wrong");
/// assert_eq!(found.mistake, Mistake::Substituted { digit: 10 });
/// assert_eq!(found.key.expose(), key.expose());
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// Returns a [`ParseError`] if the text cannot be parsed, or if it does not have 63, 64 or 65
/// digits.
pub fn find_mistake(
    text: &str,
    matches: impl Fn(&Key) -> bool + Sync,
) -> Result<Option<Correction>, ParseError> {
    let digits = Digits::parse(text)?;
    let typed = digits.values();
    let edits = match digits.count() {
        DIGITS => edits_of_same_length(typed),
        count if count + 1 == DIGITS => insertions(),
        count if count == DIGITS + 1 => (0..count).map(Edit::Remove).collect(),
        count => return Err(ParseError::WrongLength { digits: count }),
    };
    if digits.key().is_some_and(|key| matches(&key)) {
        return Ok(None);
    }
    // Take the first match in order, so that the same mistake is always reported the same way.
    let found = edits.par_iter().with_min_len(8).find_first(|edit| matches(&edit.apply(typed)));
    Ok(found.map(|edit| Correction { key: edit.apply(typed), mistake: edit.mistake() }))
}

/// The result of [`find_mistake`].
#[derive(Debug)]
pub struct Correction {
    /// The right key.
    pub key: Key,
    /// The mistake in the typed text.
    pub mistake: Mistake,
}

/// A typing mistake. It contains positions, counted from 1, but none of the key's digits. To show
/// the right digit, take it from [`Correction::key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistake {
    /// One digit is wrong.
    Substituted {
        /// Position of the digit among the 64.
        digit: usize,
    },
    /// Two adjacent digits are swapped.
    Transposed {
        /// Position of the first of the two digits.
        digit: usize,
    },
    /// Two groups of four are swapped.
    GroupsSwapped {
        /// Position of the first group among the 16.
        first: usize,
        /// Position of the second group.
        second: usize,
    },
    /// One digit is missing. In a run of identical digits, the first is reported.
    Missing {
        /// Position of the digit among the 64.
        digit: usize,
    },
    /// One digit is extra, such as a digit typed twice. In a run of identical digits, the first is
    /// reported.
    Extra {
        /// Position of the digit among the 65 typed digits.
        digit: usize,
    },
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = |digit: usize| digit.div_ceil(GROUP);
        match *self {
            Mistake::Substituted { digit } => {
                write!(f, "digit {digit}, in group {}, is wrong", group(digit))
            }
            Mistake::Transposed { digit } => {
                write!(
                    f,
                    "digits {digit} and {}, in group {}, are the wrong way round",
                    digit + 1,
                    group(digit)
                )
            }
            Mistake::GroupsSwapped { first, second } => {
                write!(f, "groups {first} and {second} are swapped")
            }
            Mistake::Missing { digit } => {
                write!(f, "digit {digit}, in group {}, is missing", group(digit))
            }
            Mistake::Extra { digit } => {
                write!(
                    f,
                    "digit {digit}, in group {}, is one too many, or typed twice",
                    group(digit)
                )
            }
        }
    }
}

/// A change to the typed digits that undoes one mistake. Positions are counted from 0.
#[derive(Clone, Copy)]
enum Edit {
    Replace { at: usize, value: u8 },
    SwapWithNext(usize),
    SwapGroups(usize, usize),
    Insert { at: usize, value: u8 },
    Remove(usize),
}

impl Edit {
    /// Returns the key that the change produces.
    fn apply(&self, typed: &[u8]) -> Key {
        let mut digits = Zeroizing::new([0; DIGITS]);
        match *self {
            Edit::Insert { at, value } => {
                digits[..at].copy_from_slice(&typed[..at]);
                digits[at] = value;
                digits[at + 1..].copy_from_slice(&typed[at..]);
            }
            Edit::Remove(at) => {
                digits[..at].copy_from_slice(&typed[..at]);
                digits[at..].copy_from_slice(&typed[at + 1..]);
            }
            Edit::Replace { at, value } => {
                digits.copy_from_slice(typed);
                digits[at] = value;
            }
            Edit::SwapWithNext(at) => {
                digits.copy_from_slice(typed);
                digits.swap(at, at + 1);
            }
            Edit::SwapGroups(first, second) => {
                digits.copy_from_slice(typed);
                let (before, from) = digits.split_at_mut(second * GROUP);
                before[first * GROUP..][..GROUP].swap_with_slice(&mut from[..GROUP]);
            }
        }
        key_of(&digits)
    }

    /// Returns the mistake that the change undoes.
    fn mistake(&self) -> Mistake {
        match *self {
            Edit::Replace { at, .. } => Mistake::Substituted { digit: at + 1 },
            Edit::SwapWithNext(at) => Mistake::Transposed { digit: at + 1 },
            Edit::SwapGroups(first, second) => {
                Mistake::GroupsSwapped { first: first + 1, second: second + 1 }
            }
            Edit::Insert { at, .. } => Mistake::Missing { digit: at + 1 },
            Edit::Remove(at) => Mistake::Extra { digit: at + 1 },
        }
    }
}

/// Returns the edits that keep the number of digits. Swapping identical digits or groups changes
/// nothing and is harmless.
fn edits_of_same_length(typed: &[u8]) -> Vec<Edit> {
    let replacements = (0..DIGITS).flat_map(|at| {
        let typed = typed[at];
        (0..16).filter(move |value| *value != typed).map(move |value| Edit::Replace { at, value })
    });
    let transpositions = (0..DIGITS - 1).map(Edit::SwapWithNext);
    let group_swaps = (0..GROUPS)
        .flat_map(|first| (first + 1..GROUPS).map(move |second| Edit::SwapGroups(first, second)));
    replacements.chain(transpositions).chain(group_swaps).collect()
}

fn insertions() -> Vec<Edit> {
    (0..DIGITS).flat_map(|at| (0..16).map(move |value| Edit::Insert { at, value })).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;
    use crate::key_text;

    fn text(digits: &[u8]) -> String {
        digits.iter().map(|value| char::from_digit(u32::from(*value), 16).unwrap()).collect()
    }

    fn digits(key: &[u8; 32]) -> Vec<u8> {
        key.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect()
    }

    /// Searches `typed` for a mistake, given the right key, and checks the corrected key.
    fn find(typed: &[u8], key: &[u8; 32]) -> Option<Mistake> {
        let found = find_mistake(&text(typed), |candidate| candidate.expose() == key).unwrap()?;
        assert_eq!(found.key.expose(), key);
        Some(found.mistake)
    }

    proptest! {
        /// E-1.4
        #[test]
        fn finds_a_wrong_digit(key: [u8; 32], at in 0..DIGITS, change in 1..16u8) {
            let mut typed = digits(&key);
            typed[at] ^= change;
            prop_assert_eq!(find(&typed, &key), Some(Mistake::Substituted { digit: at + 1 }));
        }

        #[test]
        fn finds_swapped_adjacent_digits(key: [u8; 32], at in 0..DIGITS - 1) {
            let mut typed = digits(&key);
            prop_assume!(typed[at] != typed[at + 1]);
            typed.swap(at, at + 1);
            prop_assert_eq!(find(&typed, &key), Some(Mistake::Transposed { digit: at + 1 }));
        }

        #[test]
        fn finds_swapped_groups(key: [u8; 32], first in 0..GROUPS, second in 0..GROUPS) {
            prop_assume!(first < second);
            let mut typed = digits(&key);
            for i in 0..GROUP {
                typed.swap(first * GROUP + i, second * GROUP + i);
            }
            // Groups that differ in one or two digits are reported as a smaller mistake.
            let differing = typed.iter().zip(digits(&key)).filter(|(a, b)| **a != *b).count();
            prop_assume!(differing > 2);
            let mistake = Mistake::GroupsSwapped { first: first + 1, second: second + 1 };
            prop_assert_eq!(find(&typed, &key), Some(mistake));
        }

        #[test]
        fn finds_a_missing_digit(key: [u8; 32], at in 0..DIGITS) {
            let mut typed = digits(&key);
            let value = typed.remove(at);
            let before = typed[..at].iter().rposition(|other| *other != value);
            let first = before.map_or(0, |before| before + 1);
            prop_assert_eq!(find(&typed, &key), Some(Mistake::Missing { digit: first + 1 }));
        }

        #[test]
        fn finds_a_digit_typed_twice(key: [u8; 32], at in 0..DIGITS) {
            let mut typed = digits(&key);
            typed.insert(at, typed[at]);
            let value = typed[at];
            let before = typed[..at].iter().rposition(|other| *other != value);
            let first = before.map_or(0, |before| before + 1);
            prop_assert_eq!(find(&typed, &key), Some(Mistake::Extra { digit: first + 1 }));
        }

        #[test]
        fn finds_an_extra_digit(key: [u8; 32], at in 0..=DIGITS, value in 0..16u8) {
            let mut typed = digits(&key);
            typed.insert(at, value);
            let found = find(&typed, &key);
            prop_assert!(matches!(found, Some(Mistake::Extra { .. })), "{:?}", found);
        }

        /// A typed key with 63, 64 or 65 digits is never mistaken for an unrelated one.
        #[test]
        fn does_not_match_an_unrelated_key(
            key: [u8; 32],
            other: [u8; 32],
            count in DIGITS - 1..=DIGITS + 1,
        ) {
            let mut typed = digits(&other);
            typed.push(3);
            typed.truncate(count);
            prop_assert_eq!(find(&typed, &key), None);
        }

        #[test]
        fn does_not_find_two_mistakes(
            key: [u8; 32],
            a in 0..DIGITS,
            b in any::<Index>(),
            change in 1..15u8,
        ) {
            let b = b.index(DIGITS);
            prop_assume!(a.abs_diff(b) > GROUP);
            let mut typed = digits(&key);
            typed[a] ^= change;
            typed[b] ^= change + 1;
            prop_assert_eq!(find(&typed, &key), None);
        }
    }

    #[test]
    fn number_of_keys_tried_is_bounded() {
        let key: [u8; 32] = std::array::from_fn(|i| i as u8 * 7 + 3);
        let all = digits(&key);
        for (typed, most) in
            [(&all[..], 1 + 960 + 63 + 120), (&all[1..], 1024), (&[&all[..], &[1]].concat(), 65)]
        {
            let tried = AtomicUsize::new(0);
            let none = find_mistake(&text(typed), |_| {
                tried.fetch_add(1, Ordering::Relaxed);
                false
            });
            assert!(none.unwrap().is_none());
            assert_eq!(tried.into_inner(), most);
        }
    }

    #[test]
    fn finds_no_mistake_in_the_right_key() {
        let key = Key::from_bytes(&[0x77; 32]);
        assert!(find_mistake(&key_text::format(&key), |_| true).unwrap().is_none());
    }

    #[test]
    fn rejects_other_lengths_and_characters() {
        let error = |text: &str| {
            find_mistake(text, |_| unreachable!("no key should be tried")).unwrap_err()
        };
        assert_eq!(error(&"1".repeat(62)), ParseError::WrongLength { digits: 62 });
        assert_eq!(error(&"1".repeat(66)), ParseError::WrongLength { digits: 66 });
        assert_eq!(error("12x"), ParseError::NotADigit { position: 3 });
    }

    #[test]
    fn describes_mistakes_by_position() {
        assert_eq!(
            Mistake::Substituted { digit: 37 }.to_string(),
            "digit 37, in group 10, is wrong"
        );
        assert_eq!(
            Mistake::Transposed { digit: 4 }.to_string(),
            "digits 4 and 5, in group 1, are the wrong way round"
        );
        assert_eq!(
            Mistake::GroupsSwapped { first: 2, second: 9 }.to_string(),
            "groups 2 and 9 are swapped"
        );
        assert_eq!(Mistake::Missing { digit: 64 }.to_string(), "digit 64, in group 16, is missing");
        assert_eq!(
            Mistake::Extra { digit: 1 }.to_string(),
            "digit 1, in group 1, is one too many, or typed twice"
        );
    }
}
