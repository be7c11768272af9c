"""Kernels that die, hang or cannot be had: it is told, the others go on, and nothing is left of them."""

import asyncio
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from queue import Empty

import pytest
from kernel_runs import alive, children, eventually, ran, said, watched
from publish_books import notebook

from kpi_lib.publish import kernels
from kpi_lib.publish.execute import Chapter, run_all
from kpi_lib.publish.progress import Progress
from kpi_lib.publish.provisioner import Client

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are preloaded on Linux alone")


def test_what_ends_a_kernel_is_told_and_the_others_go_on(tmp_path):
    cells = {
        "killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "left": "import os\nos._exit(3)",
        "fine": "print('fine')",
        "hung": "import threading\nthreading.Event().wait()",
        "deaf": "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\nwhile True: pass",
    }
    chapters = [Chapter(name, notebook(tmp_path, name, [f"# {name}", code])) for name, code in cells.items()]
    with watched(tmp_path) as engine:
        runs = [
            run
            for some, timeout in ((chapters[:3], 60), (chapters[3:], 1))
            for run in run_all(
                some, {}, into=tmp_path, root=tmp_path, jobs=3, timeout=timeout, progress=Progress(), engine=engine
            )
        ]
        assert all(isinstance(each, kernels.Forked) for each in engine.processes)
        assert children(engine._server.pid) == []  # no zombies either
        assert list(engine.sockets.iterdir()) == []
    failures = {run.chapter.name: str(run.failure) for run in runs}
    assert failures.pop("fine") == "None"
    died, stopped = "the kernel died (often: out of memory)", "the cell ran for more than 1 s and was stopped"
    assert failures == {
        "killed": f"killed, cell 3 (killed): {died}",
        "left": f"left, cell 3 (left): {died}",
        "hung": f"hung, cell 3 (hung): {stopped}",
        "deaf": f"deaf, cell 3 (deaf): {stopped}",
    }


def test_a_kernel_goes_with_the_server_and_later_ones_are_stock(tmp_path):
    cells = {
        "ends": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nwhile True: pass",
        "next": "print(1)",
    }
    chapters = [Chapter(name, notebook(tmp_path, name, [code])) for name, code in cells.items()]
    with watched(tmp_path) as engine:
        ends, after = run_all(chapters, {}, into=tmp_path, root=tmp_path, jobs=1, progress=Progress(), engine=engine)
        assert "the kernel died" in str(ends.failure)
        assert after.failure is None
        assert [type(each) for each in engine.processes] == [kernels.Forked, subprocess.Popen]
        assert engine.note.startswith("kernels are not preloaded (the process they are forked from ended)")
        eventually(lambda: not alive(engine.processes[0].pid))


@pytest.mark.parametrize(
    ("boot", "why"),
    [
        ("import sys; sys.exit(1)", "the process they are forked from ended"),
        (kernels.BOOT.replace("import main;", "import main, preload; preload.__globals__['PRELOADED'] = ('no',);"),
         "ModuleNotFoundError: No module named 'no'"),
    ],
)  # fmt: skip
def test_a_server_that_cannot_start_is_told_and_kernels_are_stock(tmp_path, monkeypatch, boot, why):
    monkeypatch.setattr(kernels, "BOOT", boot)
    with watched(tmp_path) as engine:
        assert said(ran(engine, tmp_path, "print(1)")[0]) == ["1"]
        assert engine.note == f"kernels are not preloaded ({why}); each notebook starts an interpreter of its own"


def test_a_kernel_that_cannot_be_forked_is_told_and_started_as_a_process(tmp_path, monkeypatch):
    without = "import os; os.fork = lambda: os.open('/no/memory', 0); from kpi_lib.kernel_server"
    monkeypatch.setattr(kernels, "BOOT", kernels.BOOT.replace("from kpi_lib.kernel_server", without))
    with watched(tmp_path) as engine:
        assert said(ran(engine, tmp_path, "print(1)")[0]) == ["1"]
        assert [type(each) for each in engine.processes] == [subprocess.Popen]
        assert "kernels are not preloaded ([Errno 2]" in engine.note


def test_where_forking_is_not_available_kernels_are_stock(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with kernels.engine("preloaded", tmp_path) as engine:
        assert type(engine) is kernels.Stock
        assert "on Linux alone" in engine.note


def test_a_run_that_is_interrupted_leaves_nothing(tmp_path):
    class Interrupted(Progress):
        def step(self, title, done):
            if done:
                raise KeyboardInterrupt

    chapters = [Chapter(name, notebook(tmp_path, name, ["1", "2"], parameters=None)) for name in ("one", "two")]
    with watched(tmp_path) as engine, pytest.raises(KeyboardInterrupt):
        run_all(chapters, {}, into=tmp_path, root=tmp_path, jobs=2, progress=Interrupted(), engine=engine)


def test_when_the_command_is_killed_so_is_all_that_it_started(tmp_path):
    told = tmp_path / "pids"
    waits = notebook(
        tmp_path,
        "waits",
        [f"import os, pathlib\npathlib.Path({str(told)!r}).write_text(f'{{os.getpid()}} {{os.getppid()}}\\n')\n"
         "while True: pass"],
        parameters=None,
    )  # fmt: skip
    code = f"""
        from pathlib import Path
        from kpi_lib.publish.execute import run_all, Chapter
        from kpi_lib.publish.kernels import engine
        from kpi_lib.publish.progress import Progress
        root = Path({str(tmp_path)!r})
        with engine("preloaded", root) as preloaded:
            chapters = [Chapter("waits", Path({str(waits)!r}))]
            run_all(chapters, {{}}, into=root, root=root, progress=Progress(), engine=preloaded)
    """
    (tmp_path / "tmp").mkdir()
    environment = os.environ | {"TMPDIR": str(tmp_path / "tmp")}
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], env=environment) as command:
        try:
            eventually(lambda: told.exists() and told.read_text().endswith("\n"), 60)
        finally:
            command.kill()
    pids = [int(pid) for pid in told.read_text().split()]
    eventually(lambda: not any(map(alive, pids)))
    assert list((tmp_path / "tmp").glob("kpi-*")) == []


def test_a_server_that_says_nothing_counts_as_dead(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "PATIENCE", 0.1)
    monkeypatch.setattr(kernels, "BOOT", "import threading; threading.Event().wait()")
    with watched(tmp_path) as engine:
        assert said(ran(engine, tmp_path, "print(1)")[0]) == ["1"]
        assert engine.note.startswith("kernels are not preloaded (timed out)")


@pytest.mark.parametrize(
    ("is_alive", "told"), [(True, "Kernel didn't respond in 0 seconds"), (False, "Kernel died before replying")]
)
def test_a_kernel_that_never_answers_is_not_waited_for_for_ever(is_alive, told):
    class Silent(Client):
        def kernel_info(self):
            return "asked"

        async def get_shell_msg(self, **_):
            raise Empty

        async def _async_is_alive(self):
            return is_alive

    with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match=told):
        pool.submit(lambda: asyncio.run(Silent().wait_for_ready(timeout=0))).result()
