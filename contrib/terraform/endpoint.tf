# Without a policy, an endpoint lets through every call to every table of every account.
resource "aws_vpc_endpoint" "dynamodb" {
  count             = var.vpc == null ? 0 : 1
  vpc_id            = var.vpc.id
  service_name      = "com.amazonaws.${local.region}.dynamodb"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.vpc.route_table_ids
  tags              = merge(var.tags, { Name = "${var.name}-dynamodb" })

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "Sessions"
        Effect    = "Allow"
        Principal = "*"
        Action    = distinct(concat(jsondecode(local.httpd_policy).Statement[0].Action, jsondecode(local.operators_policy).Statement[0].Action))
        Resource  = [aws_dynamodb_table.sessions.arn]
        Condition = { StringEquals = { "aws:PrincipalAccount" = local.account } }
      }],
      length(var.vpc.other_table_arns) == 0 ? [] : [{
        Sid       = "OtherTables"
        Effect    = "Allow"
        Principal = "*"
        Action    = ["dynamodb:*"]
        Resource  = flatten([for arn in var.vpc.other_table_arns : [arn, "${arn}/*"]])
        Condition = { StringEquals = { "aws:PrincipalAccount" = local.account } }
      }],
    )
  })
}
