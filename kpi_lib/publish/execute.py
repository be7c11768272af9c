"""Run notebooks with papermill: parameters checked before a kernel starts, failures told in a sentence."""

import json
import logging
import os
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from kpi_lib import errors
from kpi_lib.disclosure import scrub
from kpi_lib.errors import KpiError, NotebookError, did_you_mean
from kpi_lib.publish.kernels import Stock
from kpi_lib.publish.progress import Progress

if TYPE_CHECKING:
    from nbformat import NotebookNode

TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
}
LONGEST = 1800  # seconds that a cell may run
WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Chapter:
    """A notebook of the book: its own parameters, and those typed on the command line as text.

    `reads` returns hashes of the files that it reads beside the numbers, by their place in the project.
    """

    name: str
    notebook: Path
    parameters: Mapping[str, Any] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    reads: Callable[[], Mapping[str, str]] = dict


@dataclass(frozen=True)
class Failure:
    """Why a notebook did not run to its end; `cell` counts from 1 as in the notebook that was given."""

    notebook: str
    message: str
    cell: int | None = None
    heading: str = ""

    def __str__(self) -> str:
        place = f", cell {self.cell}" if self.cell else ""
        return f"{self.notebook}{place}{f' ({self.heading})' if self.heading else ''}: {self.message}"


@dataclass(frozen=True)
class Run:
    """What came of running a chapter: the executed notebook as far as it got, and how it failed, if it did."""

    chapter: Chapter
    parameters: dict[str, Any]
    output: Path
    seconds: float
    failure: Failure | None = None
    kernel: float = 0.0  # seconds of these until the first cell could run
    kept: bool = False  # it is of an earlier run, from which nothing has changed


