"""The CloudFormation templates: each property against AWS's specification of its resource, and whether all that is
referred to is there. The functions return what is wrong, as sentences."""

import functools
import json
import os
import re
import subprocess

import yaml

PSEUDO = {"AWS::AccountId", "AWS::NoValue", "AWS::Partition", "AWS::Region", "AWS::StackId", "AWS::StackName",
          "AWS::URLSuffix", "AWS::NotificationARNs"}
SECTIONS = {"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Conditions", "Resources", "Outputs"}
PARAMETER = {"Type", "Description", "Default", "AllowedValues", "AllowedPattern", "ConstraintDescription", "MinLength",
             "MaxLength", "MinValue", "MaxValue", "NoEcho"}
RESOURCE = {"Type", "Properties", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "DependsOn", "Metadata"}
TYPES = {"String", "Number", "CommaDelimitedList", "AWS::EC2::VPC::Id"}
VALUES = {"Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::ImportValue", "Fn::Select"}


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, without what CloudFormation does not take: aliases."""

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias, which CloudFormation does not take")
        return super().compose_node(parent, index)

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, value in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"the key {key} twice")
        return super().construct_mapping(node, deep)


def short(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, True)
    else:
        value = loader.construct_mapping(node, True)
    return {suffix if suffix in ("Ref", "Condition") else "Fn::" + suffix: value}


Loader.add_multi_constructor("!", short)


@functools.lru_cache(maxsize=None)
def parse(text):
    return yaml.load(text, Loader)


def load(path):
    with open(path, encoding="utf-8") as file:
        return parse(file.read())


@functools.lru_cache(maxsize=None)
def specification(types, modules):
    """What AWS says of these types of resources, a frozenset."""
    reader = os.path.join(os.path.dirname(__file__), "read_spec.js")
    return json.loads(subprocess.run(["node", reader, *sorted(types)], check=True, stdout=subprocess.PIPE,
                                     env=dict(os.environ, NODE_PATH=modules)).stdout)


def nodes(value):
    """All mappings in a value."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from nodes(each)
    elif isinstance(value, list):
        for each in value:
            yield from nodes(each)


def referred(template):
    """What a template refers to: kind and name."""
    for node in nodes(template):
        for key, value in node.items():
            if key == "Ref":
                yield "ref", value
            elif key == "Fn::GetAtt":
                yield "attribute", tuple(value)
            elif key == "Fn::Sub":
                text = value if isinstance(value, str) else value[0]
                for name in re.findall(r"\$\{([^!}]+)\}", text):
                    yield ("attribute", tuple(name.split(".", 1))) if "." in name else ("ref", name)
            elif key == "Fn::If":
                yield "condition", value[0]
            elif key == "Condition" and isinstance(value, str):
                yield "condition", value


