"""The entries of one session: a register each."""

import collections

from .history import MARK, USERS


class Session:
    def __init__(self, judge, begun, initial):
        """`begun`: the request that began it, with these entries."""
        self.judge_, self.begun, self.initial = judge, begun, initial
        self.writers, self.reads, self.maybe = [begun], [], []

    def inherit(self, ops):
        """Requests whose changes it may have from the session that it was, or not."""
        self.maybe = ops

    def value(self, op, name):
        """What it made of an entry; the request that began the session wrote all of them."""
        if op is self.begun:
            return self.initial.get(name)
        if name == MARK and name not in op.writes and op.outcome != "ok":
            return op.n
        return op.writes.get(name)

    def writes_to(self, name):
        return self.of_entry[name] if self.begun in self.of_entry[name] else [self.begun] + self.of_entry[name]

    def surely_written(self, op):
        return op.outcome == "ok" and op.seen is not None

    def prepare(self):
        ops = self.writers + self.maybe
        self.by_n = {op.n: op for op in ops}
        self.landed = {op.n: op.res for op in self.writers if self.surely_written(op)}
        self.of_entry = collections.defaultdict(list)
        for op in ops:
            for name in op.writes:
                self.of_entry[name].append(op)
            if op.outcome != "ok" and op.writes and MARK not in op.writes:
                self.of_entry[MARK].append(op)

    def judge(self):
        self.prepare()
        for inv, res, entries, what in self.reads:       # who was seen has landed
            for op in self.seen_in(entries):
                self.landed[op.n] = min(self.landed.get(op.n, res), res)
                self.judge_.note_seen(op, what)
        names = set(self.of_entry) | set(self.initial) | {name for read in self.reads for name in read[2]}
        for read in self.reads:
            seen = {op.n for op in self.seen_in(read[2])}
            for name in sorted(names - set(USERS)):
                if not self.judge_entry(name, read, seen):
                    return

    def seen_in(self, entries):
        for name, value in entries.items():
            op = self.by_n.get(value)
            if op and self.value(op, name) == value:
                yield op

    def overwrites(self, later, name):
        return name != MARK or name in later.writes

    def judge_entry(self, name, read, seen):
        inv, res, entries, what = read
        value = entries.get(name)
        candidates = [op for op in self.writes_to(name) if self.value(op, name) == value and op.inv < res]
        if not candidates:
            self.judge_.violation("shared" if value in self.judge_.by_n and value not in self.by_n else "writes",
                                  "entry %s of session %s is %s, which nobody wrote there" % (
                                      name, self.begun.n, value), what)
            return False
        newer = None
        for op in candidates:
            newer = next((later for later in self.writes_to(name) if later.inv > op.res and later.n != op.n
                          and self.overwrites(later, name)
                          and (later.n in seen or self.landed.get(later.n, res) < inv)), None)
            if newer is None:
                return True
        self.judge_.violation("writes", "entry %s of session %s is %s, and was overwritten before" % (
            name, self.begun.n, value), candidates[-1], newer, what)
        return False
