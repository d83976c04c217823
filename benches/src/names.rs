//! Names of benches: they stay the same, so that what is measured today can be compared with what was measured before.

/// A number of bytes as names have it: `4KiB`, `256MiB`, `1GiB`.
pub fn size(bytes: usize) -> String {
    let (unit, shift) = match bytes {
        _ if bytes == 0 || bytes % 1024 != 0 => ("B", 0),
        _ if bytes % (1 << 20) != 0 => ("KiB", 10),
        _ if bytes % (1 << 30) != 0 => ("MiB", 20),
        _ => ("GiB", 30),
    };
    format!("{}{unit}", bytes >> shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let named =
            [(1000, "1000B"), (4096, "4KiB"), (1 << 20, "1MiB"), (3 << 19, "1536KiB"), (1 << 30, "1GiB")];
        for (bytes, name) in named {
            assert_eq!(size(bytes), name);
        }
    }
}
