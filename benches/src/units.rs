//! Byte counts in bench names.

/// Returns `bytes` in the largest unit that divides it: `4KiB`, `256MiB`, `1GiB`.
///
/// Bench names contain this label, and criterion finds saved baselines by name, so the format must
/// stay stable.
pub fn size_label(bytes: usize) -> String {
    let (unit, shift) = match bytes.trailing_zeros() {
        _ if bytes == 0 => ("B", 0),
        30.. => ("GiB", 30),
        20.. => ("MiB", 20),
        10.. => ("KiB", 10),
        _ => ("B", 0),
    };
    format!("{}{unit}", bytes >> shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_use_the_largest_unit_that_divides_the_size() {
        let labelled = [
            (1000, "1000B"),
            (4096, "4KiB"),
            (1 << 20, "1MiB"),
            (3 << 19, "1536KiB"),
            (1 << 30, "1GiB"),
        ];
        for (bytes, label) in labelled {
            assert_eq!(size_label(bytes), label);
        }
    }
}
