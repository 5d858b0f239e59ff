"""Give commands the options that many of them share."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from remediator.cli.failures import expected
from remediator.cli.places import Cloud, Place
from remediator.cli.speech import Speech

_WHERE: Final = "Which deployment"

_PLACE: Final[dict[str, tuple[Any, Any]]] = {
    "cloud": (
        Annotated[Cloud | None, typer.Option(help="Where it is; aws if you don't say.", rich_help_panel=_WHERE)],
        None,
    ),
    "profile": (
        Annotated[str | None, typer.Option(help="AWS: profile of your configuration.", rich_help_panel=_WHERE)],
        None,
    ),
    "region": (
        Annotated[str | None, typer.Option(help="AWS: region of the deployment.", rich_help_panel=_WHERE)],
        None,
    ),
    "stack": (
        Annotated[str | None, typer.Option(help="AWS: name of the stack, if not Remediator.", rich_help_panel=_WHERE)],
        None,
    ),
    "subscription": (
        Annotated[str | None, typer.Option(help="Azure: id of the subscription.", rich_help_panel=_WHERE)],
        None,
    ),
    "resource_group": (
        Annotated[
            str | None,
            typer.Option("--resource-group", help="Azure: the deployment's own group.", rich_help_panel=_WHERE),
        ],
        None,
    ),
    "account": (
        Annotated[
            Path | None,
            typer.Option(
                metavar="FILE",
                exists=True,
                dir_okay=False,
                help="The file that `remediator local up --json FILE` wrote, in place of all these.",
                rich_help_panel=_WHERE,
            ),
        ],
        None,
    ),
}
FormerReceipts = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="AWS: the table that a former deployment left, in place of this one's."),
]

_JSON: Final = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
_VERBOSE: Final = Annotated[bool, typer.Option("--verbose", help="Show each step on standard error; never a secret.")]


def command(run: Callable[..., None]) -> Callable[..., None]:
    """Make a function a command that ends as documented: it is given `speech`, and `place` if it names one.

    A function that has a use of its own for `json` keeps it.
    """
    return _command(run, {})


def calling_command(run: Callable[..., None]) -> Callable[..., None]:
    """Make a function a command that calls the endpoint, and can show each step of that."""
    return _command(run, {"verbose": (_VERBOSE, False)})


def _command(run: Callable[..., None], shared: dict[str, tuple[Any, Any]]) -> Callable[..., None]:
    """Put a signature together that Typer reads: the function's own parameters, then the shared ones."""
    declared = dict(inspect.signature(run, eval_str=True).parameters)
    takes_place = declared.pop("place", None) is not None
    declared.pop("speech")
    shared = (_PLACE if takes_place else {}) | shared
    takes_json = "json" not in declared
    shared |= {"json": (_JSON, False)} if takes_json else {}

    @functools.wraps(run)
    def wrapper(**given: Any) -> None:  # noqa: ANN401 - whatever the function declares
        speech = Speech(json=takes_json and given.pop("json"), verbose=given.pop("verbose", False))
        with expected(speech):
            if takes_place:
                given["place"] = Place(**{name: given.pop(name) for name in _PLACE})
            run(speech=speech, **given)

    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in declared.values()]
    parameters += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in shared.items()
    ]
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what `inspect` looks for
    wrapper.__doc__ = "\n\n".join(" ".join(one.split()) for one in str(run.__doc__).split("\n\n"))
    wrapper.__annotations__ = {one.name: one.annotation for one in parameters}
    return wrapper
