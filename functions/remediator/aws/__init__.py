"""Run the use cases on AWS: adapters to the SDK, and the functions' entry points.

Each adapter declares in `USES` the IAM actions that it calls, with the keys of the items it touches where DynamoDB can
be narrowed to them. The deployment's policies and the botocore models that are shipped are derived from these.
"""
