#!/usr/bin/python3
"""Sign-out checker: clients that log in, write and log out as a few users, while sessions of these users are ended.

  check_sign_out.py STATE --seed SEED --seconds N [--clients N] [--calm]
        STATE: t/TEST's state.json. --calm: no faults of the table.

What is proved of each sign-out that was answered with success:
  - A session whose login was answered before the sign-out was asked for is over from its answer on, and stays so.
  - So is one whose row was on its way to the table before the sign-out marked the user's list, whenever its login was
    answered.
  - The session that signs the others out goes on, and so do the sessions of other users.
And of each login: its row was sent after it had been listed, so that there never is a session that no sign-out finds,
and it was not listed after a sign-out that is later than its beginning.
A session counts as over when a page that reads it sees nothing of it. What a client was told to be stored in a session
that is alive at the end is there.
"""

import argparse
import asyncio
import base64
import datetime
import hashlib
import json
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from consistency.drive import Table, entries_of, exchange, key_of  # noqa: E402

USERS = ("ann", "bob", "eve")
SIGN_OUTS = 5
MOST = 300       # sessions in all, below the limit of one user
FAULTS = ("500", "503", "did_but_500", "reset_after", "reset_before", "throttle", "delay", "close_after")


class Session:
    def __init__(self, user, inv):
        self.user, self.inv, self.res, self.id = user, inv, None, None
        self.over, self.acknowledged, self.doubtful, self.ended, self.gone = None, {}, set(), False, False


class SignOut:
    def __init__(self, user, keep, inv):
        self.user, self.keep, self.inv, self.res, self.good, self.came_late = user, keep, inv, None, False, False


