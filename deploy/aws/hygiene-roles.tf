# Roles for Key Hygiene in one account. Leave create_act_role false for an account that must stay read-only.

variable "worker_arn" { # arn:aws:iam::C:role/hygiene-worker
  type = string
}
variable "external_id" {
  type = string
}
variable "read_role_name" {
  type    = string
  default = "hygiene-read"
}
variable "act_role_name" {
  type    = string
  default = "hygiene-act"
}
variable "create_act_role" {
  type    = bool
  default = false
}
variable "lists_organization" { # true in the account that lists the organization
  type    = bool
  default = false
}

data "aws_partition" "here" {}

locals {
  users     = "arn:${data.aws_partition.here.partition}:iam::*:user/*"
  condition = { StringEquals = { "sts:ExternalId" = var.external_id } }
}

resource "aws_iam_role" "read" {
  name = var.read_role_name
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = var.worker_arn }
      Action    = "sts:AssumeRole"
      Condition = local.condition
    }]
  })
}

resource "aws_iam_role_policy" "read" {
  name = "hygiene-read"
  role = aws_iam_role.read.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Needed"
        Effect   = "Allow"
        Resource = "*"
        Action = [
          "iam:GenerateCredentialReport", "iam:GetCredentialReport",
          "iam:GetAccountSummary", "iam:ListVirtualMFADevices",
        ]
      },
      {
        Sid      = "NeededOfUsers"
        Effect   = "Allow"
        Resource = local.users
        Action   = ["iam:ListAccessKeys", "iam:GetAccessKeyLastUsed"]
      },
      {
        Sid      = "Optional"
        Effect   = "Allow"
        Resource = "*"
        Action = [
          "iam:ListUsers", "iam:GetAccountAuthorizationDetails", "iam:GetAccountPasswordPolicy",
          "iam:ListServiceSpecificCredentials", "iam:ListOrganizationsFeatures", "organizations:DescribeOrganization",
          "iam:GenerateServiceLastAccessedDetails", "iam:GetServiceLastAccessedDetails", "cloudtrail:LookupEvents",
        ]
      },
      {
        Sid      = "OptionalOfUsers"
        Effect   = "Allow"
        Resource = local.users
        Action   = ["iam:ListSSHPublicKeys", "iam:ListSigningCertificates", "iam:ListMFADevices"]
      },
    ]
  })
}

resource "aws_iam_role_policy" "organization" {
  count = var.lists_organization ? 1 : 0
  name  = "hygiene-organization"
  role  = aws_iam_role.read.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Resource = "*"
      Action = [
        "organizations:ListAccounts", "organizations:ListParents",
        "organizations:DescribeOrganizationalUnit", "organizations:ListTagsForResource",
      ]
    }]
  })
}

resource "aws_iam_role" "act" {
  count = var.create_act_role ? 1 : 0
  name  = var.act_role_name
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = var.worker_arn }
      Action    = ["sts:AssumeRole", "sts:SetSourceIdentity"]
      Condition = local.condition
    }]
  })
}

resource "aws_iam_role_policy" "act" {
  count = var.create_act_role ? 1 : 0
  name  = "hygiene-act"
  role  = aws_iam_role.act[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Resource = local.users
        Action = [
          "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed", "iam:UpdateAccessKey", "iam:DeleteAccessKey",
          "iam:GetLoginProfile", "iam:GetUser", "iam:DeleteLoginProfile",
          "iam:ListSigningCertificates", "iam:UpdateSigningCertificate", "iam:DeleteSigningCertificate",
        ]
      },
      {
        Effect   = "Deny"
        Resource = "*"
        Action = [
          "iam:UpdateAccessKey", "iam:DeleteAccessKey", "iam:DeleteLoginProfile",
          "iam:UpdateSigningCertificate", "iam:DeleteSigningCertificate",
        ]
        Condition = { StringEquals = { "iam:ResourceTag/hygiene-protected" = "true" } }
      },
    ]
  })
}

output "read_role_arn" {
  value = aws_iam_role.read.arn
}
output "act_role_arn" {
  value = one(aws_iam_role.act[*].arn)
}
