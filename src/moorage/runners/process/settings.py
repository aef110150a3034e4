"""What the agent is told from outside."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path

from moorage.runners.process.environments.source import PackageSource


class RequireIsolation(enum.Enum):
    """What happens where this machine cannot isolate instances as it should."""

    AVAILABLE = "available"
    """They get what there is, and what is lacking is said."""
    STRICT = "strict"
    """They are not started."""


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """Folders must exist or be makeable; `run_dir` must be short enough for Unix sockets below it."""

    run_dir: Path
    """For `agent.sock`, and `i/` with the instances' sockets."""
    instances_dir: Path
    models_dir: Path
    logs_dir: Path
    environments_dir: Path
    packages: PackageSource = field(default_factory=PackageSource)
    """Where environments are built from."""
    environments_bytes_max: int = 20 << 30
    """Of all environments, beyond which those that nothing runs in are removed."""
    health_interval_s: float = 5.0
    ping_timeout_s: float = 2.0
    misses_max: int = 3
    """Unanswered pings in a row after which a ready instance is unhealthy."""
    stop_grace_s: float = 30.0
    """Between SIGTERM and SIGKILL."""
    nursery_idle_s: float = 600.0
    """How long a nursery without instances is kept for the next one."""
    hidden: tuple[Path, ...] = ()
    """Folders that no instance has any business in, besides those above."""
    require_isolation: RequireIsolation = RequireIsolation.AVAILABLE
    instance_users_first: int = 700_000
    """The first uid, and gid, that instances run as if the agent is root. No account may be among them."""
    instance_users: int = 65_536
    instance_processes_max: int = 4096
    """Processes and threads together that one user of an instance may have."""
    instance_memory_bytes_max: int = 0
    """Of each process of an instance with all it starts; 0 is no limit."""
    log_bytes_per_s: int = 1 << 20
    """How much an instance may log, over ten seconds."""
    watch_interval_s: float = 1.0
    """How often the agent looks whether its own folders and socket are still there."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """All that have to be there."""
        return (self.run_dir, self.instances_dir, self.models_dir, self.logs_dir, self.environments_dir)

    @property
    def socket_path(self) -> Path:
        return self.run_dir / "agent.sock"

    @property
    def instance_sockets_dir(self) -> Path:
        return self.run_dir / "i"
