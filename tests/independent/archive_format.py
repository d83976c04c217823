"""Reads Bulla archives (version 1) in memory.

Written from spec/ARCHIVE.md alone, whose clauses the comments cite.
"""
import struct
from collections import namedtuple

import bulla

FILE, DIRECTORY, LINK, REFERENCE, CONTAINERS, NOTES, BLOCK, FENCE, TRAILER, PADDING = (
    1, 2, 3, 4, 16, 17, 18, 19, 20, 128)
RECORD = struct.Struct(">16sBBHIQ")
ENTRY = struct.Struct(">BBHHHIIQQ")
FENCE_ENTRY, NOTE, TARGET = struct.Struct(">QIHH"), struct.Struct(">HHIQ"), struct.Struct(">I4xQQ")
TRAILER_FIELDS = struct.Struct(">7Q40x")
SHORT, GREW, CHANGED, UNREADABLE, SKIPPED = 1, 2, 4, 8, 16
MODIFIED, MODE, LINK_TARGET = 1, 2, 3
Entry = namedtuple("Entry", "kind encoding state container offset len name raw attributes")
Record = namedtuple("Record", "at kind encoding name raw content len")  # content: the offset
Note = namedtuple("Note", "name state found")


class ArchiveError(Exception):
    """An error that ARCHIVE.md defines."""

    def __init__(self, name: str, why: str):
        super().__init__(name, why)
        self.name = name


def need(condition: bool, why: str) -> None:
    """Raises a malformed error unless the condition holds."""
    if not condition:
        raise ArchiveError("malformed", why)


def is_name(name: bytes) -> bool:
    return len(name) <= 4096 and b"\0" not in name and not {b"", b".", b".."} & {*name.split(b"/")}


def parents(name: bytes) -> list[bytes]:
    """Returns the names of all directories above an entry."""
    return [name[:at] for at in range(len(name)) if name[at:at + 1] == b"/"]


def attributes(raw: bytes, kind: int) -> dict[int, bytes]:
    """Decodes and validates attributes (A-2.3)."""
    found, at, before = {}, 0, -1
    while at < len(raw):
        need(at + 4 <= len(raw), "truncated attribute head")
        tag, length = struct.unpack_from(">HH", raw, at)
        found[tag], at = raw[at + 4:at + 4 + length], at + 4 + length
        need(before < tag and at <= len(raw), "unsorted or truncated attributes")
        before = tag
    if (time := found.get(MODIFIED)) is not None:
        need(len(time) == 12 and struct.unpack(">qI", time)[1] < 10**9, "invalid modified attribute")
    if (mode := found.get(MODE)) is not None:
        need(len(mode) == 4 and int.from_bytes(mode, "big") < 2**12, "invalid mode attribute")
    need((LINK_TARGET in found) == (kind == LINK), "a link without a target, or another entry with one")
    target = found.get(LINK_TARGET, b"-")
    need(1 <= len(target) <= 4096 and b"\0" not in target, "invalid target")
    return found


