"""How Jupyter gets its kernels from an engine."""

import subprocess
from typing import Any, ClassVar
from uuid import uuid4

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

from kpi_lib.publish.kernels import Stock


class Provisioner(LocalProvisioner):
    """Takes a kernel from the engine if it has one, else starts a process as Jupyter does."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """Start a kernel on the connection file that is written."""
        kernel = self.parent.engine.launch(cmd, options["env"], str(options.get("cwd") or "."))
        if not kernel:
            return await super().launch_kernel(cmd, **options)
        self.process, self.pid, self.pgid, self.cwd = kernel, kernel.pid, kernel.pid, options.get("cwd")
        return self.connection_info


class Manager(AsyncKernelManager):
    """Starts this very interpreter's kernels and keeps their own noise off the terminal."""

    engine: ClassVar[Stock]

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


def manager_of(engine: Stock) -> type[Manager]:
    """Return the kernel manager for notebooks run by an engine."""
    return type("Manager", (Manager,), {"engine": engine})
