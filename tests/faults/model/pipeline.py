#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Explicit-state model of enrolld's way through: look, hash, store, Kafka transaction, coming back.

Standard library only.  The model explores every interleaving of a small world (breadth first, so that each
counterexample is a shortest one) and checks, in every state:

  I2  at most one account per claim
  I3  at most one committed result per request id (no replay here asks for 'emit')
  R2  at most one committed reply per record       (a replay answers nobody a second time)

and in every state where all offsets have passed and no transaction is open:

  I1  every request id has a result
  R1  every record has a reply

A state without a successor that is not at rest is reported as 'stuck'.  `--live` also checks that rest can be
reached from every state.

World.  One group, 1 or 2 partitions, 2 worker slots (= transactional.id, = static member).  A record is
(partition, request id, claim); two records with one id are a gateway's repeat.  Steps of a worker: sync (the
rebalance callback: drop what was revoked), assign (stable read of the committed offset, raise of the mark),
look, store (one PostgreSQL transaction over one or all hashed records; the answer may be lost), begin (+ outputs),
send_offsets (fenced by the generation), end (answer, or unknown and decided later), re-init.  The world may:
kill a worker between any two steps, with its COMMIT still travelling; move a partition without telling the old
owner (zombie); time a transaction out; set the group's offsets back to the start (or forward) when the group is empty.

The rules in force are `corrected()`, explored to the end in the B1 and B4 runs, with `resume=False` (D2) and `renew=True` (E2), and with
`janitor=True` (F runs). The A runs show what a first draft missed, the C runs that each safeguard is needed.

    pipeline.py                 the standard runs, about nine minutes on two cores
    pipeline.py --only PATTERN  the runs whose name contains PATTERN
    pipeline.py --list
