"""What a run wrote down: the requests of the clients, the calls that reached the table, and the rows at the end. All times
are of one monotonic clock."""

import collections

MARK = "m"                      # an entry that a request with changes sets where there is none, to its own number
USERS = ("user", "account")     # entries that name a user: a realm each, as "basic" is
TOMBSTONE = 60                  # seconds for which the row of an ID that was replaced on demand tells so
GRACE = 1                       # seconds for which an ID that was replaced by age is accepted once its successor was used
PATIENCE = 0.4                  # seconds after which the module may have stopped waiting for an answer of the table


class Op:
    """One request. `id`: the ID sent, or None. `outcome`: "ok", "failed" (503), "unknown" (no answer). `seen`: entries
    when the handler began, {} without a session, None if not known. `writes`: entry -> value, None for removed.
    `login`: (realm, user) that it names, (realm, None) for a logout, or None. `issued`: the ID handed out, "" for an end
    of the cookie, None for neither. `ages`: sent to a host where IDs age. `retry`: a failure said when to come again."""

    FIELDS = ("n", "kind", "id", "inv", "res", "outcome", "seen", "writes", "login", "issued", "ages", "retry", "excuse")
    __slots__ = FIELDS

    def __init__(self, n, kind, id=None, inv=0.0, res=0.0, outcome="ok", seen=None, writes=None, login=None, issued=None,
                 ages=False, retry=False, excuse=False):
        self.n, self.kind, self.id, self.inv, self.res, self.outcome = n, kind, id, inv, res, outcome
        self.seen, self.writes, self.login, self.issued = seen, writes or {}, tuple(login) if login else None, issued
        self.ages, self.retry, self.excuse = ages, retry, excuse

    def __str__(self):
        seen = "?" if self.seen is None else "&".join("%s=%s" % pair for pair in sorted(self.seen.items())) or "none"
        writes = " ".join("%s:%s" % pair for pair in sorted(self.writes.items()))
        return "%s %s%s%s [%.4f, %.4f] %s %s%s%s saw %s" % (
            self.n, self.kind, " " + ":".join(map(str, self.login)) if self.login else "", " (ages)" if self.ages else "",
            self.inv, self.res, self.outcome, "with " + self.id[:6] if self.id else "without an ID",
            " wrote " + writes if writes else "",
            "" if self.issued is None else " got " + (self.issued[:6] or "an end"), seen)


Row = collections.namedtuple("Row", "key entries")


class Call(collections.namedtuple("Call", "op key done sent answered unheard values")):
    """A write that reached the table. `op`: PutItem, UpdateItem, DeleteItem; and of UpdateItem those that end an ID
    ("end": a tombstone; "succeed": the row leads to the ID's successor) or mark an ID as used ("seen"). Table key,
    whether it was carried out, when it was passed on and answered, whether the answer may not have been heard (a fault
    spoilt it, or nobody waited any more), the values it stored (of "seen": the second)."""

    __slots__ = ()

    def may_be_unheard(self, op=None):
        """`op`: the request that made it, whose time is limited as a whole: the last of several calls has less."""
        return self.unheard or self.answered - (op.inv if op else self.sent) > PATIENCE
