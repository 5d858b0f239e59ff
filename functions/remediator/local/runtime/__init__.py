"""Run deployed functions as AWS Lambda does, in the real runtime client."""
