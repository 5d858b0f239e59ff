"""Give commands the options that many of them share."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from remediator.cli.failures import expected
from remediator.cli.places import Place
from remediator.cli.speech import Speech

_WHERE: Final = "Which deployment"

_PLACE: Final[dict[str, tuple[Any, Any]]] = {
    "profile": (
        Annotated[str | None, typer.Option(help="Profile of your AWS configuration.", rich_help_panel=_WHERE)],
        None,
    ),
    "region": (
        Annotated[str | None, typer.Option(help="Region of the deployment.", rich_help_panel=_WHERE)],
        None,
    ),
    "stack": (
        Annotated[str, typer.Option(help="Name of the stack.", rich_help_panel=_WHERE)],
        "Remediator",
    ),
    "account": (
        Annotated[
            Path | None,
            typer.Option(
                metavar="FILE",
                exists=True,
                dir_okay=False,
                help="The file that `remediator local up --json FILE` wrote, in place of the three above.",
                rich_help_panel=_WHERE,
            ),
        ],
        None,
    ),
}
_JSON: Final = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
_VERBOSE: Final = Annotated[bool, typer.Option("--verbose", help="Show each step on standard error; never a secret.")]


def command(run: Callable[..., None]) -> Callable[..., None]:
    """Make a function a command that ends as documented: it is given `speech`, and `place` if it names one.

    Typer reads the signature that is put together here: the function's own parameters, then the shared ones. A function
    that has a use of its own for `json` keeps it.
    """
    declared = dict(inspect.signature(run, eval_str=True).parameters)
    takes_place = declared.pop("place", None) is not None
    declared.pop("speech")
    shared = (_PLACE if takes_place else {}) | {"verbose": (_VERBOSE, False)}
    takes_json = "json" not in declared
    shared |= {"json": (_JSON, False)} if takes_json else {}

    @functools.wraps(run)
    def wrapper(**given: Any) -> None:  # noqa: ANN401 - whatever the function declares
        speech = Speech(json=takes_json and given.pop("json"), verbose=given.pop("verbose"))
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
    wrapper.__annotations__ = {one.name: one.annotation for one in parameters}
    return wrapper
