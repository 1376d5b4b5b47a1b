"""Whether a history of requests can be explained by sessions that behave.

A history is a list of Op, one for each request that a client made; Row, what the table held at the end; and Call, what
reached the table, by which the few exclusions below are proved. All times are of one monotonic clock.

What is proved, for all sessions:
  lost      no ID stops being a session's unless somebody ended or renewed it
  revived   no ID is a session's again once it was ended or renewed (an acknowledged end, or one that was seen to be)
  shared    no ID is given out twice, and none shows another session's entries; the entry m names a session for ever
  cookies   only the response of a request that began or renewed a session carries an ID, only that of an end ends one
  writes    no acknowledged write is lost: of each entry a request sees the value of a write that was not surely
            overwritten before it began. A write is over with its response, whatever that said; it surely happened when
            the response was a success, or when somebody has seen it. Of concurrent writes any may be seen.
  whole     what one request wrote is seen together
  rows      a row that nobody knows the ID of comes from a write whose outcome was not known, and there is one of each

Exclusions, each counted:
  renewal cut     a renewal answered 503 ended the session: its end was done, and no answer to any attempt came
  late put        a PutItem that was carried out after the row's end, its answer being given up long before
  moved away      a success whose change is not there, for another request gave the session a new ID meanwhile
  left behind     a row that nobody knows the ID of
"""

import collections

MARK = "m"                # the entry that names the session: the number of the request that began it
RENEWING = ("renew", "login")
ENDING = ("clear", "end")


class Op:
    """One request. `id`: the ID sent, or None. `outcome`: "ok", "failed" (503), "unknown" (no answer). `seen`: entries
    when the handler began, {} without a session, None if not known. `writes`: entry -> value, None for removed.
    `issued`: the ID handed out, "" for an end of the cookie, None for neither."""

    FIELDS = ("n", "kind", "id", "inv", "res", "outcome", "seen", "writes", "issued")
    __slots__ = FIELDS + ("excuse",)

    def __init__(self, n, kind, id=None, inv=0.0, res=0.0, outcome="ok", seen=None, writes=None, issued=None,
                 excuse=False):
        self.n, self.kind, self.id, self.inv, self.res, self.outcome = n, kind, id, inv, res, outcome
        self.seen, self.writes, self.issued, self.excuse = seen, writes or {}, issued, excuse

    def __str__(self):
        seen = "?" if self.seen is None else "&".join("%s=%s" % pair for pair in sorted(self.seen.items())) or "none"
        writes = " ".join("%s:%s" % pair for pair in sorted(self.writes.items()))
        return "%s %s [%.4f, %.4f] %s %s%s%s saw %s" % (
            self.n, self.kind, self.inv, self.res, self.outcome, "with " + self.id[:6] if self.id else "without an ID",
            " wrote " + writes if writes else "",
            "" if self.issued is None else " got " + (self.issued[:6] or "an end"), seen)


Row = collections.namedtuple("Row", "key entries")
# A write that reached the table: operation ("end": the UpdateItem by which a renewal ends the old session), table key,
# whether it was carried out, when it was passed on and answered, whether the answer may not have been heard (a fault
# spoilt it, or nobody waited any more), the values it stored.
Call = collections.namedtuple("Call", "op key done sent answered unheard values")


