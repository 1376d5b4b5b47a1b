#!/usr/bin/python3
"""The fault server itself: what t/lib/table_proxy.py refuses and what it does wrong on purpose, seen from a client that
botocore signs for. TAP. A server that lets a wrong signature pass, or whose faults are none, would prove nothing."""

import datetime
import hashlib
import json
import os
import re
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zlib

try:
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:
    print("1..0 # SKIP no botocore; install Debian's python3-botocore")
    sys.exit(0)

PROXY = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib", "table_proxy.py")
BODY = b'{"TableName":"t","Key":{"id":{"S":"x"}}}'
done = []


def check(good, sentence):
    done.append(bool(good))
    print("%sok %d - %s" % ("" if good else "not ", len(done), sentence))


class Server:
    """The proxy, alone unless told otherwise."""

    def __init__(self, *options, **environment):
        self.process = subprocess.Popen(
            [sys.executable, PROXY, "--verify", "--key", "AKIDTEST:secret", *(options or ("--alone",))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environment})
        state = json.loads(self.process.stdout.readline())
        self.port, self.control, self.direct = state["port"], state["control"], state["dynalite"]

    def tell(self, method, path, **what):
        data = json.dumps(what).encode() if method == "POST" else None
        with urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:%d%s" % (self.control, path), data,
                                                           method=method)) as reply:
            return json.load(reply)

    def stop(self):
        self.process.stdin.close()
        return self.process.wait(10)


def signed(server, at=0, secret="secret", token=None, region="us-east-1", service="dynamodb", **also):
    """A request signed by botocore, as of so many seconds from now: a list of headers and the body."""
    request = AWSRequest(method="POST", url="http://127.0.0.1:%d/" % server.port, data=BODY)
    request.headers["Content-Type"] = "application/x-amz-json-1.0"
    request.headers["X-Amz-Target"] = "DynamoDB_20120810.GetItem"
    for name, value in also.items():
        request.headers[name.replace("_", "-")] = value
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) + datetime.timedelta(seconds=at)
    request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
    signer = botocore.auth.SigV4Auth(Credentials("AKIDTEST", secret, token), service, region)
    # add_auth would take the time from the clock; these are its steps behind that.
    signer._modify_request_before_signing(request)
    request.headers.replace_header("X-Amz-Date", request.context["timestamp"]) \
        if "X-Amz-Date" in request.headers else request.headers.add_header("X-Amz-Date", request.context["timestamp"])
    text = signer.string_to_sign(request, signer.canonical_request(request))
    signer._inject_signature_to_request(request, signer.signature(text, request))
    return {"Host": "127.0.0.1:%d" % server.port, **dict(request.headers.items())}


