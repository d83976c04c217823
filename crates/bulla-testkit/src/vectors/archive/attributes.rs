//! Attributes and targets.

use super::case::case;
use super::{Modified, Vector};
use crate::archive::{ATTRIBUTES_MAX, Item, NAME_MAX, attribute, mode, modified, tag};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = allowed();
    vectors.extend(refused());
    vectors
}

fn allowed() -> Vec<Vector> {
    let first =
        |seconds, nanoseconds| Item::file(b"file", b"").with(&modified(seconds, nanoseconds));
    let time = |name, comment, seconds, nanoseconds| {
        let vector = case(name, "A-2.3", comment, &[first(seconds, nanoseconds)]).reads();
        let stated = Modified { seconds, nanoseconds };
        assert!(
            vector.entries.as_ref().is_some_and(|entries| entries[0].modified == Some(stated)),
            "{name}"
        );
        vector
    };
    let permissions = |name, comment, bits| {
        let vector =
            case(name, "A-2.3", comment, &[Item::directory(b"directory").with(&mode(bits))])
                .reads();
        assert!(
            vector.entries.as_ref().is_some_and(|entries| entries[0].mode == Some(bits)),
            "{name}"
        );
        vector
    };
    let target = |name, comment, target: &[u8]| {
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
        time("modified_with_nanoseconds", "A moment in 2026.", 1_795_564_800, 123_456_789),
        time(
            "modified_before_1970",
            "A nanosecond before: seconds are negative, nanoseconds are not.",
            -1,
            999_999_999,
        ),
        time("modified_in_the_far_past", "The lowest number of seconds.", i64::MIN, 0),
        time("modified_in_the_far_future", "The highest number of seconds.", i64::MAX, 999_999_999),
        permissions("mode_all_bits", "With set-user-ID, set-group-ID and sticky bit.", 0o7777),
        permissions("mode_no_bits", "Not the same as no mode.", 0),
        case(
            "attributes_none",
            "A-2.3",
            "None is needed.",
            &[Item::file(b"file", b""), Item::directory(b"directory")],
        )
        .reads(),
        case(
            "attributes_unknown",
            "A-2.3",
            "Ignored, and a known one beside them is not.",
            &[Item::file(b"file", b"").with(&[mode(0o600), unknown].concat())],
        )
        .reads(),
        target(
            "target_up_and_out",
            "A target is any path; what is written is the link itself.",
            b"../../etc",
        ),
        target("target_absolute", "Of no encoding.", b"/\xff\xfe"),
        target("target_of_4096_bytes", "The longest.", &[b't'; NAME_MAX]),
    ]
}

fn refused() -> Vec<Vector> {
    let [time, bits] = [modified(0, 0), mode(0o644)];
    let target = attribute(tag::TARGET, b"x");
    let private = attribute(tag::PRIVATE, b"");
    let value = |tag, value: &[u8]| attribute(tag, value);
    // One byte more than 2^16, of which none is wrong but that one.
    let long = [value(tag::PRIVATE, &[0; 32764]), value(tag::PRIVATE + 1, &[0; 32765])].concat();
    assert_eq!(long.len(), ATTRIBUTES_MAX + 1);
    let of_a_file: [(&str, Vec<u8>, &str); 17] = [
        ("attribute_head_cut", vec![0, 2, 0], "Three bytes of a tag and its length."),
        ("attribute_value_cut", bits[..7].to_vec(), "A mode of which a byte is missing."),
        ("attribute_length_lies", vec![0x80, 0, 0xFF, 0xFF], "65535 bytes that are not there."),
        (
            "attributes_with_a_byte_behind",
            [&bits[..], &[0]].concat(),
            "Too few for another attribute.",
        ),
        ("attributes_unsorted", [&bits[..], &time].concat(), "Mode before modified."),
        (
            "attributes_unknown_unsorted",
            [&value(0xFFFF, b"")[..], &private].concat(),
            "Ignored, but not their order.",
        ),
        ("attribute_twice", [&bits[..], &bits].concat(), "Two modes."),
        ("attribute_unknown_twice", [&private[..], &private].concat(), "Of private use."),
        ("modified_of_11_bytes", value(tag::MODIFIED, &[0; 11]), "A byte too short."),
        ("modified_of_13_bytes", value(tag::MODIFIED, &[0; 13]), "A byte too long."),
        (
            "modified_of_0_bytes",
            value(tag::MODIFIED, b""),
            "No time is an attribute that is not there.",
        ),
        ("modified_with_a_second_of_nanoseconds", modified(0, 1_000_000_000), "10^9 of them."),
        ("mode_of_3_bytes", value(tag::MODE, &[0; 3]), "A byte too short."),
        ("mode_with_file_type", mode(0o100_644), "Only the lowest 12 bits of `st_mode` are kept."),
        ("mode_with_bit_12", mode(0o10_000), "The lowest bit that is none of permissions."),
        (
            "target_of_a_file",
            target.clone(),
            "A target stands with a symbolic link and nowhere else.",
        ),
        ("attributes_of_65537_bytes", long, "A byte too long."),
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
        other("target_of_a_directory", "A target stands with a symbolic link and nowhere else.", {
            Item::directory(b"directory").with(&target)
        }),
        other(
            "target_missing",
            "A link needs one.",
            Item { attributes: bits, ..Item::link(b"link", b"x") },
        ),
        other("target_empty", "A link needs one of at least a byte.", Item::link(b"link", b"")),
        other("target_with_nul", "No path has a NUL byte.", Item::link(b"link", b"a\0b")),
        other(
            "target_of_4097_bytes",
            "A byte too long.",
            Item::link(b"link", &[b't'; NAME_MAX + 1]),
        ),
    ]);
    vectors
}
