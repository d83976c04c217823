"""Checks every container vector in a directory.

usage: check_vectors.py DIRECTORY
"""
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import bulla

MINIMUM = 60


def outcome(open_: Callable, vector: dict, streaming: bool) -> dict:
    """Opens a vector and returns the outcome in the schema of the vector files."""
    container, key, context = (unhex(vector[name]) for name in ("container", "key", "context"))
    try:
        opened = open_(container, key, context)
    except bulla.BullaError as error:
        result = {"name": error.name, **error.detail}
        if streaming:
            result["released_len"] = len(error.released)
            result["released_sha256"] = hashlib.sha256(error.released).hexdigest()
        return {"error": result}
    digest = hashlib.sha256(opened.plaintext).hexdigest()
    return {"ok": {"plaintext_len": len(opened.plaintext), "plaintext_sha256": digest,
                   "header_state": opened.header_state}}


def unhex(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)


def intermediates(vector: dict) -> dict:
    """Derives the intermediates of a vector, for the nonces and the label that it states."""
    header, _ = bulla.authoritative_copy(unhex(vector["container"]), positional=True)
    keys = bulla.schedule(unhex(vector["key"]), header[8:64], unhex(vector["context"]))
    values = {name: value.hex() for name, value in keys._asdict().items()}
    expected = vector["intermediates"]
    values["nonces"] = [{"index": index, "nonce": bulla.nonce(keys.base_nonce, index).hex()}
                        for index in (nonce["index"] for nonce in expected["nonces"])]
    label = expected["export"]["label"]
    secret = bulla.export(keys.exporter, bytes.fromhex(label)).hex()
    values["export"] = {"label": label, "secret": secret}
    return values


def envelopes(vector: dict) -> dict | None:
    """Reads both envelopes without a key (F-8.1)."""
    try:
        head, tail = bulla.Preamble(unhex(vector["container"]), positional=True).envelopes
    except bulla.BullaError:
        return None
    return {"head": head.hex(), "tail": None if tail is None else tail.hex()}


def mismatches(vector: dict) -> list[str]:
    found = []
    openers = {"stream": bulla.open_stream, "positional": bulla.open_positional}
    for name, open_ in openers.items():
        got = outcome(open_, vector, streaming=name == "stream")
        if got != vector[name]:
            found.append(f"{name}: expected {vector[name]}, got {got}")
    if (got := envelopes(vector)) != vector["envelopes"]:
        found.append(f"envelopes: expected {vector['envelopes']}, got {got}")
    if vector["intermediates"] is not None:
        values = intermediates(vector)
        found += [f"{name}: expected {value}, got {values.get(name)}"
                  for name, value in vector["intermediates"].items() if values.get(name) != value]
    if vector["seal"] is not None:
        given = vector["seal"]
        container = bulla.seal(
            unhex(vector["key"]), unhex(given["plaintext"]), salt=unhex(given["salt"]),
            chunk_log2=given["chunk_log2"], content=given["content"],
            context=unhex(vector["context"]), envelope=unhex(given["envelope"]))
        if container.hex() != vector["container"].lower():
            found.append("seal: the container differs")
    return found


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit("usage: check_vectors.py DIRECTORY")
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
