"""Checks every archive vector in a directory.

usage: check_archive_vectors.py DIRECTORY
"""
import hashlib
import json
import struct
import sys
from pathlib import Path

from archive_format import FILE, LINK_TARGET, MODE, MODIFIED, Archive, ArchiveError, Entry
from bulla import BullaError
from check_vectors import unhex

MINIMUM = 150
STEPS = ["open", "list", "content", "verify"]
KINDS = ["", "file", "directory", "link"]
STATES = ["short", "grew", "changed", "unreadable", "skipped"]


def words(state: int) -> list[str]:
    return [word for bit, word in enumerate(STATES) if state >> bit & 1]


def describe(entry: Entry, content: bytes | None) -> dict:
    """Describes an entry in the schema of the vector files."""
    time, mode, target = (entry.attributes.get(tag) for tag in (MODIFIED, MODE, LINK_TARGET))
    seconds, nanoseconds = struct.unpack(">qI", time) if time is not None else (None, None)
    return {
        "name": entry.name.hex(), "kind": KINDS[entry.kind], "state": words(entry.state & 15),
        "container": entry.container, "len": entry.len,
        "sha256": None if content is None else hashlib.sha256(content).hexdigest(),
        "modified": None if time is None else {"seconds": seconds, "nanoseconds": nanoseconds},
        "mode": None if mode is None else int.from_bytes(mode, "big"),
        "target": None if target is None else target.hex()}


def outcome(vector: dict) -> dict:
    """Reads a vector up to its first error."""
    container, key, context = (unhex(vector[name]) for name in ("container", "key", "context"))
    others = tuple(map(unhex, vector["others"]))
    found, step, error, failing = {"entries": None, "notes": None}, "open", None, None
    try:
        archive = Archive(container, key, context)
        step = "list"
        entries, contents = archive.entries(), {}
        step = "content"
        for entry in entries:
            try:
                contents[entry.name] = archive.content(entry, others) if entry.kind == FILE else None
            except (ArchiveError, BullaError) as first:
                error, failing = error or first.name, failing or entry.name.hex()
        found["entries"] = [describe(entry, contents.get(entry.name)) for entry in entries]
        if error is None:
            step = "verify"
        found["notes"] = [{"name": note.name.hex(), "state": words(note.state), "found": note.found}
                          for note in archive.notes()]
        if error is None:
            archive.verify()
    except (ArchiveError, BullaError) as failure:
        error = error or failure.name
    found["error"] = None if error is None else {"step": step, "name": error, "entry": failing}
    return found


def mismatches(vector: dict) -> list[str]:
    found, expected = outcome(vector), vector["error"]
    got = found["error"]
    if expected and got and vector["entries"] is None:  # an earlier step may report the same error
        if STEPS.index(got["step"]) < STEPS.index(expected["step"]):
            got["step"] = expected["step"]
    wrong = [] if got == expected else [f"error: expected {expected}, got {got}"]
    wrong += [f"{name}: expected {vector[name]}, got {found[name]}"
              for name in ("entries", "notes") if vector[name] not in (None, found[name])]
    return wrong


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit("usage: check_archive_vectors.py DIRECTORY")
    passed = failed = 0
    for path in sorted(Path(sys.argv[1]).glob("*.json")):
        for vector in json.loads(path.read_text(encoding="utf-8"))["vectors"]:
            try:
                found = mismatches(vector)
            except Exception as error:  # an unreadable vector fails as well
                found = [f"{type(error).__name__}: {error}"]
            passed, failed = passed + (not found), failed + bool(found)
            for mismatch in found:
                print(f"{path.name}: {vector.get('name')} ({vector.get('clause')}): {mismatch}")
    if passed + failed < MINIMUM:
        print(f"found {passed + failed} vectors, expected at least {MINIMUM}")
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0 or passed < MINIMUM)


if __name__ == "__main__":
    sys.exit(main())