class Judge:
    def __init__(self, ops, rows=(), calls=(), scan=None, key_of=lambda id: id):
        """`rows`: of the whole table, read in the time `scan` (beginning, end); None: nothing is known of them."""
        self.ops, self.rows, self.scan, self.key_of = sorted(ops, key=lambda op: op.inv), rows, scan, key_of
        self.violations, self.exclusions = [], collections.Counter()
        self.calls = collections.defaultdict(list)
        for call in calls:
            self.calls[call.key].append(call)
        self.by_n = {op.n: op for op in self.ops}
        self.mark_of = {}                                # ID -> session
        self.uses = collections.defaultdict(list)        # ID -> requests that sent it

    def violation(self, rule, text, *ops):
        self.violations.append("%s: %s%s" % (rule, text, "".join("\n    " + str(op) for op in ops)))

    def judge(self):
        for op in self.ops:
            if op.id is not None:
                self.uses[op.id].append(op)
        self.identify()
        for op in self.ops:
            self.judge_response(op)
        rows = self.known_rows()
        self.renewed_during = {op.n: self.moving(op) for op in self.ops if op.writes and op.id}
        for id in self.mark_of:
            self.judge_life(id, rows.get(id))
        self.judge_entries(rows)
        return self

    # -- who is who

    def identify(self):
        self.issuers = {}
        for op in self.ops:
            if not op.issued:
                continue
            if op.issued in self.issuers:
                self.violation("shared", "an ID was given out twice", self.issuers[op.issued], op)
                continue
            self.issuers[op.issued] = op
            self.mark_of[op.issued] = op.seen.get(MARK) if op.seen else op.n

    def judge_response(self, op):
        if op.outcome == "unknown" and not op.excuse:
            self.violation("answers", "a request was not answered", op)
        if op.outcome != "ok":
            if op.issued is not None:
                self.violation("cookies", "a failure carries a cookie", op)
            return
        if op.seen and op.id is None:
            self.violation("shared", "a session without an ID", op)
        elif op.seen and op.id is not None and op.seen.get(MARK) != self.mark_of.get(op.id):
            self.violation("shared", "the ID is of session %s" % self.mark_of.get(op.id), op)
        if op.issued and op.seen and op.kind not in RENEWING:
            self.violation("cookies", "a new ID that nobody asked for", op)
        if op.issued and not op.seen and op.writes.get(MARK) != op.n:
            self.violation("cookies", "an ID without a session", op)
        if op.issued == "" and (op.kind not in ENDING or not op.seen):
            self.violation("cookies", "the end of a cookie that was not asked for", op)
        if op.seen == {} and op.writes and not op.issued:
            self.violation("lost", "a session was begun, and no ID given out", op)
        if op.kind in ENDING and op.seen and op.issued != "":
            self.violation("cookies", "an end that does not end the cookie", op)

    def known_rows(self):
        """ID -> row; those that nobody can know are judged here."""
        ids = {self.key_of(id): id for id in self.mark_of}
        rows, left = {}, collections.Counter()
        for row in self.rows:
            if row.key in ids:
                rows[ids[row.key]] = row
            else:
                left[row.entries.get(MARK)] += 1
        for mark, count in left.items():
            begun = self.by_n.get(mark)
            sources = [op for op in self.ops if op.kind in RENEWING and op.id and self.mark_of.get(op.id) == mark
                       and not op.issued and op.seen != {}]
            if begun and begun.outcome != "ok":
                sources.append(begun)
            if count > len(sources):
                self.violation("rows", "%d rows of session %s that nobody knows the ID of, from %d writes of unknown "
                               "outcome" % (count, mark, len(sources)), *sources)
            self.exclusions["left behind"] += count
        return rows

    # -- the life of an ID

    def surely_ended(self, op):
        return op.outcome == "ok" and bool(op.seen) and (
            op.kind in ENDING or op.kind in RENEWING and bool(op.issued))

    def maybe_ended(self, op):
        """Whether it may have ended its ID: a renewal answered 503 only if its end was done, unheard."""
        if op.kind in ENDING:
            return op.outcome != "ok" or bool(op.seen)
        if op.kind not in RENEWING or op.outcome == "ok":
            return self.surely_ended(op)
        return op.outcome == "unknown" or self.cut_renewal(op)

    def cut_renewal(self, op):
        return any(call.op == "end" and call.done and call.unheard and call.answered > op.inv
                   for call in self.calls[self.key_of(op.id)])

    def put_late(self, id):
        """When the row may have come back by a PutItem that was carried out late; None: it did not."""
        calls = self.calls[self.key_of(id)]
        deletes = [call.sent for call in calls if call.op == "DeleteItem" and call.done]
        return min((call.sent for call in calls if call.op == "PutItem" and call.done and call.unheard
                    and deletes and call.answered > min(deletes)), default=None)

    def of_late_row(self, id, res):
        at = self.put_late(id) if id is not None else None
        return at is not None and res > at

    def judge_life(self, id, row):
        uses = self.uses[id]
        ends = [op for op in uses if self.maybe_ended(op)]
        sure = [op for op in ends if self.surely_ended(op)]
        renewals = [op for op in sure if op.kind in RENEWING]
        if len(renewals) > 1:
            self.violation("shared", "two new IDs for one", *renewals)
        alive = [(op.inv, op.res, op) for op in uses if op.seen]
        # Who asked for a new ID, had a session, and got none, says that there was none any more.
        dead = [(op.inv, op.res, op) for op in uses
                if op.seen == {} or op.kind == "renew" and op.outcome == "ok" and op.seen and not op.issued]
        if self.scan:
            (alive if row else dead).append(tuple(self.scan) + ("the table at the end: %s" % (row or "no row",),))
        self.judge_dead(id, dead, ends)
        self.judge_alive(id, alive, dead, sure)

    def judge_dead(self, id, dead, ends):
        cut = False
        for inv, res, what in dead:
            before = [op for op in ends if op.inv < res]
            if not before:
                enders = [op for op in self.uses[id] if op.kind in RENEWING + ENDING]
                others = [op for op in self.uses[id] if op.inv < res and op not in enders]
                self.violation("lost", "the session of %s is gone, and nobody ended it" % id[:6], self.issuers[id],
                               *enders[:8], *others[-4:], what, *self.calls[self.key_of(id)][-8:])
                return
            cut = cut or all(op.kind in RENEWING and op.outcome == "failed" for op in before)
        self.exclusions["renewal cut"] += cut

    def judge_alive(self, id, alive, dead, sure):
        ended = [(op.res, op) for op in sure] + [(res, what) for _, res, what in dead]
        for inv, res, what in alive:
            before = [over for over in ended if over[0] < inv]
            if not before:
                continue
            if self.put_late(id) is not None:
                self.exclusions["late put"] += 1
            else:
                self.violation("revived", "the ID %s is a session's again" % id[:6], before[0][1], what)
            return

    # -- entries

    def moving(self, op):
        """The requests that may have given the session another ID while this one was under way."""
        return [other for other in self.uses[op.id] if other.n != op.n and other.kind in RENEWING
                and other.inv < op.res and op.inv < other.res and self.maybe_ended(other)]

    def stored(self, op):
        """Whether the table took what it wrote, as the calls have it."""
        values = {value for value in op.writes.values() if value is not None}
        return bool(values) and any(call.done and call.op == "UpdateItem" and values & call.values
                                    for call in self.calls[self.key_of(op.id)])

    def surely_written(self, op):
        if op.outcome != "ok" or op.seen is None:
            return False
        if op.seen == {} or op.issued:
            return True
        if op.kind == "renew":
            return False                     # ended by another one meanwhile
        if self.renewed_during.get(op.n) and not self.stored(op):
            self.exclusions["moved away"] += 1
            return False
        return True

    def judge_entries(self, rows):
        sessions = collections.defaultdict(list)         # mark -> (inv, res, entries, what)
        writers = collections.defaultdict(list)          # mark -> requests that wrote
        for op in self.ops:
            if op.seen and not self.of_late_row(op.id, op.res):
                sessions[op.seen.get(MARK)].append((op.inv, op.res, op.seen, op))
            if op.writes:
                if op.seen != {} and op.id is not None:
                    writers[self.mark_of.get(op.id)].append(op)
                if op.seen == {} or op.id is None:
                    writers[op.n].append(op)
        for id, row in rows.items():
            if self.of_late_row(id, self.scan[1]):
                continue
            sessions[self.mark_of[id]].append(tuple(self.scan) + (row.entries, "the table at the end: %s" % (row,)))
        for mark, reads in sessions.items():
            if mark in self.by_n:
                Session(self, mark, writers[mark]).judge(reads)


