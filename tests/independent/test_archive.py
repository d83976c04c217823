"""Tests the independent archive reader and writer without the vectors."""
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import archive
import bulla
import pytest
from archive import Item, write
from archive_format import (
    CHANGED, FILE, DIRECTORY, GREW, SKIPPED, LINK, LINK_TARGET, MODE, MODIFIED, SHORT, UNREADABLE, Archive,
    ArchiveError, Note, attributes, is_name)

KEY = bytes(range(32))
TIME = struct.pack(">qI", -1, 999_999_999)
ITEMS = [
    Item(b"z/last", FILE, b"last but first", {MODE: struct.pack(">I", 0o640), MODIFIED: TIME}),
    Item(b"a", DIRECTORY, attributes={MODE: struct.pack(">I", 0o755)}),
    Item(b"a/empty", FILE),
    Item(b"a/long", FILE, bytes(range(256)) * 40),
    Item(b"a/\xff\n", LINK, attributes={LINK_TARGET: b"../../z"}),
]


def sealed(items: list[Item] = ITEMS, **options) -> bytes:
    return write(items, KEY, chunk_log2=12, **options)


def edited(edit: Callable[[bytearray, Archive], None], items: list[Item] = ITEMS, **options) -> bytes:
    """Returns the archive with another plaintext under the same salt, and therefore the same marker."""
    before = sealed(items, **options)
    plaintext = bytearray(bulla.open_positional(before, KEY).plaintext)
    edit(plaintext, Archive(before, KEY))
    return bulla.seal(KEY, bytes(plaintext), salt=before[32:64], chunk_log2=12, content=1)


def error_of(function: Callable, *arguments) -> str:
    with pytest.raises((ArchiveError, bulla.BullaError)) as caught:
        function(*arguments)
    return caught.value.name


@pytest.mark.parametrize("block_max", [1, 100, 2**16])
@pytest.mark.parametrize("padding", [None, 0, 5000])
@pytest.mark.parametrize("context", [None, b"context"])
def test_round_trip(block_max, padding, context):
    box = Archive(sealed(block_max=block_max, padding=padding, context=context), KEY, context)
    entries = box.verify()
    assert [entry.name for entry in entries] == sorted(item.name for item in ITEMS)
    by_name = {entry.name: entry for entry in entries}
    for item in ITEMS:
        entry = by_name[item.name]
        assert (entry.kind, entry.attributes, entry.len) == (item.kind, item.attributes, len(item.content))
        assert item.kind != FILE or box.content(entry) == item.content
    assert len(box.fence) == {1: 5, 100: 3, 2**16: 1}[block_max]


def test_empty_archive():
    box = Archive(sealed([]), KEY)
    assert (box.verify(), box.notes(), box.fence) == ([], [], [])
    assert box.box.length == 3 * 32 + 96


def test_notes():
    states = [SHORT, GREW, CHANGED, UNREADABLE, SHORT | CHANGED]
    items = [Item(b"%d" % state, FILE, b"found", state=state, missing=3 * (state & SHORT))
             for state in states]
    box = Archive(sealed(items, skipped=[Note(b"/dev/../null", SKIPPED, 0)]), KEY)
    assert {entry.name: box.content(entry) for entry in box.verify()} == {i.name: b"found" for i in items}
    assert box.notes() == [*(Note(b"%d" % s, s, 5) for s in states), Note(b"/dev/../null", SKIPPED, 0)]


@pytest.mark.parametrize("name, good", [
    (b"a", True), (b"a/b", True), (b"...", True), (b"\xff", True), (b"a" * 4096, True), (b"a" * 4097, False),
    (b"", False), (b"/a", False), (b"a/", False), (b"a//b", False), (b".", False), (b"..", False),
    (b"../a", False), (b"a/./b", False), (b"a/..", False), (b"a\0", False)])
def test_validates_names(name, good):
    assert is_name(name) == good
    if len(name) <= 4096:
        box = Archive(sealed([Item(name, FILE)]), KEY)
        assert len(box.verify()) == 1 if good else error_of(box.entries) == "malformed"


@pytest.mark.parametrize("names", [[b"a", b"a/b"], [b"a", b"a!", b"a/b/c"], [b"a/b", b"a/b/c/d"]])
def test_rejects_a_file_as_parent(names):
    for kind in (FILE, LINK):
        attributes = {LINK_TARGET: b"x"} if kind == LINK else {}
        items = [Item(names[0], kind, attributes=attributes), *(Item(name, FILE) for name in names[1:])]
        assert error_of(Archive(sealed(items), KEY).entries) == "malformed"


@pytest.mark.parametrize("raw", [
    b"\0", b"\0\1\0\14", b"\0\1\0\1x", b"\0\1\0\14" + bytes(8) + struct.pack(">I", 10**9),
    b"\0\2\0\4\0\0\x10\0",
    b"\x80\1\0\0\x80\0\0\0", b"\x80\0\0\0" * 2, b"\0\3\0\1x"])
