"""Faults that the checks of contrib/ must find: (check, file, text, text instead, part of what the check says)."""

TABLE, ECS = "contrib/cloudformation/table.yaml", "contrib/cloudformation/ecs.yaml"
TERRAFORM, DOCKER = "contrib/terraform", "contrib/docker"
RULES, DASHBOARD = "contrib/prometheus/rules.yml", "contrib/grafana.json"
PODS = "contrib/kubernetes/httpd.yaml"

FAULTS = [
    ("terraform", f"{TERRAFORM}/table.tf", "hash_key ", "hashkey ", "no argument hashkey"),
    ("terraform", f"{TERRAFORM}/table.tf", 'attribute_name = "expires"', 'attribute = "expires"', "ttl: no argument attribute"),
    ("terraform", f"{TERRAFORM}/table.tf", "enabled        = true", 'enabled        = "yes"', "is no boolean"),
    ("terraform", f"{TERRAFORM}/table.tf", "var.kms_key_arn", "var.kms_key", "var.kms_key: is not declared"),
    ("terraform", f"{TERRAFORM}/alarms.tf", "        stat        = \"Sum\"\n", "", "lacks stat"),
    ("terraform", f"{TERRAFORM}/ecs.tf", "aws_iam_role.execution[0].arn", "aws_iam_role.exec[0].arn", "is not declared"),
    ("terraform", f"{TERRAFORM}/outputs.tf", "aws_dynamodb_table.sessions.arn", "aws_dynamodb_table.sessions.name_arn",
     "is no attribute"),
    ("terraform", f"{TERRAFORM}/variables.tf", "  type        = map(string)\n", "", "has no type"),
    ("terraform", f"{TERRAFORM}/roles.tf", "locals {", "locals [", "roles.tf"),
    ("terraform by itself", f"{TERRAFORM}/alarms.tf", 'toset(["Read", "Write"])', '["Read", "Write"]', "terraform validate"),
    ("terraform by itself", f"{TERRAFORM}/roles.tf", "!var.operators_need_mfa", "var.operators_need_mfa", "second factor"),
    ("terraform by itself", f"{TERRAFORM}/variables.tf", 'can(regex("^[A-Za-z0-9_.-]{3,255}$", var.table_name))',
     "length(var.table_name) > 0", "takes {'table_name': 'a'}"),
    ("cloudformation", TABLE, "AttributeName: expires", "Attribute: expires", "has no property Attribute"),
    ("cloudformation", TABLE, "      KeySchema:\n        - { AttributeName: id, KeyType: HASH }\n", "", "lacks KeySchema"),
    ("cloudformation", TABLE, "EvaluationPeriods: 5", "EvaluationPeriods: five", "is no integer"),
    ("cloudformation", TABLE, "!GetAtt Table.Arn", "!GetAtt Table.Name", "is no attribute"),
    ("cloudformation", TABLE, "!Ref TableName", "!Ref Name", "is neither parameter nor resource"),
    ("cloudformation", TABLE, "AllowedValues: [\"true\", \"false\"]", "AllowedValues: [\"on\", \"off\"]", "default is not allowed"),
    ("cloudformation", TABLE, "Type: AWS::KMS::Key", "Type: AWS::KMS::MasterKey", "no such resource"),
    ("cloudformation", TABLE, "Condition: HasOperators", "Condition: HasNone", "is no condition"),
    ("cloudformation", ECS, "${TableStack}-HttpdPolicyArn", "${TableStack}-Policy", "is exported by no stack"),
    ("cloudformation", ECS, "StopTimeout: 30", "StopTimeOut: 30", "has no property StopTimeOut"),
    ("cloudformation", ECS, "Capabilities: { Drop: [ALL] }", "Capabilities: { Drop: ALL }", "is no list"),
    ("cloudformation", ECS, "Conditions:\n", "Conditions: &all\n  Alias: *all\n", "alias"),
    ("policies", TABLE, "              - dynamodb:DeleteItem\n", "", "is not what session-dynamodb prints"),
    ("policies", TABLE, "              - dynamodb:GetItem\n", "              - dynamodb:Scan\n", "is not what session-dynamodb prints"),
    ("policies", f"{TERRAFORM}/httpd-policy.json.tftpl", '"dynamodb:PutItem"', '"dynamodb:*"', "is not what session-dynamodb prints"),
    ("policies", f"{TERRAFORM}/operators-policy.json.tftpl", "${table_arn}", "*", "is not what session-dynamodb prints"),
    ("policies", "contrib/cloudformation/endpoint.yaml", "              - dynamodb:Scan\n", "", "the endpoint passes"),
    ("policies", ECS, "logs:PutLogEvents", "logs:PutLogs", "is no action"),
    ("policies", f"{TERRAFORM}/ecs.tf", "ecr:BatchGetImage", "ecr:GetImage", "is no action"),
    ("containers", f"{DOCKER}/Dockerfile", "USER 33:33", "USER root", "USER root"),
    ("containers", f"{DOCKER}/Dockerfile", "ARG DEBIAN=13-slim\n\nFROM debian:${DEBIAN}", "FROM debian", "without a version"),
    ("containers", f"{DOCKER}/Dockerfile", "contrib/docker/health", "contrib/docker/healthy", "there is no"),
    ("containers", f"{DOCKER}/Dockerfile.alpine", "EXPOSE 8080 9180", "EXPOSE 8081", "different images"),
    ("containers", f"{DOCKER}/httpd.conf", "SessionDynamoDBTableName", "SessionDynamoDBTable", "httpd says"),
    ("containers", f"{DOCKER}/demo/balancer.conf", "http://web2:8080", "http://web3:8080", "is no service"),
    ("containers", f"{DOCKER}/demo/compose.yaml", "read_only: true", "readonly: true", "compose.yaml: services/"),
    ("containers", f"{DOCKER}/demo/compose.yaml", "127.0.0.1:${PORT:-8080}", "${PORT:-8080}", "open to other machines"),
    ("containers", PODS, "containerPort: 8080", "containerPort: 80", "the ports are not the image's"),
    ("containers", PODS, "path: /health", "path: /healthz", "not the image's health check"),
    ("containers", PODS, "runAsUser: 33", "runAsUser: 1000", "is not the image's"),
    ("containers", PODS, "apiVersion: policy/v1", "apiVersion: policy/v1beta1", "is not of"),
    ("monitoring", RULES, "session_dynamodb_throttled_attempts_total", "session_dynamodb_throttled_total", "no metric"),
    ("monitoring", RULES, 'outcome!~"ok|conflict|stopping"', 'outcome!~"ok|conflicts"', "outcome is never conflicts"),
    ("monitoring", RULES, 'state=~"open', 'status=~"open', "has no label status"),
    ("monitoring", RULES, "> 0.01", "> 0.05", "promtool test rules"),
    ("monitoring", RULES, "[5m]", "[5 m]", "promtool check rules"),
    ("monitoring", "contrib/prometheus/rules_test.yml", "alertname: SessionStoreSlow\n        eval_time: 15m\n        exp_alerts:\n",
     "alertname: SessionStoreSlow\n        eval_time: 15m\n        exp_alerts: []\n        x:\n", "no test makes it fire"),
    ("monitoring", "contrib/prometheus/scrape.yml", "metrics_path", "metric_path", "promtool check config"),
    ("monitoring", DASHBOARD, "session_dynamodb_merges_total", "session_dynamodb_merge_total", "no metric"),
    ("monitoring", DASHBOARD, "histogram_quantile(0.99, ", "histogram_quantile(0.99 ", "promtool check rules dashboard.yml"),
    ("monitoring", DASHBOARD, "$instance", "$server", "no variable server"),
    ("monitoring", DASHBOARD, '"id": 2,', '"id": 3,', "two panels have one id"),
]


def title(file, old, new):
    """A line that names the fault."""
    change = " -> ".join(" ".join(text.split()) or "nothing" for text in (old, new))
    return f"{file}: {change}"
