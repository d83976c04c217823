//! Parsers for the values of options.

use bulla::ChunkSize;
use clap::ValueEnum;

/// The size of the paper that a recovery sheet is printed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PaperSize {
    #[default]
    A4,
    Letter,
}

/// A range of bytes. `end` is exclusive; `None` is the end of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ByteRange {
    pub(crate) start: u64,
    pub(crate) end: Option<u64>,
}

/// Parses `A..B`, `A..`, `..B` or `..`.
pub(super) fn byte_range(text: &str) -> Result<ByteRange, String> {
    let number =
        |text: &str| text.parse().map_err(|_| format!("expected a number of bytes, not `{text}`"));
    let (start, end) = text.split_once("..").ok_or("expected A..B, A.. or ..B, in bytes")?;
    let start = if start.is_empty() { 0 } else { number(start)? };
    let end = if end.is_empty() { None } else { Some(number(end)?) };
    match end {
        Some(end) if end < start => Err("the range ends before it starts".to_owned()),
        _ => Ok(ByteRange { start, end }),
    }
}

/// Parses a chunk size in bytes, or with the unit `K` or `M` (powers of 1024).
pub(super) fn chunk_size(text: &str) -> Result<ChunkSize, String> {
    let (digits, unit) = match text.trim_end_matches("iB") {
        text if text.ends_with(['k', 'K']) => (&text[..text.len() - 1], 1 << 10),
        text if text.ends_with(['m', 'M']) => (&text[..text.len() - 1], 1 << 20),
        text => (text, 1),
    };
    let bytes = digits.parse().ok().and_then(|count: u64| count.checked_mul(unit));
    bytes.and_then(ChunkSize::from_bytes).ok_or_else(|| {
        "expected 4K, 8K, 16K, 32K, 64K, 128K, 256K, 512K or 1M, or one of these in bytes"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_byte_ranges() {
        let range = |start, end| Ok(ByteRange { start, end });
        for (text, parsed) in [
            ("3..5", range(3, Some(5))),
            ("3..", range(3, None)),
            ("..5", range(0, Some(5))),
            ("..", range(0, None)),
        ] {
            assert_eq!(byte_range(text), parsed, "{text}");
        }
        for text in ["", "3", "5..3", "-1..2", "a..b", "1...3"] {
            assert!(byte_range(text).is_err(), "{text}");
        }
    }

    #[test]
    fn parses_chunk_sizes() {
        for (text, log2) in
            [("4K", 12), ("64K", 16), ("65536", 16), ("1M", 20), ("64k", 16), ("64KiB", 16)]
        {
            assert_eq!(chunk_size(text).unwrap().log2(), log2, "{text}");
        }
        for text in [
            "",
            "K",
            "2K",
            "2M",
            "65537",
            "64KB",
            "-4K",
            "99999999999999999999",
            "20000000000000000K",
        ] {
            assert!(chunk_size(text).is_err(), "{text}");
        }
    }
}
