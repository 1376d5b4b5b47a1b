"""Whether a history of requests can be explained by sessions that behave.

What is proved, for all sessions:
  lost      no ID stops being a session's unless somebody ended or renewed it. An ID that was replaced by age opens the
            session until a second after somebody used the new one; if nobody does, for ever
  revived   no ID is a session's again once it was ended or renewed (an acknowledged end, or one that was seen to be); an
            end by any ID of those that followed one another by age ends them all; an ID that was replaced by age is
            refused when the row of its successor says so
  shared    no ID is given out twice, but to those whose ID was replaced by age: all get the same one; none shows another
            session's entries
  users     no session shows entries of two users: each entry that names one is as the logins and logouts have it, and a
            user of HTTP authentication is shown nothing of a session of another one's
  cookies   only the response of a request that began or renewed a session carries an ID, or one to an ID that is too old;
            only that of an end ends one. Who asks for a new ID, or verifies a login, and succeeds gets one. Who sends an
            ID that was replaced by age gets the new one
  refused   a change with an ID that was replaced is a 503 without a cookie that says when to come again; it begins no
            session, and is in none. Without faults there is no other 503, and a login with such an ID is none
  writes    no acknowledged write is lost: of each entry a request sees the value of a write that was not surely
            overwritten before it began. A write is over with its response, whatever that said; it surely happened when
            the response was a success, or when somebody has seen it. Of concurrent writes any may be seen. Another user's
            session, or one that lost the race with another login, begins with exactly what is said in lines.py
  whole     what one request wrote is seen together
  calls     the table took no second end of an ID
  rows      a row that nobody knows the ID of comes from a write whose outcome was not known, and there is one of each

Exclusions, each counted:
  renewal cut     a renewal answered 503 ended the session: its end was done, and no answer to any attempt came
  end cut         the same of an end
  done unheard    a change answered 503 that is there: the call that stored it was done, and its answer did not come
  late put        a PutItem that was carried out after the row's end, its answer being given up long before
  either          of two logins at once, one goes on with the session, and may have the changes made beside both; the
                  calls do not say which
  left behind     a row that nobody knows the ID of
"""

import collections
import math

from .entries import Session
from .history import GRACE, TOMBSTONE, USERS
from .lines import ANEW, END, PLAIN, RENEW, Lines

WRITES = ("PutItem", "UpdateItem")


