#!/usr/bin/env python3
"""Injects a fault into each system call that `bulla` makes, one per run.

usage: tests/scripts/faults.py path/to/bulla [CASE...]

Requires strace and cc. A run without faults first counts the calls of each kind. Each of these calls then fails in a separate
run:

- a kill (SIGKILL) at every call that changes the disk,
- EIO, ENOSPC and EINTR from every call that reads, writes or queries,
- short reads and short writes, caused by a shim that is loaded before the C library.

At least nine out of ten faults of each kind have to be observed, so that no sweep passes because nothing was injected.

A run without faults also checks the order of calls. Every file must be synced after its last write and before it is renamed, and
its directory must be synced afterwards, so that a power loss leaves no file name without its content.

After each run, the output must be the whole old file or the whole new one. A command that succeeds must have written its output.
A command that fails must report the reason and leave no other files behind. Nothing may panic, and the inputs must be unchanged.

A command that changes slots in place must leave either the old or the new slots, and the data unchanged. It must sync each write
before the next one. The case "repeated kills" kills such commands ROUNDS times (default: 400) on the same container and shortens
some of their writes, so that commands also start from the states that earlier kills left.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

CHANGES = (
    "openat open creat write pwrite64 writev ftruncate fallocate fsync fdatasync syncfs rename renameat renameat2 link linkat "
    "unlink unlinkat mkdir mkdirat symlink symlinkat fchmod fchmodat chmod utimensat futimesat fchown rmdir"
).split()
# getrandom is not included, because hash maps in the standard library panic if it fails, before any file is written.
QUERIES = "read pread64 readv preadv statx fstat newfstatat stat lstat lseek getdents64 readlink readlinkat fcntl flock".split()
ERRORS = ("EIO", "ENOSPC", "EINTR")
# --seccomp-bpf would be faster but loses injected signals.
STRACE = ("strace", "-f")
SHIM = Path(__file__).with_name("short.c")
PHOTO = bytes(range(256)) * 700  # more than two chunks
HEADER_LEN, ENVELOPE_LEN = 128, 16 << 10
ENVELOPE_END = HEADER_LEN + ENVELOPE_LEN
REPEATED_KILLS = "repeated kills"
ROUNDS = int(os.environ.get("ROUNDS", "400"))


class Violation(Exception):
    """A guarantee was violated."""


class Case:
    """A command with its initial state, and the checks that follow however it ends."""

    def __init__(self, bulla, name, arguments, output, old=None):
        self.bulla, self.name, self.arguments = bulla, name, arguments
        self.output, self.old = output, old

    def prepare(self, directory):
        """Creates the directory that the command runs in."""
        shutil.copytree(self.inputs, directory, symlinks=True)
        if self.old is not None:
            (directory / self.output).write_bytes(self.old)

    def check(self, directory, done, clean):
        """Checks the directory after a run. `clean` is false if the command was killed."""
        for path in self.inputs.rglob("*"):
            mine = directory / path.relative_to(self.inputs)
            if path.is_file() and mine.read_bytes() != path.read_bytes():
                raise Violation(f"the input {path.name} was changed")
        found = directory / self.output
        complete = False
        if found.exists() or found.is_symlink():
            if self.old is None or found.read_bytes() != self.old:
                self.check_complete(directory, found)
                complete = True
        elif self.old is not None:
            raise Violation("the old file is gone")
        if done and not complete:
            raise Violation("the command succeeded without writing its output")
        known = {path.relative_to(self.inputs) for path in self.inputs.rglob("*")} | {Path(self.output)}
        known |= {Path(extra) for extra in self.extras}
        left = [
            path.relative_to(directory)
            for path in directory.rglob("*")
            if path.relative_to(directory) not in known and Path(self.output) not in path.relative_to(directory).parents
        ]
        if clean and left:
            raise Violation(f"left behind: {', '.join(map(str, left))}")

    extras = ()

    def check_complete(self, directory, found):
        """Checks that the output is complete."""
        raise NotImplementedError

    def opens(self, directory, key, container, plaintext):
        run = subprocess.run(
            [self.bulla, "open", "-q", "-k", key, container, "-o", "-"], cwd=directory, capture_output=True
        )
        if run.returncode != 0 or run.stdout != plaintext:
            raise Violation(f"{container.name} is not complete: {run.stderr.decode()}")


class Seal(Case):
    def check_complete(self, directory, found):
        self.opens(directory, directory / "key", found, PHOTO)


class SealWithNewKey(Case):
    extras = ("new.key",)

    def check_complete(self, directory, found):
        if not (directory / "new.key").exists():
            raise Violation("the container exists without its key")
        self.opens(directory, directory / "new.key", found, PHOTO)

    def check(self, directory, done, clean):
        super().check(directory, done, clean)
        if clean and not done and (directory / "new.key").exists() and not (directory / self.output).exists():
            raise Violation("the key was left behind without its container")


class Open(Case):
    def check_complete(self, directory, found):
        if found.read_bytes() != PHOTO:
            raise Violation("the plaintext is not complete")


class Keygen(Case):
    def check_complete(self, directory, found):
        if not re.fullmatch(r"([0-9a-f]{4} ?\n?){16}", found.read_text().lower()):
            raise Violation("the key is not complete")


class Backup(Case):
    def check_complete(self, directory, found):
        run = subprocess.run(
            [self.bulla, "verify", "-q", "-k", "key", found], cwd=directory, capture_output=True
        )
        if run.returncode != 0:
            raise Violation(f"the archive is not complete: {run.stderr.decode()}")


class Restore(Case):
    def check_complete(self, directory, found):
        # Files are restored one by one. A file that has its final name must be complete.
        for path in found.rglob("*"):
            source = directory / "photos" / path.relative_to(found / "photos") if path != found / "photos" else None
            # Salvage marks partly recovered files in their names.
            if path.is_file() and not path.is_symlink() and path.suffix not in (".tmp", ".damaged"):
                if path.read_bytes() != source.read_bytes():
                    raise Violation(f"{path.name} is not complete")

    def check(self, directory, done, clean):
        super().check(directory, done, clean)
        restored = directory / self.output
        if done:
            missing = [
                path
                for path in (directory / "photos").rglob("*")
                if not os.path.lexists(restored / "photos" / path.relative_to(directory / "photos"))
            ]
            if missing:
                raise Violation(f"the command succeeded, but {missing[0].name} is missing")
        if clean and restored.exists():
            left = [path for path in restored.rglob("*.tmp")]
            if left:
                raise Violation(f"left behind: {left[0].name}")


class Rotate(Case):
    """Writes a new container with a new key. The old container is an input and must not change."""

    def check_complete(self, directory, found):
        self.opens(directory, directory / "other", found, PHOTO)


class RotateArchive(Case):
    def check_complete(self, directory, found):
        run = subprocess.run(
            [self.bulla, "verify", "-q", "-k", "other", found], cwd=directory, capture_output=True
        )
        if run.returncode != 0:
            raise Violation(f"the archive is not complete: {run.stderr.decode()}")


class InPlace(Case):
    """Changes an envelope's slots in place. At any time, either the old or the new slots open the container."""

    keys = ("key", "other", "third")

    def __init__(self, bulla, name, arguments, start, before, after):
        super().__init__(bulla, name, arguments, "slots.bulla")
        self.start, self.before, self.after = start, before, after

    def prepare(self, directory):
        super().prepare(directory)
        shutil.copy(directory / self.start, directory / self.output)
        self.old = (directory / self.output).read_bytes()

    def check(self, directory, done, clean):
        found = self.check_slots(directory)
        if done and found != self.after:
            raise Violation("the command succeeded without writing the new slots")
        left = {path.relative_to(directory) for path in directory.rglob("*")} - {
            path.relative_to(self.inputs) for path in self.inputs.rglob("*")
        }
        left -= {Path(self.output), *self.extras}
        if clean and left:
            raise Violation(f"left behind: {', '.join(map(str, left))}")

    def check_slots(self, directory):
        """Returns the keys that open the container: the old or the new ones. Only the envelopes may have changed."""
        found = (directory / self.output).read_bytes()
        if len(found) != len(self.old):
            raise Violation("the container's length changed")
        for part in (slice(HEADER_LEN), slice(ENVELOPE_END, -ENVELOPE_END), slice(-HEADER_LEN, None)):
            if found[part] != self.old[part]:
                raise Violation("bytes outside the envelopes changed")
        keys = {key for key in self.keys if (directory / key).exists() and self.matches(directory, key)}
        if keys not in (self.before, self.after):
            raise Violation(f"opened by {sorted(keys)}, which are neither the old keys nor the new ones")
        return keys

    def matches(self, directory, key):
        run = subprocess.run(
            [self.bulla, "open", "-q", "-k", key, self.output, "-o", "-"], cwd=directory, capture_output=True
        )
        # Exit code 6 means that the copies differ or that one is torn, so the other one was used.
        if run.returncode in (0, 6) and run.stdout == PHOTO:
            return True
        if run.returncode != 3:
            raise Violation(f"{key}: exit {run.returncode}: {run.stderr.decode()}")
        return False


