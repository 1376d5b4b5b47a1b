#!/usr/bin/python3
"""Two versions of the module on one table, as while servers are upgraded one by one: no browser may notice.

  mixed_versions.py self-test [--seed SEED]
        broken servers, each of which has to be found; no real one
  mixed_versions.py run --old MODULE --new MODULE --run DIR --dynalite FILE --httpd FILE --libexec DIR [--seed SEED]
        the self-test, then a dynalite and two httpds in DIR

Both print TAP and, last, how many passed and failed. Each request of a browser goes to the old or the new server; its
next one waits for the answer, for a version may lose what is changed during a login by itself. Browsers do not wait
for each other. What is proved: mixed/browser.py. The same seed makes the same browsers do the same.
"""

import argparse
import asyncio
import os
import random
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from mixed import plan, selftest  # noqa: E402
from mixed.browser import RULES, SERVERS, Browser, Tally  # noqa: E402
from mixed.model import Ask  # noqa: E402
from mixed.servers import Servers  # noqa: E402

ORDERS = (SERVERS, SERVERS[::-1])
BROWSERS, STEPS = 5, 100           # of each kind, of each browser


class Tap:
    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, right, what, why=()):
        self.passed, self.failed = self.passed + bool(right), self.failed + (not right)
        print("%sok %d - %s" % ("" if right else "not ", self.passed + self.failed, what))
        for text in [] if right else list(why)[:3]:
            print("# " + str(text).replace("\n", "\n# "))
        sys.stdout.flush()

    def end(self):
        print("1..%d\n%d passed, %d failed" % (self.passed + self.failed, self.passed, self.failed))
        return 0 if self.passed and not self.failed else 1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("self-test", "run"):
        commands.add_parser(name).add_argument("--seed", default=str(random.randrange(1000000000)))
    for name in ("old", "new", "run", "dynalite", "httpd", "libexec"):
        commands.choices["run"].add_argument("--" + name, required=True)
    return parser.parse_args()


async def browse(servers, kind, seed, tap):
    """All of one kind: the scripts, then browsers at random, side by side."""
    tally, browsers = Tally(), []
    for one, two in ORDERS:
        for name, steps in plan.scripts(one, two):
            browsers.append(Browser(servers, kind, "%s, %s first" % (name, one), seed, tally).follow(steps))
    for n in range(BROWSERS):
        browsers.append(Browser(servers, kind, "browser %d" % n, seed, tally).follow(plan.steps(seed, kind, n, STEPS)))
    await asyncio.gather(*browsers)
    for rule in RULES:
        wrong = tally.violations[rule]
        count = tally.checked[rule]
        tap(count and not wrong, "%s: %s, %d checks" % (kind, rule, count), wrong or ["there was nothing to check"])
    for pair in ORDERS:
        tap(tally.read[pair], "%s: what the %s version wrote was read by the %s one" % ((kind,) + pair))
    print("# %s: %d requests; sessions: %s; %d refused with an old ID; read: %s" % (
        kind, tally.requests, ", ".join("%s %d" % pair for pair in sorted(tally.fates.items())), tally.refused,
        ", ".join("%s by %s %d" % (pair + (count,)) for pair, count in sorted(tally.read.items()))))


async def look_at_rows(servers, kind, seed, tap):
    """A kind is what it is called; a touch by the one is no change for the other."""
    for one, two in ORDERS:
        browser = Browser(servers, kind, "row of the %s version" % one, seed, Tally())
        good = await browser.follow([(one, Ask("page", {"a": "a" * 200}))])
        item = good and await servers.item(kind, browser.id) or {}
        looks = ("encoding" in item, next(iter(item.get("data", {"none": None}))))
        tap(looks == (kind == "compress", "S" if kind == "json" else "B"), "%s: %s" % (kind, browser.name), [item])
        await asyncio.sleep(1.1)
        good = await browser.follow([(two, Ask("touch"))])
        touched = item
        for _ in range(200):
            touched = await servers.item(kind, browser.id) if good else item
            if touched != item:
                break
            await asyncio.sleep(0.05)
        tap(touched.get("accessed") != item.get("accessed"), "%s: %s, touched by the other" % (kind, browser.name),
            [touched])
        good = good and await browser.follow([(one, Ask("page")), (two, Ask("page", {"b": "2"})), (one, Ask("page"))])
        tap(good, "%s: %s, changed after that" % (kind, browser.name), sum(browser.tally.violations.values(), []))


async def touch_late(servers, kind, one, two, seed, tap):
    """The one is still at work on a page, which it will touch, when the other gives the session a new ID."""
    browser = Browser(servers, kind, "late touch by the %s version" % one, seed, Tally(), False)
    good = await browser.follow([(one, Ask("page", {"a": "1"}))])
    await asyncio.sleep(1.1)
    slow = asyncio.ensure_future(servers.get(one, kind, Ask("slow"), browser.id))
    await asyncio.sleep(0.5)
    good = good and await browser.follow([(two, Ask("login", {}, "alice"))])
    await slow
    await asyncio.sleep(0.5)
    good = good and await browser.follow([(server, "old ID") for server in SERVERS] + [(one, Ask("members"))])
    tap(good, "%s: %s revives nothing" % (kind, browser.name), sum(browser.tally.violations.values(), []))


async def run(args, tap):
    await selftest.run(tap, args.seed)
    modules = {"old": args.old, "new": args.new}
    httpd = args.httpd, args.libexec, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    async with Servers(args.run, modules, args.dynalite, *httpd) as servers:
        await asyncio.gather(*[work(servers, kind, args.seed, tap) for kind in plan.KINDS
                               for work in (browse, look_at_rows)],
                             *[touch_late(servers, kind, *pair, args.seed, tap) for kind in plan.KINDS
                               for pair in ORDERS])
        split = Browser(servers, "split", "two tables", args.seed, Tally())
        await split.follow([("old", Ask("login", {}, "alice")), ("new", Ask("members"))])
        tap(list(split.tally.violations) == ["logged in"], "two servers on two tables are noticed")
        tap(not servers.crashes(), "no child of httpd died", servers.crashes())


def main():
    args, tap = arguments(), Tap()
    print("# seed %s" % args.seed)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("interrupted"))
    asyncio.run(selftest.run(tap, args.seed) if args.command == "self-test" else run(args, tap))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
