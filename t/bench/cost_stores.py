"""Other session stores for DynamoDB, as far as their cost goes: what a row of theirs holds and which calls they make for
which request, found by reading their sources. The calls are made by boto3 against a real table in memory, which says
what each of them consumes.

Rows have the attributes of the store, with names, types and values of their lengths. The data is the same everywhere, as
the store would write it: a JSON text, a map, base64. Where a store has a binary form of its own (msgpack, PHP's, Java's,
.NET's, Go's) a JSON text stands in for it: real ones differ by some percent, Java's by more."""

import base64
import json

import boto3

REGION = "us-east-1"
STAMP = "2026-11-23T01:02:03.000004+00:00"
END = 1795402983


def client(endpoint):
    return boto3.client("dynamodb", endpoint_url=endpoint, region_name=REGION, aws_access_key_id="cost",
                        aws_secret_access_key="cost")


class Units:
    """Read and write units."""

    def __init__(self, read=0.0, write=0.0):
        self.read, self.write = read, write

    def __add__(self, other):
        return Units(self.read + other.read, self.write + other.write)

    def __mul__(self, n):
        return Units(self.read * n, self.write * n)


# ---- rows ----

def s(text):
    return {"S": text}


def n(number):
    return {"N": str(number)}


def binary(text):
    return {"B": text.encode()}


def as_json(entries):
    return json.dumps(entries)


def as_base64(entries):
    return base64.b64encode(as_json(entries).encode()).decode()


def as_express(entries):
    """express-session keeps the cookie's settings beside the data."""
    return {"cookie": {"originalMaxAge": 7200000, "expires": "2026-11-23T03:02:03.000Z", "httpOnly": True, "path": "/"},
            **entries}


def as_map(value):
    if isinstance(value, dict):
        return {"M": {k: as_map(v) for k, v in value.items()}}
    return {"BOOL": value} if isinstance(value, bool) else n(value) if isinstance(value, int) else s(value)


SEED_ROW = {"id": lambda e: s("i" * 43), "created": lambda e: s(STAMP), "accessed": lambda e: s(STAMP),
            "expires": lambda e: n(END), "idle_timeout": lambda e: n(7200), "absolute_timeout": lambda e: n(43200),
            "data": lambda e: s(as_json(e))}
RUBY_ROW = {"session_id": lambda e: s("m" * 32 + "--" + "i" * 64), "data": lambda e: s(as_json(e)),
            "created_at": lambda e: s(STAMP[:19]), "updated_at": lambda e: s(STAMP[:19]), "expire_at": lambda e: n(END)}
PHP_ROW = {"id": lambda e: s("PHPSESSID_" + "i" * 32), "expires": lambda e: n(END), "data": lambda e: s(as_json(e))}

# ---- calls ----
# A step is (operation, ...): ("get", strong?), ("query",), ("update", attributes), ("put",), ("delete",), each of the
# session's row, or, with "new" in front, of one that is not there yet: ("new", "put"), ("new", "get", True).

GET, EVENTUAL, QUERY, PUT, DELETE = ("get", True), ("get", False), ("query",), ("put",), ("delete",)


def update(*attributes):
    return ("update", attributes)


def new(step):
    return ("new", *step)


EVERYTHING = "*"  # all attributes of the row