def wire(headers, body=BODY):
    lines = ["POST / HTTP/1.1"] + ["%s: %s" % pair for pair in headers.items()] + ["Content-Length: %d" % len(body)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Reply:
    """What came until the answer was whole, the server closed, or the time was up."""

    def __init__(self, server, data, patience=0.5, most=1 << 20, port=None):
        self.end, self.bytes, start = "time is up", b"", time.monotonic()
        try:
            with socket.create_connection(("127.0.0.1", port or server.port), timeout=5) as place:
                place.sendall(data)
                while not self.whole() and len(self.bytes) < most:
                    place.settimeout(max(0.001, patience - (time.monotonic() - start)))
                    piece = place.recv(65536)
                    if not piece:
                        self.end = "closed"
                        break
                    self.bytes += piece
                else:
                    self.end = "whole" if self.whole() else "too much"
        except ConnectionRefusedError:
            self.end = "refused"
        except (ConnectionResetError, BrokenPipeError):
            self.end = "reset"
        except socket.timeout:
            pass
        self.seconds = time.monotonic() - start

    def part(self):
        head, _, body = self.bytes.partition(b"\r\n\r\n")
        return head, body

    def whole(self):
        head, body = self.part()
        length = re.search(rb"(?i)content-length: (\d+)", head)
        return bool(length) and len(body) >= int(length.group(1))

    def status(self):
        found = re.match(rb"HTTP/1\.1 (\d{3}) ", self.bytes)
        return int(found.group(1)) if found else 0

    def header(self, name):
        found = re.search(rb"(?im)^%s: (.*?)\r?$" % name.encode(), self.part()[0])
        return found.group(1).decode() if found else None

    def type(self):
        return json.loads(self.part()[1])["__type"].rpartition("#")[2]

    def crc_right(self):
        return self.header("x-amz-crc32") == str(zlib.crc32(self.part()[1]))


def signatures(server):
    def taken(headers, sentence, body=BODY):
        reply = Reply(server, wire(headers, body))
        check(reply.status() == 200 and reply.part()[1] == b"{}", sentence)

    def refused(headers, kind, reason, sentence, body=BODY):
        reply = Reply(server, wire(headers, body))
        text = reply.part()[1].decode("latin-1")
        check(reply.status() == 400 and reply.type() == kind and reason in text, "refused: " + sentence)
        if not done[-1]:
            print("# %d %s" % (reply.status(), text))

    wrong, unknown, incomplete = ("InvalidSignatureException", "UnrecognizedClientException",
                                  "IncompleteSignatureException")
    good = signed(server)

    def changed(**what):
        return {**good, **{name.replace("_", "-"): value for name, value in what.items()}}

    def authorization(old, new):
        assert re.search(old, good["Authorization"]), old
        return changed(Authorization=re.sub(old, new, good["Authorization"]))

    taken(good, "a request signed by botocore is taken")
    taken(changed(User_Agent="any"), "... with a header that nobody signs")
    taken(signed(server, X_Amz_Extra="  two   words "), "... with one more, signed, with blanks")
    taken(signed(server, X_Amz_Content_Sha256=hashlib.sha256(BODY).hexdigest()), "... with the hash of its body")

    nothing = "signature does not match"
    refused(signed(server, secret="Secret"), wrong, nothing, "another secret")
    last = "0" if good["Authorization"][-1] != "0" else "1"
    refused(authorization(r".$", last), wrong, nothing, "one letter of the signature")
    refused(good, wrong, nothing, "another body", BODY.replace(b"x", b"y"))
    refused(good, wrong, nothing, "no body", b"")
    refused(changed(X_Amz_Target="DynamoDB_20120810.DeleteItem"), wrong, nothing, "another operation")
    refused(changed(Content_Type="application/json"), wrong, nothing, "another content type")
    refused(changed(Host="127.0.0.1:1"), wrong, nothing, "another host")
    moved = re.sub(r"\d\dZ$", lambda m: "%02dZ" % ((int(m.group()[:2]) + 1) % 60), good["X-Amz-Date"])
    refused(changed(X_Amz_Date=moved), wrong, nothing, "another second")
    refused(signed(server, region="us-east-2"), wrong, "scoped to us-east-1", "another region")
    refused(signed(server, service="sts"), wrong, "scoped to", "another service")
    refused(authorization(r"/\d{8}/", "/20200101/"), wrong, "different days", "another day in the scope")
    refused({**good, "X-Amz-Content-Sha256": "0" * 64}, wrong, "not signed", "a hash that is not signed")
    refused(signed(server, X_Amz_Content_Sha256="0" * 64), wrong, "not that of the body", "another hash of the body")

    for name in ("host", "content-type", "x-amz-date", "x-amz-target"):
        refused(authorization(r"(?<=[=;])%s;|;%s(?=,)" % (name, name), ""), wrong, "%s is not signed" % name,
                "%s unsigned" % name)
    refused(changed(X_Amz_Meta="1"), wrong, "x-amz-meta is not signed", "a header added to what was signed")
    refused(authorization("SignedHeaders=([a-z-]+);", r"SignedHeaders=\1;\1;"), wrong, "not sorted or not unique",
            "a header named twice")
    refused(authorization("content-type;host", "host;content-type"), wrong, "not sorted", "headers in another order")
    refused(authorization("SignedHeaders=", "SignedHeaders=a-missing-one;"), wrong, "was not sent", "one not sent")
    for skew, ok in ((-14 * 60, True), (14 * 60, True), (-16 * 60, False), (16 * 60, False), (-86400, False),
                     (86400 * 365, False)):
        headers, sentence = signed(server, at=skew), "signed %d s from now" % skew
        if ok:
            taken(headers, sentence)
        else:
            refused(headers, wrong, "expired" if skew < 0 else "not yet current", sentence)
    for stamp in ("", "now", good["X-Amz-Date"][:-1], good["X-Amz-Date"] + "0"):
        refused(changed(X_Amz_Date=stamp), wrong, "missing or malformed", "the date '%s'" % stamp)
    refused({name: value for name, value in good.items() if name != "X-Amz-Date"}, wrong, "missing", "no date")

    refused({name: value for name, value in good.items() if name != "Authorization"}, incomplete, "", "no signature")
    for value in ("Basic eDp5", good["Authorization"].replace("SHA256", "SHA1", 1), good["Authorization"] + "0",
                  good["Authorization"].replace("aws4_request", "aws4"), good["Authorization"].upper()):
        refused(changed(Authorization=value), incomplete, "", value.split(" ")[0] + " ... " + value[-4:])
    refused(authorization("AKIDTEST", "AKIDOTHER"), unknown, "unknown access key", "an unknown key")

    refused(signed(server, token="unwanted"), wrong, "token", "a token where none is wanted")
    server.tell("POST", "/mode", keys={"AKIDTEST": {"secret": "secret", "token": "right"}})
    taken(signed(server, token="right"), "the right token is taken")
    refused(signed(server, token="wrong"), wrong, "token", "a wrong token")
    refused(signed(server), wrong, "token", "no token")
    server.tell("POST", "/reset")
    server.tell("POST", "/mode", clock_offset=3600)
    refused(good, wrong, "expired", "our time when the server's is another")
    taken(signed(server, at=3600), "its time is taken")
    server.tell("POST", "/reset")


def answers(server):
    """Kinds of fault that answer: what is wrong with each answer."""
    def said(status, kind):
        return lambda r: r.end == "whole" and r.status() == status and r.type() == kind and r.crc_right()

    throttle = "ProvisionedThroughputExceededException"
    expected = {
        "500": said(500, "InternalServerError"), "did_but_500": said(500, "InternalServerError"),
        "503": said(503, "ServiceUnavailableException"), "throttle": said(400, throttle),
        "expired": said(400, "ExpiredTokenException"), "error": said(400, "ValidationException"),
        "skew": said(400, "InvalidSignatureException"),
        "crc": lambda r: r.end == "whole" and r.part()[1] == b"{}" and not r.crc_right(),
        "no_crc": lambda r: r.part()[1] == b"{}" and r.header("x-amz-crc32") is None,
        "truncated": lambda r: r.end == "closed" and r.header("content-length") == "2" and r.part()[1] == b"{",
        "garbage": lambda r: r.status() == 200 and r.crc_right() and b"\0" in r.part()[1],
        "html": lambda r: r.part()[1].startswith(b"<html") and r.header("content-type") == "text/html",
        "empty": lambda r: r.end == "whole" and r.status() == 200 and r.part()[1] == b"" and r.crc_right(),
        "wrong_type": lambda r: r.crc_right() and isinstance(json.loads(r.part()[1])["Item"], str),
        "content_type": lambda r: r.part()[1] == b"{}" and r.crc_right() and r.header("content-type") == "text/html",
        "oversized": lambda r: r.end == "too much" and int(r.header("content-length")) > 20_000_000,
        "endless": lambda r: r.end == "too much" and r.header("content-length") is None,
        "delay": lambda r: r.part()[1] == b"{}" and r.seconds >= 0.1,
        "slow": lambda r: r.end == "whole" and r.part()[1] == b"{}" and r.crc_right() and r.seconds >= 0.08,
        "trickle": lambda r: r.end == "time is up" and 0 < len(r.bytes) <= 6,
    }
    for kind, good in expected.items():
        server.tell("POST", "/fault", kind=kind, **({"delay": 100} if kind in ("delay", "trickle", "slow") else {}))
        reply = Reply(server, wire(signed(server)))
        check(good(reply), "%s: %s, status %d" % (kind, reply.end, reply.status()))
        check(Reply(server, wire(signed(server))).part()[1] == b"{}", "... once")
        entry = server.tell("GET", "/requests")["requests"][-2]
        forwarded = kind in ("did_but_500", "crc", "no_crc", "truncated", "content_type", "delay", "slow", "trickle")
        check(entry["fault"] == kind and ("forwarded" in entry) == forwarded,
              "... recorded, and %sforwarded" % ("" if forwarded else "not "))
    server.tell("POST", "/fault", kind="skew", seconds=7200)
    reply = Reply(server, wire(signed(server, at=7200)))
    check(reply.status() == 200, "skew: whose clock is the server's is served")
    check("GMT" in (reply.header("date") or ""), "... and told the time")


def silences(server):
    """Those that do not: how the connection ends, and whether the request was carried out."""
    expected = {"close_accept": ("closed", None), "reset_accept": ("reset", None), "close_before": ("closed", False),
                "reset_before": ("reset", False), "close_after": ("closed", True), "reset_after": ("reset", True),
                "hang": ("time is up", False), "hang_after": ("time is up", True)}
    for kind, (end, forwarded) in expected.items():
        last = server.tell("GET", "/requests")["last"]
        server.tell("POST", "/fault", kind=kind)
        reply = Reply(server, wire(signed(server)), patience=0.1 if end == "time is up" else 2)
        # What is closed with a request unread becomes a reset on its own.
        ends = (end, "reset") if kind == "close_accept" else (end,)
        check(reply.bytes == b"" and reply.end in ends, "%s: %s" % (kind, reply.end))
        found = server.tell("GET", "/requests?since=%d" % last)["requests"]
        check([("forwarded" in entry) for entry in found] == ([] if forwarded is None else [forwarded]),
              "... %s" % {None: "before it could ask", True: "and was carried out", False: "and not"}[forwarded])
        server.tell("POST", "/fault/clear")
    server.tell("POST", "/fault", kind="refuse")
    check(Reply(server, b"").end == "refused", "refuse: refused")
    server.tell("POST", "/fault/clear")
    for kind in ("hold", "hold_after"):
        server.tell("POST", "/fault", kind=kind)
        check(Reply(server, wire(signed(server)), patience=0.1).bytes == b"", "%s: no answer" % kind)
        server.tell("POST", "/release")
    check(Reply(server, wire(signed(server))).status() == 200, "... and all is well again")
    program = ("import sys; sys.dont_write_bytecode = True; sys.path.insert(0, sys.argv[1]); import table_proxy; "
               "print(*table_proxy.Fault.KINDS)")
    kinds = subprocess.run([sys.executable, "-c", program, os.path.dirname(PROXY)], stdout=subprocess.PIPE, text=True,
                           check=True)
    tried = {entry["fault"] for entry in server.tell("GET", "/requests")["requests"]}
    untried = set(kinds.stdout.split()) - tried - {"close_accept", "reset_accept", "refuse"}
    check(not untried, "no kind of fault is left out %s" % " ".join(untried))


class Chunks(socketserver.StreamRequestHandler):
    """A service that answers in chunks and keeps no connection."""

    def handle(self):
        length = 0
        while (line := self.rfile.readline().strip()):
            length = int(line.split(b":")[1]) if line.lower().startswith(b"content-length") else length
        self.rfile.read(length)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                         b"a;x=y\r\n{\"Item\":{\"\r\n5\r\nid\":{\r\n3\r\n}}}\r\n0\r\n\r\n")


