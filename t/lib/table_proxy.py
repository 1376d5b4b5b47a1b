#!/usr/bin/python3
"""A counting and fault-making proxy before a DynamoDB: a dynalite that it starts, any other at a URL, or alone: an
empty table that takes all writes and keeps none.

It records every request that reaches it, checks its signature the way AWS does, and can be told to fail in the ways
that a network and a service fail. Tests ask and steer it through a second port with plain HTTP and JSON:

  GET  /requests?since=N|last[&want=M][&quiet=MS][&timeout=MS][&brief=1][&take=1]
       the requests with a sequence number above N; last: none, but the number of the last. With `want` it waits until
       so many have been answered, with `quiet` until nothing has been under way for that long, with either at most
       `timeout` (3000). `take` those that are concluded, and forget them.
  GET  /connections           {"open": .., "accepted": .., "held": ..}
  POST /reset                 forget requests, faults and modes
  POST /fault {..}            {"kind": .., "op": "GetItem" or "any", "count": 1 (0: for ever), "skip": 0, "delay": ms,
                              "contains": text in the body, "reused": true (only on a connection used before), ..}
  POST /fault/clear           also lets go of what hangs and is held, and listens again
  POST /release[?count=N]     let go of held requests, oldest first
  POST /mode {..}             verify, all_old, clock_offset (seconds), keys {id: {"secret": .., "token": ..}}
  POST /connections/close     close idle client connections, as a load balancer would

Kinds of fault:
  refuse          stop listening and drop all connections; listens again after `delay` or /fault/clear
  close_accept    close a connection when it is accepted           reset_accept   the same by RST
  close_before    close it when the request was read               reset_before   the same by RST
  close_after     forward, then close without an answer            reset_after    the same by RST
  hang            never answer, nothing forwarded                  hang_after     forward, never answer
  hold            wait for /release, then forward                  hold_after     forward, answer on /release
  delay           wait `delay` ms, then forward
  trickle         forward, answer a byte each `delay` ms (100)     slow           all of it, in `delay` ms (200)
  500, 503, did_but_500 (forwarded), throttle, expired, error (status, type, message)
  skew            the clock is `seconds` (3600) ahead: in the answer's Date, and when the signature is checked
  crc             a wrong x-amz-crc32                              no_crc         none
  truncated       half the body, then closed                       garbage, html (status), empty, wrong_type (body)
  oversized       `size` bytes (default 20 MB) of valid JSON       endless        in chunks, until the client has enough
  content_type    forward, call the answer `type` (text/html)
Unless they say "forward" these make the answer up; "forward": true forwards first.

It ends on SIGTERM, and when its standard input does (unless --stay); dynalite ends with it. At a URL it makes the
tables it is told of, none of which may be there, and deletes them in the end. Requests are signed anew for a URL (if
botocore is there), with the credentials and the region that botocore finds, or any.
"""

import argparse
import asyncio
import calendar
import ctypes
import hashlib
import json
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time
import zlib
from email.utils import formatdate
from urllib.parse import parse_qs, urlsplit

try:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest, HTTPHeaders
    from botocore.credentials import Credentials
    import botocore.session
except ImportError:
    SigV4Auth = object
    AWSRequest = None

ERROR_PREFIX = "com.amazonaws.dynamodb.v20120810#"
ERROR_PREFIX_COMMON = "com.amazon.coral.service#"
JSON_TYPE = "application/x-amz-json-1.0"
MAX_SKEW = 15 * 60  # seconds; what AWS allows


# ---------------------------------------------------------------------------------------------------------- messages

class Message:
    """One HTTP request or answer: start line, headers in order, body."""

    __slots__ = ("start", "headers", "body")

    def __init__(self, start, headers, body):
        self.start, self.headers, self.body = start, headers, body

    def header(self, name):
        """The value of a header, or None; several of one name are joined, as HTTP means it."""
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None

    def status(self):
        return int(self.start.split(" ", 2)[1])

    def without(self, *names):
        return [(key, value) for key, value in self.headers if key not in names]

    def pack(self):
        lines = [self.start] + ["%s: %s" % pair for pair in self.headers]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


