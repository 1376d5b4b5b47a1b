"""Memory of a connection to the store, with the system's CAs: a child of httpd opens many of them when it starts, and
answers nothing, so that no request's memory is in the figure."""

import os
import time

import load
import rows
import servers
from programs import die, say
from rows import BASE, Contender

FEW, MANY = 8, 56  # connections
STARTS = 5          # of each server
CONTENDERS = {"memory TLS": Contender("module", BASE._replace(tls="tls")), "memory plain": Contender("module", BASE)}
SETTINGS = """
SessionDynamoDBConnectTimeout 8s
SessionDynamoDBWarmConnections %d"""


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


def child_with(b, contender, count):
    """@return KB of a child with so many connections."""
    with servers.table(b) as t, servers.server(b, contender, t, children=1, settings=SETTINGS % count) as s:
        for _ in range(600):
            # One more: that of the question itself.
            if t.counts()["connections_open"] == count + 1:
                time.sleep(0.5)
                return anonymous_kb(child_of(s.pid))
            time.sleep(0.1)
        return die("%d connections were asked for, and there are %s" % (count, t.counts()))


def of_one(b, contender):
    """@return KB a connection."""
    few, many = (child_with(b, contender, count) for count in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def run(b):
    servers.prepare(b, CONTENDERS.values())
    say("memory of a connection: a child with %d instead of %d, %d times" % (MANY, FEW, STARTS))
    totals = {}
    for name, contender in CONTENDERS.items():
        totals[name] = list(load.spread([of_one(b, contender) for _ in range(STARTS)]))
        print("%-26s %.1f KB (quartiles %.1f to %.1f)" % (rows.label(contender), *totals[name]), flush=True)
    return totals
