"""What build/growth runs: the stand-in for DynamoDB, a store at some distance, httpd, and ways to count what it does."""

import asyncio
import base64
import contextlib
import glob
import hashlib
import http.client
import json
import os
import re
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from instructions import total
from programs import die, httpd_program, output, say
from servers import connection, environment, free_port

BENCH = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(BENCH))
LIBRARIES = ["libcurl", "libcjson", "openssl", "zlib"]
PACKAGES = {"apache2": "apache2-bin", "apxs": "apache2-dev", "gcc": "gcc", "pkg-config": "pkg-config", "wrk": "wrk",
            "valgrind": "valgrind", "strace": "strace"}
TABLE = "app_session"
START = 900  # seconds at most until httpd serves: under valgrind, with a thousand virtual hosts, on a busy machine

CONFIGURATION = """
ServerRoot {dir}
ServerName localhost
PidFile {dir}/run/httpd.pid
ErrorLog {dir}/run/httpd.log
LogLevel warn
{load}
Mutex posixsem
Listen 127.0.0.1:{read}
Listen 127.0.0.1:{write}
ListenBacklog 1024
ThreadLimit {threads}
ServerLimit {children}
StartServers {children}
ThreadsPerChild {threads}
MaxRequestWorkers {workers}
MinSpareThreads 1
MaxSpareThreads {workers}
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 600
TraceEnable Off
LimitRequestFieldSize 65536
DocumentRoot {dir}/htdocs
<Directory />
    AllowOverride None
    Require all denied
</Directory>
<Directory {dir}/htdocs>
    Require all granted
</Directory>
{session}
{hosts}
<VirtualHost 127.0.0.1:{write}>
    {replace}
</VirtualHost>
"""
# valgrind is slow: no call is to be made twice because of it.
SESSION = """
Session On
SessionDynamoDB On
SessionDynamoDBEndpointURL http://127.0.0.1:{table}
SessionDynamoDBRegion us-east-1
SessionDynamoDBCheckTable Off
SessionDynamoDBTimeout 8s
SessionDynamoDBConnectTimeout 8s
<Location /seen.html>
    SessionEnv On
    Header set X-Seen yes "expr=%{{env:HTTP_SESSION}} =~ /user=alice/"
</Location>"""
# mod_headers plays the application, so that no program's start is counted.
REPLACE = """SessionHeader X-Replace-Session
    Header set X-Replace-Session "%s" early
    Header unset X-Replace-Session"""
CHANGED = "user=alice&t=%%t&csrf=%s" % ("0123456789abcdef" * 4)
ASKED = "expr=%{req_novary:X-Set}"


def install():
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    names = sorted(package for tool, package in PACKAGES.items() if not shutil.which(tool, path=path))
    if names:
        say("installing: " + " ".join(names))
        sudo = [] if os.getuid() == 0 else ["sudo"]
        if subprocess.run([*sudo, "apt-get", "install", "-y", "-q", "--no-install-recommends", *names],
                          stdout=subprocess.DEVNULL).returncode:
            die("apt-get could not install " + " ".join(names))


# ---- building ----

def compile_c(target, sources, flags):
    headers = glob.glob(os.path.join(TOP, "src/**/*.h"), recursive=True)
    headers += glob.glob(os.path.join(TOP, "*.h")) + glob.glob(os.path.join(BENCH, "*.h"))
    if os.path.exists(target) and all(os.path.getmtime(s) <= os.path.getmtime(target) for s in sources + headers):
        return
    if subprocess.run(["gcc", "-std=gnu99", "-O2", "-g", "-o", target, *sources, *flags]).returncode:
        die("compiling %s failed" % os.path.basename(target))


def build(directory):
    os.makedirs(directory + "/htdocs", exist_ok=True)
    for page in ("page.html", "seen.html"):
        with open("%s/htdocs/%s" % (directory, page), "w", encoding="ascii") as f:
            f.write("x" * 1024)
    libraries = output("pkg-config", "--cflags", "--libs", *LIBRARIES).split()
    compile_c(directory + "/table_server", sorted(glob.glob(os.path.join(BENCH, "table_*.c"))), libraries)
    ours = sorted(glob.glob(os.path.join(TOP, "src/**/*.c"), recursive=True))
    ours += sorted(glob.glob(os.path.join(TOP, "mod_session_dynamodb*.c")))
    includes = output("apr-1-config", "--cppflags", "--includes").split()
    compile_c(directory + "/mod_session_dynamodb.so", ours,
              ["-fPIC", "-shared", "-Wl,-z,nodelete", "-I" + output("apxs", "-q", "INCLUDEDIR"), "-I" + TOP,
               "-I" + os.path.join(TOP, "src"), *includes, *libraries])


