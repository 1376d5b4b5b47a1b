#!/usr/bin/python3
"""Where AWS hands out the credentials of a machine, scripted: the instance metadata of EC2, the agent of ECS, EKS Pod
Identity. One port of the loopback; its number goes to standard output. It ends when its standard input does.

  PUT /latest/api/token, GET /latest/meta-data/...     instance metadata
  GET /v2/credentials/ID                               ECS, by AWS_CONTAINER_CREDENTIALS_FULL_URI
  GET /v1/credentials                                  EKS Pod Identity, which wants an Authorization

Tests steer it over the same port:

  GET  /-/requests     [{"method", "path", "kind", "status"}, ..]; kinds: token, roles, document, region, container,
                       other
  POST /-/reset        forget requests, settings and faults
  POST /-/set {..}     settings, below
  POST /-/fault {..}   {"on": kind, "do": .., "count": 1 (0: for ever)}; "do" is a number (HTTP status, no body), or
                       hang (never answer), drop (close without an answer), garbage (HTML), empty, half (JSON that
                       breaks off), huge (2 MB), redirect (to the same path of another host), refusal (HTTP 200 with
                       Code and Message); "alone": true forgets all faults before
"""

import json
import secrets
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DEFAULTS = {
    "id": "ASIAMETADATA", "secret": "metadata-secret", "token": "metadata-token", # of the credentials
    "expires_in": 6 * 3600,    # seconds from now; negative: expired
    "role": "server-role",     # None: the instance has none
    "version": 2,              # 1: PUT is not known and no token needed
    "authorization": None,     # what Pod Identity wants to see as Authorization
    "region": "us-east-1",
}
ROLES = "/latest/meta-data/iam/security-credentials/"


class State:
    """What all connections share."""

    def __init__(self):
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        self.settings, self.faults, self.requests, self.tokens = dict(DEFAULTS), [], [], set()

    def fault(self, kind):
        """What is to go wrong with a request of this kind, or None."""
        with self.lock:
            for fault in self.faults:
                if fault["on"] == kind:
                    if fault["count"] == 1:
                        self.faults.remove(fault)
                    fault["count"] -= fault["count"] > 1
                    return fault["do"]
        return None


STATE = State()


def credentials():
    """The document as EC2 gives it; ECS's and EKS's are the same but for some members."""
    now, s = time.time(), STATE.settings
    return {
        "Code": "Success", "LastUpdated": iso(now), "Type": "AWS-HMAC", "AccessKeyId": s["id"],
        "SecretAccessKey": s["secret"], "Token": s["token"], "Expiration": iso(now + s["expires_in"]),
    }


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def kind_of(path):
    if path == "/latest/api/token":
        return "token"
    if path == "/latest/meta-data/placement/region":
        return "region"
    if path.startswith(ROLES):
        return "roles" if path == ROLES else "document"
    return "container" if path.startswith(("/v1/credentials", "/v2/credentials")) else "other"


class Handler(BaseHTTPRequestHandler):
    """One request: control, a fault, or the answer of the service."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.take()

    def do_PUT(self):
        self.take()

    def do_POST(self):
        self.take()

    def take(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/-/"):
            self.answer(200, json.dumps(self.control(self.path[3:], json.loads(body or b"{}"))))
            return
        kind = kind_of(self.path)
        fault = STATE.fault(kind)
        status, text = self.fail(fault) if fault is not None else getattr(self, kind)()
        with STATE.lock:
            STATE.requests.append({"method": self.command, "path": self.path, "kind": kind, "status": status})
        if status:
            self.answer(status, text)
        elif fault == "hang":
            self.rfile.read(1)     # till the client gives up
        self.close_connection = self.close_connection or not status

    def answer(self, status, text):
        data = text.encode()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.2:%d%s" % (self.server.server_port, self.path))
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
                STATE.faults = [] if spec.get("alone") else STATE.faults
                STATE.faults.append({"on": spec["on"], "do": spec["do"], "count": spec.get("count", 1)})
            else:
                raise ValueError("no such control: %s" % what)
        return {}

    # --- faults: (status, text), no status for no answer

    def fail(self, fault):
        if isinstance(fault, int):
            return fault, ""
        return {
            "hang": (0, ""), "drop": (0, ""), "garbage": (200, "<html>not here</html>"), "empty": (200, ""),
            "half": (200, json.dumps(credentials())[:-20]), "huge": (200, " " * 2000000), "redirect": (302, ""),
            "refusal": (200, json.dumps({"Code": "AssumeRoleUnauthorizedAccess",
                                         "Message": "EC2 cannot assume the role server-role."})),
        }[fault]

    # --- the services

    def token(self):
        if STATE.settings["version"] == 1:
            return 404, ""
        if self.command != "PUT" or not 1 <= int(self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", 0)) <= 21600:
            return 400, ""
        # EC2 refuses what came through a proxy.
        if self.headers.get("X-Forwarded-For"):
            return 403, ""
        token = secrets.token_urlsafe(42)
        with STATE.lock:
            STATE.tokens.add(token)
        return 200, token

    def value(self, text):
        token = self.headers.get("X-aws-ec2-metadata-token")
        if self.command != "GET" or (token not in STATE.tokens if token else STATE.settings["version"] != 1):
            return 401, ""
        return (200, text) if text is not None else (404, "<html>404 - Not Found</html>")

    def roles(self):
        return self.value(STATE.settings["role"])

    def document(self):
        known = self.path == ROLES + str(STATE.settings["role"])
        return self.value(json.dumps(credentials()) if known else None)

    def region(self):
        return self.value(STATE.settings["region"])

    def container(self):
        wanted = STATE.settings["authorization"]
        if wanted is not None and self.headers.get("Authorization") != wanted:
            return 401, json.dumps({"code": "AccessDeniedException", "message": "the token is not valid"})
        found = credentials()
        del found["Code"], found["Type"], found["LastUpdated"]
        return 200, json.dumps(dict(found, RoleArn="arn:aws:iam::123456789012:role/task", AccountId="123456789012"))

    def other(self):
        return 404, ""

    def log_message(self, *_):
        """Nothing: the tests ask for the requests."""


class Server(ThreadingHTTPServer):
    """Does not mind a client that went away."""

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main():
    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
