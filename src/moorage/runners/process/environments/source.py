"""Where packages come from, in the words of uv."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PackageSource:
    """What uv is told of indexes and caches. URLs may hold credentials: they go to uv by its environment alone."""

    index_url: str | None = field(default=None, repr=False)
    """Of the package index; None is PyPI."""
    extra_index_urls: tuple[str, ...] = field(default=(), repr=False)
    """Indexes beside it; the best version of all of them is taken, as pip does."""
    find_links: tuple[str, ...] = field(default=(), repr=False)
    """Folders or pages with wheels."""
    no_index: bool = False
    """Whether `find_links` is all there is."""
    ca_bundle: str | None = None
    cache_dir: str | None = None
    """uv's cache; None is one of our own beside the environments, from which they are hard-linked."""
    pythons: tuple[str, ...] = ()
    """Interpreters beside those found on this machine."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What uv gets of the environment that Moorage was started in: `UV_*`, proxies, certificates, HOME for .netrc."""

    @property
    def uv_options(self) -> tuple[str, ...]:
        """What has no variable."""
        return ("--no-index",) if self.no_index else ()

    @property
    def may_add_torch_index(self) -> bool:
        """Whether PyTorch may be had from its own index of builds for CPUs: unless somebody has chosen already."""
        chosen = {"UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_TORCH_BACKEND", "UV_OFFLINE"} & set(
            self.variables
        )
        return not (chosen or self.index_url or self.no_index)

    def uv_variables(self, own_cache: Path) -> dict[str, str]:
        """All of uv's environment."""
        chosen = {
            "UV_DEFAULT_INDEX": self.index_url,
            "UV_INDEX": " ".join(self.extra_index_urls),
            "UV_INDEX_STRATEGY": "unsafe-best-match" if self.extra_index_urls else None,
            "UV_FIND_LINKS": ",".join(self.find_links),
            "SSL_CERT_FILE": self.ca_bundle,
            "UV_CACHE_DIR": self.cache_dir,
        }
        always = {"UV_NO_CONFIG": "1", "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
        return {
            "UV_CACHE_DIR": str(own_cache),
            **self.variables,
            **{name: value for name, value in chosen.items() if value},
            **always,
        }
