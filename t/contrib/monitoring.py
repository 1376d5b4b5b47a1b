"""Alerts and dashboard: their expressions are PromQL, and name metrics and labels that docs/metrics.md has; the alerts
fire when their tests say; the panels are in order. check() returns what is wrong."""

import json
import os
import re
import subprocess
import tempfile

import yaml

ALWAYS = {"job", "instance", "le", "table", "region", "endpoint", "profile"}
NOT_OF_THE_MODULE = {"up"}
# What Grafana replaces.
VARIABLES = {"$__rate_interval": "5m", "$table": ".*", "$region": ".*", "$instance": ".*", "$datasource": "p"}


def documented(page):
    """The metrics of docs/metrics.md with their labels, and the values of labels that it lists."""
    with open(page, encoding="utf-8") as file:
        text = file.read()
    metrics = {}
    for name, kind, labels in re.findall(r"^\| `(session_dynamodb_\w+)` \| (\w+)[^|]*\|([^|]*)\|", text, re.M):
        known = set(re.findall(r"`([\w-]+)`", labels))
        for suffix in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
            metrics[name + suffix] = known
    values = {label: set(re.findall(r"`([\w -]+)`", rest))
              for label, rest in re.findall(r"^\| `(operation|state|provider)` \| (.*) \|$", text, re.M)}
    outcomes = text.split("| `outcome` |")[-1]
    values["outcome"] = set(re.findall(r"^\| `([\w-]+)` \|", outcomes, re.M)) | {"ok"}
    return metrics, values


def expression_faults(where, expression, metrics, values):
    for name, selector in re.findall(r"\b([a-z]\w*)\{([^}]*)\}", expression):
        if name not in metrics and name not in NOT_OF_THE_MODULE:
            yield f"{where}: no metric {name}"
        for label, _, value in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', selector):
            if label not in ALWAYS and label not in metrics.get(name, set()):
                yield f"{where}: {name} has no label {label}"
            for each in value.split("|"):
                if label in values and each not in values[label] and not each.startswith("$"):
                    yield f"{where}: {label} is never {each}"
    for name in re.findall(r"\bsession_dynamodb_\w+", expression):
        if name not in metrics:
            yield f"{where}: no metric {name}"


def dashboard_expressions(dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        if "expr" in annotation:
            yield annotation["name"], annotation["expr"]
    for variable in dashboard["templating"]["list"]:
        found = re.match(r"label_values\((.*), \w+\)$", str(variable["query"]["query"] if isinstance(variable["query"], dict) else ""))
        if found:
            yield variable["name"], found.group(1)


def filled(expression):
    """An expression as Grafana sends it."""
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


def dashboard_faults(dashboard):
    ids, cells = [], {}
    for panel in dashboard["panels"]:
        title, place = panel["title"], panel["gridPos"]
        ids.append(panel["id"])
        if place["x"] + place["w"] > 24:
            yield f"grafana.json: {title} is wider than the page"
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if (x, y) in cells:
                    yield f"grafana.json: {title} is over {cells[x, y]}"
                    return
                cells[x, y] = title
        if panel["type"] == "row":
            continue
        if not panel.get("targets") or not panel["fieldConfig"]["defaults"].get("unit"):
            yield f"grafana.json: {title} has no target or no unit"
        names = [target["refId"] for target in panel.get("targets", [])]
        if len(set(names)) != len(names):
            yield f"grafana.json: {title} has two targets of one name"
        for target in panel.get("targets", []):
            if target["datasource"] != {"type": "prometheus", "uid": "${datasource}"}:
                yield f"grafana.json: {title} asks another source of data"
    if len(set(ids)) != len(ids):
        yield "grafana.json: two panels have one id"
    names = {variable["name"] for variable in dashboard["templating"]["list"]}
    for title, expression in dashboard_expressions(dashboard):
        for name in re.findall(r"\$(\w+)", expression):
            if name not in names and name != "__rate_interval":
                yield f"grafana.json: {title}: no variable {name}"


def tool_faults(promtool, only, directory, dashboard):
    """What promtool says, or of that what begins with "only"; the dashboard's expressions go to it as recording rules."""
    rules = [{"record": f"dashboard:{number}", "expr": filled(expression)}
             for number, (_, expression) in enumerate(dashboard_expressions(dashboard))]
    with tempfile.TemporaryDirectory() as temporary:
        path = os.path.join(temporary, "dashboard.yml")
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
        scrape = os.path.join(temporary, "scrape.yml")
        with open(os.path.join(directory, "scrape.yml"), encoding="utf-8") as file:
            text = file.read().replace("/etc/prometheus/session-dynamodb.yml", os.path.join(directory, "rules.yml"))
        with open(scrape, "w", encoding="utf-8") as file:
            file.write(text)
        for arguments in (["check", "rules", os.path.join(directory, "rules.yml")], ["check", "rules", path],
                          ["check", "config", scrape], ["test", "rules", os.path.join(directory, "rules_test.yml")]):
            if only and not only.startswith(f"promtool {arguments[0]} {arguments[1]}"):
                continue
            run = subprocess.run([promtool, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if run.returncode:
                said = " ".join(run.stdout.decode().split())
                yield f"promtool {arguments[0]} {arguments[1]} {os.path.basename(arguments[2])}: {said}"


def check(top, promtool=None, only=None):
    directory = os.path.join(top, "contrib", "prometheus")
    metrics, values = documented(os.path.join(top, "docs", "metrics.md"))
    with open(os.path.join(directory, "rules.yml"), encoding="utf-8") as file:
        alerts = [rule for group in yaml.safe_load(file)["groups"] for rule in group["rules"]]
    with open(os.path.join(directory, "rules_test.yml"), encoding="utf-8") as file:
        tested = {test["alertname"] for each in yaml.safe_load(file)["tests"] for test in each["alert_rule_test"]
                  if test["exp_alerts"]}
    with open(os.path.join(top, "contrib", "grafana.json"), encoding="utf-8") as file:
        dashboard = json.load(file)
    faults = [] if len(metrics) > 20 else ["docs/metrics.md: no metrics found"]
    for alert in alerts:
        faults += expression_faults(alert["alert"], alert["expr"], metrics, values)
        if alert["alert"] not in tested:
            faults.append(f"{alert['alert']}: no test makes it fire")
        if alert["labels"].get("severity") not in ("warning", "critical"):
            faults.append(f"{alert['alert']}: has no severity")
        if not alert["annotations"].get("summary") or not alert["annotations"].get("description"):
            faults.append(f"{alert['alert']}: says nothing")
    for title, expression in dashboard_expressions(dashboard):
        faults += expression_faults(f"grafana.json: {title}", filled(expression), metrics, values)
    faults += dashboard_faults(dashboard)
    if promtool:
        faults += tool_faults(promtool, only, directory, dashboard)
    shown = set(re.findall(r"\w+", " ".join(expression for _, expression in dashboard_expressions(dashboard))))
    faults += [f"grafana.json: nothing shows {name}" for name in metrics
               if name not in shown and not name.endswith(("_sum", "_count"))]
    return faults
