//! Names of benches: they stay the same, so that what is measured today can be compared with what
//! was measured before.

/// A number of bytes as names have it: `4KiB`, `256MiB`, `1GiB`.
pub fn size(bytes: usize) -> String {
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
    fn sizes() {
        let named = [
            (1000, "1000B"),
            (4096, "4KiB"),
            (1 << 20, "1MiB"),
            (3 << 19, "1536KiB"),
            (1 << 30, "1GiB"),
        ];
        for (bytes, name) in named {
            assert_eq!(size(bytes), name);
        }
    }
}
