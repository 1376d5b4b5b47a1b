"""Two servers that are none, sound ones and broken ones: each fault has to be found by its rule."""

import dataclasses

from . import plan
from .browser import RULES, SERVERS, Browser, Got, Tally
from .model import USER, Session, predict


@dataclasses.dataclass
class Row:
    session: Session
    version: int = 1


class Sound:
    """Both servers and their table. A subclass is broken in one way, mostly its server "new"."""

    tombstones = False                     # as versions do that refuse what is stored with an old ID

    def __init__(self):
        self.rows, self.over, self.count = {}, set(), 0

    def load(self, server, id):
        row = self.rows.get(id)
        return row and row.session

    def fresh(self):
        self.count += 1
        return "%06d" % self.count

    async def row(self, kind, id):
        row = self.rows.get(id)
        return row and dataclasses.replace(row)

    async def get(self, server, kind, ask, id):
        said = predict(self.load(server, id), ask)
        if id in self.over and said.fate == "begun" and server == "new" and self.tombstones:
            return Got(503, None, "", [], "1")
        return Got(said.status, said.shown, said.user, self.store(server, id, said), None)

    def store(self, server, id, said):
        """The cookies."""
        if said.fate == "written":
            self.write(server, id, said.session)
        if said.fate in ("moved", "anew"):
            self.end(server, id)
            self.over.add(id)
        if said.fate == "ended":
            self.end(server, id)
            return [""]
        if said.fate in ("begun", "moved", "anew"):
            new = self.fresh()
            self.rows[new] = Row(said.session)
            return [new]
        return []

    def write(self, server, id, session):
        row = self.rows.setdefault(id, Row(session))
        row.session, row.version = session, row.version + 1

    def end(self, server, id):
        self.rows.pop(id, None)


class Tombstones(Sound):
    tombstones = True


class AnotherTable(Sound):
    def load(self, server, id):
        return super().load(server, id) if server == "old" else None


class NobodyLoggedIn(Sound):
    async def get(self, server, kind, ask, id):
        if server == "new" and ask.area == "members":
            return Got(401, None, "", [])
        return await super().get(server, kind, ask, id)


class AnotherName(Sound):
    async def get(self, server, kind, ask, id):
        got = await super().get(server, kind, ask, id)
        return got._replace(user="mallory") if got.user and server == "new" else got


class NoAnswer(Sound):
    async def get(self, server, kind, ask, id):
        if server == "new" and ask.writes:
            raise ConnectionError
        return await super().get(server, kind, ask, id)


class Unavailable(Sound):
    async def get(self, server, kind, ask, id):
        return Got(503, None, "", [], "1") if server == "new" else await super().get(server, kind, ask, id)


class LostEntry(Sound):
    """The row changes, but not by what was acknowledged."""

    def write(self, server, id, session):
        super().write(server, id, session if server == "old" else self.rows[id].session)


class UnreadEntry(Sound):
    async def get(self, server, kind, ask, id):
        got = await super().get(server, kind, ask, id)
        if server == "new" and got.shown and len(got.shown) > 1:
            got.shown.pop(sorted(got.shown)[0])
        return got


class UnwrittenEntry(Sound):
    def write(self, server, id, session):
        if server == "old":
            super().write(server, id, session)


class LoginAtEachPage(Sound):
    """The mark of a user that the one stores is none for the other."""

    def load(self, server, id):
        session = super().load(server, id)
        return session and server == "new" and session._replace(basic=None) or session


class NewIDAtEachWrite(Sound):
    def store(self, server, id, said):
        return super().store(server, id, said._replace(fate="moved") if said.fate == "written" else said)


class NoNewID(Sound):
    def store(self, server, id, said):
        if said.fate != "moved" or server == "old":
            return super().store(server, id, said)
        self.write(server, id, said.session)
        return []


class SameID(Sound):
    def fresh(self):
        return "000001"


