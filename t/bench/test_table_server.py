#!/usr/bin/python3
"""The benchmark's stand-in answers the module's calls as dynalite does: same status, error type and row.

TAP. DYNALITE names the program (default: node_modules/.bin/dynalite of the tree), TABLE_SERVER the stand-in (default:
compiled here). Exits with 77 when dynalite is not there."""

import http.client
import json
import os
import re
import shlex
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
TABLE = "app_session"

# As src/store/ddb_item_body.c writes them; the first check below says when it no longer does.
CREATE = "attribute_not_exists(#k)"
SAVE = "#v=:v0 AND #e>:n"
TOUCH = "attribute_exists(#k) AND #e>:n AND #e<:e AND #i=:i AND #t=:t"
DELETE = "#v=:v0"  # not one of the module's


def names(placeholders):
    words = {"a": "accessed", "d": "data", "e": "expires", "i": "idle_timeout", "k": "id", "t": "absolute_timeout",
             "u": "user_mark", "v": "version"}
    return {"#" + p: words[p] for p in placeholders}


def row(key, **changes):
    item = {"id": {"S": key}, "data": {"B": "dXNlcj1hbGljZQ=="}, "created": {"S": "2026-01-02T03:04:05.000006+00:00"},
            "expires": {"N": "2000"}, "idle_timeout": {"N": "7200"}, "absolute_timeout": {"N": "43200"},
            "version": {"N": "1"}, "write_id": {"B": "AAECAwQFBgcICQoLDA0ODw=="}}
    item.update(changes)
    return item


def conditional(condition, **body):
    body.update(TableName=TABLE, ConditionExpression=condition, ReturnValuesOnConditionCheckFailure="ALL_OLD",
                ReturnConsumedCapacity="TOTAL")
    return body


def get(key="k"):
    return "GetItem", {"TableName": TABLE, "Key": {"id": {"S": key}}, "ConsistentRead": True,
                       "ReturnConsumedCapacity": "TOTAL"}


def create(key="k", **changes):
    return "PutItem", conditional(CREATE, Item=row(key, **changes), ExpressionAttributeNames=names("k"))


def save(loaded, now, key="k", remove=""):
    return "UpdateItem", conditional(
        SAVE, Key={"id": {"S": key}},
        UpdateExpression="SET #d=:d,#e=:e,#v=:v" + remove,
        ExpressionAttributeNames=names("devu" if remove else "dev"),
        ExpressionAttributeValues={":d": {"B": "dXNlcj1ib2I="}, ":e": {"N": "3000"}, ":v": {"N": str(loaded + 1)},
                                   ":v0": {"N": str(loaded)}, ":n": {"N": str(now)}})


def touch(expires, now, idle=7200, key="k"):
    return "UpdateItem", conditional(
        TOUCH, Key={"id": {"S": key}}, UpdateExpression="SET #a=:a,#e=:e",
        ExpressionAttributeNames=names("aekit"),
        ExpressionAttributeValues={":a": {"S": "2026-01-02T03:05:05.000006+00:00"}, ":e": {"N": str(expires)},
                                   ":n": {"N": str(now)}, ":i": {"N": str(idle)}, ":t": {"N": "43200"}})


def query(now, key="k"):
    """As dynamodb-session-flask loads."""
    return "Query", {"TableName": TABLE, "ConsistentRead": True, "ReturnConsumedCapacity": "TOTAL",
                     "KeyConditionExpression": "id = :sid", "FilterExpression": "expires > :now",
                     "ExpressionAttributeValues": {":sid": {"S": key}, ":now": {"N": str(now)}}}


def touch_as_express(expires, key="k"):
    """As connect-dynamodb does."""
    return "UpdateItem", {"TableName": TABLE, "Key": {"id": {"S": key}}, "UpdateExpression": "set expires = :e",
                          "ExpressionAttributeValues": {":e": {"N": str(expires)}}, "ReturnValues": "UPDATED_NEW",
                          "ReturnConsumedCapacity": "TOTAL"}


def delete(version=0, key="k"):
    if not version:
        return "DeleteItem", {"TableName": TABLE, "Key": {"id": {"S": key}}, "ReturnConsumedCapacity": "TOTAL"}
    return "DeleteItem", conditional(DELETE, Key={"id": {"S": key}}, ExpressionAttributeNames=names("v"),
                                     ExpressionAttributeValues={":v0": {"N": str(version)}})


