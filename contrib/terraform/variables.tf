variable "name" {
  description = "Begins the names of roles, policies, alarms and logs."
  type        = string
  default     = "app-session"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9-]{1,32}$", var.name))
    error_message = "Up to 32 letters, digits and hyphens."
  }
}

variable "table_name" {
  description = "SessionDynamoDBTableName of httpd's configuration."
  type        = string
  default     = "app_session"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.table_name))
    error_message = "DynamoDB's table names have 3 to 255 letters, digits, underscores, dots and hyphens."
  }
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
  nullable    = false
}

# --- the table -------------------------------------------------------------------------------------------------------

variable "deletion_protection" {
  description = "Whether the table is safe from deletion, by Terraform too."
  type        = bool
  default     = true
  nullable    = false
}

variable "point_in_time_recovery" {
  description = "Whether the table can be restored to each second of the last 35 days. A restored table has sessions that have ended since: end those that must not come back."
  type        = bool
  default     = true
  nullable    = false
}

variable "create_kms_key" {
  description = "Whether to encrypt the table with a customer managed key that is made for it. Without, and without kms_key_arn, the key is AWS's own and free of charge."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "An existing customer managed key to encrypt the table with. Its policy must let the roles use it through DynamoDB, as that of the key made by create_kms_key does."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "The ARN of a key: arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "max_read_units" {
  description = "The most read units per second that are paid for; what is above is throttled. null: no limit but AWS's."
  type        = number
  default     = null

  validation {
    condition     = var.max_read_units == null || try(var.max_read_units >= 1, false)
    error_message = "At least 1, or null."
  }
}

variable "max_write_units" {
  description = "The most write units per second that are paid for; what is above is throttled. null: no limit but AWS's."
  type        = number
  default     = null

  validation {
    condition     = var.max_write_units == null || try(var.max_write_units >= 1, false)
    error_message = "At least 1, or null."
  }
}

# --- who may use it --------------------------------------------------------------------------------------------------

variable "instance_profile" {
  description = "Whether EC2 instances can have httpd's role: makes an instance profile."
  type        = bool
  default     = false
  nullable    = false
}

variable "operators" {
  description = "ARNs of the users and roles that may assume the operators' role, for session-dynamodb. Empty: there is no such role."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "operators_need_mfa" {
  description = "Whether operators must have signed in with a second factor. IAM Identity Center does not tell: false with its roles, and ask for the factor there."
  type        = bool
  default     = true
  nullable    = false
}

# --- alarms ----------------------------------------------------------------------------------------------------------

variable "alarm_actions" {
  description = "ARNs that alarms notify, such as an SNS topic. Empty: alarms are only shown."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "alarm_latency_ms" {
  description = "Average latency of an operation at DynamoDB, in milliseconds, that is too high for 3 of 5 minutes."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.alarm_latency_ms > 0
    error_message = "More than 0."
  }
}

variable "alarm_throttled_events" {
  description = "Throttled reads or writes per minute that are too many for 3 of 5 minutes."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.alarm_throttled_events >= 1
    error_message = "At least 1."
  }
}

# --- where httpd runs ------------------------------------------------------------------------------------------------

variable "vpc" {
  description = "A gateway endpoint for DynamoDB in this VPC: free of charge, and sessions do not leave AWS's network. It lets through calls of this account to this table, and to other_table_arns. A VPC has one such endpoint."
  type = object({
    id               = string
    route_table_ids  = list(string)
    other_table_arns = optional(list(string), [])
  })
  default = null
}

variable "ecs" {
  description = "A task definition for Fargate with the image of contrib/docker. environment and secrets are more variables of the container; the latter by the ARNs of their secrets."
  type = object({
    image              = string
    ecr_repository_arn = optional(string)
    cpu                = optional(number, 256)
    memory             = optional(number, 512)
    architecture       = optional(string, "X86_64")
    environment        = optional(map(string), {})
    secrets            = optional(map(string), {})
    log_retention_days = optional(number, 30)
  })
  default = null

  validation {
    condition     = var.ecs == null || contains(["X86_64", "ARM64"], try(var.ecs.architecture, ""))
    error_message = "The architecture is X86_64 or ARM64."
  }
}

variable "eks" {
  description = "Pods of this service account get httpd's role: by EKS Pod Identity, or, with oidc_provider_arn, as a web identity (IRSA)."
  type = object({
    cluster_name      = string
    namespace         = optional(string, "default")
    service_account   = optional(string, "httpd")
    oidc_provider_arn = optional(string)
  })
  default = null
}
