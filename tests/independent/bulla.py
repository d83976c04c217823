"""Seals and opens Bulla containers (version 1) in memory.

Written from spec/FORMAT.md alone, whose clauses the comments cite.
"""
import argparse
import hashlib
import hmac
import os
import struct
import sys
from collections import namedtuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEADER_MAGIC, FOOTER_MAGIC = b"\x93BULLA\r\n", b"\x94BULLA\r\n"
HEADER_LEN, TAG_LEN, MAJOR, MINOR, SUITE, FLAG_CONTEXT = 128, 16, 1, 0, 1, 1
MAX_CHUNK, MAX_PLAINTEXT, MAX_ENVELOPE, MAX_TRAILING = 2**32 - 1, 2**48 - 1, 2**20, 2**16
BOUND = struct.Struct(">BBHBBHI12x32s")  # bytes 8..64, bound by the key schedule
Schedule = namedtuple("Schedule", "info t1 t2 chunk_key base_nonce commitment exporter")


class BullaError(Exception):
    """An error defined in section 9."""

    def __init__(self, name: str, **detail: int):
        super().__init__(name, detail)
        self.name, self.detail, self.released = name, detail, b""  # released: F-7.2


def schedule(key: bytes, header_bytes: bytes, context: bytes | None) -> Schedule:
    """Derives the key schedule from bytes 8..64 of the authoritative header copy (F-4.3)."""
    if len(key) != 32:  # F-4.1
        raise ValueError("a key has 32 bytes")
    info = b"bulla v1 container\x00" + header_bytes + (context or b"")
    t1 = hmac.digest(key, info + b"\x01", "sha512")
    t2 = hmac.digest(key, t1 + info + b"\x02", "sha512")
    okm = t1 + t2[:44]
    return Schedule(info, t1, t2, okm[:32], okm[32:44], okm[44:76], okm[76:108])


def export(exporter: bytes, label: bytes) -> bytes:  # F-4.5
    return hmac.digest(exporter, b"bulla v1 export\x00" + label + b"\x01", "sha512")[:32]


def nonce(base_nonce: bytes, index: int) -> bytes:  # F-5.2
    return (int.from_bytes(base_nonce, "big") ^ index).to_bytes(12, "big")


def with_check(copy: bytes) -> bytes:
    return copy + hashlib.sha256(copy).digest()[:8]


def seal(key: bytes, plaintext: bytes, *, salt: bytes | None = None, chunk_log2: int = 16,
         content: int = 0, context: bytes | None = None, envelope: bytes = b"") -> bytes:
    """Seals a plaintext. Pass a salt only to reproduce a vector: F-4.2 and F-6.1 require a fresh one."""
    salt = os.urandom(32) if salt is None else salt
    if len(salt) != 32 or not 12 <= chunk_log2 <= 20 or len(envelope) > MAX_ENVELOPE:
        raise ValueError("salt, chunk_log2 or envelope out of range")
    size, last = 2**chunk_log2, len(plaintext) >> chunk_log2  # F-5.1
    if last > MAX_CHUNK or len(plaintext) > MAX_PLAINTEXT:  # F-5.4
        raise BullaError("too_large")
    flags = 0 if context is None else FLAG_CONTEXT  # F-3.8
    bound = BOUND.pack(MAJOR, MINOR, SUITE, chunk_log2, content, flags, len(envelope), salt)
    keys = schedule(key, bound, context)
    chunks = [AESGCM(keys.chunk_key).encrypt(
        nonce(keys.base_nonce, i), plaintext[i * size:(i + 1) * size], None) for i in range(last + 1)]
    total = 2 * HEADER_LEN + 2 * len(envelope) + len(plaintext) + TAG_LEN * (last + 1)  # F-2.1
    header = with_check(HEADER_MAGIC + bound + keys.commitment + bytes(24))
    footer = with_check(FOOTER_MAGIC + bound + keys.commitment + struct.pack(">Q16x", total))
    return b"".join([header, envelope, *chunks, envelope, footer])


def is_valid(copy: bytes, magic: bytes) -> bool:  # F-3.3
    return copy[:8] == magic and copy[8:9] == bytes([MAJOR]) and copy == with_check(copy[:120])


def authoritative_copy(container: bytes, positional: bool) -> tuple[bytes, str]:
    """Returns the authoritative header copy and the state of the copies (F-3.4 to F-3.6)."""
    header, footer = container[:HEADER_LEN], container[-HEADER_LEN:]
    footer_valid = len(container) >= 2 * HEADER_LEN and is_valid(footer, FOOTER_MAGIC)
    if is_valid(header, HEADER_MAGIC):
        same = "intact" if header[8:96] == footer[8:96] else "differ"
        return header, same if footer_valid else "footer_damaged"
    if positional and footer_valid:
        return footer, "header_damaged"
    if header[:8] != HEADER_MAGIC:
        raise BullaError("not_a_container")
    if len(header) > 8 and header[8] != MAJOR:
        raise BullaError("unsupported_version", major=header[8])
    if len(header) < HEADER_LEN:
        raise BullaError("truncated", after=0)
    raise BullaError("damaged_header")


