"""A tool's process, asked one case after another; one that takes too long is ended and begun anew."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any

from .case import Case
from .tools import Tool
from .verdict import ERROR, Verdict, judge

_PACKAGE = Path(__file__).parent
_START_S = 120.0  # what importing the tool and starting its cluster may take on top, with the first case


class Session:
    """A context in which a tool answers cases."""

    def __init__(self, tool: Tool, python: Path) -> None:
        self._command = [str(python), "-m", f"{_PACKAGE.name}.adapters.{tool.adapter}", tool.variant]
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def ask(self, case: Case) -> Verdict:
        """The verdict on the tool's answer."""
        extra = 0.0 if self._process else _START_S
        process = self._process or self._begin()
        began = time.monotonic()
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(case.as_json()) + "\n")
            process.stdin.flush()
            line = self._lines.get(timeout=case.limit_s + extra)
        except queue.Empty:
            self._end()
            return Verdict(ERROR, f"no answer in {case.limit_s:g} s", time.monotonic() - began)
        except BrokenPipeError:
            line = ""
        if not line:
            self._end()
            return Verdict(ERROR, f"the process died: {self._last_words}", time.monotonic() - began)
        reply: dict[str, Any] = json.loads(line)
        return judge(case, reply, time.monotonic() - began)

    def _begin(self) -> subprocess.Popen[str]:
        self._errors = TemporaryFile("w+")  # noqa: SIM115 - read after the process has died
        self._lines = queue.Queue()
        environment = {**os.environ, "PYTHONPATH": str(_PACKAGE.parent), "PYTHONWARNINGS": "ignore"}
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment,
            start_new_session=True,
        )
        self._listener = threading.Thread(target=self._listen, args=(self._process, self._lines), daemon=True)
        self._listener.start()
        return self._process

    @staticmethod
    def _listen(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
        for line in process.stdout or ():
            lines.put(line)
        lines.put("")

    def _end(self) -> None:
        """End the process with all that it started, such as a cluster."""
        if self._process is None:
            return
        process, self._process = self._process, None
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.close()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._listener.join()
        if process.stdout is not None:
            process.stdout.close()
        self._errors.seek(0)
        self._last_words = (self._errors.read().strip().splitlines() or ["nothing on stderr"])[-1]
        self._errors.close()