"""
import argparse
import fnmatch
import hashlib
import marshal
import multiprocessing
import sys
import time

# ------------------------------------------------------------------------------------------------ rules

FIRST_DRAFT = dict(
    inbox=True,            # unique key (request id), written with the effect
    claims=True,           # unique key (claim)
    keys=True,             # order keys: look waits for a predecessor with the same id or claim
    inorder=True,          # results leave in record order; offsets pass exactly what the transaction carries
    fence_gen=True,        # send_offsets checks member and generation
    fence_epoch=True,      # init_transactions fences and settles the former holder of the transactional.id
    stable=True,           # committed offsets are read stable (isolation read_committed)
    drop=False,            # a revoked or sought partition drops what is in hand   (the first draft did not say it)
    meta='fresh',          # group metadata: 'fresh' = taken at send_offsets; 'first' = taken before the records are gathered
    passed='row',          # 'row': only a record at its row's own coordinates can be passed; 'record': any record below the mark
    raise_assign='group',  # at assignment the mark rises to: 'group' = committed offset, 'shadow' = offset of group.passed, None
    raise_next=True,       # and to what the last Kafka transaction passed, in the next store transaction
    raise_early=False,     # mutation: to what this batch will pass, in its own store transaction
    raise_close=False,     # and at a clean stop
    unknown='resolve',     # commit of unknown outcome: 'resolve' (resume or re-init, re-read) | 'assume_abort' (mutation)
    resume=True,           # may the same producer resume the commit (False: always destroy and re-create)
    gaps=False,            # offsets found above the mark at assignment are kept as a gap; in a gap each row has its own 'passed'
    split=None,            # send_offsets and the two reads at assignment as two steps each: (sent first, read first)
    fresh_passed=False,    # mutation: a record below the mark without a row is silently passed
    # the world
    reset='plain',         # 'plain' = Kafka's own; 'command' = joins the group, stable read, raises the mark, then commits
    reset_when='any',      # 'any' = group empty however that came about; 'clean' = only after clean stops
    zombies=True,          # a process may be alive outside the group while the operator acts
    ghosts=True,           # a killed process's COMMIT and EndTxn may still arrive
    delayed_end=False,     # KAFKA-17754: an EndTxn that was repeated arrives once more, later
    renew=True,            # after a transaction that was given up the producer is made again (False: it aborts and goes on)
    janitor=False,         # who stands by takes over the transactional id of a worker that the group has lost
    late_abort=False,      # an abort that a broken link held back reaches the broker during the next transaction
    strict_reply=True,     # check R2
)


def rules(**kw):
    r = dict(FIRST_DRAFT)
    for k in kw:
        assert k in r, k
    r.update(kw)
    return r


# what this model recommends
def corrected(**kw):
    return rules(**{**dict(drop=True, meta='first', passed='record', raise_assign='shadow'), **kw})


# ------------------------------------------------------------------------------------------------ worlds

# (partition, request id, claim)
WORLDS = {
    'one':          [(0, 'A', 'x')],
    'two':          [(0, 'A', 'x'), (0, 'B', 'y')],
    'repeat':       [(0, 'A', 'x'), (0, 'A', 'x')],
    'repeat-cross': [(0, 'A', 'x'), (1, 'A', 'x')],
    'claim':        [(0, 'A', 'x'), (0, 'B', 'x')],
    'claim-cross':  [(0, 'A', 'x'), (1, 'B', 'x')],
    'mixed':        [(0, 'A', 'x'), (0, 'B', 'x'), (1, 'A', 'x')],
    'mixed4':       [(0, 'A', 'x'), (0, 'B', 'x'), (1, 'A', 'x'), (1, 'C', 'y')],
}

HASHED = 1
READY = 2              # READY + class
INTX = 6               # INTX + class
NOTHING, REPLY, ACCEPT, REFUSE = 0, 1, 2, 3
LATE_END, LATE_ABORT = 1, 2
CLS = ('nothing', 'reply', 'result+reply', 'refusal+reply')

# indices of the state tuple
RES, REP, COM, SH, INBOX, ACC, MARK, GAP, OWNER, TX, LATE, GHOST, WRK, BUD = range(14)
# budget indices
B_CRASH, B_MOVE, B_RESET, B_UNK, B_LOST, B_SKIP, B_FAIL, B_FENCE = range(8)


def put(t, i, v):
    return t[:i] + (v,) + t[i + 1:]


class Model:
    def __init__(self, world, rule, budget, workers=2, window=2, owner0=None):
        self.rule = rule
        recs = WORLDS[world]
        self.nparts = 1 + max(p for p, _, _ in recs)
        ids = sorted({i for _, i, _ in recs})
        cls = sorted({c for _, _, c in recs})
        self.part = [p for p, _, _ in recs]
        self.rid = [ids.index(i) for _, i, _ in recs]
        self.claim = [cls.index(c) for _, _, c in recs]
        self.log = [[r for r in range(len(recs)) if recs[r][0] == p] for p in range(self.nparts)]
        self.off = [self.log[self.part[r]].index(r) for r in range(len(recs))]
        self.name = ['P%d/%d:%s' % (self.part[r], self.off[r], recs[r][1]) for r in range(len(recs))]
        self.nids, self.nclaims, self.nrecs = len(ids), len(cls), len(recs)
        self.idname = ids
        self.nw = workers
        self.window = window
        self.budget = tuple(budget.get(k, 0) for k in ('crash', 'move', 'reset', 'unknown', 'lostack', 'skip', 'fail', 'fence'))
        self.owner0 = owner0 or tuple(p % workers for p in range(self.nparts))

    # -------------------------------------------------------------------------------- state

    def zeros(self):
        return (0,) * self.nparts

    def none(self):
        return (0,) * (self.nparts + 1)

    def newborn(self, synced=0):
        # synced, assignment per partition (stale, next to fetch, next to pass), items, transaction,
        # to be raised (per partition, and the passed records themselves where gaps are kept)
        return (synced, (None,) * self.nparts, (), None, self.none())

    def init(self):
        w = tuple(self.newborn(1) for _ in range(self.nw))
        return ((0,) * self.nids, (0,) * self.nrecs, self.zeros(), self.zeros(), (None,) * self.nids,
                ((0, None),) * self.nclaims, self.zeros(), self.zeros(), self.owner0, (None,) * self.nw, (0,) * self.nw, (), w, self.budget)

    def rest(self, s):
        return all(s[COM][p] == len(self.log[p]) for p in range(self.nparts)) and \
            all(t is None or t[0] in 'cax' for t in s[TX])

    def violations(self, s):
        v = []
        if any(a[0] > 1 for a in s[ACC]):
            v.append('I2 two accounts for one claim')
        if any(n > 3 for n in s[RES]):
            v.append('I3 second result')
        if self.rule['strict_reply'] and any(n > 1 for n in s[REP]):
            v.append('R2 second reply')
        if self.rest(s) and (self.budget[B_SKIP] == 0 or s[BUD][B_RESET] < self.budget[B_RESET]):
            if any(n < 1 for n in s[RES]):
                v.append('I1 lost result')
            if any(n in (ACCEPT, REFUSE) and (n == ACCEPT) != any(a[1] == i for a in s[ACC]) for i, n in enumerate(s[RES])):
                v.append('I1 result and account differ')
            if any(n < 1 for n in s[REP]) and self.budget[B_SKIP] == 0:
                v.append('R1 lost reply')
        return v

    # -------------------------------------------------------------------------------- helpers

    def pay(self, s, i):
        b = s[BUD]
        return put(s, BUD, put(b, i, b[i] - 1))

    def setw(self, s, w, v):
        return put(s, WRK, put(s[WRK], w, v))

    def settx(self, s, w, v):
        return put(s, TX, put(s[TX], w, v))

    def visible(self, s, recs, offsets, override):
        """A committed transaction's outputs become visible; its offsets pass unless a later reset overrode them."""
        res, rep, com, sh = list(s[RES]), list(s[REP]), list(s[COM]), list(s[SH])
        top = {}
        for r, c in recs:
            if c >= REPLY:
                rep[r] = min(2, rep[r] + 1)
            if c >= ACCEPT:
                res[self.rid[r]] = 4 if res[self.rid[r]] else c          # 4: more than one
            top[self.part[r]] = max(top.get(self.part[r], 0), self.off[r] + 1)
        if offsets:
            for p, o in top.items():
                if not override:
                    com[p] = o
                sh[p] = max(sh[p], o)          # group.passed carries the higher of the mark and the new offset
        return (tuple(res), tuple(rep), tuple(com), tuple(sh)) + s[INBOX:]

    def pending(self, s, p, kinds='mspe'):
        """Is a transactional offset commit for p undecided?  (What a stable read waits for.)"""
        return any(t and t[0] in kinds and any(self.part[r] == p for r, _ in t[1]) for t in s[TX])

    def klass(self, s, r, row):
        p, o = self.part[r], self.off[r]
        passed = o < s[MARK][p]
        if self.rule['gaps'] and s[GAP][p] >> o & 1:
            passed = row is not None and row[0] == r and row[1]
        if row is None:
            return NOTHING if passed and self.rule['fresh_passed'] else None
        coord, _, outcome = row
        if passed and (coord == r or self.rule['passed'] == 'record'):
            return NOTHING
        return outcome if coord == r else REPLY

    def store_rows(self, s, recs):
        """The effect of one PostgreSQL transaction; returns the state and the class of each record."""
        inbox, acc, mark = list(s[INBOX]), list(s[ACC]), list(s[MARK])
        out = {}
        for r in recs:
            i, c = self.rid[r], self.claim[r]
            cur = s[:INBOX] + (tuple(inbox), tuple(acc), tuple(mark)) + s[GAP:]
            row = inbox[i]
            if self.rule['inbox'] and row is not None:
                out[r] = self.klass(cur, r, row)
                continue
            won = not self.rule['claims'] or acc[c][0] == 0
            inbox[i] = (r, 0, ACCEPT if won else REFUSE)
            out[r] = self.klass(cur, r, None)
            if out[r] is None:
                out[r] = inbox[i][2]
            if won:
                acc[c] = (min(2, acc[c][0] + 1), i)
        if self.rule['raise_early']:
            for r in recs:
                mark[self.part[r]] = max(mark[self.part[r]], self.off[r] + 1)
        return s[:INBOX] + (tuple(inbox), tuple(acc), tuple(mark)) + s[GAP:], out

    def raise_mark(self, s, values):
        return put(s, MARK, tuple(max(a, b) for a, b in zip(s[MARK], values)))

    def row_passed(self, s, pend):
        """With the raise: rows in a gap whose record has now passed say so themselves."""
        if not self.rule['gaps']:
            return s
        inbox = tuple((row[0], 1, row[2]) if row and pend[-1] >> row[0] & 1 else row for row in s[INBOX])
        return put(s, INBOX, inbox)

    def forget(self, wk):
        """Drop everything in hand and every assignment (after fencing, or re-creation of the producer)."""
        return (wk[0], (None,) * self.nparts, (), None, wk[4])

    def bump(self, s, moved=None):
        """A new generation: every worker's metadata is stale until it has synced; owners of `moved` are not told."""
        ws = []
        for w, wk in enumerate(s[WRK]):
            if isinstance(wk, int):
                ws.append(wk)
                continue
            asn = tuple((1, a[1], a[2]) if a and (moved is None or p == moved) else a for p, a in enumerate(wk[1]))
            ctx = wk[3]
            if ctx and ctx[0] == 'B':
                ctx = ('B', ctx[1], 0)
            ws.append((0, asn, wk[2], ctx, wk[4]))
        return put(s, WRK, tuple(ws))

    # -------------------------------------------------------------------------------- steps

    def steps(self, s):
        for w in range(self.nw):
            wk = s[WRK][w]
            if isinstance(wk, int):
                yield from self.dead(s, w)
            else:
                yield from self.alive(s, w, wk)
            yield from self.late_end(s, w)
            yield from self.fence(s, w)
        yield from self.operator(s)
        for p in range(self.nparts):
            o = s[OWNER][p]
            for w in range(self.nw):
                if w == o or isinstance(s[WRK][w], int):
                    continue
                if o < 0:
                    yield 'P%d -> W%d' % (p, w), self.bump(put(s, OWNER, put(s[OWNER], p, w)), p)
                elif s[BUD][B_MOVE]:
                    yield 'rebalance: P%d W%d -> W%d' % (p, o, w), \
                        self.pay(self.bump(put(s, OWNER, put(s[OWNER], p, w)), p), B_MOVE)
        if s[GHOST]:
            t, _ = self.store_rows(s, s[GHOST])
            yield 'killed process: its COMMIT (%s) arrives' % ' '.join(self.name[r] for r in s[GHOST]), put(t, GHOST, ())

    def settle(self, s, w):
        """What init_transactions finds: the outcomes of the former transaction of this id."""
        t = s[TX][w]
        if t is None or t[0] in 'cax':
            return [('', self.settx(s, w, None))]
        if t[0] == 'e':
            return [(' (it was committed)', self.settx(self.visible(s, t[1], True, t[2]), w, None)),
                    (' (it was aborted)', self.settx(s, w, None))]
        return [(' (open one aborted)', self.settx(s, w, None))]

    def dead(self, s, w):
        t = s[TX][w]
        late = 0 if self.rule['fence_epoch'] or not t or t[0] not in 'pe' else 1
        for how, n in self.settle(s, w):
            n = put(n, LATE, put(n[LATE], w, late))
            yield 'W%d starts%s' % (w, how), self.setw(n, w, self.newborn())
        if t and t[0] in 'omsp':
            yield 'broker: transaction of W%d times out' % w, self.settx(s, w, None)
        if t and (t[0] == 'e' or (t[0] == 'p' and self.rule['ghosts'])):
            yield 'broker: transaction of dead W%d committed' % w, self.settx(self.visible(s, t[1], True, t[2]), w, None)
            if t[0] == 'e':
                yield 'broker: transaction of dead W%d aborted' % w, self.settx(s, w, None)

    def late_end(self, s, w):
        t = s[TX][w]
        if s[LATE][w] == LATE_ABORT:
            if t and t[0] == 'o':
                # What was sent so far is gone; the same epoch goes on, so what follows begins a transaction of its own.
                n = self.settx(s, w, ('o', tuple((r, NOTHING) for r, _ in t[1]), t[2]))
                yield 'broker: delayed abort drops the outputs that W%d has sent' % w, put(n, LATE, put(s[LATE], w, 0))
        elif s[LATE][w] and t and t[0] in 'op':
            n = self.visible(s, t[1], t[0] == 'p', t[2])
            n = put(self.settx(n, w, ('x', (), 0)), LATE, put(s[LATE], w, 0))
            yield 'broker: delayed EndTxn commits what W%d has open' % w, n

    def fence(self, s, w):
        """Another worker's init_transactions with the id of one that has no partition any more: it ends what that one has open."""
        t = s[TX][w]
        others = any(v != w and not isinstance(s[WRK][v], int) for v in range(self.nw))
        if not (self.rule['janitor'] and s[BUD][B_FENCE] and others and t and t[0] in 'omspe') or w in s[OWNER]:
            return
        if t[0] == 'e':
            for how, n in (('committed', self.settx(self.visible(s, t[1], True, t[2]), w, ('c', (), 0))),
                           ('aborted', self.settx(s, w, ('a', (), 0)))):
                yield 'W%d is fenced by another, its commit of unknown outcome was %s' % (w, how), self.pay(n, B_FENCE)
        else:
            yield 'W%d is fenced by another, what it has open is aborted' % w, self.pay(self.settx(s, w, ('a', (), 0)), B_FENCE)

    def alive(self, s, w, wk):
        R = self.rule
        synced, asn, items, ctx, pend = wk
        W = 'W%d ' % w
        # rebalance callback
        if not synced:
            keep, na = items, asn
            for p, a in enumerate(asn):
                if a and a[0]:
                    na = put(na, p, None)
                    if R['drop']:
                        keep = tuple(i for i in keep if self.part[i[0]] != p)
            yield W + 'syncs with the group', self.setw(s, w, (1, na, keep, ctx, pend))
        for p in range(self.nparts):
            a = asn[p]
            if a is None or a[1] < 0:
                if not synced or s[OWNER][p] != w or (ctx and ctx[0] == 'U'):
                    continue
                first = R['split'][1] if R['split'] else None
                if a is None and first:
                    if not (R['stable'] and self.pending(s, p, 'mpe' if first == 'group' else 'spe')):
                        v = (s[COM] if first == 'group' else s[SH])[p]
                        yield W + 'reads the offset of %s for P%d: %d' % (first, p, v), \
                            self.setw(s, w, (synced, put(asn, p, (0, -1, v)), items, ctx, pend))
                    continue
                kinds = 'mspe' if not first else 'spe' if first == 'group' else 'mpe'
                if R['stable'] and self.pending(s, p, kinds):
                    continue
                c = a[2] if first == 'group' else s[COM][p]
                high = a[2] if first == 'passed' else s[SH][p]
                n = self.setw(s, w, (synced, put(asn, p, (0, c, c)), items, ctx, pend))
                if R['raise_assign']:
                    n = self.raise_mark(n, put(self.zeros(), p, c if R['raise_assign'] == 'group' else high))
                if R['gaps']:
                    gap = s[GAP][p]
                    for o in range(n[MARK][p], c):
                        gap |= 1 << o
                    n = put(n, GAP, put(n[GAP], p, gap))
                yield W + 'is assigned P%d at %d, mark %d' % (p, c, n[MARK][p]), n
            elif a[1] < len(self.log[p]) and a[1] - a[2] < self.window:
                r = self.log[p][a[1]]
                if R['keys'] and any(i[1] == HASHED and (self.rid[i[0]] == self.rid[r] or self.claim[i[0]] == self.claim[r])
                                     for i in items):
                    continue
                row = s[INBOX][self.rid[r]]
                na = put(asn, p, (a[0], a[1] + 1, a[2]))
                if R['inbox'] and row is not None:
                    k = self.klass(s, r, row)
                    yield W + 'looks at %s: hit, %s' % (self.name[r], CLS[k]), \
                        self.setw(s, w, (synced, na, items + ((r, READY + k),), ctx, pend))
                else:
                    yield W + 'looks at %s: new, hashes' % self.name[r], \
                        self.setw(s, w, (synced, na, items + ((r, HASHED),), ctx, pend))
        # store
        hashed = [i[0] for i in items if i[1] == HASHED]
        batches = [[r] for r in dict.fromkeys(hashed)]
        if len(set(hashed)) > 1 and len({self.rid[r] for r in hashed}) == len(hashed):
            batches.append(list(dict.fromkeys(hashed)))
        for b in batches:
            n, k = self.store_rows(s, b)
            np = pend
            if R['raise_next'] and any(pend):
                n = self.row_passed(self.raise_mark(n, pend), pend)
                np = self.none()
            ni = tuple((i[0], READY + k[i[0]]) if i[1] == HASHED and i[0] in b else i for i in items)
            what = ' '.join('%s=%s' % (self.name[r], CLS[k[r]]) for r in b)
            yield W + 'stores %s' % what, self.setw(n, w, (synced, asn, ni, ctx, np))
            if s[BUD][B_LOST]:
                yield W + 'stores %s, answer lost' % what, self.pay(self.setw(n, w, (synced, asn, items, ctx, pend)), B_LOST)
        # Kafka transaction
        yield from self.transaction(s, w, wk)
        # the world
        if s[BUD][B_CRASH]:
            t = s[TX][w]
            n = self.pay(self.setw(s, w, 0), B_CRASH)
            if t and t[0] in 'cax':
                n = self.settx(n, w, None)
            yield W + 'is killed', n
            if R['ghosts'] and hashed and not s[GHOST]:
                yield W + 'is killed, COMMIT travelling', put(n, GHOST, tuple(dict.fromkeys(hashed)))
        if not items and ctx is None and s[BUD][B_RESET]:
            n = self.setw(s, w, 1)
            if R['raise_close']:
                n = self.row_passed(self.raise_mark(n, pend), pend)
            yield W + 'stops cleanly', n

    def gather(self, w, wk):
        """Choices of what one transaction carries: (records with class, items after)."""
        synced, asn, items, ctx, pend = wk
        if self.rule['inorder']:
            take = []
            for p, a in enumerate(asn):
                nxt = a[2] if a and a[1] >= 0 else None
                if a is None and not self.rule['drop']:
                    olds = [self.off[i[0]] for i in items if self.part[i[0]] == p]
                    nxt = min(olds) if olds else None
                while nxt is not None and nxt < len(self.log[p]):
                    r = self.log[p][nxt]
                    hit = [i for i in items if i[0] == r and READY <= i[1] < INTX]
                    if not hit:
                        break
                    take.append(hit[0])
                    nxt += 1
            return [take] if take else []
        ready = [i for i in items if READY <= i[1] < INTX]
        return [[i] for i in dict.fromkeys(ready)] + ([ready] if len(ready) > 1 else [])

    def transaction(self, s, w, wk):
        R = self.rule
        synced, asn, items, ctx, pend = wk
        W = 'W%d ' % w
        t = s[TX][w]
        if ctx is None:
            for take in self.gather(w, wk):
                recs = tuple((i[0], i[1] - READY) for i in take)
                ni = list(items)
                for i in take:
                    ni[ni.index(i)] = (i[0], i[1] - READY + INTX)
                n = self.settx(s, w, ('o', recs, 0))
                yield W + 'begins, outputs of %s' % ' '.join('%s=%s' % (self.name[r], CLS[c]) for r, c in recs), \
                    self.setw(n, w, (synced, asn, tuple(ni), ('B', recs, synced), pend))
            return
        kind, recs, valid = ctx
        broken = t is None or t[0] in 'ax'
        if kind in 'BP' and broken:
            yield W + 'finds its transaction gone, re-creates the producer', self.setw(self.settx(s, w, None), w, self.forget(wk))
            return
        if kind == 'B' and R['split']:
            have = t[0]
            for which, was, now in (('group', 'o', 'm'), ('passed', 'o', 's')) if have == 'o' else (('group', 's', 'p'), ('passed', 'm', 'p')):
                if have != was or (have == 'o' and which != R['split'][0]):
                    continue
                if which == 'passed' or (valid if R['meta'] == 'first' else synced):      # group.passed has no members: not fenced
                    n = self.settx(s, w, (now, recs, t[2]))
                    yield W + 'sends offsets of %s' % which, \
                        self.setw(n, w, (synced, asn, items, ('P' if now == 'p' else 'B', recs, valid), pend))
                else:
                    yield W + 'is fenced at send_offsets, aborts', self.setw(self.settx(s, w, None), w, self.forget(wk))
        elif kind == 'B':
            ok = valid if R['meta'] == 'first' else synced
            if s[BUD][B_FAIL]:
                n = self.pay(self.settx(s, w, None), B_FAIL)
                if R['renew']:
                    yield W + 'loses an output, re-creates the producer', self.setw(n, w, self.forget(wk))
                else:
                    if R['late_abort']:
                        n = put(n, LATE, put(n[LATE], w, LATE_ABORT))
                    yield W + 'loses an output, aborts and goes on', self.setw(n, w, self.forget(wk))
            if ok or not R['fence_gen']:
                n = self.settx(s, w, ('p', t[1], 0))
                yield W + 'sends offsets', self.setw(n, w, (synced, asn, items, ('P', recs, 0), pend))
            else:
                n = self.settx(s, w, None)
                if R['drop']:
                    nw = self.forget(wk)
                else:
                    nw = (synced, asn, tuple((i[0], i[1] - INTX + READY) if i[1] >= INTX else i for i in items), None, pend)
                yield W + 'is fenced at send_offsets, aborts', self.setw(n, w, nw)
        elif kind == 'P':
            n = self.visible(s, t[1], True, t[2])
            yield W + 'commits in Kafka', self.setw(self.settx(n, w, None), w, self.done(wk))
            if s[BUD][B_UNK]:
                n = self.pay(self.settx(s, w, ('e',) + t[1:]), B_UNK)
                yield W + 'commits in Kafka, outcome unknown', self.setw(n, w, (synced, asn, items, ('U', recs, 0), pend))
        elif kind == 'U':
            if t and t[0] == 'e':
                yield 'broker: unknown commit of W%d done' % w, self.settx(self.visible(s, t[1], True, t[2]), w, ('c', (), 0))
                yield 'broker: unknown commit of W%d timed out, aborted' % w, self.settx(s, w, ('a', (), 0))
            if R['unknown'] == 'assume_abort':
                n = self.settx(s, w, None) if t[0] != 'e' else None
                late = 0
                if n is None:
                    n, late = self.settx(s, w, None), 1
                n = put(n, LATE, put(n[LATE], w, late))
                nw = (synced, asn, tuple((i[0], i[1] - INTX + READY) if i[1] >= INTX else i for i in items), None, pend)
                yield W + 'takes it for aborted and goes on', self.setw(n, w, nw)
                return
            for how, n in self.settle(s, w):
                yield W + 're-creates the producer%s, seeks' % how, self.setw(n, w, self.forget(wk))
            if R['resume'] and t and t[0] in 'ec':
                n = self.visible(s, t[1], True, t[2]) if t[0] == 'e' else s
                n = self.settx(n, w, None)
                if R['delayed_end']:
                    n = put(n, LATE, put(n[LATE], w, 1))
                yield W + 'resumes the commit: done', self.setw(n, w, self.done(wk))
        if kind in 'BP' and s[BUD][B_UNK] and t and t[0] in 'omsp':
            yield 'broker: transaction of W%d times out' % w, self.pay(self.settx(s, w, ('a', (), 0)), B_UNK)

    def done(self, wk):
        synced, asn, items, ctx, pend = wk
        top = list(pend)
        na = list(asn)
        for r, _ in ctx[1]:
            p, o = self.part[r], self.off[r] + 1
            top[p] = max(top[p], o)
            if self.rule['gaps']:
                top[-1] |= 1 << r
            if na[p] and na[p][1] >= 0 and any(i[0] == r and i[1] >= INTX for i in items):
                na[p] = (na[p][0], max(na[p][1], o), max(na[p][2], o))
        return (synced, tuple(na), tuple(i for i in items if i[1] < INTX), None, tuple(top))

    def operator(self, s):
        R = self.rule
        alive = [w for w in range(self.nw) if not isinstance(s[WRK][w], int)]
        if alive and not R['zombies']:
            return
        if R['reset_when'] == 'clean' and (alive or any(wk == 0 for wk in s[WRK])):
            return
        who = ' (W%s alive outside the group)' % ','.join(map(str, alive)) if alive else ''
        if s[BUD][B_RESET] and not s[BUD][B_SKIP] and (any(s[COM]) or any(t and t[0] in 'mspe' for t in s[TX])):
            n = s
            if R['reset'] == 'command':
                if any(self.pending(s, p) for p in range(self.nparts)):
                    return
                n = self.raise_mark(n, n[COM])
            n = put(put(n, COM, self.zeros()), OWNER, (-1,) * self.nparts)
            n = put(n, TX, tuple((t[0], t[1], 1) if t and t[0] in 'mpe' else t for t in n[TX]))
            yield 'operator: offsets set to the start%s' % who, self.pay(self.bump(n), B_RESET)
        if s[BUD][B_SKIP]:
            n = put(put(s, COM, tuple(max(1, len(x) - 1) for x in self.log)), OWNER, (-1,) * self.nparts)
            n = put(n, TX, tuple((t[0], t[1], 1) if t and t[0] in 'mpe' else t for t in n[TX]))
            yield 'operator: offsets set forward%s' % who, self.pay(self.bump(n), B_SKIP)


