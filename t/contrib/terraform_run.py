"""The Terraform module by Terraform itself, with aws_provider.py in place of AWS: its form, its validity, and what it
makes of some sets of variables. check() returns what is wrong."""

import json
import os
import shutil
import subprocess
import tempfile

import policies

try:
    import aws_provider
except ImportError:
    aws_provider = None

LEAST = {}
ALL = {
    "instance_profile": True, "operators": ["arn:aws:iam::123456789012:role/admins"], "create_kms_key": True,
    "max_read_units": 100, "alarm_actions": ["arn:aws:sns:eu-central-1:123456789012:on-call"],
    "vpc": {"id": "vpc-1", "route_table_ids": ["rtb-1"],
            "other_table_arns": ["arn:aws:dynamodb:eu-central-1:123456789012:table/other"]},
    "ecs": {"image": "registry/httpd-session:0.1.0",
            "ecr_repository_arn": "arn:aws:ecr:eu-central-1:123456789012:repository/httpd-session",
            "secrets": {"SESSION_KEYS": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys"}},
    "eks": {"cluster_name": "web"},
}
ISSUER = "oidc.eks.eu-central-1.amazonaws.com/id/0123"
WEB_IDENTITY = {"eks": {"cluster_name": "web", "oidc_provider_arn": f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}"},
                "operators": ["arn:aws:iam::123456789012:role/admins"], "operators_need_mfa": False}
# How many resources each makes.
MADE = ((LEAST, 7), (ALL, 21), (WEB_IDENTITY, 11))
REFUSED = ({"table_name": "a"}, {"name": "with blank"}, {"kms_key_arn": "alias/x"}, {"max_read_units": 0}, {"alarm_latency_ms": 0},
           {"ecs": {"image": "x", "architecture": "PDP11"}})


def possible():
    return bool(aws_provider and shutil.which("terraform"))


class Module:
    def __init__(self, directory, environment):
        self.directory, self.environment = directory, environment

    def run(self, *arguments, variables=None):
        if variables is not None:
            with open(os.path.join(self.directory, "terraform.tfvars.json"), "w", encoding="utf-8") as file:
                json.dump(variables, file)
        run = subprocess.run(["terraform", *arguments], cwd=self.directory, env=self.environment, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
        return run.returncode, run.stdout.decode()

    def resources(self):
        shown = json.loads(self.run("show", "-json")[1])
        return {each["address"]: each["values"] for each in shown["values"]["root_module"]["resources"]
                if each["mode"] == "managed"}


def statements(text):
    return {statement["Sid"]: statement for statement in json.loads(text)["Statement"]}


def faults_of_all(made, program):
    """What the largest set of variables has to make."""
    wanted = policies.printed(program)
    for name, sid in (("httpd", "Httpd"), ("operators", "Operators")):
        if statements(made[f"aws_iam_policy.{name}"]["policy"]) != {sid: wanted[sid]}:
            yield f"{name}: the policy is not what session-dynamodb prints"
    trust = statements(made["aws_iam_role.httpd[0]"]["assume_role_policy"])
    if sorted(trust) != ["Instances", "Pods", "Tasks"]:
        yield f"httpd's role trusts {sorted(trust)}"
    condition = statements(made["aws_iam_role.operators[0]"]["assume_role_policy"])["Operators"].get("Condition")
    if condition != {"Bool": {"aws:MultiFactorAuthPresent": "true"}}:
        yield f"operators need no second factor: {condition}"
    endpoint = statements(made["aws_vpc_endpoint.dynamodb[0]"]["policy"])
    needed = {action for statement in wanted.values() for action in statement["Action"]}
    if set(endpoint["Sessions"]["Action"]) != needed or endpoint["Sessions"]["Resource"] != [policies.ARN]:
        yield "the endpoint passes other calls than the policies allow"
    table = made["aws_dynamodb_table.sessions"]
    if table["server_side_encryption"] != [{"enabled": True, "kms_key_arn": made["aws_kms_key.table[0]"]["arn"]}]:
        yield "the table is not encrypted with the key"
    if table["on_demand_throughput"] != [{"max_read_request_units": 100, "max_write_request_units": -1}]:
        yield f"the limits are {table['on_demand_throughput']}"
    container, = json.loads(made["aws_ecs_task_definition.httpd[0]"]["container_definitions"])
    if {"name": "SESSION_TABLE", "value": "app_session"} not in container["environment"]:
        yield "the task does not know its table"
    alarm = made["aws_cloudwatch_metric_alarm.system_errors"]
    asked = sorted(query["metric"][0]["dimensions"]["Operation"] for query in alarm["metric_query"] if query["metric"])
    if asked != ["DeleteItem", "GetItem", "PutItem", "UpdateItem"]:
        yield f"system errors of {asked} are counted"


def faults_of_web_identity(made):
    role = statements(made["aws_iam_role.httpd[0]"]["assume_role_policy"])
    allowed = role.get("ServiceAccount", {}).get("Condition", {}).get("StringEquals", {})
    if allowed != {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": "system:serviceaccount:default:httpd"}:
        yield f"the web identity is {allowed}"
    if "Condition" in statements(made["aws_iam_role.operators[0]"]["assume_role_policy"])["Operators"]:
        yield "operators need a second factor"


def check(directory, program):
    faults = []
    with tempfile.TemporaryDirectory() as temporary, aws_provider.Provider() as environment:
        module = Module(os.path.join(temporary, "module"), environment)
        shutil.copytree(directory, module.directory)
        for arguments in (["fmt", "-check", "-no-color"], ["init", "-no-color"], ["validate", "-no-color"]):
            status, said = module.run(*arguments)
            if status:
                return [f"terraform {arguments[0]}: {' '.join(said.split())}"]
        for variables, number in MADE:
            status, said = module.run("apply", "-auto-approve", "-no-color", variables=variables)
            made = module.resources() if not status else {}
            if len(made) != number:
                faults.append(f"terraform apply: {len(made)} resources instead of {number}: {' '.join(said.split())[-400:]}")
                return faults
            faults += faults_of_all(made, program) if variables is ALL else []
            faults += faults_of_web_identity(made) if variables is WEB_IDENTITY else []
            for state in ("terraform.tfstate", "terraform.tfstate.backup"):
                if os.path.exists(os.path.join(module.directory, state)):
                    os.unlink(os.path.join(module.directory, state))
        for variables in REFUSED:
            if "Invalid value for variable" not in module.run("plan", "-no-color", variables=variables)[1]:
                faults.append(f"terraform plan: takes {variables}")
    return faults
