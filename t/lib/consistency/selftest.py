"""The judge, judged: histories with a fault each, which it has to find; and sound ones, where it may find none."""

from .judge import MARK, Call, Judge, Op, Row


class History:
    """Written down one after the other; `at` gives other times."""

    def __init__(self):
        self.ops, self.rows, self.calls, self.now, self.scan = [], [], [], 0.0, None
        self.first = {}      # mark -> entries that the session began with

    def op(self, kind, id=None, at=None, **more):
        self.now += 1
        inv, res = at or (self.now, self.now + 0.5)
        self.ops.append(Op(more.pop("n", "1.%d" % len(self.ops)), kind, id, inv, res, **more))
        return self

    def begin(self, id="A", n="b", at=None, **writes):
        self.first[n] = dict({MARK: n}, **writes)
        return self.op("set", None, at, n=n, seen={}, writes=dict({MARK: n}, **writes), issued=id)

    def read(self, id="A", at=None, m="b", **seen):
        return self.op("read", id, at, seen=dict({MARK: m}, **seen))

    def none(self, id="A", at=None):
        return self.op("read", id, at, seen={})

    def write(self, n, id="A", at=None, m="b", seen=None, outcome="ok", **writes):
        """`seen`: what others wrote since the beginning."""
        return self.op("set", id, at, n=n, outcome=outcome, writes=writes,
                       seen=dict(self.first[m], **(seen or {})) if outcome == "ok" else None)

    def renew(self, id="A", new="B", at=None, m="b", outcome="ok", kind="renew", seen=None, **more):
        seen = dict(self.first[m], **(seen or {}))
        return self.op(kind, id, at, seen=seen if outcome == "ok" else None, outcome=outcome,
                       issued=new if outcome == "ok" else None, **more)

    def end(self, id="A", at=None, m="b", outcome="ok", kind="clear", seen=None):
        return self.op(kind, id, at, seen=dict(self.first[m], **(seen or {})) if outcome == "ok" else None, outcome=outcome,
                       issued="" if outcome == "ok" else None)

    def row(self, key="A", m="b", **entries):
        self.rows.append(Row(key, dict({MARK: m}, **entries)))
        return self

    def call(self, op, key, sent, answered, unheard=False, done=True, values=()):
        self.calls.append(Call(op, key, done, sent, answered, unheard, frozenset(values)))
        return self

    def table(self):
        """The rows are all that was left."""
        self.scan = (self.now + 100, self.now + 101)
        return self


def h():
    return History()