# ------------------------------------------------------------------------------------------------ checker

def key(s):
    return hashlib.blake2b(marshal.dumps(s, 2), digest_size=12).digest()


def explore(model, limit, live=False, stop=False):
    """Breadth first.  Returns states, edges, violations {kind: trace}, complete?"""
    s0 = model.init()
    k0 = key(s0)
    parent = {k0: None}
    frontier = [(s0, k0)]
    found, edges = {}, 0
    back, good = ({}, set()) if live else (None, None)
    complete = True
    while frontier:
        nxt = []
        for s, k in frontier:
            moved = False
            for label, t in model.steps(s):
                edges += 1
                kt = key(t)
                if kt != k:
                    moved = True
                if live:
                    back.setdefault(kt, []).append(k)
                if kt in parent:
                    continue
                parent[kt] = (k, label)
                bad = model.violations(t)
                for v in bad:
                    if v not in found:
                        found[v] = kt
                if bad and stop:
                    return len(parent), edges, traces(parent, found), False, 0
                if not bad:
                    nxt.append((t, kt))
            if live and model.rest(s):
                good.add(k)
            if not moved and not model.rest(s) and 'stuck' not in found:
                found['stuck'] = k
        frontier = nxt
        if len(parent) > limit:
            complete = not frontier
            break
    hopeless = 0
    if live and complete:
        todo = list(good)
        while todo:
            for k in back.get(todo.pop(), ()):
                if k not in good:
                    good.add(k)
                    todo.append(k)
        hopeless = len(parent) - len(good)
    return len(parent), edges, traces(parent, found), complete, hopeless


