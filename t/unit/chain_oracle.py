#!/usr/bin/python3
"""The credential provider chain against botocore's: chain_oracle.py PATH/creds_tool [SEED]. TAP.

creds_tool and botocore get the same variables and files and ask the same scripted services of the loopback. Their
provider, access key ID, secret, token, time of expiry and account have to be the same, or both have to find none, or to
fail. Where we mean to differ, the case says what ours is and why; it fails when botocore says the same (a botocore of
those that Debian has; another may have come round). Our error has to name the source that it is about.

AWS_ENDPOINT_URL_STS and the like, which ours reads, are unknown to a botocore before 1.31: its clients of sts and sso
get the endpoint when they are made. The address of the ECS agent is replaced on both sides. Whoever is about to connect
to anything but the loopback is stopped, and the case fails."""

import hashlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

time.sleep = lambda _: None  # botocore waits between attempts, and binds the function when it is loaded
try:
    import botocore
    import botocore.credentials
    import botocore.loaders
    import botocore.session
    import botocore.tokens
    import botocore.utils
except ImportError:
    print("1..0 # SKIP no botocore; install Debian's python3-botocore")
    sys.exit(0)

sys.dont_write_bytecode = True  # the tree may be one that others read
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chain_servers  # noqa: E402
from chain_servers import NOW, SSO_TOKEN, STATE, TOKEN, secret_of, token_of  # noqa: E402

creds_tool = os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), "creds_tool")
seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20261123
rng = random.Random(seed)
loader = botocore.loaders.create_loader(None)  # one for all: it keeps what it has read
METADATA = chain_servers.start(chain_servers.Metadata)
ELSEWHERE = chain_servers.start(chain_servers.Metadata, "127.0.0.2")
SERVICES = chain_servers.start(chain_servers.Services)
knows_accounts = hasattr(botocore.credentials.Credentials("a", "b"), "account_id")
debians = botocore.__version__.startswith(("1.29.", "1.37."))
knows_token_file = hasattr(botocore.credentials.ContainerProvider, "ENV_VAR_AUTH_TOKEN_FILE")
count = failed = compared = differences = 0
outside = []


def ok(good, name, *notes):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    if not good:
        for note in notes:
            print(f"#   {note}")


# --- botocore: its endpoints, and nobody outside ---

def only_loopback(connect):
    def guarded(self, address):
        if self.family != socket.AF_UNIX and not (address[0].startswith("127.") or address[0] == "::1"):
            outside.append(address)
            raise OSError(f"{address} is outside")
        return connect(self, address)
    return guarded


def only_known(getaddrinfo):
    def guarded(host, *rest, **more):
        if not host.startswith("127.") and host not in ("::1", "localhost"):
            outside.append(host)
            raise OSError(f"{host} is outside")
        return getaddrinfo(host, *rest, **more)
    return guarded


def with_endpoint(create_client):
    def create(self, service_name, *rest, **more):
        return create_client(self, service_name, *rest, **dict(more, endpoint_url=SERVICES))
    return create


def prompt_not(*_, **__):
    raise EOFError("nobody to ask for a code")


def without_prompt(init):
    def create(self, *rest, **more):
        init(self, *rest, **dict(more, mfa_prompter=prompt_not))
    return create


socket.socket.connect = only_loopback(socket.socket.connect)
socket.socket.connect_ex = only_loopback(socket.socket.connect_ex)
socket.getaddrinfo = only_known(socket.getaddrinfo)
botocore.session.Session.create_client = with_endpoint(botocore.session.Session.create_client)
botocore.utils.ContainerMetadataFetcher.full_url = lambda self, path: METADATA + path
fetcher = botocore.credentials.AssumeRoleCredentialFetcher
fetcher.__init__ = without_prompt(fetcher.__init__)

PROVIDERS = {
    "env": "environment", "assume-role": "assume-role", "assume-role-with-web-identity": "web identity", "sso": "SSO",
    "shared-credentials-file": "credentials file", "custom-process": "credential_process",
    "config-file": "config file", "container-role": "container", "iam-role": "instance metadata",
}


def botocore_credentials(profile):
    cache = os.path.expanduser("~/.aws/sso/cache")
    for holder in (botocore.credentials.SSOProvider, botocore.tokens.SSOTokenProvider):
        holder._SSO_TOKEN_CACHE_DIR = cache
    session = botocore.session.Session(profile=profile)
    session.register_component("data_loader", loader)
    try:
        found = session.get_credentials()
        if found is None:
            return ("none",)
        keys = found.get_frozen_credentials()
        if isinstance(found, botocore.credentials.RefreshableCredentials) and found.refresh_needed(0):
            return ("error", "expired")  # as its next use would say
    except Exception as e:
        # Of its own classes, and KeyError, ValueError, EOFError of unexpected texts.
        return ("error", f"{type(e).__name__}: {e}")
    until = getattr(found, "_expiry_time", None)
    return (keys.access_key, keys.secret_key, keys.token or "", PROVIDERS[found.method],
            str(int(until.timestamp())) if until else "", getattr(keys, "account_id", None) or "")


