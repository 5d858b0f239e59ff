"""Start embedded clouds for tests, and look at what their apps wrote."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from azure.identity import ClientSecretCredential

from remediator.local.azure.apps.interpreters import plain
from remediator.local.azure.cloud import EmbeddedAzure
from remediator.local.azure.places import TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.local.azure.identities import Identity

SAMPLE = Path(__file__).with_name("sample_app")


@pytest.fixture
def cloud() -> Iterator[EmbeddedAzure]:
    """Give a cloud of the test's own."""
    with EmbeddedAzure(python=plain) as started:
        yield started


@pytest.fixture
def admin(cloud: EmbeddedAzure) -> ClientSecretCredential:
    """Sign in as the administrator."""
    return signed_in(cloud.identities.admin)


def signed_in(identity: Identity) -> ClientSecretCredential:
    """Return a credential of one of the people there are."""
    return ClientSecretCredential(TENANT, identity.client_id, identity.secret)