class InPlaceWithNewKey(InPlace):
    """Adds a slot for a new key file. A slot must never exist without its key file, but the reverse is harmless."""

    extras = (Path("new.key"),)
    keys = ("key", "new.key")

    def check_slots(self, directory):
        keys = super().check_slots(directory)
        listed = subprocess.run([self.bulla, "key", "list", self.output], cwd=directory, capture_output=True, text=True)
        slots = sum("recovery key" in line for line in listed.stdout.splitlines())
        if slots != len(keys):
            raise Violation(f"{slots} slots exist, but the container is opened by {sorted(keys)}")
        return keys


def cases(bulla, inputs):
    old = b"old content"
    add = ["key", "add", "-k", "key", "--recovery-key", "other", "slots.bulla"]
    remove = ["key", "remove", "-k", "key", "slots.bulla", "2"]
    rotate = ["key", "rotate", "-k", "key", "--recovery-key", "other"]
    common = [
        Seal(bulla, "seal", ["seal", "-k", "key", "photo", "-o", "out"], "out"),
        Seal(bulla, "seal --force", ["seal", "--force", "-k", "key", "photo", "-o", "out"], "out", old),
        SealWithNewKey(bulla, "seal --new-key", ["seal", "--new-key", "new.key", "photo", "-o", "out"], "out"),
        Open(bulla, "open", ["open", "-k", "key", "photo.bulla", "-o", "out"], "out"),
        Open(bulla, "open --force", ["open", "--force", "-k", "key", "photo.bulla", "-o", "out"], "out", old),
        Keygen(bulla, "keygen", ["keygen", "-o", "out"], "out"),
        Backup(bulla, "backup", ["backup", "-k", "key", "out", "photos"], "out"),
        Backup(bulla, "backup --force", ["backup", "--force", "-k", "key", "out", "photos"], "out", old),
        Restore(bulla, "restore", ["restore", "-k", "key", "photos.bulla", "-C", "out"], "out"),
        Restore(bulla, "salvage", ["salvage", "-k", "key", "photos.bulla", "-C", "out"], "out"),
        Rotate(bulla, "key rotate", [*rotate, "one-slot.bulla", "-o", "out"], "out"),
        Rotate(bulla, "key rotate --force", [*rotate, "--force", "one-slot.bulla", "-o", "out"], "out", old),
        RotateArchive(bulla, "key rotate ARCHIVE", [*rotate, "slots-of-photos.bulla", "-o", "out"], "out"),
        SealWithNewKey(
            bulla,
            "key rotate --new-key",
            ["key", "rotate", "-k", "key", "--new-key", "new.key", "one-slot.bulla", "-o", "out"],
            "out",
        ),
        InPlace(bulla, "key add", add, "one-slot.bulla", {"key"}, {"key", "other"}),
        InPlace(bulla, "key remove", remove, "two-slots.bulla", {"key", "other"}, {"key"}),
        InPlaceWithNewKey(
            bulla,
            "key add --new-key",
            ["key", "add", "-k", "key", "--new-key", "new.key", "slots.bulla"],
            "one-slot.bulla",
            {"key"},
            {"key", "new.key"},
        ),
        # In this container, only the second copy is current.
        InPlace(bulla, "key add again", add, "interrupted.bulla", {"key", "third"}, {"key", "third", "other"}),
    ]
    for case in common:
        case.inputs = inputs
        if case.name != "keygen" and not isinstance(case, InPlace):
            case.arguments = [*case.arguments, "--threads", "1"]
    return common


