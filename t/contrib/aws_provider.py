#!/usr/bin/python3
"""A stand-in for Terraform's provider of AWS: it has the schema of aws_schema.json, plans and makes every resource in no
time, and keeps none. So Terraform itself judges a module: types, references, conditions, expressions. Used as

    with Provider() as environment:
        subprocess.run(["terraform", "apply"], env=environment)

It speaks version 6 of Terraform's protocol for plugins (gRPC); messages are written here field by field."""

import concurrent.futures
import json
import os
import shutil
import tempfile

import grpc
import msgpack

ACCOUNT, REGION = "123456789012", "eu-central-1"
UNKNOWN = msgpack.ExtType(0, b"\x00")
NESTING = {"struct": 1, "list": 2, "set": 3}
SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "aws_schema.json")


# --- messages --------------------------------------------------------------------------------------------------------

def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytearray([number]))


def field(number, value):
    """A field of a message: an integer, a boolean, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(int(value)) if value else b""
    return varint(number << 3 | 2) + varint(len(value)) + value


def parse(message):
    """Field numbers and values; the last of each."""
    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    found, at = {}, 0
    while at < len(message):
        key = number()
        if key & 7 == 0:
            found[key >> 3] = number()
        else:
            length = number()
            found[key >> 3] = message[at:at + length]
            at += length
    return found


def dynamic(value):
    return field(1, msgpack.packb(value, use_bin_type=True))


def value_of(message):
    """The value of a DynamicValue."""
    return msgpack.unpackb(parse(message)[1], raw=False, ext_hook=msgpack.ExtType, strict_map_key=False)


# --- schema ----------------------------------------------------------------------------------------------------------

def type_of(kind):
    word = kind.split()[0]
    return {"boolean": "bool"}.get(word, word) if word in ("string", "number", "boolean") else [word, "string"]


def block(schema):
    out = b""
    for name, (kind, need) in schema["attributes"].items():
        out += field(2, field(1, name.encode()) + field(2, json.dumps(type_of(kind)).encode()) +
                     field(4, need == "required") + field(5, need == "optional") + field(6, need != "required"))
    for name, inner in schema.get("blocks", {}).items():
        out += field(3, field(1, name.encode()) + field(2, block(inner)) + field(3, NESTING[inner["nesting"]]) +
                     field(4, inner["required"]))
    return out


def entries(number, types):
    return b"".join(field(number, field(1, name.encode()) + field(2, field(2, block(schema))))
                    for name, schema in types.items())


# --- resources -------------------------------------------------------------------------------------------------------

def arn(kind, state):
    name = state.get("name") or state.get("family") or state.get("id") or "x"
    service, form = {"aws_dynamodb_table": ("dynamodb", "table/{}"), "aws_iam_role": ("iam", "role/{}"),
                     "aws_iam_policy": ("iam", "policy/{}"), "aws_kms_key": ("kms", "key/{}"),
                     "aws_cloudwatch_log_group": ("logs", "log-group:{}")}.get(kind, ("x", "{}"))
    return f"arn:aws:{service}:{'' if service == 'iam' else REGION}:{ACCOUNT}:{form.format(name)}"


def made(kind, state):
    """A resource as it is after it was made: what was not known is."""
    state = dict(state)
    if state.get("id") == UNKNOWN:
        state["id"] = state.get("name") if isinstance(state.get("name"), str) else kind
    for name, value in state.items():
        if value == UNKNOWN:
            state[name] = arn(kind, state) if name == "arn" else None
    if kind == "aws_kms_key":
        state["key_id"] = "0123"
    return state


def document(config):
    """What aws_iam_policy_document makes of its statements."""
    statements = [{"Sid": each["sid"], "Effect": each["effect"] or "Allow", "Action": each["actions"],
                   "Resource": each["resources"]} for each in config["statement"]]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def read(kind, config):
    return dict(config, **{
        "aws_caller_identity": lambda: {"id": ACCOUNT, "account_id": ACCOUNT},
        "aws_partition": lambda: {"id": "aws", "partition": "aws", "dns_suffix": "amazonaws.com"},
        "aws_region": lambda: {"id": REGION, "region": REGION},
        "aws_iam_policy_document": lambda: {"id": "1", "json": document(config)},
    }[kind]())


class Provider(grpc.GenericRpcHandler):
    def __init__(self):
        with open(SCHEMA, encoding="utf-8") as file:
            self.schema = json.load(file)

    def get_provider_schema(self, _):
        return field(1, field(2, b"")) + entries(2, self.schema["resources"]) + entries(3, self.schema["data"])

    def plan_resource_change(self, request):
        kind, proposed, prior = request[1].decode(), value_of(request[3]), value_of(request[2])
        if proposed is not None and prior is None:
            for name, (_, need) in self.schema["resources"][kind]["attributes"].items():
                if proposed[name] is None and (need == "computed" or name in ("id", "arn")):
                    proposed[name] = UNKNOWN
        return field(1, dynamic(proposed)) + field(5, True)

    def apply_resource_change(self, request):
        planned = value_of(request[3])
        return field(1, dynamic(planned and made(request[1].decode(), planned))) + field(4, True)

    def read_data_source(self, request):
        return field(1, dynamic(read(request[1].decode(), value_of(request[2]))))

    def read_resource(self, request):
        return field(1, request[2])

    def upgrade_resource_state(self, request):
        return field(1, dynamic(json.loads(parse(request[3])[1])))

    def check(self, _):
        """The health service's word for "serving"."""
        return field(1, 1)

    def service(self, details):
        name = details.method.rsplit("/", 1)[1]
        method = "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).strip("_")
        answer = getattr(self, method, None)
        if answer is None and (method.startswith("validate") or method in ("configure_provider", "stop_provider", "shutdown")):
            def answer(_):
                return b""
        return answer and grpc.unary_unary_rpc_method_handler(lambda request, context: answer(parse(request)))

    def __enter__(self):
        self.directory = tempfile.mkdtemp()
        socket = os.path.join(self.directory, "provider")
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), handlers=[self])
        self.server.add_insecure_port("unix:" + socket)
        self.server.start()
        where = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True,
                 "Addr": {"Network": "unix", "String": socket}}
        return dict(os.environ, TF_REATTACH_PROVIDERS=json.dumps({"registry.terraform.io/hashicorp/aws": where}),
                    TF_CLI_CONFIG_FILE=os.devnull, CHECKPOINT_DISABLE="1", TF_IN_AUTOMATION="1")

    def __exit__(self, *_):
        self.server.stop(None)
        shutil.rmtree(self.directory)