# ---- the world ----

class World:
    """A run: its directory and processes."""

    def __init__(self, directory):
        self.dir = os.path.abspath(directory)
        self.processes = []
        self.static = output(httpd_program(), "-l").split()
        shutil.rmtree(self.path("run"), ignore_errors=True)
        os.makedirs(self.path("run"))
        if os.getuid() == 0:
            shutil.chown(self.path("run"), "www-data", "www-data")
            if subprocess.run(["runuser", "-u", "www-data", "--", "test", "-x", self.dir]).returncode:
                die("www-data, the user of httpd, does not reach %s: name another place with --dir" % self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def start(self, command, **more):
        process = subprocess.Popen(command, **more)
        self.processes.append(process)
        return process

    def end(self, process, with_=signal.SIGTERM):
        if process.poll() is None:
            process.send_signal(with_)
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes.remove(process)

    def stop(self):
        for process in reversed(self.processes[:]):
            self.end(process)


# ---- the stand-in ----

class Table:
    def __init__(self, w):
        self.w = w
        self.process = w.start([w.path("table_server"), "0"], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def counts(self):
        http_ = connection(self.port, START)
        http_.request("GET", "/counts")
        return json.loads(http_.getresponse().read())

    def get(self, key):
        http_ = connection(self.port, START)
        body = json.dumps({"TableName": TABLE, "Key": {"id": {"S": key}}})
        http_.request("POST", "/", body, {"X-Amz-Target": "DynamoDB_20120810.GetItem", "Authorization": "growth"})
        return json.loads(http_.getresponse().read())["Item"]

    def put_many(self, items, name=TABLE):
        """Each item as JSON text; many calls under way at once."""
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            reader, waiting, batch = s.makefile("rb"), 0, []
            for item in items:
                body = '{"TableName":"%s","Item":%s}' % (name, item)
                batch.append("POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\nAuthorization: growth\r\n"
                             "Content-Length: %d\r\n\r\n%s" % (len(body), body))
                if len(batch) == 50:
                    s.sendall("".join(batch).encode())
                    waiting += len(batch)
                    batch = []
                if waiting >= 500:
                    waiting = self.read_replies(reader, waiting)
            s.sendall("".join(batch).encode())
            self.read_replies(reader, waiting + len(batch))

    @staticmethod
    def read_replies(reader, count):
        for _ in range(count):
            status, length = reader.readline(), 0
            if b" 200 " not in status:
                die("the stand-in answered " + status.decode())
            for line in iter(reader.readline, b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            reader.read(length)
        return 0


@contextlib.contextmanager
def table(w):
    t = Table(w)
    try:
        yield t
    finally:
        t.process.stdout.close()
        w.end(t.process)


def table_key(sid):
    return base64.urlsafe_b64encode(hashlib.sha256(sid.encode()).digest()).rstrip(b"=").decode()


class Sessions:
    """Rows like that of a session which the module has written, each of a session of its own."""

    def __init__(self, t, cookie):
        name, sid = cookie.split("=", 1)
        self.name, self.random = name, secrets.token_bytes(16)
        item = t.get(table_key(sid))
        item["id"]["S"], item["loggable"]["S"] = "ID", "LOGGABLE"
        self.item = json.dumps(item, separators=(",", ":"))

    def sid(self, number):
        digest = hashlib.sha256(self.random + number.to_bytes(8, "big")).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def cookie(self, number):
        return "%s=%s" % (self.name, self.sid(number))

    def items(self, numbers):
        before, between, after = re.split('"ID"|"LOGGABLE"', self.item)
        first, second = (("ID", "LOGGABLE") if self.item.index('"ID"') < self.item.index('"LOGGABLE"')
                         else ("LOGGABLE", "ID"))
        for n in numbers:
            sid = self.sid(n)
            values = {"ID": table_key(sid), "LOGGABLE": hashlib.sha512(sid.encode()).hexdigest()[:32]}
            yield '%s"%s"%s"%s"%s' % (before, values[first], between, values[second], after)


# ---- distance ----

class Distance:
    """A port of its own for the stand-in, at which each answer takes this long: parallel calls then really overlap."""

    def __init__(self, port, seconds):
        self.to, self.seconds, self.port = port, seconds, 0
        self.loop, ready = asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=self.run, args=(ready,), daemon=True)
        self.thread.start()
        ready.wait()

    def run(self, ready):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    async def serve(self, reader, writer):
        upper_reader, upper_writer = await asyncio.open_connection("127.0.0.1", self.to)
        asyncio.ensure_future(self.copy(reader, upper_writer, 0))
        await self.copy(upper_reader, writer, self.seconds)

    @staticmethod
    async def copy(reader, writer, delay):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await asyncio.sleep(delay)
                writer.write(data)
        writer.close()


# ---- httpd ----

class Server:
    def __init__(self, w, process, read, write):
        self.w, self.process, self.read, self.write = w, process, read, write

    def ask(self, http_, cookie=None, page="/page.html", status=200, **headers):
        if cookie:
            headers["Cookie"] = cookie
        try:
            http_.request("GET", page, headers=headers)
            reply = http_.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError):
            # event closes kept connections when a child has no idle thread.
            http_.close()
            http_.request("GET", page, headers=headers)
            reply = http_.getresponse()
        reply.read()
        if reply.status != status:
            die("%s was answered with %d: see %s" % (page, reply.status, self.w.path("run/httpd.log")))
        return reply

    def new_cookie(self, **headers):
        reply = self.ask(connection(self.write, START), **headers)
        cookies = reply.headers.get_all("Set-Cookie")
        if not cookies:
            die("no session was stored: see " + self.w.path("run/httpd.log"))
        return cookies[-1].split(";")[0]

    def check_loaded(self, cookie):
        if self.ask(connection(self.read, START), cookie, "/seen.html").getheader("X-Seen") != "yes":
            die("the session was not loaded")

    def children(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                with open("/proc/%s/stat" % pid, encoding="ascii", errors="replace") as f:
                    if int(f.read().rpartition(")")[2].split()[1]) == self.process.pid:
                        found.append(int(pid))
        return found

    def requests_done(self):
        """A mark for callgrind, which dumps what it has counted so far: a page that is not there."""
        self.ask(connection(self.read, START), page="/none", status=404)


def load_module(w, name):
    if "mod_%s.c" % name in w.static:
        return ""
    own = w.path("mod_%s.so" % name)
    shared = own if os.path.exists(own) else os.path.join(output("apxs", "-q", "LIBEXECDIR"), "mod_%s.so" % name)
    return "LoadModule %s_module %s" % (name, shared)


def configure(w, store, with_=True, children=1, threads=2, hosts="", data=CHANGED, settings=""):
    """Write a configuration. with_: with the module; hosts: text in which {read} is the port. @return the two ports."""
    modules = ["mpm_event", "unixd", "authz_core", "headers"] + ["session", "session_dynamodb"] * with_
    read, write = free_port(), free_port()
    text = CONFIGURATION.format(
        dir=w.dir, load="\n".join(load_module(w, m) for m in modules), read=read, write=write, children=children,
        threads=threads, workers=children * threads, session=(SESSION.format(table=store) if with_ else "") + settings,
        hosts=hosts.replace("{read}", str(read)), replace=REPLACE % data if with_ else "")
    if os.getuid() == 0:
        text = "User www-data\nGroup www-data\n" + text
    with open(w.path("httpd.conf"), "w", encoding="utf-8") as f:
        f.write(text)
    return read, write


def unprivileged():
    """valgrind writes its files with the rights that httpd then has."""
    return {"user": "www-data", "group": "www-data", "extra_groups": []} if os.getuid() == 0 else {}


def start_httpd(w, ports, wrap=(), mode="-DFOREGROUND"):
    with contextlib.suppress(OSError):
        os.unlink(w.path("run/httpd.log"))
    command = [*wrap, httpd_program(), "-f", w.path("httpd.conf"), mode]
    s = Server(w, w.start(command, env=environment(), cwd="/", **(unprivileged() if wrap else {})), *ports)
    until = time.monotonic() + START
    while time.monotonic() < until and s.process.poll() is None:
        with contextlib.suppress(OSError):
            s.ask(connection(s.read, START))
            return s
        time.sleep(0.1)
    return die("httpd does not serve: see " + w.path("run/httpd.log"))


@contextlib.contextmanager
def httpd(w, store, **more):
    s = start_httpd(w, configure(w, store, **more))
    try:
        yield s
    finally:
        w.end(s.process)


# ---- counting ----

def callgrind(w):
    for name in glob.glob(w.path("run/callgrind.*")):
        os.unlink(name)
    return ("valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=" + w.path("run/callgrind"),
            "--log-file=" + w.path("run/valgrind.log"))


BATCHES, BATCH, WARM_UP = 3, 25, 10


def instructions(w, store, make_cookies, port="read", host=None, batch=BATCH, **more):
    """@return instructions of user code in httpd for each request, of each batch. make_cookies(server) says with which
    cookies requests come, in turn."""
    ports = configure(w, store, **{"threads": 8, **more})
    s = start_httpd(w, ports, (*callgrind(w), "--dump-before=ap_send_error_response"), "-X")
    try:
        cookies = make_cookies(s)
        http_ = connection(getattr(s, port), START)
        headers = {"Host": host} if host else {}

        def ask(count, at):
            for n in range(count):
                s.ask(http_, cookies[(at + n) % len(cookies)], **headers)

        ask(min(WARM_UP, batch), 0)
        s.requests_done()
        s.requests_done()
        for number in range(BATCHES):
            ask(batch, WARM_UP + number * batch)
            time.sleep(0.3)  # touches come after the response
            s.requests_done()
    finally:
        w.end(s.process)
    # The first file ends at the first mark, the second has a mark alone, each further one a batch and a mark.
    files = [total(w.path("run/callgrind.%d" % n)) for n in range(2, 3 + BATCHES)]
    return [(n - files[0]) / batch for n in files[1:]]


def configtest_instructions(w, store, **more):
    configure(w, store, **more)
    if subprocess.run([*callgrind(w), httpd_program(), "-t", "-f", w.path("httpd.conf")], env=environment(), cwd="/",
                      stderr=subprocess.DEVNULL, **unprivileged()).returncode:
        die("configtest failed: %s -t -f %s" % (httpd_program(), w.path("httpd.conf")))
    return total(w.path("run/callgrind"))


def anonymous_kb(pid):
    """Heap, stacks and the like; not what is mapped from files, and not what is shared."""
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Anonymous:"))


def shared_kb(pid):
    """Memory shared with children."""
    kb, shared = 0, False
    with open("/proc/%d/smaps" % pid, encoding="utf-8", errors="replace") as f:
        for line in f:
            if re.match("[0-9a-f]+-[0-9a-f]+ ", line):
                shared = line.split()[1] == "rw-s"
            elif shared and line.startswith("Size:"):
                kb += int(line.split()[1])
    return kb


def children_cpu():
    """@return seconds of CPU of all processes that have ended and were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def thread_count(pid):
    return len(os.listdir("/proc/%d/task" % pid))


def futex_calls(w, s, clients, cookie, seconds=2):
    """@return futex calls of the child for each request, under load by so many connections."""
    log = w.path("run/strace")
    load = ["wrk", "-t", "1", "-c", str(clients), "-d", "%ds" % seconds]
    load += (["-H", "Cookie: " + cookie] if cookie else []) + ["http://127.0.0.1:%d/page.html" % s.read]
    strace = w.start(["strace", "-f", "-c", "-U", "name,calls", "-e", "trace=futex,accept4", "-o", log, "-p",
                      str(s.children()[0])], stderr=subprocess.DEVNULL)
    time.sleep(1)
    text = output(*load)
    w.end(strace, signal.SIGINT)
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    with open(log, encoding="utf-8") as f:
        calls = re.search(r"^futex\s+(\d+)", f.read(), re.M)
    return (int(calls.group(1)) if calls else 0) / requests
