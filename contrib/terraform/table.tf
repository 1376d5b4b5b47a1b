resource "aws_dynamodb_table" "sessions" {
  name                        = var.table_name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "id"
  deletion_protection_enabled = var.deletion_protection
  tags                        = var.tags

  attribute {
    name = "id"
    type = "S"
  }

  # Deletes the rows of expired sessions, free of charge, hours or days late.
  ttl {
    attribute_name = "expires"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  # "enabled" is about a KMS key; the table is encrypted in either case.
  server_side_encryption {
    enabled     = local.kms_key_arn != null
    kms_key_arn = local.kms_key_arn
  }

  dynamic "on_demand_throughput" {
    for_each = var.max_read_units == null && var.max_write_units == null ? [] : [1]
    content {
      # -1: no limit.
      max_read_request_units  = coalesce(var.max_read_units, -1)
      max_write_request_units = coalesce(var.max_write_units, -1)
    }
  }
}

locals {
  kms_key_arn = var.create_kms_key ? aws_kms_key.table[0].arn : var.kms_key_arn
}

# Who may use the table may use the key through DynamoDB, and in no other way: so the roles' policies name no key.
resource "aws_kms_key" "table" {
  count                   = var.create_kms_key ? 1 : 0
  description             = "Encrypts the table ${var.table_name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  tags                    = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Administration"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "ThroughDynamoDB"
        Effect    = "Allow"
        Principal = { AWS = "*" }
        Action = [
          "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey", "kms:CreateGrant"
        ]
        Resource = "*"
        Condition = {
          StringEquals = {
            "kms:CallerAccount" = local.account
            "kms:ViaService"    = "dynamodb.${local.region}.amazonaws.com"
          }
        }
      },
    ]
  })
}

resource "aws_kms_alias" "table" {
  count         = var.create_kms_key ? 1 : 0
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.table[0].key_id
}
