"""One turn: a server is started, asked by wrk and ended; and the records of turns."""

import json
import os
import re
import resource
import statistics
import time

import programs
import rows
import servers
from programs import die, say

TICKS = os.sysconf("SC_CLK_TCK")
FIGURES = ["requests_per_s", "cpu_us", "p50_us", "p99_us", "errors", "busy", "others", "calls"]
COLUMNS = ["row", *rows.Cell._fields, "round", *FIGURES]


# ---- what the machine does ----

def stat_fields(pid):
    with open("/proc/%s/stat" % pid, encoding="ascii", errors="replace") as f:
        return f.read().rsplit(")", 1)[1].split()


def cpu_ticks(parents):
    """utime and stime of processes and their children, the ended ones included."""
    total = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = stat_fields(pid)
        except OSError:
            continue
        if int(pid) in parents:
            total += sum(map(int, fields[11:15]))
        elif int(fields[1]) in parents:
            total += int(fields[11]) + int(fields[12])
    return total


def busy_ticks():
    """All that the machine does, less what wrk did, once it has ended."""
    with open("/proc/stat", encoding="ascii") as f:
        user, nice, system, _, _, irq, softirq = map(int, f.readline().split()[1:8])
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return user + nice + system + irq + softirq - (spent.ru_utime + spent.ru_stime) * TICKS


# ---- wrk ----

def wrk(b, url, seconds, clients, cookies=(), script="load.lua", **more):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BENCH_")}
    environment.update(more)
    if cookies:
        environment["BENCH_COOKIES"] = b.path("run/cookies.txt")
        with open(b.path("run/cookies.txt"), "w", encoding="ascii") as f:
            f.write("\n".join(cookies) + "\n")
    process = b.start("other", ["wrk", "-t1", "-c%d" % clients, "-d%ds" % seconds, "--timeout", "20s", "-s",
                                os.path.join(programs.BENCH, script), url],
                      env=environment, stdout=servers.subprocess.PIPE, text=True)
    text = process.communicate()[0]
    b.end(process)
    last = text.strip().splitlines()[-1]
    if process.returncode or not last.startswith("{"):
        die("wrk failed: " + text)
    return json.loads(last)


# ---- a turn ----

CALLS = ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "other")


def turn(b, contender, seconds):
    """@return the figures."""
    cell = contender.cell
    b.cores = b.pinned if cell.pinned == "yes" else b.unpinned
    with servers.table(b, cell.latency) as t, servers.server(b, contender, t) as s:
        cookies = servers.make_cookies(s, contender)
        url = "http://127.0.0.1:%d%s" % (s.port(cell.operation), s.page(cell.operation))
        wrk(b, url, rows.ROWS[contender.row].warm_up(cell), int(cell.clients), cookies)
        before = t.counts(), cpu_ticks([s.pid]), cpu_ticks(b.helpers), busy_ticks()
        got = wrk(b, url, seconds, int(cell.clients), cookies)
        after = t.counts(), cpu_ticks([s.pid]), cpu_ticks(b.helpers), busy_ticks()
    used, helpers, busy = (y - x for x, y in zip(before[1:], after[1:]))
    requests = max(got["requests"], 1)
    errors = got["errors"] or int(not got["requests"])  # none that ended in time: there is nothing to divide
    calls = {k: (after[0][k] - before[0][k]) / requests for k in CALLS}
    return {"requests_per_s": "%.1f" % (got["requests"] / got["seconds"]),
            "cpu_us": "%.1f" % (used / TICKS * 1e6 / requests), "p50_us": got["p50_us"], "p99_us": got["p99_us"], "errors": errors,
            "busy": "%.2f" % (used / TICKS / got["seconds"] / len(b.cores["httpd"])),
            "others": "%.2f" % ((busy - used - helpers) / TICKS / got["seconds"]),
            "calls": " ".join("%.2f %s" % (n, k) for k, n in calls.items() if n >= 0.005) or "-"}


# ---- records ----

def write_header(path):
    with open(path, "w", encoding="utf-8") as f:
        f.write("\t".join(COLUMNS) + "\n")


def append(path, contender, number, figures):
    line = [contender.row, *contender.cell, number, *(figures[f] for f in FIGURES)]
    with open(path, "a", encoding="utf-8") as f:
        f.write("\t".join(map(str, line)) + "\n")


def read(path):
    """@return {contender: {round: figures}}"""
    found = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            if f.readline().rstrip("\n").split("\t") != COLUMNS:
                die(path + " has other columns than this version writes: move it away")
            for line in f:
                values = dict(zip(COLUMNS, line.rstrip("\n").split("\t")))
                cell = rows.Cell(*(values[k] for k in rows.Cell._fields))
                found.setdefault(rows.Contender(values["row"], cell), {})[int(values["round"])] = values
    return found


def rounds(b, path, contenders, done, count, seconds):
    """All contenders in turn, count times. done: what read() found."""
    contenders = servers.prepare(b, contenders)
    for number in range(1, count + 1):
        left = [c for c in contenders if number not in done.get(c, {})]
        # The first is another each time: none has always the same one before it.
        at = number % len(left) if left else 0
        rates = {}
        for contender in left[at:] + left[:at]:
            figures = turn(b, contender, seconds)
            append(path, contender, number, figures)
            rates[contender] = figures
        if left:
            say("round %d of %d: %s" % (number, count, ", ".join(
                "%s %s/s%s" % (rows.label(c), rates[c]["requests_per_s"].split(".")[0],
                               " %s errors" % rates[c]["errors"] if rates[c]["errors"] else "") for c in left)))


def spread(values):
    """Median, and the quartiles around it."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    first, median, third = statistics.quantiles(values, n=4, method="inclusive")
    return median, first, third


def figure(found, contender, what):
    return spread([float(v[what]) for v in found[contender].values()])


def ratio(found, contender, to, what="requests_per_s"):
    """By round, so that what slows the machine for a while slows both. None where one of them failed or is missing."""
    ours, theirs = found.get(contender, {}), found.get(to, {})
    both = [(ours[n], theirs[n]) for n in ours if n in theirs]
    if not both or any(int(v["errors"]) for pair in both for v in pair):
        return None
    return spread([float(a[what]) / float(x[what]) for a, x in both])


# ---- the machine ----

def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    versions = [programs.output("pkg-config", "--modversion", name) for name in ("libcurl", "openssl")]
    return "%s. %s, %d cores, Linux %s. %s, libcurl %s, OpenSSL %s." % (
        time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), model.group(1) if model else "CPU unknown", os.cpu_count(),
        os.uname().release, programs.output(programs.httpd_program(), "-v").splitlines()[0].split(": ")[1], *versions)
