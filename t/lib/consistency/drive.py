"""The clients: they work on shared sessions through httpd, and write down what they asked and heard."""

import asyncio
import base64
import collections
import hashlib
import json
import os
import re
import signal
import time
from urllib.parse import parse_qsl

from . import plan, seal
from .history import MARK, Call, Op, Row

PATIENCE = 30             # seconds for an answer
# Two of them give the table 500 ms, and at two of them IDs age. The first: as they are by default.
HOSTS = ("steady.test", "aging.test", "hasty.test", "aging-hasty.test")
FAR = "far.test"          # of another httpd, which has a cache
LONG_AGO = "1970-01-01T00:00:00.000000+00:00"      # the last activity of an ID that was replaced
AFTER_KILL = 3            # seconds in which requests may be dropped by a process that was killed
TABLE = "app_session"


def key_of(id):
    return base64.urlsafe_b64encode(hashlib.sha256(id.split(".")[0].encode()).digest()).decode().rstrip("=")


def entries_of(data):
    return {name: value for name, value in parse_qsl(data, keep_blank_values=True) if name != "expiry"}


async def exchange(port, method, path, headers=(), body=b""):
    """(status, headers, body) by HTTP/1.1 on a connection of its own. ConnectionError when there is no whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        head = ["%s %s HTTP/1.1" % (method, path), "Connection: close", "Content-Length: %d" % len(body)]
        head += ["%s: %s" % header for header in headers]
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        data = await reader.read()
    finally:
        writer.close()
    return parse(data)


def parse(data):
    head, found, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not found or not lines[0].startswith("HTTP/1"):
        raise ConnectionError("no answer")
    headers = [(line.partition(":")[0].lower(), line.partition(":")[2].strip()) for line in lines[1:]]
    fields = dict(headers)
    if "chunked" in fields.get("transfer-encoding", ""):
        body = unchunk(body)
    elif "content-length" in fields and len(body) != int(fields["content-length"]):
        raise ConnectionError("half an answer")
    return int(lines[0].split(" ")[1]), headers, body


def unchunk(data):
    body = b""
    while True:
        line, found, data = data.partition(b"\r\n")
        size = int(line.split(b";")[0] or b"0", 16) if found else None
        if size is None or len(data) < size:
            raise ConnectionError("half an answer")
        if size == 0:
            return body
        body, data = body + data[:size], data[size + 2:]


class Table:
    """The proxy's control port, and the table behind it."""

    def __init__(self, state, seal_keys=()):
        self.control_port, self.table_port = state["control"], state["dynalite"]
        self.seals = seal.Keys(seal_keys)
        self.calls, self.struck, self.conflicts = [], collections.Counter(), 0

    async def control(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else b""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.control_port)
        writer.write(("%s %s HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % (method, path, len(data))).encode() + data)
        answer = await reader.read()
        writer.close()
        return json.loads(answer.partition(b"\r\n\r\n")[2])

    async def quiet(self, rest):
        await self.control("GET", "/requests?since=999999999&quiet=%d&timeout=5000" % rest)

    async def collect(self):
        """Take over what the proxy wrote down."""
        for entry in (await self.control("GET", "/requests?since=0&take=1"))["requests"]:
            if entry["fault"]:
                self.struck[entry["fault"]] += 1
            # The row was there, but not as it was loaded: a conflict, which the module has to merge.
            if entry.get("forwarded") == 400 and entry["op"] != "PutItem" and "Condition" in (entry["type"] or ""):
                self.conflicts += 1
            self.note(entry)

    def note(self, entry):
        body = entry["body"] or {}
        key = (body.get("Key") or body.get("Item") or {}).get("id", {}).get("S")
        if entry["op"] == "GetItem" or not key or "forwarded" not in entry:
            return
        # An attribute that is written has one placeholder, behind "#" for its name and behind ":" for its value.
        names = body.get("ExpressionAttributeNames", {})
        written = {names.get("#" + k[1:]): v for k, v in body.get("ExpressionAttributeValues", {}).items()}
        data = self.data_of(body.get("Item") or written, key)
        values = parse_qsl(data.decode("latin-1"))
        op = entry["op"]
        if op == "UpdateItem" and written.get("accessed", {}).get("S") == LONG_AGO:
            op = "succeed" if "successor" in written else "end"
        elif op == "UpdateItem" and "seen" in written and "data" not in written:
            op, values = "seen", [(None, written["seen"]["N"])]
        unheard = bool(entry["fault"]) or not entry.get("delivered")
        self.calls.append(Call(op, key, entry["forwarded"] == 200, entry["sent_at"], entry["answered_at"], unheard,
                               frozenset(value for _, value in values)))

    def data_of(self, row, key):
        return self.seals.open(base64.b64decode(row.get("data", {}).get("B", "")), row, key)

    async def api(self, operation, body):
        signature = ("AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, "
                     "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64)
        headers = [("Host", "table"), ("X-Amz-Target", "DynamoDB_20120810." + operation),
                   ("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Date", "20260101T000000Z"),
                   ("Authorization", signature)]
        status, _, answer = await exchange(self.table_port, "POST", "/", headers, json.dumps(body).encode())
        if status != 200:
            raise RuntimeError("%s: %s" % (operation, answer))
        return json.loads(answer)

    async def rows(self):
        """Rows of sessions that are not over, keys of those that lead to a successor, and when they were read."""
        begun, items = time.monotonic(), await self.items()
        live = [item for item in items if int(item["expires"]["N"]) > time.time()]
        return ([Row(item["id"]["S"], entries_of(self.data_of(item, item["id"]["S"]).decode("latin-1"))) for item in live
                 if item["accessed"]["S"] != LONG_AGO],
                {item["id"]["S"] for item in live if "successor" in item}, (begun, time.monotonic()))

    async def items(self):
        found, start = [], {}
        while start is not None:
            page = await self.api("Scan", dict(TableName=TABLE, ConsistentRead=True,
                                               **({"ExclusiveStartKey": start} if start else {})))
            found += page["Items"]
            start = page.get("LastEvaluatedKey")
        return found

    async def clear(self):
        for item in await self.items():
            await self.api("DeleteItem", {"TableName": TABLE, "Key": {"id": item["id"]}})


class Processes:
    """httpd's children."""

    def __init__(self, root, mpm):
        self.root, self.mpm, self.killed = root, mpm, []

    def parent(self):
        with open(os.path.join(self.root, "logs/httpd.pid")) as file:
            return int(file.read())

    def children(self):
        parent, found = self.parent(), []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % pid) as file:
                    fields = file.read().rpartition(") ")[2].split()
                if fields[0] != "Z" and int(fields[1]) == parent and (
                        self.mpm == "prefork" or len(os.listdir("/proc/%s/task" % pid)) > 5):
                    found.append(int(pid))
            except (OSError, ValueError):
                continue
        return sorted(found)

    def kill(self, choice):
        children = self.children()
        if children:
            self.killed.append(time.monotonic())
            os.kill(children[choice % len(children)], signal.SIGKILL)

    def restart(self):
        os.kill(self.parent(), signal.SIGUSR1)

    def may_be_dropped(self, inv, res):
        return any(inv <= at + AFTER_KILL and res >= at for at in self.killed)


class Run:
    """One run: `state` is t/TEST's state.json."""

    def __init__(self, state, seed, clients, slots, seconds=None, steps=None, troubles=True, root=None, far=None,
                 bound=0, seal_keys=()):
        self.far, self.bound = far, bound
        self.state, self.seed, self.clients, self.slots = state, seed, clients, slots
        self.seconds, self.steps = seconds, steps
        self.table, self.processes = Table(state, seal_keys), Processes(root, state["mpm"])
        self.troubles = plan.troubles(seed, root is not None, clients == 1) if troubles else iter(())
        self.jar, self.past = [None] * slots, [[] for _ in range(slots)]
        self.ops, self.done, self.faults, self.log = [], 0, 0, []
        self.hosts = HOSTS if troubles else HOSTS[:2]    # without faults there is no hurry
        self.hosts += (FAR,) if far else ()
        self.wall = time.time() - time.monotonic()
        self.due = next(self.troubles, None)
        self.strange = []

    async def run(self):
        self.began = time.monotonic()
        await self.table.control("POST", "/reset")
        await self.table.control("POST", "/mode", {"verify": False})
        await self.table.clear()
        collector = asyncio.ensure_future(self.collect_for_ever())
        await asyncio.gather(*[self.client(number) for number in range(self.clients)])
        self.took = time.monotonic() - self.began
        collector.cancel()
        await self.table.control("POST", "/fault/clear")
        await self.table.quiet(400)
        rows, leading, self.scan = await self.table.rows()
        await self.read_all({row.key for row in rows} | leading)
        await self.table.quiet(500)
        await self.table.collect()
        self.rows = rows

    async def collect_for_ever(self):
        while True:
            await asyncio.sleep(1)
            await self.table.collect()

    async def client(self, number):
        for count, step in enumerate(plan.steps(self.seed, number, self.slots)):
            if self.steps is not None and count >= self.steps:
                return
            if self.seconds is not None and time.monotonic() - self.began >= self.seconds:
                return
            if self.clients == 1:
                await self.table.quiet(15)   # what comes late must not meet the next step's fault
            await self.trouble()
            await self.step(number, step)

    async def trouble(self):
        self.done += 1
        while self.due and self.due[0] <= 0:
            what, self.due = self.due[1], next(self.troubles, None)
            self.log.append((self.done, what))
            if what[0] == "fault":
                self.faults += 1
                await self.table.control("POST", "/fault", what[1])
            elif what[0] == "clear":
                await self.table.control("POST", "/fault/clear")
            elif what[0] == "kill":
                self.processes.kill(self.done)
            else:
                self.processes.restart()
        if self.due:
            self.due = (self.due[0] - 1, self.due[1])

    # -- a request

    async def step(self, number, step):
        slot, id = step["slot"], self.jar[step["slot"]]
        if step["old"] is not None:
            past = self.past[slot]
            id = past[-1 - step["old"]] if len(past) > step["old"] else None
        op = await self.request(step, id, self.hosts[number % len(self.hosts)])
        if op.issued and op.seen and step["kind"] in ("read", "set") and step["forget"]:
            return
        if op.issued:
            self.past[slot].append(op.issued)
        # As a browser: what the last answer said holds, be it of an earlier request. An old ID is another browser's.
        if op.issued is not None and step["old"] is None:
            self.jar[slot] = op.issued or None
        elif op.seen == {} and step["drop"] and self.jar[slot] == id:
            self.jar[slot] = None

    async def request(self, step, id, host):
        kind, n, writes, login = step["kind"], step["n"], step["writes"], step["login"]
        query = ["entries"] + (["create"] if kind == "create" else []) + (["init=%s:%s" % (MARK, n)] if writes else [])
        query += ["del=" + name if value is None else "set=%s:%s" % (name, value) for name, value in writes.items()]
        query += [kind] if kind in ("renew", "clear", "end") else []
        query += ["set=%s:%s" % login] if kind == "enter" else ["del=" + login[0]] if kind == "leave" else []
        headers = [("Host", host)] + ([("Cookie", "id=" + id)] if id else [])
        if kind == "basic":
            word = "%s:secret-of-%s" % (login[1], login[1])
            headers.append(("Authorization", "Basic " + base64.b64encode(word.encode()).decode()))
        op = Op(n, kind, id, writes=dict(writes), login=login, ages=host.startswith("aging"))
        # Whoever has a row from the cache knows what was true so many seconds ago: as if the request had come then.
        op.inv = time.monotonic() - (self.bound if host == FAR else 0)
        port = self.far if host == FAR else self.state["bulk_port"]
        try:
            answer = await asyncio.wait_for(
                exchange(port, "GET", "%s?%s" % (step["area"], "&".join(query)), headers), PATIENCE)
        except (OSError, asyncio.TimeoutError):
            answer = None
        op.res = time.monotonic()
        self.understand(op, answer)
        self.ops.append(op)
        return op

    def understand(self, op, answer):
        if answer is None:
            op.outcome, op.excuse = "unknown", self.processes.may_be_dropped(op.inv, op.res)
            return
        status, headers, body = answer
        for name, value in headers:
            op.retry = op.retry or name == "retry-after"
            if name == "set-cookie":
                if op.issued is not None:
                    self.strange.append("two cookies: %s" % op)
                op.issued = re.match(r"id=([^;]*)", value).group(1)
        if status == 503:
            op.outcome = "failed"
            return
        lines = dict(line.split(": ", 1) for line in body.decode("latin-1").splitlines() if ": " in line)
        if status != 200 or "entries" not in lines:
            self.strange.append("status %d: %s" % (status, op))
            op.outcome = "failed"
            return
        op.seen = entries_of(lines["entries"])
        if (MARK not in op.seen or op.kind == "create") and op.writes:
            op.writes[MARK] = op.n
        if lines.get("end", "ok") != "ok":
            op.outcome = "failed"

    # -- the end

    async def read_all(self, keys):
        """Every session that is left, once more through httpd; and some IDs that are not."""
        known = [id for past in self.past for id in past]
        alive = [id for id in known if key_of(id) in keys]
        dead = [id for id in known if key_of(id) not in keys][-100:]
        for count, id in enumerate(alive + dead):
            await self.request({"kind": "read", "n": "end.%d" % count, "writes": {}, "login": None, "area": "/test/"}, id,
                               HOSTS[0])

    def save(self, path):
        with open(path, "w") as out:
            out.write(json.dumps({"wall": self.wall, "scan": self.scan, "rows": self.rows, "calls": [
                call._replace(values=sorted(call.values)) for call in self.table.calls]}) + "\n")
            for op in self.ops:
                out.write(json.dumps({name: getattr(op, name) for name in Op.FIELDS}) + "\n")
