//! Formats quantities for people.

/// Formats a byte count that is a multiple of 1 KiB: `64 KiB`, `4 GiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        _ if bytes >= 1 << 30 => format!("{} GiB", bytes >> 30),
        _ if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
        _ => format!("{} KiB", bytes >> 10),
    }
}

/// Formats a number with commas as thousands separators: `20,000`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// Formats a time that is a power of ten: `10 ms`.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        _ if seconds >= 0.999 => format!("{seconds:.0} s"),
        _ if seconds >= 0.000_999 => format!("{:.0} ms", seconds * 1e3),
        _ => format!("{:.0} µs", seconds * 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_the_largest_unit_and_groups_thousands() {
        assert_eq!(bytes(65536), "64 KiB");
        assert_eq!(bytes(4 << 30), "4 GiB");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(count(100), "100");
        assert_eq!(seconds(0.01), "10 ms");
        assert_eq!(seconds(0.000_01), "10 µs");
    }
}
