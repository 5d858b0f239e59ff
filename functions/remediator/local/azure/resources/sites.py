"""Keep the function apps' sites: what they are configured with, what was published to them, whether they run."""

from __future__ import annotations

import io
import shutil
import threading
import uuid
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from remediator.local.azure.apps.app import FunctionApp
from remediator.local.azure.apps.settings import BadApp
from remediator.local.azure.rbac.roles import covers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from remediator.local.azure.apps.host import AppHost

SUCCEEDED: Final = 4
FAILED: Final = 3
"""What the publishing service calls the end of a build."""


@dataclass(slots=True)
class Site:
    """Hold one site. `folder` is where its package lies unpacked, None before the first one; `closed` as an app's."""

    id: str
    settings: Mapping[str, str]
    identities: tuple[str, ...]
    tags: dict[str, str] = field(default_factory=dict)
    running: bool = True
    folder: Path | None = None
    closed: bool = False

    @property
    def name(self) -> str:
        """Return the site's name, which is its app's."""
        return self.id.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Build:
    """Hold what came of publishing a package."""

    id: str
    status: int
    text: str = ""


class SiteKeeper:
    """Run on the host what the sites are. `folder` is where packages are unpacked to. Thread-safe."""

    def __init__(self, host: AppHost, folder: Path) -> None:
        self._host = host
        self._folder = folder
        self._lock = threading.RLock()
        self._sites: dict[str, Site] = {}
        self._builds: dict[str, list[Build]] = {}

    def put(self, site_id: str, settings: Mapping[str, str], identities: tuple[str, ...], *, closed: bool) -> None:
        """Configure a site; a package that it runs starts anew with it. Its tags are what the template says: none."""
        with self._lock:
            before = self._sites.get(site_id.lower())
            folder, running = (before.folder, before.running) if before else (None, True)
            site = Site(site_id, dict(settings), identities, {}, running, folder, closed)
            self._sites[site_id.lower()] = site
            now = (site.settings, identities, closed)
            changed = before is None or (before.settings, before.identities, before.closed) != now
        if changed:
            self._run(site)

    def find(self, site_id: str) -> Site | None:
        """Return a site by its id."""
        with self._lock:
            return self._sites.get(site_id.lower())

    def named(self, name: str) -> Site | None:
        """Return a site by its name."""
        with self._lock:
            return next((one for one in self._sites.values() if one.name.lower() == name.lower()), None)

    def publish(self, site: Site, package: bytes) -> Build:
        """Unpack a package and run it in the place of the one before. Its requirements are the host's to have."""
        identity = str(uuid.uuid4())
        folder = self._folder / f"{site.name}-{identity}"
        try:
            with zipfile.ZipFile(io.BytesIO(package)) as archive:
                archive.extractall(folder)
            before, site.folder = site.folder, folder
            self._run(site)
            build = Build(identity, SUCCEEDED)
            if before is not None:
                shutil.rmtree(before, ignore_errors=True)
        except (zipfile.BadZipFile, BadApp) as error:
            build = Build(identity, FAILED, str(error))
        with self._lock:
            self._builds.setdefault(site.name.lower(), []).append(build)
        return build

    def build(self, site: Site, identity: str) -> Build | None:
        """Return a build by its id, or the `latest`."""
        with self._lock:
            builds = self._builds.get(site.name.lower(), [])
            if identity == "latest":
                return builds[-1] if builds else None
            return next((one for one in builds if one.id == identity), None)

    def forget_below(self, scope: str) -> None:
        """Stop and forget the sites in a scope."""
        with self._lock:
            gone = [self._sites.pop(key) for key in list(self._sites) if covers(scope, key)]
        for site in gone:
            self._host.remove(site.name)
            if site.folder is not None:
                shutil.rmtree(site.folder, ignore_errors=True)

    def stop(self, site: Site) -> None:
        """Stop a site: nobody answers at its name, and its timers don't fire."""
        site.running = False
        self._host.remove(site.name)

    def start(self, site: Site) -> None:
        """Start a site that was stopped."""
        site.running = True
        self._run(site)

    def _run(self, site: Site) -> None:
        if site.running and site.folder is not None:
            settings = dict(site.settings)
            self._host.deploy(FunctionApp(site.name, site.folder, settings, site.identities, closed=site.closed))
