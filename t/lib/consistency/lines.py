"""Whose an ID is, and what a request is to its session.

A line is the IDs of one session that followed one another by age: while it lives, the last of them opens it, and those
before it for a while. A new ID on demand (a login, `renew`) begins a new line of the same session; another user, and a
request that lost the race with another login, begin a session of their own.

The users of a line never change, as each login and logout ends it: so who sends which ID says what a request comes to.
"""

import collections

PLAIN, RENEW, ANEW, END = "plain", "renew", "anew", "end"


class Line:
    def __init__(self, id, begun, users, parent=None):
        """`begun`: the request that got the first ID. `parent`: the line whose session, or whose copy, it has."""
        self.ids, self.begun, self.users, self.parent = [id], begun, users, parent
        self.ops = []            # requests that sent one of its IDs
        self.session = None


class Lines:
    def __init__(self, ops, complain):
        self.of, self.all = {}, []                           # ID -> line
        self.uses = collections.defaultdict(list)            # ID -> requests that sent it
        self.children = collections.defaultdict(dict)        # ID -> {ID that followed it by age: first known by}
        self.issuers = {}                                    # ID -> the first request that got it
        for op in ops:
            if op.id is not None:
                self.uses[op.id].append(op)
        for op in sorted(ops, key=lambda op: op.res):
            if op.issued:
                self.place(op, complain)
        for id, line in self.of.items():
            line.ops += self.uses[id]
        for line in self.all:
            line.ops.sort(key=lambda op: op.inv)

    def place(self, op, complain):
        """Where the ID that the request got belongs."""
        line, role = self.of.get(op.id), self.role(op)
        aged = line and op.seen and role in (PLAIN, END)
        if op.issued in self.issuers:
            if not aged or self.of[op.issued] is not line or op.issued == op.id:
                complain("shared", "an ID was given out twice", self.issuers[op.issued], op)
                return
            self.children[op.id].setdefault(op.issued, op)
            return
        self.issuers[op.issued] = op
        if aged:
            self.of[op.issued] = line
            line.ids.append(op.issued)
            self.children[op.id][op.issued] = op
            return
        users = dict(line.users) if line and op.seen and role == RENEW else {}
        users.update([op.login] if op.login and op.login[1] else [])
        self.of[op.issued] = Line(op.issued, op, users, line if op.seen and role == RENEW else None)
        self.all.append(self.of[op.issued])

    def role(self, op):
        """What it comes to where its ID opens a session."""
        users = self.of[op.id].users if op.id in self.of else {}
        if op.kind in ("clear", "end"):
            return END
        if op.kind in ("renew", "create"):
            return RENEW if op.kind == "renew" else ANEW
        if not op.login:
            return PLAIN
        realm, name = op.login
        if name is None:
            return END if realm in users else PLAIN
        return RENEW if realm not in users else PLAIN if users[realm] == name else ANEW

    def verified(self, op, dead=False):
        """Whether it verifies a login itself, so that it may go without the session of its ID. `dead`: that has ended."""
        return op.kind in ("renew", "create") or op.kind == "enter" and (dead or self.role(op) != PLAIN)

    def hidden(self, op):
        """Whether its user is another one than the session's, and shown nothing of it."""
        return op.kind == "basic" and self.role(op) == ANEW

    def loaded(self, op):
        """Whether the answer says that its ID opened a session."""
        return bool(op.seen) or self.hidden(op) and op.outcome == "ok" and op.issued == ""

    def gone(self, op):
        """Whether the answer says that its ID opened none (any more)."""
        if self.hidden(op):
            return op.outcome == "ok" and op.seen == {} and op.issued is None
        return op.seen == {} or (op.kind == "basic" and op.outcome == "ok" and op.issued is None and not op.writes
                                 and self.role(op) == RENEW)

    def later(self, id):
        """The IDs that followed it by age."""
        found, new = [], list(self.children[id]) if id in self.children else []
        while new:
            found += new
            new = [child for id in new if id in self.children for child in self.children[id] if child not in found]
        return found