def traces(parent, found):
    out = {}
    for v, k in found.items():
        path = []
        while parent[k]:
            k, label = parent[k]
            path.append(label)
        out[v] = path[::-1]
    return out


# ------------------------------------------------------------------------------------------------ runs

RUNS = {}


def case(name, world, rule, expect=(), limit=3000000, live=False, stop=None, note='', workers=2, window=2, **budget):
    RUNS[name] = dict(world=world, rule=rule, expect=tuple(expect), limit=limit, live=live,
                      stop=bool(expect) if stop is None else stop, note=note, workers=workers, window=window, budget=budget)


def run(name):
    r = RUNS[name]
    t0 = time.time()
    m = Model(r['world'], r['rule'], r['budget'], r['workers'], r['window'])
    return name, explore(m, r['limit'], r['live'], r['stop']), time.time() - t0


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('--only', default='')
    ap.add_argument('--list', action='store_true')
    ap.add_argument('--jobs', type=int, default=2)
    ap.add_argument('--traces', action='store_true', help='print the traces of expected violations too')
    a = ap.parse_args()
    names = [n for n in RUNS if a.only in n or fnmatch.fnmatch(n, a.only)]
    if a.list:
        print('\n'.join(names))
        return 0
    wrong = 0
    with multiprocessing.Pool(a.jobs, maxtasksperchild=1) as pool:
        for name, (states, edges, found, complete, hopeless), secs in pool.imap(run, names):
            r = RUNS[name]
            kinds = sorted(found)
            if r['expect']:
                ok = all(any(k.startswith(e) for k in kinds) for e in r['expect'])
            else:
                ok = not kinds and complete and not hopeless
            wrong += not ok
            print('%-4s %-34s %9d states %10d steps %6.1f s%s  %s%s' % (
                'ok' if ok else 'BAD', name, states, edges, secs, '' if complete or r['stop'] else ' INCOMPLETE',
                ', '.join(kinds) or 'no violation', ', %d states cannot come to rest' % hopeless if hopeless else ''))
            if r['note']:
                print('     ' + r['note'])
            if kinds and (a.traces or not ok):
                for v in kinds:
                    print('     %s:' % v)
                    for i, l in enumerate(found[v]):
                        print('       %2d %s' % (i + 1, l))
            sys.stdout.flush()
    print('%d runs, %d not as expected' % (len(names), wrong))
    return 1 if wrong else 0


