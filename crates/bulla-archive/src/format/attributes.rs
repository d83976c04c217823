//! Attributes of entries: time, mode, target.

use std::time::{Duration, SystemTime};

/// Bytes in all attributes of an entry, at most.
pub(crate) const MAX_ATTR_LEN: usize = 1 << 16;
/// Bytes in the longest target of a symbolic link.
pub(crate) const MAX_TARGET_LEN: usize = 4096;

const MODIFIED: u16 = 1;
const MODE: u16 = 2;
const TARGET: u16 = 3;

/// A moment: seconds since 1970-01-01 00:00 UTC, and nanoseconds behind that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Seconds, negative before 1970.
    pub seconds: i64,
    /// Nanoseconds after that, below 10^9.
    pub nanoseconds: u32,
}

/// What is kept of a file besides its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// When the content was last changed.
    pub mtime: Option<Time>,
    /// Unix permissions, the lowest 12 bits of `st_mode`.
    pub mode: Option<u32>,
}

impl Metadata {
    /// Nothing is known.
    pub fn new() -> Metadata {
        Metadata::default()
    }

    /// When the content was last changed.
    pub fn mtime(mut self, time: impl Into<Time>) -> Metadata {
        self.mtime = Some(time.into());
        self
    }

    /// Unix permissions; other bits than the lowest 12 are dropped.
    pub fn mode(mut self, mode: u32) -> Metadata {
        self.mode = Some(mode & 0o7777);
        self
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Time {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => {
                Time { seconds: since.as_secs() as i64, nanoseconds: since.subsec_nanos() }
            }
            Err(before) => {
                let before = before.duration();
                let (seconds, nanoseconds) = (-(before.as_secs() as i64), before.subsec_nanos());
                match nanoseconds {
                    0 => Time { seconds, nanoseconds },
                    _ => Time { seconds: seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds },
                }
            }
        }
    }
}

impl Time {
    /// As the system counts it; `None` if it cannot count so far.
    pub fn to_system_time(self) -> Option<SystemTime> {
        let nanoseconds = Duration::from_nanos(self.nanoseconds.into());
        let whole = Duration::from_secs(self.seconds.unsigned_abs());
        let second = if self.seconds < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(whole)?
        } else {
            SystemTime::UNIX_EPOCH.checked_add(whole)?
        };
        second.checked_add(nanoseconds)
    }
}

/// Appends the attributes of an entry, as they are stored.
pub(crate) fn encode(metadata: &Metadata, target: Option<&[u8]>, out: &mut Vec<u8>) {
    let mut put = |tag: u16, value: &[u8]| {
        out.extend(tag.to_be_bytes());
        out.extend((value.len() as u16).to_be_bytes());
        out.extend(value);
    };
    if let Some(Time { seconds, nanoseconds }) = metadata.mtime {
        let mut value = [0; 12];
        value[..8].copy_from_slice(&seconds.to_be_bytes());
        value[8..].copy_from_slice(&nanoseconds.min(999_999_999).to_be_bytes());
        put(MODIFIED, &value);
    }
    if let Some(mode) = metadata.mode {
        put(MODE, &(mode & 0o7777).to_be_bytes());
    }
    if let Some(target) = target {
        put(TARGET, target);
    }
}

/// Reads attributes: what is known of them, and a link's target. An error says which rule does not
/// hold.
pub(crate) fn decode(mut bytes: &[u8]) -> Result<(Metadata, Option<&[u8]>), &'static str> {
    let (mut metadata, mut target, mut last) = (Metadata::new(), None, 0);
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_first_chunk::<4>().ok_or("an attribute is cut")?;
        let tag = u16::from_be_bytes([head[0], head[1]]);
        let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let (value, rest) =
            rest.split_at_checked(len).ok_or("an attribute is longer than all of them")?;
        if tag <= last {
            return Err("attributes do not ascend");
        }
        match tag {
            MODIFIED => metadata.mtime = Some(time(value).ok_or("a time is none")?),
            MODE => metadata.mode = Some(mode(value).ok_or("a mode is none")?),
            TARGET => target = Some(check_target(value)?),
            _ => {}
        }
        (bytes, last) = (rest, tag);
    }
    Ok((metadata, target))
}

/// A link's target, if it is one.
pub(crate) fn check_target(target: &[u8]) -> Result<&[u8], &'static str> {
    match target.len() {
        0 => Err("a link's target is empty"),
        1..=MAX_TARGET_LEN if !target.contains(&0) => Ok(target),
        1..=MAX_TARGET_LEN => Err("a link's target has a NUL byte in it"),
        _ => Err("a link's target is longer than 4096 bytes"),
    }
}

fn time(value: &[u8]) -> Option<Time> {
    let (seconds, nanoseconds) = value.split_first_chunk::<8>()?;
    let nanoseconds = u32::from_be_bytes(nanoseconds.try_into().ok()?);
    (nanoseconds < 1_000_000_000)
        .then(|| Time { seconds: i64::from_be_bytes(*seconds), nanoseconds })
}

fn mode(value: &[u8]) -> Option<u32> {
    let mode = u32::from_be_bytes(value.try_into().ok()?);
    (mode <= 0o7777).then_some(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    ///
    #[test]
    fn there_and_back() {
        let metadata = Metadata::new().mtime(Time { seconds: -5, nanoseconds: 7 }).mode(0o100_644);
        let mut bytes = Vec::new();
        encode(&metadata, Some(b"../elsewhere"), &mut bytes);
        assert_eq!(bytes[..4], [0, 1, 0, 12]);
        assert_eq!(decode(&bytes), Ok((metadata, Some(&b"../elsewhere"[..]))));
        assert_eq!(metadata.mode, Some(0o644));
    }

    ///
    #[test]
    fn malformed() {
        for bytes in [
            &[0, 2, 0][..],
            &[0, 2, 0, 9, 0],
            &[0, 2, 0, 4, 0, 0, 0x10, 0],
            &[0, 2, 0, 3, 0, 0, 0],
            &[0, 9, 0, 0, 0, 9, 0, 0],
            &[0, 9, 0, 0, 0, 2, 0, 4, 0, 0, 0, 0],
            &[0, 1, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0x3B, 0x9A, 0xCA, 0],
            &[0, 3, 0, 0],
            &[0, 3, 0, 1, 0],
            &[0, 0, 0, 0],
        ] {
            assert!(decode(bytes).is_err(), "{bytes:?}");
        }
        // Unknown ones are passed over.
        assert_eq!(decode(&[0, 4, 0, 1, 7, 0x80, 0, 0, 0]), Ok((Metadata::new(), None)));
    }

    #[test]
    fn times() {
        let early = SystemTime::UNIX_EPOCH - Duration::from_millis(1500);
        let time = Time::from(early);
        assert_eq!(time, Time { seconds: -2, nanoseconds: 500_000_000 });
        assert_eq!(time.to_system_time(), Some(early));
    }
}
