//! Valid names, and names that lead outside the directory into which a reader restores.

use super::case::{Case, case};
use super::model::Vector;
use crate::archive::{Item, NAME_MAX};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = valid();
    vectors.extend(invalid());
    vectors.extend(conflicting());
    vectors
}

fn files(names: &[&[u8]]) -> Vec<Item> {
    names.iter().map(|name| Item::file(name, name)).collect()
}

fn named(name: &str, clause: &'static str, comment: &'static str, names: &[&[u8]]) -> Case {
    case(name, clause, comment, &files(names))
}

fn valid() -> Vec<Vector> {
    let odd: &[&[u8]] =
        &[b"...", b"..a", b".hidden", b"C:\\x", b" ", b"a\nb", b"a../..b", b"~", b"-rf", b"*"];
    vec![
        named("names_unusual", "A-2.1", "None of these names leads outside the directory.", odd)
            .reads(),
        named(
            "names_without_encoding",
            "A-2.1",
            "Invalid UTF-8, and two normalization forms of one name, which are distinct names.",
            &[b"\xff\xfe", b"\xc3\xa9", b"e\xcc\x81", b"\x80/\x01"],
        )
        .reads(),
        named(
            "names_around_slash",
            "A-2.1",
            "Names are sorted as unsigned bytes, not by component.",
            &[b"a!", b"a-b/x", b"a.b", b"a/b", b"a/b-c", b"a/b0", b"a0", b"a\xff"],
        )
        .archive(|archive| assert_eq!(archive.index[3].name, b"a/b"))
        .reads(),
        named(
            "names_differing_in_case",
            "A-2.2",
            "Names are case-sensitive.",
            &[b"readme", b"README"],
        )
        .reads(),
        named(
            "name_of_4096_bytes",
            "A-2.1",
            "The name has the maximum length.",
            &[&[b'n'; NAME_MAX]],
        )
        .reads(),
        named(
            "name_of_2048_components",
            "A-2.1",
            "The name has the maximum depth, because each component has one byte.",
            &[&b"a/".repeat(NAME_MAX / 2)[..NAME_MAX - 1]],
        )
        .reads(),
        named(
            "parent_without_entry",
            "A-2.2",
            "A parent directory need not have an entry.",
            &[b"a/b/c", b"d/e"],
        )
        .reads(),
    ]
}

/// Invalid names, which are the same in the record, the index and the fence.
fn invalid() -> Vec<Vector> {
    let too_long = vec![b'n'; NAME_MAX + 1];
    let names: [(&str, &[u8], &str); 16] = [
        ("name_empty", b"", "A name must have at least one byte."),
        ("name_dot_dot", b"..", "The name is that of the parent directory."),
        ("name_starts_with_dot_dot", b"../x", "The path leads outside the directory."),
        (
            "name_with_two_dot_dot",
            b"a/../../x",
            "The path leads outside the directory through a subdirectory.",
        ),
        ("name_ends_with_dot_dot", b"a/..", "The last component is `..`."),
        ("name_absolute", b"/x", "The name starts with a slash."),
        ("name_slash", b"/", "Both components are empty."),
        ("name_ends_with_slash", b"a/", "The last component is empty."),
        ("name_with_two_slashes", b"a//b", "The second component is empty."),
        ("name_dot", b".", "The only component is `.`."),
        ("name_with_dot", b"a/./b", "The second component is `.`."),
        ("name_starts_with_dot", b"./a", "The first component is `.`."),
        ("name_nul", b"\0", "The name is a NUL byte."),
        ("name_with_nul", b"a\0b", "A C string ends at the NUL byte."),
        ("name_dot_dot_nul", b"..\0", "Equal to `..` when read as a C string."),
        ("name_of_4097_bytes", &too_long, "The name is one byte too long."),
    ];
    let vector = |(name, bytes, comment): (&'static str, &[u8], _)| {
        named(name, "A-2.1", comment, &[bytes]).fails_to_list("malformed")
    };
    let mut vectors: Vec<_> = names.into_iter().map(vector).collect();
    let good = files(&[b"a", b"c"]);
    vectors.push(
        case(
            "name_of_link_with_dot_dot",
            "A-2.1",
            "The invalid name is that of a symbolic link between two valid entries.",
            &[good[0].clone(), Item::link(b"b/../../c", b"target"), good[1].clone()],
        )
        .fails_to_list("malformed"),
    );
    vectors.push(
        case(
            "name_of_directory_with_dot_dot",
            "A-2.1",
            "The invalid name is that of a directory, which is alone in the second block.",
            &[good[0].clone(), Item::directory(b"b/.."), good[1].clone()],
        )
        .archive(|archive| archive.block_max = 1)
        .fails_to_list("malformed"),
    );
    vectors
}

fn conflicting() -> Vec<Vector> {
    let below = |name, comment, items: &[Item]| {
        case(name, "A-2.2", comment, items).fails_to_list("malformed")
    };
    let [a, x, b] = [b"a", &b"a!"[..], b"a/b"].map(|name| Item::file(name, b""));
    let link = Item::link(b"a", b"/");
    let in_blocks = |name, comment, items: &[Item]| {
        case(name, "A-2.2", comment, items)
            .archive(|archive| archive.block_max = 1)
            .fails_to_list("malformed")
    };
    vec![
        below("name_twice", "Two files in one block have the same name.", &[a.clone(), a.clone()]),
        below(
            "name_of_file_and_directory",
            "A file and a directory have the same name.",
            &[a.clone(), Item::directory(b"a")],
        ),
        case(
            "name_twice_in_two_blocks",
            "A-6.1",
            "The names in the fence are not in ascending order.",
            &[a.clone(), a.clone()],
        )
        .archive(|archive| archive.block_max = 1)
        .fails_to_open("malformed"),
        below("file_as_parent", "`a` is a file, so `a/b` cannot exist.", &[a.clone(), b.clone()]),
        below(
            "link_as_parent",
            "The target would decide where `a/b` is written.",
            &[link.clone(), b.clone()],
        ),
        below(
            "file_as_parent_not_adjacent",
            "`a` is a file, so `a/b` cannot exist; `a!` sorts between them.",
            &[a.clone(), x.clone(), b.clone()],
        ),
        below(
            "file_as_grandparent",
            "`a` is a file, so `a/b/c` cannot exist.",
            &[a.clone(), Item::file(b"a/b/c", b"")],
        ),
        in_blocks(
            "link_as_parent_in_another_block",
            "`a` is a link, so `a/b` cannot exist, although each block is valid by itself.",
            &[link, x, b],
        ),
        below(
            "file_as_parent_of_directory",
            "`a` is a file, so the directory `a/b` cannot exist.",
            &[a, Item::directory(b"a/b")],
        ),
    ]
}
