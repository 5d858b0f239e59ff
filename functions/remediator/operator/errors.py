"""Name what is the case when the operator finds something else than was looked for."""

from __future__ import annotations


class NotFound(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that something isn't there; `next` says what to do about it."""

    def __init__(self, message: str, *, next: str) -> None:  # noqa: A002 - as said
        super().__init__(message)
        self.next = next


class NoDeployment(NotFound):
    """There is no deployment where it was looked for."""


class NoFormer(NotFound):
    """There are no receipts of a former deployment on this cloud."""


class NoReceipt(NotFound):
    """There is no receipt of that id."""


class NotSealed(NotFound):
    """The deployment's gate isn't sealed: there is no external id to roll."""
