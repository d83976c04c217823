#!/usr/bin/env python3
"""Kills and starves the command at every call that it makes to the system, one run for each.

    tests/scripts/faults.py path/to/bulla [COMMAND...]

Needs strace and cc. A run is told to fail at the k-th call of one kind, for every kind and every k of a run without faults:

- killed (SIGKILL) at every call that changes the disk,
- EIO, ENOSPC and EINTR from every call that reads, writes, or looks,
- short reads and short writes, by a shim in front of the C library.

Of each kind of fault nine in ten must have come, so that no sweep passes because nothing was injected.

And in a run without faults, every file is synced after its last write and before it gets its name, and its directory after that: so
that a power cut leaves no name without its content.

After each, what stands under a final name is the whole old file or the whole new one; a command that says it is done has done it;
one that fails says why, and leaves nothing else behind; nothing panics; and the inputs are as they were.

What changes slots in place leaves the old ones or the new ones, and the data as it was. Its writes are synced one by one; and it is
killed ROUNDS times (400) over and over on one container, with writes that are cut short before, so that it also begins
from what a kill has left.
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
# Not getrandom: the standard library's hash maps panic without random numbers, before there is anything to lose.
LOOKS = "read pread64 readv preadv statx fstat newfstatat stat lstat lseek getdents64 readlink readlinkat fcntl flock".split()
ERRORS = ("EIO", "ENOSPC", "EINTR")
# Without --seccomp-bpf, which would be faster: it loses the signals that are to be injected.
STRACE = ("strace", "-f")
SHIM = Path(__file__).with_name("short.c")
PHOTO = bytes(range(256)) * 700  # more than two chunks
HEADER_LEN, ENVELOPE_LEN = 128, 16 << 10
ENVELOPE_END = HEADER_LEN + ENVELOPE_LEN
OVER_AND_OVER = "killed over and over"
ROUNDS = int(os.environ.get("ROUNDS", "400"))


class Broken(Exception):
    """A promise was broken."""


class Case:
    """A command, what it starts from, and what must hold after it, however it ended."""

    def __init__(self, bulla, name, arguments, output, old=None):
        self.bulla, self.name, self.arguments = bulla, name, arguments
        self.output, self.old = output, old

    def prepare(self, directory):
        """The directory that the command runs in, as the command finds it."""
        shutil.copytree(self.inputs, directory, symlinks=True)
        if self.old is not None:
            (directory / self.output).write_bytes(self.old)

    def check(self, directory, done, clean):
        """Holds after every run; `clean` unless the command was killed."""
        for path in self.inputs.rglob("*"):
            mine = directory / path.relative_to(self.inputs)
            if path.is_file() and mine.read_bytes() != path.read_bytes():
                raise Broken(f"the input {path.name} was changed")
        found = directory / self.output
        whole = False
        if found.exists() or found.is_symlink():
            if self.old is None or found.read_bytes() != self.old:
                self.whole(directory, found)
                whole = True
        elif self.old is not None:
            raise Broken("the old file is gone")
        if done and not whole:
            raise Broken("it says that it is done, and the output is not there")
        known = {path.relative_to(self.inputs) for path in self.inputs.rglob("*")} | {Path(self.output)}
        known |= {Path(extra) for extra in self.extras}
        left = [
            path.relative_to(directory)
            for path in directory.rglob("*")
            if path.relative_to(directory) not in known and Path(self.output) not in path.relative_to(directory).parents
        ]
        if clean and left:
            raise Broken(f"left behind: {', '.join(map(str, left))}")

    extras = ()

    def whole(self, directory, found):
        """The output is what it should be."""
        raise NotImplementedError

    def opens(self, directory, key, container, plaintext):
        run = subprocess.run(
            [self.bulla, "open", "-q", "-k", key, container, "-o", "-"], cwd=directory, capture_output=True
        )
        if run.returncode != 0 or run.stdout != plaintext:
            raise Broken(f"{container.name} is not whole: {run.stderr.decode()}")


class Seal(Case):
    def whole(self, directory, found):
        self.opens(directory, directory / "key", found, PHOTO)


class SealWithNewKey(Case):
    extras = ("new.key",)

    def whole(self, directory, found):
        if not (directory / "new.key").exists():
            raise Broken("a container without its key")
        self.opens(directory, directory / "new.key", found, PHOTO)

    def check(self, directory, done, clean):
        super().check(directory, done, clean)
        if clean and not done and (directory / "new.key").exists() and not (directory / self.output).exists():
            raise Broken("a key was left for a container that is not there")


class Open(Case):
    def whole(self, directory, found):
        if found.read_bytes() != PHOTO:
            raise Broken("the plaintext is not whole")


class Keygen(Case):
    def whole(self, directory, found):
        if not re.fullmatch(r"([0-9a-f]{4} ?\n?){16}", found.read_text().lower()):
            raise Broken("half a key")


class Backup(Case):
    def whole(self, directory, found):
        run = subprocess.run(
            [self.bulla, "verify", "-q", "-k", "key", found], cwd=directory, capture_output=True
        )
        if run.returncode != 0:
            raise Broken(f"the archive is not whole: {run.stderr.decode()}")


class Restore(Case):
    def whole(self, directory, found):
        # Files come one by one; what has its name is whole.
        for path in found.rglob("*"):
            source = directory / "photos" / path.relative_to(found / "photos") if path != found / "photos" else None
            # What salvage could read in part says so by its name.
            if path.is_file() and not path.is_symlink() and path.suffix not in (".tmp", ".damaged"):
                if path.read_bytes() != source.read_bytes():
                    raise Broken(f"{path.name} is not whole")

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
                raise Broken(f"it says that it is done, and {missing[0].name} is not there")
        if clean and restored.exists():
            left = [path for path in restored.rglob("*.tmp")]
            if left:
                raise Broken(f"left behind: {left[0].name}")


class Rotate(Case):
    """A new container under a new key; the old one is an input, and stays as it is."""

    def whole(self, directory, found):
        self.opens(directory, directory / "other", found, PHOTO)


class RotateArchive(Case):
    def whole(self, directory, found):
        run = subprocess.run(
            [self.bulla, "verify", "-q", "-k", "other", found], cwd=directory, capture_output=True
        )
        if run.returncode != 0:
            raise Broken(f"the archive is not whole: {run.stderr.decode()}")


class InPlace(Case):
    """A command that changes the slots of an envelope in the container itself: old or new ones, at every moment."""

    keys = ("key", "other", "third")

    def __init__(self, bulla, name, arguments, start, before, after):
        super().__init__(bulla, name, arguments, "slots.bulla")
        self.start, self.before, self.after = start, before, after

    def prepare(self, directory):
        super().prepare(directory)
        shutil.copy(directory / self.start, directory / self.output)
        self.old = (directory / self.output).read_bytes()

    def check(self, directory, done, clean):
        found = self.judge_slots(directory)
        if done and found != self.after:
            raise Broken("it says that it is done, and the slots are not the new ones")
        left = {path.relative_to(directory) for path in directory.rglob("*")} - {
            path.relative_to(self.inputs) for path in self.inputs.rglob("*")
        }
        left -= {Path(self.output), *self.extras}
        if clean and left:
            raise Broken(f"left behind: {', '.join(map(str, left))}")

    def judge_slots(self, directory):
        """The keys that open it: those of before or those of after. And nothing but the envelopes was changed."""
        found = (directory / self.output).read_bytes()
        if len(found) != len(self.old):
            raise Broken("its length has changed")
        for part in (slice(HEADER_LEN), slice(ENVELOPE_END, -ENVELOPE_END), slice(-HEADER_LEN, None)):
            if found[part] != self.old[part]:
                raise Broken("more than the envelopes was touched")
        fits = {key for key in self.keys if (directory / key).exists() and self.fits(directory, key)}
        if fits not in (self.before, self.after):
            raise Broken(f"{sorted(fits)} open it, and neither the old slots nor the new ones do that")
        return fits

    def fits(self, directory, key):
        run = subprocess.run(
            [self.bulla, "open", "-q", "-k", key, self.output, "-o", "-"], cwd=directory, capture_output=True
        )
        # With 6 the copies differ, or one is torn: the other one counts.
        if run.returncode in (0, 6) and run.stdout == PHOTO:
            return True
        if run.returncode != 3:
            raise Broken(f"{key} ends with {run.returncode}: {run.stderr.decode()}")
        return False


class InPlaceWithNewKey(InPlace):
    """There is no slot without the key that opens it, at no moment; a key without its slot is a file too many."""

    extras = (Path("new.key"),)
    keys = ("key", "new.key")

    def judge_slots(self, directory):
        fits = super().judge_slots(directory)
        listed = subprocess.run([self.bulla, "key", "list", self.output], cwd=directory, capture_output=True, text=True)
        slots = sum("recovery key" in line for line in listed.stdout.splitlines())
        if slots != len(fits):
            raise Broken(f"there are {slots} slots, and {sorted(fits)} open it")
        return fits


def cases(bulla, inputs):
    old = b"what was there before"
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
        # The second copy alone is current.
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
    # As a kill leaves it between the two writes: a slot was added in the second copy, and not yet in the first.
    interrupted = directory / "interrupted.bulla"
    before = (directory / "one-slot.bulla").read_bytes()
    interrupted.write_bytes(before)
    add = ["key", "add", "-q", "-k", "key", "--recovery-key", "third", interrupted]
    subprocess.run([bulla, *add], cwd=directory, check=True)
    after = interrupted.read_bytes()
    interrupted.write_bytes(before[:ENVELOPE_END] + after[ENVELOPE_END:])


def run(case, work, prefix=(), env=None):
    """One run in a fresh directory, which is given back."""
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


def judge(case, directory, done, what, killed):
    stderr = done.stderr.decode(errors="replace")
    try:
        if "panicked" in stderr or done.returncode == 101:
            raise Broken("it panicked")
        if not killed and done.returncode < 0:
            raise Broken(f"it ended by signal {-done.returncode}")
        if not killed and done.returncode not in (0, 6) and not stderr.strip():
            raise Broken("it failed and did not say why")
        # With 6 the command is done but for what it warned of: a file that could not be read.
        case.check(directory, done.returncode == 0, not killed)
    except Broken as broken:
        sys.exit(f"faults: {case.name}: {what}: {broken}\nexit {done.returncode}\n{stderr}")


def calls(case, work):
    """How often a run without faults makes each call, on the thread that makes it most often: strace counts by thread."""
    log = work / "log"
    names = ",".join(f"?{name}" for name in CHANGES + LOOKS)
    _, done = run(case, work, [*STRACE, "-o", log, "-e", f"trace={names}"])
    if done.returncode != 0:
        sys.exit(f"faults: {case.name} fails without a fault: {done.stderr.decode()}")
    found = (re.match(r"(\d+) +(\w+)\(", line) for line in log.read_text(errors="replace").splitlines())
    most = Counter()
    for (_, name), times in Counter(match.groups() for match in found if match).items():
        most[name] = max(most[name], times)
    if isinstance(case, InPlace) and most["pwrite64"] * most["fsync"] == 0:
        sys.exit(f"faults: {case.name}: its writes are not found")
    return most


def check_order(case, work):
    """What is renamed from a temporary name was synced after its last write; and a directory is synced after the last rename."""
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
                sys.exit(f"faults: {case.name}: {source} gets its name before it was synced")
            named, directories = named + 1, 0
    if named == 0 or directories == 0:
        sys.exit(f"faults: {case.name}: {named} files named, and {directories} directories synced after that")


def check_order_in_place(case, work):
    """Each copy is synced before the next one is written, and the last; the second copy comes before the first."""
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
        sys.exit(f"faults: {case.name}: writes and syncs are {order}, not {expected}")


def kill_over_and_over(add, remove, work, shim):
    """One container whose slots come and go, killed at any write or sync of it, each write perhaps in part before."""
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    directory = work / "run"
    shutil.rmtree(directory, ignore_errors=True)
    add.prepare(directory)
    has_other, killed, changed, torn = False, 0, 0, 0
    for number in range(ROUNDS):
        case = InPlace(add.bulla, OVER_AND_OVER, None, None, {"key"}, {"key", "other"})
        case.old = add.old
        arguments = add.arguments
        if has_other:
            list_ = subprocess.run([add.bulla, "key", "list", add.output], cwd=directory, capture_output=True, text=True)
            # The number of the last slot, which is the other key's.
            arguments = [*remove.arguments[:-1], list_.stdout.splitlines()[-1].split()[0]]
        name, most, short = dice.choice((("fsync", 3, False), ("pwrite64", 3, False), ("pwrite64", 34, True)))
        inject = f"inject={name}:signal=KILL:when={dice.randint(1, most)}"
        prefix = [*STRACE, "-o", "/dev/null", "-e", f"trace={name}", "-e", inject]
        if short:
            # Half of what is left, and half of that, and so on: a kill among these leaves a copy torn.
            prefix += ["-E", f"LD_PRELOAD={shim}", "-E", "SHORT_KIND=write", "-E", "SHORT_AT=0"]
        done = subprocess.run(
            [*prefix, add.bulla, *arguments], cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, timeout=120
        )
        try:
            if done.returncode > 0 and done.returncode != 6:
                raise Broken("it failed, and was not killed")
            has_it = "other" in case.judge_slots(directory)
            if done.returncode >= 0 and has_it == has_other:
                raise Broken("it says that it is done, and the slots are as they were")
        except Broken as broken:
            where = f"round {number} of seed {seed}"
            stderr = done.stderr.decode(errors="replace")
            sys.exit(f"faults: killed over and over: {where}: {broken}\nexit {done.returncode}\n{stderr}")
        copies = (directory / add.output).read_bytes()
        killed += done.returncode < 0
        changed += has_it != has_other
        torn += copies[HEADER_LEN:ENVELOPE_END] != copies[-ENVELOPE_END:-HEADER_LEN]
        has_other = has_it
    came = f"{ROUNDS} rounds, {killed} killed, {changed} changed slots, {torn} left copies that differ"
    if ROUNDS >= 100 and not (killed > ROUNDS // 4 and changed > ROUNDS // 8 and torn > ROUNDS // 8):
        sys.exit(f"faults: killed over and over: {came}: too few to show anything")
    print(f"ok: killed over and over: {came}", flush=True)
    return ROUNDS


def sweep_traced(case, work):
    told, came = Counter(), Counter()
    log = work / "log"
    for name, times in sorted(calls(case, work).items()):
        faults = [f"error={error}" for error in ERRORS]
        if name in CHANGES:
            faults.append("signal=KILL")
        for fault in faults:
            for k in range(1, times + 1):
                inject = f"inject={name}:{fault}:when={k}"
                directory, done = run(case, work, [*STRACE, "-o", log, "-e", f"trace={name}", "-e", inject])
                judge(case, directory, done, f"{name} {k} of {times}, {fault}", fault == "signal=KILL")
                told[fault] += 1
                came[fault] += done.returncode == -signal.SIGKILL or "(INJECTED)" in log.read_text(errors="replace")
    for fault in told:
        # Some may miss: which thread makes the k-th call can differ between two runs.
        if came[fault] < told[fault] * 9 // 10:
            sys.exit(f"faults: {case.name}: {fault} came {came[fault]} times of {told[fault]}: too few to show anything")
    return told.total()


def sweep_short(case, work, shim):
    """Each read and each write in its turn moves a single byte, and then all of them."""
    count = 0
    for kind in ("read", "write"):
        for k in [*range(1, 41), 0]:
            env = {"LD_PRELOAD": str(shim), "SHORT_KIND": kind, "SHORT_AT": str(k)}
            directory, done = run(case, work, env=env)
            judge(case, directory, done, f"short {kind} {k or 'always'}", False)
            if done.returncode != 0:
                sys.exit(f"faults: {case.name}: short {kind} {k}: {done.stderr.decode()}")
            count += 1
    return count


def sweep_case(case, work, shim):
    (check_order_in_place if isinstance(case, InPlace) else check_order)(case, work)
    traced, short = sweep_traced(case, work), sweep_short(case, work, shim)
    print(f"ok: {case.name}: {traced} calls failed or killed, {short} cut short", flush=True)
    return traced + short


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    bulla = str(Path(sys.argv[1]).resolve())
    for tool in ("strace", "cc"):
        if shutil.which(tool) is None:
            sys.exit(f"faults: {tool} is missing; a check that was skipped is no check that passed")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        shim = work / "short.so"
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", shim, SHIM, "-ldl"], check=True)
        make_inputs(bulla, work / "inputs")
        all_cases = {case.name: case for case in cases(bulla, work / "inputs")}
        known = [*all_cases, OVER_AND_OVER]
        chosen = sys.argv[2:] or known
        if unknown := set(chosen) - set(known):
            sys.exit(f"faults: {', '.join(unknown)}: no such case; there are {', '.join(known)}")

        def sweep(number, name):
            own = work / str(number)
            own.mkdir()
            if name == OVER_AND_OVER:
                return kill_over_and_over(all_cases["key add"], all_cases["key remove"], own, shim)
            return sweep_case(all_cases[name], own, shim)

        # Each case in a directory of its own; a case's runs one after another.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            sweeps = [pool.submit(sweep, number, name) for number, name in enumerate(chosen)]
            try:
                total = sum(each.result() for each in as_completed(sweeps))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    print(f"faults: {total} runs, all as they should be")


if __name__ == "__main__":
    main()
