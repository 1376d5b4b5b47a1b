"""The judge, judged: histories with a fault each, which it has to find; and sound ones, where it may find none."""

from .history import MARK, Call, Op, Row
from .judge import Judge


class History:
    """Written down one after the other; `at` gives other times."""

    def __init__(self):
        self.ops, self.rows, self.calls, self.now, self.scan, self.calm = [], [], [], 0.0, None, False
        self.first = {}      # mark -> entries that the session began with

    def op(self, kind, id=None, at=None, **more):
        self.now += 1
        inv, res = at or (self.now, self.now + 0.5)
        self.ops.append(Op(more.pop("n", "1.%d" % len(self.ops)), kind, id, inv, res, **more))
        return self

    def begin(self, id="A", n="b", at=None, **writes):
        self.first[n] = dict({MARK: n}, **writes)
        return self.op("set", None, at, n=n, seen={}, writes=dict({MARK: n}, **writes), issued=id)

    def read(self, id="A", at=None, m="b", ages=False, **seen):
        return self.op("read", id, at, seen=dict({MARK: m}, **seen), ages=ages)

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

    def end(self, id="A", at=None, m="b", outcome="ok", kind="clear", seen=None, **more):
        return self.op(kind, id, at, seen=dict(self.first[m], **(seen or {})) if outcome == "ok" else None, outcome=outcome,
                       issued="" if outcome == "ok" else None, **more)

    def enter(self, user, id="A", new="B", n="e", at=None, m="b", seen=None, realm="user", **more):
        """A login by an entry, which sets another, too."""
        more.setdefault("writes", {"k": n})
        return self.op("enter", id, at, n=n, login=(realm, user), issued=new,
                       seen=dict(self.first[m], **(seen or {})) if seen != {} else {}, **more)

    def basic(self, user, id="A", new=None, at=None, m="b", seen=None, **more):
        return self.op("basic", id, at, login=("basic", user), issued=new,
                       seen=dict(self.first[m], **(seen or {})) if seen != {} else {}, **more)

    def age(self, id="A", new="B", at=None, m="b", kind="read", seen=None, **more):
        """A new ID by age, or that of before."""
        more.setdefault("ages", True)
        return self.op(kind, id, at, seen=dict(self.first[m], **(seen or {})), issued=new, **more)

    def refused(self, n, id="A", at=None, kind="set", retry=True, **writes):
        return self.op(kind, id, at, n=n, outcome="failed", writes=writes, retry=retry)

    def pause(self, seconds):
        self.now += seconds
        return self

    def without_faults(self):
        self.calm = True
        return self

    def judge(self):
        return Judge(self.ops, self.rows, self.calls, self.scan, calm=self.calm).judge()

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
     h().begin().basic("alice", new="B").row().row("B").table()),
    ("a session back after an end of unknown outcome was seen", "revived",
     h().begin().end(outcome="failed").call("DeleteItem", "A", 2.1, 2.2, True).none().read()),
    ("a shared ID", "shared", h().begin().begin("A", n="c")),
    ("another's session", "shared", h().begin().begin("C", n="c").read("A", m="c")),
    ("another's session, in the table", "shared", h().begin().begin("C", n="c").write("w", "C", m="c", k="w").row(
        "A", k="w").row("C", m="c", k="w").table()),
    ("another's entry", "shared", h().begin().begin("C", n="c").write("w", "C", m="c", k="w").read("A", k="w")),
    ("a session without its mark", "writes", h().begin().op("read", "A", seen={"k": "b"})),
    ("a session without an ID", "shared", h().begin().op("read", None, seen={MARK: "b"})),
    ("a new ID that nobody asked for", "cookies", h().begin().op("set", "A", seen={MARK: "b"}, issued="C")),
    ("an ID without a session", "cookies", h().op("read", None, seen={}, issued="C")),
    ("a failure that carries an ID", "cookies", h().begin().op("renew", "A", outcome="failed", issued="C")),
    ("a late answer that ends the cookie", "cookies",
     h().begin().end(at=(3, 4)).op("set", "A", (2, 5), seen={MARK: "b"}, issued="", writes={"k": "x"})),
    ("a dead ID whose cookie is ended", "cookies", h().begin().end().op("read", "A", seen={}, issued="")),
    ("an end that leaves the cookie", "cookies", h().begin().op("clear", "A", seen={MARK: "b"})),
    ("no answer", "answers", h().begin().op("read", "A", outcome="unknown")),
    ("a row from nowhere", "rows", h().begin().row().row("X").table()),
    ("a row from a request that gave its ID away", "rows",
     h().begin().row().row("X").call("PutItem", "X", 1.1, 1.2).table()),
    ("more rows than writes of unknown outcome", "rows",
     h().begin().renew(outcome="failed").row().row("X").row("Y").call("PutItem", "X", 2.1, 2.2).call(
         "PutItem", "Y", 2.3, 2.4).table()),

    # Users.
    ("another user sees the session", "users", h().begin().enter("alice").read("B", k="e")),
    ("another user's entries", "shared", h().enter("alice", None, "A", n="a", seen={}).op(
        "enter", "A", n="e", login=("user", "bob"), seen={"k": "a", "user": "alice"}, writes={"j": "e"},
        issued="B").op("read", "B", seen={"j": "e", "k": "a", "user": "bob"})),
    ("another user's mark", "shared", h().enter("alice", None, "A", n="a", seen={}, writes={MARK: "a"}).op(
        "enter", "A", n="e", login=("user", "bob"), seen={MARK: "a", "user": "alice"}, writes={"j": "e"}, issued="B").op(
        "read", "B", seen={MARK: "a", "j": "e", "user": "bob"})),
    ("two users", "users", h().enter("alice", None, "A", n="a", seen={}, writes={MARK: "a"}).op(
        "enter", "A", n="e", login=("user", "bob"), seen={MARK: "a", "user": "alice"}, writes={"j": "e"}, issued="B").op(
        "read", "B", seen={"j": "e", "user": "alice"})),
    ("a user of HTTP authentication sees another one's session", "users",
     h().begin().basic("alice", new="B").basic("bob", "B", seen=None)),
    ("what another user of HTTP authentication left", "shared", h().begin(k="b").basic("alice", new="B").basic(
        "bob", "B", "C", n="x", seen={}, writes={MARK: "x"}).op("read", "C", seen={MARK: "x", "k": "b"})),
    ("another user, and the session goes on", "revived", h().begin().basic("alice", new="B").basic(
        "bob", "B", "C", n="x", seen={}, writes={MARK: "x"}).read("B")),
    ("a login that keeps the ID", "cookies", h().begin().enter("alice", new=None)),
    ("a login that keeps the ID, by HTTP authentication", "cookies",
     h().begin().basic("alice", n="x", writes={"k": "x"})),
    ("a login repeated, with a new ID", "cookies", h().begin().basic("alice", new="B").basic("alice", "B", "C")),
    ("a logout that leaves the session", "cookies", h().enter("alice", None, "A", n="a", seen={}, writes={MARK: "a"}).op(
        "leave", "A", login=("user", None), seen={MARK: "a", "user": "alice"})),
    ("a logout that ends nothing", "revived", h().enter("alice", None, "A", n="a", seen={}, writes={MARK: "a"}).op(
        "leave", "A", login=("user", None), seen={MARK: "a", "user": "alice"}, issued="").op(
            "read", "A", seen={MARK: "a", "user": "alice"})),
    ("the logout of nobody ends the session", "cookies", h().begin().op(
        "leave", "A", login=("user", None), seen={MARK: "b"}, issued="")),
    ("an entry of a user that nobody set", "users", h().begin().read(user="alice")),
    ("an entry of a user in the table that nobody set", "users", h().begin().row(user="alice").table()),
    ("a new session with what was before", "shared", h().begin(k="b").op(
        "create", "A", n="c", seen={MARK: "b", "k": "b"}, writes={MARK: "c"}, issued="B").op(
            "read", "B", seen={MARK: "c", "k": "b"})),

    # IDs that were replaced.
    ("a change with an ID that was replaced begins a session", "refused", h().begin().renew().op(
        "set", "A", n="x", seen={}, writes={MARK: "x"}, issued="C")),
    ("a change with an ID whose user gave way to another", "refused", h().begin().basic("alice", new="B").basic(
        "bob", "B", "C", n="x", seen={}, writes={MARK: "x"}).op("set", "B", n="y", seen={}, writes={MARK: "y"}, issued="D")),
    ("the same by HTTP authentication", "refused", h().begin().renew().basic(
        "alice", new="C", n="x", seen={}, writes={MARK: "x"})),
    ("a refused change that is there", "shared", h().begin().renew().refused("x", k="x").read("B", k="x")),
    ("a refused change in a new session", "shared", h().begin().renew().refused("x", k="x").enter(
        "alice", new="C", seen={}, writes={MARK: "e"}).op("read", "C", seen={MARK: "e", "k": "x", "user": "alice"})),
    ("a change that was refused when it was stored, and heard", "refused", h().begin().write(
        "x", outcome="failed", k="x").read(k="x").row(k="x").call("UpdateItem", "A", 2.1, 2.2, values=["x"]).table()),
    ("a change that was stored although the session moved", "writes",
     h().begin().write("w", at=(2, 4), k="w").renew(at=(2, 3)).read("B", at=(5, 6))),
    ("a change lost between two logins", "writes", h().begin().write("w", k="w").enter(
        "alice", at=(3, 6), seen={"k": "w"}, n="e", writes={}).enter(
            "bob", new="C", n="f", at=(3, 6), seen={"k": "w"}, writes={}).read("B", at=(7, 8), user="alice")),
    ("a copy with a change that came later", "shared", h().begin().renew(at=(2, 6)).call("PutItem", "B", 2.1, 2.2).write(
        "w", at=(2.2, 2.6), k="w").call("UpdateItem", "A", 2.3, 2.4, values=["w"]).renew(
            at=(2, 7), new="C").call("end", "A", 2.5, 2.6).call("PutItem", "C", 2.7, 2.8).read("C", at=(8, 9), k="w")),
    ("a second login that gets nothing", "cookies",
     h().begin().renew(at=(2, 4)).renew(at=(2, 4), new=None).row("B").table()),
    ("an ID that was replaced twice", "calls", h().begin().renew(at=(2, 4)).renew(at=(2, 4), new="C").call(
        "end", "A", 3, 3.1).call("end", "A", 3.2, 3.3)),
    ("a 503 of a read", "refused", h().begin().refused("x", kind="read").without_faults()),
    ("a 503 of a change in a session that goes on", "refused", h().begin().refused("x", k="x").without_faults()),
    ("a 503 of an end", "refused", h().begin().end().refused("x", kind="clear").without_faults()),
    ("a 503 of a login with an ID that was replaced", "refused",
     h().begin().renew().refused("x", kind="renew", k="x").without_faults()),
    ("a refusal for ever", "refused", h().begin().renew().refused("x", k="x", retry=False).without_faults()),

    # IDs that age.
    ("an old ID refused before the new one is used", "lost", h().begin().age().none()),
    ("an old ID refused in the second in which the new one is used", "lost",
     h().begin().age().read("B", at=(9.1, 9.2)).none(at=(9.3, 9.4))),
    ("an old ID for ever", "revived", h().begin().age().read("B").pause(9).age().call(
        "succeed", "A", 2.1, 2.2).call("seen", "B", 3.1, 3.2, values=["3"])),
    ("an old ID alive after its successor's end", "revived", h().begin().age().end("B").age()),
    ("a new ID alive after the end by the old one", "revived", h().begin().age().end().read("B")),
    ("a new ID alive after a login with the old one", "revived", h().begin().age().renew(new="C").read("B")),
    ("a change by an old ID that is lost", "writes", h().begin().age().age(n="w", kind="set", writes={"k": "w"}).read("B")),
    ("a change before the new ID that is lost", "writes", h().begin().write("w", k="w").age(seen={"k": "w"}).read("B")),
    ("two new IDs by age", "shared", h().begin().age().age(new="C")),
    ("an old ID without the new one", "cookies", h().begin().age().read()),
    ("a change by an old ID without the new one", "cookies", h().begin().age().write("w", k="w").read("B", k="w")),
    ("a new ID by age where none ages", "cookies", h().begin().age(ages=False)),
    ("a new ID by age, and the old one is not replaced", "cookies", h().begin().age().row("B").call(
        "PutItem", "B", 2.1, 2.2).table()),
    ("the new ID of another session", "shared", h().begin().begin("C", n="c").age().age("C", "B", m="c")),
    ("another session under the new ID", "shared", h().begin().begin("C", n="c").age().read("B", m="c")),
    ("a change with an old ID begins a session", "refused", h().begin().age().read("B").pause(5).op(
        "set", "A", n="x", seen={}, writes={MARK: "x"}, issued="C")),
    ("a session lost after a new ID by age", "lost", h().begin().age().none("B")),
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
    ("a failed write that was done", {"done unheard": 1}, h().begin().write("w", outcome="failed", k="w").read(k="w")),
    ("a failed write that was done late", {"done unheard": 1},
     h().begin().write("w", outcome="failed", k="w").read().read(k="w")),
    ("a failed write whose last call had little of the request's time left", {"done unheard": 1},
     h().begin().write("w", at=(2, 2.6), outcome="failed", k="w").call("UpdateItem", "A", 2.4, 2.55, values=["w"]).read(
         k="w").row(k="w").table()),
    ("a failed write that was not done", {}, h().begin().write("w", outcome="failed", k="w").read()),
    ("a read beside a write", {}, h().begin().write("w", at=(2, 9), k="w").read(at=(3, 4)).read(at=(5, 6), k="w")),
    ("an end", {}, h().begin().read().end().none().table()),
    ("an end of unknown outcome", {}, h().begin().end(outcome="failed").read().row().table()),
    ("an end of unknown outcome that came late", {"end cut": 1}, h().begin().end(outcome="failed").call(
        "DeleteItem", "A", 3.7, 3.8, True).read().none().table()),
    ("an end beside a read", {}, h().begin().end(at=(2, 9)).read(at=(3, 4)).none(at=(5, 6))),
    ("a renewal takes all along", {}, h().begin(k="b").write("w", k="w").renew(
        seen={"k": "w"}).read("B", k="w").none("A").row(
        "B", k="w").table()),
    ("a failed renewal", {}, h().begin().renew(outcome="failed").read().row().table()),
    ("a failed renewal whose delete was done", {"renewal cut": 1},
     h().begin().renew(outcome="failed").call("end", "A", 2.1, 2.2, True).none().table()),
    ("a failed renewal that leaves a row", {"left behind": 1},
     h().begin().renew(outcome="failed").row().row("X").call("PutItem", "X", 2.1, 2.2).table()),
    ("a beginning of unknown outcome", {"left behind": 1}, h().op(
        "set", None, n="b", outcome="failed", writes={MARK: "b"}).row("X").call("PutItem", "X", 1.1, 1.2).table()),
    ("a row that came late", {"late put": 1}, h().begin().end().call("PutItem", "A", 1, 9, True).call(
        "DeleteItem", "A", 2, 2.1).row().table()),
    ("what is seen of a row that came late", {"late put": 1},
     h().begin(k="b").write("w", k="w").end(seen={"k": "w"}).call("PutItem", "A", 9, 9.5, True).call(
         "DeleteItem", "A", 3, 3.1).read(at=(20, 21), k="b")),
    ("a write done unheard, then merged by a renewal", {"done unheard": 1},
     h().begin().write("w", at=(2, 4), outcome="failed", k="w").renew(at=(2, 5)).call(
         "UpdateItem", "A", 2.1, 2.2, True, values=["w"]).call("end", "A", 3, 3.1).read("B", at=(6, 7), k="w").row(
             "B", k="w").table()),
    ("an end of unknown outcome that was done", {"end cut": 1}, h().begin().end(outcome="failed").call(
        "DeleteItem", "A", 2.1, 2.2, True).none().table()),
    ("two renewals at once", {}, h().begin().renew(at=(2, 4)).renew(at=(2, 4), new="C").read(
        "B", at=(5, 6)).read("C", at=(5, 6)).row("B").row("C").table()),
    ("two renewals and a change at once", {"either": 2}, h().begin().write("w", at=(2, 3), k="w").renew(at=(2, 4)).renew(
        at=(2, 4), new="C").read("B", at=(5, 6)).read("C", at=(5, 6), k="w").row("B").row("C", k="w").table()),
    ("a copy, as the calls say", {}, h().begin().renew(at=(2, 6)).call("PutItem", "B", 2.1, 2.2).write(
        "w", at=(2.2, 2.6), k="w").renew(at=(2, 7), new="C").call("end", "A", 2.5, 2.6).call(
            "PutItem", "C", 2.7, 2.8).read("B", at=(8, 9), k="w").read("C", at=(8, 9))),
    ("a dropped request in a process that was killed", {},
     h().begin().op("read", "A", outcome="unknown", excuse=True)),
    ("logins and logouts in two realms", {}, h().begin().enter("alice", new="B").op(
        "enter", "B", n="f", login=("account", "bob"), seen={MARK: "b", "k": "e", "user": "alice"}, writes={"k": "f"},
        issued="C").basic("alice", "C", "D", seen={"k": "f", "user": "alice", "account": "bob"}).op(
            "read", "D", seen={MARK: "b", "k": "f", "user": "alice", "account": "bob"}).op(
                "leave", "D", login=("account", None), seen={MARK: "b", "k": "f", "user": "alice", "account": "bob"},
                issued="").none("D").table()),
    ("another user", {}, h().enter("alice", None, "A", n="a", seen={}, writes={MARK: "a", "k": "a"}).op(
        "enter", "A", n="e", login=("user", "bob"), seen={MARK: "a", "k": "a", "user": "alice"}, writes={"j": "e"},
        issued="B").op("read", "B", seen={"j": "e", "user": "bob"}).op(
            "set", "B", n="w", seen={"j": "e", "user": "bob"}, writes={MARK: "w", "k": "w"}).op(
                "read", "B", seen={MARK: "w", "j": "e", "k": "w", "user": "bob"}).none("A")),
    ("the same user again", {}, h().enter("alice", None, "A", n="a", seen={}, writes={MARK: "a"}).op(
        "enter", "A", n="e", login=("user", "alice"), seen={MARK: "a", "user": "alice"}, writes={"k": "e"}).op(
            "read", "A", seen={MARK: "a", "k": "e", "user": "alice"})),
    ("another user of HTTP authentication", {}, h().begin().basic("alice", new="B").basic(
        "bob", "B", "C", n="x", seen={}, writes={MARK: "x"}).none("B").op("read", "C", seen={MARK: "x"})),
    ("another user of HTTP authentication who sets nothing", {},
     h().begin().basic("alice", new="B").basic("bob", "B", "", seen={}).none("B").basic("bob", "B", seen={}).table()),
    ("a session after another user of HTTP authentication ended one", {},
     h().begin().basic("alice", new="B").basic("bob", "B", "", seen={}).op(
         "set", "B", n="y", seen={}, writes={MARK: "y"}, issued="D")),
    ("a login of HTTP authentication that came second", {},
     h().begin().basic("alice", new="B", at=(2, 4)).basic("alice", at=(2, 4)).read("B", at=(5, 6)).none(at=(5, 6))),
    ("another session for the same browser", {}, h().begin(k="b").op(
        "create", "A", n="c", seen={MARK: "b", "k": "b"}, writes={MARK: "c"}, issued="B").op("read", "B", seen={MARK: "c"})),
    ("a refused change", {}, h().begin().renew().refused("x", k="x").none().read("B").without_faults()),
    ("a change refused because the session ended meanwhile", {},
     h().begin().end(at=(2, 4)).refused("x", at=(2, 5), k="x").without_faults()),
    ("a login refused because the session ended meanwhile", {},
     h().begin().end(at=(2, 4)).refused("x", at=(2, 5), kind="renew", k="x").without_faults()),
    ("an end that meets an end", {}, h().begin().end(at=(2, 4)).end(at=(2, 4)).none(at=(5, 6)).without_faults()),
    ("a login with an ID that was replaced", {}, h().begin(k="b").renew().enter(
        "alice", new="C", n="x", seen={}, writes={MARK: "x"}).op("read", "C", seen={MARK: "x", "user": "alice"}).read(
            "B", k="b")),
    ("a change a minute after the login", {}, h().begin().renew().pause(61).op(
        "set", "A", n="x", seen={}, writes={MARK: "x"}, issued="C")),
    ("IDs by age", {}, h().begin(k="b").age().age().read("B", k="b").pause(2).none().age("B", "C").read("C", k="b").age(
        "B", "C").pause(2).none("B").row("C", k="b").call("PutItem", "B", 2.1, 2.2).call("succeed", "A", 2.2, 2.3).call(
            "PutItem", "C", 8.1, 8.2).call("succeed", "B", 8.2, 8.3).table()),
    ("an old ID for as long as nobody uses the new one", {}, h().begin().age().pause(99).age().pause(99).age()),
    ("a change by an old ID", {}, h().begin().age().age(n="w", kind="set", writes={"k": "w"}).age(
        seen={"k": "w"}).read("B", k="w")),
    ("a change beside the renewal by age", {}, h().begin().age(at=(2, 5)).write("w", at=(2, 6), k="w").read(
        "B", at=(7, 8), k="w")),
    ("a change by an old ID whose answer was lost, and the session over before it was settled", {},
     h().begin().age().write("w", at=(3, 9), k="w").end("B", at=(4, 5), seen={"k": "w"}).none("B", at=(10, 11))),
    ("an end by an old ID", {}, h().begin().age().end().none("B").none().table()),
    ("a login with an old ID", {}, h().begin().age().renew(new="C").none("B").none().read("C")),
    ("an old ID two IDs ago", {}, h().begin().age().age("B", "C").none(at=(3.6, 3.8))),
    ("a new ID by age that another request tells", {}, h().begin().read(ages=True).call(
        "PutItem", "B", 2.1, 2.2).call("succeed", "A", 2.2, 2.3, True).age(ages=False).row("B").table()),
    ("a row of a renewal by age that did not come off", {"left behind": 1}, h().begin().read(ages=True).row().row(
        "X").call("PutItem", "X", 2.1, 2.2).table()),
    ("two sessions", {}, h().begin().begin("C", n="c").write("w", "C", m="c", k="w").read("C", m="c", k="w").read("A")),
]


def run():
    """TAP. True when all is well."""
    good, number = True, 0
    for what, rule, history in BROKEN:
        found = history.judge().violations
        right = found and all(text.startswith(rule + ":") for text in found)
        number, good = number + 1, good and right
        print("%sok %d - found: %s (%s)" % ("" if right else "not ", number, what, rule))
        if not right:
            print("# found instead: %s" % (found or "nothing"))
    for what, exclusions, history in SOUND:
        judge = history.judge()
        counted = {name: count for name, count in judge.exclusions.items() if count}
        right = not judge.violations and counted == exclusions
        number, good = number + 1, good and right
        print("%sok %d - sound: %s" % ("" if right else "not ", number, what))
        if not right:
            print("# violations: %s, exclusions: %s" % (judge.violations, counted))
    print("1..%d" % number)
    return good
