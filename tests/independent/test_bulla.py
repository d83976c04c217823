"""Tests the independent implementation on its own; check_vectors.py compares it with the vectors."""
import subprocess
import sys
from pathlib import Path

import bulla
import pytest
from bulla import BullaError
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

KEY = bytes(range(32))
C = 4096
TWO_CHUNKS = bytes(index % 251 for index in range(C + 100))
OPENERS = pytest.mark.parametrize("open_", [bulla.open_stream, bulla.open_positional])


def seal(plaintext: bytes, **options) -> bytes:
    return bulla.seal(KEY, plaintext, chunk_log2=12, **options)


def error_of(open_, container: bytes, key: bytes = KEY, context: bytes | None = None) -> BullaError:
    with pytest.raises(BullaError) as caught:
        open_(container, key, context)
    return caught.value


def flip(container: bytes, offset: int, mask: int = 1) -> bytes:
    changed = bytearray(container)
    changed[offset] ^= mask
    return bytes(changed)


@OPENERS
@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 3 * C + 5])
@pytest.mark.parametrize("context", [None, b"", b"context"])
@pytest.mark.parametrize("envelope", [b"", b"wrapped keys"])
def test_round_trip(open_, size, context, envelope):
    plaintext = bytes(index % 256 for index in range(size))
    container = seal(plaintext, context=context, envelope=envelope, content=1)
    opened = open_(container, KEY, context)
    assert (opened.plaintext, opened.header_state, opened.content) == (plaintext, "intact", 1)
    assert opened.envelopes == (envelope, envelope)


@pytest.mark.parametrize("size, length", [(0, 272), (1, 273), (4095, 4367), (4096, 4384), (4097, 4385)])
def test_lengths_of_f_5_1(size, length):
    container = seal(bytes(size))
    assert len(container) == length
    assert int.from_bytes(container[-32:-24], "big") == length


def test_key_schedule_is_hkdf_expand():
    header_bytes = seal(b"")[8:64]
    keys = bulla.schedule(KEY, header_bytes, b"context")
    okm = HKDFExpand(SHA512(), 108, b"bulla v1 container\0" + header_bytes + b"context").derive(KEY)
    assert keys.chunk_key + keys.base_nonce + keys.commitment + keys.exporter == okm


@OPENERS
@pytest.mark.parametrize("envelope", [b"", b"wrapped keys"])
def test_rejects_every_truncation(open_, envelope):
    container = seal(TWO_CHUNKS, envelope=envelope)
    for length in range(len(container)):
        error = error_of(open_, container[:length])
        assert error.name == ("not_a_container" if length < 8 else "truncated")
        assert TWO_CHUNKS.startswith(error.released)


@OPENERS
def test_every_flip_is_harmless_or_rejected(open_):
    container = seal(TWO_CHUNKS, envelope=b"wrapped keys")
    for offset in range(len(container)):
        try:
            assert open_(flip(container, offset), KEY).plaintext == TWO_CHUNKS
        except BullaError as error:
            assert TWO_CHUNKS.startswith(error.released)


def test_reports_one_damaged_copy():
    container = seal(TWO_CHUNKS)
    for offset in range(128):
        assert bulla.open_positional(flip(container, offset), KEY).header_state == "header_damaged"
        footer_damaged = flip(container, len(container) - 128 + offset)
        for open_ in (bulla.open_stream, bulla.open_positional):
            assert open_(footer_damaged, KEY).header_state == "footer_damaged"


def test_reports_copies_that_differ():
    container, other = seal(TWO_CHUNKS), seal(TWO_CHUNKS)
    mixed = container[:-128] + other[-128:]
    for open_ in (bulla.open_stream, bulla.open_positional):
        assert open_(mixed, KEY).header_state == "differ"


@pytest.mark.parametrize("byte", [b"\x00", b"\xa5"])
def test_counts_trailing_data(byte):
    container = seal(TWO_CHUNKS)
    for extra in range(1, 301):
        error = error_of(bulla.open_positional, container + byte * extra)
        assert (error.name, error.detail) == ("trailing_data", {"extra": extra})
        assert error_of(bulla.open_stream, container + byte * extra).name == "truncated"


