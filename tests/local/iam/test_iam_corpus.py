"""Our evaluator against AWS's documentation, and against an evaluator that somebody else wrote."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from tests.local.iam.corpus import ALL, Known
from tests.local.iam.oracle import Case, ask_the_oracle
from tests.local.iam.random_cases import random_cases

if TYPE_CHECKING:
    from remediator.local.iam.evaluator import Decision

RANDOM_CASES = random_cases(2000, seed=20261123)


@pytest.fixture(scope="module")
def answers() -> tuple[list[str], list[str]]:
    """What the oracle says of the hand-made and of the random cases, from one process."""
    given = ask_the_oracle([*(known.case for known in ALL), *RANDOM_CASES])
    return given[: len(ALL)], given[len(ALL) :]


@pytest.mark.parametrize("known", ALL, ids=[known.rule for known in ALL])
def test_a_rule_of_the_documentation_holds(known: Known) -> None:
    decision = known.case.decide()
    assert decision.allowed is known.allowed, decision.reason


def test_the_corpus_has_at_least_sixty_rules() -> None:
    assert len({known.rule for known in ALL}) == len(ALL) >= 60


def test_the_oracle_agrees_on_every_rule_but_for_what_is_explained(answers: tuple[list[str], list[str]]) -> None:
    unexplained = {
        known.rule: answer
        for known, answer in zip(ALL, answers[0], strict=True)
        if answer.startswith("error") or (answer == "Allowed") is not (known.allowed is not bool(known.oracle_differs))
    }
    assert unexplained == {}


@pytest.fixture(scope="module")
def decided(answers: tuple[list[str], list[str]]) -> list[Decided]:
    """The random cases with both answers."""
    return [Decided(case, case.decide(), answer) for case, answer in zip(RANDOM_CASES, answers[1], strict=True)]


@dataclass(frozen=True)
class Decided:
    case: Case
    decision: Decision
    answer: str

    @property
    def ours(self) -> str:
        if self.decision.allowed:
            return "Allowed"
        return "ExplicitlyDenied" if self.decision.explicit else "ImplicitlyDenied"

    @property
    def is_granted_past_the_session_policy(self) -> bool:
        by_resource = self.decision.allowed and "resource policy" in self.decision.reason
        return by_resource and self.case.session is not None


def test_the_oracle_agrees_on_random_cases_also_about_why(decided: list[Decided]) -> None:
    assert [each for each in decided if each.ours != each.answer and not each.is_granted_past_the_session_policy] == []


def test_random_cases_differ_only_where_a_session_policy_says_nothing(decided: list[Decided]) -> None:
    # The one documented difference, see the corpus: what a resource's policy grants to the session (or to everybody)
    # isn't limited by the session policy. Without the session policy the oracle must grant it, too.
    differing = [each.case for each in decided if each.ours != each.answer]
    assert 0 < len(differing) < len(decided) / 100
    assert set(ask_the_oracle([replace(case, session=None) for case in differing])) == {"Allowed"}


def test_the_random_cases_are_neither_all_refused_nor_all_simple(decided: list[Decided]) -> None:
    ours = [each.ours for each in decided]
    assert all(ours.count(answer) > len(ours) / 20 for answer in ("Allowed", "ImplicitlyDenied", "ExplicitlyDenied"))