STEPS = [
    ("a row that is not there is an empty answer", get(), 200),
    ("create", create(user_mark={"S": "mark"}), 200),
    ("create again fails", create(data={"B": ""}), 400),
    ("the row is there", get(), 200),
    ("save of the loaded version", save(1, 1000), 200),
    ("save of an older version fails", save(1, 1000), 400),
    ("save after its end fails", save(2, 3000), 400),
    ("save a second before its end, removing an attribute", save(2, 2999, remove=" REMOVE #u"), 200),
    ("what save wrote is there", get(), 200),
    ("touch", touch(4000, 2000), 200),
    ("touch that would shorten fails", touch(4000, 2000), 400),
    ("touch with other timeouts fails", touch(5000, 2000, idle=60), 400),
    ("touch after the end fails", touch(5000, 4000), 400),
    ("query", query(3999), 200),
    ("query of what its filter leaves out", query(4000), 200),
    ("an update that returns what it set", touch_as_express(4000), 200),
    ("numbers compare as numbers, not as text", touch(30000, 999), 200),
    ("touch of a missing row fails", touch(5000, 1000, key="other"), 400),
    ("save of a missing row fails and makes none", save(1, 1000, key="other"), 400),
    ("the missing row is still missing", get("other"), 200),
    ("conditional delete of another version fails", delete(1), 400),
    ("conditional delete", delete(3), 200),
    ("conditional delete of what is gone fails", delete(3), 400),
    ("delete of what is gone", delete(), 200),
    ("the row is gone", get(), 200),
    ("create after delete", create(), 200),
    ("unconditional delete", delete(), 200),
    ("create where there was a delete", create(), 200),
    ("no key", ("GetItem", {"TableName": TABLE, "Key": {}}), 400),
    ("an operation that does not exist", ("FryItem", {}), 400),
]


class Peer:
    def __init__(self, port):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def call(self, operation, body):
        self.http.request("POST", "/", json.dumps(body), {
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810." + operation,
            "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
            "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, "
                             "SignedHeaders=host, Signature=" + "0" * 64})
        reply = self.http.getresponse()
        text = reply.read()
        crc = reply.getheader("x-amz-crc32")
        sound = bool(reply.getheader("x-amzn-RequestId")) and crc is not None and int(crc) == zlib.crc32(text)
        return reply.status, json.loads(text), sound


def essence(status, body):
    """What the module goes by: messages and the order of members are not. dynalite sends no row with a conflict."""
    return {"status": status, "type": body.get("__type", "").split("#")[-1],
            "item": body.get("Item") if status == 200 else None, "items": body.get("Items"),
            "updated": body.get("Attributes"), "capacity": body.get("ConsumedCapacity")}


def check_step(tap, ours, theirs, step):
    what, (operation, request), status = step
    status_a, body_a, sound = ours.call(operation, request)
    a, b = essence(status_a, body_a), essence(*theirs.call(operation, request)[:2])
    tap.ok(a == b and a["status"] == status and sound, what, f"stand-in {a}\ndynalite {b}\nsound {sound}")
    if a["type"] == "ConditionalCheckFailedException":
        key = request["Key"]["id"]["S"] if "Key" in request else request["Item"]["id"]["S"]
        there = ours.call(*get(key))[1].get("Item")
        tap.ok(body_a.get("Item") == there, "  and the answer holds the row as it is, if there is one", str(body_a))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start_dynalite(program):
    port = free_port()
    process = subprocess.Popen([program, "--host", "127.0.0.1", "--port", str(port), "--createTableMs", "0"],
                               stdout=subprocess.DEVNULL)
    for _ in range(100):
        try:
            peer = Peer(port)
            peer.call("CreateTable", {"TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
                                      "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                                      "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]})
            break
        except OSError:
            time.sleep(0.1)
    while peer.call("DescribeTable", {"TableName": TABLE})[1].get("Table", {}).get("TableStatus") != "ACTIVE":
        time.sleep(0.05)
    return process, peer


def start_stand_in(directory):
    program = os.environ.get("TABLE_SERVER")
    if not program:
        program = os.path.join(directory, "table_server")
        subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-std=gnu99", "-g", "-o", program,
                        *(os.path.join(HERE, f) for f in ("table_server.c", "table_http.c", "table_api.c",
                                                          "table_expr.c")), "-lcjson", "-lssl", "-lcrypto"], check=True)
    process = subprocess.Popen([program], stdout=subprocess.PIPE, text=True)
    return process, Peer(int(process.stdout.readline()))


class Tap:
    count = failed = 0

    def ok(self, good, what, note=""):
        self.count += 1
        self.failed += not good
        print(("" if good else "not ") + f"ok {self.count} - {what}")
        if not good and note:
            print("# " + note.replace("\n", "\n# "))


