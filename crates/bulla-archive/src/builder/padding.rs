//! The length of the padding record.

use crate::format::record::HEAD_LEN;

/// Returns the length of the padding record, including its head, that extends a plaintext of `len`
/// bytes to a Padmé length. Returns 0 if `len` is already a Padmé length.
pub(crate) fn padding_len(len: u64) -> u64 {
    const HEAD: u64 = HEAD_LEN as u64;
    match padme(len) - len {
        0 => 0,
        // Too short for a record.
        1..HEAD => padme(len + HEAD) - len,
        missing => missing,
    }
}

/// Returns the next Padmé length, which exceeds `len` by less than an eighth, and by proportionally
/// less for large lengths (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
/// Communication with PURBs", 2019).
fn padme(len: u64) -> u64 {
    if len < 2 {
        return len;
    }
    let e = len.ilog2();
    let s = e.checked_ilog2().map_or(0, |log| log + 1);
    let mask = (1u64 << (e.saturating_sub(s))) - 1;
    len.saturating_add(mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;

    ///
    #[test]
    fn pads_to_padme_lengths() {
        for (len, padded) in
            [(0, 0), (1, 1), (2, 2), (9, 10), (100, 104), (1000, 1024), (1_000_000, 1_015_808)]
        {
            assert_eq!(padme(len), padded, "{len}");
            assert_eq!(padme(padded), padded);
        }
        for len in 128..100_000 {
            let padding = padding_len(len);
            assert!(padding == 0 || padding >= 32, "{len}");
            assert_eq!(padme(len + padding), len + padding, "{len}");
        }
    }
}
