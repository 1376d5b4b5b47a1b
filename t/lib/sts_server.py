#!/usr/bin/python3
"""AWS STS and the portal of SSO, scripted: one port of the loopback, its number goes to standard output. It ends when
its standard input does. Signatures are checked as AWS does.

  POST /                              AssumeRole, AssumeRoleWithWebIdentity, GetCallerIdentity
  GET  /federation/credentials?...    SSO

Keys are made anew for each request, and the table (--table, the control port of table_proxy.py) is told of them before
they are given out: it knows those that have not ended. With --fixed they follow from what was asked for.

Tests steer it over the same port:

  GET  /-/requests     [{"action", "form", "signer", "status"}, ..]; actions: those above, GetRoleCredentials
  POST /-/reset        forget requests, settings and faults
  POST /-/set {..}     settings, below
  POST /-/fault {..}   {"do": .., "count": 1 (0: for ever), "delay": seconds}; "do" is a code of STS such as AccessDenied,
                       or hang (never answer), drop, garbage (HTML with 200), html403, 500, half (XML that breaks off),
                       expired (keys that have ended), slow (answer after the delay)
"""

import argparse
import hashlib
import json
import os
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from table_proxy import Message, Verifier  # noqa: E402

DEFAULTS = {
    "keys": {"AKIDSOURCE": {"secret": "source-secret"}},  # those that may ask for a role
    "life": 3600,                                         # seconds, of what is given out
    "tokens": ["web-identity-token", "sso-token"],        # of web identities and SSO
    "caller": "arn:aws:sts::123456789012:assumed-role/operator/s",  # of GetCallerIdentity
    "roles": None,                                        # ARNs that there are; None: all
}
STATUS = {"AccessDenied": 403, "ExpiredToken": 403, "IDPRejectedClaim": 403, "RegionDisabledException": 403,
          "InvalidClientTokenId": 403, "SignatureDoesNotMatch": 403}
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


class StsVerifier(Verifier):
    """The table's, but for the name of the service."""

    service = "sts"


class State:
    def __init__(self):
        self.lock = threading.Lock()
        self.given, self.until = {}, {}
        self.count = 0
        self.reset()

    def reset(self):
        self.settings, self.faults, self.requests = dict(DEFAULTS), [], []

    def fault(self):
        with self.lock:
            fault = self.faults[0] if self.faults else None
            if fault and fault["count"] == 1:
                self.faults.remove(fault)
            elif fault:
                fault["count"] -= fault["count"] > 1
            return fault


STATE, ARGS = State(), None


