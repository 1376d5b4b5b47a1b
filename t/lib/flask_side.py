#!/usr/bin/python3
"""The Flask side of a shared session: plays an application that uses dynamodb-session-flask, call by call.

Reads requests as lines of JSON, answers each with one: {"op": "load", "id": ID}. Each op is what one moment of that
package's request does, so that a test can put requests of httpd between them:

  create  data, [idle, absolute]  a new session: nothing is stored; {"id": ID, "state": ...}
  load    id                      what begins a request: the signature, Query, the touch; {"state": ...} or {"state": null}
  save    state, data             what ends a request that has a session
  end     state                   what ends a request that cleared its session

The ends of requests write without any condition, as the package's do. The calls are boto3's, the IDs itsdangerous'.
"""

import argparse
import datetime
import json
import secrets
import sys

import boto3
import itsdangerous
from boto3.dynamodb.conditions import Attr, Key

options = argparse.ArgumentParser()
options.add_argument("--endpoint", required=True)
options.add_argument("--table", default="app_session")
options.add_argument("--keys", help="file of signing keys, oldest first")
options = options.parse_args()

keys = open(options.keys).read().split() if options.keys else []
signer = itsdangerous.Signer(keys) if keys else None
table = boto3.resource("dynamodb", endpoint_url=options.endpoint, region_name="us-east-1", aws_access_key_id="test",
                       aws_secret_access_key="test").Table(options.table)


def now():
    return datetime.datetime.now(tz=datetime.timezone.utc)


def expires(state):
    """The end of a session: whichever of its two timeouts comes first, in whole seconds."""
    created = datetime.datetime.fromisoformat(state["created"])
    accessed = datetime.datetime.fromisoformat(state["accessed"])
    return min(int((created + datetime.timedelta(seconds=state["absolute_timeout"])).timestamp()),
               int((accessed + datetime.timedelta(seconds=state["idle_timeout"])).timestamp()))


def update(state, names):
    """UpdateItem that sets the attributes of these names, without a condition."""
    values = {**state, "expires": expires(state)}
    table.update_item(
        Key={"id": state["id"]}, UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in names),
        ExpressionAttributeNames={f"#{name}": name for name in names},
        ExpressionAttributeValues={f":{name}": values[name] for name in names})


def create(data, idle=7200, absolute=43200):
    sid = secrets.token_urlsafe(32)
    stamp = now().isoformat()
    sid = signer.sign(sid).decode() if signer else sid
    state = {"id": sid, "created": stamp, "accessed": stamp, "idle_timeout": idle, "absolute_timeout": absolute}
    return {"id": sid, "state": {**state, "data": data}}


def load(id):
    try:
        if signer:
            signer.unsign(id)
    except itsdangerous.BadSignature:
        return {"state": None}
    found = table.query(ConsistentRead=True, KeyConditionExpression=Key("id").eq(id),
                        FilterExpression=Attr("expires").gt(int(now().timestamp())))["Items"]
    if not found:
        return {"state": None}
    item = found[0]
    # A row without these is one that a touch brought back: the package fails here too.
    state = {"id": id, "created": item["created"], "accessed": now().isoformat(),
             "idle_timeout": int(item["idle_timeout"]), "absolute_timeout": int(item["absolute_timeout"])}
    update(state, ["accessed", "expires", "created"])
    return {"state": {**state, "data": json.loads(item["data"])}}


def save(state, data):
    state = {**state, "accessed": now().isoformat(), "data": json.dumps(data)}
    update(state, ["created", "accessed", "expires", "idle_timeout", "absolute_timeout", "data"])
    return {"saved": True}


def end(state):
    table.delete_item(Key={"id": state["id"]})
    return {"ended": True}


operations = {"create": create, "load": load, "save": save, "end": end}
for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = operations[request.pop("op")](**request)
    except Exception as e:  # the test sees what the application would see as an error page
        answer = {"error": f"{type(e).__name__}: {e}"}
    print(json.dumps(answer), flush=True)
