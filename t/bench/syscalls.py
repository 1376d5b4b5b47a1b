"""System calls of an exchange with the stand-in on a kept connection, as strace sees them."""

import re

import programs
import rows
import servers
from programs import die, say
from rows import BASE, Contender

REQUESTS = 100
CONTENDERS = {"system calls plain": Contender("module", BASE),
              "system calls TLS": Contender("module", BASE._replace(tls="tls")),
              "system calls bare": Contender("bare", BASE),
              "system calls bare TLS": Contender("bare", BASE._replace(tls="tls"))}
CALL = re.compile(r"^\d+\s+(\w+)\(")


def between_marks(lines):
    """Those of the requests and of a mark, which loads the session as they do."""
    at = [n for n, line in enumerate(lines) if "GET /mark" in line]
    if len(at) < 2:
        die("strace saw no marks")
    return lines[at[0]:at[1]]


def count(b, contender):
    """@return {system call: number of an exchange}"""
    log = b.path("run/strace")
    wrap = ("strace", "-f", "-yy", "-s", "32", "-o", log)
    with servers.table(b) as t, servers.server(b, contender, t, wrap=wrap, modules=["mark"]) as s:
        cookies = servers.make_cookies(s, contender)
        http_ = servers.connection(s.read)
        pages = ["/page.html"] * 20 + ["/mark"] + ["/page.html"] * REQUESTS + ["/mark"]
        for page in pages:
            http_.request("GET", page, headers={"Cookie": cookies[0]} if cookies else {})
            http_.getresponse().read()
        port = t.ports[contender.cell.tls]
    with open(log, encoding="utf-8", errors="replace") as f:
        lines = between_marks(f.read().splitlines())
    calls = {}
    for line in lines:
        # With -yy, a socket of the exchange is written with the address that it is connected to.
        found = CALL.match(line)
        if found and "->127.0.0.1:%d" % port in line:
            calls[found.group(1)] = calls.get(found.group(1), 0) + 1 / (REQUESTS + 1)
    return calls


def run(b):
    programs.install(programs.STRACE)
    servers.prepare(b, CONTENDERS.values())
    say("system calls of an exchange on a kept connection, %d requests one after another" % REQUESTS)
    totals = {}
    for name, contender in CONTENDERS.items():
        calls = count(b, contender)
        totals[name] = [sum(calls.values())]
        print("%s: %.2f: %s" % (rows.label(contender), totals[name][0],
                                ", ".join("%.2f %s" % (n, c) for c, n in sorted(calls.items()))), flush=True)
    return totals
