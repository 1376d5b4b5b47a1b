"""Instructions of user code in httpd for each request, counted by callgrind; and the check of recorded ones."""

import os
import platform
import re
import time

import programs
import rows
import servers
from programs import die, say
from rows import BASE, Contender

RECORDED = os.path.join(programs.BENCH, "instructions.tsv")
ALLOWED = 1.05  # of what is recorded
WARM_UP = 40     # requests, several for each thread
# No call is to be made twice because valgrind is slow, which it is with the system's CAs most of all.
PATIENT = """
SessionDynamoDBTimeout 8s
SessionDynamoDBConnectTimeout 8s
SessionDynamoDBCAFile %s"""
CONTENDERS = {
    "plain": Contender("plain", BASE._replace(operation="none")),
    "bare": Contender("bare", BASE),
    "floor": Contender("floor", BASE),
    "libcurl": Contender("libcurl", BASE),
    "cookie": Contender("cookie", BASE),
    "anonymous": Contender("module", BASE._replace(operation="none")),
    "loaded": Contender("module", BASE),
    "touched": Contender("module", BASE._replace(operation="touch")),
    "changed": Contender("module", BASE._replace(operation="write")),
    "new session": Contender("module", BASE._replace(operation="login")),
    "bare over TLS": Contender("bare", BASE._replace(tls="tls")),
    "loaded over TLS": Contender("module", BASE._replace(tls="tls")),
    **{"%s with %s" % (name, row): Contender(row, BASE._replace(operation=operation))
       for row in rows.ROWS if rows.ROWS[row].is_variant
       for name, operation in (("loaded", "read"), ("changed", "write"), ("new session", "login"))},
}
CHECKED = ["anonymous", "loaded", "touched", "changed", "new session", "loaded over TLS"]


class Session:
    """One client and its kept connection."""

    def __init__(self, server, contender):
        self.operation, self.page = contender.cell.operation, server.page(contender.cell.operation)
        self.cookies = servers.make_cookies(server, contender)[:1]
        self.http = servers.connection(server.port(self.operation), timeout=300)

    def ask(self, page):
        self.http.request("GET", page, headers={"Cookie": self.cookies[0]} if self.cookies else {})
        reply = self.http.getresponse()
        reply.read()
        if reply.status != 200:
            die("%s was answered with %d" % (page, reply.status))

    def ask_often(self, count):
        for _ in range(count):
            self.ask(self.page)
        time.sleep(0.5)  # touches come after the response

    def mark(self):
        self.ask("/mark")


def profiles(b, contender, count):
    """Two files of callgrind: one of a mark alone, one of a mark and count requests."""
    out = b.path("run/callgrind.out")
    for name in os.listdir(b.path("run")):
        if name.startswith("callgrind.out"):
            os.unlink(b.path("run/" + name))
    wrap = ("valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=" + out, "--dump-before=mark")
    patient = PATIENT % b.path("ca.pem") if rows.ROWS[contender.row].store == "table" else ""
    with servers.table(b) as t, servers.server(b, contender, t, wrap=wrap, modules=["mark"],
                                               settings=patient) as s:
        client = Session(s, contender)
        client.ask_often(WARM_UP)
        client.mark()
        client.mark()
        client.ask_often(count)
        client.mark()
    return out + ".2", out + ".3"


LINE = re.compile(r"^\s*([\d,]+) \(\s*[\d.]+%\)\s+(\S+?):(.+?)(?: \[([^\]]*)\])?$")