def make_inputs(bulla, directory):
    directory.mkdir()
    (directory / "photo").write_bytes(PHOTO)
    photos = directory / "photos"
    (photos / "empty").mkdir(parents=True)
    (photos / "one.jpg").write_bytes(PHOTO)
    (photos / "two.jpg").write_bytes(b"two" * 1000)
    (photos / "link").symlink_to("one.jpg")
    for arguments in (
        ["keygen", "-q", "-o", "key"],
        ["keygen", "-q", "-o", "other"],
        ["keygen", "-q", "-o", "third"],
        ["seal", "-q", "--recovery-key", "key", "photo", "-o", "one-slot.bulla"],
        ["seal", "-q", "--recovery-key", "key", "--recovery-key", "other", "photo", "-o", "two-slots.bulla"],
        ["backup", "-q", "--recovery-key", "key", "slots-of-photos.bulla", "photos"],
        ["seal", "-q", "-k", "key", "photo"],
        ["backup", "-q", "-k", "key", "photos.bulla", "photos"],
    ):
        subprocess.run([bulla, *arguments], cwd=directory, check=True)
    # Create the state after a kill between the two writes, with the slot added to the second copy but not to the first.
    interrupted = directory / "interrupted.bulla"
    before = (directory / "one-slot.bulla").read_bytes()
    interrupted.write_bytes(before)
    add = ["key", "add", "-q", "-k", "key", "--recovery-key", "third", interrupted]
    subprocess.run([bulla, *add], cwd=directory, check=True)
    after = interrupted.read_bytes()
    interrupted.write_bytes(before[:ENVELOPE_END] + after[ENVELOPE_END:])