class Parser:
    """Cuts a byte stream into messages with a Content-Length, or of chunks where those are expected."""

    def __init__(self, takes_chunks=False):
        self.buffer = bytearray()
        self.head = None
        self.length = 0
        self.takes_chunks = takes_chunks

    def feed(self, data):
        self.buffer += data

    def next(self):
        """The next whole message, or None when bytes are missing."""
        if self.head is None:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return None
            lines = bytes(self.buffer[:end]).decode("latin-1").split("\r\n")
            del self.buffer[:end + 4]
            headers = []
            for line in lines[1:]:
                name, _, value = line.partition(":")
                headers.append((name.lower(), value.strip(" \t")))
            self.head = Message(lines[0], headers, b"")
            if self.head.header("transfer-encoding") and not self.takes_chunks:
                raise ValueError("chunked messages are not expected here")
            self.length = int(self.head.header("content-length") or 0)
        if self.head.header("transfer-encoding") and not self._join_chunks():
            return None
        if len(self.buffer) < self.length:
            return None
        message, self.head = self.head, None
        message.body = bytes(self.buffer[:self.length])
        del self.buffer[:self.length]
        return message

    def _join_chunks(self):
        """Make them a body of a known length, when the last one is there."""
        body, at, size = bytearray(), 0, None
        while size != 0:
            end = self.buffer.find(b"\r\n", at)
            size = int(bytes(self.buffer[at:end]).split(b";")[0], 16) if end >= 0 else None
            if size is None or len(self.buffer) < end + size + 4:
                return False
            body += self.buffer[end + 2:end + 2 + size]
            at = end + size + 4
        self.buffer[:at] = body
        self.length = len(body)
        self.head.headers = self.head.without("transfer-encoding") + [("content-length", str(len(body)))]
        return True


def once_each(pairs):
    """An object of JSON, as a strict receiver reads it: what a repeated key means is unpredictable (RFC 8259)."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("an object repeats a key")
    return made


def answer(status, body, kind=JSON_TYPE, crc=True):
    headers = [("content-type", kind), ("content-length", str(len(body)))]
    if crc:
        headers.append(("x-amz-crc32", str(zlib.crc32(body))))
    headers.append(("x-amzn-requestid", "TESTTESTTESTTEST"))
    return Message("HTTP/1.1 %d Made-Up" % status, headers, body)


def error_answer(status, name, text, prefix=ERROR_PREFIX):
    return answer(status, json.dumps({"__type": prefix + name, "message": text}).encode())


# --------------------------------------------------------------------------------------------------------- signatures

class Expected(SigV4Auth):
    """botocore's signer, made to sign the headers that the client says it signed."""

    signed = ()

    def headers_to_sign(self, request):
        chosen = HTTPHeaders()
        for name in self.signed:
            chosen[name] = request.headers.get(name, "")
        return chosen


AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([^/,]+)/([^/,]+)/aws4_request, ?"
                           r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})\Z")


class Verifier:
    """Says whether a request is signed as AWS wants it."""

    service = "dynamodb"

    def __init__(self, keys, region):
        self.keys, self.region, self.offset = dict(keys), region, 0

    def complaint(self, request, offset=0):
        """None for a good request, else (exception name, reason). The clock here is ahead by so many seconds more."""
        match = AUTHORIZATION.match(request.header("authorization") or "")
        if not match:
            return "IncompleteSignatureException", "no or malformed Authorization header"
        access_key, day, region, service, signed, signature = match.groups()
        key = self.keys.get(access_key)
        if key is None:
            return "UnrecognizedClientException", "unknown access key"
        reason = (self._scope(request, (day, region, service), time.time() + self.offset + offset)
                  or self._headers(request, signed.split(";"), key)
                  or self._signature(request, signed.split(";"), key, signature))
        return ("InvalidSignatureException", reason) if reason else None

    def _scope(self, request, scope, now):
        day, region, service = scope
        stamp = request.header("x-amz-date") or ""
        if not re.match(r"\d{8}T\d{6}Z\Z", stamp):
            return "x-amz-date is missing or malformed"
        if stamp[:8] != day:
            return "credential scope and x-amz-date name different days"
        if service != self.service or region != self.region:
            return "credential should be scoped to %s/%s" % (self.region, self.service)
        sent = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
        if abs(now - sent) > MAX_SKEW:
            word = "Signature expired" if sent < now else "Signature not yet current"
            return "%s: %s is not within 15 minutes of %s" % (
                word, stamp, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now)))
        return None

    @staticmethod
    def _headers(request, signed, key):
        if signed != sorted(set(signed)):
            return "SignedHeaders are not sorted or not unique"
        for name, _ in request.headers:
            if (name in ("host", "content-type") or name.startswith("x-amz-")) and name not in signed:
                return "header %s is not signed" % name
        for name in signed:
            if request.header(name) is None:
                return "signed header %s was not sent" % name
        if (request.header("x-amz-security-token") or None) != key.get("token"):
            return "security token is missing, wrong or not wanted"
        return None

    def _signature(self, request, signed, key, signature):
        claimed = request.header("x-amz-content-sha256")
        if claimed is not None and claimed != hashlib.sha256(request.body).hexdigest():
            return "x-amz-content-sha256 is not that of the body"
        method, path, _ = request.start.split(" ", 2)
        expected = Expected(Credentials("any", key["secret"]), self.service, self.region)
        expected.signed = signed
        copy = AWSRequest(method=method, url="http://%s%s" % (request.header("host"), path), data=request.body)
        for name in signed:
            copy.headers[name] = request.header(name)
        copy.context["timestamp"] = request.header("x-amz-date")
        text = expected.string_to_sign(copy, expected.canonical_request(copy))
        return None if expected.signature(text, copy) == signature else "the signature does not match"


