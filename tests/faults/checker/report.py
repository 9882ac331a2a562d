# SPDX-License-Identifier: Apache-2.0
"""What was found, for a person."""
import collections

from judge import ALL

EXAMPLES = 5


def history(e, subject):
    """Everything that is known of a request: its records, row, results, replies, dead letters."""
    lines = []
    requests = [request for request in e.requests if subject in (e.id_of(request), request.at)]
    for request in requests:
        lines.append(f"    asked   {request}")
        for letter in e.dead_at.get(request.at, []):
            lines.append(f"    dead    {letter}")
        for reply in e.replies_of.get(request.correlation, []) if request.correlation else []:
            lines.append(f"    replied {reply}")
    for request_id in {e.id_of(request) for request in requests} | ({subject} if isinstance(subject, str) else set()):
        for row in e.rows_of.get(request_id, []):
            lines.append(f"    row     {row}")
        for result in e.results_of.get(request_id, []):
            lines.append(f"    result  {result}")
    return lines


def shares(e):
    """How much of the load came again: the same request, or another one for an identity that was asked for before."""
    ids, claims, repeated, rivals = set(), set(), 0, 0
    for request in e.requests:
        if request.kind != "conflict" and request.id is not None and request.id in ids:
            repeated += 1
        elif request.kind == "good":
            rivals += any(claim in claims for claim in request.claims)
            claims.update(request.claims)
        ids.add(request.id)
    count = max(1, len(e.requests))
    return f"{100 * repeated / count:.1f} % repeated ids, {100 * rivals / count:.1f} % repeated identities"


def summary(e):
    """The run in numbers."""
    run = e.run
    outcomes = collections.Counter()
    for record in e.full["results"]:
        body = record.json()
        outcomes[f"{body.get('outcome')} {body.get('reason', '')}".strip()] += 1
    faults = collections.Counter(fault["what"] for fault in run.get("faults", []))
    states = collections.Counter((row["channel"], row["state"]) for row in e.tables["message"])
    yield f"run       {run['name']}, seed {run['seed']}, commit {run['commit']}, {run.get('seconds', 0):.0f} s"
    yield "versions  " + ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    if run.get("note"):
        yield f"note      {run['note']}"
    yield f"faults    {', '.join(f'{count} {what}' for what, count in sorted(faults.items())) or 'none'}"
    yield (f"asked     {len(e.requests)} records, {len(e.acknowledged)} acknowledged, {len(e.groups())} request ids: "
           + ", ".join(f"{count} {kind}" for kind, count in sorted(collections.Counter(r.kind for r in e.acknowledged).items())))
    yield "shares    " + shares(e)
    yield f"results   {len(e.full['results'])}: " + ", ".join(f"{count} {what}" for what, count in sorted(outcomes.items()))
    yield f"replies   {len(e.full['replies'])}, events {len(e.full['accounts'])}, dead letters {len(e.full['dead'])}"
    yield f"accounts  {len(e.tables['account'])}, claims {len(e.tables['claim'])}, rows {len(e.tables['inbox'])}"
    yield (f"messages  {', '.join(f'{count} {channel} {state}' for (channel, state), count in sorted(states.items())) or 'none'}; "
           f"arrived: {len(e.mails)} mails, {len(e.texts)} texts")
    yield f"samples   {len(e.samples)} looks at committed offsets"
    for name, text in run.get("figures", {}).items():
        yield f"{name:<9} {text}"
    if run.get("seen"):
        yield "seen      " + ", ".join(f"{count} {what}" for what, count in run["seen"].items()) + " (counted by the workers up to each kill)"


def lines(e, findings):
    """The whole report."""
    yield from summary(e)
    yield ""
    by_check = collections.defaultdict(list)
    for finding in findings:
        by_check[finding.code].append(finding)
    for check in ALL:
        yield f"  checked {check.__doc__.splitlines()[0]}"
    yield ""
    if not findings:
        yield "nothing lost, nothing doubled: every invariant holds"
        return
    for code, found in by_check.items():
        yield f"FOUND {code} ({found[0].invariant}): {len(found)}"
        for finding in found[:EXAMPLES]:
            yield f"  {finding.text}"
            if finding.subject is not None:
                yield from history(e, finding.subject)
    yield ""
    yield f"{len(findings)} findings"
