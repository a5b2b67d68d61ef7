# What an install of Headway needs of AWS: a bucket each for logs, backups and the write-ahead log, and for each a user
# that reaches this bucket alone. The chart is installed with what `terraform output` tells (docs/kubernetes.md).

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "name" {
  description = "Prefix of the names of buckets and users."
  type        = string
  default     = "headway"

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,38}$", var.name))
    error_message = "Use small letters, digits and hyphens, 2 to 39 of them."
  }
}

variable "host" {
  description = "Name under which people reach Headway."
  type        = string
}

variable "image" {
  description = "Image with Headway and the DAG files."
  type        = string
}

locals {
  # By bucket: the secret of the chart that has its variables.
  stores = {
    logs    = "headway-log-store"
    backups = "headway-backup-store"
    wal     = "headway-wal-store"
  }
}

data "aws_caller_identity" "here" {}

data "aws_region" "here" {}

resource "aws_s3_bucket" "store" {
  for_each = local.stores

  bucket = "${var.name}-${each.key}-${data.aws_caller_identity.here.account_id}"
}

resource "aws_s3_bucket_public_access_block" "store" {
  for_each = local.stores

  bucket                  = aws_s3_bucket.store[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "store" {
  for_each = local.stores

  bucket = aws_s3_bucket.store[each.key].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
    }

    bucket_key_enabled = true
  }
}

# Logs go when Headway's retention says so. Who has the keys of an install can delete its backups; for 30 days they can be brought back.
resource "aws_s3_bucket_versioning" "store" {
  for_each = { for name, secret in local.stores : name => secret if name != "logs" }

  bucket = aws_s3_bucket.store[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "store" {
  for_each = local.stores

  bucket = aws_s3_bucket.store[each.key].id

  rule {
    id     = "remains"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }

    dynamic "noncurrent_version_expiration" {
      for_each = each.key == "logs" ? [] : [30]

      content {
        noncurrent_days = noncurrent_version_expiration.value
      }
    }
  }
}

data "aws_iam_policy_document" "store" {
  for_each = local.stores

  statement {
    actions   = ["s3:ListBucket", "s3:ListBucketMultipartUploads"]
    resources = [aws_s3_bucket.store[each.key].arn]
  }

  statement {
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    resources = ["${aws_s3_bucket.store[each.key].arn}/*"]
  }

  statement {
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.store[each.key].arn, "${aws_s3_bucket.store[each.key].arn}/*"]

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_iam_user" "store" {
  for_each = local.stores

  name = "${var.name}-${each.key}"
}

resource "aws_iam_user_policy" "store" {
  for_each = local.stores

  name   = "bucket"
  user   = aws_iam_user.store[each.key].name
  policy = data.aws_iam_policy_document.store[each.key].json
}

resource "aws_iam_access_key" "store" {
  for_each = local.stores

  user = aws_iam_user.store[each.key].name
}

output "values" {
  description = "Values of the chart: terraform output -raw values > values.yaml"
  value = yamlencode({
    image             = var.image
    host              = var.host
    logStore          = "s3://${aws_s3_bucket.store["logs"].bucket}/${var.name}"
    backupStore       = "s3://${aws_s3_bucket.store["backups"].bucket}/${var.name}"
    walStore          = "s3://${aws_s3_bucket.store["wal"].bucket}/${var.name}"
    databaseInstances = 3
    listenAddress     = "headway-db-rw:5432"
  })
}

output "secrets" {
  description = "Secrets of the namespace of the install: terraform output -raw secrets | kubectl -n headway apply -f -"
  sensitive   = true
  value = join("---\n", [
    for name, secret in local.stores : yamlencode({
      apiVersion = "v1"
      kind       = "Secret"
      metadata   = { name = secret }
      stringData = {
        AWS_ACCESS_KEY_ID     = aws_iam_access_key.store[name].id
        AWS_SECRET_ACCESS_KEY = aws_iam_access_key.store[name].secret
        AWS_REGION            = data.aws_region.here.name
      }
    })
  ])
}
