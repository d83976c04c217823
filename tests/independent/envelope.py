"""Opens Bulla key envelopes (version 1).

Written from spec/ENVELOPE.md alone, whose clauses the comments cite.
"""
import argparse
import hashlib
import hmac
import struct
import sys
import unicodedata
from collections import namedtuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

import bulla

MAGIC, VERSION, HEAD_LEN, TAIL_LEN, MAX_LEN = b"\x95BULLA\r\n", 1, 64, 40, 2**20
RECOVERY_KEY, PASSPHRASE, LOCATOR = 1, 2, 3
MAX_SLOTS, MAX_PASSPHRASES, MAX_MEMORY, MAX_WORK, MAX_LANES, MAX_HINTS = 32, 8, 2**18, 2**20, 16, 1024
Slot = namedtuple("Slot", "kind id head commitment wrapped")
Unlocked = namedtuple("Unlocked", "container_key slot revision copies intact slot_secret slot_head t1 mac_key")


class EnvelopeError(Exception):
    """An error defined in section 7."""

    def __init__(self, name: str):
        super().__init__(name)
        self.name = name


def invalid(copy: bytes) -> str | None:
    """Returns the error that makes a copy invalid (E-2.4), or None if the copy is valid."""
    if not any(copy):
        return "no_envelope"
    if copy[:8] != MAGIC:
        return "not_an_envelope"
    if len(copy) > 8 and copy[8] != VERSION:
        return "unsupported_version"
    if not HEAD_LEN + TAIL_LEN <= len(copy) <= MAX_LEN:
        return "damaged"
    return None if hashlib.sha256(copy[:-8]).digest()[:8] == copy[-8:] else "damaged"


def revision(copy: bytes) -> int:
    return int.from_bytes(copy[16:24], "big")


def authoritative_copy(first: bytes, second: bytes | None) -> tuple[bytes, str]:
    """Returns the authoritative copy and the state of the copies (E-2.6)."""
    if second is None:
        if invalid(first) is None:
            return first, "single"
    elif invalid(first) is None and invalid(second) is None:
        newer = second if revision(second) > revision(first) else first
        return newer, "intact" if first == second else "differ"
    elif invalid(first) is None:
        return first, "second_damaged"
    elif invalid(second) is None:
        return second, "first_damaged"
    raise EnvelopeError(next((invalid(copy) for copy in (first, second) if copy and any(copy)), "no_envelope"))


def are_valid_hints(hints: bytes) -> bool:  # E-3.4
    last, valid = -1, len(hints) <= MAX_HINTS
    while hints and valid:
        tag, length = struct.unpack(">HH", hints[:4]) if len(hints) >= 4 else (-1, 0)
        valid = tag > last and len(hints) >= 4 + length
        last, hints = tag, hints[4 + length:]
    return valid


def slots(envelope: bytes) -> list[Slot]:
    """Splits an envelope into its slots (E-2.3, E-2.5)."""
    count, length = struct.unpack(">HI", envelope[10:16])
    if length != len(envelope) or count > MAX_SLOTS:
        raise EnvelopeError("malformed")
    found, rest, passphrases = [], envelope[HEAD_LEN:-TAIL_LEN], 0
    for _ in range(count):
        if len(rest) < 8:
            raise EnvelopeError("malformed")
        kind, id_, length = struct.unpack(">HHI", rest[:8])
        if not 8 <= length <= len(rest) or id_ == 0 or id_ in (slot.id for slot in found):
            raise EnvelopeError("malformed")
        params = length - 120
        of_kind = {RECOVERY_KEY: params == 0, PASSPHRASE: params == 16,
                   LOCATOR: params >= 64 and are_valid_hints(rest[104:length - 80])}
        if not of_kind.get(kind, True):
            raise EnvelopeError("malformed")
        # E-3.5: an unknown algorithm or passphrase form is an unknown kind.
        if kind == PASSPHRASE and rest[40:44] != b"\x01\x01\x00\x00":
            kind = None
        passphrases += kind == PASSPHRASE
        if passphrases > MAX_PASSPHRASES:
            raise EnvelopeError("malformed")
        found.append(Slot(kind, id_, rest[:length - 80], rest[length - 80:length - 48], rest[length - 48:length]))
        rest = rest[length:]
    return found


