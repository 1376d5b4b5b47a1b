#!/usr/bin/python3
"""Signatures against botocore's SigV4Auth with a frozen date: sigv4_oracle.py PATH/sigv4_tool [SEED [N]]. TAP."""

import datetime
import random
import string
import subprocess
import sys
import urllib.parse
from unittest import mock

try:
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:
    print("1..0 # SKIP no botocore; install Debian's python3-botocore")
    sys.exit(0)

tool = sys.argv[1]
seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20261123
total = int(sys.argv[3]) if len(sys.argv) > 3 else 400
rng = random.Random(seed)

LETTERS = string.ascii_letters + string.digits
REGIONS = ("us-east-1", "eu-central-2", "ap-southeast-3", "us-gov-west-1", "cn-north-1", "local")
OPERATIONS = ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "DescribeTable", "ListTables")
SPACES = (" ", "  ", "\t", " \t  ")


def word(low, high, alphabet=LETTERS):
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(low, high)))


def random_host():
    """(scheme, host to sign, host as written in the URL)"""
    scheme = rng.choice(("https", "http"))
    name = rng.choice((f"dynamodb.{rng.choice(REGIONS)}.amazonaws.com", "127.0.0.1", "[::1]", "[2001:db8::7]",
                       "localhost", f"{word(1, 20, string.ascii_lowercase)}.example"))
    port = rng.choice((None, 80, 443, 8000, rng.randint(1, 65535)))
    default = {"http": 80, "https": 443}[scheme]
    written = name.upper() if rng.random() < 0.1 and "[" not in name else name
    return (scheme, name if port in (None, default) else f"{name}:{port}",
            written if port is None else f"{written}:{port}")


def random_headers(service, as_client):
    if service == "sts":
        return [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
    headers = [("Content-Type", "application/x-amz-json-1.0"),
               ("X-Amz-Target", f"DynamoDB_20120810.{rng.choice(OPERATIONS)}")]
    for _ in range(0 if as_client else rng.choice((0, 0, 1, 2, 5))):
        # Names that sort differently with and without what follows them, and some twice.
        name = "X-Amz-" + rng.choice(("A", "A-B", "Ab", "A1", "a", "Meta-" + word(1, 5), "Target2", "Date-2"))
        words = [word(0, 8, LETTERS + "\"=/+;:,.-_%") for _ in range(rng.randint(0, 4))]
        value = rng.choice(("",) + SPACES) + rng.choice(SPACES).join(words) + rng.choice(("",) + SPACES)
        headers.append((name, value))
    rng.shuffle(headers)
    return headers


def random_body():
    size = rng.choice((0, 2, 40, 63, 64, 65, 1000, 40000))
    return rng.choice((b"{}", b"", rng.randbytes(size), bytes(size), "{\"S\":\"\u00e9\u20ac\"}".encode()))


def random_form():
    """As STS takes it: the action, and values of any characters."""
    fields = {"Action": rng.choice(("AssumeRole", "AssumeRoleWithWebIdentity")), "Version": "2011-06-15",
              "RoleArn": f"arn:aws:iam::{rng.randrange(10**12):012}:role/{word(1, 64, LETTERS + '+=,.@_-/')}",
              "RoleSessionName": word(2, 64, LETTERS + "_+=,.@-")}
    if rng.random() < 0.5:
        fields["ExternalId"] = word(2, 200, LETTERS + "+=,.@:/- \u00e9")
    return urllib.parse.urlencode(fields, quote_via=rng.choice((urllib.parse.quote, urllib.parse.quote_plus))).encode()


def random_request():
    scheme, host, written = random_host()
    service = rng.choice(("dynamodb", "dynamodb", "sts"))
    if service == "sts":
        host, written = (h.replace("dynamodb.", "sts.").replace("DYNAMODB.", "STS.") for h in (host, written))
    day = datetime.datetime(2026, 11, 23) + datetime.timedelta(days=rng.choice((0, 0, 1, 38, 463, -9800, 26000)))
    second = rng.choice((0, 86399, rng.randrange(86400)))
    # The tool signs these in two ways, which must agree.
    as_client = rng.random() < 0.5
    return {
        "now": day + datetime.timedelta(seconds=second, microseconds=rng.randrange(10**6)),
        "access_key": "AKIA" + word(16, 16, string.ascii_uppercase),
        "secret": rng.choice((word(40, 40, LETTERS + "/+"), word(1, 200, string.printable[:94]))),
        "token": rng.choice((None, word(300, 1200, LETTERS + "/+="))),
        "region": rng.choice(REGIONS[:3]), "service": service,
        "method": "POST" if as_client else rng.choice(("POST", "POST", "POST", "GET", "PUT")),
        "scheme": scheme, "host": host, "written": written, "path": "/",
        "query": "" if as_client else rng.choice(("", "", "Action=ListTables&Version=2012-08-10", "a=&b=%20x")),
        "body": random_form() if service == "sts" else random_body(), "headers": random_headers(service, as_client),
    }


def theirs(req):
    url = f"{req['scheme']}://{req['written']}{req['path']}" + ("?" + req["query"] if req["query"] else "")
    request = AWSRequest(method=req["method"], url=url, data=req["body"])
    for name, value in req["headers"]:
        request.headers.add_header(name, value)
    credentials = Credentials(req["access_key"], req["secret"], req["token"])

    class Frozen(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return req["now"]

    # botocore asks datetime itself, newer ones a function of their own.
    with mock.patch("datetime.datetime", Frozen), \
            mock.patch("botocore.auth.get_current_datetime", lambda *_, **__: req["now"], create=True):
        botocore.auth.SigV4Auth(credentials, req["service"], req["region"]).add_auth(request)
    return "\t".join((request.headers["Authorization"], request.headers["X-Amz-Date"],
                      request.headers.get("X-Amz-Security-Token") or ""))


def line_of(req):
    epoch = datetime.datetime(1970, 1, 1)
    fields = [str((req["now"] - epoch) // datetime.timedelta(microseconds=1)), req["access_key"], req["secret"],
              req["token"] or "", req["region"], req["service"], req["method"], req["host"], req["path"], req["query"],
              req["body"]]
    for header in req["headers"]:
        fields += header
    return "\t".join((f if isinstance(f, bytes) else f.encode()).hex() for f in fields) + "\n"


def main():
    print(f"# botocore {botocore.__version__}, seed {seed}")
    requests = [random_request() for _ in range(total)]
    done = subprocess.run([tool], input="".join(map(line_of, requests)), stdout=subprocess.PIPE, text=True, check=True)
    answers = done.stdout.split("\n")[:-1]
    failed = 0
    for i, req in enumerate(requests):
        want = theirs(req)
        good = i < len(answers) and answers[i] == want
        failed += not good
        print(f"{'' if good else 'not '}ok {i + 1} - {req['service']}, "
              f"{req['method']} {req['host']} {len(req['headers'])} headers, "
              f"{len(req['body'])} bytes{', token' if req['token'] else ''}")
        if not good:
            print(f"#   got: {answers[i] if i < len(answers) else None!r}\n#  want: {want!r}")
    print(f"1..{total}")
    return 1 if failed else 0


sys.exit(main())
