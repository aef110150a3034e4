"""wrk, sending requests from a list in turn, byte for byte."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.machine import pinned

_UNITS_US: Final = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 6e7}
_SCRIPT: Final = """\
local requests, next_one = {}, 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for line in file:lines() do
    requests[#requests + 1] = assert(file:read(tonumber(line)))
  end
  file:close()
end

function request()
  next_one = next_one % #requests + 1
  return requests[next_one]
end
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What wrk saw. Latencies in microseconds."""

    requests: int
    seconds: float
    p50_us: float
    p99_us: float
    failures: int

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


class Wrk:
    """Closed-loop load from one thread on the given cores. `folder` gets the script and the requests."""

    def __init__(self, folder: Path, *on: int) -> None:
        self._on = on
        self._script = folder / "requests.lua"
        self._requests = folder / "requests"
        self._script.write_text(_SCRIPT)

    def load(self, requests: Sequence[bytes]) -> None:
        """Send these from now on."""
        self._requests.write_bytes(b"".join(b"%d\n%b" % (len(request), request) for request in requests))

    def run(self, netloc: str, *, connections: int, seconds: float) -> Reading:
        """Keep that many connections busy for that long. Raises CalledProcessError."""
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--latency", "-s", str(self._script)]
        command += [f"http://{netloc}/", "--", str(self._requests)]
        done = subprocess.run(pinned(command, *self._on), stdout=subprocess.PIPE, text=True, check=True)
        return _parse(done.stdout)


def _parse(printed: str) -> Reading:
    total = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m)\b", printed)
    if total is None:
        raise ValueError(f"wrk said: {printed}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", printed)
    return Reading(
        requests=int(total[1]),
        seconds=float(total[2]) * _UNITS_US[total[3]] / 1e6,
        p50_us=_percentile_us(printed, 50),
        p99_us=_percentile_us(printed, 99),
        failures=(int(refused[1]) if refused else 0) + sum(map(int, broken.groups() if broken else ())),
    )


def _percentile_us(printed: str, percent: int) -> float:
    found = re.search(rf"^ +{percent}% +([\d.]+)(us|ms|s|m)$", printed, re.MULTILINE)
    return float(found[1]) * _UNITS_US[found[2]] if found else float("nan")