# name: (key, row, {request: steps}). A request that is not there is not known, or is the framework's affair.
STORES = {
    "dynamodb-session-flask": ("id", SEED_ROW, {
        "anonymous": [],
        "created": [new(update(EVERYTHING))],
        "read": [QUERY, update("accessed", "expires", "created"), update(EVERYTHING)],
        "changed": [QUERY, update("accessed", "expires", "created"), update(EVERYTHING)],
        "renewed": [QUERY, update("accessed", "expires", "created"), new(update(EVERYTHING))],
        "ended": [QUERY, update("accessed", "expires", "created"), DELETE],
        "unknown": [new(QUERY)]}),
    "connect-dynamodb": ("id", {
        "id": lambda e: s("sess:" + "i" * 32), "expires": lambda e: n(END), "type": lambda e: s("connect-session"),
        "sess": lambda e: s(as_json(as_express(e)))}, {
            "anonymous": [], "created": [new(PUT)], "read": [GET, update("expires")], "changed": [GET, PUT],
            "renewed": [GET, DELETE, new(PUT)], "ended": [GET, DELETE], "unknown": []}),
    "pwrdrvr/dynamodb-session-store": ("id", {
        "id": lambda e: s("session#" + "i" * 32), "expires": lambda e: n(END),
        "sess": lambda e: as_map({**as_express(e), "lastModified": STAMP[:24]})}, {
            "anonymous": [], "created": [new(PUT)], "read": [EVENTUAL], "touched": [EVENTUAL, update("expires")],
            "changed": [EVENTUAL, PUT], "renewed": [EVENTUAL, DELETE, new(PUT)], "ended": [EVENTUAL, DELETE],
            "unknown": []}),
    "aws-sessionstore-dynamodb (Ruby)": ("session_id", RUBY_ROW, {
        "anonymous": [], "created": [new(update(EVERYTHING))], "read": [GET, update("updated_at", "expire_at")],
        "changed": [GET, update("data", "updated_at", "expire_at")], "renewed": [GET, DELETE, new(update(EVERYTHING))],
        "ended": [GET, DELETE], "unknown": []}),
    "aws-sessionstore-dynamodb, locking": ("session_id", {**RUBY_ROW, "locked_at": lambda e: n(END)}, {
        "anonymous": [], "read": [update("locked_at"), update("updated_at", "expire_at")],
        "changed": [update("locked_at"), update("data", "updated_at", "expire_at")],
        "ended": [update("locked_at"), DELETE], "unknown": []}),
    "flask-session": ("id", {
        "id": lambda e: s("session:" + "i" * 43), "val": lambda e: binary(as_json(e)),
        "expiration": lambda e: n("1795402983.123456")}, {
            "anonymous": [], "created": [new(update(EVERYTHING))], "read": [EVENTUAL, update("val", "expiration")],
            "changed": [EVENTUAL, update("val", "expiration")],
            "renewed": [EVENTUAL, DELETE, new(update(EVERYTHING))], "ended": [EVENTUAL, DELETE],
            "unknown": [new(EVENTUAL)]}),
    "aws-sdk-php": ("id", PHP_ROW, {
        "anonymous": [new(GET), new(update("expires"))], "read": [GET, update("expires")],
        "changed": [GET, update("expires", "data")], "ended": [GET, DELETE],
        "unknown": [new(GET), new(update("expires"))]}),
    "aws-sdk-php, locking": ("id", {**PHP_ROW, "lock": lambda e: n(1)}, {
        "anonymous": [new(update("lock")), new(update("expires"))], "read": [update("lock"), update("expires")],
        "changed": [update("lock"), update("expires", "data")]}),
    "aws-dotnet-session-provider": ("SessionId", {
        "SessionId": lambda e: s("App-" + "i" * 24), "CreateDate": lambda e: s(STAMP[:24]), "Locked": lambda e: n(0),
        "LockId": lambda e: s("l" * 36), "LockDate": lambda e: s(STAMP[:24]), "Expires": lambda e: s(STAMP[:24]),
        "SessionItems": lambda e: s(as_base64(e)), "Flags": lambda e: n(0), "Ver": lambda e: s("1.0")}, {
            "anonymous": [], "read": [update("Locked", "LockId", "LockDate"), GET, update("Locked", "Expires")],
            "changed": [update("Locked", "LockId", "LockDate"), update("SessionItems", "Locked", "Expires")],
            "ended": [update("Locked", "LockId", "LockDate"), GET, DELETE]}),
    "aws-dotnet-distributed-cache": ("id", {
        "id": lambda e: s("dc:" + "i" * 36), "value": lambda e: binary(as_json(e)), "ttl_date": lambda e: n(END),
        "ttl_window": lambda e: s("02:00:00"), "ttl_deadline": lambda e: n(END)}, {
            "anonymous": [new(GET)], "read": [GET, update("ttl_date"), GET, update("ttl_date")],
            "changed": [GET, update("ttl_date"), PUT], "ended": [GET, update("ttl_date"), DELETE]}),
    "dynastore (Go)": ("id", {
        "id": lambda e: s("i" * 52), "values": lambda e: s(as_json(e)), "ttl": lambda e: n(END),
        "options": lambda e: as_map({"Path": "/", "MaxAge": 7200, "Secure": True, "HttpOnly": True})}, {
            "anonymous": [], "created": [new(PUT)], "read": [GET], "changed": [GET, PUT], "ended": [GET, PUT, DELETE],
            "unknown": [new(GET)]}),
    "pyramid-dynamodb-sessions": ("sid", {
        "sid": lambda e: binary("h" * 32), "dat": lambda e: s(as_json(e)), "ver": lambda e: n(12),
        "iss": lambda e: n(END), "exp": lambda e: n(END)}, {
            "anonymous": [], "created": [new(PUT)], "read": [EVENTUAL], "touched": [EVENTUAL, update("iss", "exp")],
            "changed": [EVENTUAL, PUT], "ended": [EVENTUAL, PUT], "unknown": [new(EVENTUAL), new(GET)]}),
    "django-dynamodb-sessions": ("session_key", {
        "session_key": lambda e: s("i" * 32), "data": lambda e: s(as_base64(e)), "created": lambda e: n(END)}, {
            "anonymous": [], "created": [new(update("created")), new(update(EVERYTHING))], "read": [GET],
            "changed": [GET, update("data")], "ended": [GET, DELETE], "unknown": [new(GET), new(update("created"))]}),
    "spring-session-dynamodb (dimanex)": ("SessionID", {
        "SessionID": lambda e: s("i" * 36), "SessionData": lambda e: binary(as_json(e)),
        "SessionExpirationTime": lambda e: n(END)}, {
            "anonymous": [], "created": [new(PUT)], "read": [EVENTUAL, PUT], "changed": [EVENTUAL, PUT],
            "ended": [EVENTUAL, DELETE], "unknown": [new(EVENTUAL)]}),
    "spring-session-dynamodb (disc99)": ("PK", {
        "PK": lambda e: s("i" * 36), "SK": lambda e: s("i" * 36), "Data": lambda e: s(as_base64(e)),
        "ExpirationTime": lambda e: n(END)}, {
            "anonymous": [], "read": [EVENTUAL] * 3 + [PUT], "changed": [EVENTUAL] * 3 + [PUT],
            "ended": [EVENTUAL, DELETE]}),
}