# What is wrong with it: the rule (the word before the colon), the history.
BROKEN = [
    ("a lost update", "writes", h().begin().write("w", k="w").read()),
    ("a lost update in the table", "writes", h().begin().write("w", k="w").row().table()),
    ("an update lost to a concurrent one of another entry", "writes",
     h().begin(k="b").write("w", at=(2, 3), k="w").write("x", at=(2, 3), j="x").read(at=(4, 5), k="b", j="x")),
    ("a stale read", "writes", h().begin().write("v", k="v").write("w", seen={"k": "v"}, k="w").read(k="v")),
    ("a stale read after another saw the new value", "writes",
     h().begin().write("v", k="v").write("w", outcome="failed", k="w").read(k="w").read(k="v")),
    ("a removed entry that is back", "writes", h().begin(k="b").write("w", k=None).read(k="b")),
    ("an entry removed by nobody", "writes", h().begin(k="b").read()),
    ("an overwritten value after a failed write", "writes",
     h().begin(k="b").write("v", k="v").write("w", outcome="failed", k="w").read(k="b")),
    ("half a write", "writes", h().begin(k="b", j="b").write(
        "w", at=(2, 9), k="w", j="w").read(at=(3, 4), k="w", j="b")),
    ("a value from the future", "writes", h().begin().read(k="w").write("w", k="w")),
    ("a value that nobody wrote", "writes", h().begin().read(k="z")),
    ("a write lost by a renewal", "writes", h().begin().write("w", k="w").renew(seen={"k": "w"}).read("B")),
    ("a write lost by a renewal, in the table", "writes",
     h().begin().write("w", k="w").renew(seen={"k": "w"}).row("B").table()),
    ("a write lost that the table took before the renewal", "writes",
     h().begin().write("w", at=(2, 4), k="w").renew(at=(2, 5)).call("UpdateItem", "A", 2.5, 2.6, values=["w"]).read(
         "B", at=(6, 7))),
    ("a session lost", "lost", h().begin().none()),
    ("a session lost, in the table", "lost", h().begin().table()),
    ("a session lost after a renewal", "lost", h().begin().renew().none("B")),
    ("a session lost by a failed renewal, without a delete", "lost", h().begin().renew(outcome="failed").none()),
    ("a session lost by a failed renewal that heard what it did", "lost",
     h().begin().renew(outcome="failed").call("end", "A", 2.1, 2.2).none()),
    ("a session lost before its end", "lost", h().begin().none().end(outcome="failed")),
    ("a session begun without an ID", "lost", h().begin(None)),
    ("a revived session", "revived", h().begin().end().read()),
    ("a revived session, ended by the function", "revived", h().begin().end(kind="end").read()),
    ("a revived session, in the table", "revived", h().begin().end().row().table()),
    ("an old ID alive after a renewal", "revived", h().begin().renew().read()),
    ("an old ID alive after a login, in the table", "revived",
     h().begin().renew(kind="login").row().row("B").table()),
    ("a session back after an end of unknown outcome was seen", "revived",
     h().begin().end(outcome="failed").none().read()),
    ("a shared ID", "shared", h().begin().begin("A", n="c")),
    ("another's session", "shared", h().begin().begin("C", n="c").read("A", m="c")),
    ("another's session, in the table", "shared", h().begin().begin("C", n="c").write("w", "C", m="c", k="w").row(
        "A", k="w").row("C", m="c", k="w").table()),
    ("another's entry", "shared", h().begin().begin("C", n="c").write("w", "C", m="c", k="w").read("A", k="w")),
    ("a session without its mark", "shared", h().begin().op("read", "A", seen={"k": "b"})),
    ("a session without an ID", "shared", h().begin().op("read", None, seen={MARK: "b"})),
    ("two new IDs of one", "shared", h().begin().renew(at=(3, 6)).renew(at=(3, 6), new="C")),
    ("a new ID that nobody asked for", "cookies", h().begin().op("set", "A", seen={MARK: "b"}, issued="C")),
    ("an ID without a session", "cookies", h().op("read", None, seen={}, issued="C")),
    ("a failure that carries an ID", "cookies", h().begin().op("renew", "A", outcome="failed", issued="C")),
    ("a late answer that ends the cookie", "cookies",
     h().begin().end(at=(3, 4)).op("set", "A", (2, 5), seen={MARK: "b"}, issued="", writes={"k": "x"})),
    ("a dead ID whose cookie is ended", "cookies", h().begin().end().op("read", "A", seen={}, issued="")),
    ("an end that leaves the cookie", "cookies", h().begin().op("clear", "A", seen={MARK: "b"})),
    ("no answer", "answers", h().begin().op("read", "A", outcome="unknown")),
    ("a row from nowhere", "rows", h().begin().row().row("X").table()),
    ("more rows than writes of unknown outcome", "rows",
     h().begin().renew(outcome="failed").row().row("X").row("Y").table()),
]