def total(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            if line.startswith(("totals:", "summary:")):
                return int(line.split()[1])
    return die(path + " has no total")


def annotated(path, inclusive):
    """(function, object) -> instructions. What is under way at both ends, as the thread's first function is, is given
    by callgrind with all that it calls; by itself it is left out."""
    text = programs.output("callgrind_annotate", "--threshold=100", "--auto=no",
                           "--inclusive=" + ("yes" if inclusive else "no"), path, stderr=programs.subprocess.DEVNULL)
    table, most = {}, total(path) / 2
    for m in filter(None, map(LINE.match, text.splitlines())):
        key, n = (m.group(3), os.path.basename(m.group(4) or "?")), int(m.group(1).replace(",", ""))
        if inclusive or n < most:
            table[key] = table.get(key, 0) + n
    return table


def by_function(alone, many, requests, inclusive):
    few, more = annotated(alone, inclusive), annotated(many, inclusive)
    return {k: (n - few.get(k, 0)) / requests for k, n in more.items()}


def print_functions(title, functions, limit):
    print("  " + title)
    for (function, where), n in sorted(functions.items(), key=lambda x: -x[1])[:limit]:
        print("  %9.0f  %s [%s]" % (n, function, where))


def print_parts(contender, all_of, own):
    objects = {}
    for (_, where), n in own.items():
        objects[where] = objects.get(where, 0) + n
    for where, n in sorted(objects.items(), key=lambda x: -x[1])[:12]:
        print("  %9.0f  %s" % (n, where))
    if rows.ROWS[contender.row].store == "table":
        ours = {k: n for k, n in all_of.items() if re.search("dynamodb|curl|crypto|ssl|cjson|libz|mod_session", k[1])}
        print_functions("functions of the module and its libraries, with all they call:", ours, 60)
        print_functions("functions, themselves:", own, 40)


def run(b, requests=200, names=None, details=False):
    """@return counts of the contenders of these names, or all."""
    programs.install(programs.VALGRIND)
    b.cores = b.unpinned
    wanted = {n: CONTENDERS[n] for n in names or CONTENDERS}
    servers.prepare(b, wanted.values())
    say("instructions of user code in httpd for each request, %d requests; the kernel's are not counted" % requests)
    totals = {}
    for name, contender in wanted.items():
        alone, many = profiles(b, contender, requests)
        n = (total(many) - total(alone)) / requests
        totals["instructions " + name] = [n]
        print("%9.0f  %s" % (n, name), flush=True)
        if details:
            print_parts(contender, *(by_function(alone, many, requests, inclusive) for inclusive in (True, False)))
    b.cores = b.pinned
    return totals


# ---- the check ----

def system():
    """What a count depends on, beside the source: another system has other libraries, and they choose by the CPU."""
    with open("/etc/os-release", encoding="utf-8") as f:
        release = dict(line.rstrip("\n").replace('"', "").split("=", 1) for line in f if "=" in line)
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        avx2 = " with AVX2" * bool(re.search(r"^flags.*\bavx2\b", f.read(), re.M))
    return "%s %s %s%s" % (release.get("ID"), release.get("VERSION_ID"), platform.machine(), avx2)


def recorded():
    """{system: {name: instructions}}"""
    found = {}
    with open(RECORDED, encoding="utf-8") as f:
        for line in f:
            if not line.startswith("#"):
                where, name, n = line.rstrip("\n").split("\t")
                found.setdefault(where, {})[name] = int(n)
    return found


def counted(b):
    totals = run(b, b.options.count or 100, CHECKED)
    return {name: round(totals["instructions " + name][0]) for name in CHECKED}


def check(b):
    """@return how many failed."""
    known = recorded().get(system())
    if not known:
        print("SKIP: build/bench check: no figures are recorded for %s (build/bench record)" % system())
        print("0 passed, 0 failed")
        return 0
    failed = 0
    for number, (name, n) in enumerate(counted(b).items(), 1):
        good = name in known and n <= known[name] * ALLOWED
        failed += not good
        print("%sok %d - instructions of a request, %s: %d, recorded %s, %s" % (
            "" if good else "not ", number, name, n, known.get(name),
            "%+.1f %%" % (100 * n / known[name] - 100) if name in known else "nothing to compare with"))
    if failed:
        print("# where they are spent: build/bench callgrind; if they are worth it: build/bench record")
    print("%d passed, %d failed" % (len(CHECKED) - failed, failed))
    return failed


def record(b):
    all_of = {**recorded(), system(): counted(b)}
    with open(RECORDED, "w", encoding="utf-8") as f:
        f.write("# Instructions of a request, by system: build/bench record writes them, build/bench check compares.\n")
        for where in sorted(all_of):
            for name, n in all_of[where].items():
                f.write("%s\t%s\t%d\n" % (where, name, n))