def parameters_of(chapter: Chapter, common: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to pass to a notebook, or raise NotebookError on a name it lacks or a value of the wrong type.

    `common` goes to the notebooks that declare it; the chapter's own parameters must exist.
    """
    if not chapter.notebook.is_file():
        raise NotebookError(f"there is no notebook {str(chapter.notebook)!r}")
    types = _declared(chapter)
    own = dict(chapter.parameters) | dict(chapter.typed)
    if own and not types:
        raise NotebookError(f"{chapter.name} is given {', '.join(own)}, but has no cell tagged 'parameters'")
    for name in own:
        if name not in types:
            raise NotebookError(f"{chapter.name} has no parameter {name!r}{did_you_mean(name, types)}")
    typed = {name: _value(chapter.name, name, text, types[name]) for name, text in chapter.typed.items()}
    given = {name: value for name, value in common.items() if name in types} | dict(chapter.parameters) | typed
    for name, value in given.items():
        if not _fits(value, types[name]):
            raise NotebookError(f"{chapter.name}: {name} is to be {types[name]}, not {value!r}")
    return given


def _declared(chapter: Chapter) -> dict[str, str]:
    """Return the parameters of a notebook and their annotations, as papermill infers them."""
    notebook = _read(chapter.notebook)
    import papermill

    _quiet()
    notebook.metadata |= {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    found = papermill.inspect_notebook(notebook)
    return {name: parameter["inferred_type_name"] for name, parameter in found.items()}


def _read(path: Path) -> "NotebookNode":
    from kpi_lib.publish.notebooks import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, KeyError, AttributeError, nbformat.reader.NotJSONError) as error:
        raise NotebookError(f"{path.name} is not a notebook that can be read: {error}") from None


def _kinds(annotation: str) -> list[str]:
    """Return the plain types an annotation allows; none when it says nothing we know."""
    return [name for name in re.findall(r"\b[a-z]+\b", re.sub(r"\[.*?\]", "", annotation)) if name in TYPES]


def _fits(value: Any, annotation: str) -> bool:
    kinds = _kinds(annotation)
    if value is None or not kinds:
        return True
    if isinstance(value, bool):
        return "bool" in kinds
    return any(isinstance(value, TYPES[kind]) for kind in kinds)


def _value(notebook: str, name: str, text: str, annotation: str) -> Any:
    """Read a parameter typed as text as its annotation says."""
    kinds = _kinds(annotation) or ["str"]
    readers: dict[str, Callable[[str], Any]] = {
        "str": str,
        "int": int,
        "float": float,
        "bool": lambda t: WORDS[t.lower()],
    }
    for kind in sorted(kinds, key=list(TYPES).index, reverse=True):
        with suppress(ValueError, KeyError):
            return readers.get(kind, json.loads)(text)
    raise NotebookError(f"{notebook}: {name} is to be {annotation}, not {text!r}")


def run_all(
    chapters: Iterable[Chapter],
    common: Mapping[str, Any],
    *,
    into: Path,
    root: Path,
    jobs: int | None = None,
    timeout: int = LONGEST,
    progress: Progress,
    engine: Stock | None = None,
    expected: Mapping[str, float] | None = None,
) -> list[Run]:
    """Run the notebooks, several at once, each in a kernel of its own, with `root` as working folder.

    All parameters are checked before the first kernel starts. A notebook that fails does not stop the others. The
    longest comes first: by `expected` seconds if they are known of all, else by the size of the file.
    """
    chapters = list(chapters)
    planned = [(chapter, parameters_of(chapter, common)) for chapter in longest_first(chapters, expected or {})]
    engine = engine or Stock()
    engine.warm()
    workers = max(1, min(jobs or os.cpu_count() or 1, len(planned)))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="notebook")
    try:
        waiting = [
            pool.submit(_run, chapter, given, into / f"{chapter.name}.ipynb", root, timeout, progress, engine)
            for chapter, given in planned
        ]
        return sorted((each.result() for each in waiting), key=lambda run: chapters.index(run.chapter))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        engine.kill()
        raise
    finally:
        pool.shutdown()


def longest_first(chapters: Iterable[Chapter], expected: Mapping[str, float]) -> list[Chapter]:
    """Order notebooks so that several at once are done soonest."""
    chapters = list(chapters)
    known = all(expected.get(chapter.name) for chapter in chapters)
    return sorted(chapters, key=lambda each: -(expected[each.name] if known else each.notebook.stat().st_size))


def _run(
    chapter: Chapter,
    given: dict[str, Any],
    output: Path,
    root: Path,
    timeout: int,
    progress: Progress,
    engine: Stock,
) -> Run:
    import papermill
    from jupyter_core.utils import ensure_event_loop
    from papermill.exceptions import PapermillExecutionError

    from kpi_lib.publish.provisioner import manager_of
    from kpi_lib.publish.saving import ONCE

    reached, ready = [0], [0.0]

    def at_cell(cell_index: int, **_: Any) -> None:
        reached[0], ready[0] = cell_index, ready[0] or perf_counter() - began
        progress.step(chapter.name, cell_index)

    source = _read(chapter.notebook)
    progress.begin(chapter.name, len(source.cells) + bool(given))
    began = perf_counter()
    stopped: str | None = None
    try:
        papermill.execute_notebook(
            _literal(chapter.notebook),
            _literal(output),
            parameters=given,
            engine_name=ONCE,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            execution_timeout=timeout,
            resources={"metadata": {"path": str(root)}},
            kernel_manager_class=manager_of(engine),
            on_cell_start=at_cell,
        )
    except PapermillExecutionError as error:
        reached[0], stopped = error.cell_index, _sentence(error.ename, error.evalue)
    except Exception as error:
        stopped = _outside(error, timeout)
    finally:
        ensure_event_loop().close()  # Jupyter leaves the thread's own open
    failure = None
    if stopped is not None:
        failure = Failure(chapter.name, scrub(stopped), *_place(source, reached[0], injected=bool(given)))
    _tidy(output, root)
    progress.end(chapter.name, "failed" if failure else "")
    return Run(chapter, given, output, perf_counter() - began, failure, ready[0])


def _sentence(kind: str, text: str) -> str:
    """Return an exception in one line: a mistake of ours as it is written, any other with its name."""
    lines = [line.strip() for line in re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).splitlines() if line.strip()]
    first = (lines or [""])[0]
    first = first if len(first) <= 300 else first[:299] + "…"
    ours = {each.__name__ for each in vars(errors).values() if isinstance(each, type) and issubclass(each, KpiError)}
    return first if kind in ours and first else f"{kind}: {first}".rstrip(": ")


def _outside(error: Exception, timeout: int) -> str:
    """Return what stopped a notebook when no cell raised it."""
    kind = type(error).__name__
    if kind == "CellTimeoutError" and "IOPub" in str(error):
        return "the cell ended, but what it printed did not arrive in time (often: very much of it)"
    if kind == "CellTimeoutError":
        return f"the cell ran for more than {timeout} s and was stopped"
    if kind == "DeadKernelError":
        return "the kernel died (often: out of memory)"
    return _sentence(kind, str(error))


def _place(source: "NotebookNode", index: int, *, injected: bool) -> tuple[int, str]:
    """Return a cell's number in the notebook as given, and the heading above it."""
    tagged = (i for i, cell in enumerate(source.cells) if "parameters" in cell.metadata.get("tags", []))
    number = index - (injected and index > next(tagged, -1))
    above = "\n".join(cell.source for cell in source.cells[: number + 1] if cell.cell_type == "markdown")
    headings = re.findall(r"^#{1,6}\s+(.+?)\s*#*$", above, re.MULTILINE)
    return number + 1, headings[-1] if headings else ""


def _tidy(output: Path, root: Path) -> None:
    """Take secrets out of the outputs of an executed notebook and this machine's folders out of its metadata."""
    if not output.exists():
        return
    from kpi_lib.publish.notebooks import nbformat

    notebook = nbformat.read(output, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [_scrubbed(output) for output in cell.outputs]
    about = notebook.metadata.get("papermill", {})
    about |= {"input_path": os.path.relpath(about["input_path"], root), "output_path": output.name} if about else {}
    nbformat.write(notebook, output)


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return type(value)({k: v if str(k).startswith("image/") else _scrubbed(v) for k, v in value.items()})
    return [_scrubbed(each) for each in value] if isinstance(value, list) else value


def _literal(path: Path) -> str:
    """Keep papermill from reading braces in a path as placeholders."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _quiet() -> None:
    logging.getLogger("papermill").setLevel(logging.CRITICAL + 1)
