"""Where this machine's packages come from, as uv or pip have been told.

uv reads nothing of pip's configuration, and a machine behind a mirror has often only that. So what pip is told is put
into uv's words, wherever uv itself has been told nothing. `[packages]` of moorage.toml wins over both.
"""

from __future__ import annotations

import configparser
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

_PASSED_ON: Final = frozenset(
    {"HOME", "PATH", "LANG", "NETRC", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT", "XDG_CACHE_HOME"}
    | {name for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY") for name in (proxy, proxy.lower())}
)
_INDEXES: Final = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL")


def find_package_source(variables: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a `PackageSource` that uv's variables, pip's variables and pip's files come to, the first first."""
    ours = {name: value for name, value in variables.items() if name in _PASSED_ON or name.startswith("UV_")}
    pip = _pip_settings(variables)
    found: dict[str, Any] = {"variables": ours}
    if not any(name in ours for name in _INDEXES):
        found["index_url"] = pip.get("index-url")
        found["extra_index_urls"] = pip.get("extra-index-url", "").split()
        found["no_index"] = pip.get("no-index", "").lower() in {"1", "true", "yes", "on"}
    if "UV_FIND_LINKS" not in ours:
        found["find_links"] = pip.get("find-links", "").split()
    if "SSL_CERT_FILE" not in ours:
        found["ca_bundle"] = pip.get("cert")
    return {name: value for name, value in found.items() if value}


def _pip_settings(variables: Mapping[str, str]) -> dict[str, str]:
    """pip's options by their long names: of its files, the later over the earlier, and of its variables over those."""
    settings: dict[str, str] = {}
    for path in _pip_files(variables):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue  # pip itself will say it
        for section in ("global", "install"):
            if parser.has_section(section):
                settings.update(parser[section])
    for name, value in variables.items():
        if name.startswith("PIP_"):
            settings[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    return settings


def _pip_files(variables: Mapping[str, str]) -> Iterator[Path]:
    """Where pip looks on Linux, the weakest first (its documentation, "Configuration")."""
    home = Path(variables.get("HOME", "/"))
    chosen = variables.get("PIP_CONFIG_FILE")
    if chosen == "/dev/null":
        return
    yield from (
        Path(folder) / "pip/pip.conf" for folder in reversed(variables.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":"))
    )
    yield Path("/etc/pip.conf")
    yield home / ".pip/pip.conf"
    yield Path(variables.get("XDG_CONFIG_HOME") or home / ".config") / "pip/pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if chosen:
        yield Path(chosen)
