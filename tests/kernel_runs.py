"""Notebooks run in kernels of an engine, and whether the processes that they ran in are still there."""

from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic

import nbformat
from publish_books import notebook

from kpi_lib.publish import kernels
from kpi_lib.publish.execute import Chapter, run_all
from kpi_lib.publish.progress import Progress


def ran(engine, folder, *cells, names=("it",), **options):
    """Run one or more notebooks of the same cells; returns the runs."""
    chapters = [Chapter(name, notebook(folder, name, cells, parameters=None)) for name in names]
    (folder / "out").mkdir(exist_ok=True)
    return run_all(chapters, {}, into=folder / "out", root=folder, progress=Progress(), engine=engine, **options)


def outputs(run):
    assert run.failure is None, run.failure
    return [cell.get("outputs") for cell in nbformat.read(run.output, as_version=4).cells]


def said(run):
    return "".join(out.text for each in outputs(run) for out in each or [] if out.output_type == "stream").split()


def alive(pid):
    """Whether a process runs; one that has ended and waits to be asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(true, seconds=20.0):
    deadline = monotonic() + seconds
    while not true():
        assert monotonic() < deadline, "it did not come about"
        Event().wait(0.02)


def children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@contextmanager
def watched(root):
    """Give an engine of its own, and see afterwards that neither process nor folder is left of it."""
    with kernels.engine("preloaded", root) as engine:
        engine.warm()
        yield engine
        of_server, folder = engine._server.pid, engine.sockets
        forked = [each.pid for each in engine.processes]
    assert not any(map(alive, [of_server, *forked]))
    assert not Path(f"/proc/{of_server}").exists()
    assert not folder.exists()