def elsewhere():
    """A DynamoDB at a URL: one that speaks TLS and knows other keys, and one that speaks in chunks."""
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = os.path.join(folder, "key"), os.path.join(folder, "crt")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=far",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate], check=True,
                       stderr=subprocess.DEVNULL)
        far = Server("--alone", "--key", "AKIDFAR:of-the-far-one", "--tls", certificate, key,
                     "--region", "eu-central-2")
        url = "https://127.0.0.1:%d" % far.port
        near = Server("--upstream", url, SSL_CERT_FILE=certificate, AWS_REGION="eu-central-2",
                      AWS_ACCESS_KEY_ID="AKIDFAR", AWS_SECRET_ACCESS_KEY="of-the-far-one")
        check(Reply(near, wire(signed(near)), patience=10).status() == 200,
              "a request is signed anew for a service at a URL")
        check(Reply(near, wire(signed(near, secret="wrong")), patience=10).status() == 400,
              "... but one that is signed wrongly here")
        signatures_there = [entry["signature"] for entry in far.tell("GET", "/requests")["requests"]]
        check(signatures_there == ["ok"], "... does not get there, and the other was good there")
        plain = (b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\n"
                 b"Content-Length: 2\r\n\r\n{}")
        check(Reply(near, plain, patience=10, port=near.direct).status() == 200, "the way past the faults, too")
        with socket.create_connection(("127.0.0.1", near.direct), timeout=10) as place:
            place.sendall(plain.replace(b"Host: x", b"Host: x\r\nConnection: close"))
            while place.recv(65536):
                pass
        check(True, "... which ends where its client wants that")
        wrong = Server("--upstream", url, SSL_CERT_FILE=certificate, AWS_REGION="eu-central-2",
                       AWS_ACCESS_KEY_ID="AKIDFAR", AWS_SECRET_ACCESS_KEY="of-another")
        check(Reply(wrong, wire(signed(wrong)), patience=10).status() == 400,
              "with wrong keys of the environment the service refuses")
        for server in (near, wrong, far):
            server.stop()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Chunks) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        near = Server("--upstream", "http://127.0.0.1:%d" % service.server_address[1])
        for i in range(2):
            reply = Reply(near, wire(signed(near)), patience=10)
            head, body = reply.part()
            check(reply.whole() and body == b'{"Item":{"id":{}}}' and b"lose" not in head and b"hunked" not in head,
                  "chunks and the end of a connection are the service's own affair, time %d" % (i + 1))
        near.stop()
        service.shutdown()


def main():
    elsewhere()
    server = Server()
    try:
        signatures(server)
        answers(server)
        silences(server)
    finally:
        code = server.stop()
    check(code == 0, "the server ends with its standard input")
    print("1..%d" % len(done))
    return 0 if all(done) else 1


sys.exit(main())