class Archive:
    """An open archive (A-6.1)."""

    def __init__(self, container: bytes, key: bytes, context: bytes | None = None):
        self.box, self.plain = bulla.Opened(container, key, context, positional=True), None
        self.box.chunk(self.box.last)  # F-7.6
        if self.box.content != 1:
            raise ArchiveError("not_an_archive", f"content is {self.box.content}")
        self.marker = bulla.export(self.box.keys.exporter, b"archive record")[:16]
        end = self.box.length - 128
        need(end >= 0, "too short for a trailer")  # 1
        (self.notes_at, self.index_at, self.fence_at, self.count, blocks, self.rows,
         self.sum) = TRAILER_FIELDS.unpack(self.content_of(end, TRAILER, self.box.length))
        need(self.notes_at <= self.index_at <= self.fence_at < end, "unsorted offsets in the trailer")  # 2
        raw, at, self.fence = self.content_of(self.fence_at, FENCE, end), 0, []
        while at < len(raw):
            need(at + 16 <= len(raw), "truncated fence")
            offset, length, name_len, _ = FENCE_ENTRY.unpack_from(raw, at)
            name, at = raw[at + 16:at + 16 + name_len], at + 16 + name_len
            need(at <= len(raw), "truncated fence entry")
            self.fence.append((offset, offset + 32 + length, name))
        edges = [self.index_at, *(stop for _, stop, _ in self.fence)]  # 3
        need([start for start, _, _ in self.fence] == edges[:-1], "blocks are not contiguous")
        need(edges[-1] == self.fence_at and len(self.fence) == blocks, "wrong number of blocks")
        names = [name for _, _, name in self.fence]
        need(all(a < b for a, b in zip(names, names[1:])), "unsorted fence")
        need(self.count * 33 <= self.fence_at - self.index_at, "wrong number of entries")

    def read(self, start: int, stop: int) -> bytes:
        return self.box.read(start, stop) if self.plain is None else self.plain[start:stop]

    def record(self, at: int, end: int) -> Record:
        need(at + 32 <= end, "truncated record head")
        marker, kind, encoding, name_len, attr_len, length = RECORD.unpack(self.read(at, at + 32))
        need(marker == self.marker, f"wrong marker at {at}")
        content = at + 32 + name_len + attr_len
        need(content + length <= end, f"record at {at} exceeds its section")
        name, raw = self.read(at + 32, at + 32 + name_len), self.read(content - attr_len, content)
        plain = encoding == name_len == attr_len == 0
        need(plain or kind <= REFERENCE or kind > PADDING, f"record at {at} has an encoding, name or attributes")
        return Record(at, kind, encoding, name, raw, content, length)

    def content_of(self, at: int, kind: int, end: int) -> bytes:
        """Reads the content of a record of this kind that spans at..end."""
        record = self.record(at, end)
        need(record.kind == kind and record.content + record.len == end, f"no record of kind {kind} spans {at}..{end}")
        return self.read(record.content, end)

    def block(self, number: int) -> list[Entry]:
        """Reads one block (A-6.1, 4)."""
        start, stop, first = self.fence[number]
        raw, at, entries = self.content_of(start, BLOCK, stop), 0, []
        while at < len(raw):
            need(at + 32 <= len(raw), "truncated index entry")
            kind, encoding, state, name_len, _, attr_len, row, offset, length = ENTRY.unpack_from(raw, at)
            name = raw[at + 32:at + 32 + name_len]
            own = raw[at + 32 + name_len:at + 32 + name_len + attr_len]
            at += 32 + name_len + attr_len
            need(at <= len(raw) and is_name(name) and attr_len <= 2**16, "invalid lengths or name of an index entry")
            need(kind in (FILE, DIRECTORY, LINK), "invalid kind of an index entry")
            need(kind == FILE or offset == length == row == 0, "a directory or link has content")
            need(row > 0 or kind != FILE or offset + length <= self.notes_at, "content ends after notes_offset")
            need(row <= self.rows, "row out of range")
            need(not entries or entries[-1].name < name, "unsorted names")
            entries.append(
                Entry(kind, encoding, state, row, offset, length, name, own, attributes(own, kind)))
        last = number + 1 == len(self.fence)
        need(bool(entries) and entries[0].name == first, "the block does not start with the name in the fence")
        need(last or entries[-1].name < self.fence[number + 1][2], "a name belongs to the next block")
        return entries

    def entries(self) -> list[Entry]:
        """Lists all entries (A-6.2)."""
        entries = [entry for number in range(len(self.fence)) for entry in self.block(number)]
        total = sum(entry.len for entry in entries)
        need(len(entries) == self.count and total == self.sum, "wrong number of entries or sum of lengths")
        leaves = {entry.name for entry in entries if entry.kind != DIRECTORY}
        need(not any(leaves & {*parents(entry.name)} for entry in entries), "a parent is not a directory")
        own = {(e.offset, e.offset + e.len) for e in entries if e.len and not e.container}
        ends = [0, *(end for _, end in sorted(own))]
        need(all(end <= start for end, (start, _) in zip(ends, sorted(own))), "contents overlap")
        return entries

    def containers(self) -> list[tuple[bytes, ...]]:
        """Reads the rows (A-3.4)."""
        if self.rows == 0:
            return []
        need(1 <= self.rows <= 2**16 and 32 + 96 * self.rows <= self.notes_at, "wrong number of rows")
        raw = self.content_of(0, CONTAINERS, 32 + 96 * self.rows)
        return [tuple(raw[at + part:at + part + 32] for part in (0, 32, 64)) for at in range(0, len(raw), 96)]

    def content(self, entry: Entry, others: tuple[bytes, ...] = ()) -> bytes:
        """Reads the content of a file; others are the containers of the rows."""
        if entry.encoding != 0:
            raise ArchiveError("unsupported", f"encoding {entry.encoding}")
        if entry.container == 0:
            return self.read(entry.offset, entry.offset + entry.len)
        salt, key, commitment = self.containers()[entry.container - 1]
        other = others[entry.container - 1]
        if bulla.authoritative_copy(other, positional=True)[0][32:96] != salt + commitment:
            raise ArchiveError("wrong_container", salt.hex())
        box = bulla.Opened(other, key, None, positional=True)
        box.chunk(box.last)
        need(entry.offset + entry.len <= box.length, "reference exceeds the plaintext of its container")
        return box.read(entry.offset, entry.offset + entry.len)

    def notes(self) -> list[Note]:
        """Reads the notes (A-4.1)."""
        raw, at, notes = self.content_of(self.notes_at, NOTES, self.index_at), 0, []
        while at < len(raw):
            need(at + 16 <= len(raw), "truncated note")
            state, name_len, _, found = NOTE.unpack_from(raw, at)
            notes.append(Note(raw[at + 16:at + 16 + name_len], state & 31, found))
            at += 16 + name_len
            need(at <= len(raw), "truncated note")
        return notes

    def verify(self) -> list[Entry]:
        """Compares every record with the index (A-6.4)."""
        self.plain = self.box.read(0, self.box.length)
        entries, rows = self.entries(), self.containers()
        at = 32 + 96 * len(rows) if rows else 0
        unmatched = {entry.name: entry for entry in entries}
        while at < self.notes_at:
            record = self.record(at, self.notes_at)
            at = record.content + record.len
            if FILE <= record.kind <= REFERENCE:
                entry = unmatched.pop(record.name, None)  # none for a second record with the same name
                need(entry is not None, f"{record.name!r} has no index entry, or two records")
                self.compare(record, entry)
            elif record.kind < PADDING:
                need(not CONTAINERS <= record.kind <= TRAILER, f"kind {record.kind} not allowed at {record.at}")
                raise ArchiveError("unsupported", f"record of kind {record.kind}")
        need(not unmatched, f"no record of {[*unmatched]}")
        self.notes()
        return entries

    def compare(self, record: Record, entry: Entry) -> None:
        kind, length, where = entry.kind, entry.len, record.content if entry.kind == FILE else 0
        if entry.container != 0:
            kind, length, where = REFERENCE, TARGET.size, entry.offset
            raw = self.read(record.content, record.content + record.len)
            need(record.len == TARGET.size and
                 TARGET.unpack(raw) == (entry.container, entry.offset, entry.len), "invalid reference record")
        padded = entry.container == 0 and entry.kind == FILE and entry.state & (SHORT | UNREADABLE)
        need(record.len >= length if padded else record.len == length, f"wrong length of {entry.name!r}")
        need((record.kind, record.encoding, record.raw, where) ==
             (kind, entry.encoding, entry.raw, entry.offset), f"record and index entry of {entry.name!r} differ")