# A. the first draft of the rules, and how far each reading of it carries
case('A1 first draft, no reset', 'one', rules(), ('I3',), crash=1, move=2,
     note='in-hand work survives a revocation and leaves under fresh metadata')
case('A2 +drop, fresh metadata', 'one', rules(drop=True), ('I3',), crash=0, move=2,
     note='dropped at revocation, but the metadata is taken after the records were gathered')
for wname in ('repeat', 'repeat-cross', 'claim', 'claim-cross'):
    case('A3 +drop +metadata first, no reset, ' + wname, wname, rules(drop=True, meta='first'), (), crash=1, move=1, unknown=1)
case('A4 same, killed, then reset', 'one', rules(drop=True, meta='first', zombies=False), ('I3',), crash=2, reset=1,
     note='the mark lags by one batch')
case('A5 same, clean stop, then reset', 'one', rules(drop=True, meta='first', reset_when='clean'), ('I3',), reset=1,
     note='nothing raises the mark on leaving')
case('A6 same, raise on leaving', 'repeat', rules(drop=True, meta='first', reset_when='clean', raise_close=True), ('R2',), reset=1,
     note='a replayed repeat is answered again: only a row\'s own coordinates can be passed')
case('A7 same, reset at any moment', 'one', rules(drop=True, meta='first', raise_close=True), ('I3',), reset=1,
     note='reset while a commit is undecided, or after a kill')

