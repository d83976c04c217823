"""Tests the envelope reader on its own, with envelopes that this file builds from spec/ENVELOPE.md.

check_envelope_vectors.py compares it with the vectors.
"""
import hashlib
import hmac
import struct
import subprocess
import sys
from pathlib import Path

import bulla
import envelope
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from envelope import EnvelopeError

CONTAINER_KEY, RECOVERY_KEY = bytes(range(32)), bytes(range(100, 132))
PHRASE = "correct horse battery staple"
PLAINTEXT = b"a message" * 1000
LEN = 512
CHEAP = (1, 64, 1)


def frame(kind: int, id_: int, length: int) -> bytes:
    return struct.pack(">HHI", kind, id_, length)


def slot(header: bytes, kind: int, id_: int, secret, params: bytes = b"", wrapped: bytes = CONTAINER_KEY) -> bytes:
    """Builds a slot. `secret` is 32 bytes, or a function that derives them from the head."""
    head = frame(kind, id_, 120 + len(params)) + bytes([id_ % 256]) * 32 + params
    secret = secret(head) if callable(secret) else secret
    t1 = hmac.digest(secret, b"bulla v1 slot\0" + head + b"\x01", "sha512")
    return head + t1[32:] + AESGCM(t1[:32]).encrypt(bytes(12), wrapped, head + header[8:64])


def cost(passes: int, memory: int, lanes: int) -> bytes:
    return b"\x01\x01\0\0" + struct.pack(">III", passes, memory, lanes)


def passphrase_slot(header: bytes, id_: int, passphrase: str, of=CHEAP) -> bytes:
    def secret(head: bytes) -> bytes:
        return envelope.stretch(envelope.Slot(2, id_, head, b"", b""), passphrase)
    return slot(header, 2, id_, secret, cost(*of))


def sealed(slots: list[bytes], header: bytes, *, revision: int = 1, count: int | None = None,
           length: int = LEN, stated: int | None = None, mac_key: bytes | None = None) -> bytes:
    body = (envelope.MAGIC + struct.pack(">BBHIQ8x", 1, 0, len(slots) if count is None else count,
                                         length if stated is None else stated, revision)
            + header[32:64] + b"".join(slots))
    body = body.ljust(length - 40, b"\0")
    if mac_key is None:
        keys = bulla.schedule(CONTAINER_KEY, header[8:64], None)
        mac_key = bulla.export(keys.exporter, b"bulla envelope")
    body += hmac.digest(mac_key, body, "sha512")[:32]
    return body + hashlib.sha256(body).digest()[:8]


def container(length: int = LEN) -> bytes:
    return bulla.seal(CONTAINER_KEY, PLAINTEXT, chunk_log2=12, salt=bytes(range(32)), envelope=bytes(length))


HEADER = container()[:128]
DEFAULT = [slot(HEADER, 1, 1, RECOVERY_KEY), passphrase_slot(HEADER, 2, PHRASE)]


def error_of(first: bytes, second: bytes | None = None, **secret) -> str:
    with pytest.raises(EnvelopeError) as caught:
        envelope.open_(HEADER, None, first, second, **(secret or {"key": RECOVERY_KEY}))
    return caught.value.name


@pytest.mark.parametrize("secret, id_", [({"key": RECOVERY_KEY}, 1), ({"passphrase": PHRASE}, 2)])
def test_opens_by_each_slot(secret, id_):
    unlocked = envelope.open_(HEADER, None, sealed(DEFAULT, HEADER), **secret)
    assert (unlocked.container_key, unlocked.slot, unlocked.intact) == (CONTAINER_KEY, id_, True)


def test_passphrase_is_an_opaque_string():
    first = sealed([passphrase_slot(HEADER, 1, "Caf\u00e9 au lait")], HEADER)
    typed = "Cafe\u0301\u00a0au\u3000lait"
    assert envelope.open_(HEADER, None, first, passphrase=typed).slot == 1
    for other in ("caf\u00e9 au lait", "Caf\u00e9 au lait ", "Cafe au lait"):
        assert error_of(first, passphrase=other) == "wrong_secret"


def test_rejects_wrong_secrets():
    first = sealed(DEFAULT, HEADER)
    assert error_of(first, key=CONTAINER_KEY) == "wrong_secret"
    assert error_of(first, passphrase=PHRASE.upper()) == "wrong_secret"
    assert error_of(sealed(DEFAULT[:1], HEADER), passphrase=PHRASE) == "no_such_slot"
    assert error_of(sealed(DEFAULT[1:], HEADER), key=RECOVERY_KEY) == "no_such_slot"


@pytest.mark.parametrize("of", [(1, 2**18 + 1, 1), (5, 2**18, 1), (2**32 - 1, 2**32 - 1, 16), (0, 64, 1), (1, 64, 0),
                                (1, 64, 17), (1, 7, 1), (1, 127, 16)])
def test_does_not_hash_at_costs_out_of_range(of, monkeypatch):
    def never(**_):
        raise AssertionError("the passphrase was hashed")
    monkeypatch.setattr(envelope, "Argon2id", never)
    first = sealed([slot(HEADER, 2, 1, bytes(32), cost(*of))], HEADER)
    assert error_of(first, passphrase=PHRASE) == "too_costly"


