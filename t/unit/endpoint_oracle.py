#!/usr/bin/python3
"""Endpoints and credentials against botocore: endpoint_oracle.py PATH/endpoint_tool [SEED]. TAP.

PATH/creds_tool is asked as well. Where we mean to differ, the case says what ours is and why; such a case fails when
botocore says the same (a botocore of those that Debian has; another may have come round), so that the list stays
true."""

import configparser
import os
import random
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

try:
    import botocore
    import botocore.configprovider
    import botocore.exceptions
    import botocore.loaders
    import botocore.session
    from botocore.awsrequest import AWSResponse
except ImportError:
    print("1..0 # SKIP no botocore; install Debian's python3-botocore")
    sys.exit(0)

endpoint_tool = os.path.abspath(sys.argv[1])
creds_tool = os.path.join(os.path.dirname(endpoint_tool), "creds_tool")
seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20261123
rng = random.Random(seed)
loader = botocore.loaders.create_loader(None)  # one for all: it keeps what it has read
partitions = {p["id"] for p in loader.load_data("partitions")["partitions"]}
# botocore reads AWS_ENDPOINT_URL and the like from 1.31 on; for an older one we do it, as their documentation says.
reads_urls = hasattr(botocore.configprovider, "ConfiguredEndpointProvider")
debians = botocore.__version__.startswith(("1.29.", "1.37."))
rules = loader.load_service_model("dynamodb", "endpoint-rule-set-1")
has_accounts = "{AccountId}.ddb" in str(rules)
# The first rules with accounts, those of 1.37 say, know the credentials' alone, and neither a table's ARN nor hosts of
# accounts in dual stack, nor that an account can't be had where it is required.
has_all_accounts = has_accounts and "ResourceArn" in rules["parameters"]
count = failed = 0


def ok(good, name, *notes):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    if not good:
        for note in notes:
            print(f"#   {note}")


class Home:
    """A home directory with the two files, and os.environ with what a case sets and nothing else."""

    def __init__(self, env, config=None, credentials=None):
        self.env, self.files = env, {"config": config, "credentials": credentials}

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="ddb_oracle_")
        os.mkdir(os.path.join(self.path, ".aws"))
        for name, text in self.files.items():
            if text is not None:
                path = os.path.join(self.path, ".aws", name)
                with open(path, "w", encoding="utf-8", newline="") as out:
                    out.write(text)
                os.chmod(path, 0o600)  # ours refuses a secret that others can read, botocore doesn't look
        self.before = dict(os.environ)
        os.environ.clear()
        os.environ.update({"HOME": self.path, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8",
                           "AWS_EC2_METADATA_DISABLED": "true", **self.env})
        return self

    def __exit__(self, *_):
        os.environ.clear()
        os.environ.update(self.before)
        shutil.rmtree(self.path)


def ours(*command):
    """The lines a tool prints; of a failure the first."""
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split("\n")[:-1]
    return tuple(lines[:1] if lines[0] in ("error", "none") else lines)


def compare(name, mine, theirs, wanted, why):
    if wanted is None:
        ok(mine == theirs, name, f"ours:     {mine}", f"botocore: {theirs}")
    else:
        ok(mine == wanted and not (mine == theirs and debians), f"{name} - wanted difference: {why}", f"ours:     {mine}",
           f"wanted:   {wanted}", f"botocore: {theirs}")


# --- endpoints ---

def configured_url(session):
    """What a newer botocore finds by itself: the documented order."""
    scoped = session.get_scoped_config()
    ignore = os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", scoped.get("ignore_configured_endpoint_urls", ""))
    if reads_urls or ignore.lower() == "true":
        return None
    return (os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or os.environ.get("AWS_ENDPOINT_URL")
            or scoped.get("endpoint_url") or None)