class Judge:
    def __init__(self, ops, rows=(), calls=(), scan=None, key_of=lambda id: id, wall=0.0, calm=False):
        """`rows`: of the whole table, read in the time `scan` (beginning, end); None: nothing is known of them. `wall`:
        what to add to the times for those of the clock on the wall. `calm`: there were no faults."""
        self.ops, self.rows, self.scan, self.key_of = sorted(ops, key=lambda op: op.inv), rows, scan, key_of
        self.wall, self.calm, self.violations, self.exclusions = wall, calm, [], collections.Counter()
        self.counts = collections.Counter()
        self.has_calls = bool(calls)
        self.calls, self.storing = collections.defaultdict(list), collections.defaultdict(list)
        for call in sorted(calls, key=lambda call: call.sent):
            self.calls[call.key].append(call)
            for value in call.values if call.op in WRITES and call.done else ():
                self.storing[value].append(call)
        self.by_n = {op.n: op for op in self.ops}
        self.seen_failed = set()

    def violation(self, rule, text, *ops):
        self.violations.append("%s: %s%s" % (rule, text, "".join("\n    " + str(op) for op in ops)))

    def judge(self):
        self.lines = Lines(self.ops, self.violation)
        for line in self.lines.all:
            line.ends = [op for op in line.ops if self.maybe_ended(op)]
            line.sure = [op for op in line.ends if self.surely_ended(op)]
        self.count()
        for op in self.ops:
            self.judge_response(op)
            if op.outcome == "ok" and op.seen is not None:
                self.judge_users(op)
        rows = self.known_rows()
        for line in self.lines.all:
            self.judge_line(line, rows)
        for id in self.lines.of:
            self.judge_calls(id)
        self.judge_entries(rows)
        return self

    def count(self):
        for op in self.ops:
            role = self.lines.role(op)
            if op.outcome == "ok" and op.issued and op.id in self.lines.of:
                aged = op.seen and role == PLAIN
                self.counts["aged" if aged else "changes of user" if role == ANEW else "renewals" if op.seen
                            else "begun again"] += 1
            elif op.outcome == "ok" and op.issued == "":
                self.counts["ends"] += 1
        self.counts["IDs by age"] = sum(len(line.ids) - 1 for line in self.lines.all)

    def second(self, time):
        return math.floor(time + self.wall)

    # -- what the calls say

    def done(self, ids, *ops):
        return [call for id in ids for call in self.calls[self.key_of(id)] if call.op in ops and call.done]

    def replaced_at(self, id):
        """When it surely led to an ID that followed it by age."""
        times = [op.res for op in self.lines.children[id].values()] if id in self.lines.children else []
        return min(times + [call.answered for call in self.done([id], "succeed")], default=math.inf)

    def put_late(self, line):
        """When one of its rows may have come back by a PutItem that was carried out late; None: it did not."""
        late = []
        for id in line.ids:
            deletes = [call.sent for call in self.done([id], "DeleteItem")]
            late += [call.sent for call in self.done([id], "PutItem") if call.may_be_unheard() and deletes
                     and call.answered > min(deletes)]
        return min(late, default=None)

    def of_late_row(self, id, res):
        at = self.put_late(self.lines.of[id]) if id in self.lines.of else None
        return at is not None and res > at

    # -- the end of a line

    def ended_unheard(self, op):
        ends = ("end", "DeleteItem") if self.lines.role(op) == ANEW else (
            ("DeleteItem",) if self.lines.role(op) == END else ("end",))
        return any(call.may_be_unheard() and call.answered > op.inv
                   for call in self.done(self.lines.of[op.id].ids, *ends))

    def maybe_ended(self, op):
        """Whether it may have ended its line: one answered 503 only if its end was done, unheard."""
        role = self.lines.role(op)
        if role == PLAIN or op.outcome == "ok":
            return self.surely_ended(op) or role in (RENEW, ANEW) and bool(op.seen and op.issued)
        return op.outcome == "unknown" or self.ended_unheard(op)

    def surely_ended(self, op):
        role = self.lines.role(op)
        if op.outcome != "ok" or role == PLAIN or op.issued is None:
            return False
        if role == END:
            return bool(op.seen)
        return self.lines.hidden(op) or bool(op.seen) and not self.beside(op)

    def beside(self, op):
        """Whether it may have got a session of its own while its line lives: its ID was too old when it was to end."""
        return self.lines.verified(op) and self.out_of_grace(op.id, op.res)

    def out_of_grace(self, id, res):
        """Whether an ID that was replaced by age may be refused."""
        for child, issuer in self.lines.children.get(id, {}).items():
            used = [op.inv for each in [child] + self.lines.later(child) for op in self.lines.uses.get(each, ())]
            if used and self.second(min(used)) + GRACE <= self.second(res):
                return True
            if any(op.inv < res for op in self.lines.children.get(child, {}).values()) or any(
                    call.sent < res for call in self.done([child], "succeed")):
                return True              # two IDs ago
        return False

    def too_old(self, op):
        """Whether its ID must be refused, as the row of its successor says."""
        return any(call.answered < op.inv and int(value) + GRACE <= self.second(op.inv)
                   for child in self.lines.children.get(op.id, ()) for call in self.done([child], "seen")
                   for value in call.values)

    def dead_before(self, op):
        """Whether its ID was surely a session's no more when it began."""
        line = self.lines.of.get(op.id)
        return line is not None and (any(end.res < op.inv for end in line.sure) or self.too_old(op) or any(
            other.res < op.inv and self.lines.gone(other) for other in self.lines.uses[op.id]))

    # -- the response of a request

    def judge_response(self, op):
        lines = self.lines
        role, line = lines.role(op), lines.of.get(op.id)
        if op.outcome == "unknown" and not op.excuse:
            self.violation("answers", "a request was not answered", op)
        if op.outcome != "ok":
            if op.issued is not None and not (op.seen and role == END):
                self.violation("cookies", "a failure carries a cookie", op)
            if op.outcome == "failed":
                self.judge_refusal(op)
            return
        if op.seen and line is None:
            self.violation("shared", "a session without an ID", op)
            return
        if op.seen == {} and op.issued:
            self.judge_beginning(op)
        if op.seen == {} and op.writes and not op.issued:
            self.violation("lost", "a session was begun, and no ID given out", op)
        if op.issued == "" and not (role == END and op.seen or lines.hidden(op)):
            self.violation("cookies", "the end of a cookie that was not asked for", op)
        if role == END and op.seen and op.issued != "" and not self.overtaken(op):
            self.violation("cookies", "an end that does not end the cookie", op)
        if role in (RENEW, ANEW) and op.seen and not op.issued and (op.writes or lines.verified(op)):
            self.violation("cookies", "a success without the new ID that it needs", op)
        if role == PLAIN and op.seen:
            self.judge_plain(op)

    def overtaken(self, op):
        """Whether a login may have replaced its ID first, so that the cookie is of another session."""
        return any(other is not op and other.inv < op.res and self.lines.role(other) in (RENEW, ANEW)
                   and self.maybe_ended(other) for other in self.lines.of[op.id].ops)

    def judge_plain(self, op):
        line = self.lines.of[op.id]
        if op.issued:
            self.may_age(op, line)
        elif op.issued is None and self.replaced_at(op.id) < op.inv and not self.outlived(op, line):
            self.violation("cookies", "an ID that was replaced by age, and no new one in the answer", op,
                           *self.lines.children[op.id].values())

    def outlived(self, op, line):
        """Whether the session may have ended between a write and the settling of it, whose answer was lost: no ID is due."""
        return op.writes and any(end is not op and end.inv < op.res for end in line.ends)

    def may_age(self, op, line):
        """A new ID that nobody asked for: by age, and the same for all."""
        calls = self.done(line.ids, "succeed")
        if not op.ages and not any(other.ages and other.inv < op.res for other in line.ops) or (
                self.has_calls and not any(call.sent < op.res for call in calls)):
            self.violation("cookies", "a new ID that nobody asked for", op)
        others = [id for id in self.lines.children[op.id] if id != op.issued]
        for id in others:
            if not any(self.replaced_at(each) < math.inf for each in (id, op.issued)):
                self.violation("shared", "two new IDs by age for one", self.lines.issuers[id], op)

    def judge_beginning(self, op):
        line = self.lines.of.get(op.id)
        if not op.writes and not op.login:
            self.violation("cookies", "an ID without a session", op)
        if line is None or self.lines.verified(op, dead=True):
            return
        renewals = [other for other in line.ops if self.lines.role(other) in (RENEW, ANEW) and other.n != op.n]
        before = [other for other in line.sure if self.lines.role(other) in (RENEW, ANEW) and other.res < op.inv
                  and self.surely_replaced(line, other)]
        if before and self.second(op.res) < self.second(min(other.inv for other in renewals)) + TOMBSTONE:
            self.violation("refused", "a change with an ID that was replaced began a session", before[0], op)
        elif self.replaced_at(op.id) < op.inv and not self.lines.hidden(op) and not any(
                end.inv < op.res for end in line.ends):
            self.violation("refused", "a change with an ID that was replaced by age began a session", op)

    def surely_replaced(self, line, op):
        """Whether that end of the line left a tombstone. A user who is shown nothing may have come when all was over."""
        return bool(op.issued) and not (self.lines.hidden(op) and any(
            end is not op and end.inv < op.res for end in line.ends))

    def judge_refusal(self, op):
        """A 503: of a change that belongs to no session any more, or of a failure."""
        line, needs = self.lines.of.get(op.id), op.writes or self.lines.role(op) in (RENEW, ANEW)
        dead = self.dead_before(op)
        verified = self.lines.verified(op, dead)
        self.counts["refused"] += bool(needs and dead and not verified)
        if not self.calm:
            return
        reasons = [end for end in line.ends if end is not op and end.inv < op.res] if line else []
        # A login gives way to an end only, and a renewal to another user, too: what it had of the session is not its own.
        hard = [end for end in reasons if self.lines.role(end) == END or self.lines.hidden(end)
                or self.lines.role(end) == ANEW and self.lines.role(op) == RENEW]
        if not line or not needs or not (any(end.res > op.inv for end in hard) if verified else
                                         reasons or self.out_of_grace(op.id, op.res)):
            self.violation("refused", "a 503 that nothing explains", op, *reasons)
        elif not op.retry:
            self.violation("refused", "a refusal that does not say when to come again", op)

    def judge_users(self, op):
        line = self.lines.of.get(op.id)
        if not op.seen or line is None:
            return
        if self.lines.hidden(op):
            self.violation("users", "%s sees the session of %s" % (op.login[1], line.users[op.login[0]]), op)
        self.compare_users(line, op.seen, op)

    def compare_users(self, line, entries, what):
        for realm in USERS:
            if entries.get(realm) != line.users.get(realm):
                self.violation("users", "the session of %s has the %s %s" % (
                    line.users.get(realm), realm, entries.get(realm)), line.begun, what)

    # -- the table at the end

    def known_rows(self):
        """ID -> row; those that nobody can know are judged here."""
        ids = {self.key_of(id): id for id in self.lines.of}
        rows, left = {}, []
        for row in self.rows:
            if row.key in ids:
                rows[ids[row.key]] = row
                self.compare_users(self.lines.of[ids[row.key]], row.entries, "the table at the end: %s" % (row,))
            else:
                left.append(row)
        self.judge_left(left)
        return rows

    def may_leave_row(self, op):
        """Whether it may have made a row that nobody knows the ID of."""
        if op.outcome == "ok" and not op.ages and op.issued:
            return False
        return op.ages or op.outcome != "ok" or self.lines.role(op) in (RENEW, ANEW)

    def judge_left(self, left):
        """Each comes from another request, while which it was made."""
        puts = {row.key: [call for call in self.calls[row.key] if call.op == "PutItem" and call.done] for row in left}
        sources = [op for op in self.ops if self.may_leave_row(op)]
        for row in sorted(left, key=lambda row: puts[row.key][0].sent if puts[row.key] else 0):
            # An attempt that nobody waits for any more may be carried out later.
            made = [op for op in sources for call in puts[row.key]
                    if op.inv <= call.sent <= op.res + (2 if call.may_be_unheard() else 0)]
            if made:
                sources.remove(min(made, key=lambda op: op.res))
                self.exclusions["left behind"] += 1
            else:
                self.violation("rows", "a row that nobody knows the ID of, and no request that may have left it",
                               "the table at the end: %s" % (row,), *self.calls[row.key])

    # -- the life of a line

    def judge_line(self, line, rows):
        last = [id for id in line.ids if self.replaced_at(id) == math.inf]
        gone = []                    # when the last of its IDs was none any more, so that none of them is
        dead, alive = {}, {}
        for id in line.ids:
            alive[id] = [(op.inv, op.res, op) for op in self.lines.uses.get(id, ()) if self.lines.loaded(op)]
            dead[id] = [(op.inv, op.res, op) for op in self.lines.uses.get(id, ()) if self.lines.gone(op)]
            if self.scan and id in last:
                (alive if id in rows else dead)[id].append(
                    tuple(self.scan) + ("the table at the end: %s" % (rows.get(id, "no row"),),))
            if id in last:
                gone += dead[id]
        for id in line.ids:
            self.judge_dead(line, id, dead[id])
            self.judge_alive(line, id, alive[id], dead[id] + gone)

    def judge_dead(self, line, id, dead):
        cut = None
        for inv, res, what in dead:
            before = [op for op in line.ends if op.inv < res and op is not what]
            if not before and not self.out_of_grace(id, res):
                self.violation("lost", "the session of %s is gone, and nobody ended it" % id[:6],
                               self.lines.issuers[id], *self.lines.children.get(id, {}).values(),
                               *[op for op in line.ops if op.inv < res][-8:], what,
                               *[call for each in line.ids for call in self.calls[self.key_of(each)]][-8:])
                return
            if before and all(op.outcome == "failed" for op in before):
                cut = "end cut" if all(self.lines.role(op) == END for op in before) else "renewal cut"
        if cut:
            self.exclusions[cut] += 1

    def judge_alive(self, line, id, alive, dead):
        ended = [(op.res, op) for op in line.sure] + [(res, what) for _, res, what in dead]
        first = min(ended, key=lambda over: over[0], default=(math.inf, None))
        for inv, res, what in alive:
            before = first[0] < inv
            if before and self.put_late(line) is not None:
                self.exclusions["late put"] += 1
                return
            if before:
                self.violation("revived", "the ID %s is a session's again" % id[:6], first[1], what,
                               *self.calls[self.key_of(id)][-8:])
                return
            if not isinstance(what, str) and self.too_old(what):
                self.violation("revived", "the ID %s was replaced by age, and still opens the session" % id[:6], what,
                               *self.lines.children[id].values(),
                               *[call for child in self.lines.children[id] for call in self.done([child], "seen")])
                return

    def judge_calls(self, id):
        over = self.done([id], "end", "succeed")
        if len(over) > 1 and self.put_late(self.lines.of[id]) is None:
            self.violation("calls", "the ID %s was replaced twice" % id[:6], *over)

    # -- entries

    def goes_on(self, op):
        """Whether a renewal goes on with the session: True, or False for a copy; None if that can't be known."""
        line = self.lines.of[op.id]
        rivals = [other for other in line.ops if other is not op and self.lines.role(other) in (RENEW, ANEW)
                  and other.inv < op.res and self.maybe_ended(other)]
        if not self.lines.verified(op) or not rivals and not self.beside(op):
            return True
        ends = self.done(line.ids, "end")
        if len(ends) != 1:
            return None
        # An attempt that nobody waits for any more may be carried out later.
        makers = [other for other in [op] + rivals if other.inv < ends[0].answered
                  and ends[0].sent < other.res + (0 if other.outcome == "ok" else 2) and self.put_before(other, ends[0])]
        return None if len(makers) != 1 else makers[0] is op

    def put_before(self, op, end):
        """Whether the row of its new ID was there before that end."""
        return not op.issued or any((call.sent if call.may_be_unheard() else call.answered) < end.sent
                                    for call in self.done([op.issued], "PutItem"))

    def begin_session(self, line, writers):
        op = line.begun
        if line.parent is not None:
            own = self.goes_on(op)
            if own:
                return line.parent.session
            session = Session(self, op, dict(op.seen, **op.writes))
            beside = [other for other in writers[line.parent] if other.res > op.inv]
            if own is None and beside:
                self.exclusions["either"] += 1
                session.inherit(beside)
            else:
                self.counts["copies"] += 1
            return session
        return Session(self, op, {name: value for name, value in op.writes.items() if value is not None})

    def judge_entries(self, rows):
        lines, sessions = self.lines, []
        writers = {line: [op for op in line.ops if op.writes and lines.role(op) == PLAIN and op.seen != {}
                          and (op.outcome == "ok" or not self.dead_before(op))] for line in lines.all}
        for line in lines.all:
            line.session = self.begin_session(line, writers)
            if line.session not in sessions:
                sessions.append(line.session)
            elif line.begun.writes:
                line.session.writers.append(line.begun)
            line.session.writers += writers[line]
            line.session.reads += [(op.inv, op.res, op.seen, op) for op in line.ops
                                   if op.seen and not self.of_late_row(op.id, op.res)]
        for id, row in rows.items():
            if not self.of_late_row(id, self.scan[1]):
                lines.of[id].session.reads.append(tuple(self.scan) + (row.entries, "the table at the end: %s" % (row,)))
        for session in sessions:
            session.judge()

    def note_seen(self, op, what):
        """Somebody has seen its change. If it was answered 503, its call was done, and not heard."""
        if op.outcome != "failed" or op.n in self.seen_failed:
            return
        self.seen_failed.add(op.n)
        stored = self.storing[op.n][:1]
        if self.scan and not (stored and stored[0].may_be_unheard(op)):
            self.violation("refused", "a change that was answered 503 is there", op, what, *stored)
        else:
            self.exclusions["done unheard"] += 1
