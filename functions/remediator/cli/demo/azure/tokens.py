"""Make tokens that are right but for one thing, as Entra's own key signs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from remediator.azure.callers import OPERATOR_ROLE, READER_ROLE
from remediator.local.azure.entra.tokens import BY_SECRET, LIFETIME, Audience
from remediator.local.azure.places import TENANT, VENDOR_TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.cli.demo.azure.stage import Stage
    from remediator.local.azure.identities import Identity

_ROLES: Final = (READER_ROLE,)


class Forge:
    """Sign what Entra wouldn't: the tenant's keys are in this process."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._vendor = stage.azure.identities.vendor

    def right(self) -> str:
        """Return a token as the vendor gets it, to show that all the others lack one thing only."""
        return self._token()

    def wrong(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with a token, and the token."""
        yield "a token of another tenant", self._token(tenant=VENDOR_TENANT)
        yield "a token for another API of the tenant", self._token(audience=self._vendor.client_id)
        yield "a token without our app role", self._token(roles=())
        yield "a token with another app role", self._token(roles=(OPERATOR_ROLE,))
        yield "our app role in another principal's token", self._token(self._stage.azure.identities.operator)
        yield "a token that has expired", self._token(lifetime=-1)

    def _token(
        self,
        identity: Identity | None = None,
        *,
        tenant: str = TENANT,
        audience: str = "",
        roles: Sequence[str] = _ROLES,
        lifetime: int = LIFETIME,
    ) -> str:
        azure, whose = self._stage.azure, identity or self._vendor
        subject = azure.directory.principal(whose.object_id)
        if subject is None:
            raise LookupError(whose.name)
        meant = Audience(audience or self._stage.deployment.audience, 2, roles)
        return azure.mint.token(subject, meant, BY_SECRET, lifetime, tenant=tenant)
