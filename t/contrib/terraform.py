"""The Terraform module: each argument against the provider's schema (aws_schema.json has the names, types and what is
required, of the resources used), and whether all that is referred to is there. check() returns what is wrong."""

import glob
import json
import os
import re
import subprocess

META = {"count", "for_each", "depends_on", "lifecycle", "provider"}
OTHERS = {"path", "each", "self", "count"}
SCHEMA = os.path.join(os.path.dirname(__file__), "aws_schema.json")


PARSED = {}


def parse_files(paths, modules):
    """What each file says, by path. A file that was parsed once is not parsed again."""
    texts = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            texts[path] = file.read()
    new = [path for path in paths if texts[path] not in PARSED]
    if new:
        reader = os.path.join(os.path.dirname(__file__), "read_hcl.js")
        run = subprocess.run(["node", reader, *new], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=dict(os.environ, NODE_PATH=modules))
        if run.returncode:
            raise ValueError(run.stderr.decode().strip())
        for path, parsed in json.loads(run.stdout).items():
            PARSED[texts[path]] = parsed
    return [PARSED[texts[path]] for path in paths]


def parse(directory, modules):
    merged = {}
    for parts in parse_files(sorted(glob.glob(os.path.join(directory, "*.tf"))), modules):
        for kind, content in parts.items():
            if isinstance(content, list):
                merged.setdefault(kind, []).extend(content)
                continue
            for name, body in content.items():
                if kind in ("resource", "data"):
                    merged.setdefault(kind, {}).setdefault(name, {}).update(body)
                else:
                    merged.setdefault(kind, {})[name] = body
    return merged


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)


def fits(value, kind):
    """A literal of the right type, or an expression."""
    if isinstance(value, str) and "${" in value:
        return True
    word = kind.split()[0]
    if word in ("list", "set"):
        return isinstance(value, list)
    if word == "map":
        return isinstance(value, dict)
    return {"string": isinstance(value, str), "boolean": isinstance(value, bool),
            "number": isinstance(value, (int, float)) and not isinstance(value, bool)}.get(word, True)


def body_faults(where, body, schema, top=True):
    """One block: its arguments, and the blocks in it."""
    attributes, blocks = schema["attributes"], schema.get("blocks", {})
    dynamic = body.get("dynamic", {})
    for name, value in body.items():
        if name == "dynamic" or (top and name in META):
            continue
        if name in blocks:
            for inner in value:
                yield from body_faults(f"{where}.{name}", inner, blocks[name], False)
        elif name not in attributes or attributes[name][1] == "computed":
            yield f"{where}: no argument {name}"
        elif not fits(value, attributes[name][0]):
            yield f"{where}.{name}: is no {attributes[name][0].split()[0]}"
    for name, content in dynamic.items():
        if name not in blocks:
            yield f"{where}: no block {name}"
            continue
        for each in content:
            yield from body_faults(f"{where}.{name}", each["content"][0], blocks[name], False)
    for name, (_, need) in attributes.items():
        if need == "required" and name not in body:
            yield f"{where}: lacks {name}"
    for name, block in blocks.items():
        if block["required"] and name not in body and name not in dynamic:
            yield f"{where}: lacks a block {name}"


def reference_faults(module, schema):
    """Everything that an expression names is declared, and has that attribute."""
    declared = {"var": set(module["variable"]), "local": {name for part in module["locals"] for name in part}}
    used = {"var": set(), "local": set()}
    text = "\n".join(strings(module))
    for kind, name in re.findall(r"\b(var|local)\.(\w+)", text):
        used[kind].add(name)
        if name not in declared[kind]:
            yield f"{kind}.{name}: is not declared"
    for kind in declared:
        for name in sorted(declared[kind] - used[kind]):
            yield f"{kind}.{name}: is not used"
    pattern = r"(?<![\w.\"/])(data\.)?(aws_\w+)\.(\w+)(?:\[[^\]]*\])?(?:\.(\w+))?"
    for data, kind, name, attribute in re.findall(pattern, text):
        types, instances = (schema["data"], module["data"]) if data else (schema["resources"], module["resource"])
        if name not in instances.get(kind, {}):
            yield f"{data}{kind}.{name}: is not declared"
        elif attribute and attribute not in types[kind]["attributes"]:
            yield f"{data}{kind}.{name}.{attribute}: is no attribute"


def check(directory, modules):
    try:
        module = parse(directory, modules)
    except ValueError as error:
        return [str(error)]
    with open(SCHEMA, encoding="utf-8") as file:
        schema = json.load(file)
    faults = []
    for name, (variable,) in module["variable"].items():
        faults += [f"var.{name}: has no {key}" for key in ("description", "type") if not variable.get(key)]
        for validation in variable.get("validation", []):
            faults += [f"var.{name}: its validation has no {key}" for key in ("condition", "error_message")
                       if not validation.get(key)]
    faults += [f"output {name}: has no description" for name, (output,) in module["output"].items()
               if not output.get("description")]
    for kind, types in (("resource", schema["resources"]), ("data", schema["data"])):
        for type_name, instances in module[kind].items():
            for name, (body,) in instances.items():
                if type_name in types:
                    faults += body_faults(f"{type_name}.{name}", body, types[type_name])
                else:
                    faults.append(f"{type_name}.{name}: no such {kind} in aws_schema.json")
    return faults + list(reference_faults(module, schema))
