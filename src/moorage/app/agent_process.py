"""The agent process: owns the instances of this machine."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import uvloop

from moorage.app.settings import Settings
from moorage.runners.process.agent import serve_agent
from moorage.runners.process.settings import AgentSettings
from moorage.system.clock import SystemClock


def run(settings: Settings) -> None:
    """Serve until told to end."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve_agent(agent_settings(settings), SystemClock()))


def agent_settings(settings: Settings) -> AgentSettings:
    """What of the settings the agent needs."""
    return AgentSettings(
        run_dir=settings.run_dir,
        instances_dir=settings.data_dir / "instances",
        models_dir=settings.data_dir / "models",
        logs_dir=settings.logs_dir,
        environments_dir=settings.environments_dir,
        packages=settings.packages,
        environments_bytes_max=settings.environments_bytes_max,
        hidden=(settings.data_dir, *_home()),
        require_isolation=settings.require_isolation,
        instance_users_first=settings.instance_users_first,
        instance_users=settings.instance_users,
        instance_processes_max=settings.instance_processes_max,
        instance_memory_bytes_max=settings.instance_memory_bytes_max,
        health_interval_s=settings.health_interval_s,
        log_bytes_per_s=settings.instance_log_bytes_per_s,
    )


def _home() -> tuple[Path, ...]:
    """Our user's home, which is no instance's business. Some users of services have none, or the root folder."""
    home = Path(os.path.expanduser("~")).resolve()
    return (home,) if home not in (Path("/"), Path.cwd() / "~") else ()
