"""Say what a fix is: a lens on one setting, and a card of facts about it."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

JSON: TypeAlias = Any
"""A JSON value: what states, parameters and examples are made of."""

Client = TypeVar("Client")
State = TypeVar("State")
Options = TypeVar("Options")


class Severity(StrEnum):
    """Grade the finding that a fix answers."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Grant:
    """Name actions of the cloud's access control, on the target alone or, where the cloud knows no narrower, on all."""

    actions: tuple[str, ...]
    on_target: bool = True


def allow(*actions: str) -> tuple[Grant, ...]:
    """Allow actions on the target alone."""
    return (Grant(actions),)


def allow_on_all(*actions: str) -> tuple[Grant, ...]:
    """Allow actions that the cloud can't narrow to a resource."""
    return (Grant(actions, on_target=False),)


@dataclass(frozen=True, slots=True)
class Home:
    """Say where the deployment lives: what isn't here is never touched."""

    partition: str
    account: str

    @property
    def cloud(self) -> str:
        """Return the cloud as fixes are named for it: all of AWS's partitions are `aws`."""
        return self.partition.partition("-")[0]


class Tags(Enum):
    """Say whether a kind of resource has tags that can be read."""

    SHOWN = "shown"
    """The cloud's one way to read tags of any resource shows them."""
    HIDDEN = "hidden"
    """It has tags, and that way doesn't show them: where tags exclude, such a thing isn't touched."""
    NONE = "none"
    """It is a setting of the account's and has no tags of its own."""


@dataclass(frozen=True, slots=True)
class Target:
    """Name one thing that has a setting: `target["bucket"]` is a part of its name.

    `id` is the cloud's own name for it (an ARN, a resource id); `region` is None where the cloud has but one. `item`
    says which of the things in it is meant where the cloud grants access to none of them apart, such as a user's access
    keys.
    """

    id: str
    partition: str
    account: str
    region: str | None
    parts: Mapping[str, str] = field(compare=False)
    item: str | None = None

    def __getitem__(self, part: str) -> str:
        return self.parts[part]


class ResourceKind(Protocol):
    """Know the names of one kind of resource."""

    @property
    def title(self) -> str:
        """Return what the thing is called, in the singular and without an article."""

    @property
    def example(self) -> Mapping[str, str]:
        """Return a target of this kind."""

    @property
    def regional(self) -> bool:
        """Tell whether such a thing lives in one region."""

    @property
    def tags(self) -> Tags:
        """Tell whether such a thing has tags that can be read."""

    def schema(self) -> dict[str, JSON]:
        """Return the JSON Schema of a target of this kind."""

    def parse(self, raw: Mapping[str, str], home: Home) -> Target:
        """Read a target, or raise `BadTarget`; a name without an account is taken to be at home."""

    def patterns(self, home: Home) -> tuple[str, ...]:
        """Return patterns that match the names of all things of this kind at home, and as few others as can be."""

    def names_account(self) -> bool:
        """Tell whether those patterns hold to the account at home by themselves."""


def parameter(description: str, *, default: JSON = MISSING, **schema: JSON) -> Any:  # noqa: ANN401 - stands for the value
    """Declare one parameter of a fix; `schema` are keywords of JSON Schema, such as `minimum` or `enum`."""
    metadata = MappingProxyType({"schema": {"description": description, **schema}})
    return field(metadata=metadata) if default is MISSING else field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class NoParameters:
    """Take no parameter."""


@dataclass(frozen=True, slots=True)
class Example:
    """Show a setting before and after: one of every case that `desired` and `write` tell apart.

    `others` are settings that somebody else may leave behind after the fix; a rollback must not trample them.
    """

    broken: JSON
    fixed: JSON
    parameters: Mapping[str, JSON] = field(default_factory=dict)
    target: Mapping[str, str] | None = None
    others: Sequence[JSON] = ()


class Fix(ABC, Generic[Client, State, Options]):
    """Repair one setting. The first line of a fix's docstring is its title, the rest the consequence of applying it."""

    id: ClassVar[str]
    target: ClassVar[ResourceKind]
    severity: ClassVar[Severity]
    service: ClassVar[str]
    """The SDK's name of the service whose client the fix is given."""
    reads: ClassVar[tuple[Grant, ...]]
    writes: ClassVar[tuple[Grant, ...]]
    answers: ClassVar[Mapping[str, Mapping[str, Mapping[str, JSON]]]]
    """Scanner → finding id → the parameters that the finding implies."""
    examples: ClassVar[Sequence[Example]]
    parameters: ClassVar[type] = NoParameters
    asynchronous: ClassVar[bool] = False
    """Whether the cloud may take a write and finish it later: what doesn't stand yet is then `pending`."""

    @abstractmethod
    def read(self, client: Client, target: Target) -> State:
        """Return the setting now, as a JSON value.

        Raises `NotApplicable` where there is no such setting, and `Underway` while an asynchronous cloud says that it
        is carrying out a change of it.
        """

    @abstractmethod
    def desired(self, current: State, parameters: Options) -> State:
        """Return what the setting should be: pure and total, and equal to `current` where nothing is wrong.

        Raises `NotApplicable` where no state of the setting could be what is desired.
        """

    @abstractmethod
    def write(self, client: Client, target: Target, before: State, after: State) -> None:
        """Turn the setting from `before` into `after`, and touch nothing else.

        Raises `Overtaken`, with nothing written, where the cloud says that the setting isn't `before` any more.
        """

    def one_way_from(self, before: State) -> str | None:  # noqa: ARG002 - most fixes go back from everywhere
        """Return why what was there before can't be had again, or None where it can."""
        return None

    @classmethod
    def title(cls) -> str:
        """Return what the fix does, in one line."""
        return inspect.getdoc(cls).split("\n", 1)[0]  # type: ignore[union-attr]  # a law demands the docstring

    @classmethod
    def consequence(cls) -> str:
        """Return what applying the fix means for those who use the resource."""
        return inspect.getdoc(cls).partition("\n\n")[2]  # type: ignore[union-attr]  # a law demands the docstring

    @classmethod
    def parameter_schema(cls) -> dict[str, JSON]:
        """Return the JSON Schema of the fix's parameters: closed."""
        declared = fields(cls.parameters)
        return {
            "type": "object",
            "additionalProperties": False,
            "required": [one.name for one in declared if one.default is MISSING],
            "properties": {one.name: _property(one) for one in declared},
        }


class OneWay(Fix[Client, State, Options]):
    """Repair what can't be undone, or can't always; `why` says why, and a request must acknowledge it."""

    why: ClassVar[str]

    def goes_back(self, before: State) -> bool:  # noqa: ARG002 - most never do
        """Tell whether what was there is a state that can be had again."""
        return False

    def one_way_from(self, before: State) -> str | None:
        """Return why what was there before can't be had again, or None where it can."""
        return None if self.goes_back(before) else self.why


def ids(*findings: str) -> dict[str, dict[str, JSON]]:
    """List findings that imply no parameter."""
    return {finding: {} for finding in findings}


def _property(declared: Field[Any]) -> dict[str, JSON]:
    schema = dict(declared.metadata["schema"])
    if declared.default is MISSING:
        return schema
    default = list(declared.default) if isinstance(declared.default, tuple) else declared.default
    return schema | {"default": default}