def run(case, work, prefix=(), env=None):
    """Runs a case in a new directory. Returns the directory and the finished process."""
    directory = work / "run"
    shutil.rmtree(directory, ignore_errors=True)
    case.prepare(directory)
    environment = {"PATH": os.environ["PATH"], **(env or {})}
    done = subprocess.run(
        [*prefix, case.bulla, *case.arguments],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
    )
    return directory, done


def check_run(case, directory, done, what, killed):
    stderr = done.stderr.decode(errors="replace")
    try:
        if "panicked" in stderr or done.returncode == 101:
            raise Violation("panic")
        if not killed and done.returncode < 0:
            raise Violation(f"terminated by signal {-done.returncode}")
        if not killed and done.returncode not in (0, 6) and not stderr.strip():
            raise Violation("the command failed without an error message")
        # Exit code 6 means that the command has finished, except for what it warned about.
        case.check(directory, done.returncode == 0, not killed)
    except Violation as violation:
        sys.exit(f"faults: {case.name}: {what}: {violation}\nexit {done.returncode}\n{stderr}")


def calls(case, work):
    """Counts the calls in a run without faults. strace counts by thread, so each count is the highest of any thread."""
    log = work / "log"
    names = ",".join(f"?{name}" for name in CHANGES + QUERIES)
    _, done = run(case, work, [*STRACE, "-o", log, "-e", f"trace={names}"])
    if done.returncode != 0:
        sys.exit(f"faults: {case.name}: fails even without a fault: {done.stderr.decode()}")
    found = (re.match(r"(\d+) +(\w+)\(", line) for line in log.read_text(errors="replace").splitlines())
    most = Counter()
    for (_, name), times in Counter(match.groups() for match in found if match).items():
        most[name] = max(most[name], times)
    if isinstance(case, InPlace) and most["pwrite64"] * most["fsync"] == 0:
        sys.exit(f"faults: {case.name}: no writes or syncs found in the trace")
    return most


