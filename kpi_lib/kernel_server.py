"""A process that has imported what notebooks need, and forks a Jupyter kernel of itself whenever it is asked to.

It opens nothing: no event loop, no ZeroMQ context, no database, no thread of Python, so that a fork is as good as a
fresh interpreter. OpenBLAS and Arrow's allocator have helper threads, and each sees to them itself at a fork.
Requests and answers are lines of JSON; when the other side goes, so do the kernels and this process.
"""

import atexit
import ctypes
import gc
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from importlib import import_module, util
from pathlib import Path
from typing import Any

PRELOADED = (
    "ipykernel.kernelapp",  # first, as in a kernel: the order of warnings filters is that of imports
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "kpi_lib.report",
    "holidays.countries",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.pyplot",
    "pyarrow.dataset",
    "pyarrow.parquet",
)
BACKEND = "module://matplotlib_inline.backend_inline"  # what ipykernel sets before a notebook imports matplotlib
DIE_WITH_PARENT = 1  # Linux: PR_SET_PDEATHSIG


def main(descriptor: int, folder: str) -> None:
    """Serve the process at the other end of an inherited socket; in a forked child, be a kernel instead.

    `folder`, where the kernels' sockets lie, is taken away when the command that owns it died without doing so.
    """
    command = os.getppid()
    atexit.register(os._exit, 0)  # the last to be called: memory is left to the system and not freed piece by piece
    with socket.socket(fileno=descriptor) as connection:
        connection.set_inheritable(False)
        request = serve(connection)
    if request:
        be_kernel(request)
    elif _abandoned(folder, command):
        shutil.rmtree(folder, ignore_errors=True)


def _abandoned(folder: str, command: int) -> bool:
    """Tell whether the command is gone and its folder is not; one that closes its end lives on a little."""
    for _ in range(200):
        if not Path(folder).is_dir():
            return False
        if os.getppid() != command:
            return True
        time.sleep(0.01)
    return False


def serve(connection: socket.socket) -> dict[str, Any] | None:
    """Answer requests until the other side closes; return None then, and in a forked child what it is to run."""
    lines = connection.makefile("rb")
    running: set[int] = set()

    def answer(said: dict[str, Any]) -> None:
        connection.sendall(json.dumps(said).encode() + b"\n")

    try:
        preload()
    except Exception as error:
        answer({"error": f"{type(error).__name__}: {error}"})
        return None
    with suppress(OSError):
        answer({"ready": True})
        for line in lines:
            request = json.loads(line)
            if "poll" in request:
                answer({"code": _ended(request["poll"], running)})
                continue
            try:
                child = os.fork()
            except OSError as error:
                answer({"error": str(error)})
                continue
            if not child:
                lines.close()
                return dict(request)
            with suppress(OSError):
                os.setpgid(child, child)  # here and in the child: whoever is first
            running.add(child)
            answer({"pid": child})
    for child in running:
        with suppress(OSError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return None


def preload() -> None:
    """Import what notebooks need, as a kernel would import it."""
    given = "MPLBACKEND" in os.environ
    os.environ.setdefault("MPLBACKEND", BACKEND)
    for name in PRELOADED:
        import_module(name)
    if not given:
        del os.environ["MPLBACKEND"]
    if threading.active_count() > 1:
        raise RuntimeError("an imported module has started a thread")
    gc.collect()
    gc.freeze()  # pages that the collector does not touch stay shared between the forks


def _ended(child: int, running: set[int]) -> int | None:
    """Return the code that a kernel ended with, as subprocess tells it; None while it runs."""
    done, status = os.waitpid(child, os.WNOHANG)
    if not done:
        return None
    running.discard(child)
    return os.waitstatus_to_exitcode(status)


def die_with_parent(by: signal.Signals) -> None:
    """Have this process end by a signal when the one that started it ends, where Linux sees to that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, by, 0, 0, 0)


def be_kernel(request: dict[str, Any]) -> None:
    """Run an ipykernel in this process, which is to look like one that was started for it."""
    with suppress(OSError):
        os.setpgid(0, 0)
    parent = os.getppid()
    die_with_parent(signal.SIGKILL)
    os.environ.clear()
    os.environ.update(request["env"] | {"JPY_PARENT_PID": str(parent)})
    time.tzset()
    os.chdir(request["cwd"])
    launcher = util.find_spec("ipykernel_launcher")
    sys.argv = [(launcher and launcher.origin) or "ipykernel_launcher", *request["argv"]]
    import numpy
    from ipykernel.kernelapp import IPKernelApp

    numpy.random.seed()  # `random` does so itself
    IPKernelApp.launch_instance(argv=request["argv"], parent_handle=parent)
