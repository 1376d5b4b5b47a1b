# What the two policies allow is what "session-dynamodb policy --check --operate" prints; a test compares. A server that
# could scan the table could give away every session in it: two roles, and no Scan for httpd.
locals {
  httpd_policy     = templatefile("${path.module}/httpd-policy.json.tftpl", { table_arn = aws_dynamodb_table.sessions.arn })
  operators_policy = templatefile("${path.module}/operators-policy.json.tftpl", { table_arn = aws_dynamodb_table.sessions.arn })

  trust_instances = !var.instance_profile ? [] : [{
    Sid       = "Instances"
    Effect    = "Allow"
    Principal = { Service = "ec2.amazonaws.com" }
    Action    = ["sts:AssumeRole"]
  }]
  trust_tasks = var.ecs == null ? [] : [{
    Sid       = "Tasks"
    Effect    = "Allow"
    Principal = { Service = "ecs-tasks.amazonaws.com" }
    Action    = ["sts:AssumeRole"]
    Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
  }]
  trust_pods = !local.pod_identity ? [] : [{
    Sid       = "Pods"
    Effect    = "Allow"
    Principal = { Service = "pods.eks.amazonaws.com" }
    Action    = ["sts:AssumeRole", "sts:TagSession"]
    Condition = {
      StringEquals = {
        "aws:RequestTag/eks-cluster-name"           = var.eks.cluster_name
        "aws:RequestTag/kubernetes-namespace"       = var.eks.namespace
        "aws:RequestTag/kubernetes-service-account" = var.eks.service_account
      }
    }
  }]
  trust_web_identity = !local.irsa ? [] : [{
    Sid       = "ServiceAccount"
    Effect    = "Allow"
    Principal = { Federated = var.eks.oidc_provider_arn }
    Action    = ["sts:AssumeRoleWithWebIdentity"]
    Condition = {
      StringEquals = {
        "${local.oidc_issuer}:aud" = "sts.amazonaws.com"
        "${local.oidc_issuer}:sub" = "system:serviceaccount:${var.eks.namespace}:${var.eks.service_account}"
      }
    }
  }]
  # JSON, because the statements differ in their types.
  trust = [
    for statement in concat(
      [for each in local.trust_instances : jsonencode(each)], [for each in local.trust_tasks : jsonencode(each)],
      [for each in local.trust_pods : jsonencode(each)], [for each in local.trust_web_identity : jsonencode(each)],
    ) : jsondecode(statement)
  ]
  httpd_has_role = var.instance_profile || var.ecs != null || var.eks != null
}

resource "aws_iam_policy" "httpd" {
  name        = "${var.name}-httpd"
  description = "Sessions in the table ${var.table_name}, for httpd"
  policy      = local.httpd_policy
  tags        = var.tags
}

resource "aws_iam_role" "httpd" {
  count       = local.httpd_has_role ? 1 : 0
  name        = "${var.name}-httpd"
  description = "httpd with sessions in the table ${var.table_name}"
  tags        = var.tags

  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = local.trust })
}

resource "aws_iam_role_policy_attachment" "httpd" {
  count      = local.httpd_has_role ? 1 : 0
  role       = aws_iam_role.httpd[0].name
  policy_arn = aws_iam_policy.httpd.arn
}

resource "aws_iam_instance_profile" "httpd" {
  count = var.instance_profile ? 1 : 0
  name  = "${var.name}-httpd"
  role  = aws_iam_role.httpd[0].name
  tags  = var.tags
}

resource "aws_iam_policy" "operators" {
  name        = "${var.name}-operators"
  description = "session-dynamodb show, list, end and purge in the table ${var.table_name}"
  policy      = local.operators_policy
  tags        = var.tags
}

resource "aws_iam_role" "operators" {
  count       = length(var.operators) == 0 ? 0 : 1
  name        = "${var.name}-operators"
  description = "Operators of the sessions in the table ${var.table_name}"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge(
      {
        Sid       = "Operators"
        Effect    = "Allow"
        Principal = { AWS = var.operators }
        Action    = ["sts:AssumeRole"]
      },
      !var.operators_need_mfa ? {} : { Condition = { Bool = { "aws:MultiFactorAuthPresent" = "true" } } },
    )]
  })
}

resource "aws_iam_role_policy_attachment" "operators" {
  count      = length(var.operators) == 0 ? 0 : 1
  role       = aws_iam_role.operators[0].name
  policy_arn = aws_iam_policy.operators.arn
}
