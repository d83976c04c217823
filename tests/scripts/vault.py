#!/usr/bin/env python3
"""What a newcomer does with a vault, by the commands themselves; and what then lies in the vault's memory, files and log.

    tests/scripts/vault.py path/to/bulla path/to/bulla-vaultd

Linux. It reads the server's memory, so it runs as root, or as who may trace the server.
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
    """`bulla-vaultd dev`, and the log of what it says."""

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
        """All memory that the process can write."""
        with open(f"/proc/{self.process.pid}/maps") as maps, open(f"/proc/{self.process.pid}/mem", "rb", 0) as memory:
            for line in maps:
                addresses, rights = line.split()[:2]
                if rights.startswith("rw"):
                    first, last = (int(address, 16) for address in addresses.split("-"))
                    memory.seek(first)
                    try:
                        yield memory.read(last - first)
                    except OSError:  # what the kernel keeps for itself
                        continue


class Machine:
    """A person's machine: a home with the vault's address and public key, and the commands there."""

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
    """A key behind a password; the machine is lost, and the locator's file left."""
    here = Machine(bulla, directory / "here", vault, "alice")
    here.run("vault status", says="no key stored")
    here.run("keygen -o my.key")
    here.run("vault register -k my.key --vault-password-file password", says="stored in the vault")
    vault.kill()
    vault.start()
    there = Machine(bulla, directory / "there", vault, "alice")
    there.run("vault recover -o my.key --vault-password-file password", 2, "no locator")
    shutil.copy(here.locator, there.locator)
    there.run("vault recover -o my.key --vault-password-file wrong", 3, "9 guesses are left")
    assert not (there.home / "my.key").exists()
    there.run("vault recover -o my.key --vault-password-file password", says="1 failed attempt")
    assert (there.home / "my.key").read_text() == (here.home / "my.key").read_text()
    return here


def backup_and_restore(bulla, directory, vault):
    """A backup whose key lies in the vault only; the machine is lost, and the backup left."""
    here = Machine(bulla, directory / "bob", vault, "bob")
    (here.home / "photos").mkdir()
    for number in range(3):
        (here.home / "photos" / f"{number}.jpg").write_bytes(os.urandom(100_000))
    here.run(f"backup --vault http://{vault.listen} --vault-password-file password photos.bulla photos", says="the key is stored in the vault")
    there = Machine(bulla, directory / "bob's other", vault, "bob")
    shutil.copy(here.home / "photos.bulla", there.home)
    there.run("restore --vault-password-file wrong photos.bulla -C back", 3, "the password is wrong")
    there.run("restore --vault-password-file password photos.bulla -C back")
    for photo in (here.home / "photos").iterdir():
        assert photo.read_bytes() == (there.home / "back" / "photos" / photo.name).read_bytes(), photo
    # Registered anew, the key is the same: the backup still opens, here by the new locator and the new password.
    there.run("vault recover photos.bulla -o my.key --vault-password-file password")
    there.run("vault register -k my.key --vault-password-file password --new-password-file new")
    there.run("restore --vault-password-file password photos.bulla -C no", 3)
    there.run("restore --vault-password-file new photos.bulla -C again")
    there.run("restore -k my.key photos.bulla -C by-the-key")
    there.run("vault delete --vault-password-file new", says="deleted the key")
    there.run("vault status", says="no key stored")
    return there


def nothing_is_left_behind(vault, secrets):
    """In the memory of the server, in its files and its log there is no secret, in any usual form."""
    shapes = {}
    for name, secret in secrets.items():
        for shape in secret, secret.hex().encode(), base64.b64encode(secret)[:-4], base64.urlsafe_b64encode(secret)[:-4]:
            shapes[shape] = name
    read, controls = 0, 0
    control = vault.listen.encode()
    for part in vault.memory():
        read += len(part)
        controls += part.count(control)
        for shape, name in shapes.items():
            assert shape not in part, f"{name} is in the server's memory"
    assert controls, "the search finds what must be there"
    for file in [vault.log, *vault.data.iterdir()]:
        content = file.read_bytes()
        for shape, name in shapes.items():
            assert shape not in content, f"{name} is in {file.name}"
    print(f"ok: {len(secrets)} secrets, none in {read >> 20} MiB of the server's memory, its files and its log")


def guesses_run_out(here):
    """Ten wrong passwords, then the right one: gone."""
    for left in reversed(range(10)):
        says = f"{left} guess" if left else ""
        here.run("vault recover -o back --vault-password-file wrong", 3, says)
    here.run("vault recover -o back --vault-password-file password", 3, "from the vault for good")
    here.run("vault status", says="no guesses left")
    assert not (here.home / "back").exists()


def main():
    bulla, vaultd = (Path(program).resolve() for program in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        vault = Vault(vaultd, directory)
        try:
            alice = register_and_recover(bulla, directory, vault)
            print("ok: registered, recovered on another machine")
            locator = alice.locator.read_bytes()[LOCATOR_HEAD:]
            key = bytes.fromhex("".join((alice.home / "my.key").read_text().split()))
            bob = backup_and_restore(bulla, directory, vault)
            print("ok: backed up, restored on another machine, registered anew, deleted")
            bobs = bytes.fromhex("".join((bob.home / "my.key").read_text().split()))
            nothing_is_left_behind(
                vault,
                {"the password": PASSWORD.encode(), "the key": key, "the pepper": locator[32:64], "a deleted key": bobs},
            )
            guesses_run_out(alice)
            print("ok: the guesses ran out")
        finally:
            vault.kill()


if len(sys.argv) != 3:
    sys.exit(__doc__)
main()
print("vault: all as it should be")
