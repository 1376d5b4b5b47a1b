"""Sessions of mod_session_dynamodb in Python programs: CGI, WSGI.

    entries = session(environ)                          # SessionEnv On: a dict of str, empty without a session
    name, value = change({"visits": 3, "cart": None})   # SessionHeader X-Replace-Session: sets visits, removes cart
    values = forwarded(environ, keys, "http://127.0.0.1:8000")      # SessionDynamoDBForward; None: not from httpd
    same_token(form["token"], environ["SESSION_CSRF"])              # SessionDynamoDBCSRFToken

environ is that of WSGI, or os.environ in a CGI program. Text is UTF-8; other bytes are kept as surrogate escapes.
"""

import base64
import hashlib
import hmac
import os
import re
import time
from urllib.parse import quote, unquote, unquote_plus

__all__ = ["session", "change", "forwarded", "same_token"]

# A program's header line has 8190 bytes at most; httpd answers 500 to a longer one.
LONGEST_LINE = 8190
# Seconds that a signature may be away from this clock.
SIGNATURE_AGE = 60

_SIGNATURE = re.compile(
    r"(?:v=2; a=([^; ]+); )?t=([0-9]{1,12}); k=([0-9a-f]{8}); h=([A-Za-z0-9_,-]+); s=([0-9a-f]{64})")


def session(environ=os.environ):
    """The entries of the session. "expiry" is mod_session's own, and left out."""
    entries = {}
    for part in environ.get("HTTP_SESSION", "").split("&"):
        name, _, value = (unquote_plus(text, errors="surrogateescape") for text in part.partition("="))
        if name and name != "expiry":
            entries[name] = value
    return entries


def change(entries, header="X-Replace-Session"):
    """The header, as (name, value), that sets these entries, and removes those whose value is None or empty. Others
    stay as they are."""
    parts = []
    for name, value in entries.items():
        if name in ("", "expiry"):
            raise ValueError("an entry needs a name" if name == "" else "the entry expiry is mod_session's own")
        parts.append("=".join(quote("" if text is None else str(text), safe="", errors="surrogateescape")
                              for text in (name, value)))
    value = "&".join(parts)
    if len(header) + len(": ") + len(value) > LONGEST_LINE:
        raise ValueError(f"more than {LONGEST_LINE} bytes in one header line: change fewer entries in one answer")
    return header, value


def forwarded(environ, keys, audience, accept_version_1=False):
    """The values that httpd forwarded, by lower-case header name; "" for an entry that the session does not have. None:
    the request does not come from httpd, or was signed for something else.

    keys: the lines of the key file, as bytes. audience: this application's own, from its settings, never from the
    request. environ needs REQUEST_URI, the target as the request line has it (gunicorn calls it RAW_URI).
    accept_version_1: True only while httpd still has SessionDynamoDBForwardVersion 1."""
    signature = _SIGNATURE.fullmatch(environ.get("HTTP_X_SESSION_SIGNATURE", ""))
    if not signature or abs(time.time() - int(signature[2])) > SIGNATURE_AGE:
        return None
    if signature[1] != audience if signature[1] else not accept_version_1:
        return None
    names = signature[4].split(",")
    values = {name: environ.get("HTTP_" + name.upper().replace("-", "_"), "") for name in names}
    target = environ.get("REQUEST_URI") or environ.get("RAW_URI", "")
    text = "\n".join((["v=2", "a=" + audience] if signature[1] else []) + [signature[2], environ.get("REQUEST_METHOD", ""), target]
                     + [name + ":" + values[name] for name in names])
    for key in keys:
        # WSGI gives bytes as Latin-1, the environment of a process as surrogate escapes.
        signed = text.encode("latin-1" if "wsgi.version" in environ else "utf-8",
                             "strict" if "wsgi.version" in environ else "surrogateescape")
        found = hmac.new(key, signed, "sha256").hexdigest()
        if hashlib.sha256(key).hexdigest()[:8] == signature[3] and hmac.compare_digest(found, signature[5]):
            return {name: unquote(value, errors="surrogateescape") for name, value in values.items()}
    return None


def same_token(token, own):
    """Whether a form's anti-forgery token is one of the session to which SESSION_CSRF, own, belongs. Each page has
    another token of the same secret: its first half XOR its second."""
    one, other = _secret(token), _secret(own)
    return bool(one and other) and hmac.compare_digest(one, other)


def _secret(token):
    if not isinstance(token, str) or not re.fullmatch(r"[A-Za-z0-9_-]{86}", token):
        return b""
    random = base64.urlsafe_b64decode(token + "==")
    return bytes(a ^ b for a, b in zip(random[:32], random[32:]))
