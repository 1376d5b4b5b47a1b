"""The goals: contenders side by side, and what has been reached."""

import os

import instructions
import load
import memory
import programs
import rows
import syscalls
from programs import say
from rows import BASE, Contender

TLS = BASE._replace(tls="tls")
PLAIN = Contender("plain", BASE._replace(operation="none"))
BARE, BARE_TLS = Contender("bare", BASE), Contender("bare", TLS)
LOADED, LOADED_TLS = Contender("module", BASE), Contender("module", TLS)
CHANGED = Contender("module", BASE._replace(operation="write"))
SIDE_BY_SIDE = [PLAIN, BARE, Contender("floor", BASE), Contender("libcurl", BASE),
                Contender("module", BASE._replace(operation="none")), LOADED,
                Contender("bare", BASE._replace(operation="write")), CHANGED,
                BARE_TLS, Contender("libcurl", TLS), LOADED_TLS]
FAR = [BASE._replace(latency="5", clients=clients) for clients in ("1", "32", "256")]
FREE = BASE._replace(pinned="no")
PACKAGES = [Contender(row, FREE) for row in ("module", "express", "flask")]
GROUPS = [SIDE_BY_SIDE, *([Contender(row, cell) for row in ("bare", "floor", "module")] for cell in FAR), PACKAGES]

# (text, at least or at most, bound, contender, of which, figure)
RATIOS = [
    ("loaded, of the bare round trip", ">=", 0.90, LOADED, BARE, "requests_per_s"),
    ("loaded, of plain httpd", ">=", 0.50, LOADED, PLAIN, "requests_per_s"),
    ("loaded over TLS, of a bare round trip over TLS", ">=", 0.85, LOADED_TLS, BARE_TLS, "requests_per_s"),
    ("changed in each request, of plain httpd", ">=", 0.36, CHANGED, PLAIN, "requests_per_s"),
    *(("latency 5 ms, %s clients: p50, of the bare round trip's" % cell.clients, "<=", 1.03, Contender("module", cell),
       Contender("bare", cell), "p50_us") for cell in FAR),
    ("loaded, of connect-dynamodb (Express, one process)", ">=", 24, PACKAGES[0], PACKAGES[1], "requests_per_s"),
    ("loaded, of dynamodb-session-flask (gunicorn)", ">=", 75, PACKAGES[0], PACKAGES[2], "requests_per_s"),
]
# (text, bound, name in the counts)
COUNTS = [
    ("instructions, anonymous", 31000, "instructions anonymous"),
    ("instructions, loaded", 105000, "instructions loaded"),
    ("instructions, changed", 225000, "instructions changed"),
    ("instructions, loaded over TLS", 125000, "instructions loaded over TLS"),
    ("system calls of an exchange on a kept connection", 3, "system calls plain"),
    ("system calls of an exchange on a kept connection, TLS", 4, "system calls TLS"),
    ("memory of a TLS connection with the system's CAs, KB", 100, "memory TLS"),
]


def holds(value, relation, bound):
    return value >= bound if relation == ">=" else value <= bound


def table(found, counted):
    """Markdown."""
    lines = ["| goal | | measured | quartiles | |", "| --- | --- | --: | --: | --- |"]
    for text, relation, bound, contender, to, what in RATIOS:
        got = load.ratio(found, contender, to, what)
        lines.append("| %s | %s %s | %s |" % (text, relation, bound, "%.3g | %.3g–%.3g | %s" % (
            *got, verdict(got[0], relation, bound)) if got else "| | not measured"))
    for text, bound, name in COUNTS:
        got = counted.get(name)
        lines.append("| %s | <= %d | %s |" % (text, bound, "%s | %s | %s" % (
            number(got[0]), "%s–%s" % tuple(map(number, got[1:])) if len(got) > 1 else "",
            verdict(got[0], "<=", bound)) if got else "| | not measured"))
    return "\n".join(lines) + "\n"


def number(value):
    return "{:,.0f}".format(value) if value >= 100 else "%.3g" % value


def verdict(value, relation, bound):
    return "yes" if holds(value, relation, bound) else "**no**"


def side_by_side(found, contenders):
    """Markdown: each contender of a group with all its figures."""
    lines = ["| | requests/s | quartiles | of plain | of bare | CPU µs/request | p50 µs | p99 µs | httpd's cores | "
             "calls/request |", "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --- |"]
    for c in contenders:
        if c not in found:
            continue
        bare = Contender("bare", c.cell)
        plain = Contender("plain", c.cell._replace(operation="none", tls="plain"))
        rate = load.figure(found, c, "requests_per_s")
        ratios = ["%.2f" % r[0] if r else "" for r in (load.ratio(found, c, plain), load.ratio(found, c, bare))]
        calls = next(iter(found[c].values()))["calls"]
        lines.append("| %s | %.0f | %.0f–%.0f | %s | %.0f | %.0f | %.0f | %.2f | %s |" % (
            rows.label(c), *rate, " | ".join(ratios), *(load.figure(found, c, f)[0] for f in
                                                      ("cpu_us", "p50_us", "p99_us", "busy")), calls.replace("-", "")))
    return "\n".join(lines) + "\n"


def others(found):
    values = [float(f["others"]) for by_round in found.values() for f in by_round.values()]
    return "Other programs of the machine took %.2f cores meanwhile (median; quartiles %.2f to %.2f)." % (
        load.spread(values)) if values else ""


# ---- counts: name -> value, and where there is one its spread ----

def write_counts(path, counted):
    known = {**read_counts(path), **counted}
    with open(path, "w", encoding="utf-8") as f:
        for name, values in sorted(known.items()):
            f.write("\t".join([name, *("%.2f" % v for v in values)]) + "\n")


def read_counts(path):
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as f:
        lines = [line.rstrip("\n").split("\t") for line in f]
    return {name: [float(v) for v in values] for name, *values in lines}


def report(b):
    found, counted = load.read(b.path("goals.tsv")), read_counts(b.path("counts.tsv"))
    return "\n".join([table(found, counted), *(side_by_side(found, group) for group in GROUPS), others(found)])


def run(b):
    options = b.options
    programs.install(programs.VALGRIND, programs.STRACE)
    load.write_header(b.path("goals.tsv"))
    with open(b.path("machine.txt"), "w", encoding="utf-8") as f:
        f.write(load.machine() + " %d rounds of %d s.\n" % (options.rounds, options.seconds))
    for group in GROUPS:
        say("in turn: " + ", ".join(rows.label(c) for c in group))
        load.rounds(b, b.path("goals.tsv"), group, {}, options.rounds, options.seconds)
    b.cores = b.pinned
    for command in (instructions, syscalls, memory):
        write_counts(b.path("counts.tsv"), command.run(b))
    print(report(b))
