"""Permissions: those of the templates are what session-dynamodb policy prints, no more and no less, and each action is
one of AWS's API."""

import fnmatch
import functools
import json
import os
import re
import subprocess

import botocore.loaders

import cloudformation

ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/app_session"
# A permission that is no operation of an API, and keys of conditions.
OTHERS = {"sts:TagSession", "kms:CallerAccount", "kms:ViaService"}


def printed(program):
    """The statements that session-dynamodb prints, by their Sid."""
    run = subprocess.run([program, "policy", "--check", "--operate", "--table", ARN], check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return {statement["Sid"]: statement for statement in json.loads(run.stdout)["Statement"]}


def template_statements(directory):
    """The statements of Terraform's policies."""
    for name in ("httpd", "operators"):
        with open(os.path.join(directory, "terraform", f"{name}-policy.json.tftpl"), encoding="utf-8") as file:
            yield from json.loads(file.read().replace("${table_arn}", ARN))["Statement"]


def stack_statements(template):
    """The statements of CloudFormation's managed policies."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                on = statement["Resource"]
                yield dict(statement, Resource=ARN if on == {"Fn::GetAtt": ["Table", "Arn"]} else on)


def comparison(directory, program):
    wanted = printed(program)
    table = cloudformation.load(os.path.join(directory, "cloudformation", "table.yaml"))
    for what, statements in (("terraform", template_statements(directory)), ("cloudformation", stack_statements(table))):
        found = {statement["Sid"]: statement for statement in statements}
        if found.keys() != wanted.keys():
            yield f"{what}: the statements are {sorted(found)}, session-dynamodb prints {sorted(wanted)}"
        for sid in sorted(found.keys() & wanted.keys()):
            if found[sid] != wanted[sid]:
                yield f"{what}: {sid}: {found[sid]} is not what session-dynamodb prints: {wanted[sid]}"
    endpoint = cloudformation.load(os.path.join(directory, "cloudformation", "endpoint.yaml"))
    passes = set(endpoint["Resources"]["Endpoint"]["Properties"]["PolicyDocument"]["Statement"][0]["Action"])
    needed = {action for statement in wanted.values() for action in statement["Action"]}
    if passes != needed:
        yield f"cloudformation: the endpoint passes {sorted(passes ^ needed)} otherwise than the policies"


def actions(directory):
    """Every action that a file of the infrastructure names: (file, action)."""
    for part in ("terraform", "cloudformation"):
        for name in sorted(os.listdir(os.path.join(directory, part))):
            with open(os.path.join(directory, part, name), encoding="utf-8") as file:
                text = re.sub(r"(?m)^\s*#.*$", "", file.read())
            for action in re.findall(r"(?<![\w:./$-])((?:dynamodb|kms|logs|ecr|secretsmanager|sts|ecs|eks):[A-Z*][A-Za-z]*\*?)", text):
                yield f"{part}/{name}", action


@functools.lru_cache(maxsize=None)
def operations(service):
    return list(botocore.loaders.Loader().load_service_model(service, "service-2")["operations"])


def check(directory, program):
    faults = list(comparison(directory, program))
    for where, action in actions(directory):
        service, name = action.split(":")
        if action not in OTHERS and not fnmatch.filter(operations(service), name):
            faults.append(f"{where}: {action} is no action")
    return faults
