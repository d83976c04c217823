#!/usr/bin/env python3
"""Simulates a power loss after every call that changes the disk, using a model of the disk.

usage: tests/scripts/power_loss.py path/to/bulla [COMMAND...]

Requires strace. Each command runs once, and every prefix of its calls is replayed. After a power loss, the disk may be in one of
several states. Of the writes since a file's last sync, the disk may contain all, none, a prefix, any single one, or only the new
length. File names may be the current ones or those at the last sync of their directory. In each state, the name of an output must
refer to the whole old file, to the whole new file, or, if there was no old file, to nothing. After the command succeeds, it must
refer to the new file.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CALLS = (
    "openat,openat2,creat,write,pwrite64,writev,pwritev,ftruncate,fallocate,fsync,fdatasync,syncfs,rename,renameat,renameat2,link,linkat,"
    "unlink,unlinkat,mkdir,mkdirat,symlink,symlinkat,close,fcntl,dup,dup2,dup3,lseek,copy_file_range,sendfile,splice,mmap,msync"
)
PHOTO = bytes(range(256)) * 700  # more than two chunks


class Lost(Exception):
    """A power loss that leaves neither the old file nor the new one."""


class File:
    """A file, with its synced content and the changes since the last sync."""

    def __init__(self, content=b""):
        self.durable = bytes(content)
        self.pending = []

    def sync(self, upto=None):
        self.durable = self.content(range(len(self.pending) if upto is None else upto))
        del self.pending[:upto]

    def content(self, arrived, length=None):
        """Returns the content with some of the pending changes applied."""
        content = bytearray(self.durable)
        for which in arrived:
            self.pending[which](content)
        if length is not None:
            content = content[:length] + bytes(length - len(content))
        return bytes(content)

    def states(self):
        """Yields every content that a power loss may leave."""
        everything = self.content(range(len(self.pending)))
        yield everything
        yield self.durable
        if self.pending:
            yield self.content((), len(everything))
            yield from (self.content([which], len(everything)) for which in range(len(self.pending)))
            yield from (self.content(range(which)) for which in range(1, len(self.pending)))


def write(offset, data):
    def change(content):
        if len(content) < offset:
            content.extend(bytes(offset - len(content)))
        content[offset : offset + len(data)] = data

    return change


def truncate(length):
    def change(content):
        content[length:] = bytes(max(0, length - len(content)))

    return change


def text(quoted):
    return bytes.fromhex(quoted.replace("\\x", ""))


class Disk:
    """A model of the directory in which the command runs. The command's calls change it."""

    def __init__(self, root):
        self.root = str(root)
        self.now = {str(path): File(path.read_bytes()) for path in root.rglob("*") if path.is_file()}
        self.durable = dict(self.now)
        self.open = {}

    def path(self, directory, name):
        name = text(name).decode("utf-8", "surrogateescape")
        parts = []
        for part in (name if name.startswith("/") else f"{directory}/{name}").split("/"):
            if part == "..":
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return "/" + "/".join(parts)

    def contains(self, path):
        return path.startswith(self.root + "/")

    def sync_names(self, directory):
        """Syncs the entries of a directory, or of the whole file system if `directory` is None."""
        inside = (lambda path: True) if directory is None else (lambda path: path.rpartition("/")[0] == directory)
        kept = {path: file for path, file in self.durable.items() if not inside(path)}
        self.durable = kept | {path: file for path, file in self.now.items() if inside(path)}

    def apply(self, call, arguments, result, started):
        """Applies a call. Returns whether it changed the possible states after a power loss."""
        fd = re.match(r"(\d+)<([^>]*)>", arguments)
        number, opened = (int(fd[1]), self.open.get(int(fd[1]))) if fd else (None, None)
        strings = re.findall(r'"((?:\\x[0-9a-f]{2})*)"', arguments)
        directories = [text(found).decode() for found in re.findall(r"(?:AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})*)>", arguments)]
        if call in ("openat", "openat2", "creat"):
            return self.opening(call, directories, strings, arguments, result)
        if call == "close":
            self.open.pop(number, None)
        elif call in ("fcntl", "dup", "dup2", "dup3"):
            if opened and ("F_DUPFD" in arguments or call != "fcntl"):
                self.open[result] = opened
        elif call == "lseek":
            if opened:
                opened["at"] = result
        elif call in ("write", "writev", "pwrite64", "pwritev") and opened:
            return self.writing(call, opened, strings, arguments, result)
        elif call == "ftruncate" and opened:
            opened["file"].pending.append(truncate(int(arguments.rsplit(",", 1)[1])))
            return True
        elif call == "fallocate" and opened:
            assert "KEEP_SIZE" in arguments, arguments
        elif call in ("fsync", "fdatasync"):
            if opened:
                opened["file"].sync(started.get(id(opened["file"])))
            elif fd and call == "fsync":
                self.sync_names(text(fd[2]).decode())
            return True
        elif call == "syncfs":
            for file in {id(file): file for file in self.now.values()}.values():
                file.sync()
            self.sync_names(None)
            return True
        elif call.startswith(("rename", "link", "unlink")):
            return self.naming(call, directories, strings)
        elif call in ("copy_file_range", "sendfile", "splice", "msync") or (call == "mmap" and opened and "SHARED" in arguments):
            raise AssertionError(f"the model does not support {call}")
        return False

    def opening(self, call, directories, strings, arguments, result):
        directory = self.root if call == "creat" else directories[0]
        path = self.path(directory, strings[0])
        if not self.contains(path) or "O_DIRECTORY" in arguments or Path(path).is_dir() and path not in self.now:
            return False
        assert "O_TMPFILE" not in arguments and "O_APPEND" not in arguments, arguments
        created = path not in self.now
        if created:
            self.now[path] = File()
        self.open[result] = {"file": self.now[path], "at": 0}
        if "O_TRUNC" in arguments:
            self.now[path].pending.append(truncate(0))
        return created or "O_TRUNC" in arguments

    def writing(self, call, opened, strings, arguments, result):
        data = b"".join(map(text, strings))[:result]
        assert len(data) == result, f"strace truncated a write of {result} bytes"
        if call.startswith("p"):
            offset = int(re.search(r", (\d+) *$", arguments)[1])  # strace adds a space after an interrupted call
        else:
            offset, opened["at"] = opened["at"], opened["at"] + result
        opened["file"].pending.append(write(offset, data))
        return True

    def naming(self, call, directories, strings):
        at = call.endswith(("at", "at2"))
        paths = [self.path(directories[which] if at else self.root, name) for which, name in enumerate(strings)]
        if not self.contains(paths[0]):
            return False
        if call.startswith("rename"):
            self.now[paths[1]] = self.now.pop(paths[0])
        elif call.startswith("link"):
            self.now[paths[1]] = self.now[paths[0]]
        elif call.startswith("unlink"):
            self.now.pop(paths[0], None)
        return True