def check_order(case, work):
    """Checks that files are synced between their last write and their rename, and the directory after the last rename."""
    log = work / "log"
    names = "?pwrite64,?write,?writev,?ftruncate,?fsync,?fdatasync,?syncfs,?rename,?renameat,?renameat2,?link,?linkat"
    run(case, work, [*STRACE, "-y", "-o", log, "-e", f"trace={names}"])
    unsynced, named, directories = set(), 0, 0
    for line in log.read_text(errors="replace").splitlines():
        call = line.split(None, 1)[1]
        opened = re.match(r"(\w+)\(\d+<([^>]*)>", call)
        if opened and opened[1] in ("pwrite64", "write", "writev", "ftruncate") and opened[2].endswith(".tmp"):
            unsynced.add(Path(opened[2]).name)
        elif opened and opened[1] in ("fsync", "fdatasync"):
            unsynced.discard(Path(opened[2]).name)
            directories += not opened[2].endswith(".tmp")
        elif opened and opened[1] == "syncfs":
            unsynced, directories = set(), directories + 1
        elif re.match(r"(rename|link)", call):
            source = Path(re.search(r'"([^"]*\.tmp)"', call)[1]).name
            if source in unsynced:
                sys.exit(f"faults: {case.name}: {source} was renamed before it was synced")
            named, directories = named + 1, 0
    if named == 0 or directories == 0:
        sys.exit(f"faults: {case.name}: {named} files renamed, {directories} directories synced afterwards")


def check_order_in_place(case, work):
    """Checks that the second copy is written before the first, and that each write is synced before the next one."""
    log = work / "log"
    directory, _ = run(case, work, [*STRACE, "-y", "-o", log, "-e", "trace=?pwrite64,?fsync,?fdatasync"])
    second = len(case.old) - ENVELOPE_END
    order = []
    for line in log.read_text(errors="replace").splitlines():
        call = re.match(r"\d+ +(\w+)\(\d+<([^>]*)>", line)
        if call is None or Path(call[2]).name != case.output:
            continue
        offset = re.search(r", (\d+)(?:\) +=| <unfinished)", line)
        order.append({HEADER_LEN: "first", second: "second"}[int(offset[1])] if call[1] == "pwrite64" else "sync")
    expected = ["second", "sync", "first", "sync"]
    if case.start == "interrupted.bulla":
        expected = ["first", "sync", *expected]
    if order != expected:
        sys.exit(f"faults: {case.name}: writes and syncs are {order}, expected {expected}")


