//! Finds the one mistake in a key that was typed in.
//!
//! 64 digits leave no room for a checksum, but whatever a key opens tells whether a key fits: a
//! container's commitment, or that of a slot of an envelope. So when a typed key does not fit,
//! every key that one slip of the fingers away is tried.

use std::fmt;

use bulla::Key;
use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::key_text::{DIGITS, Digits, GROUP, ParseError, key_of};

/// Groups in a key.
const GROUPS: usize = DIGITS / GROUP;

/// Looks for one mistake in a typed text, with `fits` to tell whether a key is the right one
/// (E-1.4).
///
/// Of 64 digits, every other digit at every place, every two neighbours the other way round and
/// every two groups swapped are tried; of 63, every digit at every place; of 65, all but each of
/// them. That is 1,143 keys at most, tried in the ambient rayon pool: with two HMACs each, as
/// [`Header::fits`](bulla::Header::fits) takes, a few milliseconds. `None` if none of them fits,
/// and if the text fits as it stands.
///
/// `fits` is a container's, or an envelope's:
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
/// let found = typing::find_mistake(&typed, |key| header.matches(key, None))?.expect("there is one");
/// assert_eq!(found.mistake, Mistake::Substituted { digit: 10 });
/// assert_eq!(found.key.expose(), key.expose());
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// [`ParseError`], also if there are neither 63, 64 nor 65 digits.
pub fn find_mistake(
    text: &str,
    fits: impl Fn(&Key) -> bool + Sync,
) -> Result<Option<Correction>, ParseError> {
    let digits = Digits::of(text)?;
    let typed = digits.values();
    let slips = match digits.count() {
        DIGITS => slips_of_same_length(typed),
        count if count + 1 == DIGITS => missing(),
        count if count == DIGITS + 1 => (0..count).map(Slip::Extra).collect(),
        count => return Err(ParseError::WrongLength { digits: count }),
    };
    if digits.key().is_some_and(|key| fits(&key)) {
        return Ok(None);
    }
    // The first of those that fit, so that one mistake is named the same each time.
    let found = slips.par_iter().with_min_len(8).find_first(|slip| fits(&slip.undone(typed)));
    Ok(found.map(|slip| Correction { key: slip.undone(typed), mistake: slip.mistake() }))
}

/// What [`find_mistake`] found.
#[derive(Debug)]
pub struct Correction {
    /// The right key.
    pub key: Key,
    /// What was typed instead.
    pub mistake: Mistake,
}