def traced(command, directory, log):
    """Returns the successful calls in order of completion.

    Each has a name, arguments, a result, and the number of calls that had completed before it started.
    """
    prefix = ["strace", "-f", "-y", "-xx", "-s", "100000000", "-o", str(log), "-e", f"trace={CALLS}"]
    done = subprocess.run([*prefix, *command], cwd=directory, stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"power_loss: {command}: {done.stderr.decode()}")
    begun, calls = {}, []
    for line in log.read_text().splitlines():
        thread, line = line.split(None, 1)
        unfinished = line.endswith("<unfinished ...>")
        if unfinished:
            begun[thread] = (line.removesuffix("<unfinished ...>"), len(calls))
            continue
        before = len(calls)
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", line)
        if resumed:
            head, before = begun.pop(thread)
            line = head + resumed[1]
        call = re.match(r"(\w+)\((.*)\) += (-?\d+)", line)
        if call and int(call[3]) >= 0:
            calls.append((call[1], call[2], int(call[3]), before))
    return calls


def replay(directory, calls):
    """Yields the disk after each call that changed it."""
    disk = Disk(directory)
    lens = []
    yield disk
    for call, arguments, result, before in calls:
        # A sync covers the writes that preceded its start. Writes that were synced in the meantime are no longer pending.
        lens.append({id(file): len(file.pending) for file in disk.now.values()})
        started = {}
        if call in ("fsync", "fdatasync") and before < len(lens) - 1:
            later = lens[before]
            started = {key: min(count, lens[-1].get(key, 0)) for key, count in later.items()}
        if disk.apply(call, arguments, result, started):
            yield disk


class Command:
    """A command, the files that it creates, and the old content of those that already exist."""

    def __init__(self, name, arguments, finals, old=None):
        self.name, self.arguments, self.finals, self.old = name, arguments, finals, old or {}


