"""Where codes are passed on by hand, too, no right is unused or missing, and the page says which rights differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.world import BY_HAND
from tests.permissions.page import BY_HAND_TITLE, besides, says
from tests.permissions.reasons import UNUSED_ON_AWS
from tests.permissions.variants import ByHandRun, require_used_and_allowed

if TYPE_CHECKING:
    from tests.end_to_end.world import Standing

pytestmark = pytest.mark.xdist_group("embedded account, by hand")

CONTROLLED = {
    ("remediator", "CountAttempts"),
    ("remediator-operator", "Admit"),
    ("remediator-operator", "RequireOpen"),
    ("remediator-rotator", "ClearDeposits"),
}
"""What is allowed besides: `test_by_hand_aws.py` takes each of these away by itself, and something fails."""


def test_every_right_is_used_and_every_use_allowed_and_the_page_says_what_differs(standing: Standing) -> None:
    world = standing.world(BY_HAND)
    held, uses = require_used_and_allowed(world, ByHandRun(world))
    assert says(BY_HAND_TITLE, held, uses, UNUSED_ON_AWS), "run `make generate`"
    assert besides("AWS", held) == CONTROLLED