class Session:
    """The entries of one session: a register each."""

    def __init__(self, judge, mark, writers):
        self.judge_, self.mark = judge, mark
        self.writers = [op for op in writers if op.n == mark or op.kind not in ENDING]
        self.by_n = {op.n: op for op in self.writers}
        self.landed = {op.n: op.res for op in self.writers if judge.surely_written(op)}
        self.of_entry = collections.defaultdict(list)
        for op in self.writers:
            for name in op.writes:
                self.of_entry[name].append(op)

    def value(self, op, name):
        """What it made of an entry; the request that began the session wrote all of them."""
        return op.writes.get(name)

    def writes_to(self, name):
        begun = self.by_n.get(self.mark)
        found = self.of_entry[name]
        return found if begun is None or begun in found else [begun] + found

    def judge(self, reads):
        for inv, res, entries, what in reads:            # who was seen has landed
            for op in self.seen_in(entries):
                self.landed[op.n] = min(self.landed.get(op.n, res), res)
        names = set(self.of_entry) | {name for read in reads for name in read[2]}
        for read in reads:
            seen = {op.n for op in self.seen_in(read[2])}
            for name in names - {MARK}:
                if not self.judge_entry(name, read, seen):
                    return

    def seen_in(self, entries):
        for name, value in entries.items():
            op = self.by_n.get(value)
            if op and op.writes.get(name) == value:
                yield op

    def judge_entry(self, name, read, seen):
        inv, res, entries, what = read
        value = entries.get(name)
        candidates = [op for op in self.writes_to(name) if self.value(op, name) == value and op.inv < res]
        if not candidates:
            self.judge_.violation("shared" if value in self.judge_.by_n and value not in self.by_n else "writes",
                                  "entry %s of session %s is %s, which nobody wrote there" % (
                                      name, self.mark, value), what)
            return False
        newer = None
        for op in candidates:
            newer = next((later for later in self.writes_to(name) if later.inv > op.res and later.n != op.n
                          and (later.n in seen or self.landed.get(later.n, res) < inv)), None)
            if newer is None:
                return True
        self.judge_.violation("writes", "entry %s of session %s is %s, and was overwritten before" % (
            name, self.mark, value), candidates[-1], newer, what)
        return False