# B. corrections
FAULTS = (('kill', dict(crash=2)), ('kill, move', dict(crash=1, move=1)), ('move twice', dict(move=2)),
          ('kill, unknown', dict(crash=1, unknown=1)), ('move, unknown', dict(move=1, unknown=1)),
          ('lost answer', dict(crash=1, lostack=1)))
for wname in ('one', 'repeat', 'repeat-cross', 'claim-cross'):
    for fname, f in FAULTS:
        case('B1 shadow, %s, reset, %s' % (fname, wname), wname, corrected(), (), reset=1, live=wname in ('one', 'repeat'), **f)
case('B1 shadow, kill, reset twice, one', 'one', corrected(), (), crash=2, move=1, unknown=1, reset=2, live=True)
for wname in ('one', 'repeat', 'repeat-cross'):
    for fname, f in (FAULTS[1], FAULTS[3]):
        case('B2 command, %s, reset, %s' % (fname, wname), wname, corrected(raise_assign='group', reset='command'), (), reset=1, **f)
case('B3 clean stops only, reset, repeat', 'repeat', corrected(raise_assign='group', raise_close=True, reset_when='clean'), (), crash=0, move=1, reset=1)
case('B4 shadow, mixed, no reset', 'mixed', corrected(), (), crash=1, move=1)
case('B4 shadow, mixed, reset', 'mixed', corrected(zombies=False), (), crash=1, reset=1)

