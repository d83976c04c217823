"""Creates, lists, verifies and extracts Bulla archives.

Written from spec/ARCHIVE.md alone, like archive_format.py.
"""
import argparse
import os
import stat
import struct
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import bulla
from archive_format import (
    BLOCK, ENTRY, FENCE, FENCE_ENTRY, FILE, DIRECTORY, LINK, LINK_TARGET, MODE, MODIFIED, NOTE, NOTES, PADDING,
    RECORD, TRAILER, TRAILER_FIELDS, Archive, ArchiveError, Entry, Note)

Item = namedtuple("Item", "name kind content attributes state missing",  # an entry to write;
                  defaults=(b"", {}, 0, 0))  # missing: the number of zeros that pad it


def write(items: list[Item], key: bytes, *, skipped: list[Note] = [], padding: int | None = None,
          block_max: int = 2**16, **options) -> bytes:
    """Seals an archive of the items, with records in the given order. Accepts the options of bulla.seal."""
    options["salt"] = options.get("salt") or os.urandom(32)
    empty = bulla.seal(key, b"", content=1, **options)  # determines the marker
    marker = bulla.export(bulla.Opened(empty, key, options.get("context"), True).keys.exporter,
                          b"archive record")[:16]
    out, index, blocks, fences = b"", {}, [], b""

    def record(kind: int, content: bytes, name: bytes = b"", raw: bytes = b"") -> bytes:
        return RECORD.pack(marker, kind, 0, len(name), len(raw), len(content)) + name + raw + content

    for item in items:
        raw = b"".join(struct.pack(">HH", tag, len(value)) + value
                       for tag, value in sorted(item.attributes.items()))
        out += record(item.kind, item.content + bytes(item.missing), item.name, raw)
        offset = len(out) - len(item.content) - item.missing if item.kind == FILE else 0
        index[item.name] = ENTRY.pack(item.kind, 0, item.state, len(item.name), 0, len(raw), 0, offset,
                                      len(item.content)) + item.name + raw
    out += b"" if padding is None else record(PADDING, bytes(padding))
    notes = [Note(i.name, i.state, len(i.content)) for i in items if i.state] + skipped
    notes_at, packed = len(out), [NOTE.pack(n.state, len(n.name), 0, n.found) + n.name for n in notes]
    out += record(NOTES, b"".join(packed))
    index_at = len(out)
    for name, entry in sorted(index.items()):
        if not blocks or len(blocks[-1][1]) + len(entry) > block_max:
            blocks.append((name, b""))
        blocks[-1] = blocks[-1][0], blocks[-1][1] + entry
    for name, block in blocks:
        fences += FENCE_ENTRY.pack(len(out), len(block), len(name), 0) + name
        out += record(BLOCK, block)
    fields = notes_at, index_at, len(out), len(index), len(blocks), 0, sum(len(i.content) for i in items)
    out += record(FENCE, fences) + record(TRAILER, TRAILER_FIELDS.pack(*fields))
    return bulla.seal(key, out, content=1, **options)


def item_of(path: Path, name: bytes) -> Item:
    status = path.lstat()
    time, mode = divmod(status.st_mtime_ns, 10**9), status.st_mode & 0o7777
    attributes = {MODIFIED: struct.pack(">qI", *time), MODE: struct.pack(">I", mode)}
    if stat.S_ISLNK(status.st_mode):
        return Item(name, LINK, attributes=attributes | {LINK_TARGET: os.fsencode(os.readlink(path))})
    if stat.S_ISDIR(status.st_mode):
        return Item(name, DIRECTORY, attributes=attributes)
    return Item(name, FILE, path.read_bytes(), attributes)


def items_below(path: Path, name: bytes) -> list[Item]:
    items = [item_of(path, name)]
    if items[0].kind == DIRECTORY:
        for child in sorted(path.iterdir()):
            items += items_below(child, name + b"/" + os.fsencode(child.name))
    return items


def set_metadata(path: bytes, attributes: dict[int, bytes], link: bool = False) -> None:
    if not link and MODE in attributes:
        os.chmod(path, int.from_bytes(attributes[MODE], "big"))
    if MODIFIED in attributes:
        seconds, nanoseconds = struct.unpack(">qI", attributes[MODIFIED])
        time = seconds * 10**9 + nanoseconds
        os.utime(path, ns=(time, time), follow_symlinks=False)


def extract(archive: Archive, directory: str) -> None:
    """Extracts into a new directory, which contains no links (A-6.5). archive.entries() rejects an archive
    in which a link is a parent (A-2.2)."""
    os.mkdir(directory)
    entries, directories = archive.entries(), []
    for entry in entries:
        path = os.path.join(os.fsencode(directory), entry.name)
        os.makedirs(path if entry.kind == DIRECTORY else os.path.dirname(path), exist_ok=True)
        if entry.kind == DIRECTORY:
            directories.append((path, entry.attributes))
        elif entry.kind == LINK:
            os.symlink(entry.attributes[LINK_TARGET], path)
            set_metadata(path, entry.attributes, link=True)
        else:
            content = archive.content(entry)  # authenticated before the file is created
            handle, partial = tempfile.mkstemp(dir=directory)
            with open(handle, "wb") as file:
                file.write(content)
            set_metadata(os.fsencode(partial), entry.attributes)
            os.link(partial, path)  # unlike rename, never replaces a file
            os.unlink(partial)
    for path, attributes in reversed(directories):  # creating entries changes the mtime of their directory
        set_metadata(path, attributes)


def line(entry: Entry) -> bytes:
    kind = {FILE: "file", DIRECTORY: "directory", LINK: "link"}[entry.kind]
    return f"{kind} {entry.state} {entry.len} ".encode() + entry.name + b"\n"


def run(opt: argparse.Namespace) -> bytes:
    key = bytes.fromhex("".join(Path(opt.keyfile).read_text().split()))
    if opt.command == "create":
        items = []
        for path in map(Path, opt.arguments):
            items += items_below(path, os.fsencode(path.name))
        return write(items, key, chunk_log2=opt.chunk_log2)
    archive = Archive(sys.stdin.buffer.read(), key)
    if opt.command == "list":
        return b"".join(map(line, archive.entries()))
    if opt.command == "verify":
        return b"%d entries\n" % len(archive.verify())
    if opt.command == "extract":
        extract(archive, opt.arguments[0])
        return b""
    found = [entry for entry in archive.entries() if entry.name == os.fsencode(opt.arguments[0])]
    if not found or found[0].kind != FILE:
        raise ArchiveError("no_such_file", opt.arguments[0])
    return archive.content(found[0])


def main() -> None:
    parser = argparse.ArgumentParser(description="Creates and reads Bulla archives, from stdin to stdout.")
    parser.add_argument("command", choices=["list", "cat", "extract", "verify", "create"])
    parser.add_argument("keyfile", help="file with 64 hex digits; whitespace is ignored")
    parser.add_argument("arguments", nargs="*", help="cat: NAME; extract: a new DIR; create: PATH...")
    parser.add_argument("--chunk-log2", type=int, default=16, help="12 to 20; for create")
    try:
        sys.stdout.buffer.write(run(parser.parse_intermixed_args()))
    except (ArchiveError, bulla.BullaError, OSError) as error:
        sys.exit(f"{getattr(error, 'name', 'error')}: {error}")


if __name__ == "__main__":
    main()