# Sound: what it shows, exclusions, the history.
SOUND = [
    ("reads, writes, a removal", {}, h().begin(k="b").write("w", k="w").read(k="w").write(
        "x", seen={"k": "w"}, k=None, j="x").read(j="x").row(j="x").table()),
    ("of concurrent writes any", {}, h().begin().write("v", at=(2, 5), k="v").write("w", at=(3, 4), k="w").read(
        at=(6, 7), k="v")),
    ("now the one, now the other, while both are under way", {},
     h().begin().write("v", at=(2, 9), k="v").write("w", at=(2, 9), k="w").read(at=(3, 4), k="v").read(
         at=(5, 6), k="w").read(at=(7, 8), k="v")),
    ("a failed write that was done", {}, h().begin().write("w", outcome="failed", k="w").read(k="w")),
    ("a failed write that was done late", {},
     h().begin().write("w", outcome="failed", k="w").read().read(k="w")),
    ("a failed write that was not done", {}, h().begin().write("w", outcome="failed", k="w").read()),
    ("a read beside a write", {}, h().begin().write("w", at=(2, 9), k="w").read(at=(3, 4)).read(at=(5, 6), k="w")),
    ("an end", {}, h().begin().read().end().none().table()),
    ("an end of unknown outcome", {}, h().begin().end(outcome="failed").read().none().table()),
    ("an end beside a read", {}, h().begin().end(at=(2, 9)).read(at=(3, 4)).none(at=(5, 6))),
    ("a renewal takes all along", {}, h().begin(k="b").write("w", k="w").renew(
        seen={"k": "w"}).read("B", k="w").none("A").row(
        "B", k="w").table()),
    ("a failed renewal", {}, h().begin().renew(outcome="failed").read().row().table()),
    ("a failed renewal whose delete was done", {"renewal cut": 1},
     h().begin().renew(outcome="failed").call("end", "A", 2.1, 2.2, True).none().table()),
    ("a failed renewal that leaves a row", {"left behind": 1},
     h().begin().renew(outcome="failed").row().row("X").table()),
    ("a beginning of unknown outcome", {"left behind": 1}, h().op(
        "set", None, n="b", outcome="failed", writes={MARK: "b"}).row("X").table()),
    ("a row that came late", {"late put": 1}, h().begin().end().call("PutItem", "A", 1, 9, True).call(
        "DeleteItem", "A", 2, 2.1).row().table()),
    ("what is seen of a row that came late", {"late put": 1},
     h().begin(k="b").write("w", k="w").end(seen={"k": "w"}).call("PutItem", "A", 9, 9.5, True).call(
         "DeleteItem", "A", 3, 3.1).read(at=(20, 21), k="b")),
    ("a write dropped for the session moved away", {"moved away": 1},
     h().begin().write("w", at=(2, 4), k="w").renew(at=(2, 3)).read("B", at=(5, 6))),
    ("a renewal that came second", {}, h().begin().renew(at=(2, 4)).renew(at=(2, 4), new=None).row("B").table()),
    ("a dropped request in a process that was killed", {},
     h().begin().op("read", "A", outcome="unknown", excuse=True)),
    ("two sessions", {}, h().begin().begin("C", n="c").write("w", "C", m="c", k="w").read("C", m="c", k="w").read("A")),
]


def run():
    """TAP. True when all is well."""
    good, number = True, 0
    for what, rule, history in BROKEN:
        found = Judge(history.ops, history.rows, history.calls, history.scan).judge().violations
        right = found and all(text.startswith(rule + ":") for text in found)
        number, good = number + 1, good and right
        print("%sok %d - found: %s (%s)" % ("" if right else "not ", number, what, rule))
        if not right:
            print("# found instead: %s" % (found or "nothing"))
    for what, exclusions, history in SOUND:
        judge = Judge(history.ops, history.rows, history.calls, history.scan).judge()
        counted = {name: count for name, count in judge.exclusions.items() if count}
        right = not judge.violations and counted == exclusions
        number, good = number + 1, good and right
        print("%sok %d - sound: %s" % ("" if right else "not ", number, what))
        if not right:
            print("# violations: %s, exclusions: %s" % (judge.violations, counted))
    print("1..%d" % number)
    return good
