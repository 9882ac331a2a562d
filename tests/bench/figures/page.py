# SPDX-License-Identifier: Apache-2.0
"""A run as a table for a terminal, as JSON, and as a page of the manual."""
import json
import pathlib

from .figure import Figure, Run

LOAD = "load of a minute at the end"

GROUPS = (
    ("Sign-ups at default cost (Argon2id, 64 MiB, two passes)",
     ("hash_stock", "hash_kept", "hash_gain", "sign_ups", "sign_ups_ratio", "sign_ups_kept", "cpu_sign_up", "cpu_ratio", "others")),
    ("Latency", ("lone", "lone_p99", "hash_alone", "lone_over", "lone_own", "lone_foreign", "start")),
    ("Without hashing", ("foreign", "insert", "insert_rows", "foreign_ratio", "bare_loop", "bare_two", "bare_size", "silent", "silent_ratio", "emitted",
                         "emitted_ratio", "redelivery", "redelivery_ratio", "mails")),
    ("Codes", ("codes", "codes_limit", "codes_ratio", "checks", "checks_limit", "checks_ratio", "check_idle", "check_idle_p99", "check_busy",
               "check_busy_p99", "check_busy_ratio")),
    ("Kafka transactions", ("transaction", "transaction_bare", "transaction_ratio", "transaction_marked")),
    ("Before the database", ("front", "front_jansson", "front_ratio", "front_other", "front_phone")),
    ("Memory", ("peak_default", "peak_default_ratio", "peak", "peak_ratio", "growth")),
)

HOW = """How each is measured:

- The **stock loop** calls libsodium's `crypto_pwhash_str` on as many threads as the worker has hash threads; the second loop does the same with the
  worker's own kept memory. Both run just before each backlog, and each ratio is of one such pair.
- **Sign-ups** are whole ones: a record read from Kafka, password hashed, account, identity, code and mail row in PostgreSQL, result and event in a
  Kafka transaction, the verification mail handed to an SMTP server. Before the first round some thousand others have gone through, so that the broker's code is
  compiled. Broker, database, mail server and load share the processors with the worker; the loops
  have them alone. Counted by a `read_committed` reader of the results, while the backlog lasts.
- **Processor time** is what the kernel counted for each process, so it depends less on what else the machine does; *others* says how much that was. A
  database or broker that others use too makes it too high.
- **A lone request** goes to an idle worker, one each 1.2 seconds; its time runs from handing it to the producer to seeing its committed result. *Hash
  alone* is the loop with kept memory on one thread, with nothing else running.
- **Start**: from `exec` after an orderly stop to the first result, with a request waiting; its hash is in it.
- **Replays**: offsets set back over all records, silent and with `worker.replays: results`, which gives each result once more; *redelivery*: marks and
  offsets forgotten, so that result and event of each record go out again, byte for byte. The **bare loop** consumes the same topic and produces records of the
  same number and sizes in transactions of the same size, with offsets, and does nothing else; it reads ahead as far as librdkafka does by itself. The worker reads
  `kafka.prefetch_records` ahead, and librdkafka before 2.2 then sleeps for up to a second: at the default this alone holds a replay at some 11,000 records/s.
- **Transactions**: windows of 1,000 sign-ups with foreign hashes wait behind one slow hash, so that all leave at once. The worker's time includes its
  checks; it also commits the offsets of its second group. The bare loop pauses between its transactions as the worker does: one that begins at once after
  another would often wait 20 ms for the broker.
- **Set-based insert**: the rows that those sign-ups left, in batches of 250 into the same tables of another database, one statement a table, one
  connection.
- **Codes**: a backlog of requests for codes by text, each of a number of its own, then of the right tries that make accounts of them; no courier runs. Codes are derived
  by a program of the measurement from the rows and the key file. **The same rows**: what those requests left (inbox, limits, address, challenge and message; then
  inbox, challenge, claim and account) is written to the same tables of another database, in batches of 250, one statement a table, one connection; tries update
  the challenges that are there. Each round has a database of its own, since the first rows of an empty one are the hardest for the planner.
- **A code tried**: one at a time, each 20 ms after the answer to the one before, from handing over the record to seeing its committed result; first on an idle worker,
  then while sign-ups at default cost keep all its hash threads busy.
- **Mails** go to a server on the same machine that takes everything and keeps nothing.
- **Before the database**: one thread turns records as a gateway writes them (ten headers) into requests and registrations, rules asked, and jansson parses the
  same bodies, with the C library's allocator; processor time of this thread, medians of many short rounds that take turns. The e-mail address is the identity; a
  phone number is a row of its own.
- **Memory** is the kernel's `VmHWM` and `VmRSS`. *Growth* is the slope of the line of least squares through the means of 24 equal parts of the time after the
  warm-up, against the requests done; its error is the slope's standard error, which is too small where
  a fetched piece of a MiB stays for longer than one part, as on a busy machine.
"""


