"""The axes of build/growth: each yields what it counted, as (measure, unit, expected exponent, size, values)."""

import json
import threading
import time

import growth_world as world
from growth_world import say

FLAT, LINEAR = 0, 1
INSTRUCTIONS = "instructions a request"


def one_cookie(s):
    cookie = s.new_cookie()
    s.check_loaded(cookie)
    return [cookie]


def checked(s, cookies):
    for cookie in (cookies[0], cookies[-1]):
        s.check_loaded(cookie)
    return cookies


# ---- rows in the table ----

ROWS = (1000, 10000, 100000, 1000000)


def rows(w):
    with world.table(w) as t:
        with world.httpd(w, t.port) as s:
            sessions = world.Sessions(t, s.new_cookie())
        there = 0
        for size in ROWS:
            say("rows: %d" % size)
            t.put_many(sessions.items(range(there, size)))
            there = size
            step = size // 100
            cookies = [sessions.cookie(n * step + step // 2) for n in range(100)]
            for measure, port in (("loads a session", "read"), ("changes a session", "write")):
                yield (measure, INSTRUCTIONS, FLAT, size,
                       world.instructions(w, t.port, lambda s: checked(s, cookies), port=port))


# ---- sessions that a child has seen ----

USED = (1000, 10000, 100000)


def sessions(w):
    with world.table(w) as t:
        with world.httpd(w, t.port) as s:
            made = world.Sessions(t, s.new_cookie())
        t.put_many(made.items(range(USED[-1])))
        with world.httpd(w, t.port, threads=8) as s:
            at = 0
            for size in USED:
                use_sessions(s, made, range(at, size))
                at = size
                say("sessions used: %d" % size)
                yield ("memory of a child that has used so many sessions", "KB", FLAT, size,
                       [world.anonymous_kb(s.children()[0])])


def use_sessions(s, made, numbers):
    http_ = world.connection(s.read)
    for n in numbers:
        s.ask(http_, made.cookie(n))


# ---- entries and bytes of a session ----

ENTRIES = (1, 10, 100, 1000)
KILOBYTES = (0.2, 1, 4, 16, 64, 256)


def data_of(entries, size=0):
    """The last one changes with each request; the first has what is missing in bytes."""
    names = ["k%03d=0123456" % n for n in range(entries - 1)]
    fill = size - len("&".join(names)) - 19
    if fill > 0:
        names[0] += "x" * fill
    return "&".join(names + ["t=%t"])


def loads_and_changes(w, t, size, data, expected, **more):
    for measure, port in (("loads a session", "read"), ("changes a session", "write")):
        yield (measure, INSTRUCTIONS, expected, size,
               world.instructions(w, t.port, lambda s: [s.new_cookie()], port=port, data=data, **more))


def entries(w):
    with world.table(w) as t:
        for size in ENTRIES:
            say("entries: %d" % size)
            yield from loads_and_changes(w, t, size, data_of(size), LINEAR)


def size(w):
    with world.table(w) as t:
        for kilobytes in KILOBYTES:
            say("size: %s KB" % kilobytes)
            more = {"batch": 5} if kilobytes > 50 else {}  # they take long under valgrind
            yield from loads_and_changes(w, t, kilobytes, data_of(3, int(kilobytes * 1000)), LINEAR, **more)


# ---- parallel requests for one session ----

PARALLEL = (1, 2, 4, 8, 16, 32, 64)
BURSTS = 5
DISTANCE = 0.02  # seconds: long enough for all of a burst to begin before the first one ends


def burst(s, count, cookie, headers, port):
    """@return how many of so many requests at once were answered with 200."""
    barrier, statuses = threading.Barrier(count), []

    def ask(n):
        http_ = world.connection(port)
        http_.connect()
        barrier.wait()
        http_.request("GET", "/page.html", headers={"Cookie": cookie, **headers(n)})
        reply = http_.getresponse()
        reply.read()
        statuses.append(reply.status)
        http_.close()

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses.count(200)


def version(t, cookie):
    return int(t.get(world.table_key(cookie.partition("=")[2]))["version"]["N"])


def base_entries():
    return {"user": "alice", **{"e%d" % n: "0" for n in range(PARALLEL[-1])}}


def changed_entry(n, value):
    return "&".join("%s=%s" % x for x in {**base_entries(), "e%d" % n: value}.items())


def parallel(w):
    with world.table(w) as t:
        far = world.Distance(t.port, DISTANCE)
        with world.httpd(w, far.port, threads=2 * PARALLEL[-1], data=world.ASKED) as s:
            for count in PARALLEL:
                say("parallel: %d" % count)
                yield from parallel_changes(s, t, count)


def parallel_changes(s, t, count):
    calls, failed, reads = [], [], []
    for number in range(BURSTS):
        cookie = s.new_cookie(**{"X-Set": changed_entry(0, "0")})
        before, first = t.counts(), version(t, cookie)
        good = burst(s, count, cookie, lambda n: {"X-Set": changed_entry(n, "1")}, s.write)
        after = t.counts()
        written = version(t, cookie) - first
        if written != good:
            world.die("%d changes were accepted, and the session's version grew by %d" % (good, written))
        # Two of the calls were version()'s.
        calls.append((after["UpdateItem"] - before["UpdateItem"]) / good)
        failed.append(count - good)
        before = t.counts()
        good = burst(s, count, cookie, lambda n: {}, s.read)
        reads.append((t.counts()["GetItem"] - before["GetItem"]) / good)
    yield "writes sent for each change", "calls", LINEAR, count, calls
    yield "changes refused, of a burst", "requests", None, count, failed
    yield "reads for each request that only reads", "calls", FLAT, count, reads


# ---- threads and children ----

THREADS = (2, 8, 32, 128)
CHILDREN = (1, 2, 4, 8, 16, 32)


def threads(w):
    with world.table(w) as t:
        for count in THREADS:
            say("threads: %d" % count)
            yield ("loads a session, in a child of so many threads", INSTRUCTIONS, FLAT, count,
                   world.instructions(w, t.port, one_cookie, threads=count))
            yield from of_threads(w, t, count)


def of_threads(w, t, count):
    """Under load by as many connections as there are threads, and by at most 32: more of them wait for the CPU."""
    memory, futexes = {}, {}
    for with_ in (False, True):
        with world.httpd(w, t.port, with_=with_, threads=count) as s:
            cookie = one_cookie(s)[0] if with_ else None
            for _ in range(2):
                burst(s, count, cookie or "a=b", lambda n: {}, s.read)
            futexes[with_] = [world.futex_calls(w, s, min(count, 32), cookie) for _ in range(5)]
            memory[with_] = world.anonymous_kb(s.children()[0])
    # Not judged: it depends on when threads happen to run.
    yield "futex calls a request, under load, loads a session", "calls", None, count, futexes[True]
    yield "futex calls a request, under load, httpd without the module", "calls", None, count, futexes[False]
    yield "memory of a child, beyond httpd's own", "KB", LINEAR, count, [memory[True] - memory[False]]


def start_cpu(w, t, with_, count):
    """@return ms of CPU of httpd, from start until all children wait for requests, and their end."""
    before = world.children_cpu()
    ports = world.configure(w, t.port, with_=with_, children=count)
    s = world.start_httpd(w, ports)
    until, last = time.monotonic() + 60, None
    # A child is ready when it has all its threads.
    while time.monotonic() < until:
        now = sorted(world.thread_count(pid) for pid in s.children())
        if len(now) == count and now == last and now[0] > 1 and now[0] == now[-1]:
            break
        last = now
        time.sleep(0.3)
    shared = world.shared_kb(s.process.pid)
    w.end(s.process)
    return 1000 * (world.children_cpu() - before), shared


def children(w):
    with world.table(w) as t:
        for count in CHILDREN:
            say("children: %d" % count)
            cpu, shared = {}, {}
            for with_ in (False, True):
                turns = [start_cpu(w, t, with_, count) for _ in range(3)]
                cpu[with_], shared[with_] = [x[0] for x in turns], turns[0][1]
            yield "start and end, CPU of all processes", "ms", LINEAR, count, cpu[True]
            yield "start and end, httpd without the module", "ms", None, count, cpu[False]
            yield "shared memory, beyond httpd's own", "KB", FLAT, count, [shared[True] - shared[False]]


# ---- virtual hosts ----

HOSTS = (1, 10, 100, 1000)
HOST = """
<VirtualHost 127.0.0.1:{read}>
    ServerName h%d.test
%s
</VirtualHost>"""
ALIKE, UNLIKE = "hosts alike", "hosts with settings of their own"
EACH = """    Session On
    SessionEnv On
    SessionDynamoDB On
    SessionDynamoDBTableName sessions_%d
    SessionDynamoDBCookieName id%d"""


def hosts(count, each=""):
    return "".join(HOST % (n, each.replace("%d", str(n))) for n in range(count))


def of_hosts(w, t, with_, text, count):
    """@return what is measured with these virtual hosts: the last one is asked."""
    found = {"configuration": [world.configtest_instructions(w, t.port, with_=with_, hosts=text)]}
    name = "h%d.test" % (count - 1)
    with world.httpd(w, t.port, with_=with_, hosts=text) as s:
        s.ask(world.connection(s.read), Host=name)
        child = s.children()[0]
        found["memory"], found["threads"] = [world.anonymous_kb(child)], [world.thread_count(child)]
        found["shared"] = [world.shared_kb(s.process.pid)]
    return found


def virtual_hosts(w):
    with world.table(w) as t:
        for count in HOSTS:
            plain = of_hosts(w, t, False, hosts(count), count)
            plain["request"] = world.instructions(w, t.port, lambda s: [None], with_=False, hosts=hosts(count),
                                                  host="h%d.test" % (count - 1))
            for label, each in ((ALIKE, ""), (UNLIKE, EACH)):
                say("%s: %d" % (label, count))
                yield from compared(label, count, plain, with_hosts(w, t, count, each))


def with_hosts(w, t, count, each):
    text, last = hosts(count, each), count - 1
    found = of_hosts(w, t, True, text, count)

    def cookies(s):
        sid = s.new_cookie().partition("=")[2]
        if not each:
            return ["id=" + sid]
        t.put_many([json.dumps(t.get(world.table_key(sid)))], "sessions_%d" % last)
        return ["id%d=%s" % (last, sid)]

    before = t.counts()["GetItem"]
    found["request"] = world.instructions(w, t.port, cookies, hosts=text, host="h%d.test" % last)
    if t.counts()["GetItem"] - before < world.BATCHES * world.BATCH:
        world.die("the last virtual host did not load the session")
    return found


def compared(label, count, plain, ours):
    for what, measure, unit, expected in (
            ("configuration", "configtest", "instructions", LINEAR), ("memory", "memory of a child", "KB", LINEAR),
            ("shared", "shared memory", "KB", LINEAR), ("threads", "threads of a child", "threads", FLAT),
            ("request", "loads a session", INSTRUCTIONS, FLAT)):
        base = sorted(plain[what])[len(plain[what]) // 2]
        yield "%s: %s, beyond httpd's own" % (label, measure), unit, expected, count, [n - base for n in ours[what]]


AXES = {"rows": ("rows in the table", rows), "sessions": ("sessions used", sessions), "entries": ("entries", entries),
        "size": ("KB of data", size), "parallel": ("requests at once for one session", parallel),
        "threads": ("threads of a child", threads), "children": ("children", children),
        "hosts": ("virtual hosts", virtual_hosts)}
