"""Pass codes on by hand, on either cloud: who has the six digits of an admitted window plans and applies once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from remediator.cli.code_view import code_view, digits
from remediator.cli.demo import verdicts
from remediator.cli.demo.attacks import UNAUTHORIZED
from remediator.cli.demo.board import Verdict
from remediator.service.errors import Spent
from remediator.vendor.client import new_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.catalogue.spec import JSON
    from remediator.cli.demo.board import Board
    from remediator.operator.codes import CodeBook, LiveCode
    from remediator.vendor import Answer, Client, Finding, Result

PLANNED, FIXED = (Verdict("the remediator", 200, outcome) for outcome in ("planned", "fixed"))
INCOMPLETE: Final = Verdict("the remediator", 400, "invalid_request")
_GUESSES: Final = 3


class Place(Protocol):
    """Say what the chapter needs of a cloud's stage."""

    board: Board
    vendor: Client

    def setting_of(self, result: Result) -> JSON:
        """Return the setting that a result is about, as an administrator reads it."""

    def lay_open(self, result: Result) -> None:
        """Bring a setting back to what was found there, as an administrator may."""

    def let_a_window_pass(self) -> None:
        """Be at the beginning of the next window, rotated."""


class ByHand:
    """Hold the operator's code book, a vendor that reads no seed, and a repair that can be needed again."""

    def __init__(self, place: Place, book: CodeBook, finding: Finding, repaired: Result) -> None:
        self._place = place
        self._book = book
        self._finding = finding
        self._repaired = repaired

    def tell(self, *, no_seed: str) -> None:
        """Tell the chapter; `no_seed` says who keeps the seeds from the vendor, and in which words."""
        self._place.let_a_window_pass()
        self.lay_open()
        asked = verdicts.of_ask(lambda: self._place.vendor.apply([self._finding]))
        self._line("the vendor asks as before", no_seed, asked)
        live = self._shown(self._book.live())
        self._applies("the live code, which no person admitted", live, UNAUTHORIZED)
        live = self.admit()
        self._applies("a wrong code in that window", live, UNAUTHORIZED, wrong=1)
        self._is("after these, the open setting", "untouched", self._repaired.before)
        self._used_up(live)
        self._place.let_a_window_pass()
        self.lay_open()
        self._applies("the code, in the next window", live, UNAUTHORIZED)
        self._closed_by_guesses()

    def admit(self) -> LiveCode:
        """Let the operator admit the live window, and show what the command shows."""
        live = self._shown(self._book.live(admit=True))
        got = "admitted" if live.admitted else "not admitted"
        self._line("the operator admits the live window", "admitted", got)
        return live

    def lay_open(self) -> None:
        """Let there be something to repair again."""
        self._place.lay_open(self._repaired)

    def repair(self, what: str) -> None:
        """Admit the live window, and let the vendor apply with its code."""
        live = self.admit()
        self._applies(what, live, FIXED)

    def _used_up(self, live: LiveCode) -> None:
        """Plan once and apply once; whatever comes after that is refused."""
        told, asked, key = self._place.vendor.told(digits(live)), [self._finding], new_key()
        self._says("the code, to plan", PLANNED, lambda: told.plan(asked))
        first = told.apply(asked, key=key)
        self._says("the code, to apply", FIXED, lambda: first)
        self._is("and the setting, as an administrator reads it", "as intended", first.results[0].after)
        again = "the same answer" if told.apply(asked, key=key).results == first.results else "another answer"
        self._line("the same request again, under its own key", "the same answer", again)
        self._says("the code, to apply once more", UNAUTHORIZED, lambda: told.apply(asked))
        self._says("the code, to roll back", INCOMPLETE, lambda: told.roll_back(key))

    def _closed_by_guesses(self) -> None:
        """Guess until the window is closed, to the right code and to the operator too."""
        live = self.admit()
        for number in range(1, _GUESSES + 1):
            self._applies(f"wrong code number {number}", live, UNAUTHORIZED, wrong=number)
        self._applies("the right code, after three wrong ones", live, UNAUTHORIZED)
        self._line("the operator admits that window again", "Spent", self._admitted_again())
        self._is("the open setting", "untouched", self._repaired.before)

    def _admitted_again(self) -> str:
        try:
            self._book.live(admit=True)
        except Spent as spent:
            return type(spent).__name__
        return "admitted"

    def _applies(self, what: str, live: LiveCode, wanted: Verdict, *, wrong: int = 0) -> None:
        """Apply with a code, or with one that is `wrong` by so much."""
        code = f"{(int(digits(live)) + wrong) % 1_000_000:06}"
        self._says(what, wanted, lambda: self._place.vendor.told(code).apply([self._finding]))

    def _shown(self, live: LiveCode) -> LiveCode:
        for part in code_view(live):
            self._place.board.say(part)
        return live

    def _is(self, what: str, wanted: str, setting: JSON) -> None:
        is_so = self._place.setting_of(self._repaired) == setting
        self._line(what, wanted, wanted if is_so else "another setting")

    def _says(self, what: str, wanted: Verdict, ask: Callable[[], Answer]) -> None:
        self._line(what, wanted, verdicts.of_ask(ask))

    def _line(self, what: str, wanted: object, got: object) -> None:
        self._place.board.line(what, wanted=wanted, got=got)
