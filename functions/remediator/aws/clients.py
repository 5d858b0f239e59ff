"""Make SDK clients: one session, short time-outs, few retries."""

from __future__ import annotations

import botocore.session
from botocore.config import Config

CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=32,
)

ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})
"""For calls that count up or down: one whose reply was lost isn't sent again, as it would count twice."""


def new_session() -> botocore.session.Session:
    """Return an SDK session with the function's own credentials."""
    session = botocore.session.get_session()
    session.set_default_client_config(CONFIG)
    return session


def session_beside(session: botocore.session.Session) -> botocore.session.Session:
    """Return a session for credentials that aren't the function's; what the SDK has read of its data is shared."""
    beside = new_session()
    beside.register_component("data_loader", session.get_component("data_loader"))
    return beside
