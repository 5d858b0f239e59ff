"""Turn what went wrong into an exit and a sentence that says what to do next."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import typer

from remediator.catalogue.errors import Unfit
from remediator.cli.exits import Exit
from remediator.operator.errors import NotFound
from remediator.service.errors import NotDone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.cli.speech import Speech
    from remediator.vendor.errors import NotServed

_AWSS: Final = ("botocore.", "boto3.")
_AZURES: Final = ("azure.", "remediator.azure", "remediator.catalogue.azure")
"""Where the errors of a cloud's SDK, and of what is built upon it, are defined."""


class Failed(Exception):  # noqa: N818 - errors are named for what is the case
    """End a command: what is the case, and what to do about it."""

    def __init__(self, message: str, *, exit: Exit, next: str, key: str | None = None) -> None:  # noqa: A002 - as said
        super().__init__(message)
        self.exit = exit
        self.next = next
        self.key = key


@dataclass(frozen=True, slots=True)
class Advice:
    """Say how a kind of error ends a command, and what to do next."""

    exit: Exit
    next: str


@contextmanager
def expected(speech: Speech) -> Iterator[None]:
    """End with an exit and an advice where an error is one that was to be expected; let the others through."""
    try:
        yield
    except Failed as failed:
        speech.failure(failed)
        raise typer.Exit(failed.exit) from None
    except Exception as error:
        failed_by = explained(error)
        if failed_by is None:
            raise
        speech.failure(failed_by)
        raise typer.Exit(failed_by.exit) from None


def explained(error: Exception) -> Failed | None:
    """Return the error in the words of the command line, or None if nobody expected it."""
    from remediator.vendor.errors import NotServed

    if isinstance(error, NotFound):
        return Failed(str(error), exit=Exit.NOT_FOUND, next=error.next)
    if isinstance(error, NotServed):
        return _not_served(error)
    if isinstance(error, Unfit):
        return Failed(str(error), exit=Exit.NOT_FOUND, next="`remediator fixes list` shows what there is.")
    if isinstance(error, NotDone):
        return Failed(str(error), exit=Exit.REFUSED, next="Check that you are signed in as the operator.")
    return _explained_by_cloud(error)


def _not_served(error: NotServed) -> Failed:
    """Show the key where the same request may be sent again."""
    from remediator.vendor.errors import Unreachable

    advice = advice_on(error)
    resendable = advice.exit is Exit.NOT_NOW or isinstance(error, Unreachable)
    return Failed(str(error), exit=advice.exit, next=advice.next, key=error.key if resendable else None)


def _explained_by_cloud(error: Exception) -> Failed | None:
    """Ask the half whose SDK the error comes out of: only then is that SDK there for certain."""
    modules = [kind.__module__ for kind in type(error).__mro__]
    if any(name.startswith(_AWSS) for name in modules):
        from remediator.cli.aws_failures import explained_on_aws

        return explained_on_aws(error)
    if any(name.startswith(_AZURES) for name in modules):
        from remediator.cli.azure_failures import explained_on_azure

        return explained_on_azure(error)
    return None


def advice_on(error: NotServed) -> Advice:
    """Return the advice of the error's class, or of the nearest class it derives from."""
    advice = _advice()
    return next(advice[kind] for kind in type(error).__mro__ if kind in advice)


def _advice() -> dict[type, Advice]:
    from remediator.vendor import errors

    resend = "Send the same request again with --key: it goes on where it stopped."
    return {
        errors.NotServed: Advice(Exit.NOT_FOUND, "Run again with --verbose to see each step."),
        errors.BadDeployment: Advice(Exit.NOT_FOUND, "Take the outputs of the stack `Remediator` as they are."),
        errors.Unreachable: Advice(Exit.NOT_FOUND, "Check the network, the proxy and --region; then try again."),
        errors.NoAccess: Advice(
            Exit.REFUSED, "Check the credentials, and that the role trusts this principal. Codes by hand? Give --code."
        ),
        errors.NoLiveSeed: Advice(Exit.NOT_NOW, "Ask the operator to look at `remediator status`, then try again."),
        errors.Unintelligible: Advice(Exit.NOT_FOUND, "Compare versions: the endpoint speaks something else."),
        errors.TurnedAway: Advice(Exit.REFUSED, "Check that the credentials are those of the reader or operator role."),
        errors.Refused: Advice(Exit.REFUSED, "The title above says why; docs/protocol.md lists every problem."),
        errors.Unauthorized: Advice(
            Exit.REFUSED, "Check this machine's clock, and that the outputs aren't stale. A code passed on? Ask anew."
        ),
        errors.InvalidRequest: Advice(Exit.REFUSED, "`remediator fixes show FIX` shows target and parameters."),
        errors.Forbidden: Advice(Exit.REFUSED, "Roll back as the operator; plan and apply as the vendor."),
        errors.NotFound: Advice(
            Exit.NOT_FOUND, "Only the caller of a remediation and the operator see it; check the id."
        ),
        errors.KeyReused: Advice(Exit.REFUSED, "Leave --key out, or send exactly the request it was first used for."),
        errors.TooLarge: Advice(Exit.REFUSED, "Send at most 500 findings at a time."),
        errors.InProgress: Advice(Exit.NOT_NOW, resend),
        errors.TooManyRequests: Advice(Exit.NOT_NOW, "Wait for the next window (5 minutes), then use --key."),
        errors.GateUnavailable: Advice(Exit.NOT_NOW, resend),
        errors.InternalError: Advice(Exit.NOT_NOW, resend),
        errors.Frozen: Advice(Exit.NOT_NOW, "Ask the customer's operator why the deployment is frozen."),
    }
