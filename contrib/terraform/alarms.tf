# What CloudWatch knows of the table. httpd's side, such as its circuit breaker, is in contrib/prometheus.

resource "aws_cloudwatch_metric_alarm" "throttled" {
  for_each            = toset(["Read", "Write"])
  alarm_name          = "${var.name}-${lower(each.key)}s-throttled"
  alarm_description   = "DynamoDB throttles ${lower(each.key)}s of ${var.table_name}: requests wait, and fail with 503 when their time is over. A limit of the table, or one row or partition that is too busy."
  namespace           = "AWS/DynamoDB"
  metric_name         = "${each.key}ThrottleEvents"
  dimensions          = { TableName = aws_dynamodb_table.sessions.name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.alarm_throttled_events
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "system_errors" {
  alarm_name          = "${var.name}-system-errors"
  alarm_description   = "DynamoDB answers calls for ${var.table_name} with server errors. httpd repeats them; look at AWS's health page."
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags

  metric_query {
    id          = "all"
    expression  = "SUM(METRICS())"
    label       = "System errors"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.operations
    content {
      id = lower(metric_query.value)
      metric {
        namespace   = "AWS/DynamoDB"
        metric_name = "SystemErrors"
        dimensions  = { TableName = aws_dynamodb_table.sessions.name, Operation = metric_query.value }
        stat        = "Sum"
        period      = 60
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "slow" {
  alarm_name          = "${var.name}-slow"
  alarm_description   = "An operation on ${var.table_name} takes ${var.alarm_latency_ms} ms or more on average, at DynamoDB itself: the network is not included."
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.alarm_latency_ms
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags

  metric_query {
    id          = "slowest"
    expression  = "MAX(METRICS())"
    label       = "Milliseconds"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.operations
    content {
      id = lower(metric_query.value)
      metric {
        namespace   = "AWS/DynamoDB"
        metric_name = "SuccessfulRequestLatency"
        dimensions  = { TableName = aws_dynamodb_table.sessions.name, Operation = metric_query.value }
        stat        = "Average"
        period      = 60
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "near_limit" {
  for_each            = { for kind, limit in { Read = var.max_read_units, Write = var.max_write_units } : kind => limit if limit != null }
  alarm_name          = "${var.name}-${lower(each.key)}s-near-limit"
  alarm_description   = "${var.table_name} consumes four fifths of its limit of ${each.value} ${lower(each.key)} units per second."
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value * 0.8
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags

  metric_query {
    id          = "rate"
    expression  = "units / PERIOD(units)"
    label       = "${each.key} units per second"
    return_data = true
  }

  metric_query {
    id = "units"
    metric {
      namespace   = "AWS/DynamoDB"
      metric_name = "Consumed${each.key}CapacityUnits"
      dimensions  = { TableName = aws_dynamodb_table.sessions.name }
      stat        = "Sum"
      period      = 60
    }
  }
}
