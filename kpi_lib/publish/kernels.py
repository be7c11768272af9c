"""The kernels that notebooks run in: each an interpreter of its own (stock), or forked from one that has imported."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import IO, Any

BOOT = "import sys; del sys.path[0]; from kpi_lib.kernel_server import main; main(int(sys.argv[1]), sys.argv[2])"
PATIENCE = 60  # seconds until a server that says nothing counts as dead
LONGEST = 70  # bytes of a folder's name in which a socket's address still fits into the system's 107


class Stock:
    """Kernels as Jupyter starts them: this very interpreter, anew for each notebook."""

    note = ""  # what a person should know of it, in a line

    def __init__(self) -> None:
        self.processes: list[Any] = []

    def warm(self) -> None:
        """Begin with what takes time, without waiting for it."""

    def launch(self, command: list[str], env: Mapping[str, str], folder: str) -> "Forked | None":
        """Return a kernel that was started otherwise than as a process of its own."""
        return None

    @property
    def sockets(self) -> Path | None:
        """The folder for the kernels' sockets; None if they are to listen on ports."""
        return None

    def kill(self) -> None:
        """End kernels that still run, so that an interrupted run ends at once."""
        for process in self.processes:
            with suppress(OSError):
                process.kill()

    def close(self) -> None:
        """Give back what the engine holds."""


class Preloaded(Stock):
    """Kernels forked from a process that has imported what notebooks need; stock ones if that process is not there."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root, self._lock = root, RLock()
        self._server: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._answers: IO[bytes] | None = None
        self._folder: Path | None = None
        self._ready = self._lost = False

    def warm(self) -> None:
        """Start the process; it imports while something else is done."""
        with self._lock:
            if self._server or self._lost:
                return
            self._socket, theirs = socket.socketpair()
            self._socket.settimeout(PATIENCE)
            self._answers = self._socket.makefile("rb")
            silent = subprocess.DEVNULL
            with theirs:
                try:
                    self._server = subprocess.Popen(
                        [sys.executable, "-c", BOOT, str(theirs.fileno()), str(self.sockets)],
                        pass_fds=[theirs.fileno()],
                        cwd=self._root,
                        stdin=silent,
                        stdout=silent,
                        stderr=silent,
                        start_new_session=True,
                    )
                except OSError as error:
                    self._gone(error)

    @property
    def sockets(self) -> Path:
        """A folder that only this user may enter."""
        with self._lock:
            if not self._folder:
                short = len(os.fsencode(tempfile.gettempdir())) <= LONGEST
                self._folder = Path(tempfile.mkdtemp(prefix="kpi-", dir=None if short else "/tmp"))
            return self._folder

    def launch(self, command: list[str], env: Mapping[str, str], folder: str) -> "Forked | None":
        """Return a forked kernel; None if it is to be started as a process of its own."""
        self.warm()
        with self._lock:
            if not self._ready:
                first = self._answer()
                self._ready = "ready" in first
                if "error" in first:
                    self._gone(first["error"])
            argv = command[command.index("ipykernel_launcher") + 1 :]
            said = self._asked({"argv": argv, "env": dict(env), "cwd": folder})
            if "error" in said:  # this one could not be forked; those that run go on
                self._tell(said["error"])
        return Forked(self, said["pid"]) if "pid" in said else None

    def ended(self, pid: int) -> int | None:
        """Return the code a kernel ended with, None while it runs; kernels end with the process they came from."""
        with self._lock:
            said = self._asked({"poll": pid})
        code: int | None = said.get("code", -signal.SIGKILL)
        return code

    def close(self) -> None:
        """End the process and what it has forked, and take the sockets' folder away."""
        with self._lock:
            self._shut()
            if self._folder:
                shutil.rmtree(self._folder, ignore_errors=True)
            if self._server:
                try:
                    self._server.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    self._server.kill()
                    self._server.wait()

    def _asked(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if self._lost or not self._socket:
            return {}
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            self._gone(error)
            return {}
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        """Return what the process says next; nothing once it is gone."""
        if self._lost or not self._answers:
            return {}
        try:
            line = self._answers.readline()
        except OSError as error:
            self._gone(error)
            return {}
        said: dict[str, Any] = json.loads(line) if line else {}
        if not said:
            self._gone(ConnectionError())
        return said

    def _gone(self, error: OSError | str) -> None:
        self._tell("the process they are forked from ended" if isinstance(error, ConnectionError) else str(error))
        self._lost = True
        if self._server:
            self._server.kill()
        self._shut()

    def _tell(self, why: str) -> None:
        self.note = f"kernels are not preloaded ({why}); each notebook starts an interpreter of its own"

    def _shut(self) -> None:
        if self._answers:
            self._answers.close()
        if self._socket:
            self._socket.close()


class Forked:
    """A forked kernel, with as much of `subprocess.Popen` as Jupyter uses; it leads a process group."""

    stdin = stdout = stderr = None

    def __init__(self, engine: Preloaded, pid: int) -> None:
        self.pid, self._engine = pid, engine
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return how it ended, None while it runs."""
        if self.returncode is None:
            self.returncode = self._engine.ended(self.pid)
        return self.returncode

    def wait(self) -> int:
        """Return how it ended, when it has."""
        while (code := self.poll()) is None:
            time.sleep(0.02)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal to it while it runs."""
        if self.poll() is None:
            os.killpg(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


@contextmanager
def engine(name: str, root: Path) -> Iterator[Stock]:
    """Give the engine of a name for notebooks with `root` as working folder."""
    chosen = Stock()
    if name == "preloaded" and sys.platform == "linux":
        chosen = Preloaded(root)
    elif name == "preloaded":
        chosen.note = "kernels are preloaded on Linux alone; each notebook starts an interpreter of its own"
    try:
        yield chosen
    finally:
        chosen.close()
