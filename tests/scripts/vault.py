#!/usr/bin/env python3
"""Uses a vault with the `bulla` command, as a new user would, and then searches the server's memory, files and log for secrets.

usage: tests/scripts/vault.py path/to/bulla path/to/bulla-vaultd

Runs only on Linux. Reading the server's memory requires root or the permission to trace the server.
"""

import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

PASSWORD = "correct horse battery staple"
LOCATOR_HEAD = 16  # spec/VAULT.md, V-6.1


class Vault:
    """A `bulla-vaultd dev` server with its log."""

    def __init__(self, program, directory):
        self.program, self.data, self.log = program, directory / "vault", directory / "vault.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.listen = "127.0.0.1:%d" % free.getsockname()[1]
        self.start()

    def start(self):
        command = [self.program, "dev", "--data", self.data, "--listen", self.listen, "--delays", "0", "--grace", "0"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        while True:
            assert self.process.poll() is None, self.log.read_text()
            try:
                urllib.request.urlopen(f"http://{self.listen}/healthz").close()
                return
            except OSError:
                time.sleep(0.05)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def token(self, subject):
        key = self.data / "issuer.key"
        command = [self.program, "token", "--key", key, "--issuer", "dev", "--subject", subject]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def memory(self):
        """Yields all writable memory of the process."""
        with open(f"/proc/{self.process.pid}/maps") as maps, open(f"/proc/{self.process.pid}/mem", "rb", 0) as memory:
            for line in maps:
                addresses, rights = line.split()[:2]
                if rights.startswith("rw"):
                    first, last = (int(address, 16) for address in addresses.split("-"))
                    memory.seek(first)
                    try:
                        yield memory.read(last - first)
                    except OSError:  # reserved by the kernel
                        continue


class Machine:
    """A user's machine: a home directory configured with the vault's address and public key."""

    def __init__(self, program, directory, vault, subject):
        self.program, self.home, self.vault, self.subject = program, directory, vault, subject
        configuration = directory / "config" / "bulla"
        configuration.mkdir(parents=True)
        shutil.copy(vault.data / "client.toml", configuration / "vault.toml")
        self.locator = configuration / "vault.locator"
        for name, text in ("password", PASSWORD), ("new", "a new password"), ("wrong", "not the password"):
            (directory / name).touch(0o600)
            (directory / name).write_text(text + "\n")

    def run(self, command, exit_code=0, says=""):
        environment = dict(os.environ, XDG_CONFIG_HOME=self.home / "config", BULLA_VAULT_TOKEN=self.vault.token(self.subject))
        words = [self.program, *command.split()]
        ran = subprocess.run(words, cwd=self.home, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        said = ran.stdout + ran.stderr
        assert (ran.returncode, says in said) == (exit_code, True), f"bulla {command}: exit {ran.returncode}, not {exit_code} with {says!r}:\n{said}"
        return said


def register_and_recover(bulla, directory, vault):
    """Registers a key, then recovers it on another machine from the password and the locator file."""
    here = Machine(bulla, directory / "here", vault, "alice")
    here.run("vault status", says="no key stored")
    here.run("keygen -o my.key")
    here.run("vault register -k my.key --vault-password-file password", says="stored in the vault")
    vault.kill()
    vault.start()
    there = Machine(bulla, directory / "there", vault, "alice")
    there.run("vault recover -o my.key --vault-password-file password", 2, "no locator")
    shutil.copy(here.locator, there.locator)
    there.run("vault recover -o my.key --vault-password-file wrong", 3, "9 guesses left")
    assert not (there.home / "my.key").exists()
    there.run("vault recover -o my.key --vault-password-file password", says="1 failed attempt")
    assert (there.home / "my.key").read_text() == (here.home / "my.key").read_text()
    return here


def backup_and_restore(bulla, directory, vault):
    """Makes a backup whose key is stored only in the vault, then restores it on another machine."""
    here = Machine(bulla, directory / "bob", vault, "bob")
    (here.home / "photos").mkdir()
    for number in range(3):
        (here.home / "photos" / f"{number}.jpg").write_bytes(os.urandom(100_000))
    here.run(f"backup --vault http://{vault.listen} --vault-password-file password photos.bulla photos", says="the key is stored in the vault")
    there = Machine(bulla, directory / "bob's other", vault, "bob")
    shutil.copy(here.home / "photos.bulla", there.home)
    there.run("restore --vault-password-file wrong photos.bulla -C back", 3, "wrong password")
    there.run("restore --vault-password-file password photos.bulla -C back")
    for photo in (here.home / "photos").iterdir():
        assert photo.read_bytes() == (there.home / "back" / "photos" / photo.name).read_bytes(), photo
    # A new registration keeps the key, so the backup still opens with the new locator and the new password.
    there.run("vault recover photos.bulla -o my.key --vault-password-file password")
    there.run("vault register -k my.key --vault-password-file password --new-password-file new")
    there.run("restore --vault-password-file password photos.bulla -C no", 3)
    there.run("restore --vault-password-file new photos.bulla -C again")
    there.run("restore -k my.key photos.bulla -C by-the-key")
    there.run("vault delete --vault-password-file new", says="deleted the key")
    there.run("vault status", says="no key stored")
    return there


def check_no_secrets(vault, secrets):
    """Checks that the server's memory, files and log do not contain any of the secrets in any common encoding."""
    encodings = {}
    for name, secret in secrets.items():
        for encoding in secret, secret.hex().encode(), base64.b64encode(secret)[:-4], base64.urlsafe_b64encode(secret)[:-4]:
            encodings[encoding] = name
    read, controls = 0, 0
    control = vault.listen.encode()
    for part in vault.memory():
        read += len(part)
        controls += part.count(control)
        for encoding, name in encodings.items():
            assert encoding not in part, f"{name} is in the server's memory"
    assert controls, "the search did not find a control string that is present"
    for file in [vault.log, *vault.data.iterdir()]:
        content = file.read_bytes()
        for encoding, name in encodings.items():
            assert encoding not in content, f"{name} is in {file.name}"
    print(f"ok: found none of {len(secrets)} secrets in {read >> 20} MiB of the server's memory, its files and its log")


def exhaust_guesses(here):
    """Makes ten wrong guesses and checks that the key is deleted."""
    for left in reversed(range(10)):
        says = f"{left} guess" if left else ""
        here.run("vault recover -o back --vault-password-file wrong", 3, says)
    here.run("vault recover -o back --vault-password-file password", 3, "permanently deleted")
    here.run("vault status", says="no guesses left")
    assert not (here.home / "back").exists()


def main():
    bulla, vaultd = (Path(program).resolve() for program in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        vault = Vault(vaultd, directory)
        try:
            alice = register_and_recover(bulla, directory, vault)
            print("ok: registered a key and recovered it on another machine")
            locator = alice.locator.read_bytes()[LOCATOR_HEAD:]
            key = bytes.fromhex("".join((alice.home / "my.key").read_text().split()))
            bob = backup_and_restore(bulla, directory, vault)
            print("ok: made a backup, restored it on another machine, registered again, deleted the key")
            bobs = bytes.fromhex("".join((bob.home / "my.key").read_text().split()))
            check_no_secrets(
                vault,
                {"the password": PASSWORD.encode(), "the key": key, "the pepper": locator[32:64], "a deleted key": bobs},
            )
            exhaust_guesses(alice)
            print("ok: the key was deleted after ten wrong guesses")
        finally:
            vault.kill()


if len(sys.argv) != 3:
    sys.exit(__doc__)
main()
print("vault: passed")
