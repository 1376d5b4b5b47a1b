"""The stand-in alone; pages beside a table that hangs; the first request of a process."""

import base64
import http.client
import os
import selectors
import socket
import statistics
import subprocess
import threading
import time

import load
import programs
import rows
import servers
from programs import die
from rows import BASE, Contender

LOADED = Contender("module", BASE)

# ---- the stand-in alone ----


def run_server(b):
    item = {"id": {"S": "bench"}, "data": {"B": "eHh4" * 64}, "created": {"S": "2026-01-02T03:04:05.000006+00:00"},
            "accessed": {"S": "2026-01-02T03:04:05.000006+00:00"}, "expires": {"N": "1900000000"},
            "idle_timeout": {"N": "7200"}, "absolute_timeout": {"N": "43200"}, "version": {"N": "1"},
            "write_id": {"B": "AAECAwQFBgcICQoLDA0ODw=="}}
    with servers.table(b) as t:
        t.call("PutItem", {"TableName": "app_session", "Item": item})
        b.cores = {"other": b.pinned["httpd"]}  # wrk on the core that httpd would have
        for scheme, port in (("http", t.ports["plain"]), ("https", t.ports["tls"])):
            for _ in range(b.options.rounds):
                ticks = load.cpu_ticks([t.pid])
                got = load.wrk(b, "%s://127.0.0.1:%d/" % (scheme, port), b.options.seconds, 32, script="get.lua")
                used = (load.cpu_ticks([t.pid]) - ticks) / load.TICKS
                print("GetItem, %s: %.0f requests/s, %.1f µs CPU per request, %d errors" %
                      (scheme, got["requests"] / got["seconds"], used * 1e6 / got["requests"], got["errors"]))
        b.cores = b.pinned


# ---- beside a table that hangs ----

HANGING_CLIENTS = 64
HANGING_PAUSE = 1000  # ms between the answer and the next request, as people and load balancers take some


def never_answer(listener):
    """Take connections and what comes on them, and say nothing."""
    events = selectors.DefaultSelector()
    events.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in events.select():
            if key.fileobj is listener:
                events.register(listener.accept()[0], selectors.EVENT_READ)
            elif not key.fileobj.recv(65536):
                events.unregister(key.fileobj)
                key.fileobj.close()


class HangingTable:
    def __init__(self, port):
        self.ports = {"plain": port}


def wrk_pages(b, s):
    return load.wrk(b, "http://127.0.0.1:%d/page.html" % s.read, b.options.seconds, 32)


def hanging_round(b, s):
    """@return pages per second alone and beside the others, and what became of those."""
    settle = 4  # seconds until every child has found out
    cookie = "id=" + base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
    theirs = []
    alone = wrk_pages(b, s)
    clients = threading.Thread(target=lambda: theirs.append(load.wrk(
        b, "http://127.0.0.1:%d/page.html" % s.read, settle + b.options.seconds + 1, HANGING_CLIENTS, [cookie],
        BENCH_PAUSE=str(HANGING_PAUSE))))
    clients.start()
    time.sleep(settle)
    beside = wrk_pages(b, s)
    clients.join()
    after = wrk_pages(b, s)
    if alone["errors"] or beside["errors"] or after["errors"]:
        die("pages without a session failed: see " + b.path("run/httpd.log"))
    # The mean of before and after, for a machine that becomes faster or slower meanwhile.
    rates = [got["requests"] / got["seconds"] for got in (alone, beside, after)]
    return (rates[0] + rates[2]) / 2, rates[1], theirs[0]


