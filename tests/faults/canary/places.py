# SPDX-License-Identifier: Apache-2.0
"""Where secrets could come to rest: files of the services, of the worker, and its memory."""
import base64
import hashlib
import pathlib
import re
import subprocess

from harness import services


def scratch():
    """The folder of scripts/services: broker, database and their logs are below it."""
    folder = services.Services().values.get("ENROLLD_SCRATCH")
    if not folder or not (pathlib.Path(folder) / "kafka").is_dir():
        raise services.Missing("ENROLLD_SCRATCH does not name the folder of scripts/services; raw files of broker and database are looked at here")
    return pathlib.Path(folder)


def changed_since(folder, moment):
    """Files below a folder that were written after a moment."""
    found = []
    for path in folder.rglob("*"):
        try:
            if path.is_file() and path.stat().st_mtime >= moment:
                found.append(path)
        except FileNotFoundError:
            pass  # others clean up
    return found


def segments(kafka, topics):
    """Files of the partitions of topics; a topic that is being deleted has a longer name."""
    name = re.compile("(" + "|".join(re.escape(topic) for topic in topics) + r")(-\d+$|\.[0-9a-f]{32}-)")
    return [path for folder in kafka.iterdir() if folder.is_dir() and name.match(folder.name) for path in folder.iterdir() if path.is_file()]


def stretches(path, page=4096):
    """(offset, bytes) of what is in a file besides pages of zeros, of which cores are full."""
    zeros = bytes(page)
    try:
        file = open(path, "rb")  # pylint: disable=consider-using-with
    except FileNotFoundError:
        return  # others clean up: a segment of the WAL, an index of a topic that was deleted
    with file:
        start, parts, at = 0, [], 0
        while True:
            data = file.read(page)
            if data and data != zeros[:len(data)]:
                start = start if parts else at
                parts.append(data)
            elif parts:
                yield start, b"".join(parts)
                parts = []
            if not data:
                return
            at += len(data)


def core(process, folder):
    """A core file of the running process, as an administrator would force one."""
    done = subprocess.run(["gcore", "-o", str(folder / "core"), str(process.pid)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    path = folder / f"core.{process.pid}"
    if done.returncode != 0 or not path.exists():
        raise RuntimeError(f"gcore: {done.stdout}{done.stderr}")
    return path


def left_out(process, path):
    """Writes the memory that cores leave out (locked slabs of secrets and keys) to a file."""
    wanted, span = [], None
    for line in pathlib.Path(f"/proc/{process.pid}/smaps").read_text(encoding="ascii", errors="replace").splitlines():
        found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (r?)", line)
        if found and found[3] and not line.endswith(("[vvar]", "[vvar_vclock]", "[vsyscall]")):  # the kernel's
            span = int(found[1], 16), int(found[2], 16)
        elif found:
            span = None
        elif span and line.startswith("VmFlags:") and " dd" in line:
            wanted.append(span)
    with open(f"/proc/{process.pid}/mem", "rb", buffering=0) as memory, open(path, "wb") as file:
        for start, end in wanted:
            memory.seek(start)
            while start < end:
                data = memory.read(min(end - start, 1 << 20))
                file.write(data)
                start += len(data)
    return path


def keys(path):
    """{name: bytes} of all that a key file stands for: its text, master keys, and the keys derived from them."""
    found = {}
    for line in pathlib.Path(path).read_text(encoding="ascii").splitlines():
        for word in re.findall(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])", line):
            master = base64.urlsafe_b64decode(word + "=")
            name = f"key {len(found)}"
            found[f"{name} as in its file"] = word.encode()
            found[name] = master
            for purpose in range(1, 6):  # libsodium's crypto_kdf: BLAKE2b keyed by the master, salt the number, person the context
                found[f"{name}, purpose {purpose}"] = hashlib.blake2b(key=master, digest_size=32, salt=purpose.to_bytes(8, "little"),
                                                                      person=b"enrolld_").digest()
    if not found:
        raise RuntimeError(f"{path}: no key is recognised in it")
    return found
