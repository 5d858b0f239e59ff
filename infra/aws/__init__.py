"""Describe the deployment on AWS. The CDK starts Node.js when it is imported: the packaged one is named before."""

from infra.aws.packaged_node import use_packaged_node

use_packaged_node()
