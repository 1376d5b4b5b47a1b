# A table for sessions, and who may use it. contrib/README.md shows the commands.
terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80"
    }
  }
}

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  account   = data.aws_caller_identity.this.account_id
  partition = data.aws_partition.this.partition
  region    = data.aws_region.this.id
  # What httpd calls, each on one row.
  operations = ["GetItem", "PutItem", "UpdateItem", "DeleteItem"]
}
