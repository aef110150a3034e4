"""The Terraform template of the first guide, applied, planned again and destroyed by the real aws provider.

Needs `terraform` and, in MOORAGE_TERRAFORM_PLUGIN_DIR, a folder as `terraform init -plugin-dir` takes it with the aws
provider in it: this test loads nothing from outside.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from moorage.testing.deployment import BUCKET, Deployer
from moorage.testing.models import SKLEARN_IMAGE, iris_archive
from moorage.testing.server import RunningMoorage

PLUGIN_DIR = os.environ.get("MOORAGE_TERRAFORM_PLUGIN_DIR")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed"),
    pytest.mark.skipif(PLUGIN_DIR is None, reason="MOORAGE_TERRAFORM_PLUGIN_DIR names no folder with the aws provider"),
]

# The guide's template; of its variables only those with one argument a line, which is all that HCL takes.
TEMPLATE = """
resource "aws_sagemaker_model" "model" {
  name               = "${var.name}-model"
  execution_role_arn = var.sm_role_arn

  primary_container {
    image          = var.image_uri
    model_data_url = var.model_data_s3
    environment    = var.env
  }
}

resource "aws_sagemaker_endpoint_configuration" "cfg" {
  name = "${var.name}-cfg"

  production_variants {
    variant_name           = "AllTraffic"
    model_name             = aws_sagemaker_model.model.name
    initial_instance_count = var.instance_count
    instance_type          = var.instance_type
  }
}

resource "aws_sagemaker_endpoint" "ep" {
  name                 = "${var.name}-endpoint"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.cfg.name
}

variable "name" { type = string }
variable "sm_role_arn" { type = string }
variable "image_uri" { type = string }
variable "model_data_s3" { type = string }
variable "instance_type" {
  type    = string
  default = "ml.m5.xlarge"
}
variable "instance_count" {
  type    = number
  default = 2
}
variable "env" {
  type    = map(string)
  default = {}
}

# What else a stack around an endpoint is made of.
resource "aws_sagemaker_model" "pipeline" {
  name               = "${var.name}-pipeline"
  execution_role_arn = var.sm_role_arn

  container {
    container_hostname = "scale"
    image              = var.image_uri
    model_data_url     = var.model_data_s3
  }

  container {
    container_hostname = "forest"
    image              = var.image_uri
    model_data_url     = var.model_data_s3
    environment        = { LEVEL = "1" }
  }

  inference_execution_config {
    mode = "Direct"
  }
}

resource "aws_s3_bucket" "artefacts" {
  bucket = "terraform-artefacts"
}

resource "aws_s3_object" "artefact" {
  bucket  = aws_s3_bucket.artefacts.id
  key     = "models/readme.txt"
  content = "an object"
}

resource "aws_iam_role" "hosting" {
  name = "terraform-hosting"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "sagemaker.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "hosting" {
  role       = aws_iam_role.hosting.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
}

# Who is told when something is wrong.
resource "aws_sns_topic" "calls" {
  name         = "terraform-calls"
  display_name = "Calls"
  tags         = { team = "shop" }
}

resource "aws_sns_topic_subscription" "hook" {
  topic_arn              = aws_sns_topic.calls.arn
  protocol               = "http"
  endpoint               = "http://127.0.0.1:9/hook"
  endpoint_auto_confirms = false
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "terraform-errors"
  namespace           = "AWS/SageMaker"
  metric_name         = "Invocation5XXErrors"
  dimensions          = { EndpointName = "shop", VariantName = "AllTraffic" }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = 5
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.calls.arn]
  tags                = { team = "shop" }
}

resource "aws_cloudwatch_metric_alarm" "maths" {
  alarm_name          = "terraform-maths"
  evaluation_periods  = 2
  threshold           = 5
  comparison_operator = "GreaterThanThreshold"
  metric_query {
    id          = "e"
    expression  = "m * 100"
    label       = "per cent"
    return_data = true
  }
  metric_query {
    id = "m"
    metric {
      metric_name = "Invocation5XXErrors"
      namespace   = "AWS/SageMaker"
      period      = 60
      stat        = "Average"
      dimensions  = { EndpointName = "shop", VariantName = "AllTraffic" }
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "any" {
  alarm_name    = "terraform-any"
  alarm_rule    = "ALARM(${aws_cloudwatch_metric_alarm.maths.alarm_name}) OR ALARM(terraform-errors)"
  alarm_actions = [aws_sns_topic.calls.arn]
  actions_suppressor {
    alarm            = aws_cloudwatch_metric_alarm.errors.alarm_name
    extension_period = 10
    wait_period      = 20
  }
}

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  s3_use_path_style       = true
  skip_metadata_api_check = true
}
"""


def test_the_guides_template_is_applied_without_drift_and_destroyed(moorage_server: RunningMoorage, tmp_path: Path):
    deployer = Deployer(moorage_server)
    deployer.s3.put_object(Bucket=BUCKET, Key="terraform.tar.gz", Body=iris_archive())
    (tmp_path / "main.tf").write_text(TEMPLATE)
    (tmp_path / "terraform.tfvars").write_text(
        f'name = "terraform"\nsm_role_arn = "{deployer.role_arn}"\nimage_uri = "{SKLEARN_IMAGE}"\n'
        f'model_data_s3 = "s3://{BUCKET}/terraform.tar.gz"\n'
    )

    def terraform(*arguments: str) -> int:
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=tmp_path,
            env=moorage_server.environment(),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode in {0, 2}, done.stdout + done.stderr
        return done.returncode

    terraform("init", "-no-color", f"-plugin-dir={PLUGIN_DIR}")
    terraform("apply", "-no-color", "-auto-approve")
    answer = json.loads(deployer.invoke("terraform-endpoint", b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}'))
    assert [0] == answer["predictions"]
    assert 0 == terraform("plan", "-no-color", "-detailed-exitcode"), "a second plan sees changes"
    terraform("destroy", "-no-color", "-auto-approve")
    assert [] == deployer.sagemaker.list_endpoints(NameContains="terraform")["Endpoints"]
    assert [] == deployer.sagemaker.list_models(NameContains="terraform")["Models"]