def run_hanging(b):
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        threading.Thread(target=never_answer, args=(listener,), daemon=True).start()
        t = HangingTable(listener.getsockname()[1])
        for text in ("SessionDynamoDBBreaker 5", "SessionDynamoDBBreaker Off"):
            contender = Contender("module", BASE._replace(operation="none"))
            with servers.server(b, contender, t, settings="\n%s\nSessionDynamoDBTimeout 2s" % text) as s:
                rounds = [hanging_round(b, s) for _ in range(b.options.rounds)]
            for alone, beside, theirs in rounds:
                print("%s: %.0f pages/s alone, %.0f beside %d clients of a table that hangs: %.3f (those: %d answers, "
                      "half of them within %.1f ms)" % (text, alone, beside, HANGING_CLIENTS, beside / alone,
                                                         theirs["requests"], theirs["p50_us"] / 1000), flush=True)
            print("%s: ratio %.3f (median of %d; quartiles %.3f to %.3f)" % (
                text, *rearranged(load.spread([beside / alone for alone, beside, _ in rounds]), len(rounds))))


def rearranged(values, count):
    return values[0], count, values[1], values[2]


# ---- the first request ----

BOTO3 = """
import boto3
client = boto3.client("dynamodb", endpoint_url="http://127.0.0.1:%d", region_name="us-east-1")
print("Item" in client.get_item(TableName="app_session", Key={"id": {"S": "bench"}}, ConsistentRead=True))
"""


def ask_seen(port, cookie):
    """@return seconds, and whether the session was loaded."""
    began = time.monotonic()
    reply, _ = servers.get(port, "/seen.html", Cookie=cookie)
    return time.monotonic() - began, reply.getheader("X-Seen") == "yes"


def first_of_httpd(b, t, cookie):
    """@return milliseconds: from the start of httpd to its first session, that request alone, and one after it."""
    port, _ = servers.write_configuration(b, rows.ROWS["module"], BASE, t, {})
    began = time.monotonic()
    process = b.start("httpd", [programs.httpd_program(), "-f", b.path("httpd.conf"), "-DFOREGROUND"],
                      env=servers.environment())
    while True:
        try:
            alone, loaded = ask_seen(port, cookie)
            break
        except (OSError, http.client.HTTPException):
            if process.poll() is not None or time.monotonic() - began > 30:
                die("httpd does not start: see " + b.path("run/httpd.log"))
            time.sleep(0.001)
    whole = time.monotonic() - began
    # The two children take connections in turn, most often: both have had their first.
    later = min(ask_seen(port, cookie)[0] for _ in range(8))
    b.end(process)
    if not loaded:
        die("the first request did not load its session")
    return whole * 1000, alone * 1000, later * 1000


def first_of_boto3(b, t):
    began = time.monotonic()
    process = b.start("httpd", [programs.PYTHON, "-c", BOTO3 % t.ports["plain"]], env=servers.environment(),
                      stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    whole = time.monotonic() - began
    process.communicate()
    b.end(process)
    if line.strip() != "True":
        die("%s with boto3 read no row" % programs.PYTHON)
    return whole * 1000


def run_first(b):
    programs.install({"boto3.py": "python3-boto3"})
    with servers.table(b) as t:
        t.call("PutItem", {"TableName": "app_session", "Item": {"id": {"S": "bench"}}})
        with servers.server(b, LOADED, t) as s:
            cookie = servers.new_cookie(s, servers.connection(s.write))
        rounds = []
        for _ in range(b.options.rounds + 1):  # the first, in which files come from the disk, does not count
            rounds.append((*first_of_httpd(b, t, cookie), first_of_boto3(b, t)))
    del rounds[0]
    labels = ("httpd: start to first session", "httpd: first request alone", "httpd: a later request",
              "Python, boto3: start to first GetItem")
    for text, values in zip(labels, zip(*rounds)):
        print("%-38s %7.1f ms (median of %d; %.1f to %.1f)" % (text, statistics.median(values), len(values),
                                                               min(values), max(values)))
    ratios = [r[3] / r[0] for r in rounds]
    print("boto3 takes %.1f times as long as httpd (median; %.1f to %.1f)" % (statistics.median(ratios), min(ratios),
                                                                            max(ratios)))
