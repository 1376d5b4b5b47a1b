"""Memory of a connection to the store: what a child of httpd grows by when more requests are under way at once, less
what it grows by with the bare round trip over plain sockets, which is httpd's own share."""

import os
import threading

import load
import rows
import servers
from programs import die, say
from rows import BASE, Contender

FEW, MANY = 8, 72   # requests under way at once
LATENCY = "400"      # ms; so that all are under way at once
STARTS = 5           # of each server
CELL = BASE._replace(clients=str(MANY), latency=LATENCY)
CONTENDERS = {"memory TLS": Contender("module", CELL._replace(tls="tls")), "memory plain": Contender("module", CELL)}
BARE = Contender("bare", CELL)
# Many handshakes at once take their time on a machine with few cores.
PATIENT = """
SessionDynamoDBTimeout 8s
SessionDynamoDBConnectTimeout 8s"""


def child_of(pid):
    for other in filter(str.isdigit, os.listdir("/proc")):
        try:
            if int(load.stat_fields(other)[1]) == pid:
                return int(other)
        except OSError:
            continue
    return die("httpd has no child")


def anonymous_kb(pid):
    """Heap, stacks and the like; not what is mapped from files."""
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Anonymous:"))


def ask_at_once(server, cookie, count):
    def ask():
        if servers.get(server.read, "/page.html", **({"Cookie": cookie} if cookie else {}))[0].status != 200:
            failed.append(1)
    failed = []
    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        die("%d of %d requests at once failed" % (len(failed), count))


def growth(b, contender):
    """@return KB a connection."""
    settings = PATIENT if contender.row == "module" else ""
    with servers.table(b, LATENCY) as t, servers.server(b, contender, t, children=1, settings=settings) as s:
        cookie = (servers.make_cookies(s, contender) or [None])[0]
        seen = []
        for count in (FEW, MANY):
            for _ in range(3):
                ask_at_once(s, cookie, count)
            seen.append((anonymous_kb(child_of(s.pid)), t.counts()["connections_open"]))
        (few_kb, few), (many_kb, many) = seen
        if many - few < (MANY - FEW) / 2:
            die("%d requests at once used %d connections" % (MANY, many))
        return (many_kb - few_kb) / (many - few)


def run(b):
    servers.prepare(b, [*CONTENDERS.values(), BARE])
    say("memory of a connection: %d requests at once instead of %d, %d starts" % (MANY, FEW, STARTS))
    httpd = load.spread([growth(b, BARE) for _ in range(STARTS)])
    print("httpd's share (bare round trip): %.1f KB (quartiles %.1f to %.1f)" % httpd, flush=True)
    totals = {}
    for name, contender in CONTENDERS.items():
        totals[name] = list(load.spread([growth(b, contender) - httpd[0] for _ in range(STARTS)]))
        print("%s: %.1f KB a connection (quartiles %.1f to %.1f)" % (rows.label(contender), *totals[name]), flush=True)
    return totals