def check_expressions(tap):
    with open(os.path.join(TOP, "src", "store", "ddb_item_body.c"), encoding="utf-8") as f:
        source = re.sub(r'"\s*"', "", f.read())
    stale = [e for e in (CREATE, SAVE, TOUCH) if f'"{e}"' not in source]
    tap.ok(not stale, "the conditions here are those of src/store/ddb_item_body.c", "not there: " + "; ".join(stale))


def check_pipelining(tap, port):
    """Two requests in one segment, then one in two: the reader neither loses nor mixes them."""
    body = json.dumps(get()[1])
    one = (f"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: x\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\n"
           f"content-length: {len(body)}\r\n\r\n{body}").encode()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        s.sendall(one + one + one[:len(one) - 9])
        time.sleep(0.1)
        s.sendall(one[len(one) - 9:])
        got = b""
        while got.count(b"HTTP/1.1 200") < 3 or got.count(b'"Item"') < 3:
            got += s.recv(65536) or b"closed HTTP/1.1 200 HTTP/1.1 200 HTTP/1.1 200 \"Item\" \"Item\" \"Item\""
    tap.ok(b"closed" not in got, "pipelined and split requests are all answered")


def check_recording(tap, peer):
    peer.http.request("GET", "/record")
    peer.http.getresponse().read()
    peer.call(*get("recorded"))
    peer.call(*get("not recorded"))
    peer.http.request("GET", "/recorded")
    head, _, body = peer.http.getresponse().read().partition(b"\r\n\r\n")
    tap.ok(head.startswith(b"POST / HTTP/1.1\r\n") and json.loads(body) == get("recorded")[1],
           "the next call is recorded as it came, those after it are not", repr(head + body))


def check_latency_and_tls(tap, program, directory):
    pem = os.path.join(directory, "server.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", pem,
                    "-out", pem + ".crt"], check=True, stderr=subprocess.DEVNULL)
    with open(pem, "a", encoding="ascii") as f, open(pem + ".crt", encoding="ascii") as g:
        f.write(g.read())
    process = subprocess.Popen([program, "20000", pem], stdout=subprocess.PIPE, text=True)
    try:
        ports = [int(process.stdout.readline()) for _ in range(2)]
        plain, tls = (http.client.HTTPConnection("127.0.0.1", ports[0], timeout=5),
                      http.client.HTTPSConnection("127.0.0.1", ports[1], timeout=5,
                                                  context=ssl._create_unverified_context()))
        for name, peer in (("plain", plain), ("TLS", tls)):
            seconds = []
            for size in (1, 1, 300000):
                body = json.dumps({"TableName": TABLE, "Item": row("k", data={"B": "A" * 4 * (size // 4)})})
                began = time.monotonic()
                peer.request("POST", "/", body, {"X-Amz-Target": "DynamoDB_20120810.PutItem", "Authorization": "x"})
                reply = peer.getresponse()
                reply.read()
                seconds.append(time.monotonic() - began)
            tap.ok(reply.status == 200 and min(seconds) >= 0.02,
                   f"{name}: no reply comes before the latency has passed", str(seconds))
    finally:
        process.terminate()
        process.wait()


def main():
    program = os.environ.get("DYNALITE") or os.path.join(TOP, "node_modules", ".bin", "dynalite")
    if not os.access(program, os.X_OK):
        print("1..0 # SKIP no dynalite: npm ci installs it, DYNALITE names another")
        return 77
    tap = Tap()
    check_expressions(tap)
    with tempfile.TemporaryDirectory() as directory:
        processes = []
        try:
            process, ours = start_stand_in(directory)
            processes.append(process)
            process, theirs = start_dynalite(program)
            processes.append(process)
            for step in STEPS:
                check_step(tap, ours, theirs, step)
            bad = ours.call("UpdateItem", {**save(1, 1)[1], "ConditionExpression": "size(#d)>:n"})
            tap.ok(bad[0] == 400, "a condition that the stand-in does not know is refused", str(bad))
            check_pipelining(tap, ours.http.port)
            check_recording(tap, ours)
            check_latency_and_tls(tap, os.environ.get("TABLE_SERVER") or os.path.join(directory, "table_server"),
                                  directory)
            ours.http.request("GET", "/counts")
            counts = json.loads(ours.http.getresponse().read())
            tap.ok(counts["DeleteItem"] == 5 and counts["PutItem"] == 4 and counts["conflicts"] == 10,
                   "the counter page counts by operation", str(counts))
        finally:
            for process in processes:
                process.terminate()
                process.wait()
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
