"""What frameworks' models can be served: with what is installed, with what was built, and with what can be built."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Final

from moorage.app.settings import Settings
from moorage.cli.doctor.finding import Finding, good, note
from moorage.runners.process.environments.build import read_records
from moorage.runners.process.environments.interpreters import Interpreter, find_interpreters
from moorage.runners.process.environments.offers import Offer, find_offer
from moorage.runners.process.environments.requirements_file import name_in
from moorage.runners.process.environments.upkeep import CACHE_NAME
from moorage.runners.process.environments.uv import PackagesRefused, PackagesUnavailable, Uv
from moorage.runners.process.images import FRAMEWORKS, Framework
from moorage.system.tasks import all_of

_INDEX_TIMEOUT_S: Final = 6.0
Offers = dict[str, Offer | None]


def check_frameworks(settings: Settings, *, index_timeout_s: float = _INDEX_TIMEOUT_S) -> Iterator[Finding]:
    """The interpreters, then each framework. Asks the package index, for so long at most."""
    interpreters = find_interpreters(settings.packages.pythons)
    yield good("Pythons", ", ".join(f"{one} ({one.path})" for one in interpreters))
    try:
        offers = asyncio.run(_find_offers(settings, interpreters, index_timeout_s))
    except (PackagesUnavailable, PackagesRefused, TimeoutError) as error:
        reason = str(error) or f"no answer within {index_timeout_s:.0f} s"
        yield note("Package index", reason, advice="Without it only what is installed or built can be served")
        offers = {}
    built = [package for record in read_records(settings.environments_dir) for package in record.packages]
    for framework in FRAMEWORKS:
        if framework.package is not None:
            yield _check(framework, built, offers.get(framework.package))


async def _find_offers(settings: Settings, interpreters: Sequence[Interpreter], timeout_s: float) -> Offers:
    packages = [framework.package for framework in FRAMEWORKS if framework.package is not None]
    with _cache(settings) as cache:
        uv = Uv(settings.packages, cache).impatient()
        async with asyncio.timeout(timeout_s):
            found = await all_of(find_offer(package, interpreters, uv) for package in packages)
    return dict(zip(packages, found, strict=True))


@contextmanager
def _cache(settings: Settings) -> Iterator[Path]:
    """uv's cache, or a passing one before the first start: a look at the machine makes no data directory."""
    if settings.environments_dir.is_dir():
        yield settings.environments_dir / CACHE_NAME
        return
    with tempfile.TemporaryDirectory(prefix="moorage-doctor-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _check(framework: Framework, built: Sequence[str], offer: Offer | None) -> Finding:
    names = [name for name in (framework.package, *framework.twins) if name]
    installed = next((version for name in names if (version := _installed(name))), None)
    versions = sorted({line.partition("==")[2] for line in built if name_in(line) in names})
    parts = [
        f"{installed} installed beside Moorage" if installed else "",
        f"built: {', '.join(versions)}" if versions else "",
        f"can be built: {offer}" if offer else "",
    ]
    text = "; ".join(filter(None, parts))
    if not text:
        return note(framework.title, "neither installed nor built, and no index offers it to these Pythons")
    return good(framework.title, text)


def _installed(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