/// A slip of the fingers. It names places, counted from 1, and no digit of the key: who wants to
/// show the right digit takes it from the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistake {
    /// Another digit stands in this place.
    Substituted {
        /// Which digit of the 64.
        digit: usize,
    },
    /// This digit and the next one are the wrong way round.
    Transposed {
        /// The first of the two.
        digit: usize,
    },
    /// Two groups of four stand in each other's place.
    GroupsSwapped {
        /// The first group of the 16.
        first: usize,
        /// The other group.
        second: usize,
    },
    /// A digit was left out; of several like ones side by side, the first.
    Missing {
        /// Where it belongs among the 64.
        digit: usize,
    },
    /// There is one digit too many: one that was typed twice, say. Of several like ones side by
    /// side, the first.
    Extra {
        /// Which of the 65 that were typed.
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

/// A mistake that may have been made, with what undoes it. Places count from 0.
#[derive(Clone, Copy)]
enum Slip {
    Substituted { at: usize, value: u8 },
    Transposed(usize),
    GroupsSwapped(usize, usize),
    Missing { at: usize, value: u8 },
    Extra(usize),
}

impl Slip {
    /// The key that was meant, if this is what happened.
    fn undone(&self, typed: &[u8]) -> Key {
        let mut digits = Zeroizing::new([0; DIGITS]);
        match *self {
            Slip::Missing { at, value } => {
                digits[..at].copy_from_slice(&typed[..at]);
                digits[at] = value;
                digits[at + 1..].copy_from_slice(&typed[at..]);
            }
            Slip::Extra(at) => {
                digits[..at].copy_from_slice(&typed[..at]);
                digits[at..].copy_from_slice(&typed[at + 1..]);
            }
            Slip::Substituted { at, value } => {
                digits.copy_from_slice(typed);
                digits[at] = value;
            }
            Slip::Transposed(at) => {
                digits.copy_from_slice(typed);
                digits.swap(at, at + 1);
            }
            Slip::GroupsSwapped(first, second) => {
                digits.copy_from_slice(typed);
                let (before, from) = digits.split_at_mut(second * GROUP);
                before[first * GROUP..][..GROUP].swap_with_slice(&mut from[..GROUP]);
            }
        }
        key_of(&digits)
    }

    fn mistake(&self) -> Mistake {
        match *self {
            Slip::Substituted { at, .. } => Mistake::Substituted { digit: at + 1 },
            Slip::Transposed(at) => Mistake::Transposed { digit: at + 1 },
            Slip::GroupsSwapped(first, second) => {
                Mistake::GroupsSwapped { first: first + 1, second: second + 1 }
            }
            Slip::Missing { at, .. } => Mistake::Missing { digit: at + 1 },
            Slip::Extra(at) => Mistake::Extra { digit: at + 1 },
        }
    }
}

/// What may have happened to 64 digits. What would change nothing is among it, and does no harm.
fn slips_of_same_length(typed: &[u8]) -> Vec<Slip> {
    let substituted = (0..DIGITS).flat_map(|at| {
        let typed = typed[at];
        (0..16)
            .filter(move |value| *value != typed)
            .map(move |value| Slip::Substituted { at, value })
    });
    let transposed = (0..DIGITS - 1).map(Slip::Transposed);
    let swapped = (0..GROUPS).flat_map(|first| {
        (first + 1..GROUPS).map(move |second| Slip::GroupsSwapped(first, second))
    });
    substituted.chain(transposed).chain(swapped).collect()
}

fn missing() -> Vec<Slip> {
    (0..DIGITS).flat_map(|at| (0..16).map(move |value| Slip::Missing { at, value })).collect()
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

    /// What is found in `typed` where `key` is the right key: the mistake, once the key that came
    /// with it was seen to be right.
    fn find(typed: &[u8], key: &[u8; 32]) -> Option<Mistake> {
        let found = find_mistake(&text(typed), |candidate| candidate.expose() == key).unwrap()?;
        assert_eq!(found.key.expose(), key);
        Some(found.mistake)
    }

    proptest! {
        /// E-1.4
        #[test]
        fn another_digit(key: [u8; 32], at in 0..DIGITS, change in 1..16u8) {
            let mut typed = digits(&key);
            typed[at] ^= change;
            prop_assert_eq!(find(&typed, &key), Some(Mistake::Substituted { digit: at + 1 }));
        }

        #[test]
        fn neighbours_the_wrong_way_round(key: [u8; 32], at in 0..DIGITS - 1) {
            let mut typed = digits(&key);
            prop_assume!(typed[at] != typed[at + 1]);
            typed.swap(at, at + 1);
            prop_assert_eq!(find(&typed, &key), Some(Mistake::Transposed { digit: at + 1 }));
        }

        #[test]
        fn groups_swapped(key: [u8; 32], first in 0..GROUPS, second in 0..GROUPS) {
            prop_assume!(first < second);
            let mut typed = digits(&key);
            for i in 0..GROUP {
                typed.swap(first * GROUP + i, second * GROUP + i);
            }
            // Groups that differ in little are named by the smaller mistake.
            let differing = typed.iter().zip(digits(&key)).filter(|(a, b)| **a != *b).count();
            prop_assume!(differing > 2);
            let mistake = Mistake::GroupsSwapped { first: first + 1, second: second + 1 };
            prop_assert_eq!(find(&typed, &key), Some(mistake));
        }

        #[test]
        fn a_digit_left_out(key: [u8; 32], at in 0..DIGITS) {
            let mut typed = digits(&key);
            let value = typed.remove(at);
            let first = typed[..at].iter().rposition(|other| *other != value).map_or(0, |before| before + 1);
            prop_assert_eq!(find(&typed, &key), Some(Mistake::Missing { digit: first + 1 }));
        }

        #[test]
        fn a_digit_twice(key: [u8; 32], at in 0..DIGITS) {
            let mut typed = digits(&key);
            typed.insert(at, typed[at]);
            let value = typed[at];
            let first = typed[..at].iter().rposition(|other| *other != value).map_or(0, |before| before + 1);
            prop_assert_eq!(find(&typed, &key), Some(Mistake::Extra { digit: first + 1 }));
        }

        #[test]
        fn a_digit_too_many(key: [u8; 32], at in 0..=DIGITS, value in 0..16u8) {
            let mut typed = digits(&key);
            typed.insert(at, value);
            let found = find(&typed, &key);
            prop_assert!(matches!(found, Some(Mistake::Extra { .. })), "{:?}", found);
        }

        /// One key is no mistyped form of another, whatever the length.
        #[test]
        fn unrelated_key(key: [u8; 32], other: [u8; 32], count in DIGITS - 1..=DIGITS + 1) {
            let mut typed = digits(&other);
            typed.push(3);
            typed.truncate(count);
            prop_assert_eq!(find(&typed, &key), None);
        }

        /// Two mistakes are not found, and a key is never made up.
        #[test]
        fn two_mistakes(key: [u8; 32], a in 0..DIGITS, b in any::<Index>(), change in 1..15u8) {
            let b = b.index(DIGITS);
            prop_assume!(a.abs_diff(b) > GROUP);
            let mut typed = digits(&key);
            typed[a] ^= change;
            typed[b] ^= change + 1;
            prop_assert_eq!(find(&typed, &key), None);
        }
    }

    #[test]
    fn work_is_bounded() {
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
    fn what_fits_as_it_stands_has_no_mistake() {
        let key = Key::from_bytes(&[0x77; 32]);
        assert!(find_mistake(&key_text::format(&key), |_| true).unwrap().is_none());
    }

    #[test]
    fn other_lengths_and_characters_are_errors() {
        let error =
            |text: &str| find_mistake(text, |_| unreachable!("nothing to try")).unwrap_err();
        assert_eq!(error(&"1".repeat(62)), ParseError::WrongLength { digits: 62 });
        assert_eq!(error(&"1".repeat(66)), ParseError::WrongLength { digits: 66 });
        assert_eq!(error("12x"), ParseError::NotADigit { position: 3 });
    }

    #[test]
    fn mistakes_are_told_by_places() {
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
