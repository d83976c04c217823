"""Checks every vault vector in a directory: decodes the bodies and computes the derivations (spec/VAULT.md).

usage: check_vault_vectors.py DIRECTORY
"""
import base64
import hashlib
import hmac
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from envelope import opaque_string

MINIMUM = 100
MAX_BODY = 4096  # V-2.2


class BadField(Exception):
    """The body is JSON, but not a valid message."""


def b64(least: int, most: int | None = None):  # V-2.3
    def check(value):
        if not isinstance(value, str):
            raise BadField
        try:
            decoded = base64.b64decode(value + "=" * (-len(value) % 4), altchars="-_", validate=True)
        except ValueError as error:
            raise BadField from error
        if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != value:
            raise BadField
        if not least <= len(decoded) <= (most or least):
            raise BadField
    return check


def number(least: int, most: int):
    def check(value):
        if type(value) is not int or not least <= value <= most:
            raise BadField
    return check


def one_of(*values):
    def check(value):
        if type(value) is bool or value not in values:
            raise BadField
    return check


def fields(required: dict, optional: dict | None = None, strict: bool = False):
    def check(value):
        if not isinstance(value, dict) or not required.keys() <= value.keys():
            raise BadField
        known = required | (optional or {})
        for name, member in value.items():
            if name not in known:
                if strict:
                    raise BadField
            elif not (member is None and name not in required):
                known[name](member)
    return check


def stretching(value):  # V-3.3, E-3.3
    at_most = 2**32 - 1
    fields({name: number(0, at_most) for name in ("passes", "memory_kib", "lanes")}, strict=True)(value)
    passes, memory, lanes = value["passes"], value["memory_kib"], value["lanes"]
    if not (passes >= 1 and 1 <= lanes <= 16 and 8 * lanes <= memory <= 2**18 and passes * memory <= 2**20):
        raise BadField


TIME = number(0, 2**64 - 1)
STATE = one_of("pending", "active", "locked")
RECORD = fields({"name": b64(32), "state": STATE, "left": number(0, 100), "max": number(1, 100)}, {"not_before": TIME})
REG, ATTEMPT = {"reg_id": b64(32)}, {"attempt_id": b64(16)}
GRANT, TOKEN = {"grant": b64(64)}, {"login_token": b64(1, 512)}
MESSAGES = {  # V-2.1
    "register_start": fields(REG | {"request": b64(32)}, strict=True),
    "register_started": fields({"response": b64(64)}),
    "register_finish": fields(REG | {"upload": b64(192), "wrapped_key": b64(48), "max": number(1, 100),
                                     "stretching": stretching}, GRANT, strict=True),
    "register_finished": fields({"state": STATE}, {"not_before": TIME}),
    "login_start": fields(REG | ATTEMPT | {"ke1": b64(96)}, strict=True),
    "login_started": fields(TOKEN | {"ke2": b64(320), "left": number(0, 100), "stretching": stretching}),
    "login_finish": fields(REG | ATTEMPT | TOKEN | {"ke3": b64(64)}, strict=True),
    "login_finished": fields({"sealed": b64(148)}),
    "delete": fields(REG, GRANT, strict=True),
    "delete_announced": fields({"not_before": TIME}),
    "status": fields({}, {"current": RECORD, "pending": RECORD}),
    "info": fields({"version": number(0, 2**32 - 1), "public_key": b64(32)}),
    "failure": fields({"code": one_of(400, 401, 403, 404, 409, 410, 429, 503)},  # V-2.6
                      {"retry_after": number(0, 2**32 - 1), "left": number(0, 100)}),
}


def once(pairs: list) -> dict:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadField
    return members


def read(message: str, body: str) -> str:
    if len(body.encode()) > MAX_BODY:
        return "too_long"
    try:
        MESSAGES[message](json.loads(body, object_pairs_hook=once))
    except json.JSONDecodeError:
        return "not_json"
    except BadField:
        return "bad_field"
    return "ok"


def expand(prk: bytes, info: bytes, length: int) -> bytes:
    return hmac.digest(prk, info + b"\x01", "sha512")[:length]


def derive(vector: dict) -> dict:
    """Computes every derived value from the inputs of a vector."""
    sha256 = lambda data: hashlib.sha256(data).digest()
    given = {name: bytes.fromhex(value) for name, value in vector.items()
             if name not in ("name", "comment", "iss", "sub", "password", "address") and isinstance(value, str)}
    iss, sub = vector["iss"].encode(), vector["sub"].encode()
    account = sha256(b"bulla v1 vault account\0" + len(iss).to_bytes(8, "big") + iss + sub)
    identity = account + given["registration"]
    wrapping_key = expand(given["export_key"], b"bulla v1 vault wrap" + given["registration"], 32)
    wrapped = AESGCM(wrapping_key).encrypt(bytes(12), given["key"], identity + b"\x01")
    reply_key = expand(given["session_key"], b"bulla v1 vault reply", 32)
    content = (wrapped + vector["failures"].to_bytes(4, "big") + vector["lifetime_failures"].to_bytes(4, "big")
               + given["grant"])
    hint = lambda tag, value: tag.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value
    locator = (given["registration"] + given["pepper"] + hint(1, vector["address"].encode())
               + hint(2, given["public_key"]))
    file = b"\x96BULLA\r\n\x01\0\0\0" + len(locator).to_bytes(4, "big") + locator
    return {
        "account": account,
        "record_name": sha256(b"bulla v1 vault record name\0" + given["registration"]),
        "client_identity": identity,
        "context": b"bulla v1 vault" + given["attempt"],
        "input": expand(hmac.digest(given["pepper"], opaque_string(vector["password"]), "sha512"),
                        b"bulla v1 vault password", 64),
        "stretched": Argon2id(salt=bytes(16), length=64, iterations=vector["passes"], lanes=vector["lanes"],
                              memory_cost=vector["memory_kib"]).derive(given["oprf_output"]),
        "wrapping_key": wrapping_key,
        "wrapped_key": wrapped,
        "reply_key": reply_key,
        "sealed": given["nonce"] + AESGCM(reply_key).encrypt(given["nonce"], content, identity + given["attempt"]),
        "locator_file": file + sha256(file)[:8],
    }


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit("usage: check_vault_vectors.py DIRECTORY")
    passed = failed = 0
    load = lambda name: json.loads((Path(sys.argv[1]) / name).read_text(encoding="utf-8"))["vectors"]
    for vector in load("messages.json"):
        got = read(vector["message"], vector["body"])
        same = got == vector["outcome"]
        passed, failed = passed + same, failed + (not same)
        if not same:
            print(f"{vector['name']} ({vector['clause']}): expected {vector['outcome']}, got {got}")
    for vector in load("derivations.json"):
        for name, value in derive(vector).items():
            same = value.hex() == vector[name]
            passed, failed = passed + same, failed + (not same)
            if not same:
                print(f"{vector['name']}: {name} is {value.hex()}, expected {vector[name]}")
    if passed + failed < MINIMUM:
        print(f"found {passed + failed} vectors, expected at least {MINIMUM}")
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0 or passed < MINIMUM)


if __name__ == "__main__":
    sys.exit(main())
