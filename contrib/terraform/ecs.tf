# A task for Fargate: httpd's role for the container, another one for ECS itself, which starts it.

resource "aws_cloudwatch_log_group" "httpd" {
  count             = var.ecs == null ? 0 : 1
  name              = "/ecs/${var.name}"
  retention_in_days = var.ecs.log_retention_days
  tags              = var.tags
}

resource "aws_iam_role" "execution" {
  count       = var.ecs == null ? 0 : 1
  name        = "${var.name}-execution"
  description = "ECS: fetches the image and the secrets, and writes the log"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Tasks"
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = ["sts:AssumeRole"]
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

data "aws_iam_policy_document" "execution" {
  count = var.ecs == null ? 0 : 1

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.httpd[0].arn}:*"]
  }

  dynamic "statement" {
    for_each = var.ecs.ecr_repository_arn == null ? [] : [1]
    content {
      sid       = "Token"
      actions   = ["ecr:GetAuthorizationToken"]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = var.ecs.ecr_repository_arn == null ? [] : [1]
    content {
      sid       = "Image"
      actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      resources = [var.ecs.ecr_repository_arn]
    }
  }

  dynamic "statement" {
    for_each = length(var.ecs.secrets) == 0 ? [] : [1]
    content {
      sid       = "Secrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = values(var.ecs.secrets)
    }
  }
}

resource "aws_iam_role_policy" "execution" {
  count  = var.ecs == null ? 0 : 1
  name   = "execution"
  role   = aws_iam_role.execution[0].id
  policy = data.aws_iam_policy_document.execution[0].json
}

resource "aws_ecs_task_definition" "httpd" {
  count                    = var.ecs == null ? 0 : 1
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.ecs.cpu
  memory                   = var.ecs.memory
  task_role_arn            = aws_iam_role.httpd[0].arn
  execution_role_arn       = aws_iam_role.execution[0].arn
  tags                     = var.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.ecs.architecture
  }

  # What httpd writes: its process ID, locks and sockets. It has the owner that the image gives it.
  volume {
    name = "run"
  }

  container_definitions = jsonencode([{
    name                   = "httpd"
    image                  = var.ecs.image
    essential              = true
    user                   = "33:33"
    readonlyRootFilesystem = true
    portMappings           = [{ containerPort = 8080, protocol = "tcp", name = "http", appProtocol = "http" }]
    mountPoints            = [{ sourceVolume = "run", containerPath = "/run/httpd", readOnly = false }]
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    # Longer than GracefulShutdownTimeout of the image's configuration.
    stopTimeout = 30

    environment = [
      for name, value in merge({ AWS_REGION = local.region, SESSION_TABLE = var.table_name }, var.ecs.environment) :
      { name = name, value = value }
    ]
    secrets = [for name, arn in var.ecs.secrets : { name = name, valueFrom = arn }]

    # The table is left out on purpose: a restart does not bring it back.
    healthCheck = {
      command     = ["CMD", "curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8080/health"]
      interval    = 10
      timeout     = 3
      retries     = 3
      startPeriod = 10
    }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.httpd[0].name
        awslogs-region        = local.region
        awslogs-stream-prefix = "httpd"
      }
    }
  }])
}