class Preamble:
    """Everything that a container reveals without a key."""

    def __init__(self, container: bytes, positional: bool):
        self.container, self.positional, self.released = container, positional, []
        self.header, self.header_state = authoritative_copy(container, positional)
        _, _, suite, log2, self.content, self.flags, envelope_len, _ = BOUND.unpack(self.header[8:64])
        if suite != SUITE:  # F-3.7
            raise BullaError("unsupported_suite", suite=suite)
        if self.flags & ~FLAG_CONTEXT or not 12 <= log2 <= 20 or envelope_len > MAX_ENVELOPE:
            raise BullaError("unsupported_feature")
        self.body, self.size = HEADER_LEN + envelope_len, 2**log2
        if len(container) < self.body:  # F-7.1
            raise BullaError("truncated", after=0)
        tail = container[-self.body:-HEADER_LEN] if len(container) >= 2 * self.body else None
        self.envelopes = container[HEADER_LEN:self.body], tail  # F-8.1


class Opened(Preamble):
    """A container whose header, context and key are valid, checked in the order of F-7.1."""

    def __init__(self, container: bytes, key: bytes, context: bytes | None, positional: bool):
        super().__init__(container, positional)
        if (context is not None) != bool(self.flags & FLAG_CONTEXT):  # F-3.8
            raise BullaError("context_required" if context is None else "context_unexpected")
        self.keys = schedule(key, self.header[8:64], context)
        if not hmac.compare_digest(self.keys.commitment, self.header[64:96]):  # F-4.4
            raise BullaError("wrong_key")
        self.last, self.last_len = divmod(  # F-7.3
            max(len(container) - 2 * self.body, 0), self.size + TAG_LEN)
        self.length = self.last * self.size + max(self.last_len - TAG_LEN, 0)  # not authenticated yet
        if self.last > MAX_CHUNK or self.length > MAX_PLAINTEXT:  # F-5.4
            raise BullaError("too_large")

    def chunk(self, index: int) -> bytes:
        start = self.body + index * (self.size + TAG_LEN)  # F-5.3
        end = start + (self.last_len if index == self.last else self.size + TAG_LEN)
        try:  # InvalidTag also if the last chunk is shorter than a tag
            return AESGCM(self.keys.chunk_key).decrypt(
                nonce(self.keys.base_nonce, index), self.container[start:end], None)
        except InvalidTag:
            error = self.error_at(index)
            error.released = b"".join(self.released)
            raise error from None

    def error_at(self, index: int) -> BullaError:
        """Returns the error for a chunk that fails verification (F-7.4)."""
        end = len(self.container) - HEADER_LEN
        if index == self.last and self.positional:
            lowest = 2 * self.body - HEADER_LEN + TAG_LEN  # 144 + 2e
            for extra in range(1, min(MAX_TRAILING, end - lowest) + 1):
                if self.has_footer_at(end - extra):
                    return BullaError("trailing_data", extra=extra)
        if index < self.last or (self.last_len >= TAG_LEN and self.has_footer_at(end)):
            return BullaError("chunk_rejected", index=index)
        return BullaError("truncated", after=index)

    def has_footer_at(self, offset: int) -> bool:  # F-7.4
        footer = self.container[offset:offset + HEADER_LEN]
        return footer[8:96] == self.header[8:96] and is_valid(footer, FOOTER_MAGIC)

    def read(self, start: int, stop: int) -> bytes:
        """Reads a range, starting with the last chunk (F-7.5, F-7.6)."""
        try:
            self.chunk(self.last)
        except BullaError as error:
            if error.name != "chunk_rejected":
                raise  # if it is merely rejected, a lower chunk may be rejected as well
        first, end = start // self.size, -(-min(stop, self.length) // self.size)
        *chunks, _ = [self.chunk(index) for index in (*range(first, end), self.last)]
        return b"".join(chunks)[start - first * self.size:stop - first * self.size]


def open_stream(container: bytes, key: bytes, context: bytes | None = None) -> Opened:
    opened = Opened(container, key, context, positional=False)
    for index in range(opened.last + 1):
        opened.released.append(opened.chunk(index))
    opened.plaintext = b"".join(opened.released)
    return opened


def open_positional(container: bytes, key: bytes, context: bytes | None = None) -> Opened:
    opened = Opened(container, key, context, positional=True)
    opened.plaintext = opened.read(0, opened.length)
    return opened


def read_range(container: bytes, key: bytes, start: int, stop: int,
               context: bytes | None = None) -> bytes:
    (opened := Opened(container, key, context, positional=True)).chunk(opened.last)  # F-7.6
    return opened.read(start, stop)


def main() -> None:
    parser = argparse.ArgumentParser(description="Seals or opens a Bulla container from stdin to stdout.")
    parser.add_argument("command", choices=["seal", "open"])
    parser.add_argument("keyfile", type=open, help="file with 64 hex digits; whitespace is ignored")
    parser.add_argument("--context", type=bytes.fromhex, help="hex digits")
    parser.add_argument("--chunk-log2", type=int, default=16, help="12 to 20; for seal")
    parser.add_argument("--envelope", type=bytes.fromhex, default=b"", help="hex digits; for seal")
    opt = parser.parse_args()
    key, data = bytes.fromhex("".join(opt.keyfile.read().split())), sys.stdin.buffer.read()
    if opt.command == "seal":
        out = seal(key, data, chunk_log2=opt.chunk_log2, context=opt.context, envelope=opt.envelope)
    else:
        try:
            opened = open_positional(data, key, opt.context)
        except BullaError as error:
            sys.exit(f"{error.name} {error.detail}")
        print(opened.header_state, file=sys.stderr)  # F-3.6
        out = opened.plaintext
    sys.stdout.buffer.write(out)


if __name__ == "__main__":
    main()
