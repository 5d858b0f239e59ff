"""Enforce IAM in the embedded account: who calls, what may they do, and why not."""

from .enforcement import authorize, install
from .identities import assume_for_service, principal_of
from .principal import Principal, Refused
from .signature import authenticate

__all__ = ["Principal", "Refused", "assume_for_service", "authenticate", "authorize", "install", "principal_of"]
