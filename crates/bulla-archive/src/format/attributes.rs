//! Entry attributes: the mtime, the mode and the link target.

use std::time::{Duration, SystemTime};

/// Maximum bytes in the attributes of one entry.
pub(crate) const MAX_ATTR_LEN: usize = 1 << 16;
/// Maximum bytes in a symbolic link target.
const MAX_TARGET_LEN: usize = 4096;

// Tags.
const MTIME: u16 = 1;
const MODE: u16 = 2;
const TARGET: u16 = 3;

/// A point in time: seconds and nanoseconds since 1970-01-01 00:00 UTC, without leap seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Whole seconds; negative before 1970.
    pub seconds: i64,
    /// Nanoseconds after `seconds`, below 10^9.
    pub nanoseconds: u32,
}

/// The metadata that an archive keeps for an entry. Both fields are optional.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// Time of the last modification.
    pub mtime: Option<Time>,
    /// Unix permissions: the lowest 12 bits of `st_mode`.
    pub mode: Option<u32>,
}

impl Metadata {
    /// Returns metadata without an mtime or a mode.
    pub fn new() -> Metadata {
        Metadata::default()
    }

    /// Sets the time of the last modification.
    pub fn mtime(mut self, time: impl Into<Time>) -> Metadata {
        self.mtime = Some(time.into());
        self
    }

    /// Sets the Unix permissions. Only the lowest 12 bits of `mode` are kept.
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
    /// Returns this time as a [`SystemTime`], or `None` if it is out of range for the system.
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

/// Appends the encoded attributes of an entry to `out`.
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
        put(MTIME, &value);
    }
    if let Some(mode) = metadata.mode {
        put(MODE, &(mode & 0o7777).to_be_bytes());
    }
    if let Some(target) = target {
        put(TARGET, target);
    }
}

/// Decodes attributes into metadata and a link target, ignoring unknown tags. The error is the rule
/// that is violated.
pub(crate) fn decode(mut bytes: &[u8]) -> Result<(Metadata, Option<&[u8]>), &'static str> {
    let (mut metadata, mut target, mut last) = (Metadata::new(), None, 0);
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_first_chunk::<4>().ok_or("an attribute is truncated")?;
        let tag = u16::from_be_bytes([head[0], head[1]]);
        let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let (value, rest) = rest
            .split_at_checked(len)
            .ok_or("an attribute extends past the end of the attributes")?;
        if tag <= last {
            return Err("attribute tags are not in ascending order");
        }
        match tag {
            MTIME => metadata.mtime = Some(decode_time(value).ok_or("invalid mtime")?),
            MODE => metadata.mode = Some(decode_mode(value).ok_or("invalid mode")?),
            TARGET => target = Some(check_target(value)?),
            _ => {}
        }
        (bytes, last) = (rest, tag);
    }
    Ok((metadata, target))
}

/// Returns `target` if it is a valid symbolic link target. The error is the rule that is violated.
pub(crate) fn check_target(target: &[u8]) -> Result<&[u8], &'static str> {
    match target.len() {
        0 => Err("link target is empty"),
        1..=MAX_TARGET_LEN if !target.contains(&0) => Ok(target),
        1..=MAX_TARGET_LEN => Err("link target contains a NUL byte"),
        _ => Err("link target is longer than 4096 bytes"),
    }
}

fn decode_time(value: &[u8]) -> Option<Time> {
    let (seconds, nanoseconds) = value.split_first_chunk::<8>()?;
    let nanoseconds = u32::from_be_bytes(nanoseconds.try_into().ok()?);
    (nanoseconds < 1_000_000_000)
        .then(|| Time { seconds: i64::from_be_bytes(*seconds), nanoseconds })
}

fn decode_mode(value: &[u8]) -> Option<u32> {
    let mode = u32::from_be_bytes(value.try_into().ok()?);
    (mode <= 0o7777).then_some(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    ///
    #[test]
    fn round_trip() {
        let metadata = Metadata::new().mtime(Time { seconds: -5, nanoseconds: 7 }).mode(0o100_644);
        let mut bytes = Vec::new();
        encode(&metadata, Some(b"../target"), &mut bytes);
        assert_eq!(bytes[..4], [0, 1, 0, 12]);
        assert_eq!(decode(&bytes), Ok((metadata, Some(&b"../target"[..]))));
        assert_eq!(metadata.mode, Some(0o644));
    }

    ///
    #[test]
    fn rejects_malformed_attributes() {
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
        // Unknown tags are skipped.
        assert_eq!(decode(&[0, 4, 0, 1, 7, 0x80, 0, 0, 0]), Ok((Metadata::new(), None)));
    }

    #[test]
    fn converts_system_times_before_1970() {
        let early = SystemTime::UNIX_EPOCH - Duration::from_millis(1500);
        let time = Time::from(early);
        assert_eq!(time, Time { seconds: -2, nanoseconds: 500_000_000 });
        assert_eq!(time.to_system_time(), Some(early));
    }
}
