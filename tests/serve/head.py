"""A Ray head of its own, as an operator starts one: another home, another folder, free ports, and a token that is asked for."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

BIN = Path(sys.executable).parent
RAY = str(BIN / "ray")
_START_S = 60.0
_STOP_S = 40.0  # it drains for 30


@dataclass(frozen=True)
class Head:
    """A head that runs: where jobs are submitted, and the environment of somebody who holds the token."""

    address: str
    env: Mapping[str, str]

    def ray(self, *args: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """What `ray` says, both streams together."""
        return subprocess.run(
            [RAY, *args],
            env={**(env or self.env), "RAY_API_SERVER_ADDRESS": self.address},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=200,
            check=False,
        )


@contextmanager
def head(attempts: int = 3) -> Iterator[Head]:
    """A head with two CPUs; it and all that it started, its home and its folder are gone at the end."""
    # Sockets lie in the folder, and their paths may have no more than 107 characters.
    with tempfile.TemporaryDirectory(prefix="nt-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        env = _environment(Path(folder))
        subprocess.run([RAY, "get-auth-token", "--generate"], env=env, capture_output=True, check=True, umask=0o077)
        for _ in range(attempts):  # on a busy machine its processes may find each other too late
            gcs, dashboard, agent, client = _free_ports(4)
            command = [
                *(RAY, "start", "--head", "--block", "--num-cpus", "2", "--object-store-memory", str(256 << 20)),
                *("--port", gcs, "--dashboard-port", dashboard, "--dashboard-agent-listen-port", agent),
                *("--ray-client-server-port", client, "--min-worker-port", "0", "--max-worker-port", "0"),
            ]
            with _running(command, env, Path(folder) / "head.log") as up:
                if up:
                    yield Head(f"http://127.0.0.1:{dashboard}", env)
                    return
        raise RuntimeError((Path(folder) / "head.log").read_text())


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the Ray that others may run, and `nowthen` on the path of jobs."""
    for name in ("home", "ray"):
        (folder / name).mkdir()
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "NOWTHEN_"))}
    own = {"HOME": str(folder / "home"), "RAY_TMPDIR": str(folder / "ray"), "PATH": f"{BIN}:{plain.get('PATH', '')}"}
    return {**plain, **own, "RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}


def _free_ports(count: int) -> list[str]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [str(one.getsockname()[1]) for one in sockets]


@contextmanager
def _running(command: list[str], env: Mapping[str, str], log: Path) -> Iterator[bool]:
    """The command in a session of its own; whether it came up."""
    with log.open("w") as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=out, start_new_session=True)
    try:
        yield _came_up(process, log)
    finally:
        _end(process)


def _came_up(process: subprocess.Popen[bytes], log: Path) -> bool:
    for _ in range(int(_START_S / 0.2)):
        if "Ray runtime started" in log.read_text():
            return True
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
            return False
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """The head in order, then whatever is left of it, by their ids."""
    started = _started_by(process)
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_S)
    for one in started:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(started, timeout=10)
    process.wait()


def _started_by(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        head = psutil.Process(process.pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