def _cells(figure):
    spread = ""
    if len(figure.samples) > 1:
        spread = f"{figure.show(min(figure.samples))} to {figure.show(max(figure.samples))}"
    verdict = {True: "met", False: "NOT MET", None: ""}[figure.met]
    value = ("not measured" if figure.missing else "not available") if figure.value is None else f"{figure.show(figure.value)} {figure.unit}".strip()
    return value, spread, figure.goal_text(), verdict


def _grouped(run):
    for title, keys in GROUPS:
        found = [run.figures[key] for key in keys if key in run.figures]
        if found:
            yield title, found


QUIET_PERCENT = 10


def warning(run):
    """What a reader must know first: on a busy machine the limits, which run alone, lose more than the worker does."""
    others = run.figures.get("others")
    if others is None or others.value is None or others.value <= QUIET_PERCENT:
        return None
    return f"The machine was not quiet: others used {others.value:.0f} % of the processor time, so these figures say little."


def table(run, machine):
    lines = ["", *(f"{name:16} {value}" for name, value in machine.items() if value is not None)]
    if warning(run):
        lines += ["", warning(run)]
    for title, found in _grouped(run):
        lines += ["", f"{title:55} {'median':>22}  {'range':24} {'goal':8}"]
        for figure in found:
            value, spread, goal, verdict = _cells(figure)
            lines.append(f"  {figure.name:53} {value:>22}  {spread:24} {goal:8} {verdict}".rstrip())
            if figure.missing:
                lines.append(f"      {figure.missing}")
            if figure.note:
                lines.append(f"      {figure.note}")
    return "\n".join(lines)


def as_json(run, machine):
    return json.dumps({"machine": machine, "form": run.form, "rounds": run.rounds, "warning": warning(run),
                       "figures": {key: figure.row() for key, figure in run.figures.items()}, "details": run.details}, indent=1)


def of_parts(paths):
    """One run of several that were printed with --json, of one commit on one machine: (run, machine). Of a figure that comes twice the later one counts."""
    parts = [json.loads(pathlib.Path(path).read_text(encoding="utf-8")) for path in paths]
    first = parts[0]
    def same(what, ask):
        if len({ask(part) for part in parts}) > 1:
            raise ValueError(f"{what} is not the same in all parts")
        return ask(first)
    for name in ("commit", "processor", "cores"):
        same(name, lambda part, name=name: part["machine"][name])
    run = Run(same("form", lambda part: part["form"]), same("rounds", lambda part: part["rounds"]))
    for part in parts:
        run.figures |= {key: Figure.of_row(key, row) for key, row in part["figures"].items()}
        for key, values in part["details"].items():
            run.details.setdefault(key, []).extend(values)
    machine = dict(first["machine"])
    for name in ("date", LOAD):
        machine[name] = ", ".join(dict.fromkeys(part["machine"][name] for part in parts))
    return run, machine


def markdown(run, machine):
    lines = ["# Figures", "",
             f"Printed by `scripts/bench --markdown`: medians of {run.rounds} rounds, each beside the limits of the same machine in the same minutes"
             + {"full": ".", "quick": ", a quick run.", "smoke": ", which were too short to say anything."}[run.form], "",
             "| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in machine.items() if value is not None)]
    if warning(run):
        lines += ["", f"**{warning(run)}**"]
    for title, found in _grouped(run):
        lines += ["", f"## {title}", "", "| | median | range | goal | |", "|---|---:|---|---|---|"]
        for figure in found:
            value, spread, goal, verdict = _cells(figure)
            lines.append(f"| {figure.name} | {value} | {spread} | {goal} | {verdict.lower()} |")
        remarks = [f"{figure.name}: {remark}." for figure in found for remark in (figure.note, figure.missing) if remark]
        if remarks:
            lines += ["", *remarks]
    lines += ["", "## How", "", HOW]
    return "\n".join(lines)