# Seconds from one record of activity to the next, of those that leave some out: this module's own default and theirs.
TOUCH_INTERVALS = {"mod_session_dynamodb": 60, "pwrdrvr/dynamodb-session-store": 3600, "pyramid-dynamodb-sessions": 120}


class Store:
    """One store with a table of its own and one session in it."""

    def __init__(self, dynamodb, name, entries):
        self.dynamodb, self.table = dynamodb, "cost%d" % list(STORES).index(name)
        self.key, attributes, self.requests = STORES[name]
        self.row = {a: value(entries) for a, value in attributes.items()}
        self.create_table()

    def create_table(self):
        key_type = next(iter(self.row[self.key]))
        if self.table not in self.dynamodb.list_tables()["TableNames"]:
            self.dynamodb.create_table(
                TableName=self.table, BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": self.key, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": self.key, "AttributeType": key_type}])
            self.dynamodb.get_waiter("table_exists").wait(TableName=self.table, WaiterConfig={"Delay": 1})

    def play(self, request):
        """What the request costs; None if that is not known."""
        if request not in self.requests:
            return None
        for id_ in ("k", "new"):
            self.dynamodb.delete_item(TableName=self.table, Key={self.key: self.id(id_)})
        self.dynamodb.put_item(TableName=self.table, Item=self.row)
        total = Units()
        for step in self.requests[request]:
            fresh = step[0] == "new"
            total += self.step(*step[fresh:], fresh=fresh)
        return total

    def id(self, which):
        """The key of the session, or another of the same length."""
        (kind, value), = self.row[self.key].items()
        return {kind: value if which == "k" else value[:-1] + (b"z" if kind == "B" else "z")}

    def step(self, what, *arguments, fresh):
        key = {self.key: self.id("new" if fresh else "k")}
        common = {"TableName": self.table, "ReturnConsumedCapacity": "TOTAL"}
        if what == "get":
            reply = self.dynamodb.get_item(**common, Key=key, ConsistentRead=arguments[0])
        elif what == "query":
            reply = self.dynamodb.query(
                **common, ConsistentRead=True, KeyConditionExpression="#k = :k", FilterExpression="#e > :now",
                ExpressionAttributeNames={"#k": self.key, "#e": "expires"},
                ExpressionAttributeValues={":k": key[self.key], ":now": n(END - 100)})
        elif what == "put":
            reply = self.dynamodb.put_item(**common, Item={**self.row, **key})
        elif what == "delete":
            reply = self.dynamodb.delete_item(**common, Key=key)
        else:
            reply = self.update(common, key, arguments[0])
        units = reply["ConsumedCapacity"]["CapacityUnits"]
        if what == "query" and not units:
            units = 1  # dynalite says 0; DynamoDB's guide, that a Query is charged even if no data exists
        return Units(read=units) if what in ("get", "query") else Units(write=units)

    def update(self, common, key, attributes):
        names = [a for a in self.row if a != self.key] if attributes == (EVERYTHING,) else attributes
        return self.dynamodb.update_item(
            **common, Key=key, UpdateExpression="SET " + ", ".join("#%s = :%s" % (a, a) for a in names),
            ExpressionAttributeNames={"#" + a: a for a in names},
            ExpressionAttributeValues={":" + a: self.row[a] for a in names})

    def bytes(self):
        return sum(len(name) + size_of(value) for name, value in self.row.items())


def size_of(value):
    """As DynamoDB counts."""
    (kind, content), = value.items()
    if kind == "N":
        digits = content.replace(".", "")
        while digits.endswith("00"):
            digits = digits[:-2]
        return 1 + (len(digits) + 1) // 2
    if kind == "M":
        return 3 + sum(1 + len(k) + size_of(v) for k, v in content.items())
    return 1 if kind == "BOOL" else len(content)
