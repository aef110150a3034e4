"""The upstream and the proxies that ours is compared with: each a process with a core, and a folder for its files."""

from __future__ import annotations

import contextlib
import grp
import http.client
import json
import os
import pwd
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.machine import free_port, pinned

READY_S: Final = 20.0
ANSWER: Final = json.dumps(
    {
        "predictions": [
            {"predicted_class": "setosa", "probabilities": {"setosa": 1.0, "versicolor": 0.0, "virginica": 0.0}},
            {"predicted_class": "versicolor", "probabilities": {"setosa": 0.0, "versicolor": 0.98, "virginica": 0.02}},
            {"predicted_class": "virginica", "probabilities": {"setosa": 0.0, "versicolor": 0.03, "virginica": 0.97}},
        ]
    }
).encode()


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: its process, and where it listens."""

    pid: int
    netloc: str


@dataclass(frozen=True, slots=True)
class Upstream:
    """The instance: one nginx worker that answers every request with `ANSWER`, on TCP and on a Unix socket."""

    netloc: str
    path: Path


@contextlib.contextmanager
def upstream(folder: Path, *on: int) -> Iterator[Upstream]:
    """An upstream on these cores."""
    found = Upstream(f"127.0.0.1:{free_port()}", folder / "upstream.sock")
    server = f"""
        server {{
          listen {found.netloc} backlog=4096; listen unix:{found.path} backlog=4096;
          client_body_buffer_size 1m;
          location / {{ default_type application/json; return 200 '{ANSWER.decode()}'; }}
        }}"""
    with _running(pinned(_nginx(folder, server), *on), folder, found.netloc):
        yield found


@contextlib.contextmanager
def nginx(folder: Path, core: int, address: str) -> Iterator[Served]:
    """nginx as a plain reverse proxy with one worker and kept connections to `address`, HOST:PORT or unix:PATH."""
    netloc = f"127.0.0.1:{free_port()}"
    server = f"""
        upstream instance {{ server {address}; keepalive 256; keepalive_requests 1000000000; }}
        server {{
          listen {netloc} backlog=4096; client_body_buffer_size 1m;
          location / {{
            proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://instance/invocations;
          }}
        }}"""
    with _running(pinned(_nginx(folder, server), core), folder, netloc) as process:
        yield Served(process.pid, netloc)


@contextlib.contextmanager
def envoy(folder: Path, core: int, address: str) -> Iterator[Served]:
    """Envoy with one worker and nothing but its router before `address`, HOST:PORT or unix:PATH."""
    port = free_port()
    config = folder / "envoy.json"
    config.write_text(json.dumps(_envoy_config(port, _envoy_address(address))))
    command = ["envoy", "--config-path", str(config), "--concurrency", "1", "--log-level", "off"]
    command += ["--disable-hot-restart"]
    netloc = f"127.0.0.1:{port}"
    with _running(pinned(command, core), folder, netloc) as process:
        yield Served(process.pid, netloc)


def ask(netloc: str, request: bytes) -> tuple[int, bytes]:
    """One exchange on a connection of its own: status and body. Raises OSError, HTTPException."""
    host, _, port = netloc.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=READY_S) as sock:
        sock.sendall(request)
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        return answer.status, answer.read()


@contextlib.contextmanager
def _running(command: Sequence[str], folder: Path, netloc: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command while it is needed, once `netloc` accepts. Its output goes to a file in the folder."""
    output = folder / "output"
    with output.open("ab") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            wait_for(netloc, process, output)
            yield process
        finally:
            process.terminate()


def wait_for(netloc: str, process: subprocess.Popen[bytes], output: Path) -> None:
    """Return once the process answers, whatever it says. Ends the benchmark if it ends or takes too long."""
    deadline = time.monotonic() + READY_S
    while not _answers(netloc):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{process.args!r} does not start: {output.read_text(errors='replace')}")
        time.sleep(0.02)


def _answers(netloc: str) -> bool:
    try:
        return ask(netloc, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")[0] > 0
    except (OSError, http.client.HTTPException):
        return False


def _nginx(folder: Path, content: str) -> list[str]:
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = (
        f"{pwd.getpwuid(os.getuid()).pw_name} {grp.getgrgid(os.getgid()).gr_name}"  # else root's workers are nobody's
    )
    config = folder / "nginx.conf"
    config.write_text(f"""
        user {user};
        worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
        worker_rlimit_nofile 32768;
        events {{ worker_connections 16384; }}
        http {{ access_log off; keepalive_requests 1000000000; {paths} {content} }}""")
    return ["nginx", "-p", str(folder), "-c", str(config), "-e", f"{folder}/error.log"]


def _envoy_config(port: int, address: dict[str, Any]) -> dict[str, Any]:
    extensions = "type.googleapis.com/envoy.extensions.filters"
    router = {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{extensions}.http.router.v3.Router"}}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "instance", "prefix_rewrite": "/invocations"}}
    manager = {
        "@type": f"{extensions}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "ingress",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [router],
    }
    listener = {
        "address": _envoy_address(f"127.0.0.1:{port}"),
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    endpoint = {"lb_endpoints": [{"endpoint": {"address": address}}]}
    cluster = {
        "name": "instance",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "instance", "endpoints": [endpoint]},
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _envoy_address(address: str) -> dict[str, Any]:
    host, _, rest = address.partition(":")
    if host == "unix":
        return {"pipe": {"path": rest}}
    return {"socket_address": {"address": host, "port_value": int(rest)}}