# ------------------------------------------------------------------------------------------------------ to the table

class UpstreamProtocol(asyncio.Protocol):
    def __init__(self):
        self.parser, self.waiter, self.transport = Parser(takes_chunks=True), None, None
        self.used = time.monotonic()

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.parser.feed(data)
        message = self.parser.next()
        if message and self.waiter:
            waiter, self.waiter = self.waiter, None
            self.used = time.monotonic()
            if not waiter.done():
                waiter.set_result(message)

    def connection_lost(self, _):
        self.transport = None
        if self.waiter and not self.waiter.done():
            self.waiter.set_exception(ConnectionError("the table server closed the connection"))


class Upstream:
    """Keep-alive connections to dynalite."""

    MAX_IDLE = 3  # seconds; node closes after five, and a request must not meet that
    CREATION = 4  # seconds that a table may take to come or go
    tls = None

    def __init__(self, host, port):
        self.host, self.port, self.free = host, port, []

    async def exchange(self, message):
        while self.free:
            connection = self.free.pop()
            if connection.transport and time.monotonic() - connection.used < self.MAX_IDLE:
                break
            if connection.transport:
                connection.transport.close()
        else:
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(UpstreamProtocol, self.host, self.port, ssl=self.tls)
        connection.waiter = asyncio.get_running_loop().create_future()
        waiter = connection.waiter
        connection.transport.write(message.pack())
        reply = await waiter
        if reply.start.startswith("HTTP/1.0") or reply.header("connection") == "close":
            connection.transport and connection.transport.close()
        else:
            self.free.append(connection)
        return reply

    async def call(self, operation, body):
        """A call of our own: not recorded. dynalite wants to see a signature but does not check it."""
        data = json.dumps(body).encode()
        headers = [("host", "%s:%d" % (self.host, self.port)), ("content-type", JSON_TYPE),
                   ("x-amz-target", "DynamoDB_20120810." + operation), ("x-amz-date", "20260101T000000Z"),
                   ("authorization", "AWS4-HMAC-SHA256 Credential=own/20260101/us-east-1/dynamodb/aws4_request, "
                                     "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64),
                   ("content-length", str(len(data)))]
        reply = await self.exchange(Message("POST / HTTP/1.1", headers, data))
        return reply.status(), json.loads(reply.body or b"{}")


class Elsewhere(Upstream):
    """A DynamoDB that we did not start, at a URL."""

    CREATION = 120

    def __init__(self, url):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            sys.exit("table_proxy: --upstream %s: not like http://HOST:PORT or https://HOST" % url)
        super().__init__(parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme])
        self.url, self.name = "%s://%s/" % (parts.scheme, parts.netloc), parts.netloc
        self.tls = ssl.create_default_context() if parts.scheme == "https" else None
        session = botocore.session.get_session() if AWSRequest else None
        self.credentials = session and (session.get_credentials() or Credentials("any", "any"))
        self.region = session and (os.environ.get("AWS_REGION") or session.get_config_variable("region") or "us-east-1")

    async def exchange(self, message):
        if (message.header("x-amz-target") or "").endswith(".UpdateTimeToLive"):
            # dynalite has none: the tests expect that, and script what they need.
            return error_answer(400, "UnknownOperationException", "", ERROR_PREFIX_COMMON)
        reply = await super().exchange(self.signed(message))
        # What is said of this connection is not to be said of the client's.
        reply.headers = reply.without("connection", "keep-alive")
        return reply

    def signed(self, message):
        kept = [(name, value) for name, value in message.headers if name in ("content-type", "x-amz-target")]
        if not self.credentials:
            kept = message.without("host", "connection", "content-length")
        else:
            copy = AWSRequest(method="POST", url=self.url, data=message.body, headers=dict(kept))
            SigV4Auth(self.credentials.get_frozen_credentials(), "dynamodb", self.region).add_auth(copy)
            kept = [(name.lower(), value) for name, value in copy.headers.items()]
        return Message(message.start, [("host", self.name)] + kept + [("content-length", str(len(message.body)))],
                       message.body)


class Passage:
    """A port that leads to the table past all counting and all faults, as dynalite's own is for a dynalite of ours."""

    def __init__(self, upstream):
        self.upstream, self.clients = upstream, set()

    def accepted(self, client):
        self.clients.add(client)
        return 1

    def note_malformed(self, _, text):
        print("passage:", text, file=sys.stderr)

    async def serve(self, client, request):
        client.send(await self.upstream.exchange(request))
        if (request.header("connection") or "").lower() == "close":
            client.drop(reset=False)


