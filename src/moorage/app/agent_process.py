"""The agent process: owns the instances of this machine."""

from __future__ import annotations

import asyncio

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
        health_interval_s=settings.health_interval_s,
    )