class Run:
    def __init__(self, state, seed, seconds, clients, calm):
        self.port, self.seconds, self.clients, self.calm = state["bulk_port"], seconds, clients, calm
        self.rng, self.table = random.Random(seed), Table(state)
        self.sessions, self.outs, self.reads, self.failed, self.requests = [], [], [], 0, 0
        self.violations, self.entries, self.listed = [], [], 0

    async def ask(self, query, id=None):
        """(status, cookie, entries); a status of 0: no answer."""
        self.requests += 1
        headers = [("Host", "sign-out.test")] + ([("Cookie", "id=" + id)] if id else [])
        try:
            status, got, body = await asyncio.wait_for(
                exchange(self.port, "GET", "/mine/?entries&" + query, headers), 30)
        except (OSError, asyncio.TimeoutError):
            return 0, None, {}
        cookies = [re.match(r"id=([^;]*)", value).group(1) for name, value in got if name == "set-cookie"]
        lines = dict(line.split(": ", 1) for line in body.decode("latin-1").splitlines() if ": " in line)
        return status, cookies[0] if cookies else None, entries_of(lines.get("entries", ""))

    def goes_on(self):
        """A slow machine takes longer for the least that makes it worth it."""
        now = time.monotonic()
        return now < self.until or now < self.latest and sum(1 for out in self.outs if out.good) < SIGN_OUTS

    # -- the clients

    async def client(self, number):
        rng = random.Random("%s %d" % (self.rng.random(), number))
        count = 0
        while self.goes_on():
            count += 1
            known = [s for s in self.sessions[-60:] if s.id and not s.ended and (not s.gone or rng.random() < 0.1)]
            if not known or rng.random() < 0.2 and sum(1 for s in self.sessions if s.id and not s.gone) < MOST:
                await self.login(rng.choice(USERS))
            elif rng.random() < 0.85:
                await self.write(rng.choice(known), "c%d" % number, "%d.%d" % (number, count))
            else:
                await self.leave(rng.choice(known))

    async def login(self, user):
        session = Session(user, time.monotonic())
        self.sessions.append(session)
        status, session.id, _ = await self.ask("set=user:" + user)
        session.res = time.monotonic()
        if status != 200 or not session.id:
            session.id = None
            self.failed += 1

    async def write(self, session, name, value):
        asked = time.monotonic()
        status, cookie, seen = await self.ask("set=%s:%s" % (name, value), session.id)
        if cookie:
            return    # it was over, and the page began another session, without a user
        if status == 200 and "user" in seen:
            self.reads.append((session, asked, True))
            session.acknowledged[name] = value
            session.doubtful.discard(name)
        else:
            session.doubtful.add(name)
            self.failed += status != 200

    async def leave(self, session):
        session.ended = True
        await self.ask("del=user", session.id)

    async def sign_out(self):
        while self.goes_on():
            await asyncio.sleep(self.rng.uniform(0.05, 0.4))
            known = [s for s in self.sessions if s.id and not s.ended and not s.gone]
            if not known:
                continue
            own = self.rng.choice(known)
            keep = self.rng.random() < 0.5
            out = SignOut(own.user, own if keep else None, time.monotonic())
            logins = [asyncio.ensure_future(self.login(own.user)) for _ in range(3)]
            status, _, seen = await self.ask("revoke=" + ("others" if keep else "all"), own.id)
            out.res, out.good = time.monotonic(), status == 200 and "user" in seen
            out.came_late = status == 200 and "user" not in seen    # its own session was over already
            own.ended = own.ended or not keep
            self.outs.append(out)
            if out.good:
                for session in self.sessions:
                    session.gone |= session.user == out.user and session is not out.keep and session.inv < out.inv
                await self.look_at([s for s in self.sessions if s.user == out.user and s is not out.keep and s.id
                                    and s.over is None and s.res and s.res < out.inv][-4:])
            await asyncio.gather(*logins)

    async def look_at(self, sessions):
        for session in sessions:
            asked = time.monotonic()
            status, _, seen = await self.ask("", session.id)
            if status == 200:
                self.reads.append((session, asked, "user" in seen))
                session.over = session.over or (None if "user" in seen else asked)

    async def trouble(self):
        while self.goes_on():
            await asyncio.sleep(self.rng.uniform(0.05, 0.3))
            await self.table.control("POST", "/fault", {
                "kind": self.rng.choice(FAULTS), "op": self.rng.choice(("GetItem", "PutItem", "UpdateItem", "any")),
                "count": self.rng.choice((1, 1, 2, 4)), "skip": self.rng.choice((0, 0, 1, 3)), "delay": 60})

    async def collect(self):
        while True:
            await asyncio.sleep(0.5)
            await self.take()

    async def take(self):
        self.entries += (await self.table.control("GET", "/requests?since=0&take=1"))["requests"]

    # -- the end

    async def run(self):
        await self.table.control("POST", "/reset")
        await self.table.clear()
        self.until = time.monotonic() + self.seconds
        self.latest = self.until + 60
        collector = asyncio.ensure_future(self.collect())
        await asyncio.gather(self.sign_out(), *[self.client(n) for n in range(self.clients)],
                             *([] if self.calm else [self.trouble()]))
        self.ended = time.monotonic()
        await self.table.control("POST", "/fault/clear")
        await asyncio.sleep(1.2)    # the circuit breaker closes
        await self.last_look()
        collector.cancel()
        await self.table.quiet(200)
        await self.take()

    async def last_look(self):
        for session in [s for s in self.sessions if s.id]:
            asked = time.monotonic()
            status, _, seen = await self.ask("", session.id)
            if status != 200:
                self.violations.append("a read at the end failed: status %d" % status)
                continue
            self.reads.append((session, asked, "user" in seen))
            if "user" in seen:
                lost = [name for name, value in session.acknowledged.items()
                        if name not in session.doubtful and seen.get(name) != value]
                if lost:
                    self.violations.append("a live session lost %s" % lost)

    # -- the proof

    def marks(self, user):
        """When the table was asked to mark a user's list, and had done it."""
        id = list_key(user)
        return [(e["sent_at"], e["answered_at"]) for e in self.entries
                if e["op"] == "UpdateItem" and e["body"]["Key"]["id"]["S"] == id and e.get("forwarded") == 200
                and e["body"].get("ReturnValues") == "ALL_NEW"]

    def judge(self):
        rows = {e["body"]["Item"]["id"]["S"]: e["sent_at"] for e in self.entries
                if e["op"] == "PutItem" and e.get("forwarded") == 200}
        marks = {user: self.marks(user) for user in USERS}
        seen = {}
        for session, asked, alive in self.reads:
            if alive:
                seen[session] = max(asked, seen.get(session, 0))
        for out in [o for o in self.outs if o.good]:
            within = [m for m in marks[out.user] if m[0] >= out.inv and m[1] <= out.res]
            if not within:
                self.violations.append("a sign-out without a mark")
                continue
            for session, asked in seen.items():
                before = session.res < out.inv or rows.get(key_of(session.id), out.res) < within[0][0]
                if session.user == out.user and session is not out.keep and before and asked > out.res:
                    self.violations.append("%s: a session is alive %.3f s after a sign-out" % (out.user, asked - out.res))
        self.innocent(seen)
        self.unlisted()

    def innocent(self, seen):
        """Nobody's session ends without a reason."""
        for session in [s for s in self.sessions if s.id and not s.ended]:
            ends = [o for o in self.outs if o.user == session.user and o.keep is not session and o.res > session.inv]
            over = [asked for s, asked, alive in self.reads if s is session and not alive]
            if over and not ends:
                key = key_of(session.id)
                calls = [(e["op"], e.get("forwarded"), e["fault"], round(e["sent_at"] - session.inv, 3)) for e in self.entries
                         if ((e["body"] or {}).get("Key") or (e["body"] or {}).get("Item") or {}).get("id", {}).get("S") == key]
                self.violations.append("%s: a session is over without a reason: login %.3f s, over at %.3f, calls %s" % (
                    session.user, session.res - session.inv, over[0] - session.inv, calls[-12:]))


    def unlisted(self):
        """No row is on its way to the table before its lists have it, none is listed after an end of all that came later
        than the row's time, which is when its request began."""
        listed, marks = {}, []
        for e in sorted((e for e in self.entries if e.get("forwarded") == 200), key=lambda e: e["answered_at"]):
            data = e["body"].get("ExpressionAttributeValues", {}).get(":data", {}).get("B")
            if e["op"] == "UpdateItem" and e["body"].get("ReturnValues") == "ALL_NEW":
                at = int(e["body"]["ExpressionAttributeValues"][":ended"]["N"])
                marks.append((e["body"]["Key"]["id"]["S"], at, e["answered_at"]))
            if e["op"] == "UpdateItem" and data:
                for session in json.loads(base64.b64decode(data))["sessions"]:
                    listed.setdefault((e["body"]["Key"]["id"]["S"], session["key"]), (e["sent_at"], e["answered_at"]))
        for e in self.entries:
            item = e["body"].get("Item", {}) if e["op"] == "PutItem" and e.get("forwarded") == 200 else {}
            for id in item.get("listed_in", {}).get("S", "").split():
                asked, answered = listed.get((id, item["id"]["S"]), (0, e["sent_at"] + 1))
                began = datetime.datetime.fromisoformat(item["accessed"]["S"]).timestamp() * 1000
                if answered > e["sent_at"]:
                    self.violations.append("a row was sent before it was listed")
                if any(list == id and at >= began and done < asked for list, at, done in marks):
                    self.violations.append("a login that began before a sign-out was listed after it")
                self.listed += 1


