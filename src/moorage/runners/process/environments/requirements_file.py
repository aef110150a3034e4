"""A model's requirements.txt, before uv sees it: what it may ask of the agent, which installs for it.

The agent is not the model: it has the network, other models' files and credentials of package indexes. So only wheels
are installed, which run no code on the way; files are read only from the model's own folder; and nothing is expanded
from the agent's environment.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DEPTH_MAX: Final = 8
BYTES_MAX: Final = 256 << 10
_COMMENT: Final = re.compile(r"(^|\s+)#.*$")
_OPTION: Final = re.compile(r"(--?[a-z-]+)(?:[\s=]+(.*))?$", re.DOTALL)
_INCLUDES: Final = frozenset({"-r", "--requirement", "-c", "--constraint"})
_EDITABLE: Final = frozenset({"-e", "--editable"})
_URLS: Final = frozenset({"-i", "--index-url", "--extra-index-url", "-f", "--find-links"})
_PASSED: Final = frozenset({"--pre", "--require-hashes", "--no-index"})
_IGNORED: Final = frozenset({"--prefer-binary", "--only-binary", "--trusted-host", "--use-feature"})
"""They ask for what is done anyway, or what only pip knows."""
_WEB: Final = ("https://", "http://")
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_SPECIFIER: Final = re.compile(r"\s*(?:\[[^]]*\])?\s*(?:$|===|[=~!<>]=|[<>]|\(|;|--hash)")
"""What follows a name: extras, versions, a marker or a hash (PEP 508, roughly: versions are for uv to read)."""


class RequirementsRefused(Exception):
    """The file asks for what is not done here; the message is the sentence that says so."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """A checked requirements.txt with all it includes."""

    lines: tuple[str, ...]
    """For uv, local wheels by absolute path."""
    constraints: tuple[str, ...]
    digest: str
    """Of the contents: equal for the same file in another folder."""

    @property
    def names(self) -> frozenset[str]:
        """The packages that it names, as `name_in` writes them."""
        return frozenset(name_in(line) for line in self.lines)


def read_requirements(path: Path) -> Requirements:
    """The file at `path`, which may include others of its folder. Raises RequirementsRefused."""
    reader = _Reader(path.parent.resolve())
    reader.include(reader.inside(path.name, path, path.name), lines=reader.lines)
    return Requirements(tuple(reader.lines), tuple(reader.constraints), reader.digest.hexdigest())


def name_in(line: str) -> str:
    """The package of a requirement as indexes compare names: `Scikit_Learn>=1` → `scikit-learn` (PEP 503).

    Also of a wheel's path or URL, whose last part begins with it. Empty for an option.
    """
    if line.startswith("-"):
        return ""
    if line.startswith("/") or "://" in line.partition("@")[0]:
        line = line.partition(";")[0].rpartition("/")[2].partition("-")[0]
    found = _NAME.match(line)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


class _Reader:
    def __init__(self, folder: Path) -> None:
        self.lines: list[str] = []
        self.constraints: list[str] = []
        self.digest = hashlib.sha256()
        self._folder = folder

    def inside(self, name: str, path: Path, line: str) -> Path:
        """The file that a line of `path` calls `name`. Raises RequirementsRefused unless it is in the folder."""
        found = (path.parent / name).resolve()
        if not found.is_relative_to(self._folder):
            raise _refused(path, line, "it leads out of the folder of the requirements")
        if not found.is_file():
            raise _refused(path, line, "there is no such file in the model data")
        return found

    def include(self, path: Path, *, lines: list[str], depth: int = 0) -> None:
        """Take the lines of a file that `inside` has found."""
        if depth > DEPTH_MAX:
            raise RequirementsRefused(f"{path.name}: requirements are included more than {DEPTH_MAX} files deep")
        for line in _logical_lines(_text(path)):
            self._take(line, path, lines, depth)

    def _take(self, line: str, path: Path, lines: list[str], depth: int) -> None:
        if "${" in line:
            raise _refused(path, line, "variables are not expanded here")
        if "--hash" in line and "==" not in line.partition("--hash")[0]:
            raise _refused(path, line, "a hash is of one version: name it by ==")
        what = line.partition(";")[0].strip()
        if line.startswith("-"):
            self._take_option(line, path, lines, depth)
        elif "@" in what or "://" in what:
            self._add(_checked_url(line, path), lines)
        elif "/" in what or what.startswith(".") or what.endswith(".whl"):
            self._add_wheel(line, path, lines)
        elif _is_requirement(line):
            self._add(line, lines)
        else:
            raise _refused(path, line, "a package is required like name, name==1.2 or name>=1.2,<2")

    def _take_option(self, line: str, path: Path, lines: list[str], depth: int) -> None:
        found = _OPTION.match(line)
        name, value = (found[1], (found[2] or "").strip()) if found else (line, "")
        if name in _INCLUDES:
            lines = lines if name in {"-r", "--requirement"} else self.constraints
            self.include(self.inside(value, path, line), lines=lines, depth=depth + 1)
        elif name in _URLS:
            if not value.startswith(_WEB):
                raise _refused(path, line, "packages come from an index or page by its URL; list a wheel by its path")
            self._add(line, lines)
        elif name in _EDITABLE:
            raise _refused(
                path, line, "nothing can be edited in model data: list the package, or a wheel in the archive"
            )
        elif name in _PASSED:
            self._add(line, lines)
        elif name not in _IGNORED:
            raise _refused(path, line, f"the option {name} is not known here")

    def _add(self, line: str, lines: list[str]) -> None:
        self._note(line, lines)
        lines.append(line)

    def _note(self, text: str, lines: list[str]) -> None:
        """Let the digest depend on what is added to `lines`."""
        kind = "constraint" if lines is self.constraints else "requirement"
        self.digest.update(f"{kind} {text}\n".encode())

    def _add_wheel(self, line: str, path: Path, lines: list[str]) -> None:
        name, *marker = line.split(";", 1)
        wheel = self.inside(name.strip(), path, line)
        if wheel.suffix != ".whl":
            raise _refused(path, line, "of local files only wheels are installed, nothing is built")
        contents = hashlib.sha256(wheel.read_bytes()).hexdigest()
        self._note(f"{wheel.name} {contents} ;{''.join(marker)}", lines)
        lines.append(" ;".join([str(wheel), *marker]))


def _is_requirement(line: str) -> bool:
    found = _NAME.match(line)
    return found is not None and _SPECIFIER.match(line, found.end()) is not None


def _text(path: Path) -> str:
    data = path.read_bytes()[: BYTES_MAX + 1]
    if len(data) > BYTES_MAX:
        raise RequirementsRefused(f"{path.name} is larger than {BYTES_MAX} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RequirementsRefused(f"{path.name} is not UTF-8 text") from None


def _logical_lines(text: str) -> Iterator[str]:
    """Without comments, empty lines, and the breaks of continued lines (pip, "Requirements File Format")."""
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        stripped = _COMMENT.sub("", line).strip()
        if stripped:
            yield stripped


def _checked_url(line: str, path: Path) -> str:
    """`name @ https://…/name-1.0-py3-none-any.whl`, or its URL alone."""
    url = line if line.startswith(_WEB) else line.partition("@")[2].strip()
    if not url.startswith(_WEB):
        raise _refused(
            path, line, "packages come from an index or as a wheel by http(s), not from repositories or files"
        )
    if not url.split(";")[0].split("#")[0].strip().endswith(".whl"):
        raise _refused(path, line, "only wheels are installed, nothing is built")
    return line


def _refused(path: Path, line: str, why: str) -> RequirementsRefused:
    return RequirementsRefused(f"{path.name} asks for {line!r}: {why}")