def kill_repeatedly(add, remove, work, shim):
    """Adds and removes a slot in one container. Each run is killed at a random write or sync, and some writes are short."""
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    directory = work / "run"
    shutil.rmtree(directory, ignore_errors=True)
    add.prepare(directory)
    has_other, killed, changed, torn = False, 0, 0, 0
    for number in range(ROUNDS):
        case = InPlace(add.bulla, REPEATED_KILLS, None, None, {"key"}, {"key", "other"})
        case.old = add.old
        arguments = add.arguments
        if has_other:
            list_ = subprocess.run([add.bulla, "key", "list", add.output], cwd=directory, capture_output=True, text=True)
            # The last slot is the one for the other key.
            arguments = [*remove.arguments[:-1], list_.stdout.splitlines()[-1].split()[0]]
        name, most, short = dice.choice((("fsync", 3, False), ("pwrite64", 3, False), ("pwrite64", 34, True)))
        inject = f"inject={name}:signal=KILL:when={dice.randint(1, most)}"
        prefix = [*STRACE, "-o", "/dev/null", "-e", f"trace={name}", "-e", inject]
        if short:
            # Each write transfers only half of the remaining bytes, so a kill between two writes leaves a torn copy.
            prefix += ["-E", f"LD_PRELOAD={shim}", "-E", "SHORT_KIND=write", "-E", "SHORT_AT=0"]
        done = subprocess.run(
            [*prefix, add.bulla, *arguments], cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, timeout=120
        )
        try:
            if done.returncode > 0 and done.returncode != 6:
                raise Violation("the command failed without being killed")
            has_other_now = "other" in case.check_slots(directory)
            if done.returncode >= 0 and has_other_now == has_other:
                raise Violation("the command succeeded without changing the slots")
        except Violation as violation:
            where = f"round {number} of seed {seed}"
            stderr = done.stderr.decode(errors="replace")
            sys.exit(f"faults: {REPEATED_KILLS}: {where}: {violation}\nexit {done.returncode}\n{stderr}")
        copies = (directory / add.output).read_bytes()
        killed += done.returncode < 0
        changed += has_other_now != has_other
        torn += copies[HEADER_LEN:ENVELOPE_END] != copies[-ENVELOPE_END:-HEADER_LEN]
        has_other = has_other_now
    summary = f"{ROUNDS} rounds, {killed} killed, {changed} changed slots, {torn} left copies that differ"
    if ROUNDS >= 100 and not (killed > ROUNDS // 4 and changed > ROUNDS // 8 and torn > ROUNDS // 8):
        sys.exit(f"faults: {REPEATED_KILLS}: {summary}: too few to be significant")
    print(f"ok: {REPEATED_KILLS}: {summary}", flush=True)
    return ROUNDS


def sweep_traced(case, work):
    injected, observed = Counter(), Counter()
    log = work / "log"
    for name, times in sorted(calls(case, work).items()):
        faults = [f"error={error}" for error in ERRORS]
        if name in CHANGES:
            faults.append("signal=KILL")
        for fault in faults:
            for k in range(1, times + 1):
                inject = f"inject={name}:{fault}:when={k}"
                directory, done = run(case, work, [*STRACE, "-o", log, "-e", f"trace={name}", "-e", inject])
                check_run(case, directory, done, f"{name} {k} of {times}, {fault}", fault == "signal=KILL")
                injected[fault] += 1
                observed[fault] += done.returncode == -signal.SIGKILL or "(INJECTED)" in log.read_text(errors="replace")
    for fault in injected:
        # Some injections have no effect, because the thread that makes the k-th call can differ between runs.
        if observed[fault] < injected[fault] * 9 // 10:
            counts = f"observed {observed[fault]} of {injected[fault]}"
            sys.exit(f"faults: {case.name}: {fault}: {counts}: too few to be significant")
    return injected.total()


def sweep_short(case, work, shim):
    """Shortens each of the first 40 reads and writes to a single byte, and then halves all reads and writes."""
    count = 0
    for kind in ("read", "write"):
        for k in [*range(1, 41), 0]:
            env = {"LD_PRELOAD": str(shim), "SHORT_KIND": kind, "SHORT_AT": str(k)}
            directory, done = run(case, work, env=env)
            check_run(case, directory, done, f"short {kind} {k or 'always'}", False)
            if done.returncode != 0:
                sys.exit(f"faults: {case.name}: short {kind} {k}: {done.stderr.decode()}")
            count += 1
    return count


def sweep_case(case, work, shim):
    (check_order_in_place if isinstance(case, InPlace) else check_order)(case, work)
    traced, short = sweep_traced(case, work), sweep_short(case, work, shim)
    print(f"ok: {case.name}: {traced} failed or killed calls, {short} shortened calls", flush=True)
    return traced + short


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    bulla = str(Path(sys.argv[1]).resolve())
    for tool in ("strace", "cc"):
        if shutil.which(tool) is None:
            sys.exit(f"faults: {tool} is missing; a skipped check must not count as passed")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        shim = work / "short.so"
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", shim, SHIM, "-ldl"], check=True)
        make_inputs(bulla, work / "inputs")
        all_cases = {case.name: case for case in cases(bulla, work / "inputs")}
        known = [*all_cases, REPEATED_KILLS]
        chosen = sys.argv[2:] or known
        if unknown := set(chosen) - set(known):
            sys.exit(f"faults: {', '.join(unknown)}: no such case; available: {', '.join(known)}")

        def sweep(number, name):
            own = work / str(number)
            own.mkdir()
            if name == REPEATED_KILLS:
                return kill_repeatedly(all_cases["key add"], all_cases["key remove"], own, shim)
            return sweep_case(all_cases[name], own, shim)

        # Cases run in parallel in separate directories. The runs within a case are sequential.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            sweeps = [pool.submit(sweep, number, name) for number, name in enumerate(chosen)]
            try:
                total = sum(each.result() for each in as_completed(sweeps))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    print(f"faults: {total} runs passed")


if __name__ == "__main__":
    main()