def opaque_string(typed: str) -> bytes:
    """Applies E-3.2 without its prohibitions, because a forbidden passphrase opens nothing anyway."""
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in typed)
    return unicodedata.normalize("NFC", spaced).encode()


def stretch(slot: Slot, passphrase: str) -> bytes | None:
    """Derives the secret of a passphrase slot (E-3.3), or returns None if it is too costly."""
    passes, memory, lanes = struct.unpack(">III", slot.head[44:56])
    if not (1 <= lanes <= MAX_LANES and 8 * lanes <= memory <= MAX_MEMORY and 1 <= passes
            and passes * memory <= MAX_WORK):
        return None
    return Argon2id(salt=slot.head[8:40], length=32, iterations=passes, lanes=lanes,
                    memory_cost=memory).derive(opaque_string(passphrase))


def find(candidates: list[Slot], key: bytes | None, passphrase: str | None) -> tuple[Slot, bytes, bytes]:
    """Finds the slot that the secret opens (E-4.3)."""
    failure = "no_such_slot"
    for slot in candidates:
        if slot.kind in (RECOVERY_KEY, LOCATOR) and key is not None:
            secret = key
        elif slot.kind == PASSPHRASE and passphrase is not None:
            secret = stretch(slot, passphrase)
            if secret is None:
                failure = "too_costly"
                continue
        else:
            continue
        t1 = hmac.digest(secret, b"bulla v1 slot\x00" + slot.head + b"\x01", "sha512")  # E-4.1
        if hmac.compare_digest(t1[32:], slot.commitment):  # E-4.2
            return slot, secret, t1
        failure = "too_costly" if failure == "too_costly" else "wrong_secret"
    raise EnvelopeError(failure)


def open_(header: bytes, context: bytes | None, first: bytes, second: bytes | None = None, *,
          key: bytes | None = None, passphrase: str | None = None) -> Unlocked:
    envelope, copies = authoritative_copy(first, second)
    candidates = slots(envelope)
    needs_context = bool(header[15] & bulla.FLAG_CONTEXT)
    if envelope[32:64] != header[32:64]:
        raise EnvelopeError("another_container")
    if needs_context != (context is not None):
        raise EnvelopeError("context_required" if needs_context else "context_unexpected")
    slot, secret, t1 = find(candidates, key, passphrase)
    try:
        container_key = AESGCM(t1[:32]).decrypt(bytes(12), slot.wrapped, slot.head + header[8:64])
    except InvalidTag:
        raise EnvelopeError("another_container") from None  # E-4.4
    keys = bulla.schedule(container_key, header[8:64], context)
    if not hmac.compare_digest(keys.commitment, header[64:96]):
        raise EnvelopeError("another_container")  # E-4.5
    mac_key = bulla.export(keys.exporter, b"bulla envelope")  # E-5.1
    mac = hmac.digest(mac_key, envelope[:-TAIL_LEN], "sha512")[:32]
    intact = hmac.compare_digest(mac, envelope[-TAIL_LEN:-8])
    return Unlocked(container_key, slot.id, revision(envelope), copies, intact, secret, slot.head, t1, mac_key)


def main() -> None:
    parser = argparse.ArgumentParser(description="Opens a container with its envelope, from stdin to stdout.")
    parser.add_argument("verb", choices=["open"])
    parser.add_argument("--key", help="file with 64 hex digits")
    parser.add_argument("--passphrase-file", help="file with the passphrase")
    parser.add_argument("--envelope", help="file with an envelope stored outside the container")
    parser.add_argument("--context", type=bytes.fromhex)
    given = parser.parse_args()
    container = sys.stdin.buffer.read()
    key = passphrase = None
    if given.key:
        with open(given.key, encoding="ascii") as file:
            key = bytes.fromhex("".join(file.read().split()))
    else:
        with open(given.passphrase_file, encoding="utf-8") as file:
            passphrase = file.read().rstrip("\n")
    header, _ = bulla.authoritative_copy(container, positional=True)
    first, second = bulla.Preamble(container, positional=True).envelopes
    if given.envelope:
        with open(given.envelope, "rb") as file:
            first, second = file.read(), None
    unlocked = open_(header, given.context, first, second, key=key, passphrase=passphrase)
    if not unlocked.intact:
        print("warning: the envelope was changed by someone without the key", file=sys.stderr)
    sys.stdout.buffer.write(bulla.open_positional(container, unlocked.container_key, given.context).plaintext)


if __name__ == "__main__":
    main()
