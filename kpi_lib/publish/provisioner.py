"""How Jupyter gets its kernels from an engine."""

import subprocess
from math import inf
from queue import Empty
from time import monotonic
from typing import Any, ClassVar
from uuid import uuid4

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

from kpi_lib.publish.kernels import Stock

SOON = 0.01  # seconds between two looks at whether a kernel has ended


class Provisioner(LocalProvisioner):
    """Takes a kernel from the engine if it has one, else starts a process as Jupyter does."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """Start a kernel on the connection file that is written."""
        kernel = self.parent.engine.launch(cmd, options["env"], str(options.get("cwd") or "."))
        if not kernel:
            return await super().launch_kernel(cmd, **options)
        self.process, self.pid, self.pgid, self.cwd = kernel, kernel.pid, kernel.pid, options.get("cwd")
        return self.connection_info


class Client(AsyncKernelClient):
    """Talks to a kernel from the moment it answers; Jupyter's own waits until it has been silent for a while."""

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        until = monotonic() + (inf if timeout is None else timeout)
        while True:
            self.kernel_info()
            try:
                reply = await self.get_shell_msg(timeout=1)
                await self.get_iopub_msg(timeout=0.2)  # outputs are heard, too
            except Empty:
                pass
            else:
                self._handle_kernel_info_reply(reply)
                return
            if not await self._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if monotonic() > until:
                raise RuntimeError(f"Kernel didn't respond in {timeout} seconds")

    wait_for_ready = _async_wait_for_ready


class Manager(AsyncKernelManager):
    """Starts this very interpreter's kernels and keeps their own noise off the terminal."""

    engine: ClassVar[Stock]
    client_factory = Client

    async def _async_start_kernel(self, **options: Any) -> None:
        self.kernel_spec_manager = KernelSpecManager(kernel_dirs=[])
        self.kernel_id = str(uuid4())
        if folder := self.engine.sockets:
            self.transport, self.connection_file = "ipc", str(folder / f"{self.kernel_id[:8]}.json")
        self.provisioner = Provisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        options |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        await super()._async_start_kernel(**options)
        self.engine.processes.append(self.provisioner.process)

    start_kernel = _async_start_kernel

    async def _async_wait(self, pollinterval: float = SOON) -> None:
        await super()._async_wait(min(pollinterval, SOON))


def manager_of(engine: Stock) -> type[Manager]:
    """Return the kernel manager for notebooks run by an engine."""
    return type("Manager", (Manager,), {"engine": engine})
