"""What the agent is told from outside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """Folders must exist or be makeable; `run_dir` must be short enough for Unix sockets below it."""

    run_dir: Path
    """For `agent.sock`, and `i/` with the instances' sockets."""
    instances_dir: Path
    models_dir: Path
    logs_dir: Path
    health_interval_s: float = 5.0
    ping_timeout_s: float = 2.0
    misses_max: int = 3
    """Unanswered pings in a row after which a ready instance is unhealthy."""
    stop_grace_s: float = 30.0
    """Between SIGTERM and SIGKILL."""
    watch_interval_s: float = 1.0
    """How often the agent looks whether its own folders and socket are still there."""

    @property
    def socket_path(self) -> Path:
        return self.run_dir / "agent.sock"

    @property
    def instance_sockets_dir(self) -> Path:
        return self.run_dir / "i"
