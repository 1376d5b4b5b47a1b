"""The services that chain_oracle.py has both sides ask, in threads of its process: the container's and EC2's metadata
(t/lib/metadata_server.py), STS, which checks signatures, and SSO's portal. Loopback alone.

What STS and the portal give is made from what they were asked with and by whom, so that equal credentials mean equal
questions, through any number of roles."""

import hashlib
import json
import os
import re
import sys
import threading
import time
import types
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import metadata_server  # noqa: E402

NOW = int(time.time())
ENDS = NOW + 5 * 3600
# Both sides are told the same second.
metadata_server.time = types.SimpleNamespace(time=lambda: NOW, strftime=time.strftime, gmtime=time.gmtime)
STATE = metadata_server.STATE
TOKEN = "a-token-of-an-identity"
SSO_TOKEN = "a-token-of-sso"


def secret_of(key_id):
    return f"sec/{key_id}+="


def token_of(key_id):
    return f"tok/{key_id}=="


def derive(*words):
    return "ASIA" + hashlib.sha1("\n".join(words).encode()).hexdigest()[:16].upper()


class Metadata(metadata_server.Handler):
    """A fault may also be [status, text]."""

    wbufsize = -1  # head and body in one packet, or the other side's delayed acknowledgements make each answer late

    def fail(self, fault):
        return tuple(fault) if isinstance(fault, list) else super().fail(fault)


class Services(BaseHTTPRequestHandler):
    """STS and the portal. The role's name says what is to happen."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        form = {k: v[0] for k, v in parse_qs(body.decode(), keep_blank_values=True).items()}
        self.answer("text/xml", *self.sts(form, body))

    def do_GET(self):
        self.answer("application/json", *self.portal(parse_qs(urlsplit(self.path).query)))

    def answer(self, kind, status, text):
        head = (f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\n\r\n")
        self.wfile.write((head + text).encode())

    def sts(self, form, body):
        arn = form["RoleArn"]
        if "throttled" in arn:
            return error(400, "Throttling")
        if "html" in arn:
            return 200, "<html><br>not here</html>"
        if form["Action"] == "AssumeRole":
            who = self.signer(body)
            if who is None:
                return error(403, "SignatureDoesNotMatch")
        elif "Authorization" in self.headers or form["WebIdentityToken"] != TOKEN:
            return error(400, "InvalidIdentityToken")
        else:
            who = TOKEN
        if "denied" in arn:
            return error(403, "AccessDenied")
        # The names that the sides make up differ, and hold the time.
        session = re.sub(r"^(botocore-session|mod_session_dynamodb)-\d+$", "made up", form["RoleSessionName"])
        key = derive(form["Action"], arn, who, session, form.get("ExternalId", ""), form.get("DurationSeconds", ""))
        ends = NOW - 60 if "expired" in arn else ENDS
        secret = "" if "halved" in arn else f"<SecretAccessKey>{secret_of(key)}</SecretAccessKey>"
        return 200, (
            f'<{form["Action"]}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{form["Action"]}Result>'
            f"<Credentials><AccessKeyId>{key}</AccessKeyId>{secret}<SessionToken>{token_of(key)}</SessionToken>"
            f"<Expiration>{metadata_server.iso(ends)}</Expiration></Credentials><AssumedRoleUser>"
            f"<Arn>arn:aws:sts::{arn.split(':')[4]}:assumed-role/r/s</Arn></AssumedRoleUser>"
            f'</{form["Action"]}Result></{form["Action"]}Response>')

    def signer(self, body):
        """Whose the request is, None when botocore would have signed it in another way."""
        found = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d+/([^/]+)/sts/aws4_request, "
                             r"SignedHeaders=([^,]+), Signature=(\w+)", self.headers.get("Authorization", ""))
        if not found or self.headers.get("X-Amz-Security-Token") not in (None, token_of(found[1])):
            return None
        request = AWSRequest("POST", f"http://{self.headers['Host']}/", data=body,
                             headers={name: self.headers[name] for name in found[3].split(";")})
        request.context["timestamp"] = self.headers["X-Amz-Date"]
        auth = SigV4Auth(Credentials(found[1], secret_of(found[1])), "sts", found[2])
        signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        return found[1] if signature == found[4] else None

    def portal(self, query):
        account, role = query["account_id"][0], query["role_name"][0]
        if self.headers.get("x-amz-sso_bearer_token") != SSO_TOKEN:
            return 401, '{"message": "Session token not found or invalid"}'
        if role == "denied":
            return 403, '{"message": "No access"}'
        if role == "html":
            return 200, "<html>not here</html>"
        key = derive("sso", account, role)
        keys = {"accessKeyId": key, "secretAccessKey": secret_of(key), "sessionToken": token_of(key),
                "expiration": (NOW - 60 if role == "expired" else ENDS) * 1000}
        return 200, json.dumps({"roleCredentials": keys})

    def log_message(self, *_):
        """Nothing."""


def error(status, code):
    return status, (f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>m</Message></Error>"
                    "</ErrorResponse>")


def start(handler, address="127.0.0.1"):
    """Its URL."""
    server = metadata_server.Server((address, 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://{address}:{server.server_port}"
