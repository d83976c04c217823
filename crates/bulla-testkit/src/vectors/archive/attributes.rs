//! Attributes and targets.

use super::case::case;
use super::model::{Modified, Vector};
use crate::archive::{ATTRIBUTES_MAX, Item, NAME_MAX, attribute, mode, modified, tag};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = valid();
    vectors.extend(invalid());
    vectors
}

fn valid() -> Vec<Vector> {
    let file =
        |seconds, nanoseconds| Item::file(b"file", b"").with(&modified(seconds, nanoseconds));
    let with_time = |name, comment, seconds, nanoseconds| {
        let vector = case(name, "A-2.3", comment, &[file(seconds, nanoseconds)]).reads();
        let expected = Modified { seconds, nanoseconds };
        assert!(
            vector.entries.as_ref().is_some_and(|entries| entries[0].modified == Some(expected)),
            "{name}"
        );
        vector
    };
    let with_mode = |name, comment, bits| {
        let vector =
            case(name, "A-2.3", comment, &[Item::directory(b"directory").with(&mode(bits))])
                .reads();
        assert!(
            vector.entries.as_ref().is_some_and(|entries| entries[0].mode == Some(bits)),
            "{name}"
        );
        vector
    };
    let with_target = |name, comment, target: &[u8]| {
        let vector = case(name, "A-2.3", comment, &[Item::link(b"link", target)]).reads();
        let found = vector.entries.as_ref().and_then(|entries| entries[0].target.clone());
        assert_eq!(found.as_deref(), Some(target), "{name}");
        vector
    };
    let unknown = [
        (0x0004, &[7; 32][..]),
        (0x0005, b""),
        (0x7FFF, b"x"),
        (0x8000, b"private"),
        (0xFFFF, b"last"),
    ];
    let unknown = unknown.map(|(tag, value)| attribute(tag, value)).concat();
    vec![
        with_time("modified_with_nanoseconds", "A time in 2026.", 1_795_564_800, 123_456_789),
        with_time(
            "modified_before_1970",
            "One nanosecond before 1970: the seconds are negative, the nanoseconds are not.",
            -1,
            999_999_999,
        ),
        with_time("modified_minimum", "The minimum number of seconds.", i64::MIN, 0),
        with_time("modified_maximum", "The maximum number of seconds.", i64::MAX, 999_999_999),
        with_mode(
            "mode_all_bits",
            "All permissions, and the set-user-ID, set-group-ID and sticky bits.",
            0o7777,
        ),
        with_mode("mode_no_bits", "Mode 0, which differs from an absent mode.", 0),
        case(
            "attributes_none",
            "A-2.3",
            "Files and directories need no attributes.",
            &[Item::file(b"file", b""), Item::directory(b"directory")],
        )
        .reads(),
        case(
            "attributes_unknown",
            "A-2.3",
            "Unknown attributes are ignored, but the known one is not.",
            &[Item::file(b"file", b"").with(&[mode(0o600), unknown].concat())],
        )
        .reads(),
        with_target(
            "target_above_the_root",
            "Any path is a valid target, and readers do not follow it.",
            b"../../etc",
        ),
        with_target("target_absolute", "An absolute target that is not valid UTF-8.", b"/\xff\xfe"),
        with_target(
            "target_of_4096_bytes",
            "The target has the maximum length.",
            &[b't'; NAME_MAX],
        ),
    ]
}

fn invalid() -> Vec<Vector> {
    let [time, bits] = [modified(0, 0), mode(0o644)];
    let target = attribute(tag::TARGET, b"x");
    let private = attribute(tag::PRIVATE, b"");
    let value = |tag, value: &[u8]| attribute(tag, value);
    // Otherwise valid attributes, but one byte longer than 2^16.
    let long = [value(tag::PRIVATE, &[0; 32764]), value(tag::PRIVATE + 1, &[0; 32765])].concat();
    assert_eq!(long.len(), ATTRIBUTES_MAX + 1);
    let of_a_file: [(&str, Vec<u8>, &str); 17] = [
        ("attribute_head_truncated", vec![0, 2, 0], "Three bytes of a four-byte attribute head."),
        ("attribute_value_truncated", bits[..7].to_vec(), "The last byte of the mode is missing."),
        (
            "attribute_length_too_large",
            vec![0x80, 0, 0xFF, 0xFF],
            "The length is 65535, but no bytes follow.",
        ),
        (
            "attributes_with_trailing_byte",
            [&bits[..], &[0]].concat(),
            "The trailing byte is too short to be another attribute.",
        ),
        (
            "attributes_unsorted",
            [&bits[..], &time].concat(),
            "The mode attribute precedes the modified attribute.",
        ),
        (
            "attributes_unknown_unsorted",
            [&value(0xFFFF, b"")[..], &private].concat(),
            "Unknown attributes must be sorted as well.",
        ),
        ("attribute_twice", [&bits[..], &bits].concat(), "The mode attribute occurs twice."),
        (
            "attribute_unknown_twice",
            [&private[..], &private].concat(),
            "Two attributes with the same private tag.",
        ),
        (
            "modified_of_11_bytes",
            value(tag::MODIFIED, &[0; 11]),
            "The value is one byte too short.",
        ),
        ("modified_of_13_bytes", value(tag::MODIFIED, &[0; 13]), "The value is one byte too long."),
        (
            "modified_of_0_bytes",
            value(tag::MODIFIED, b""),
            "An unknown time is expressed by omitting the attribute.",
        ),
        (
            "modified_nanoseconds_out_of_range",
            modified(0, 1_000_000_000),
            "The nanoseconds are 10^9, one more than the maximum.",
        ),
        ("mode_of_3_bytes", value(tag::MODE, &[0; 3]), "The value is one byte too short."),
        (
            "mode_with_file_type",
            mode(0o100_644),
            "Only the lowest 12 bits of `st_mode` are allowed.",
        ),
        ("mode_with_bit_12", mode(0o10_000), "The lowest bit that is not a permission bit is set."),
        ("target_of_a_file", target.clone(), "Only a symbolic link has a target."),
        ("attributes_of_65537_bytes", long, "The attributes are one byte too long."),
    ];
    let vector = |(name, attributes, comment): (&'static str, Vec<u8>, _)| {
        case(name, "A-2.3", comment, &[Item::file(b"file", b"").with(&attributes)])
            .fails_to_list("malformed")
    };
    let mut vectors: Vec<_> = of_a_file.into_iter().map(vector).collect();
    let other = |name, comment, item: Item| {
        case(name, "A-2.3", comment, &[item]).fails_to_list("malformed")
    };
    vectors.extend([
        other("target_of_a_directory", "Only a symbolic link has a target.", {
            Item::directory(b"directory").with(&target)
        }),
        other(
            "target_missing",
            "A symbolic link must have a target.",
            Item { attributes: bits, ..Item::link(b"link", b"x") },
        ),
        other("target_empty", "A target must have at least one byte.", Item::link(b"link", b"")),
        other(
            "target_with_nul",
            "A target must not contain a NUL byte.",
            Item::link(b"link", b"a\0b"),
        ),
        other(
            "target_of_4097_bytes",
            "The target is one byte too long.",
            Item::link(b"link", &[b't'; NAME_MAX + 1]),
        ),
    ]);
    vectors
}