def botocore_endpoint(url, region, table=None, account=None):
    """URL and signing region of a request that is made and not sent."""
    sent = []

    def catch(request, **_):
        sent.append(request)
        return AWSResponse(request.url, 200, {}, type("Raw", (), {"stream": lambda self: iter([b"{}"])})())

    session = botocore.session.Session()
    session.register_component("data_loader", loader)
    session.set_credentials("AKID", "secret", **({"account_id": account} if account else {}))
    try:
        client = session.create_client("dynamodb", region_name=region, endpoint_url=url or configured_url(session))
        client.meta.events.register("before-send.dynamodb", catch)
        client.get_item(TableName=table or "app_session", Key={"id": {"S": "x"}})
    except (botocore.exceptions.BotoCoreError, ValueError):
        return ("error",)
    if not sent:
        return ("error",)
    parts = urllib.parse.urlsplit(sent[0].url)
    default = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in (None, default) else f":{parts.port}"
    scope = sent[0].headers["Authorization"]
    scope = scope.decode() if isinstance(scope, bytes) else scope
    return f"{parts.scheme}://{host}{port}", scope.split("Credential=")[1].split("/")[2]


def check_endpoint(name, *, url=None, region=None, env=None, config=None, table=None, account=None, wanted=None,
                   why=None):
    with Home(env or {}, config):
        compare(name, ours(endpoint_tool, url or "-", region or "-", table or "-", *([account] if account else [])),
                botocore_endpoint(url, region, table, account), wanted, why)