def commands():
    threads = ["--threads", "1"]
    old = {"out": b"old content"}
    photos = ["out/photos/one.jpg", "out/photos/two.jpg"]
    return [
        Command("keygen", ["keygen", "-o", "out"], ["out"]),
        Command("seal", ["seal", *threads, "-k", "key", "photo", "-o", "out"], ["out"]),
        Command("seal --force", ["seal", *threads, "--force", "-k", "key", "photo", "-o", "out"], ["out"], old),
        Command("seal --new-key", ["seal", *threads, "--new-key", "new", "photo", "-o", "out"], ["new", "out"]),
        Command("open", ["open", *threads, "-k", "key", "photo.bulla", "-o", "out"], ["out"]),
        Command("open --force", ["open", *threads, "--force", "-k", "key", "photo.bulla", "-o", "out"], ["out"], old),
        Command("backup", ["backup", *threads, "-k", "key", "out", "photos"], ["out"]),
        Command("backup --force", ["backup", *threads, "--force", "-k", "key", "out", "photos"], ["out"], old),
        Command("restore", ["restore", *threads, "-k", "key", "photos.bulla", "-C", "out"], photos),
        Command("salvage", ["salvage", *threads, "-k", "key", "photos.bulla", "-C", "out"], photos),
    ]


def make_inputs(bulla, directory):
    (directory / "photos").mkdir(parents=True)
    (directory / "photo").write_bytes(PHOTO)
    (directory / "photos" / "one.jpg").write_bytes(PHOTO)
    (directory / "photos" / "two.jpg").write_bytes(b"two" * 1000)
    for arguments in (
        ["keygen", "-q", "-o", "key"],
        ["seal", "-q", "-k", "key", "photo"],
        ["backup", "-q", "-k", "key", "photos.bulla", "photos"],
    ):
        subprocess.run([bulla, *arguments], cwd=directory, check=True)


def sweep(bulla, command, work):
    """Simulates a power loss after every call of a command. Returns the number of states checked."""
    directory = work / "run"
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(work / "inputs", directory)
    for name, content in command.old.items():
        (directory / name).write_bytes(content)
    before = work / "before"
    shutil.rmtree(before, ignore_errors=True)
    directory.rename(before)
    shutil.copytree(before, directory)
    calls = traced([bulla, *command.arguments], directory, work / "log")
    finals = {str(directory / name): (directory / name).read_bytes() for name in command.finals}
    # The model starts from the same state and path as the command.
    ran = work / "ran"
    shutil.rmtree(ran, ignore_errors=True)
    directory.rename(ran)
    before.rename(directory)

    checked = 0
    disk = None
    for step, disk in enumerate(replay(directory, calls)):
        for names, which in ((disk.now, "as they are now"), (disk.durable, "as of the last sync of their directory")):
            for path, new in finals.items():
                old = command.old.get(Path(path).relative_to(directory).as_posix())
                file = names.get(path)
                states = [None] if file is None else file.states()
                for state in states:
                    checked += 1
                    if state != new and state != old:
                        problem = "is missing" if state is None else f"has {len(state)} bytes that are neither old nor new"
                        raise Lost(f"{command.name}: after {step} changes, with names {which}: {path} {problem}")
    for path, new in finals.items():
        file = disk.durable.get(path)
        if file is None or file.durable != new:
            raise Lost(f"{command.name}: succeeded, but {path} is not on the disk")
        if disk.now[path].content(range(len(disk.now[path].pending))) != new:
            raise AssertionError(f"{command.name}: the model's {path} differs from the actual file")
    return checked


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if shutil.which("strace") is None:
        sys.exit("power_loss: strace is missing; a skipped check must not count as passed")
    bulla = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        make_inputs(bulla, work / "inputs")
        total = 0
        for command in commands():
            if sys.argv[2:] and command.name not in sys.argv[2:]:
                continue
            try:
                checked = sweep(bulla, command, work)
            except Lost as lost:
                sys.exit(f"power_loss: {lost}")
            print(f"ok: {command.name}: {checked} states after a power loss", flush=True)
            total += checked
        try:
            unsynced = ["seal", "--threads", "1", "--no-sync", "-k", "key", "photo", "-o", "out"]
            sweep(bulla, Command("seal --no-sync", unsynced, ["out"]), work)
            sys.exit("power_loss: an unsynced file survived every power loss, so the model is wrong")
        except Lost as lost:
            print(f"ok: detected the loss of an unsynced file: {lost}")
    print(f"power_loss: {total} states passed")


if __name__ == "__main__":
    main()
