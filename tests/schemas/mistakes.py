#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What 'enrolld dialect check' and 'try' say of dialects with the mistakes that people make, and that files which are spoilt end in words, never in a crash.

usage: mistakes.py PROGRAM FOLDER [--write]

FOLDER has NAME.yaml, a dialect called shop, and NAME.txt, what check says of it. --write writes the .txt files anew; read what changed before you commit it.
"""
import pathlib
import random
import subprocess
import sys
import tempfile

SPOILT = 200  # files, each made of one of the folder's by a few changes
SEED = 20261125
FINE, WRONG = 0, 78


def run(program, *words, stdin=b""):
    return subprocess.run([program, "dialect", *words], input=stdin, capture_output=True, timeout=60)


def check(program, folder, text):
    shop = folder / "shop"
    shop.mkdir(exist_ok=True)
    (shop / "dialect.yaml").write_bytes(text)
    done = run(program, "check", str(shop))
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace").replace(f"{folder}/", "")


def spoil(text, rng):
    for _ in range(rng.choice([1, 1, 2, 5])):
        at, what = rng.randrange(len(text)), rng.random()
        if what < 0.3:
            text = text[:at] + bytes([rng.randrange(256)]) + text[at + 1:]
        elif what < 0.5:
            text = text[:at] + text[at + rng.randrange(1, 40):]
        elif what < 0.7:
            text = text[:at] + rng.choice([b"{", b"}", b"[", b"]", b": ", b"- ", b"\n", b"'", b'"', b"&a ", b"*a ", b"\xff", b"\0", b"{{", b"$each"]) + text[at:]
        elif what < 0.9:
            begin = rng.randrange(len(text))
            text = text[:at] + text[begin:begin + rng.randrange(1, 200)] + text[at:]
        else:
            text = text[:at + 1]
        text = text or b" "
    return text


def main():
    program, data, write = sys.argv[1], pathlib.Path(sys.argv[2]), "--write" in sys.argv[3:]
    failed, files = [], sorted(data.glob("*.yaml"))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for path in files:
            expected = path.with_suffix(".txt")
            status, said = check(program, folder, path.read_bytes())
            if write:
                expected.write_text(said, encoding="utf-8")
            wanted = expected.read_text(encoding="utf-8") if expected.exists() else ""
            if said != wanted or status != (FINE if path.stem in ("fine", "language") else WRONG):
                failed.append(f"{path.name}: status {status}:\n{said}instead of:\n{wanted}")
            tried = run(program, "try", str(folder / "shop"), stdin=b"POST /register\n\n{}\n")
            told = tried.stderr.decode().replace(f"{folder}/", "")
            if status == WRONG and (tried.returncode != WRONG or told != wanted):
                failed.append(f"{path.name}: try ends with {tried.returncode}:\n{told}")
        rng = random.Random(SEED)
        for number in range(SPOILT):
            text = spoil(rng.choice(files).read_bytes(), rng)
            status, said = check(program, folder, text)
            if status not in (FINE, WRONG) or (status == WRONG and "shop/dialect.yaml:" not in said):
                failed.append(f"spoilt file {number}: status {status}, {said!r}\n{text!r}")
    for line in failed:
        print(line)
    print(f"{2 * len(files) + SPOILT - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
