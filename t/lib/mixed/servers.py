"""A dynalite and two httpds on ports of their own, and requests to them."""

import asyncio
import base64
import os
import random
import re
import signal
import socket
import subprocess
import time
from urllib.parse import quote

from consistency.drive import Table, entries_of, exchange, key_of

from .browser import PASSING, Got
from .model import password

PATIENCE = 30              # seconds for an answer, and for a server to start
PATHS = {"page": "/page", "members": "/members/page", "login": "/members/login", "logout": "/members/logout",
         "basic": "/basic/page", "touch": "/touch/page", "slow": "/touch/slow"}
TABLES = ("app_session", "other_session")


def free_ports(count):
    """Below the range from which systems give ports to connections."""
    held = []
    while len(held) < count:
        one = socket.socket()
        try:
            one.bind(("127.0.0.1", random.randrange(20000, 32000)))
            held.append(one)
        except OSError:
            one.close()
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def environment():
    # dynalite takes any credentials. Variables of another AWS account must not meddle.
    mine = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return dict(mine, AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local", AWS_EC2_METADATA_DISABLED="true",
                AWS_CONFIG_FILE="/nonexistent", AWS_SHARED_CREDENTIALS_FILE="/nonexistent")


def query(writes):
    return "&".join("%s=%s" % (quote(name, ""), quote(value or "", "")) for name, value in writes.items())


class Servers:
    """In `run`, a directory. `modules`: "old" and "new" -> file. To be used with `async with`."""

    def __init__(self, run, modules, dynalite, httpd, libexec, sources):
        self.run, self.modules, self.dynalite, self.httpd = run, modules, dynalite, httpd
        self.libexec, self.sources, self.processes = libexec, sources, []
        ports = free_ports(3)
        self.ports, self.table = {"old": ports[0], "new": ports[1]}, Table({"control": None, "dynalite": ports[2]})

    async def __aenter__(self):
        try:
            self.start("dynalite", "node", self.dynalite, "--host", "127.0.0.1", "--port", str(self.table.table_port),
                       "--createTableMs", "0")
            await self.answers("dynalite", self.table.table_port)
            for name in TABLES:
                await self.create(name)
            for name in self.modules:
                self.start(name, self.httpd, "-d", self.directory(name), "-f", self.configure(name), "-DFOREGROUND")
            for name, port in self.ports.items():
                await self.answers(name, port)
        except BaseException:
            self.stop()
            raise
        return self

    async def __aexit__(self, *_):
        self.stop()

    def directory(self, name):
        return os.path.join(self.run, name)

    def log(self, name):
        return os.path.join(self.run, name + ".log")

    def start(self, name, *command):
        """The server ends with this program, however that ends."""
        with open(self.log(name), "w") as log:
            self.processes.append((name, subprocess.Popen(
                ("setpriv", "--pdeathsig", "TERM", "--") + command, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, env=environment())))

    def stop(self):
        for _, process in self.processes:
            process.send_signal(signal.SIGTERM)
        for _, process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        self.processes = []

    def configure(self, name):
        os.mkdir(self.directory(name))
        mixed = os.path.join(self.sources, "t/mixed")
        words = {"PORT": self.ports[name], "RUN": self.directory(name), "MODULES": self.libexec, "MIXED": mixed,
                 "MODULE": self.modules[name], "TABLE_PORT": self.table.table_port,
                 "USERS": os.path.join(self.sources, "t/conf/users"),
                 "SPLIT_TABLE": TABLES[name == "new"]}
        with open(os.path.join(mixed, "httpd.conf.in")) as file:
            text = re.sub(r"@([A-Z_]+)@", lambda found: str(words[found.group(1)]), file.read())
        path = os.path.join(self.directory(name), "httpd.conf")
        with open(path, "w") as file:
            file.write(text)
        return path

    async def answers(self, name, port):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.processes[-1][1].poll() is None:
            try:
                await exchange(port, "GET", "/page", [("Host", "form.test")])
                return
            except OSError:
                await asyncio.sleep(0.05)
        raise SystemExit("%s does not start; %s and %s may say why" % (name, self.log(name), self.directory(name)))

    async def create(self, table):
        await self.table.api("CreateTable", {
            "TableName": table, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]})
        while (await self.table.api("DescribeTable", {"TableName": table}))["Table"]["TableStatus"] != "ACTIVE":
            await asyncio.sleep(0.05)

    def crashes(self):
        """Lines of the error logs about children that died."""
        found = []
        for name in self.modules:
            with open(os.path.join(self.directory(name), "error.log"), errors="replace") as file:
                found += ["%s: %s" % (name, line.strip()) for line in file if "exit signal" in line]
        return found

    # -- the world of a browser

    async def get(self, server, kind, ask, id):
        path, headers, body = PATHS[ask.area], [("Host", kind + ".test")], b""
        if id:
            headers.append(("Cookie", "id=" + id))
        if ask.area == "login":
            body = b"httpd_username=%s&httpd_password=%s" % (ask.user.encode(), password(ask.user).encode())
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        elif ask.user:
            word = base64.b64encode(("%s:%s" % (ask.user, password(ask.user))).encode()).decode()
            headers.append(("Authorization", "Basic " + word))
        if ask.writes:
            path += "?" + query(ask.writes)
        answer = await asyncio.wait_for(exchange(self.ports[server], "POST" if body else "GET", path, headers, body),
                                        PATIENCE)
        return self.understand(*answer)

    def understand(self, status, headers, body):
        fields = dict(headers)
        page = dict(line.split("=", 1) for line in body.decode("latin-1").splitlines() if "=" in line)
        shown = None
        if status == 200 and "session" in page:
            shown = {} if page["session"] == "(none)" else entries_of(page["session"])
        cookies = [re.match(r"id=([^;]*)", value).group(1) for name, value in headers if name == "set-cookie"]
        return Got(status, shown, page.get("user", ""), cookies, fields.get("retry-after"))

    async def item(self, kind, id):
        return (await self.table.api("GetItem", {"TableName": TABLES[0], "ConsistentRead": True,
                                                 "Key": {"id": {"S": key_of(id)}}})).get("Item")

    async def row(self, kind, id):
        item = await self.item(kind, id)
        return item and {name: value for name, value in item.items() if name not in PASSING}
