"""Refuse requests to a web app over TLS older than 1.2."""

from __future__ import annotations

from typing import ClassVar

from remediator.catalogue.azure.property import Property
from remediator.catalogue.azure.resources import WEB_APP
from remediator.catalogue.spec import Example, Severity, allow, ids


class RequireTls12(Property):
    """Refuse requests to a web app over TLS older than 1.2.

    Clients that speak no TLS 1.2 can't connect any more: old devices and browsers, and applications on old runtimes. An
    app that demands more already stays as it is. The deployment site (SCM) and slots have settings of their own.
    """

    id = "azure.webapp.require-tls12"
    target = WEB_APP
    service = target.provider
    severity = Severity.MEDIUM
    child = "/config/web"
    path = ("properties", "minTlsVersion")
    unset = "1.0"
    offending = ("1.0", "1.1")
    wanted = "1.2"
    reads = allow("Microsoft.Web/sites/config/read")
    writes = allow("Microsoft.Web/sites/config/write")
    answers: ClassVar = {
        "cloudsploit": ids("tlsVersionCheck"),
        "defender": ids("15be5f3c-e0a4-c0fa-fbff-8e50339b4b22", "2a54c352-7ca4-4bae-ad46-47ecd9595bd2"),
    }
    examples = (
        Example(broken="1.0", fixed="1.2", others=("1.1",)),
        Example(broken="1.1", fixed="1.2", others=("1.0",)),
    )
