"""Redirect all plain HTTP to HTTPS at a web app."""

from __future__ import annotations

from typing import ClassVar

from remediator.catalogue.azure.property import Property
from remediator.catalogue.azure.resources import WEB_APP
from remediator.catalogue.spec import Example, Severity, allow, ids


class RequireHttps(Property):
    """Redirect all plain HTTP to HTTPS at a web app.

    Browsers follow the redirect; clients that don't, probes of health on port 80 and callbacks that were registered
    with `http://` fail. Custom domains without a certificate show a warning. Function apps are web apps too; slots have
    a setting of their own.
    """

    id = "azure.webapp.require-https"
    target = WEB_APP
    service = target.provider
    severity = Severity.MEDIUM
    path = ("properties", "httpsOnly")
    unset = False
    offending = (False,)
    wanted = True
    reads = allow("Microsoft.Web/sites/read")
    writes = allow("Microsoft.Web/sites/write")
    answers: ClassVar = {
        "cloudsploit": ids("httpsOnlyEnabled"),
        "defender": ids("1b351b29-41ca-6df5-946c-c190a56be5fe", "cb0acdc6-0846-fd48-debe-9905af151b6d"),
    }
    examples = (Example(broken=False, fixed=True),)