# C. each safeguard removed from the corrected rules: the checker must find something
case('C1 no inbox', 'one', corrected(inbox=False), ('I1',), crash=1)
case('C2 no claims', 'claim-cross', corrected(claims=False), ('I2',))
case('C3 no order of outputs', 'two', corrected(inorder=False), ('I1',), crash=1, stop=False, limit=300000)
case('C4 no generation fence', 'one', corrected(fence_gen=False), ('I3',), move=1)
case('C5 no epoch fence', 'one', corrected(fence_epoch=False), ('I3',), crash=1)
case('C6 unstable read of offsets', 'one', corrected(stable=False), ('I3',), move=1)
case('C7 no raise at assignment', 'one', corrected(raise_assign=None), ('I3',), crash=1, reset=1)
case('C8 mark raised before the Kafka commit', 'one', corrected(raise_early=True), ('I1',), crash=1, stop=False, limit=100000)
case('C9 in-hand work not dropped', 'one', corrected(drop=False, meta='fresh'), ('I3',), move=2)
case('C9b in-hand work not dropped, metadata first', 'two', corrected(drop=False), ('I3',), move=2)
case('C10 metadata fresh at send_offsets', 'one', corrected(meta='fresh'), ('I3',), move=2)
case('C11 unknown commit taken for aborted', 'one', corrected(unknown='assume_abort'), ('I3',), unknown=1)
case('C12 mark from the group\'s offset', 'one', corrected(raise_assign='group'), ('I3',), crash=1, reset=1)
case('C13 only own coordinates can be passed', 'repeat', corrected(passed='row'), ('R2',), reset=1, crash=1)
case('C14 no order keys', 'repeat', corrected(keys=False), (), crash=1, reset=1,
     note='order keys are for cost and for the frontend\'s words; I1 to I3 do not rest on them')