def make_keys(seed, until):
    """A set of keys, known to the table and to ourselves: a role may ask for a role."""
    with STATE.lock:
        STATE.count += 1
        digest = hashlib.sha256((json.dumps(seed) if ARGS.fixed else str(STATE.count)).encode()).hexdigest()
        found = "ASIA" + digest[:16].upper(), "given-secret-" + digest[16:40], "given-token-" + digest[40:]
        STATE.given[found[0]] = {"secret": found[1], "token": found[2]}
        STATE.until[found[0]] = until
        table = {name: key for name, key in STATE.given.items() if STATE.until[name] > time.time()}
    if ARGS.table:
        data = json.dumps({"keys": table}).encode()
        urllib.request.urlopen("http://127.0.0.1:%d/mode" % ARGS.table, data).read()
    return found


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def element(name, inside):
    return "<%s>%s</%s>" % (name, inside, name)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.take()

    def do_POST(self):
        self.take()

    def take(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/-/"):
            self.answer(200, json.dumps(self.control(self.path[3:], json.loads(body or b"{}"))))
            return
        form = dict(parse_qsl(body.decode() if self.command == "POST" else urlsplit(self.path).query))
        entry = {"action": form.get("Action", "GetRoleCredentials"), "form": form, "signer": None}
        fault = STATE.fault() or {"do": None}
        time.sleep(fault.get("delay", 0))
        status, text = self.fail(fault["do"], form) or self.serve(form, entry, body, STATE.settings["life"])
        if fault["do"] == "half":
            text = text[:-40]
        with STATE.lock:
            STATE.requests.append(dict(entry, status=status))
        if status:
            self.answer(status, text)
        elif fault["do"] == "hang":
            self.rfile.read(1)
        self.close_connection = self.close_connection or not status

    def answer(self, status, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def control(self, what, spec):
        with STATE.lock:
            if what == "requests":
                return STATE.requests
            if what == "reset":
                STATE.reset()
            elif what == "set":
                unknown = set(spec) - set(DEFAULTS)
                if unknown:
                    raise ValueError("no such setting: %s" % unknown)
                STATE.settings.update(spec)
            elif what == "fault":
                STATE.faults.append({"do": str(spec["do"]), "count": spec.get("count", 1), "delay": spec.get("delay", 0)})
            else:
                raise ValueError("no such control: %s" % what)
        return {}

    def fail(self, do, form):
        """(status, text), no status for no answer; None: nothing goes wrong."""
        if do in (None, "half", "slow"):
            return None
        if do == "expired":
            return self.serve(form, {}, None, -60)
        return {"hang": (0, ""), "drop": (0, ""), "garbage": (200, "<html>not <b>here</html>"),
                "html403": (403, "<html>proxy</html>"), "500": (500, "")}.get(do) or self.error(do, "as the test asked")

    @staticmethod
    def error(code, message):
        return STATUS.get(code, 400), '<ErrorResponse xmlns="%s">%s%s</ErrorResponse>' % (
            NAMESPACE, element("Error", element("Type", "Sender") + element("Code", code)
                               + element("Message", escape(message))), element("RequestId", "test"))

    def serve(self, form, entry, body, life):
        if self.command == "GET":
            return self.portal(form, life)
        if form.get("Version") != "2011-06-15":
            return self.error("InvalidAction", "no such version")
        if form["Action"] == "GetCallerIdentity":
            complaint = self.complaint(body, entry)
            return self.error("SignatureDoesNotMatch", complaint) if complaint else (200, self.identity())
        if STATE.settings["roles"] is not None and form["RoleArn"] not in STATE.settings["roles"]:
            return self.error("AccessDenied", "not authorized to perform: sts:AssumeRole")
        if form["Action"] == "AssumeRoleWithWebIdentity":
            if form["WebIdentityToken"] not in STATE.settings["tokens"]:
                return self.error("InvalidIdentityToken", "The token could not be verified")
        elif body is not None:
            complaint = self.complaint(body, entry)
            if complaint:
                return self.error("SignatureDoesNotMatch", complaint)
        seed = sorted((key, value) for key, value in form.items() if key != "RoleSessionName") + [entry.get("signer")]
        until = time.time() + life
        return 200, self.reply(form, make_keys(seed, until), until)

    def complaint(self, body, entry):
        with STATE.lock:
            verifier = StsVerifier({**STATE.settings["keys"], **STATE.given}, ARGS.region)
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        text = verifier.complaint(Message("POST / HTTP/1.1", headers, body))
        entry["signer"] = (self.headers.get("Authorization") or "").partition("Credential=")[2].partition("/")[0]
        return text and text[1]

    @staticmethod
    def identity():
        return '<GetCallerIdentityResponse xmlns="%s">%s</GetCallerIdentityResponse>' % (
            NAMESPACE, element("GetCallerIdentityResult", element("Arn", STATE.settings["caller"])
                               + element("UserId", "AROATEST:s") + element("Account", "123456789012")))

    @staticmethod
    def reply(form, keys, until):
        action, account = form["Action"], form["RoleArn"].split(":")[4]
        inside = element("Credentials", element("AccessKeyId", keys[0]) + element("SecretAccessKey", keys[1])
                         + element("SessionToken", keys[2]) + element("Expiration", iso(until)))
        inside += element("AssumedRoleUser", element("AssumedRoleId", "AROATEST:s") + element(
            "Arn", "arn:aws:sts::%s:assumed-role/r/%s" % (account, escape(form["RoleSessionName"]))))
        return '<%sResponse xmlns="%s">%s%s</%sResponse>' % (
            action, NAMESPACE, element(action + "Result", inside),
            element("ResponseMetadata", element("RequestId", "test")), action)

    def portal(self, form, life):
        if self.headers.get("x-amz-sso_bearer_token") not in STATE.settings["tokens"]:
            return 401, json.dumps({"message": "Session token not found or invalid"})
        if not self.path.startswith("/federation/credentials?") or set(form) != {"role_name", "account_id"}:
            return 404, ""
        keys = make_keys(sorted(form.items()), time.time() + life)
        return 200, json.dumps({"roleCredentials": {
            "accessKeyId": keys[0], "secretAccessKey": keys[1], "sessionToken": keys[2],
            "expiration": int(time.time() + life) * 1000}})

    def log_message(self, *_):
        """Nothing: the tests ask for the requests."""


class Server(ThreadingHTTPServer):
    """Does not mind a client that went away."""

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main():
    global ARGS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--table", type=int, help="control port of the table's proxy")
    parser.add_argument("--fixed", action="store_true", help="the same keys for the same request")
    ARGS = parser.parse_args()
    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