class WritingReader(Sound):
    def store(self, server, id, said):
        if said.fate == "same" and server == "new" and id in self.rows:
            self.write(server, id, self.rows[id].session)
        return super().store(server, id, said)


class NoLogout(Sound):
    def store(self, server, id, said):
        return [""] if said.fate == "ended" and server == "new" else super().store(server, id, said)


class CookieAfterLogout(Sound):
    def store(self, server, id, said):
        return [cookie for cookie in super().store(server, id, said) if cookie]


class LogoutOfOne(Sound):
    """What it has in its memory it does not look up."""

    def __init__(self):
        super().__init__()
        self.memory = {}

    def load(self, server, id):
        session = super().load(server, id)
        if session:
            self.memory[id] = session
        return session or server == "new" and id not in self.over and self.memory.get(id) or None


class Inheritance(Sound):
    def store(self, server, id, said):
        if said.fate == "anew" and server == "new":
            mixed = {**self.rows[id].session.entries, **said.session.entries}
            said = said._replace(session=said.session._replace(entries=mixed))
        return super().store(server, id, said)


class OldIDAlive(Sound):
    def end(self, server, id):
        if server == "old":
            super().end(server, id)


class OldIDAtReads(Tombstones):
    async def get(self, server, kind, ask, id):
        return Got(503, None, "", [], "1") if id in self.over and server == "new" and not ask.writes else \
            await super().get(server, kind, ask, id)


class OldIDStores(Sound):
    """What is stored with an old ID goes nowhere, and nobody is told."""

    def store(self, server, id, said):
        return [] if id in self.over and server == "new" else super().store(server, id, said)


class RefusedWithCookie(Tombstones):
    async def get(self, server, kind, ask, id):
        got = await super().get(server, kind, ask, id)
        return got._replace(cookies=[self.fresh()]) if got.status == 503 else got


class RefusedForEver(Tombstones):
    async def get(self, server, kind, ask, id):
        return (await super().get(server, kind, ask, id))._replace(retry_after=None)


BROKEN = [
    ("answers", NoAnswer), ("answers", Unavailable),
    ("logged in", AnotherTable), ("logged in", NobodyLoggedIn), ("logged in", AnotherName),
    ("entries", LostEntry), ("entries", UnreadEntry),
    ("IDs", LoginAtEachPage), ("IDs", NewIDAtEachWrite), ("IDs", NoNewID), ("IDs", SameID),
    ("rows", WritingReader), ("rows", UnwrittenEntry),
    ("logout", NoLogout), ("logout", CookieAfterLogout), ("logout", LogoutOfOne), ("another user", Inheritance),
    ("old ID", OldIDAlive), ("old ID", OldIDAtReads), ("old ID", OldIDStores), ("old ID", RefusedWithCookie),
    ("old ID", RefusedForEver),
]


async def found(world, seed):
    """A tally of what scripts and random browsers find."""
    tally = Tally()
    for one, two in (SERVERS, SERVERS[::-1]):
        for name, steps in plan.scripts(one, two):
            await Browser(world(), "form", "%s, %s first" % (name, one), seed, tally).follow(steps)
    for n in range(4):
        await Browser(world(), "form", str(n), seed, tally).follow(plan.steps(seed, "form", n, 100))
    return tally


async def run(tap, seed):
    for world in (Sound, Tombstones):
        tally = await found(world, seed)
        wrong = [text for texts in tally.violations.values() for text in texts]
        tap(not wrong, "self-test: nothing is wrong with %s" % world.__name__, wrong)
        idle = [rule for rule in RULES if not tally.checked[rule]]
        tap(not idle, "self-test: each rule looked at %s" % world.__name__, idle)
    for rule, world in BROKEN:
        rules = [rule for rule, texts in (await found(world, seed)).violations.items() if texts]
        tap(rule in rules, "self-test: %s is found (%s)" % (world.__name__, rule), ["found instead: %s" % rules])
