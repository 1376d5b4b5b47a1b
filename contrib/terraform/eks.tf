# Pods that run as the service account of contrib/kubernetes get httpd's role: by Pod Identity, which needs EKS's agent
# for it in the cluster, or as a web identity (IRSA), which needs the annotation that the outputs give.
locals {
  pod_identity = try(var.eks.oidc_provider_arn, "") == null
  irsa         = try(var.eks.oidc_provider_arn, null) != null
  oidc_issuer  = local.irsa ? split("oidc-provider/", var.eks.oidc_provider_arn)[1] : null
}

resource "aws_eks_pod_identity_association" "httpd" {
  count           = local.pod_identity ? 1 : 0
  cluster_name    = var.eks.cluster_name
  namespace       = var.eks.namespace
  service_account = var.eks.service_account
  role_arn        = aws_iam_role.httpd[0].arn
  tags            = var.tags
}