class Check:
    def __init__(self, name, template, spec):
        self.name, self.template, self.spec, self.faults = name, template, spec, []

    def say(self, where, fault):
        self.faults.append(f"{self.name}: {where}: {fault}")

    def parameters(self):
        for name, parameter in self.template.get("Parameters", {}).items():
            for key in parameter.keys() - PARAMETER:
                self.say(name, f"no such key of a parameter: {key}")
            if parameter.get("Type") not in TYPES:
                self.say(name, f"no such type: {parameter.get('Type')}")
            if not parameter.get("Description"):
                self.say(name, "has no description")
            default = parameter.get("Default")
            if default is None:
                continue
            if "AllowedValues" in parameter and default not in parameter["AllowedValues"]:
                self.say(name, "its default is not allowed")
            if "AllowedPattern" in parameter and not re.fullmatch(parameter["AllowedPattern"], str(default)):
                self.say(name, "its default is not allowed by its pattern")
            if parameter["Type"] == "Number" and not isinstance(default, int):
                self.say(name, "its default is no number")

    def references(self):
        resources, parameters = self.template.get("Resources", {}), self.template.get("Parameters", {})
        used = set()
        for kind, name in referred({key: value for key, value in self.template.items() if key != "Metadata"}):
            used.add(name)
            if kind == "ref" and name not in resources and name not in parameters and name not in PSEUDO:
                self.say(name, "is neither parameter nor resource")
            if kind == "condition" and name not in self.template.get("Conditions", {}):
                self.say(name, "is no condition")
            if kind == "attribute":
                resource = self.spec["resources"].get(resources.get(name[0], {}).get("Type"))
                if not resource or name[1] not in resource["attributes"]:
                    self.say(".".join(name), "is no attribute of a resource")
        for name in [*parameters, *self.template.get("Conditions", {})]:
            if name not in used:
                self.say(name, "is not used")
        listed = [name for group in self.template.get("Metadata", {}).get("AWS::CloudFormation::Interface", {})
                  .get("ParameterGroups", []) for name in group["Parameters"]]
        if listed and sorted(listed) != sorted(parameters):
            self.say("ParameterGroups", "are not all parameters, each once")

    def value(self, where, value, shape):
        """Is this value one of this shape?"""
        if isinstance(value, dict) and len(value) == 1:
            (function, argument), = value.items()
            if function == "Fn::If":
                for branch in argument[1:]:
                    if branch != {"Ref": "AWS::NoValue"}:
                        self.value(where, branch, shape)
                return
            if function in VALUES:
                return
        if isinstance(shape, str):
            fits = {"string": isinstance(value, (str, int)) and not isinstance(value, bool),
                    "integer": isinstance(value, int) and not isinstance(value, bool),
                    "number": isinstance(value, (int, float)) and not isinstance(value, bool),
                    "boolean": isinstance(value, bool), "json": isinstance(value, dict),
                    "tag": isinstance(value, dict)}[shape]
            if not fits:
                self.say(where, f"is no {shape}: {value!r}")
        elif "list" in shape:
            if not isinstance(value, list):
                self.say(where, "is no list")
                return
            for index, each in enumerate(value):
                if each != {"Ref": "AWS::NoValue"}:
                    self.value(f"{where}[{index}]", each, shape["list"])
        elif "map" in shape:
            if not isinstance(value, dict):
                self.say(where, "is no mapping")
                return
            for key, each in value.items():
                self.value(f"{where}.{key}", each, shape["map"])
        elif "any" in shape:
            found = []
            for each in shape["any"]:
                trial = Check(self.name, self.template, self.spec)
                trial.value(where, value, each)
                found.append(trial.faults)
            self.faults += min(found, key=len)
        else:
            self.properties(where, value, self.spec["types"][shape["ref"]])

    def properties(self, where, given, known):
        if not isinstance(given, dict):
            self.say(where, "has no properties")
            return
        for name, value in given.items():
            if name in known:
                self.value(f"{where}.{name}", value, known[name]["shape"])
            else:
                self.say(where, f"has no property {name}")
        for name, property in known.items():
            if property["required"] and name not in given:
                self.say(where, f"lacks {name}")

    def resources(self):
        for name, resource in self.template.get("Resources", {}).items():
            for key in resource.keys() - RESOURCE:
                self.say(name, f"no such key of a resource: {key}")
            known = self.spec["resources"].get(resource["Type"])
            if known:
                self.properties(name, resource.get("Properties", {}), known["properties"])
            else:
                self.say(name, f"no such resource: {resource['Type']}")

    def all(self):
        for section in self.template.keys() - SECTIONS:
            self.say(section, "is no section")
        for name, output in self.template.get("Outputs", {}).items():
            if not output.get("Description"):
                self.say(name, "has no description")
        self.parameters()
        self.references()
        self.resources()
        return self.faults


def exports(template):
    return {output["Export"]["Name"]["Fn::Sub"].replace("${AWS::StackName}", "${TableStack}")
            for output in template["Outputs"].values() if "Export" in output}


def check(directory, modules):
    templates, faults = {}, []
    for name in sorted(os.listdir(directory)):
        try:
            templates[name] = load(os.path.join(directory, name))
        except yaml.YAMLError as error:
            faults.append(f"{name}: {error}")
    types = {resource["Type"] for template in templates.values() for resource in template["Resources"].values()}
    spec = specification(frozenset(types), modules)
    exported = exports(templates["table.yaml"]) if "table.yaml" in templates else set()
    for name, template in templates.items():
        faults += Check(name, template, spec).all()
        for node in nodes(template):
            imported = node.get("Fn::ImportValue")
            if imported and imported["Fn::Sub"] not in exported:
                faults.append(f"{name}: {imported['Fn::Sub']} is exported by no stack")
    return faults
