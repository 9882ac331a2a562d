# SPDX-License-Identifier: Apache-2.0
"""Runs the checker, as the separate program that it is, on evidence and on doctored copies of it."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile

from doctoring import LIES, Folder

CHECKER = pathlib.Path(__file__).resolve().parent / "checker"


def check(folder):
    """(findings' codes in order, report) of the checker."""
    with tempfile.NamedTemporaryFile(suffix=".json") as found:
        done = subprocess.run(["/usr/bin/python3", str(CHECKER), str(folder), "--json", found.name], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"the checker ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        codes = [finding["code"] for finding in json.loads(pathlib.Path(found.name).read_text(encoding="utf-8"))]
    if (done.returncode == 0) != (not codes):
        raise RuntimeError(f"the checker's exit status {done.returncode} does not fit its {len(codes)} findings")
    return codes, done.stdout


def unnoticed(folder, lies=LIES):
    """Lies that the checker does not call by name in doctored copies of the evidence: [(lie, wanted, found)]."""
    missed = []
    with concurrent.futures.ThreadPoolExecutor(max(1, os.cpu_count() or 1)) as pool:
        for lie, wanted, codes in pool.map(lambda row: _tried(folder, *row), lies):
            if wanted not in codes:
                missed.append((lie.__name__, wanted, sorted(set(codes))))
    return missed


def _tried(folder, lie, wanted):
    with tempfile.TemporaryDirectory() as scratch:
        copy = Folder(folder, pathlib.Path(scratch) / "copy")
        lie(copy)
        return lie, wanted, check(copy.path)[0]