def test_rejects_invalid_attributes(raw):
    assert error_of(attributes, raw, FILE) == "malformed"


def test_validates_targets():
    for target in (b"", b"a\0", b"a" * 4097):
        assert error_of(attributes, struct.pack(">HH", 3, len(target)) + target, LINK) == "malformed"
    assert error_of(attributes, b"", LINK) == "malformed"
    assert attributes(b"\0\4\0\1x\xff\xff\0\0", FILE) == {4: b"x", 65535: b""}


@pytest.mark.parametrize("field", range(7))
@pytest.mark.parametrize("change", [1, -1, 2**40])
def test_rejects_a_wrong_trailer(field, change):
    def change_field(plaintext: bytearray, box: Archive) -> None:
        at = len(plaintext) - 96 + 8 * field
        value = int.from_bytes(plaintext[at:at + 8], "big") + change
        plaintext[at:at + 8] = struct.pack(">Q", value % 2**64)

    assert error_of(lambda: Archive(edited(change_field), KEY).verify()) == "malformed"


def test_detects_every_changed_byte():
    """A changed byte is detected unless ARCHIVE.md says that it is ignored."""
    items = [Item(b"a", FILE, b"x", {MODE: bytes(4)}), Item(b"b", DIRECTORY)]
    container = sealed(items, padding=1, block_max=1)
    length = bulla.open_positional(container, KEY).length
    undetected = []
    for at in range(length):
        def flip(plaintext: bytearray, box: Archive) -> None:
            plaintext[at] ^= 1
        try:
            Archive(edited(flip, items, padding=1, block_max=1), KEY).verify()
        except ArchiveError as error:
            assert error.name in ("malformed", "unsupported")
        else:
            undetected.append(at)
    content, padding_kind, padding = 41, 91, 107  # the kind is still skipped, and the content is ignored
    index = [174, 175, 178, 179, 247, 248, 251, 252]  # states, which no record has, and reserved bytes
    fences = [length - 128 - 34 + at for at in (14, 15, 31, 32)]
    assert undetected == [content, padding_kind, padding, *index, *fences, *range(length - 40, length)]


def test_unknown_records():
    def turn(kind: int) -> Callable:
        def edit(plaintext: bytearray, box: Archive) -> None:
            plaintext[plaintext.index(box.marker + bytes([128])) + 16] = kind
        return edit

    for kind, error in [(5, "unsupported"), (127, "unsupported"), (17, "malformed"), (20, "malformed")]:
        box = Archive(edited(turn(kind), padding=9), KEY)
        assert len(box.entries()) == len(ITEMS) and error_of(box.verify) == error
    for kind in (129, 255):
        assert Archive(edited(turn(kind), padding=9), KEY).verify()


def test_rejects_other_content():
    for content in (0, 2, 255):
        assert error_of(Archive, bulla.seal(KEY, bytes(500), content=content), KEY) == "not_an_archive"
    assert error_of(Archive, bulla.seal(KEY, bytes(500), content=1), KEY) == "malformed"
    assert error_of(Archive, bulla.seal(KEY, bytes(127), content=1), KEY) == "malformed"
    assert error_of(Archive, sealed(), bytes(32)) == "wrong_key"


def run(data: bytes, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, archive.__file__, *arguments], input=data, capture_output=True)


def test_command(tmp_path: Path):
    keyfile, tree = str(tmp_path / "key"), tmp_path / "tree"
    Path(keyfile).write_text(KEY.hex())
    (tree / "directory" / "empty").mkdir(parents=True)
    (tree / "directory" / "file").write_bytes(bytes(100_000))
    os.chmod(tree / "directory" / "file", 0o600)
    os.symlink("/etc", tree / "link")
    os.utime(tree / "directory", ns=(0, 1_234_567_890_123_456_789))
    made = run(b"", "create", keyfile, str(tree)).stdout
    assert run(made, "list", keyfile).stdout == (
        b"directory 0 0 tree\ndirectory 0 0 tree/directory\ndirectory 0 0 tree/directory/empty\n"
        b"file 0 100000 tree/directory/file\nlink 0 0 tree/link\n")
    assert run(made, "cat", keyfile, "tree/directory/file").stdout == bytes(100_000)
    assert run(made, "cat", keyfile, "tree/directory").returncode == 1
    assert run(made, "verify", keyfile).stdout == b"5 entries\n"
    out = tmp_path / "out"
    assert run(made, "extract", keyfile, str(out)).returncode == 0
    assert os.readlink(out / "tree" / "link") == "/etc"
    assert (out / "tree" / "directory").stat().st_mtime_ns == 1_234_567_890_123_456_789
    assert (out / "tree" / "directory" / "file").stat().st_mode & 0o7777 == 0o600
    assert sorted(os.listdir(out)) == ["tree"]
    assert b"File exists" in run(made, "extract", keyfile, str(out)).stderr