def test_searches_65536_bytes_for_trailing_data():
    container = seal(TWO_CHUNKS)
    assert error_of(bulla.open_positional, container + bytes(65536)).detail == {"extra": 65536}
    assert error_of(bulla.open_positional, container + bytes(65537)).name == "truncated"


def test_footer_in_envelope_is_not_trailing_data():
    options = {"salt": bytes(32), "envelope": bytes(200)}
    footer = seal(TWO_CHUNKS, **options)[-128:]
    container = seal(TWO_CHUNKS, **options | {"envelope": footer + bytes(72)})
    for length in range(328, len(container) - 328):
        assert error_of(bulla.open_positional, container[:length]).name == "truncated"


@pytest.mark.parametrize("envelope", [b"", bytes(64)])
def test_search_ends_at_the_smallest_container(envelope):
    container = seal(b"", envelope=envelope)
    start = 128 + len(envelope)
    for chunk, name in [(bytes(16), "trailing_data"), (bytes(15), "truncated")]:
        planted = container[:start] + chunk + container[start + 16:] + bytes(5)
        assert error_of(bulla.open_positional, planted).name == name


def test_reports_the_lowest_rejected_chunk():
    full = C + 16
    container = seal(bytes(3 * C + 5))
    for rejected in ([0], [1], [3], [1, 2], [0, 3], [2, 3]):
        changed = container
        for index in rejected:
            changed = flip(changed, 128 + index * full)
        for open_ in (bulla.open_stream, bulla.open_positional):
            error = error_of(open_, changed)
            assert (error.name, error.detail) == ("chunk_rejected", {"index": rejected[0]})
        assert len(error_of(bulla.open_stream, changed).released) == rejected[0] * C


def test_rejects_swapped_chunks():
    full = C + 16
    container = seal(bytes(2 * C))
    swapped = (container[:128] + container[128 + full:128 + 2 * full] + container[128:128 + full]
               + container[128 + 2 * full:])
    assert error_of(bulla.open_positional, swapped).detail == {"index": 0}


@OPENERS
def test_rejects_wrong_key_and_context(open_):
    plain, bound = seal(b"x"), seal(b"x", context=b"context")
    assert error_of(open_, plain, bytes(32)).name == "wrong_key"
    assert error_of(open_, bound, KEY, b"other").name == "wrong_key"
    assert error_of(open_, bound, KEY, None).name == "context_required"
    assert error_of(open_, plain, KEY, b"").name == "context_unexpected"


def test_ranges():
    plaintext = bytes(index % 251 for index in range(3 * C + 5))
    container = seal(plaintext)
    edges = [0, 1, C - 1, C, C + 1, 3 * C, 3 * C + 5, 3 * C + 6, 9 * C]
    for start in edges:
        for stop in (edge for edge in edges if edge >= start):
            assert bulla.read_range(container, KEY, start, stop) == plaintext[start:stop]
    damaged = flip(container, 128 + 2 * (C + 16))
    assert bulla.read_range(damaged, KEY, 0, 2 * C) == plaintext[:2 * C]
    with pytest.raises(BullaError, match="chunk_rejected"):
        bulla.read_range(damaged, KEY, 0, 2 * C + 1)
    with pytest.raises(BullaError, match="truncated"):  # the last chunk is always read (F-7.6)
        bulla.read_range(container[:-300], KEY, 0, 1)


def test_command(tmp_path: Path):
    def run(data: bytes, *arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, bulla.__file__, *arguments, "--context", "c0ffee"]
        return subprocess.run(command, input=data, capture_output=True)

    keyfile = tmp_path / "key"
    keyfile.write_text(KEY.hex("\n", 3) + "\n")
    sealed = run(TWO_CHUNKS, "seal", str(keyfile), "--chunk-log2", "12", "--envelope", "ab")
    assert run(sealed.stdout, "open", str(keyfile)).stdout == TWO_CHUNKS
    refused = run(sealed.stdout + b"!", "open", str(keyfile))
    assert refused.returncode == 1 and refused.stdout == b""
    assert refused.stderr.startswith(b"trailing_data")