class Alone:
    """Instead of a table: an empty one that takes all writes and keeps none."""

    port = None

    async def exchange(self, _):
        return answer(200, b"{}")

    async def call(self, *_):
        return 200, {"Table": {"TableStatus": "ACTIVE"}}


# -------------------------------------------------------------------------------------------------------------- faults

class Fault:
    KINDS = set("""refuse close_accept reset_accept close_before reset_before close_after reset_after hang hang_after
                   hold hold_after delay trickle slow 500 503 did_but_500 throttle expired error skew crc no_crc
                   truncated garbage html empty oversized endless wrong_type content_type""".split())
    FORWARDED = {"close_after", "reset_after", "hang_after", "hold", "hold_after", "delay", "trickle", "slow",
                 "did_but_500", "skew", "crc", "no_crc", "truncated", "content_type"}
    PACE = {"trickle": 100, "slow": 200}  # ms, instead of a wait before the answer

    def __init__(self, spec):
        self.kind = str(spec.pop("kind"))
        if self.kind not in self.KINDS:
            raise ValueError("no such kind of fault: %s; there are: %s" % (self.kind, ", ".join(sorted(self.KINDS))))
        self.op = spec.pop("op", "any")
        self.left = int(spec.pop("count", 1)) or -1
        self.skip = int(spec.pop("skip", 0))
        self.delay = float(spec.pop("delay", self.PACE.get(self.kind, 0))) / 1000
        self.contains = spec.pop("contains", None)
        self.reused = spec.pop("reused", None)
        self.forward = spec.pop("forward", self.kind in self.FORWARDED)
        self.spec = spec

    def strikes(self, entry, request, connection):
        if self.left == 0 or self.op not in ("any", entry["op"]):
            return False
        if self.contains is not None and self.contains.encode() not in request.body:
            return False
        if self.reused is not None and bool(self.reused) != (connection.requests > 1):
            return False
        return self.count_down()

    def count_down(self):
        if self.left == 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.left > 0:
            self.left -= 1
        return True

    def made_up(self):
        """The answer of those kinds that need none from the table."""
        kind, spec = self.kind, self.spec
        if kind in ("500", "did_but_500"):
            return error_answer(500, "InternalServerError", "The request processing has failed.")
        if kind == "503":
            return error_answer(503, "ServiceUnavailableException", "The service is down.", ERROR_PREFIX_COMMON)
        if kind == "throttle":
            return error_answer(400, "ProvisionedThroughputExceededException", "The level of configured provisioned "
                                "throughput for the table was exceeded.")
        if kind == "expired":
            return error_answer(400, "ExpiredTokenException", "The security token included in the request is expired",
                                ERROR_PREFIX_COMMON)
        if kind == "error":
            return error_answer(int(spec.get("status", 400)), spec.get("type", "ValidationException"),
                                spec.get("message", "made up"))
        if kind == "garbage":
            return answer(200, bytes(range(256)) * 4)
        if kind == "html":
            return answer(int(spec.get("status", 200)), b"<html><body>Please log in to this network</body></html>",
                          "text/html", crc=False)
        if kind == "empty":
            return answer(200, b"")
        if kind == "wrong_type":
            return answer(200, json.dumps(spec.get("body", {"Item": "not an object"})).encode())
        if kind == "oversized":
            return answer(200, b'{"Item":{"data":{"S":"' + b"x" * int(spec.get("size", 20_000_000)) + b'"}}}')
        return None

    def alter(self, reply):
        """Spoil an answer of the table."""
        if self.kind == "crc":
            wrong = str(zlib.crc32(reply.body) ^ 1)
            return Message(reply.start, reply.without("x-amz-crc32") + [("x-amz-crc32", wrong)], reply.body)
        if self.kind == "no_crc":
            return Message(reply.start, reply.without("x-amz-crc32"), reply.body)
        if self.kind == "content_type":
            kind = self.spec.get("type", "text/html")
            return Message(reply.start, reply.without("content-type") + [("content-type", kind)], reply.body)
        return self.made_up() or reply


# ------------------------------------------------------------------------------------------------------------ clients

