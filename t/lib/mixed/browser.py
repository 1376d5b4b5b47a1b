"""A browser whose requests, one after another, go to either server; and the judge of what it gets.

Rules:
  answers       each request is answered, as the model says
  logged in     the session is there, with its user, whichever server is asked
  entries       a page shows what was acknowledged, and nothing else
  IDs           a new ID comes with the beginning of a session, and once with each login; with nothing else
  rows          a request that changes nothing changes nothing of the row but the time of the last access
  logout        an ended session is over for both
  another user  begins without the entries of the one before, for both
  old ID        what a login left behind is no session of either server's: reading with it shows none, storing begins
                another session, or is refused with 503, Retry-After and no cookie
"""

import asyncio
import collections
import random

from . import model
from .model import Ask

RULES = ("answers", "logged in", "entries", "IDs", "rows", "logout", "another user", "old ID")
SERVERS = ("old", "new")
PASSING = ("accessed", "expires")      # what a touch writes
# What is stored with an old ID. Only the first one shows a session that is there and empty: the others give it an ID.
LATE = (Ask("page", {"late": "1"}), Ask("basic", {"late": "2"}, "alice"), Ask("login", {}, "alice"),
        Ask("page", {model.USER: "ann"}))

# What a server answered. `shown`: None where there is no page. `cookies`: IDs that it set, "" for an end.
Got = collections.namedtuple("Got", "status shown user cookies retry_after", defaults=(None,))


def brief(entries):
    return "".join(" %s=%.12s" % pair for pair in sorted(entries.items()))


class Violation(Exception):
    pass


class Tally:
    """What all browsers of one kind did and found."""

    def __init__(self):
        self.checked, self.violations = collections.Counter(), collections.defaultdict(list)
        self.read = collections.Counter()       # (last written by, read by)
        self.fates, self.refused, self.requests = collections.Counter(), 0, 0


class Browser:
    """`world` has get(server, kind, ask, id) and row(kind, id). A curious one tries the old ID after each login."""

    def __init__(self, world, kind, name, seed, tally, curious=True):
        self.world, self.kind, self.name, self.tally, self.curious = world, kind, name, tally, curious
        self.rng = random.Random("%s %s %s" % (seed, kind, name))
        self.id, self.session, self.row, self.writer, self.anew = None, None, None, None, False
        self.ids, self.left, self.story = set(), [], []

    async def follow(self, steps):
        """(server, ask), ...; ask "old ID": requests with one of the past. False: something was wrong."""
        try:
            for server, ask in steps:
                if ask == "old ID":
                    await self.go_back(server)
                else:
                    await self.do(server, ask)
        except Violation as found:
            rule, what = found.args
            self.tally.violations[rule].append("%s %s: %s\n    %s" % (
                self.kind, self.name, what, "\n    ".join(self.story[-12:])))
            return False
        return True

    def check(self, rule, right, what):
        self.tally.checked[rule] += 1
        if not right:
            raise Violation(rule, what)

    async def get(self, server, ask, id):
        self.tally.requests += 1
        line = "%s: %s%s%s%s" % (server, ask.area, " as " + ask.user if ask.user else "", brief(ask.writes),
                                 " with " + id[:6] if id else "")
        self.story.append(line)
        try:
            got = await self.world.get(server, self.kind, ask, id)
        except (OSError, asyncio.TimeoutError) as error:
            raise Violation("answers", "no answer: %r" % error)
        self.story[-1] = "%s -> %d%s%s" % (line, got.status, "" if got.shown is None else brief(got.shown) or " (none)",
                                           "".join(" cookie " + (cookie[:6] or "ended") for cookie in got.cookies))
        return got

    # -- a request of the browser's

    async def do(self, server, ask):
        said, old = model.predict(self.session, ask), self.id
        got = await self.get(server, ask, self.id)
        self.judge_page(server, said, got)
        self.judge_cookie(said, got)
        await self.judge_row(server, said)
        self.tally.fates[said.fate] += 1
        self.session = said.session
        if said.fate in ("moved", "anew", "ended"):
            self.left.append((old, said.fate))
            if self.curious:
                await self.look_round(old, said.fate)

    def judge_page(self, server, said, got):
        had = self.session.entries if self.session else {}
        if had and said.status == 200:
            self.check("logged in", got.status != 401, "logged out by the %s server" % server)
        self.check("answers", got.status == said.status, "status %d, not %d" % (got.status, said.status))
        if said.shown is None:
            return
        if said.shown:
            self.check("logged in", got.shown and got.user == said.user, "the session of %s is not there, but of %s" % (
                said.user or "the browser", got.user or "nobody"))
        if self.anew or had and not said.shown:
            self.check("another user", got.shown == said.shown, "not the entries %s" % said.shown)
        self.check("entries", got.shown == said.shown, "not the entries %s" % said.shown)
        if said.shown:
            self.tally.read[self.writer, server] += 1

    def judge_cookie(self, said, got):
        if said.fate in ("begun", "moved", "anew"):
            self.check("IDs", len(got.cookies) == 1 and got.cookies[0], "no new ID")
            self.check("IDs", got.cookies[0] not in self.ids, "an ID comes back")
            self.id = got.cookies[0]
            self.ids.add(self.id)
            self.anew = said.fate == "anew"
        elif said.fate == "ended":
            self.check("logout", got.cookies == [""], "the cookie is not ended")
            self.id, self.anew = None, False
        else:
            self.check("IDs", got.cookies == [], "a cookie that nobody asked for")
            self.anew = self.anew and said.fate == "same"

    async def judge_row(self, server, said):
        if not self.id:
            self.row = None
            return
        row = await self.world.row(self.kind, self.id)
        if said.fate == "same":
            self.check("rows", row == self.row, "the row changed: %s was %s" % (row, self.row))
        else:
            self.check("rows", row, "there is no row")
            self.check("rows", said.fate != "written" or row != self.row, "the row did not change")
            self.writer = server
        self.row = row

    # -- after a login or a logout

    async def look_round(self, old, fate):
        # In any order: a server remembers for a minute which IDs it did not find.
        looks = [(self.read_old, "old"), (self.read_old, "new"), (self.store_old, self.rng.choice(SERVERS))]
        for look, server in self.rng.sample(looks, len(looks)):
            await look(server, old, fate)
        for server in self.rng.sample(SERVERS, 2):
            await self.do(server, Ask("page"))

    async def go_back(self, server):
        if self.left:
            old, fate = self.rng.choice(self.left)
            await self.read_old(server, old, fate)
            await self.store_old(server, old, fate, LATE[0])

    async def read_old(self, server, old, fate):
        got = await self.get(server, Ask("page"), old)
        self.check("logout" if fate == "ended" else "old ID", (got.status, got.shown, got.cookies) == (200, {}, []),
                   "the old ID is a session's")

    async def store_old(self, server, old, fate, ask=None):
        ask = ask or self.rng.choice(LATE)
        got = await self.get(server, ask, old)
        refused = got.status == 503 and got.retry_after and not got.cookies
        if refused and fate != "ended":
            self.tally.refused += 1
            self.check("old ID", True, "")
            return
        rule, fresh = "logout" if fate == "ended" else "old ID", [id for id in got.cookies if id and id not in self.ids]
        self.check(rule, got.status == (302 if ask.area == "login" else 200) and not got.shown,
                   "storing with the old ID: status %d" % got.status)
        self.check(rule, len(got.cookies) == 1 and fresh, "storing with the old ID: no session of its own")
        self.ids.add(fresh[0])
