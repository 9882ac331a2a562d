# SPDX-License-Identifier: Apache-2.0
"""Looks for secrets in files: all forms of all of them in one pass."""
import collections
import pathlib
import struct
import subprocess

from .forms import forms, pieces

SOURCE = pathlib.Path(__file__).with_name("scan.c")


class Hit:
    def __init__(self, path, offset, secret, form):
        self.path, self.offset, self.secret, self.form = path, offset, secret, form

    def context(self, around=32):
        with open(self.path, "rb") as file:
            start = max(0, self.offset - around)
            file.seek(start)
            return file.read(self.offset - start + 2 * around)

    def __repr__(self):
        return f"{self.secret} as {self.form} in {self.path} at {self.offset}: {self.context()!r}"


class Scanner:
    """add() secrets, then look() into files as often as wanted."""

    def __init__(self, folder):
        self.program, self.file = folder / "scan", folder / "patterns"
        self.patterns = {}  # bytes: (secret, form)
        self.written = 0
        self.bytes = 0
        subprocess.run(["cc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-o", self.program, SOURCE], stdin=subprocess.DEVNULL, check=True)

    def add(self, name, secret, parts=True):
        """name: shown with a hit. parts: the beginning and end of a long one alone are hits too."""
        for form, pattern in forms(secret).items():
            self.patterns.setdefault(pattern, (name, form))
            if parts:
                for number, piece in enumerate(pieces(pattern), 1):
                    self.patterns.setdefault(piece, (name, f"{form}, part {number}"))

    def look(self, paths):
        """Hits in the files, each once at its place. Folders must have been listed."""
        if self.written != len(self.patterns):
            with open(self.file, "wb") as file:
                for pattern in self.patterns:
                    file.write(struct.pack("<I", len(pattern)) + pattern)
            self.written = len(self.patterns)
        rows = list(self.patterns.values())
        listing = "".join(f"{path}\n" for path in paths)
        done = subprocess.run([self.program, self.file], input=listing.encode("utf-8", "surrogateescape"), capture_output=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode())
        *lines, last = done.stdout.decode("utf-8", "surrogateescape").splitlines()
        self.bytes += int(last.split("\t")[0])
        found = []
        for line in lines:
            offset, number, path = line.split("\t", 2)
            found.append(Hit(path, int(offset), *rows[int(number)]))
        return found


def summary(hits, shown=12):
    """Hits by secret, form and file, and the bytes around some of them."""
    counts = collections.Counter((hit.secret, hit.form, hit.path) for hit in hits)
    lines = [f"{count} x {secret} as {form} in {path}" for (secret, form, path), count in counts.most_common(40)]
    return "\n  ".join([f"{len(hits)} hits", *lines, *(repr(hit) for hit in hits[:shown])])
