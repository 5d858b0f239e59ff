"""Ask Resource Manager how soon roles count, and whether a narrow one is narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from live.azure.people import App
from live.azure.workshop import GROUPS, SPREADS_WITHIN
from live.verdicts import Making, Probe, Verdict, judged
from live.workshop import TAGS, Slow
from remediator.azure_install.rest import ARM, AzureRefused, Rest
from remediator.azure_install.roles import API as AUTHORIZATION
from remediator.azure_install.roles import CustomRole, Roles

if TYPE_CHECKING:
    from collections.abc import Callable

    from live.azure.workshop import AzureWorkshop
    from remediator.azure_install.plan import Site

READ: Final = "Microsoft.Resources/subscriptions/resourceGroups/read"
FORBIDDEN: Final = 403
_ROUNDS: Final = 3


class Holder:
    """Hold an app that is given a role on a resource group, and loses it, by the installer's own means."""

    def __init__(self, shop: AzureWorkshop, site: Site) -> None:
        self._app = App.make(shop)
        self._roles = Roles(shop.arm, site)
        self._site = site
        self._role = CustomRole(site.id_of("role", "probe"), shop.name("reader"), "A probe's.", (READ,))
        self.arm = Rest(self._app.signed_in(), ARM)

    def give(self) -> None:
        """Let it read the group, and do nothing else."""
        self._roles.ensure(self._app.registered.principal, [self._role], [self._site.group_id])

    def take(self) -> None:
        """Take the role away; its definition stays."""
        self._roles.ensure(self._app.registered.principal, [], [self._site.group_id])

    def may(self, method: str, path: str, body: Any = None) -> bool:  # noqa: ANN401 - any JSON value
        """Tell whether it is let do something."""
        try:
            self.arm.ask(method, path, body)
        except AzureRefused as refused:
            if refused.status != FORBIDDEN:
                raise
            return False
        return True


def spread(shop: AzureWorkshop) -> Verdict:
    """Give an app a role and take it away again and again, and see how long both take to count for one token."""
    site = shop.group()
    given, taken = [], []
    try:
        holder = Holder(shop, site)
        for _ in range(_ROUNDS):
            holder.give()
            given.append(shop.until(_reads(holder, site), most=SPREADS_WITHIN))
            holder.take()
            taken.append(shop.until(lambda: not holder.may("GET", _group(site)), most=SPREADS_WITHIN))
    except Slow as slow:
        return judged(f"a role that is given, or taken, counts {slow}", {}, holds=False)
    figures = {"given_s": [round(one, 1) for one in given], "taken_s": [round(one, 1) for one in taken]}
    seen = f"a role counts after {max(given):.0f} s at most; taken away, it stops a token after {max(taken):.0f} s"
    return judged(seen, figures, holds=True)


def one_action(shop: AzureWorkshop) -> Verdict:
    """Give an app one action on one group, and try others there and the same elsewhere."""
    site, other = shop.group(), shop.group(shop.beside("-other"))
    try:
        holder = Holder(shop, site)
        holder.give()
        shop.until(_reads(holder, site), most=SPREADS_WITHIN)
    except Slow as slow:
        return judged(f"the role to try it with counts {slow}", {}, holds=False)
    same = {"location": shop.location, "tags": TAGS}
    assignments = f"{site.group_id}/providers/Microsoft.Authorization/roleAssignments?{AUTHORIZATION}"
    tries: dict[str, tuple[str, str, Any]] = {
        "write the group": ("PUT", _group(site), same),
        "list its roles": ("GET", assignments, None),
        "read another group": ("GET", _group(other), None),
    }
    let = [what for what, (method, path, body) in tries.items() if holder.may(method, path, body)]
    seen = f"may read the group; refused: {', '.join(what for what in tries if what not in let)}"
    seen += f"; LET: {', '.join(let)}" if let else ""
    return judged(seen, {"let": let}, holds=not let)


def _reads(holder: Holder, site: Site) -> Callable[[], bool]:
    return lambda: holder.may("GET", _group(site))


def _group(site: Site) -> str:
    return f"{site.group_id}?{GROUPS}"


PROBES: Final = (
    Probe(
        "role-spread",
        f"a role counts within {SPREADS_WITHIN:.0f} s, and taking it away ends what a token can do as soon",
        Making(("1 resource group", "1 app registration", "1 custom role"), 20),
        spread,
    ),
    Probe(
        "one-action",
        "a custom role of one action on one group allows nothing else, and nothing elsewhere",
        Making(("2 resource groups", "1 app registration", "1 custom role"), 8),
        one_action,
    ),
)