class Client(asyncio.Protocol):
    """One connection from the web server."""

    MAY_BE_UNREAD = 0.2  # seconds

    def __init__(self, proxy):
        self.proxy, self.parser, self.transport, self.task = proxy, Parser(), None, None
        self.number, self.requests, self.last = 0, 0, None

    def connection_made(self, transport):
        self.transport = transport
        self.number = self.proxy.accepted(self)
        if self.number is None:
            return
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, _):
        self.transport = None
        self.proxy.clients.discard(self)

    def data_received(self, data):
        self.parser.feed(data)
        self.pump()

    def pump(self):
        if self.task is None and self.transport:
            try:
                request = self.parser.next()
            except ValueError as problem:
                self.proxy.note_malformed(self, str(problem))
                self.drop(reset=False)
                return
            if request:
                self.requests += 1
                self.task = asyncio.ensure_future(self.serve(request))

    async def serve(self, request):
        try:
            await self.proxy.serve(self, request)
        finally:
            self.task = None
        self.pump()

    def send(self, message, entry=None):
        if entry is not None:
            entry["delivered"] = self.transport is not None and not self.transport.is_closing()
            self.last = entry, time.monotonic()
        if self.transport:
            self.transport.write(message.pack())

    def drop(self, reset):
        if not self.transport:
            return
        if reset:
            # What was sent a moment ago may not have been read, and goes with the connection.
            if self.last and time.monotonic() - self.last[1] < self.MAY_BE_UNREAD:
                self.last[0]["delivered"] = False
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                               struct.pack("ii", 1, 0))
            self.transport.abort()
        else:
            self.transport.close()


