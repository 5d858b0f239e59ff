"""The fixtures of these tests, which the neighbours use too."""

from tests.local.iam.iam_account import account, faults

__all__ = ["account", "faults"]
