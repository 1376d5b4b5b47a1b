"""The processes of a turn: the stand-in, PostgreSQL, httpd and the other servers, each on its cores."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import programs
import rows
from programs import die, say

ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench-secret", "AWS_DEFAULT_REGION": "us-east-1",
               "AWS_EC2_METADATA_DISABLED": "true", "BENCH_KEY": "0123456789abcdef" * 3}
SESSION_BYTES_SHOWN = 1024  # up to here the header that stores a session may go out as well

# The second listener stores: mod_headers plays the application, so that no program's start is measured.
CONFIGURATION = """
ServerRoot {dir}
ServerName localhost
PidFile {dir}/run/httpd.pid
ErrorLog {log}
LogLevel warn
{user}
{load_modules}
Mutex posixsem
Listen 127.0.0.1:{read}
Listen 127.0.0.1:{write}
ListenBacklog 2048
{processes}
MaxConnectionsPerChild 0
TraceEnable Off
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
LimitRequestFieldSize 16000
DocumentRoot {dir}/htdocs
<Directory />
    AllowOverride None
    Require all denied
</Directory>
<Directory {dir}/htdocs>
    Require all granted
</Directory>
{settings}
{session}
<VirtualHost 127.0.0.1:{write}>
    {replace}
</VirtualHost>
"""
THREADS = """
ThreadLimit {threads}
ServerLimit {children}
StartServers {children}
ThreadsPerChild {threads}
MaxRequestWorkers {workers}
MinSpareThreads 1
MaxSpareThreads {workers}"""
PROCESSES = """
ServerLimit {workers}
StartServers {workers}
MinSpareServers 1
MaxSpareServers {workers}
MaxRequestWorkers {workers}"""
SESSION = """
Session On
<Location /seen.html>
    SessionEnv On
    Header set X-Seen yes "expr=%%{env:HTTP_SESSION} =~ /user=alice/ || %%{env:SEEN_USER} == 'alice'"
    %s
</Location>"""
# The module exports no variable as large as some of the sessions.
SEEN = "SessionDynamoDBEnv user=SEEN_USER"
REPLACE = """SessionHeader X-Replace-Session
    Header set X-Replace-Session "%s&t=%%t" early"""
HIDE = "\n    Header unset X-Replace-Session"


class Bench:
    """One run: its options, directory and processes."""

    def __init__(self, options):
        self.options = options
        self.dir = os.path.abspath(options.dir)
        self.processes = []
        self.samples = {}
        self.helpers = []  # processes that answer what is measured
        self.postgresql = 0
        self.static = programs.output(programs.httpd_program(), "-l").split()
        cores = sorted(os.sched_getaffinity(0))
        # httpd has a core of its own; what asks it and what answers it share another.
        self.pinned = {"httpd": cores[:1], "other": cores[1:2] or cores}
        self.unpinned = {"httpd": cores, "other": cores}
        self.cores = self.pinned
        for directory in ("run", "sqlite"):
            shutil.rmtree(self.path(directory), ignore_errors=True)
            os.makedirs(self.path(directory))
            give_away(self.path(directory))
        check_reachable(self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def start(self, where, command, **more):
        cores = self.cores[where]
        # A process group of its own: prefork ends its own, and so does end().
        process = subprocess.Popen(command, preexec_fn=lambda: os.sched_setaffinity(0, cores), start_new_session=True,
                                   **more)
        self.processes.append(process)
        return process

    def end(self, process, wrapped=False):
        if process.poll() is None and not wrapped:
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)  # children that are left
        process.wait()
        self.processes.remove(process)

    def stop(self):
        for process in reversed(self.processes[:]):
            self.end(process)


def give_away(path):
    """Root's httpd serves as www-data."""
    if os.getuid() == 0:
        shutil.chown(path, "www-data", "www-data")


def check_reachable(directory):
    if os.getuid() == 0 and subprocess.run(["runuser", "-u", "www-data", "--", "test", "-x", directory]).returncode:
        die("www-data, the user of httpd, does not reach %s: name another place with --dir" % directory)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connection(port, timeout=60):
    return http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)


def get(port, path, **headers):
    """@return the response, and its body."""
    http_ = connection(port)
    http_.request("GET", path, headers=headers)
    reply = http_.getresponse()
    body = reply.read()
    http_.close()
    return reply, body


# ---- the stand-in ----

class Table:
    """The stand-in of one turn."""

    def __init__(self, b, latency="0"):
        command = [b.path("table_server"), str(int(latency) * 1000), b.path("server.pem")]
        self.process = b.start("other", command, stdout=subprocess.PIPE, text=True)
        self.ports = {"plain": int(self.process.stdout.readline()), "tls": int(self.process.stdout.readline())}
        self.pid = self.process.pid

    def counts(self):
        return json.loads(get(self.ports["plain"], "/counts")[1])

    def call(self, operation, body):
        http_ = connection(self.ports["plain"])
        http_.request("POST", "/", json.dumps(body), {"X-Amz-Target": "DynamoDB_20120810." + operation,
                                                      "Authorization": "bench"})
        return json.loads(http_.getresponse().read())


