output "table_name" {
  description = "The table, for SessionDynamoDBTableName."
  value       = aws_dynamodb_table.sessions.name
}

output "table_arn" {
  description = "The table, for policies."
  value       = aws_dynamodb_table.sessions.arn
}

output "kms_key_arn" {
  description = "The customer managed key of the table, or null."
  value       = local.kms_key_arn
}

output "httpd_policy_arn" {
  description = "What httpd may do, for a role that exists already."
  value       = aws_iam_policy.httpd.arn
}

output "httpd_role_arn" {
  description = "httpd's role, or null where none of instances, tasks and pods has it."
  value       = one(aws_iam_role.httpd[*].arn)
}

output "instance_profile_name" {
  description = "The instance profile with httpd's role, or null."
  value       = one(aws_iam_instance_profile.httpd[*].name)
}

output "operators_policy_arn" {
  description = "What operators may do beside it, for a role that exists already."
  value       = aws_iam_policy.operators.arn
}

output "operators_role_arn" {
  description = "The operators' role, or null."
  value       = one(aws_iam_role.operators[*].arn)
}

output "vpc_endpoint_id" {
  description = "The gateway endpoint, or null."
  value       = one(aws_vpc_endpoint.dynamodb[*].id)
}

output "task_definition_arn" {
  description = "The task definition, for an ECS service, or null."
  value       = one(aws_ecs_task_definition.httpd[*].arn)
}

output "service_account_annotations" {
  description = "What the service account of the pods must say: nothing with Pod Identity."
  value       = local.irsa ? { "eks.amazonaws.com/role-arn" = aws_iam_role.httpd[0].arn } : {}
}
