//! Names that are allowed, and ways out of the directory that a reader restores into.

use super::Vector;
use super::case::{Case, case};
use crate::archive::{Item, NAME_MAX};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = allowed();
    vectors.extend(refused());
    vectors.extend(together());
    vectors
}

fn files(names: &[&[u8]]) -> Vec<Item> {
    names.iter().map(|name| Item::file(name, name)).collect()
}

fn named(name: &str, clause: &'static str, comment: &'static str, names: &[&[u8]]) -> Case {
    case(name, clause, comment, &files(names))
}

fn allowed() -> Vec<Vector> {
    let odd: &[&[u8]] =
        &[b"...", b"..a", b".hidden", b"C:\\x", b" ", b"a\nb", b"a../..b", b"~", b"-rf", b"*"];
    vec![
        named("names_that_look_odd", "A-2.1", "None of them is a way out.", odd).reads(),
        named(
            "names_of_no_encoding",
            "A-2.1",
            "No UTF-8; and one name in two forms of Unicode is two names.",
            &[b"\xff\xfe", b"\xc3\xa9", b"e\xcc\x81", b"\x80/\x01"],
        )
        .reads(),
        named(
            "names_around_the_slash",
            "A-2.1",
            "Bytes below and above 2F: the names sort as unsigned bytes, not by components.",
            &[b"a!", b"a-b/x", b"a.b", b"a/b", b"a/b-c", b"a/b0", b"a0", b"a\xff"],
        )
        .draft(|draft| assert_eq!(draft.index[3].name, b"a/b"))
        .reads(),
        named("names_that_differ_in_case", "A-2.2", "Two names.", &[b"readme", b"README"]).reads(),
        named("name_of_4096_bytes", "A-2.1", "The longest.", &[&[b'n'; NAME_MAX]]).reads(),
        named(
            "name_of_2048_components",
            "A-2.1",
            "Of one byte each: as deep as a name can be.",
            &[&b"a/".repeat(NAME_MAX / 2)[..NAME_MAX - 1]],
        )
        .reads(),
        named(
            "no_directory_above",
            "A-2.2",
            "Directories above an entry need not be entries.",
            &[b"a/b/c", b"d/e"],
        )
        .reads(),
    ]
}

/// Each name in record, index and fence alike.
fn refused() -> Vec<Vector> {
    let too_long = vec![b'n'; NAME_MAX + 1];
    let names: [(&str, &[u8], &str); 16] = [
        ("name_empty", b"", "At least one byte."),
        ("name_parent", b"..", "The directory above."),
        ("name_up_and_out", b"../x", "Out of the directory."),
        ("name_down_and_up", b"a/../../x", "Out of the directory, by way of another."),
        ("name_ends_in_parent", b"a/..", "A component that is `..`."),
        ("name_absolute", b"/x", "Begins with a slash."),
        ("name_of_a_slash", b"/", "Two empty components."),
        ("name_ends_with_slash", b"a/", "An empty component at the end."),
        ("name_with_two_slashes", b"a//b", "An empty component in the middle."),
        ("name_dot", b".", "A component that is `.`."),
        ("name_dot_within", b"a/./b", "A component that is `.`, in the middle."),
        ("name_dot_first", b"./a", "A component that is `.`, at the beginning."),
        ("name_nul", b"\0", "A NUL byte and nothing else."),
        ("name_nul_within", b"a\0b", "A NUL byte, behind which a careless reader sees nothing."),
        ("name_nul_behind_parent", b"..\0", "Not `..`, but read as a C string it is."),
        ("name_of_4097_bytes", &too_long, "One byte too long."),
    ];
    let vector = |(name, bytes, comment): (&'static str, &[u8], _)| {
        named(name, "A-2.1", comment, &[bytes]).fails_to_list("malformed")
    };
    let mut vectors: Vec<_> = names.into_iter().map(vector).collect();
    let good = files(&[b"a", b"c"]);
    vectors.push(
        case(
            "name_of_a_link_up_and_out",
            "A-2.1",
            "Between two good names.",
            &[good[0].clone(), Item::link(b"b/../../c", b"target"), good[1].clone()],
        )
        .fails_to_list("malformed"),
    );
    vectors.push(
        case(
            "name_of_a_directory_up_and_out",
            "A-2.1",
            "In a block of its own, the second.",
            &[good[0].clone(), Item::directory(b"b/.."), good[1].clone()],
        )
        .draft(|draft| draft.block_max = 1)
        .fails_to_list("malformed"),
    );
    vectors
}

fn together() -> Vec<Vector> {
    let below = |name, comment, items: &[Item]| {
        case(name, "A-2.2", comment, items).fails_to_list("malformed")
    };
    let [a, x, b] = [b"a", &b"a!"[..], b"a/b"].map(|name| Item::file(name, b""));
    let link = Item::link(b"a", b"/");
    let in_blocks = |name, comment, items: &[Item]| {
        case(name, "A-2.2", comment, items)
            .draft(|draft| draft.block_max = 1)
            .fails_to_list("malformed")
    };
    vec![
        below("name_twice", "In one block.", &[a.clone(), a.clone()]),
        below(
            "name_of_a_file_and_a_directory",
            "Of two kinds.",
            &[a.clone(), Item::directory(b"a")],
        ),
        case(
            "name_twice_in_two_blocks",
            "A-6.1",
            "The fence's names do not ascend.",
            &[a.clone(), a.clone()],
        )
        .draft(|draft| draft.block_max = 1)
        .fails_to_open("malformed"),
        below("file_as_a_parent", "`a` is a file, so there is no `a/b`.", &[a.clone(), b.clone()]),
        below(
            "link_as_a_parent",
            "The target decides where `a/b` would be written.",
            &[link.clone(), b.clone()],
        ),
        below(
            "file_as_a_parent_not_next_to_it",
            "`a!` sorts between them.",
            &[a.clone(), x.clone(), b.clone()],
        ),
        below(
            "file_as_a_grandparent",
            "`a` is above `a/b/c`.",
            &[a.clone(), Item::file(b"a/b/c", b"")],
        ),
        in_blocks("link_as_a_parent_in_another_block", "Each block alone is fine.", &[link, x, b]),
        below(
            "file_as_a_parent_of_a_directory",
            "`a` is a file, so there is no directory `a/b`.",
            &[a, Item::directory(b"a/b")],
        ),
    ]
}