case('C15 mark not raised in the next batch', 'repeat', corrected(raise_next=False), (), crash=1, move=1, reset=1,
     note='with the mark from group.passed the raise in the next batch only guards against expired offsets')

# D. named limits
case('D1 delayed EndTxn after a resume', 'two', corrected(delayed_end=True), ('I3',), unknown=1,
     note='KAFKA-17754: closed here by never resuming (D2); repeats inside the client stay open')
case('D2 delayed EndTxn, never resumed', 'two', corrected(delayed_end=True, resume=False), (), unknown=1, crash=1)
case('D3 set forward, then back', 'two', corrected(), ('I1',), skip=1, reset=1, crash=1,
     note='a record first stored below the mark: killed before its Kafka commit, it looks passed')
case('D4 same, gaps kept', 'two', corrected(gaps=True), (), skip=1, reset=1, crash=1, live=True)
case('D4 same, gaps kept, two kills', 'two', corrected(gaps=True, zombies=False), (), skip=1, reset=1, crash=2)
case('D5 same, reset again', 'two', corrected(gaps=True), ('I3',), skip=1, reset=2, crash=1,
     note='inside a gap the per-row mark lags by one batch')
for send in ('group', 'passed'):
    case('D6 group read first, %s sent first' % send, 'one', corrected(split=(send, 'group')), (), crash=1, move=1, reset=1, unknown=1)
case('D6 passed read first, group sent first', 'one', corrected(split=('group', 'passed')), ('I3',), move=1, reset=1,
     note='one of the two orders must hold: group.passed read last, or sent first')
case('D6 passed read first, passed sent first', 'one', corrected(split=('passed', 'passed')), (), crash=1, move=1, reset=1)

# E. a transaction that was given up before its end
case('E1 aborts and goes on, its abort comes late', 'two', corrected(resume=False, renew=False, late_abort=True), ('I1',), fail=1,
     note='outputs of the next transaction are dropped, its offsets pass')
case('E2 producer made again instead', 'two', corrected(resume=False, late_abort=True), (), fail=1, crash=1, unknown=1)
case('E2 producer made again instead, reset, repeat', 'repeat', corrected(resume=False, late_abort=True), (), fail=1, move=1, reset=1)

# F. the transactional id of a member that the group has lost is taken over
for wname in ('one', 'repeat'):
    case('F1 taken over, moved and woken, reset, %s' % wname, wname, corrected(resume=False, janitor=True), (), move=1, fence=1, reset=1)
    case('F1 taken over, unknown commit, %s' % wname, wname, corrected(resume=False, janitor=True), (), move=1, fence=1, unknown=1)

if __name__ == '__main__':
    sys.exit(main())