class Proxy:
    def __init__(self, args, upstream):
        self.upstream, self.host, self.port = upstream, args.host, args.port
        self.tls = None
        if args.tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*args.tls)
        self.keys = {pair.split(":", 1)[0]: {"secret": pair.split(":", 1)[1]} for pair in args.key}
        self.verify_default = args.verify
        self.verifier = Verifier(self.keys, args.region)
        self.clients, self.accepted_total, self.sequence = set(), 0, 0
        self.under_way, self.changed = 0, time.monotonic()
        self.listener = self.place = self.reopen = None
        self.held, self.hung = [], []
        self.reset()

    def reset(self):
        self.log, self.faults = [], []
        self.verify, self.all_old = self.verify_default, True
        self.verifier.offset, self.verifier.keys = 0, dict(self.keys)

    def clear(self):
        self.faults = []
        for waiter in self.held + self.hung:
            waiter.set_result(None)
        self.held, self.hung = [], []

    # -- listening

    def reserve(self):
        """Keep the port for us while we do not listen: a bound socket that does not listen refuses connections."""
        self.place = self._socket()
        self.port = self.place.getsockname()[1]

    def _socket(self):
        place = socket.socket()
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        place.bind((self.host, self.port))
        return place

    async def listen(self):
        if self.listener is None:
            loop = asyncio.get_running_loop()
            self.listener = await loop.create_server(lambda: Client(self), sock=self._socket(), ssl=self.tls,
                                                     backlog=512)

    async def refuse(self):
        if self.listener:
            self.listener.close()
            self.listener = None
        for client in list(self.clients):
            client.drop(reset=True)

    def accepted(self, client):
        self.accepted_total += 1
        for fault in self.faults:
            if fault.kind in ("close_accept", "reset_accept") and fault.count_down():
                client.drop(reset=fault.kind == "reset_accept")
                return None
        self.clients.add(client)
        return self.accepted_total

    # -- serving

    def note(self, client, request):
        self.sequence += 1
        try:
            body = json.loads(request.body, object_pairs_hook=once_each)
        except ValueError:
            body = None
        entry = {"seq": self.sequence, "time": time.time(), "connection": client.number,
                 "op": (request.header("x-amz-target") or "?").rpartition(".")[2], "body": body, "status": None,
                 "type": None, "fault": None, "signature": None, "skew": 0, "agent": request.header("user-agent")}
        self.log.append(entry)
        return entry

    def note_malformed(self, client, text):
        self.note(client, Message("? ? ?", [], text.encode()))["type"] = text

    async def serve(self, client, request):
        entry = self.note(client, request)
        self.under_way += 1
        self.changed = time.monotonic()
        try:
            reply = await self.reply(client, request, entry)
            if reply:
                self.conclude(entry, reply)
                client.send(reply, entry)
        except ConnectionError as problem:
            entry["type"] = "proxy: %s" % problem
            client.drop(reset=False)
        finally:
            self.under_way -= 1
            self.changed = time.monotonic()
            entry["seconds"] = time.time() - entry["time"]

    def conclude(self, entry, reply):
        entry["status"] = reply.status()
        if reply.status() != 200:
            found = re.search(rb'"__type": ?"(?:[^"#]*#)?([^"]*)"', reply.body)
            entry["type"] = found.group(1).decode() if found else None
        elif entry["op"] == "GetItem":
            entry["found"] = b'"Item"' in reply.body
        offset = self.verifier.offset + entry["skew"]
        if offset or reply.header("date") is None:
            reply.headers = reply.without("date") + [("date", formatdate(time.time() + offset, usegmt=True))]

    async def reply(self, client, request, entry):
        for fault in self.faults:
            if fault.kind == "skew" and fault.strikes(entry, request, client):
                entry["fault"], entry["skew"] = fault.kind, float(fault.spec.get("seconds", 3600))
                break
        if self.verify:
            complaint = self.verifier.complaint(request, entry["skew"])
            entry["signature"] = "bad signature: " + complaint[1] if complaint else "ok"
            if complaint:
                return error_answer(400, complaint[0], complaint[1], ERROR_PREFIX_COMMON)
        if entry["body"] is None:
            return error_answer(400, "SerializationException", "the body is not JSON, or an object repeats a key",
                                ERROR_PREFIX_COMMON)
        for fault in self.faults:
            if fault.kind != "skew" and fault.strikes(entry, request, client):
                entry["fault"] = fault.kind
                return await self.strike(fault, client, request, entry)
        return await self.forward(request, entry)

    async def forward(self, request, entry):
        entry["sent_at"] = time.monotonic()
        reply = await self.upstream.exchange(request)
        entry["forwarded"], entry["answered_at"] = reply.status(), time.monotonic()
        if self.all_old and b"ConditionalCheckFailedException" in reply.body:
            reply = await self.with_old_item(entry["body"], reply)
        return reply

    async def with_old_item(self, body, reply):
        """AWS adds the item when asked to; dynalite does not know that parameter."""
        if not isinstance(body, dict) or body.get("ReturnValuesOnConditionCheckFailure") != "ALL_OLD":
            return reply
        if b'"Item"' in reply.body:  # not every one is a dynalite
            return reply
        key = body.get("Key") or {"id": body["Item"]["id"]}
        _, found = await self.upstream.call("GetItem", {"TableName": body["TableName"], "Key": key,
                                                        "ConsistentRead": True})
        text = json.loads(reply.body)
        text.update(found)
        return answer(400, json.dumps(text).encode())

    async def strike(self, fault, client, request, entry):
        kind, loop = fault.kind, asyncio.get_running_loop()
        if kind == "refuse":
            await self.start_refusing(fault)
            return None
        if fault.delay and kind not in fault.PACE:
            await asyncio.sleep(fault.delay)
        if kind == "hold":
            await self.wait_in(self.held, loop)
        reply = await self.forward(request, entry) if fault.forward else None
        if kind == "hold_after":
            await self.wait_in(self.held, loop)
        if kind in ("hang", "hang_after"):
            entry["seconds"] = None  # who waits for answers need not wait for this one
            await self.wait_in(self.hung, loop)
            client.drop(reset=False)
            return None
        if kind in ("close_before", "close_after", "reset_before", "reset_after"):
            client.drop(reset=kind.startswith("reset"))
            return None
        if kind in fault.PACE:
            self.conclude(entry, reply)
            data = reply.pack()
            steps = len(data) if kind == "trickle" else 20
            await self.send_slowly(client, data, steps, fault.delay if kind == "trickle" else fault.delay / steps)
            return None
        if kind == "endless":
            await self.send_endlessly(client, entry)
            return None
        reply = fault.alter(reply) if reply else fault.made_up()
        if kind == "truncated":
            self.conclude(entry, reply)
            client.transport and client.transport.write(reply.pack()[:-max(1, len(reply.body) // 2)])
            client.drop(reset=False)
            return None
        return reply

    @staticmethod
    async def send_slowly(client, data, steps, pause):
        size = -(-len(data) // steps)
        for at in range(0, len(data), size):
            if not client.transport:
                return
            client.transport.write(data[at:at + size])
            await asyncio.sleep(pause)

    async def send_endlessly(self, client, entry):
        head = answer(200, b"")
        self.conclude(entry, head)
        head.headers = head.without("content-length", "x-amz-crc32") + [("transfer-encoding", "chunked")]
        client.send(head)
        chunk = b"x" * 65536
        for _ in range(2000):  # in all some 130 MB
            if not client.transport:
                return
            client.transport.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            await asyncio.sleep(0.001)
        client.drop(reset=True)

    async def wait_in(self, line, loop):
        """Not under way as long as a test makes it wait."""
        waiter = loop.create_future()
        line.append(waiter)
        self.under_way -= 1
        self.changed = time.monotonic()
        await waiter
        self.under_way += 1

    async def start_refusing(self, fault):
        await self.refuse()
        if fault.delay:
            self.reopen = asyncio.get_running_loop().call_later(fault.delay,
                                                                lambda: asyncio.ensure_future(self.listen()))


# ------------------------------------------------------------------------------------------------------------ control

class Control:
    def __init__(self, proxy):
        self.proxy = proxy

    async def serve(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = re.search(r"(?im)^content-length: *(\d+)", head)
            body = await reader.readexactly(int(length.group(1))) if length else b""
            method, target, _ = head.split("\r\n", 1)[0].split(" ", 2)
            status, result = await self.dispatch(method, target, body)
        except (ValueError, KeyError, TypeError) as problem:
            status, result = 400, {"error": "%s: %s" % (type(problem).__name__, problem)}
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        data = json.dumps(result).encode()
        writer.write(b"HTTP/1.0 %d Answer\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                     % (status, len(data)) + data)
        try:
            await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    async def dispatch(self, method, target, body):
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        name = "%s_%s" % (method.lower(), parts.path.strip("/").replace("/", "_"))
        action = getattr(self, name, None)
        if action is None:
            return 404, {"error": "no such thing: %s %s" % (method, parts.path)}
        return 200, await action(query, json.loads(body) if body else {})

    async def get_requests(self, query, _):
        proxy, last = self.proxy, query.get("since") == "last"
        since = 0 if last else int(query.get("since", 0))
        want, quiet = int(query.get("want", 0)), float(query.get("quiet", 0)) / 1000
        until = time.monotonic() + float(query.get("timeout", 3000)) / 1000
        while (want or quiet) and time.monotonic() < until:
            now = time.monotonic()
            answered = want and sum(1 for entry in proxy.log if entry["seq"] > since and "seconds" in entry)
            if answered >= want and (not quiet or (proxy.under_way == 0 and now - proxy.changed >= quiet)):
                break
            await asyncio.sleep(0.005)
        found = [] if last else [entry for entry in proxy.log if entry["seq"] > since]
        if query.get("take"):
            # Those that nothing more can become of.
            over = time.time() - 2 * Client.MAY_BE_UNREAD
            found = [entry for entry in found if "seconds" in entry and entry["time"] + entry["seconds"] < over]
            taken = {entry["seq"] for entry in found}
            proxy.log = [entry for entry in proxy.log if entry["seq"] not in taken]
        if query.get("brief"):
            found = [{key: value for key, value in entry.items() if key != "body"} for entry in found]
        return {"requests": found, "last": proxy.sequence, "under_way": proxy.under_way}

    async def get_connections(self, *_):
        proxy = self.proxy
        return {"open": len(proxy.clients), "accepted": proxy.accepted_total, "held": len(proxy.held),
                "hung": len(proxy.hung), "listening": proxy.listener is not None}

    async def post_connections_close(self, *_):
        idle = [client for client in self.proxy.clients if client.task is None]
        for client in idle:
            client.drop(reset=False)
        return {"closed": len(idle)}

    async def post_reset(self, *_):
        await self.post_fault_clear()
        self.proxy.reset()
        return {"last": self.proxy.sequence}

    async def post_fault(self, _, spec):
        fault = Fault(dict(spec))
        if fault.kind == "refuse":  # at once, not with the next request
            await self.proxy.start_refusing(fault)
        else:
            self.proxy.faults.append(fault)
        return {"faults": len(self.proxy.faults)}

    async def post_fault_clear(self, *_):
        if self.proxy.reopen:
            self.proxy.reopen.cancel()
            self.proxy.reopen = None
        self.proxy.clear()
        await self.proxy.listen()
        return {}

    async def post_release(self, query, _):
        held = self.proxy.held
        count = int(query.get("count", len(held)))
        for _ in range(min(count, len(held))):
            held.pop(0).set_result(None)
        return {"held": len(held)}

    async def post_mode(self, _, spec):
        proxy = self.proxy
        for name, value in spec.items():
            if name in ("verify", "all_old"):
                setattr(proxy, name, bool(value))
            elif name == "clock_offset":
                proxy.verifier.offset = float(value)
            elif name == "keys":
                proxy.verifier.keys = value
            else:
                raise ValueError("no such mode: %s" % name)
        return {}

    async def get_ping(self, *_):
        return {"pid": os.getpid(), "verify": self.proxy.verify}


# -------------------------------------------------------------------------------------------------------------- start

def free_port():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


def die_with_parent():
    """In the child before exec: Linux kills it when we are gone, however we went."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


async def start_dynalite(command, log):
    """Start dynalite in memory on a free port; another program may take that port first: try again."""
    for _ in range(5):
        port = free_port()
        process = subprocess.Popen([command, "--host", "127.0.0.1", "--port", str(port), "--createTableMs", "0",
                                    "--deleteTableMs", "0"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   preexec_fn=die_with_parent)
        for _ in range(200):
            if process.poll() is not None:
                break
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return process, port
            except OSError:
                await asyncio.sleep(0.05)
        process.kill()
    sys.exit("table_proxy: %s does not start; see %s" % (command, getattr(log, "name", "its output")))


async def create_table(upstream, name):
    status, reply = await upstream.call("CreateTable", {
        "TableName": name, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]})
    if "ResourceInUse" in str(reply):
        sys.exit("table_proxy: table %s is there already; the tests empty and delete what they use, so it has to be "
                 "made by them: delete it, if nobody needs it" % name)
    if status != 200:
        sys.exit("table_proxy: creating table %s failed: %s" % (name, reply))
    if not await is_state(upstream, name, "ACTIVE"):
        sys.exit("table_proxy: table %s does not become active" % name)


async def is_state(upstream, name, wanted):
    """Wait until a table is ACTIVE, say, or gone: None."""
    until = time.monotonic() + upstream.CREATION
    while time.monotonic() < until:
        _, reply = await upstream.call("DescribeTable", {"TableName": name})
        if reply.get("Table", {}).get("TableStatus") == wanted:
            return True
        await asyncio.sleep(0.02 if upstream.CREATION < 10 else 0.5)
    return False


async def shortcomings(upstream, table):
    """What a DynamoDB can't do that some of the tests need, and what it said: those are left out by name."""
    key, lacks = {"id": {"S": "probe"}}, {}
    probes = {
        "capacity as AWS counts it": (
            "PutItem",
            {"TableName": table, "Item": {**key, "data": {"S": "x" * 2500}}, "ReturnConsumedCapacity": "TOTAL"},
            lambda status, reply: reply.get("ConsumedCapacity", {}).get("CapacityUnits") == 3),
        "a limit of 400 KB": (
            "PutItem", {"TableName": table, "Item": {**key, "data": {"S": "x" * 410_000}}},
            lambda status, reply: status == 400 and "ValidationException" in reply.get("__type", "")),
    }
    for name, (operation, body, is_able) in probes.items():
        status, reply = await upstream.call(operation, body)
        if not is_able(status, reply):
            lacks[name] = "%s: status %d, %.200s" % (operation, status, json.dumps(reply))
    await upstream.call("DeleteItem", {"TableName": table, "Key": key})
    return lacks


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port for the web server (default: a free one)")
    parser.add_argument("--control", type=int, default=0, help="port for the tests (default: a free one)")
    parser.add_argument("--upstream", metavar="URL", help="of a DynamoDB that runs")
    parser.add_argument("--dynalite", help="program to start instead")
    parser.add_argument("--alone", action="store_true", help="no table behind: each answer is {}")
    parser.add_argument("--dynalite-log", default=os.devnull, help="file for what it says")
    parser.add_argument("--table", action="append", default=[], help="table to create; may be repeated")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"), help="speak TLS to the web server")
    parser.add_argument("--key", action="append", default=[], metavar="ID:SECRET", help="access key that is known")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--verify", action=argparse.BooleanOptionalAction, default=AWSRequest is not None,
                        help="check signatures (default: if botocore is there)")
    parser.add_argument("--stay", action="store_true", help="do not end with standard input")
    parser.add_argument("--state", help="file for the port numbers (JSON), written when all is ready")
    args = parser.parse_args()
    if bool(args.upstream) + bool(args.dynalite) + args.alone != 1:
        parser.error("give one of --upstream, --dynalite and --alone")
    if args.verify and AWSRequest is None:
        parser.error("--verify needs botocore (Debian: python3-botocore)")
    return args


def publish(state, path):
    text = json.dumps(state)
    print(text, flush=True)
    if path:
        with open(path + ".new", "w") as out:
            out.write(text)
        os.rename(path + ".new", path)


def watch_stdin(loop, stop):
    def look():
        if not os.read(0, 4096):
            loop.remove_reader(0)
            stop.set()
    loop.add_reader(0, look)


async def main():
    args = arguments()
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(name, stop.set)
    if not args.stay:
        watch_stdin(loop, stop)
    process, lacks, made = None, {}, []
    if args.dynalite:
        process, port = await start_dynalite(args.dynalite, open(args.dynalite_log, "ab"))
        upstream = Upstream("127.0.0.1", port)
    elif args.alone:
        upstream = Alone()
    else:
        upstream = Elsewhere(args.upstream)
    try:
        for name in args.table:
            await create_table(upstream, name)
            made.append(name)
        direct = upstream.port
        if args.upstream:
            lacks = await shortcomings(upstream, made[0]) if made else {}
            passage = Passage(upstream)
            direct = (await loop.create_server(lambda: Client(passage), "127.0.0.1", 0)).sockets[0].getsockname()[1]
        proxy = Proxy(args, upstream)
        proxy.reserve()
        await proxy.listen()
        control = await asyncio.start_server(Control(proxy).serve, "127.0.0.1", args.control)
        publish({"port": proxy.port, "control": control.sockets[0].getsockname()[1], "dynalite": direct,
                 "pid": os.getpid(), "verify": proxy.verify, "lacks": lacks}, args.state)
        await stop.wait()
    finally:
        for name in made if args.upstream else ():
            await upstream.call("DeleteTable", {"TableName": name})
        for name in made if args.upstream else ():
            await is_state(upstream, name, None)
        if process:
            process.kill()
            process.wait()


if __name__ == "__main__":
    asyncio.run(main())