REGIONS = {
    "us-east-1": "aws", "us-west-2": "aws", "eu-central-1": "aws", "eu-central-2": "aws", "ap-southeast-5": "aws",
    "sa-east-1": "aws", "ca-central-1": "aws", "me-south-1": "aws", "af-south-1": "aws", "il-central-1": "aws",
    "mx-central-1": "aws", "cn-north-1": "aws-cn", "cn-northwest-1": "aws-cn", "us-gov-west-1": "aws-us-gov",
    "us-iso-east-1": "aws-iso", "us-isob-east-1": "aws-iso-b", "eu-isoe-west-1": "aws-iso-e",
    "us-isof-south-1": "aws-iso-f", "eusc-de-east-1": "aws-eusc", "cn-future-7": "aws-cn", "zz-nowhere-9": "aws",
}
ENDPOINT_SETTINGS = {
    "nothing else": {},
    "AWS_ENDPOINT_URL": {"AWS_ENDPOINT_URL": "http://all.example:8000"},
    "AWS_ENDPOINT_URL_DYNAMODB": {"AWS_ENDPOINT_URL_DYNAMODB": "https://dynamodb.example"},
    "both": {"AWS_ENDPOINT_URL": "http://all.example", "AWS_ENDPOINT_URL_DYNAMODB": "http://dynamodb.example:80/"},
    "both, ignored": {"AWS_ENDPOINT_URL": "http://all.example", "AWS_ENDPOINT_URL_DYNAMODB": "http://dynamodb.example",
                      "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
}


def test_regions():
    for region, partition in REGIONS.items():
        for what, env in ENDPOINT_SETTINGS.items():
            if partition not in partitions:
                continue  # an older botocore takes it for a region of the first partition
            check_endpoint(f"{region}, {what}", env={"AWS_DEFAULT_REGION": region, **env})
        check_endpoint(f"{region} and URL by directive", region=region, url="https://[FD00::1]:443",
                       env={"AWS_DEFAULT_REGION": "eu-west-3", "AWS_ENDPOINT_URL_DYNAMODB": "http://other"})


def test_precedence():
    config = "[default]\nregion = eu-west-1\nendpoint_url = http://default:1\n" \
             "[profile p]\nregion = eu-west-2\nendpoint_url = http://p:1\nignore_configured_endpoint_urls = true\n"
    cases = {
        "profile": {},
        "AWS_DEFAULT_REGION before profile": {"AWS_DEFAULT_REGION": "eu-west-3"},
        "AWS_ENDPOINT_URL before profile": {"AWS_ENDPOINT_URL": "http://env:1"},
        "empty AWS_ENDPOINT_URL": {"AWS_ENDPOINT_URL": ""},
        "empty AWS_ENDPOINT_URL_DYNAMODB": {"AWS_ENDPOINT_URL_DYNAMODB": "", "AWS_ENDPOINT_URL": "http://env:1"},
        "another profile that ignores": {"AWS_PROFILE": "p", "AWS_ENDPOINT_URL": "http://env:1"},
        "the same, not ignored": {"AWS_PROFILE": "p", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"},
        "ignore says 1": {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "1"},
        "ignore says TRUE": {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "TRUE"},
        "a profile that is missing": {"AWS_PROFILE": "none"},
        "AWS_DEFAULT_PROFILE before AWS_PROFILE": {"AWS_PROFILE": "none", "AWS_DEFAULT_PROFILE": "p"},
    }
    for name, env in cases.items():
        check_endpoint(name, env=env, config=config)
    check_endpoint("no region at all")
    check_endpoint("a URL and no region", url="http://h:8000")
    check_endpoint("a file that can't be parsed", region="us-east-1", config="[default]\nx = 1\nx = 2\n")


def test_kinds_of_host():
    fips, dual = {"AWS_USE_FIPS_ENDPOINT": "true"}, {"AWS_USE_DUALSTACK_ENDPOINT": "true"}
    kinds = {"FIPS": fips, "dual stack": dual, "both": {**fips, **dual}}
    for region, partition in REGIONS.items():
        for kind, env in kinds.items():
            if partition not in partitions:
                continue
            # botocore's two tables differ about dual stack in these: partitions.json has it, endpoints.json has not.
            if kind != "FIPS" and partition.startswith("aws-iso"):
                continue
            check_endpoint(f"{region}, {kind}", region=region, env=env)
    for kind, env in kinds.items():
        check_endpoint(f"{kind} and a URL", region="us-east-1", url="http://h:8000", env=env, wanted=("error",),
                       why="who asks for FIPS must not get something else without a word")
        keys_of = {"AWS_USE_FIPS_ENDPOINT": "use_fips_endpoint", "AWS_USE_DUALSTACK_ENDPOINT": "use_dualstack_endpoint"}
        lines = "".join(f"{keys_of[name]} = true\n" for name in env)
        check_endpoint(f"{kind} by profile", region="eu-west-1", config="[default]\n" + lines)
        check_endpoint(f"{kind} by profile, switched off", region="eu-west-1", config="[default]\n" + lines,
                       env={name: "false" for name in env})


def test_accounts():
    arn = "arn:aws:dynamodb:{}:111122223333:table/app_session".format
    modes = {mode: {"AWS_ACCOUNT_ID_ENDPOINT_MODE": mode} for mode in ("preferred", "required", "disabled")}
    dual, fips = {"AWS_USE_DUALSTACK_ENDPOINT": "true"}, {"AWS_USE_FIPS_ENDPOINT": "true"}
    for mode, env in modes.items() if has_accounts else ():
        plain = mode != "required" or has_all_accounts
        for region in ("us-east-1", "eu-central-2", "zz-nowhere-9"):
            check_endpoint(f"{region}, {mode}, account of the credentials", region=region, env=env,
                           account="444455556666")
            check_endpoint(f"{region}, {mode}, neither", region=region, env=env)
            if plain:
                check_endpoint(f"{region}, {mode}, FIPS", region=region, env={**env, **fips}, account="444455556666")
            if mode == "disabled" or has_all_accounts:
                check_endpoint(f"{region}, {mode}, account of the table", region=region, env=env, table=arn(region))
                check_endpoint(f"{region}, {mode}, both", region=region, env=env, table=arn(region),
                               account="444455556666")
                check_endpoint(f"{region}, {mode}, dual stack", region=region, env={**env, **dual},
                               account="444455556666")
        check_endpoint(f"{mode}, by profile", region="us-east-1", account="444455556666",
                       config=f"[default]\naccount_id_endpoint_mode = {mode}\n")
        for region in ("cn-north-1", "us-gov-west-1") if plain else ():
            check_endpoint(f"{region}, {mode}", region=region, env=env, account="444455556666")
        check_endpoint(f"{mode}, a URL", region="us-east-1", env=env, url="http://h:8000", account="444455556666")
    if has_accounts:
        check_endpoint("no mode, an account", region="us-east-1", account="444455556666",
                       wanted=("https://dynamodb.us-east-1.amazonaws.com", "us-east-1"),
                       why="a host that varies with the credentials surprises firewalls and endpoint policies")
        check_endpoint("a table of another region", region="us-east-1", table=arn("eu-west-1"), wanted=("error",),
                       why="the table is not there")


def test_endpoint_differences():
    east = ("https://dynamodb.us-east-1.amazonaws.com", "us-east-1")
    check_endpoint("AWS_REGION alone", env={"AWS_REGION": "us-east-1"}, wanted=east,
                   why="the other AWS SDKs and the Lambda and ECS environments use AWS_REGION")
    check_endpoint("AWS_REGION and another", env={"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "eu-west-1"},
                   wanted=east, why="as the other SDKs, AWS_REGION goes before AWS_DEFAULT_REGION")
    check_endpoint("an empty AWS_DEFAULT_REGION", env={"AWS_DEFAULT_REGION": ""},
                   config="[default]\nregion = us-east-1\n", wanted=east, why="an empty variable is not set")
    for region in ("eu-central-1a", "EU-CENTRAL-1", "frankfurt", "us-east", "aws-global", "us-west-2-lax-1"):
        check_endpoint(f"region {region}", region=region, wanted=("error",), why="no region has such a name")
    for url in ("http://h/path", "http://h?q=1", "http://u:p@h:8000"):
        check_endpoint(f"URL {url}", region="us-east-1", url=url, wanted=("error",),
                       why="DynamoDB is at / and has no user: a mistake")
    with Home({}):
        mine, theirs = ours(endpoint_tool, "-", "local"), botocore_endpoint(None, "local")
    ok(mine == ("http://localhost:8000", "us-east-1"), "region local is DynamoDB Local, which speaks no TLS", mine)
    ok(mine[1] == theirs[1], "region local is signed as botocore does (an older one asks for https, though)", theirs)


# --- credentials ---

def botocore_credentials(profile):
    try:
        session = botocore.session.Session(profile=profile)
        session.register_component("data_loader", loader)
        found = session.get_credentials()
    except botocore.exceptions.BotoCoreError:
        return ("error",)
    return ("none",) if found is None else (found.access_key, found.secret_key, found.token or "")


def check_creds(name, *, profile=None, env=None, config=None, credentials=None, wanted=None, why=None):
    with Home(env or {}, config, credentials):
        compare(name, ours(creds_tool, profile or "-")[:3], botocore_credentials(profile), wanted, why)


def keys(name, *, token=None, colon=False, indent=""):
    lines = [("aws_access_key_id", f"AKID{name}"), ("aws_secret_access_key", f"sec/{name}+=")]
    lines += [(token, f"token{name}==")] if token else []
    return "".join(f"{indent}{k}{': ' if colon else ' = '}{v}\n" for k, v in lines)


def test_files():
    d, p = "[default]\n", "[profile p]\n"
    cases = {
        "no files": {},
        "empty files": {"config": "", "credentials": ""},
        "credentials file": {"credentials": d + keys("A")},
        "config file": {"config": d + keys("B")},
        "both files": {"config": d + keys("B", token="aws_session_token"), "credentials": d + keys("A")},
        "both tokens": {"credentials": d + keys("A", token="aws_session_token") + "aws_security_token = s\n"},
        "aws_security_token": {"credentials": d + keys("A", token="aws_security_token")},
        "colons and indentation": {"credentials": d + keys("A", colon=True, indent="   ")},
        "keys in upper case": {"credentials": d + keys("A").replace("aws_", "AWS_")},
        "CR LF": {"credentials": (d + keys("A", token="aws_session_token")).replace("\n", "\r\n")},
        "CR": {"credentials": (d + keys("A")).replace("\n", "\r")},
        "no line end": {"credentials": (d + keys("A")).rstrip("\n")},
        "comments": {"credentials": "# c\n; c\n" + d + "# c\n" + keys("A") + "  # c\n"},
        "no inline comments": {"credentials": d + "aws_access_key_id = A#c\naws_secret_access_key = B;c\n"},
        "separators in a value": {"credentials": d + "aws_access_key_id = A:b=c\naws_secret_access_key: D=e:f\n"},
        "text behind the bracket": {"credentials": "[default] text\n" + keys("A")},
        "indented section": {"credentials": "  [default]\n  " + keys("A", indent="  ")},
        "a nested map before": {"config": d + "s3 =\n  x = y\n  aws_access_key_id = N\n" + keys("B")},
        "a nested map between": {"config": d + keys("B") + "s3 =\n  x = y\n\n  z = y\nregion = r\n"},
        "[DEFAULT]": {"credentials": "[DEFAULT]\n" + keys("A") + d + "aws_access_key_id = Z\n"},
        "[DEFAULT] alone": {"credentials": "[DEFAULT]\n" + keys("A")},
        "[profile default]": {"config": "[profile default]\n" + keys("B")},
        "[default] and [profile default]": {"config": d + keys("A") + "[profile default]\n" + keys("B")},
        "[profile default] and [default]": {"config": "[profile default]\n" + keys("A") + d + keys("B")},
        "[profile default] in the credentials file": {"credentials": "[profile default]\n" + keys("A")},
        "a named profile": {"profile": "p", "config": p + keys("B"), "credentials": d + keys("A")},
        "a named profile before the environment": {
            "profile": "p", "config": p + keys("B"),
            "env": {"AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "e"}},
        "AWS_PROFILE": {"env": {"AWS_PROFILE": "p"}, "config": p + keys("B"), "credentials": d + keys("A")},
        "AWS_DEFAULT_PROFILE": {"env": {"AWS_PROFILE": "p", "AWS_DEFAULT_PROFILE": "q"}, "config": p + keys("B"),
                                "credentials": "[q]\n" + keys("A")},
        "a profile in quotes": {"profile": "a b", "config": '[profile "a b"]\n' + keys("B")},
        "a profile in single quotes": {"profile": 'a"b', "config": "[profile 'a\"b']\n" + keys("B")},
        "a bare profile in the config file": {"profile": "p", "config": "[p]\n" + keys("B")},
        "a missing profile": {"profile": "none", "credentials": d + keys("A")},
        "AWS_PROFILE missing": {"env": {"AWS_PROFILE": "none"}, "credentials": d + keys("A")},
        "a key ID alone": {"credentials": d + "aws_access_key_id = A\n"},
        "half a pair in each file": {"credentials": d + "aws_access_key_id = A\n",
                                     "config": d + "aws_secret_access_key = s\n"},
        "a secret alone beside a pair": {"credentials": d + "aws_secret_access_key = s\n", "config": d + keys("B")},
        "a duplicate key": {"credentials": d + keys("A") + "AWS_ACCESS_KEY_ID = B\n"},
        "a duplicate section": {"credentials": d + keys("A") + d},
        "a key before a section": {"credentials": keys("A")},
        "a word alone": {"credentials": d + keys("A") + "word\n"},
        "an error in the other file": {"credentials": d + keys("A"), "config": "[default\n"},
        "environment": {"env": {"AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "e"}, "credentials": d + keys("A")},
        "environment, both tokens": {"env": {"AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "e",
                                             "AWS_SESSION_TOKEN": "t", "AWS_SECURITY_TOKEN": "s"}},
        "environment, empty token": {"env": {"AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "e",
                                             "AWS_SESSION_TOKEN": "t", "AWS_SECURITY_TOKEN": ""}},
        "environment, no secret": {"env": {"AWS_ACCESS_KEY_ID": "E"}, "credentials": d + keys("A")},
        "environment, empty key ID": {"env": {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "e"},
                                      "credentials": d + keys("A")},
    }
    for name, case in cases.items():
        check_creds(name, **case)


def test_creds_differences():
    d, a = "[default]\n", ("AKIDA", "sec/A+=", "")
    error, empty = ("error",), "aws_access_key_id =\naws_secret_access_key =\n"
    check_creds("a secret alone", credentials=d + "aws_secret_access_key = s\n", wanted=error,
                why="half a pair is a mistake, whichever half")
    check_creds("empty keys", credentials=d + empty, wanted=("none",), why="empty is as if it were not there")
    check_creds("empty keys and a pair", credentials=d + empty, config=d + keys("A"), wanted=a,
                why="empty is as if it were not there")
    check_creds("an empty token and another", wanted=a[:2] + ("t",), why="empty is as if it were not there",
                credentials=d + keys("A") + "aws_security_token =\naws_session_token = t\n")
    check_creds("an empty AWS_PROFILE", env={"AWS_PROFILE": ""}, credentials=d + keys("A"), wanted=a,
                why="an empty variable is not set")
    check_creds("a token of two lines", credentials=d + keys("A") + "aws_session_token = a\n  b\n", wanted=error,
                why="it can't be sent in a header")
    check_creds("a secret with a line break", wanted=error, why="it came with a file, and no secret has one",
                env={"AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "e\n"})
    check_creds("[profiles p]", profile="p", config="[profiles p]\n" + keys("A"), wanted=error,
                why="botocore takes any word that begins with profile")
    check_creds("a nested map with other lines", config=d + "s3 =\n  word\n" + keys("A"), wanted=a,
                why="nested maps are not read")
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        check_creds(f"{variable} of a missing file", env={variable: "/nowhere/file"}, wanted=error,
                    config=d + keys("A"), credentials=d + keys("A"), why="who names a file wants it read")


LINES = (  # at most one of each group, or it is a duplicate
    ("aws_access_key_id = A1", "aws_access_key_id=A2", "AWS_Access_Key_Id: A3"),
    ("aws_secret_access_key = s1", "aws_secret_access_key : s2"), ("aws_session_token = t1",),
    ("aws_security_token = t2",), ("region = r", "region:r"), ("other =", "other = x"), ("# comment", "  ; comment"),
    ("", "   "), ("",),
)
SECTIONS = ("[default]", "[profile default]", "[profile p]", "[p]", "[DEFAULT]", "[other]", '[profile "p"]',
            " [default]")


def random_file():
    """Lines that make sense more often than not."""
    lines = []
    for section in rng.sample(SECTIONS[:-1], rng.randint(1, 5)):
        lines.append(section)
        both = rng.random() < 0.7
        groups = [g for i, g in enumerate(LINES) if (both if i < 2 else rng.random() < 0.3)]
        lines += [rng.choice(group) for group in rng.sample(groups, len(groups))]
    if rng.random() < 0.15:
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(("word", "[open", "= x", "[]", "other = y") + SECTIONS))
    if rng.random() < 0.3:
        i = rng.randrange(len(lines))
        lines[i] = rng.choice(("  ", "\t", "    ")) + lines[i]
    return rng.choice(("\n", "\n", "\r\n")).join(lines) + "\n"


def odd_nested_map(text):
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error:
        return False
    values = [v for section in parser.sections() for _, v in parser.items(section)]
    return any("=" not in line for v in values if v.startswith("\n") for line in v.split("\n") if line)


def is_wanted(mine, theirs, files, profile):
    """A difference of the kinds that test_creds_differences lists; called while the files are there."""
    if theirs == ("error",):
        return mine != theirs and any(map(odd_nested_map, files))
    if mine == ("error",) and theirs == ("none",):
        scoped = botocore.session.Session(profile=profile).get_scoped_config()
        return "aws_secret_access_key" in scoped and "aws_access_key_id" not in scoped
    return mine == ("error",) and any("\n" in part for part in theirs)


def test_random_files(number):
    wrong, found = [], {"error": 0, "none": 0, "keys": 0, "wanted": 0}
    for i in range(number):
        files, profile = (random_file(), random_file()), rng.choice((None, None, "p"))
        with Home({}, *files):
            mine, theirs = ours(creds_tool, profile or "-")[:3], botocore_credentials(profile)
            wanted = mine != theirs and is_wanted(mine, theirs, files, profile)
        if wanted or mine == theirs:
            found["wanted" if wanted else mine[0] if len(mine) == 1 else "keys"] += 1
        else:
            wrong.append(f"{i}: profile {profile}, config {files[0]!r}, credentials {files[1]!r}: {mine}, {theirs}")
    ok(not wrong, f"{number} random pairs of files, seed {seed}: {found}", *wrong)
    ok(min(found["keys"], found["error"]) > number / 10 > found["wanted"],
       "keys and errors among them, and few wanted differences", found)


print(f"# botocore {botocore.__version__}, {'reads' if reads_urls else 'does not read'} AWS_ENDPOINT_URL by itself; "
      f"partitions {', '.join(sorted(partitions))}")
test_regions()
test_precedence()
test_kinds_of_host()
test_accounts()
test_endpoint_differences()
test_files()
test_creds_differences()
test_random_files(200)
print(f"1..{count}")
sys.exit(1 if failed else 0)