def list_key(user):
    secret = "first-key-of-the-lists-of-the-httpd-tests-0123456789abcdefgh"
    text = "session-dynamodb user\n0\n%d\nentry:user%s" % (len("entry:user"), user)
    import hmac
    mac = hmac.digest(secret.encode(), text.encode(), hashlib.sha256)
    return "u:" + base64.urlsafe_b64encode(mac).decode().rstrip("=")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("state")
    parser.add_argument("--seed", required=True)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--calm", action="store_true")
    options = parser.parse_args()
    with open(options.state) as file:
        state = json.load(file)
    run = Run(state, options.seed, options.seconds, options.clients, options.calm)
    asyncio.run(run.run())
    run.judge()
    print(json.dumps({
        "seed": options.seed, "requests": run.requests, "logins": sum(1 for s in run.sessions if s.id),
        "refused": sum(1 for s in run.sessions if not s.id), "sign_outs": sum(1 for o in run.outs if o.good),
        "failed_sign_outs": sum(1 for o in run.outs if not o.good and not o.came_late),
        "late_sign_outs": sum(1 for o in run.outs if o.came_late),
        "slowest": round(max([o.res - o.inv for o in run.outs] or [0]), 1), "listed": run.listed,
        "over": len({s for s, _, alive in run.reads if not alive}),
        "alive": len({s for s, asked, alive in run.reads if alive and asked > run.ended}),
        "violations": sorted(set(run.violations))[:20]}))
    return 1 if run.violations else 0


if __name__ == "__main__":
    sys.exit(main())
