"""Preloaded kernels: as good as stock ones, and nothing of one in the next."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kernel_runs import outputs, ran, said
from publish_books import built, notebook

from kpi_lib.publish import kernels
from kpi_lib.publish.execute import Chapter, longest_first, run_all
from kpi_lib.publish.progress import Progress
from kpi_lib.publish.provisioner import manager_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are preloaded on Linux alone")
ROOT = Path(__file__).parents[1]
LOOK = """
import gc, locale, logging, os, random, signal, sys, threading, warnings
from kpi_lib import Report
import matplotlib, numpy, pandas
from IPython import get_ipython
shell = get_ipython()
{
    "arguments": [each for each in sys.argv if not each.endswith(".json")],
    "backend": matplotlib.get_backend(),
    "environment": {k: v for k, v in os.environ.items() if k != "JPY_PARENT_PID"},
    "flags": sys.flags,
    "folder": os.getcwd(),
    "gc": [gc.isenabled(), gc.get_threshold()],
    "handlers": [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGCHLD)],
    "history": [shell.history_manager.hist_file, len(list(shell.history_manager.get_range()))],
    "imported": [name in sys.modules for name in ("duckdb", "ibis.backends.duckdb", "kpi_lib.publish")],
    "input": sys.stdin.read() if sys.stdin else None,
    "locale": locale.setlocale(locale.LC_ALL),
    "logging": [logging.getLogger().level, logging.getLogger().handlers],
    "main": sorted(name for name in vars(sys.modules["__main__"]) if not name.startswith("_")),
    "options": [pandas.get_option("display.max_rows"), numpy.get_printoptions()],
    "path": sys.path,
    "rc": sorted((k, str(v)) for k, v in matplotlib.rcParams.items()),
    "threads": sorted(type(each).__name__ for each in threading.enumerate()),
    "warnings": sorted(map(str, warnings.filters)),
}
"""
SPOIL = """
import atexit, builtins, gc, logging, os, random, signal, sys, warnings
from kpi_lib import Report
import kpi_lib.errors, matplotlib, numpy, pandas
matplotlib.rcParams["font.size"] = 40
matplotlib.use("svg")
warnings.simplefilter("error")
os.environ["LEAKED"] = "yes"
os.chdir("/")
sys.path.insert(0, "/nowhere")
sys.argv.append("--leaked")
pandas.set_option("display.max_rows", 3)
numpy.set_printoptions(precision=2)
logging.basicConfig(level=0)
builtins.leaked = kpi_lib.errors.leaked = True
kept = open(os.path.join(FOLDER, "leaked"), "w")
random.seed(1)
numpy.random.seed(1)
"""
SHOWN = [
    *("nps", "csat", "churn_rate", "ltv_cac_ratio"),
    *("ticket_volume", "first_response_time", "resolution_time", "service_level"),
]
RANDOM = "import random, numpy\nprint(random.random(), numpy.random.rand(), numpy.random.default_rng().random())"


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with kernels.engine("preloaded", tmp_path_factory.mktemp("root")) as engine:
        engine.warm()
        yield engine


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("good")


class TestAsGoodAsStock:
    def test_a_kernel_is_talked_to_over_ipc(self, engine, folder):
        asked = "import json, ipykernel.connect as c\nprint(json.loads(c.get_connection_info())['transport'])"
        assert [said(ran(each, folder, asked)[0]) for each in (engine, kernels.Stock())] == [["ipc"], ["tcp"]]

    def test_a_kernel_is_as_one_that_was_started_anew(self, engine, folder):
        stock, preloaded = (outputs(ran(each, folder, LOOK)[0]) for each in (kernels.Stock(), engine))
        assert engine.note == ""
        assert stock == preloaded
        assert "module://matplotlib_inline.backend_inline" in str(preloaded)

    def test_nothing_of_a_notebook_is_in_the_next(self, engine, folder):
        (before,) = ran(engine, folder, LOOK)
        pristine = outputs(before)
        (spoilt,) = ran(engine, folder, f"FOLDER = {str(folder)!r}\n{SPOIL}", names=("spoilt",))
        assert spoilt.failure is None
        (after,) = ran(engine, folder, LOOK)
        assert outputs(after) == pristine
        (seen,) = ran(
            engine,
            folder,
            "import builtins, os, kpi_lib.errors\n"
            "opened = [os.path.realpath(f'/proc/self/fd/{each}') for each in os.listdir('/proc/self/fd')]\n"
            "print(hasattr(builtins, 'leaked'), hasattr(kpi_lib.errors, 'leaked'), any('leaked' in o for o in opened))",
        )
        assert said(seen) == ["False"] * 3

    def test_no_two_kernels_draw_the_same_random_numbers(self, engine, folder):
        drawn = [said(run) for run in ran(engine, folder, RANDOM, names=("one", "two", "three"), jobs=2)]
        for numbers in zip(*drawn, strict=True):
            assert len(set(numbers)) == 3

    def test_a_kernel_has_the_environment_of_now(self, engine, folder, monkeypatch):
        monkeypatch.setenv("TZ", "XYZ-3")
        monkeypatch.setenv("SET_LATER", "yes")
        (run,) = ran(engine, folder, "import os, time\nprint(os.environ['SET_LATER'], time.strftime('%Z'))")
        assert said(run) == ["yes", "XYZ"]

    def test_a_figure_and_a_frame_are_the_same(self, engine, folder):
        cells = (
            "import pandas\nframe = pandas.DataFrame({'a': [3, 1, 2]})\nframe",
            "import matplotlib.pyplot as plt\nplt.plot(frame['a']);",
            "print('out')\nimport sys\nprint('err', file=sys.stderr)",
        )
        stock, preloaded = (outputs(ran(each, folder, *cells)[0]) for each in (kernels.Stock(), engine))
        assert stock == preloaded
        assert "image/png" in stock[1][-1].data

    def test_a_page_of_the_report_is_the_same(self, engine, folder, company_in):
        (folder / "company").mkdir()
        company = company_in(folder / "company")
        for customer, score in (("one", 5), ("two", 2), ("three", 4)):
            company.survey("csat", score, customer=customer, answered="2024-05-10 12:00")
        company.card(*SHOWN).write(folder / "company")
        given = {
            "period": "2024-05",
            "params": str(company.folder / "params" / "report.yaml"),
            "scorecard": str(folder / "company" / "scorecard.parquet"),
        }
        chapter = Chapter("executive_summary", ROOT / "notebooks" / "executive_summary.ipynb", given)
        pages = []
        for each in (kernels.Stock(), engine):
            (run,) = run_all([chapter], {}, into=folder, root=folder, progress=Progress(), engine=each)
            pages.append(outputs(run))
        assert pages[0] == pages[1]
        assert "CSAT" in str(pages[0])

    def test_the_server_has_opened_nothing_that_a_fork_would_break(self):
        opened = """
            import sys, threading
            from kpi_lib import kernel_server
            kernel_server.preload()
            import zmq
            from tornado.ioloop import IOLoop
            assert threading.active_count() == 1
            assert zmq.Context._instance is None
            assert not IOLoop._ioloop_for_asyncio
            assert not {"duckdb", "ibis.backends.duckdb", "matplotlib_inline.backend_inline"} & set(sys.modules)
            assert "MPLBACKEND" not in __import__("os").environ
        """
        environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
        subprocess.run([sys.executable, "-c", textwrap.dedent(opened)], check=True, env=environment)


def test_a_notebook_is_written_when_its_run_has_ended(engine, tmp_path):
    look = "from pathlib import Path; print('said'.upper() in Path('out/it.ipynb').read_text())"
    (run,) = ran(engine, tmp_path, "print('said'.upper())", look)  # no cell's id or time of day reads so
    assert said(run) == ["SAID", "False"]


def test_what_a_notebook_leaves_for_its_end_is_done(engine, tmp_path):
    ran(engine, tmp_path, "import atexit; from pathlib import Path; atexit.register(Path('left').write_text, 'done')")
    assert (tmp_path / "left").read_text() == "done"


class TestAsJupyterUsesIt:
    def test_signals_and_return_codes(self, engine):
        async def lives():
            manager = manager_of(engine)(kernel_name="python3")
            await manager.start_kernel()
            client = manager.client()
            client.start_channels()
            await client.wait_for_ready(timeout=60)
            kernel = manager.provisioner.process
            assert kernel.poll() is None
            assert os.getpgid(kernel.pid) == kernel.pid
            client.execute("print('begun', flush=True)\nwhile True: pass")
            while (await client.get_iopub_msg())["msg_type"] != "stream":  # before it, an interrupt would be lost
                pass
            await manager.interrupt_kernel()
            while (reply := await client.get_shell_msg())["msg_type"] != "execute_reply":
                pass
            assert reply["content"]["ename"] == "KeyboardInterrupt"
            assert await manager.is_alive()
            await manager.signal_kernel(signal.SIGTERM)
            assert await manager.provisioner.wait() == -signal.SIGTERM
            assert kernel.wait() == kernel.poll() == -signal.SIGTERM
            assert not await manager.is_alive()
            client.stop_channels()
            await manager.cleanup_resources()

        with ThreadPoolExecutor(1) as pool:  # a browser's tests leave a loop running in this thread
            pool.submit(lambda: asyncio.run(lives())).result()

    def test_the_sockets_lie_where_only_this_user_may_enter(self, engine):
        assert engine.sockets.stat().st_mode & 0o777 == 0o700

    def test_long_temporary_folders_do_not_make_addresses_too_long(self, tmp_path, monkeypatch):
        deep = tmp_path / ("d" * 100)
        deep.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(deep))
        with kernels.engine("preloaded", tmp_path) as engine:
            assert len(str(engine.sockets)) < kernels.LONGEST


def test_the_longest_comes_first_by_time_if_known_of_all_else_by_size(tmp_path):
    short, long = (Chapter(name, notebook(tmp_path, name, ["1"] * cells)) for name, cells in (("s", 1), ("l", 9)))
    assert longest_first([short, long], {}) == [long, short]
    assert longest_first([short, long], {"s": 1.0}) == [long, short]
    assert longest_first([short, long], {"s": 2.0, "l": 1.0}) == [short, long]
    assert longest_first([short, long], {"s": 2.0, "l": 0.0}) == [long, short]


def test_the_longest_is_run_first(tmp_path, engine):
    order = tmp_path / "order"
    cells = {name: f"with open({str(order)!r}, 'a') as file: file.write({name!r})" for name in "sl"}
    chapters = [
        Chapter(name, notebook(tmp_path, name, [cells[name]] + ["1"] * more)) for name, more in (("s", 0), ("l", 9))
    ]
    run_all(chapters, {}, into=tmp_path, root=tmp_path, jobs=1, progress=Progress(), engine=engine)
    assert order.read_text() == "ls"


def test_several_run_at_once(tmp_path, engine):
    meet = tmp_path / "meet"
    os.mkfifo(meet)  # opens when somebody writes and somebody reads
    cells = {"one": f"open({str(meet)!r}, 'w').close()", "other": f"open({str(meet)!r}).close()"}
    chapters = [Chapter(name, notebook(tmp_path, name, [code])) for name, code in cells.items()]
    runs = run_all(chapters, {}, into=tmp_path, root=tmp_path, jobs=2, timeout=60, progress=Progress(), engine=engine)
    assert [run.failure for run in runs] == [None, None]


def test_a_report_is_built_with_either_engine(tmp_path, engine):
    page = notebook(tmp_path, "page", ["# Page", "print(period)"])
    outcome = built(tmp_path, page, engine=engine)
    assert (outcome.status, outcome.failures) == ("whole", [])
    assert engine.note == ""