# --- a case ---

class Case:
    """Variables, sections of the two files, other files, and how the services are set. {home} is the directory."""

    def __init__(self, **parts):
        self.env, self.config, self.credentials, self.files, self.set, self.faults = {}, {}, {}, {}, {}, []
        self.profile = None
        self.add(**parts)

    def add(self, env=None, config=None, credentials=None, files=None, set=None, faults=None, profile=None):
        self.env.update(env or {})
        for mine, more in ((self.config, config), (self.credentials, credentials)):
            for section, values in (more or {}).items():
                mine.setdefault(section, {}).update(values)
        self.files.update(files or {})
        self.set.update(set or {})
        self.faults += faults or []
        self.profile = profile or self.profile
        return self


def ini(sections):
    return "".join(f"[{name}]\n" + "".join(f"{k} = {v}\n" for k, v in values.items() if v is not None)
                   for name, values in sections.items())


def write(home, name, text):
    path = os.path.join(home, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as out:
        out.write(text.replace("{home}", home))
    os.chmod(path, 0o600)


def begin(case, home):
    environment = {
        "HOME": home, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_EC2_METADATA_SERVICE_ENDPOINT": METADATA, "ORACLE_ECS": METADATA,
        "AWS_ENDPOINT_URL_STS": SERVICES, "AWS_ENDPOINT_URL_SSO": SERVICES, "BOTO_CONFIG": "/nowhere", **case.env}
    os.environ.clear()
    os.environ.update({k: v.replace("{home}", home) for k, v in environment.items() if v is not None})
    if case.config:
        write(home, ".aws/config", ini(case.config))
    if case.credentials:
        write(home, ".aws/credentials", ini(case.credentials))
    for name, text in case.files.items():
        write(home, name, text)


def reset_services(case):
    STATE.reset()
    STATE.settings.update({"id": "ASIAMACHINE", "secret": secret_of("ASIAMACHINE"), "token": token_of("ASIAMACHINE"),
                           **case.set})
    for on, do in case.faults:
        STATE.faults.append({"on": on, "do": do, "count": 0})


def resolve(case):
    """Ours, theirs."""
    before, home = dict(os.environ), tempfile.mkdtemp(prefix="ddb_chain_")
    try:
        begin(case, home)
        reset_services(case)
        run = subprocess.run([creds_tool, case.profile or "-"], stdout=subprocess.PIPE, text=True, check=True)
        reset_services(case)
        return tuple(run.stdout.split("\n")[:-1]), botocore_credentials(case.profile)
    finally:
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(home)


def kind(answer):
    """none, error, or the provider."""
    return answer[0] if len(answer) < 6 else answer[3]


def is_same(mine, theirs):
    if len(mine) < 6 or len(theirs) < 6:
        return kind(mine) == kind(theirs)
    if not knows_accounts:
        mine, theirs = mine[:5], theirs[:5]
    # Both let keys of the instance metadata that end soon end at a random time, from 17 to 25 minutes from now.
    if mine[3] == "instance metadata" and mine[4] != theirs[4] and STATE.settings["expires_in"] < 1500:
        if all(1010 <= int(x[4]) - time.time() <= 1510 for x in (mine, theirs)):
            mine, theirs = mine[:4] + mine[5:], theirs[:4] + theirs[5:]
    return mine == theirs


def check(name, case, wanted=None, why=None, says=None, expect=None, account=None):
    """wanted: the kind of ours where we differ, for the reason why. says: words that our error may have. expect: the
    kind on which both have to agree. account: as ours says, for a botocore that knows none."""
    global compared, differences
    mine, theirs = resolve(case)
    compared += 1
    differences += wanted is not None
    same = is_same(mine, theirs)
    good = (kind(mine) == wanted and not (same and debians)) if wanted else same and (expect is None or kind(mine) == expect)
    if kind(mine) == "error" and says:
        good = good and any(word in mine[1] for word in says)
    if account is not None and len(mine) == 6:
        good = good and mine[5] == account
    ok(good and not outside and mine[0] != "outside", name + (f" - wanted difference: {why}" if why else ""),
       f"ours:     {mine}", f"botocore: {theirs}", f"wanted:   {wanted or expect or 'the same'}, {says}, {account}",
       f"outside:  {outside}")
    outside.clear()
    return kind(mine)


# --- sources: each provider as it should be set up ---

def role(name, account="210987654321"):
    return f"arn:aws:iam::{account}:role/{name}"


def keys(name, token=False):
    pair = {"aws_access_key_id": name, "aws_secret_access_key": secret_of(name)}
    return {**pair, "aws_session_token": token_of(name)} if token else pair


def variables(name):
    return {k.upper(): v for k, v in keys(name, True).items()}


def printed(**members):
    found = {"Version": 1, "AccessKeyId": "ASIAPROGRAM", "SecretAccessKey": secret_of("ASIAPROGRAM"),
             "SessionToken": token_of("ASIAPROGRAM"), **members}
    return {"printed": json.dumps({k: v for k, v in found.items() if v is not None})}


def cached(key, **members):
    found = {"accessToken": SSO_TOKEN, "expiresAt": iso(NOW + 7200), **members}
    return {f".aws/sso/cache/{hashlib.sha1(key.encode()).hexdigest()}.json":
            json.dumps({k: v for k, v in found.items() if v is not None})}


def iso(seconds):
    return chain_servers.metadata_server.iso(seconds)


PORTAL = "https://d-1.awsapps.example/start"
SSO = {"sso_session": "s", "sso_account_id": "111122223333", "sso_role_name": "r"}
SSO_SECTION = {"sso_start_url": PORTAL, "sso_region": "us-east-1"}
SOURCES = {  # in the chain's order
    "environment": dict(env={**variables("ASIAENV"), "AWS_ACCOUNT_ID": "000011112222"}),
    "assume-role": dict(config={"default": {"role_arn": role("a"), "source_profile": "base"}},
                        credentials={"base": keys("AKIABASE")}),
    "web identity": dict(env={"AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/token", "AWS_ROLE_ARN": role("w")},
                         files={"token": TOKEN}),
    "SSO": dict(config={"default": SSO, "sso-session s": SSO_SECTION}, files=cached("s")),
    "credentials file": dict(credentials={"default": keys("AKIASHARED")}),
    "credential_process": dict(config={"default": {"credential_process": "cat {home}/printed"}},
                               files=printed(Expiration=iso(NOW + 7200), AccountId="555566667777")),
    "config file": dict(config={"default": keys("AKIACONFIG", True)}),
    "container": dict(env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": METADATA + "/v1/credentials"}),
    "instance metadata": dict(env={"AWS_EC2_METADATA_DISABLED": None}),
}
ACCOUNTS = {"environment": "000011112222", "assume-role": "210987654321", "web identity": "210987654321",
            "SSO": "111122223333", "credential_process": "555566667777", "container": "123456789012"}
NAMES = list(SOURCES)
SAYS = {
    "environment": ("AWS_SECRET_ACCESS_KEY",), "assume-role": ('profile "', "source_profile", "assume-role"),
    "web identity": ("web identity",), "SSO": ("SSO", "sso-session"), "credentials file": ("profile has",),
    "credential_process": ("credential_process",), "config file": ("profile has",),
    "container": ("container", "AWS_CONTAINER"), "instance metadata": ("instance metadata",),
}


def test_alone():
    for name, source in SOURCES.items():
        check(f"{name} alone", Case(**source), expect=name, account=ACCOUNTS.get(name, ""))
        check(f"{name}, no instance metadata", Case(**source).add(env={"AWS_EC2_METADATA_DISABLED": "TRUE"}),
              expect="none" if name == "instance metadata" else name)
        check(f"{name}, AWS_PROFILE of another profile",
              Case(**source).add(env={"AWS_PROFILE": "other"}, config={"profile other": {"region": "us-east-1"}}),
              expect=name if "env" in source else "none")
        other = Case(**source).add(profile="other", config={"profile other": {"region": "us-east-1"}})
        check(f"{name}, a profile by directive", other,
              expect=name if name in ("container", "instance metadata") else "none")
    check("none of them", Case(), expect="none")


def test_pairs():
    for i, first in enumerate(NAMES):
        for second in NAMES[i + 1:]:
            check(f"{first} before {second}", Case(**SOURCES[first]).add(**SOURCES[second]), expect=first)
    check("all of them", everything(), expect="environment")
    check("all of them but the environment", everything().add(profile="default"), expect="assume-role")


def everything():
    case = Case()
    for source in SOURCES.values():
        case.add(**source)
    return case


# --- sources that are half set up, or fail ---

FAILS = "a source that is set up and fails is an error, so that nobody works with other keys than were meant"
EMPTY = "an empty value is as if it were not there"
NO_V1 = "version 1 without tokens is off by default"
CHECKED = "checked before STS is asked"
URI, RELATIVE = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
AUTH, AUTH_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"


def default(**values):
    return {"config": {"default": values}}


def document(**members):
    found = {"Code": "Success", "AccessKeyId": "ASIADOC", "SecretAccessKey": secret_of("ASIADOC"),
             "Token": token_of("ASIADOC"), "Expiration": iso(NOW + 7200), **members}
    return [200, json.dumps({k: v for k, v in found.items() if v is not None})]


BROKEN = [  # provider, what is wrong, what replaces or adds to the source, [ours, why] where we differ
    ("environment", "no secret", dict(env={"AWS_SECRET_ACCESS_KEY": None})),
    ("environment", "an empty secret", dict(env={"AWS_SECRET_ACCESS_KEY": ""})),
    ("environment", "no key ID", dict(env={"AWS_ACCESS_KEY_ID": None})),
    ("environment", "an empty key ID", dict(env={"AWS_ACCESS_KEY_ID": ""})),
    ("environment", "expired", dict(env={"AWS_CREDENTIAL_EXPIRATION": iso(NOW - 60)}), "own",
     "a server's variables stay as they are: the service says when the keys have ended"),
    ("assume-role", "a source that is missing", default(source_profile="nobody")),
    ("assume-role", "no source", default(source_profile=None)),
    ("assume-role", "two sources", default(credential_source="Environment")),
    ("assume-role", "an unknown credential_source", default(source_profile=None, credential_source="Somewhere")),
    ("assume-role", "credential_source in lower case", default(source_profile=None, credential_source="environment")),
    ("assume-role", "credential_source Environment, none", default(source_profile=None,
                                                                   credential_source="Environment")),
    ("assume-role", "credential_source EcsContainer, none", default(source_profile=None,
                                                                    credential_source="EcsContainer")),
    ("assume-role", "a source without credentials", dict(config={"default": {"source_profile": "bare"},
                                                                 "profile bare": {"region": "us-east-1"}})),
    ("assume-role", "half a pair as source", dict(credentials={"base": {"aws_secret_access_key": None}})),
    ("assume-role", "itself as source", default(source_profile="default")),
    ("assume-role", "a loop", dict(config={"default": {"source_profile": "l"},
                                           "profile l": {"role_arn": role("l"), "source_profile": "default"}})),
    ("assume-role", "the source's keys are wrong", dict(credentials={"base": {"aws_secret_access_key": "wrong"}})),
    ("assume-role", "denied", default(role_arn=role("denied"))),
    ("assume-role", "throttled", default(role_arn=role("throttled"))),
    ("assume-role", "HTML", default(role_arn=role("html"))),
    ("assume-role", "a reply without a secret", default(role_arn=role("halved"))),
    ("assume-role", "a reply that has expired", default(role_arn=role("expired"))),
    ("assume-role", "mfa_serial", default(mfa_serial="arn:aws:iam::1:mfa/u")),
    ("assume-role", "an empty role_arn", default(role_arn=""), "passed", EMPTY),
    ("assume-role", "duration no number", default(duration_seconds="long"), "error",
     "botocore goes on with a default that nobody asked for"),
    ("assume-role", "duration too short", default(duration_seconds="60")),
    ("assume-role", "a session name with a blank", default(role_session_name="a b"), "error", CHECKED),
    ("web identity", "no role", dict(env={"AWS_ROLE_ARN": None})),
    ("web identity", "no token file", dict(env={"AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/nothing"})),
    ("web identity", "an empty token file", dict(files={"token": ""})),
    ("web identity", "another token", dict(files={"token": "another-token"})),
    ("web identity", "two lines", dict(files={"token": TOKEN + "\nand more\n"})),
    ("web identity", "a line end", dict(files={"token": TOKEN + "\n"}), "own",
     "editors and echo end a file with one, which is no part of a token"),
    ("web identity", "denied", dict(env={"AWS_ROLE_ARN": role("denied")})),
    ("web identity", "a reply that has expired", dict(env={"AWS_ROLE_ARN": role("expired")})),
    ("web identity", "a role alone", dict(env={"AWS_WEB_IDENTITY_TOKEN_FILE": None})),
    ("web identity", "an empty variable", dict(env={"AWS_WEB_IDENTITY_TOKEN_FILE": ""})),
    ("web identity", "a session name of one letter", dict(env={"AWS_ROLE_SESSION_NAME": "x"})),
    ("web identity", "a session name with a blank", dict(env={"AWS_ROLE_SESSION_NAME": "a b"}), "error", CHECKED),
    ("SSO", "no token", dict(files=cached("s", accessToken=None))),
    ("SSO", "no expiresAt", dict(files=cached("s", expiresAt=None))),
    ("SSO", "nobody has logged in", dict(config={"default": {"sso_session": "t"}, "sso-session t": SSO_SECTION})),
    ("SSO", "an expired token", dict(files=cached("s", expiresAt=iso(NOW - 60)))),
    ("SSO", "a token that the portal refuses", dict(files=cached("s", accessToken="another"))),
    ("SSO", "garbage as token", dict(files={k: "{" for k in cached("s")})),
    ("SSO", "no section", default(sso_session="t")),
    ("SSO", "no account", default(sso_account_id=None)),
    ("SSO", "no role", default(sso_role_name=None)),
    ("SSO", "neither", default(sso_account_id=None, sso_role_name=None)),
    ("SSO", "no region", dict(config={"sso-session s": {"sso_region": None}})),
    ("SSO", "no start URL", dict(config={"sso-session s": {"sso_start_url": None}})),
    ("SSO", "two regions", default(sso_region="eu-west-1")),
    ("SSO", "denied", default(sso_role_name="denied")),
    ("SSO", "HTML", default(sso_role_name="html")),
    ("SSO", "a reply that has expired", default(sso_role_name="expired")),
    ("credentials file", "no secret", dict(credentials={"default": {"aws_secret_access_key": None}})),
    ("credentials file", "no key ID", dict(credentials={"default": {"aws_access_key_id": None}}), "error",
     "half a pair is a mistake, whichever half"),
    ("credential_process", "exit 1", default(credential_process="false")),
    ("credential_process", "no such program", default(credential_process="/nowhere/program")),
    ("credential_process", "no shell", default(credential_process="cat {home}/printed; true")),
    ("credential_process", "an open quote", default(credential_process="cat '{home}/printed")),
    ("credential_process", "garbage", dict(files={"printed": "keys"})),
    ("credential_process", "nothing", dict(files={"printed": ""})),
    ("credential_process", "half", dict(files={"printed": printed()["printed"][:-5]})),
    ("credential_process", "an array", dict(files={"printed": "[]"})),
    ("credential_process", "version 2", dict(files=printed(Version=2))),
    ("credential_process", "version \"1\"", dict(files=printed(Version="1"))),
    ("credential_process", "no version", dict(files=printed(Version=None))),
    ("credential_process", "no key ID", dict(files=printed(AccessKeyId=None))),
    ("credential_process", "no secret", dict(files=printed(SecretAccessKey=None))),
    ("credential_process", "expired", dict(files=printed(Expiration=iso(NOW - 60)))),
    ("credential_process", "no time", dict(files=printed(Expiration="soon"))),
    ("credential_process", "an empty secret", dict(files=printed(SecretAccessKey="")), "error", "it can't be one"),
    ("config file", "no secret", default(aws_secret_access_key=None)),
    ("config file", "no key ID", default(aws_access_key_id=None), "error", "half a pair is a mistake, whichever half"),
    ("container", "a host of others", dict(env={URI: "http://192.0.2.1/v1/credentials"})),
    ("container", "a host that looks local", dict(env={URI: "http://127.0.0.1.example/v1/credentials"})),
    ("container", "the local host as user", dict(env={URI: "http://127.0.0.1@192.0.2.1/v1/credentials"})),
    ("container", "no URL", dict(env={URI: "credentials"})),
    ("container", "nobody there", dict(env={URI: "http://127.0.0.1:9/v1/credentials"})),
    ("container", "another path", dict(env={URI: METADATA + "/other"})),
    ("container", "HTTP 500", dict(faults=[("container", 500)])),
    ("container", "an answer cut off", dict(faults=[("container", "half")])),
    ("container", "HTML", dict(faults=[("container", "garbage")])),
    ("container", "nothing", dict(faults=[("container", "empty")])),
    ("container", "dropped", dict(faults=[("container", "drop")])),
    ("container", "no key ID", dict(faults=[("container", document(AccessKeyId=None))])),
    ("container", "no secret", dict(faults=[("container", document(SecretAccessKey=None))])),
    ("container", "no token", dict(faults=[("container", document(Token=None))])),
    ("container", "no time", dict(faults=[("container", document(Expiration=None))])),
    ("container", "expired", dict(set={"expires_in": -60})),
    ("container", "an authorization refused", dict(env={AUTH: "mine"}, set={"authorization": "another"})),
    ("container", "no authorization", dict(set={"authorization": "another"})),
    ("container", "an authorization of two lines", dict(env={AUTH: "a\nb"}, set={"authorization": "another"})),
    ("container", "no file with the authorization", dict(env={AUTH_FILE: "{home}/nothing"},
                                                         set={"authorization": "another"})),
    ("container", "an empty variable", dict(env={URI: ""}), "passed", EMPTY),
    ("instance metadata", "no role", dict(set={"role": None})),
    ("instance metadata", "no token, HTTP 400", dict(faults=[("token", 400)]), "error", FAILS),
    ("instance metadata", "no token, HTTP 500", dict(faults=[("token", 500)]), "error", FAILS),
    ("instance metadata", "no list of roles, HTTP 404", dict(faults=[("roles", 404)])),
    ("instance metadata", "no list of roles, HTTP 500", dict(faults=[("roles", 500)]), "error", FAILS),
    ("instance metadata", "an empty list", dict(faults=[("roles", "empty")])),
    ("instance metadata", "no document, HTTP 404", dict(faults=[("document", 404)])),
    ("instance metadata", "a document of HTML", dict(faults=[("document", "garbage")]), "error", FAILS),
    ("instance metadata", "an empty document", dict(faults=[("document", "empty")]), "error", FAILS),
    ("instance metadata", "a role not usable", dict(faults=[("document", "refusal")]), "error", FAILS),
    ("instance metadata", "no secret", dict(faults=[("document", document(SecretAccessKey=None))]), "error", FAILS),
    ("instance metadata", "no time", dict(faults=[("document", document(Expiration=None))]), "error", FAILS),
    ("instance metadata", "only version 1", dict(set={"version": 1}), "error", NO_V1),
    ("instance metadata", "tokens refused", dict(faults=[("token", 403)]), "error", FAILS),
    ("instance metadata", "nobody there", dict(env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"})),
    ("instance metadata", "expired", dict(set={"expires_in": -60})),
    ("instance metadata", "ends soon", dict(set={"expires_in": 300})),
    ("instance metadata", "ends in 16 minutes", dict(set={"expires_in": 960})),
]


def test_broken():
    for provider, what, change, *difference in BROKEN:
        ours, why = difference or (None, None)
        wanted = {"own": provider, "passed": "none"}.get(ours, ours)
        check(f"{provider}: {what}", Case(**SOURCES[provider]).add(**change), wanted, why, SAYS[provider])
        # Is the next one behind it asked, or the last? Web identity would take its role from assume-role's profile.
        later = [name for name in NAMES[NAMES.index(provider) + 1:] if name != "web identity"]
        for behind in dict.fromkeys(later[:1] + later[-1:]):
            case = Case(**SOURCES[behind]).add(**SOURCES[provider]).add(**change)
            wanted = {"own": provider, "passed": behind}.get(ours, ours)
            check(f"{provider}: {what}; {behind} behind", case, wanted, why, SAYS[provider])


# --- kinds of each, set up well ---

def test_web_identity():
    profile = {"web_identity_token_file": "{home}/token", "role_arn": role("p"), "role_session_name": "of-the-profile"}
    files, wrong = {"token": TOKEN}, {"token": "wrong-token"}
    base = dict(config={"default": profile}, files=files)
    check("web identity by profile", Case(**base), expect="web identity")
    for variable, value in (("AWS_ROLE_ARN", role("v")), ("AWS_ROLE_SESSION_NAME", "of-the-variable"),
                            ("AWS_WEB_IDENTITY_TOKEN_FILE", "{home}/token")):
        name = f"web identity by profile and {variable}"
        check(name, Case(**base).add(env={variable: value}), expect="web identity")
        other = dict(config={"default": {"region": "us-east-1"}, "profile p": profile}, files=files, profile="p")
        check(f"{name}, the profile by directive", Case(**other).add(env={variable: value}), expect="web identity")
        check(f"{name}, AWS_PROFILE", Case(**other).add(env={variable: value, "AWS_PROFILE": "p"}, profile=""),
              expect="web identity")
    check("a variable's token file before the profile's", Case(**base).add(
        files=wrong | {"good": TOKEN}, env={"AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/good"}), expect="web identity")
    check("a profile's token file under AWS_ROLE_ARN", Case(config={"default": dict(profile, role_arn=None)},
          files=files, env={"AWS_ROLE_ARN": role("v")}), expect="web identity")
    check("keys beside a token file in a profile", Case(**base).add(config={"default": keys("AKIABESIDE")}),
          expect="web identity")
    check("web identity as source of a role", Case(
        config={"default": {"role_arn": role("a"), "source_profile": "w"}, "profile w": profile}, files=files),
        expect="assume-role")
    check("... and variables", Case(
        config={"default": {"role_arn": role("a"), "source_profile": "w"}, "profile w": profile}, files=files,
        env={"AWS_ROLE_ARN": role("v"), "AWS_ROLE_SESSION_NAME": "of-the-variable"}), expect="assume-role")


def test_sso():
    legacy = dict(SSO, sso_session=None, **SSO_SECTION)
    for what, expires in (("valid", 7200), ("ends soon", 600), ("expired", -60)):
        for form, key, config in (("sso-session", "s", {"default": SSO, "sso-session s": SSO_SECTION}),
                                  ("start URL", PORTAL, {"default": legacy})):
            case = Case(config=config, files=cached(key, expiresAt=iso(NOW + expires)))
            if what == "expired" and form == "start URL":
                check(f"SSO by {form}, {what} token", case, "error", "an expired token is not sent", SAYS["SSO"])
            else:
                check(f"SSO by {form}, {what} token", case, expect="error" if what == "expired" else "SSO")
    for text in (iso(NOW + 7200).replace("Z", "UTC"), iso(NOW + 7200).replace("Z", "+00:00")):
        check(f"SSO, a token until ...{text[19:]}", Case(**SOURCES["SSO"]).add(files=cached("s", expiresAt=text)),
              expect="SSO")
    check("SSO, a value in both places", Case(**SOURCES["SSO"]).add(**default(sso_region="us-east-1")), expect="SSO")
    check("SSO, a session's name with a blank", Case(
        config={"default": dict(SSO, sso_session="a b"), "sso-session 'a b'": SSO_SECTION}, files=cached("a b")),
        expect="SSO")
    check("SSO as source of a role", Case(
        config={"default": {"role_arn": role("a"), "source_profile": "q"}, "profile q": legacy}, files=cached(PORTAL)),
        expect="assume-role")
    check("SSO, a role with odd characters", Case(**SOURCES["SSO"]).add(**default(sso_role_name="a+b =&/c%20")),
          expect="SSO")


def test_process():
    for what, line in (("in single quotes", "cat '{home}/printed'"), ("in double quotes", 'cat "{home}/printed"'),
                       ("a backslash", "cat {home}/pr\\inted"), ("blanks", "  cat   {home}/printed  "),
                       ("an absolute path", "/bin/cat {home}/printed"), ("sh -c", "sh -c 'cat \"{home}\"/printed'")):
        case = Case(**SOURCES["credential_process"]).add(**default(credential_process=line))
        check(f"credential_process, {what}", case, expect="credential_process")
    for what, members in (("no token", {"SessionToken": None}), ("no time", {"Expiration": None}),
                          ("an empty token", {"SessionToken": ""}), ("a member that nobody knows", {"More": [1]}),
                          ("a time with a zone", {"Expiration": iso(NOW + 7200).replace("Z", "+00:00")}),
                          ("a time with a fraction", {"Expiration": iso(NOW + 7200).replace("Z", ".25Z")})):
        check(f"credential_process, {what}", Case(**SOURCES["credential_process"]).add(files=printed(**members)),
              expect="credential_process")
    check("credential_process in the credentials file", Case(
        credentials={"default": {"credential_process": "cat {home}/printed"}}, files=printed()),
        expect="credential_process")
    check("credential_process as source of a role", Case(
        config={"default": {"role_arn": role("a"), "source_profile": "q"},
                "profile q": {"credential_process": "cat {home}/printed"}}, files=printed()), expect="assume-role")


def test_container():
    relative = {"env": {RELATIVE: "/v2/credentials/0f2e"}}
    check("container by a relative URI", Case(**relative), expect="container", account="123456789012")
    check("container, the relative URI before the full one", Case(**relative).add(
        env={URI: "http://127.0.0.1:9/"}), expect="container")
    check("container by name", Case(env={URI: METADATA.replace("127.0.0.1", "localhost") + "/v1/credentials"}),
          expect="container")
    for source in (relative, SOURCES["container"]):
        check("container, an authorization", Case(**source).add(env={AUTH: "Basic abc="},
                                                                 set={"authorization": "Basic abc="}),
              expect="container")
    older = (None, None) if knows_token_file else ("container", "a botocore before 1.31 knows no token file")
    for what, text in (("a file", "of-the-file"), ("a file with a line end", "of-the-file\n")):
        wanted, why = older
        if "end" in what and knows_token_file:
            wanted, why = "container", "editors and echo end a file with one, which is no part of a token"
        check(f"container, {what} with the authorization", Case(**SOURCES["container"]).add(
            env={AUTH_FILE: "{home}/auth"}, files={"auth": text}, set={"authorization": "of-the-file"}), wanted, why)
    check("container, the file before the variable", Case(**SOURCES["container"]).add(
        env={AUTH_FILE: "{home}/auth", AUTH: "of-the-variable"}, files={"auth": "of-the-file"},
        set={"authorization": "of-the-file"}), *older)
    check("container, 127.0.0.2", Case(env={URI: ELSEWHERE + "/v1/credentials"}),
          *((None, None) if knows_token_file else ("container", "a botocore before 1.31 takes 127.0.0.1 alone")))
    check("an empty relative URI and a full one", Case(**SOURCES["container"]).add(env={RELATIVE: ""}),
          "container", EMPTY)


def test_metadata():
    imds = SOURCES["instance metadata"]
    check("instance metadata, a URL with a slash", Case(**imds).add(
        env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": METADATA + "/"}), expect="instance metadata")
    check("instance metadata by profile", Case(**imds).add(
        env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": None}, config={"default": {
            "ec2_metadata_service_endpoint": METADATA}}), expect="instance metadata")
    check("instance metadata, a mode beside the endpoint", Case(**imds).add(
        env={"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "ipv6"}), expect="instance metadata")
    check("instance metadata, attempts and timeout", Case(**imds).add(
        env={"AWS_METADATA_SERVICE_TIMEOUT": "2", "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "2"}),
        expect="instance metadata")
    check("instance metadata, attempts no number", Case(**imds).add(
        env={"AWS_METADATA_SERVICE_NUM_ATTEMPTS": "many"}), expect="error", says=SAYS["instance metadata"])
    check("instance metadata, disabled by false", Case(env={"AWS_EC2_METADATA_DISABLED": "false"}),
          expect="instance metadata")


# --- roles over roles, made at random ---

def random_profile(others):
    """One profile, most often one that makes sense."""
    source = rng.choices(("keys", "role", "source", "web", "sso", "process", "empty"), (6, 8, 3, 1, 1, 2, 1))[0]
    if source == "keys":
        values = keys(f"AKIA{rng.randrange(1000)}", rng.random() < 0.3)
        return dict(list(values.items())[:1]) if rng.random() < 0.05 else values
    if source == "role":
        values = {"role_arn": role(rng.choice("abcdef"), f"{rng.randrange(10**12):012}"),
                  "source_profile": rng.choice(others)}
        values.update({k: v for k, v in (("external_id", "id 7&"), ("role_session_name", "name@a,b"),
                                         ("duration_seconds", "3600")) if rng.random() < 0.25})
        return {**values, **keys("AKIAOWN")} if rng.random() < 0.15 else values
    if source == "source":
        name = rng.choice(("Environment", "EcsContainer", "Ec2InstanceMetadata"))
        return {"role_arn": role("s"), "credential_source": name}
    return {"web": {"web_identity_token_file": "{home}/token", "role_arn": role("w")},
            "sso": dict(SSO, sso_session=None, **SSO_SECTION),
            "process": {"credential_process": "cat {home}/printed"}, "empty": {"region": "us-east-1"}}[source]


def random_roles():
    names = ["default", "b", "c", "d", "e"]
    case = Case(files={"token": TOKEN, **printed(), **cached(PORTAL)})
    for i, name in enumerate(names):
        # More often down than round in circles.
        others = names[i + 1:] * 4 + names + ["missing"]
        values = random_profile(others) if i else {"role_arn": role("top"), "source_profile": rng.choice(others)}
        where = case.credentials if rng.random() < 0.3 else case.config
        where[name if where is case.credentials or name == "default" else f"profile {name}"] = values
    for name in ("environment", "container", "instance metadata"):
        if rng.random() < 0.5:
            case.add(**SOURCES[name])
    if rng.random() < 0.6:
        case.add(profile=rng.choice(names))
    return case


def test_sources_of_roles():
    for source, name in (("Environment", "environment"), ("EcsContainer", "container"),
                         ("Ec2InstanceMetadata", "instance metadata")):
        case = Case(**default(role_arn=role("s"), credential_source=source)).add(**SOURCES[name])
        check(f"credential_source {source}", case.add(profile="default"), expect="assume-role")
        check(f"credential_source {source}, two roles", case.add(config={
            "profile up": {"role_arn": role("u"), "source_profile": "default", "external_id": "x y"}}, profile="up"),
            expect="assume-role")
    check("credential_source Ec2InstanceMetadata, none", Case(**default(
        role_arn=role("s"), credential_source="Ec2InstanceMetadata")), expect="error", says=SAYS["assume-role"])
    check("a role with its own keys as source", Case(**default(role_arn=role("s"), source_profile="default",
                                                               **keys("AKIAOWN"))), expect="assume-role")
    check("a role whose keys are in the other file", Case(
        **default(role_arn=role("s"), source_profile="default"), credentials={"default": keys("AKIAOWN")}),
        expect="assume-role")


def test_random_roles(number):
    found = {}
    for i in range(number):
        case = random_roles()
        top = next(v for v in (case.credentials.get("default"), case.config.get("default")) if v)
        answer = check(f"roles at random {i}: {case.profile or '-'}, default by {top['source_profile']}", case)
        found[answer] = found.get(answer, 0) + 1
    ok(found.get("assume-role", 0) > number / 5 and found.get("error", 0) > number / 10,
       f"roles and errors among them, seed {seed}: {found}")


# --- anything with anything, made at random ---

EAGER = ("no section", "no region", "no start URL")  # of SSO: botocore reads it to make a client of STS


def test_eager():
    source = Case(**SOURCES["assume-role"]).add(**SOURCES["SSO"])
    check("a role, SSO behind it is half set up", source.add(config={"sso-session s": {"sso_region": None}}),
          "assume-role", "SSO's settings do not matter to a role that is asked for with keys")


def test_random_sources(number):
    agreed = [entry for entry in BROKEN if len(entry) == 3 and entry[1] not in EAGER]
    for i in range(number):
        case, parts = Case(), []
        for name in reversed(NAMES):
            state = rng.choices(("absent", "well", "broken"), (5, 2, 2))[0]
            changes = [entry for entry in agreed if entry[0] == name]
            if state == "absent" or not changes:
                continue
            case.add(**SOURCES[name])
            parts.append(name)
            if state == "broken":
                _, what, change = rng.choice(changes)
                case.add(**change)
                parts[-1] += f" ({what})"
        if rng.random() < 0.3:
            case.add(profile="default", config={"default": {"region": "us-east-1"}})
            parts.append("by directive")
        check(f"sources at random {i}: {', '.join(reversed(parts))}", case)


def test_guard():
    mine, _ = resolve(Case(env={URI: "https://192.0.2.1/"}))
    ok(mine[0] == "outside", "ours is stopped before it connects to others", mine)
    for address in ("192.0.2.1", "example.com"):
        try:
            socket.create_connection((address, 80), timeout=0.01)
        except OSError:
            pass
    ok(outside[-2:] == ["192.0.2.1", "example.com"], "and so is botocore", outside)
    outside.clear()


print(f"# botocore {botocore.__version__}, seed {seed}")
test_guard()
test_alone()
test_pairs()
test_broken()
test_web_identity()
test_sso()
test_process()
test_container()
test_metadata()
test_sources_of_roles()
test_eager()
test_random_roles(60)
test_random_sources(60)
ok(compared >= 200, f"{compared} cases compared, {differences} wanted differences")
print(f"1..{count}")
sys.exit(1 if failed else 0)
