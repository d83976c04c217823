"""Checks every envelope vector in a directory.

usage: check_envelope_vectors.py DIRECTORY
"""
import json
import sys
from pathlib import Path

from check_vectors import unhex
from envelope import EnvelopeError, open_

MINIMUM = 60


def outcome(vector: dict) -> dict:
    """Opens a vector and returns the outcome in the schema of the vector files."""
    header, context, first, second = (unhex(vector[name]) for name in ("header", "context", "first", "second"))
    secret = vector["secret"]
    try:
        unlocked = open_(header, context, first, second, key=unhex(secret.get("recovery_key")),
                         passphrase=secret.get("passphrase"))
    except EnvelopeError as error:
        return {"error": error.name}
    return {"ok": {name: value.hex() if isinstance(value, bytes) else value
                   for name, value in unlocked._asdict().items()}}


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit("usage: check_envelope_vectors.py DIRECTORY")
    passed = failed = 0
    for path in sorted(Path(sys.argv[1]).glob("*.json")):
        for vector in json.loads(path.read_text(encoding="utf-8"))["vectors"]:
            try:
                got = outcome(vector)
            except Exception as error:  # an unreadable vector fails as well
                got = f"{type(error).__name__}: {error}"
            same = got == vector["outcome"]
            passed, failed = passed + same, failed + (not same)
            if not same:
                print(f"{path.name}: {vector.get('name')} ({vector.get('clause')}): "
                      f"expected {vector['outcome']}, got {got}")
    if passed + failed < MINIMUM:
        print(f"found {passed + failed} vectors, expected at least {MINIMUM}")
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0 or passed < MINIMUM)


if __name__ == "__main__":
    sys.exit(main())