MALFORMED = {
    "slots_33": lambda: sealed([frame(9, i + 1, 8) for i in range(33)], HEADER),
    "passphrase_slots_9": lambda: sealed([slot(HEADER, 2, i + 1, bytes(32), cost(*CHEAP)) for i in range(9)], HEADER,
                                    length=2048),
    "slot_count_too_large": lambda: sealed(DEFAULT, HEADER, count=32),
    "slot_id_twice": lambda: sealed([DEFAULT[0], DEFAULT[0]], HEADER),
    "slot_id_0": lambda: sealed([frame(9, 0, 8)], HEADER),
    "slot_length_0": lambda: sealed([frame(9, 1, 0)], HEADER),
    "slot_length_maximum": lambda: sealed([frame(9, 1, 2**32 - 1)], HEADER),
    "slot_overlaps_mac": lambda: sealed([frame(9, 1, LEN - 64 - 40 + 1)], HEADER),
    "length_plus_1": lambda: sealed(DEFAULT, HEADER, stated=LEN + 1),
    "length_maximum": lambda: sealed(DEFAULT, HEADER, stated=2**32 - 1),
    "recovery_key_with_parameters": lambda: sealed([slot(HEADER, 1, 1, RECOVERY_KEY, b"x")], HEADER),
    "hint_too_long": lambda: sealed([slot(HEADER, 3, 1, RECOVERY_KEY, bytes(64) + b"\0\x01\xff\xff")], HEADER),
    "hints_descending": lambda: sealed([slot(HEADER, 3, 1, RECOVERY_KEY, bytes(64) + b"\0\x02\0\0\0\x01\0\0")], HEADER),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_rejects_malformed_envelopes(name):
    assert error_of(MALFORMED[name]()) == "malformed"


def test_rejects_invalid_envelopes():
    whole = sealed(DEFAULT, HEADER)
    assert error_of(b"") == error_of(bytes(LEN)) == "no_envelope"
    assert error_of(b"\x93" + whole[1:]) == "not_an_envelope"
    assert error_of(whole[:8] + b"\x02" + whole[9:]) == "unsupported_version"
    for length in range(9, LEN):
        assert error_of(whole[:length]) == "damaged"
    assert error_of(sealed(DEFAULT, HEADER, length=2**20 + 1)) == "damaged"


def test_detects_every_flip():
    whole = sealed(DEFAULT[:1], HEADER, length=240)
    for offset in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[offset] ^= 1 << bit
            assert error_of(bytes(changed)) in ("damaged", "not_an_envelope", "unsupported_version")


def test_reports_a_wrong_mac():
    unlocked = envelope.open_(HEADER, None, sealed(DEFAULT, HEADER, mac_key=bytes(32)), key=RECOVERY_KEY)
    assert unlocked.container_key == CONTAINER_KEY and not unlocked.intact


def test_rejects_envelopes_of_another_container():
    other = bulla.seal(CONTAINER_KEY, b"", chunk_log2=12, salt=bytes(range(1, 33)), envelope=bytes(LEN))[:128]
    slots = [slot(other, 1, 1, RECOVERY_KEY)]
    assert error_of(sealed(slots, other)) == "another_container"
    # The slot opens but wraps the key for another container.
    assert error_of(sealed(slots, HEADER)) == "another_container"
    foreign = [slot(HEADER, 1, 1, RECOVERY_KEY, wrapped=bytes(32))]
    assert error_of(sealed(foreign, HEADER)) == "another_container"


def test_commitment_prevents_a_second_key():
    """The second slot has the salt, tag and ciphertext of the first, but the commitment binds one secret."""
    first = slot(HEADER, 1, 1, RECOVERY_KEY)
    second = frame(1, 2, 120) + first[8:]
    whole = sealed([first, second], HEADER)
    assert envelope.open_(HEADER, None, whole, key=RECOVERY_KEY).slot == 1
    assert error_of(sealed([second], HEADER)) == "wrong_secret"


@pytest.mark.parametrize("revisions, authoritative, copies", [
    ((1, 1), 1, "intact"), ((1, 2), 2, "differ"), ((2, 1), 2, "differ")])
def test_selects_the_authoritative_copy(revisions, authoritative, copies):
    first, second = (sealed(DEFAULT, HEADER, revision=revision) for revision in revisions)
    unlocked = envelope.open_(HEADER, None, first, second, key=RECOVERY_KEY)
    assert (unlocked.revision, unlocked.copies) == (authoritative, copies)


def test_ignores_the_other_copy():
    newer = sealed(DEFAULT[:1], HEADER, revision=2)
    assert error_of(sealed(DEFAULT, HEADER), newer, passphrase=PHRASE) == "no_such_slot"
    torn = newer[:100] + bytes(100) + newer[200:]
    assert envelope.open_(HEADER, None, sealed(DEFAULT, HEADER), torn, passphrase=PHRASE).copies == "second_damaged"


def test_command(tmp_path: Path):
    whole = container()
    copy = sealed(DEFAULT, HEADER)
    whole = whole[:128] + copy + whole[128 + LEN:-128 - LEN] + copy + whole[-128:]
    (tmp_path / "key").write_text(RECOVERY_KEY.hex(" ", 2) + "\n")
    (tmp_path / "phrase").write_text(PHRASE + "\n")
    (tmp_path / "wrong").write_text(PHRASE.upper() + "\n")

    def run(*arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, envelope.__file__, "open", *arguments]
        return subprocess.run(command, input=whole, capture_output=True)

    assert run("--key", str(tmp_path / "key")).stdout == PLAINTEXT
    assert run("--passphrase-file", str(tmp_path / "phrase")).stdout == PLAINTEXT
    refused = run("--passphrase-file", str(tmp_path / "wrong"))
    assert refused.returncode != 0 and refused.stdout == b""