@contextlib.contextmanager
def table(b, latency="0"):
    t = Table(b, latency)
    b.helpers.append(t.pid)
    try:
        yield t
    finally:
        b.helpers.remove(t.pid)
        t.process.stdout.close()
        b.end(t.process)


# ---- PostgreSQL ----

def as_server_user(command):
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "www-data", "--", *command] if os.getuid() == 0 else command


def start_postgresql(b):
    """A cluster of this run's own, with PostgreSQL's defaults."""
    bin_, data = programs.postgres_directory(), b.path("run/postgresql")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": b.dir}
    subprocess.run(as_server_user([bin_ + "/initdb", "-D", data, "-U", "bench", "-A", "trust"]), check=True, **quiet)
    b.postgresql = free_port()
    process = b.start("other", as_server_user([
        bin_ + "/postgres", "-D", data, "-p", str(b.postgresql), "-h", "127.0.0.1", "-k", "",
        "-c", "max_connections=2200", "-c", "unix_socket_directories="]), **quiet)
    for _ in range(100):
        if not subprocess.run([bin_ + "/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(b.postgresql)]).returncode:
            break
        time.sleep(0.1)
    sql(b, "create database bench", "postgres")
    sql(b, "create table session (key text primary key, value text, expiry bigint)")
    with open(data + "/postmaster.pid", encoding="ascii") as f:
        b.helpers.append(int(f.readline()))
    return process


def sql(b, text, database="bench"):
    if subprocess.run([programs.postgres_directory() + "/psql", "-q", "-h", "127.0.0.1", "-p", str(b.postgresql), "-U",
                       "bench", "-d", database, "-c", text], stdout=subprocess.DEVNULL).returncode:
        die("PostgreSQL did not take: " + text)


def empty_store(b, store):
    if store == "sqlite":
        path = b.path("sqlite/sessions.db")
        for suffix in ("", "-journal"):
            with contextlib.suppress(OSError):
                os.unlink(path + suffix)
        programs.output("sqlite3", path, "create table session (key text primary key, value text, expiry int);")
        give_away(path)
    elif store == "postgresql":
        if not b.postgresql:
            start_postgresql(b)
        sql(b, "truncate session")


# ---- httpd ----

def load_module(b, name):
    if "mod_%s.c" % name in b.static:
        return ""
    own = b.path("mod_%s.so" % name)
    shared = os.path.join(programs.apxs("LIBEXECDIR"), "mod_%s.so" % name)
    return "LoadModule %s_module %s" % (name, own if os.path.exists(own) else shared)


class Server:
    """What answers clients: its process, and the ports that read and write."""

    def __init__(self, process, read, write, query=""):
        self.process, self.read, self.write, self.query, self.pid = process, read, write, query, process.pid

    def port(self, operation):
        return self.write if operation in ("write", "login") else self.read

    def page(self, operation):
        return "/page.html" + (self.query if operation in ("write", "login") else "")


def settings_of(b, row, cell, t, workers):
    tls = cell.tls == "tls"
    values = {"table": t.ports[cell.tls] if t else 0, "times": max(1, rows.OPERATIONS[cell.operation]),
              "workers": min(workers, 512), "sqlite": b.path("sqlite/sessions.db"), "postgresql": b.postgresql,
              "request": b.samples[cell.size][0] if row.store == "round trip" else "",
              "endpoint": "%s://127.0.0.1:%d" % ("https" if tls else "http", t.ports[cell.tls] if t else 0),
              "round_trip_ca": "RoundTripCAFile " + b.path("ca.pem") if tls else "",
              "events": b.path("run/events"),
              "ours_ca": "SessionDynamoDBCAFile " + b.path("bundle.pem") if tls else "",
              "ours_touch": "SessionDynamoDBTouchInterval 0" if cell.operation == "touch" else ""}
    text = row.settings
    for name, value in values.items():
        text = text.replace("{%s}" % name, str(value))
    if cell.operation == "touch" and row.keeps_sessions and row.store != "table":
        text += "\nSessionMaxAge 7200"
    return text


def write_configuration(b, row, cell, t, more):
    """more: children and their threads, modules and settings that a command adds."""
    clients = int(cell.clients)
    # event closes kept connections when a child has no idle thread: one child may get all connections.
    threads = more.get("threads") or 2 * clients
    children = more.get("children", 2)
    workers = clients + 8 if cell.mpm == "prefork" else children * threads
    processes = (PROCESSES if cell.mpm == "prefork" else THREADS).format(threads=threads, children=children,
                                                                         workers=workers)
    replace = REPLACE % rows.data_of(cell.size) + (HIDE if rows.SIZES[cell.size] > SESSION_BYTES_SHOWN else "")
    modules = ["mpm_" + cell.mpm, "unixd", "authz_core", "headers", *row.modules, *more.get("modules", [])]
    values = {"dir": b.dir, "read": free_port(), "write": free_port(), "processes": processes,
              "log": b.path("run/httpd.log"), "user": "User www-data\nGroup www-data" if os.getuid() == 0 else "",
              "session": SESSION % (SEEN if row.store == "table" else "") if row.has_session else "",
              "replace": replace if row.keeps_sessions else "",
              "load_modules": "\n".join(load_module(b, m) for m in modules),
              "settings": settings_of(b, row, cell, t, workers) + more.get("settings", "")}
    with open(b.path("httpd.conf"), "w", encoding="utf-8") as f:
        f.write(CONFIGURATION.format(**values))
    return values["read"], values["write"]


def environment():
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") and not k.lower().endswith("_proxy")}
    return {**kept, **ENVIRONMENT}


def await_page(b, server, name):
    for _ in range(1200):
        if server.process.poll() is not None:
            break
        try:
            if get(server.read, "/page.html")[0].status == 200:
                return
        except OSError:
            time.sleep(0.05)
    die("the server for '%s' does not serve its page: see %s" % (name, b.path("run")))


def start_httpd(b, contender, t, wrap=(), **more):
    """wrap: a command that runs httpd, as one process."""
    row = rows.ROWS[contender.row]
    empty_store(b, row.store)
    if row.store == "round trip":
        t.call("PutItem", {"TableName": "app_session", "Item": b.samples[contender.cell.size][1]})
    if wrap:
        # event closes kept connections when no thread is idle, and under valgrind each takes long to become so.
        more = {"children": 1, "threads": 8, **more}
    read, write = write_configuration(b, row, contender.cell, t, more)
    with contextlib.suppress(OSError):
        os.unlink(b.path("run/httpd.log"))  # of another user, it may be
    mode = "-X" if wrap else "-DFOREGROUND"
    # valgrind writes its files with the rights that httpd then has.
    user = {"user": "www-data", "group": "www-data", "extra_groups": []} if wrap and os.getuid() == 0 else {}
    command = [*wrap, programs.httpd_program(), "-f", b.path("httpd.conf"), mode]
    server = Server(b.start("httpd", command, env=environment(), cwd="/", **user), read, write)
    await_page(b, server, contender.row)
    return server


def end_wrapped(b):
    """strace lets go of httpd when it ends itself."""
    with contextlib.suppress(OSError):
        with open(b.path("run/httpd.pid"), encoding="ascii") as f:
            os.kill(int(f.readline()), signal.SIGTERM)


# ---- other servers ----

def start_express(b, contender, t):
    port = free_port()
    command = ["node", b.path("express/express.js"), str(port), "http://127.0.0.1:%d" % t.ports["plain"],
               write_data(b, contender.cell)]
    shutil.copy(os.path.join(programs.BENCH, "express.js"), b.path("express"))
    with open(b.path("run/express.log"), "w", encoding="utf-8") as log:
        process = b.start("httpd", command, env={**environment(), "NODE_ENV": "production"}, stdout=log, stderr=log)
    return Server(process, port, port, "?write")


def start_flask(b, contender, t):
    port = free_port()
    path = os.pathsep.join([*b.options.flask.split(os.pathsep), programs.BENCH])
    more = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "BENCH_DATA": write_data(b, contender.cell),
            "BENCH_ENDPOINT": "http://127.0.0.1:%d" % t.ports["plain"]}
    # As gunicorn's manual advises. The package makes a client of boto3 in each request, which threads may not do at
    # the same time: requests would fail. gthread, for kept connections.
    workers = 2 * len(b.cores["httpd"]) + 1
    with open(b.path("run/flask.log"), "w", encoding="utf-8") as log:
        process = b.start("httpd", ["gunicorn", "--bind", "127.0.0.1:%d" % port, "--workers", str(workers),
                                    "--worker-class", "gthread", "--keep-alive", "60", "--threads", "1",
                                    "flask_app:app"],
                          env={**environment(), **more}, stdout=log, stderr=log)
    return Server(process, port, port, "?write")


def write_data(b, cell):
    path = b.path("run/data-" + cell.size)
    with open(path, "w", encoding="ascii") as f:
        f.write(rows.data_of(cell.size))
    return path


@contextlib.contextmanager
def server(b, contender, t, **more):
    if rows.ROWS[contender.row].is_httpd:
        s = start_httpd(b, contender, t, **more)
    else:
        s = {"express": start_express, "flask": start_flask}[contender.row](b, contender, t)
        await_page(b, s, contender.row)
    try:
        yield s
    finally:
        if more.get("wrap"):
            end_wrapped(b)
        b.end(s.process, wrapped="wrap" in more)


# ---- sessions ----

def bind(http_, cookie, registration):
    """Bind a session to a device, as its Secure-Session-Registration says. @return both cookies."""
    path, challenge = re.fullmatch(r'\(ES256 RS256\);path="(.+)";challenge="(.+)"', registration).groups()
    ask = json.dumps({"key": "bench", "jti": challenge, "register": True}) + "\n"
    client = [sys.executable, os.path.join(programs.TOP, "t", "lib", "device_client.py")]
    proof = subprocess.run(client, input=ask, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    http_.request("POST", path, headers={"Cookie": cookie, "Secure-Session-Response": proof})
    reply = http_.getresponse()
    reply.read()
    if reply.status != 200:
        die("a session could not be bound: status %d" % reply.status)
    return cookie + "; " + reply.getheader("Set-Cookie").split(";")[0]


def new_cookie(server_, http_):
    """What a browser sends back after a request that stored a session."""
    http_.request("GET", server_.page("login"))
    reply = http_.getresponse()
    reply.read()
    cookies = [c.split(";")[0] for c in reply.headers.get_all("Set-Cookie") or []]
    if reply.status != 200 or not cookies:
        die("no session cookie: status %d, %s" % (reply.status, reply.getheaders()))
    registration = reply.getheader("Secure-Session-Registration")
    return bind(http_, cookies[-1], registration) if registration else cookies[-1]


def check_loaded(server_, contender, cookie):
    """A benchmark of a session that is not loaded would be a fine one."""
    path = "/seen.html" if rows.ROWS[contender.row].is_httpd else "/page.html"
    reply, _ = get(server_.read, path, Cookie=cookie)
    if reply.getheader("X-Seen") != "yes":
        die("'%s' did not load its session: %d %s" % (rows.label(contender), reply.status, reply.getheaders()))


SESSIONS = 2000          # many more than connections: two at a time seldom use the same one
SESSIONS_BYTES = 1 << 26  # of their data, which the stand-in keeps three times


def make_cookies(server_, contender):
    """New for each turn, so that none is old enough for a touch."""
    row, cell = rows.ROWS[contender.row], contender.cell
    if not row.keeps_sessions or cell.operation == "none":
        return []
    count = 1
    if cell.operation in ("touch", "write"):
        count = max(2 * int(cell.clients), min(SESSIONS, SESSIONS_BYTES // rows.SIZES[cell.size]))
    http_ = connection(server_.write)
    cookies = [new_cookie(server_, http_) for _ in range(count)]
    http_.close()
    if "-device=" in cookies[0]:
        time.sleep(11)  # after a registration the cookie is not looked at for ten seconds
    check_loaded(server_, contender, cookies[0])
    return cookies if cell.operation != "login" else []


def take_sample(b, size):
    """The request that the module sends to load a session, and the row: what a bare round trip sends and gets."""
    contender = rows.Contender("module", rows.BASE._replace(size=size))
    with table(b) as t, server(b, contender, t) as s:
        cookie = new_cookie(s, connection(s.write))
        get(t.ports["plain"], "/record")
        check_loaded(s, contender, cookie)
        request = get(t.ports["plain"], "/recorded")[1]
        key = json.loads(request.partition(b"\r\n\r\n")[2])["Key"]
        item = t.call("GetItem", {"TableName": "app_session", "Key": key})["Item"]
    path = b.path("run/request-" + size)
    with open(path, "wb") as f:
        f.write(request)
    return path, item


def take_samples(b, contenders):
    for size in sorted({c.cell.size for c in contenders if rows.ROWS[c.row].store == "round trip"}):
        if size not in b.samples:
            b.samples[size] = take_sample(b, size)


def prepare(b, contenders):
    """Whatever the contenders need, before the first turn. @return those that can be measured here."""
    names = {c.row for c in contenders}
    wanted = [table_ for row, table_ in (("postgresql", programs.POSTGRESQL), ("express", programs.NODE),
                                         ("flask", programs.FLASK)) if row in names]
    if "flask" in names and not b.options.flask:
        say("SKIP: '%s': no checkout named with --flask" % rows.ROWS["flask"].label)
        contenders = [c for c in contenders if c.row != "flask"]
        wanted = [w for w in wanted if w is not programs.FLASK]
    programs.install(*wanted)
    if "express" in names:
        programs.install_express(b.path("express"))
    take_samples(b, contenders)
    return contenders
