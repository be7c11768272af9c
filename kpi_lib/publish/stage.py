"""The folder of reports: a period is built beside it and swapped in whole, under a lock."""

import ctypes
import errno
import fcntl
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kpi_lib.errors import KpiError
from kpi_lib.publish import manifest

AUDIENCES = "audiences"  # in a period's folder: a shelf of its own, a folder an audience
NUMBERS = ".numbers"
RENAME_EXCHANGE = 2
AT_FDCWD = -100


class Shelf:
    """A company's folder of reports, a folder a period."""

    def __init__(self, folder: Path, company: str) -> None:
        self.folder, self.company = folder, company

    def of(self, period: str) -> Path:
        """The folder of a period, which may not be there yet."""
        return self.folder / period

    def failed(self, period: str) -> Path:
        """Where a failed build lies while a whole one of the period stands."""
        return self.folder / ".failed" / period

    def place(self, period: str, status: str) -> Path:
        """Where a build that comes out with this status will lie."""
        return self.failed(period) if self.keeps(period, status) else self.of(period)

    def status(self, period: str) -> str | None:
        """Return what stands for a period: whole, partial, failed, or None."""
        return (manifest.read(self.of(period)) or {}).get("status")

    def keeps(self, period: str, status: str) -> bool:
        """Whether what stands for a period is to stay when a build comes out with this status."""
        return status == "failed" and self.status(period) == "whole"

    @contextmanager
    def audiences(self, period: str) -> Iterator["Shelf"]:
        """Lock a period, so that nothing takes its place meanwhile, and give the shelf of what audiences get of it."""
        self._claim()
        with self._locked(period):
            self.recover(period)
            self.of(period).mkdir(exist_ok=True)
            shelf = Shelf(self.of(period) / AUDIENCES, self.company)
            shutil.rmtree(shelf.folder / NUMBERS, ignore_errors=True)  # of a run that died
            yield shelf

    @contextmanager
    def handing_on(self) -> Iterator[Path]:
        """Give a folder for the numbers of audiences on their way to those that build; the lock must be held."""
        numbers = self.folder / NUMBERS
        numbers.mkdir(parents=True)
        try:
            yield numbers
        finally:
            shutil.rmtree(numbers, ignore_errors=True)

    @contextmanager
    def staging(self, period: str) -> Iterator[Path]:
        """Lock the period, mend what a dead run left, and give an empty folder to build in, removed at the end."""
        self._claim()
        with self._locked(period):
            self.recover(period)
            stage = Path(tempfile.mkdtemp(prefix=f".staging-{period}~", dir=self.folder))
            stage.chmod(0o755)
            try:
                yield stage
            finally:
                shutil.rmtree(stage, ignore_errors=True)

    def publish(self, stage: Path, period: str, status: str) -> Path:
        """Swap a build in, or, when it failed and a whole one stands, put it under `.failed`; return where it lies.

        What audiences get of the period is taken over from what stood.
        """
        target = self.place(period, status)
        if target != self.of(period):
            target.parent.mkdir(exist_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            stage.rename(target)
            return target
        if not target.exists():
            stage.rename(target)
        elif exchange(stage, target):
            _take_over(stage, target)
        else:
            self._swap_in_two_steps(stage, target)
        shutil.rmtree(self.failed(period), ignore_errors=True)
        return target

    def recover(self, period: str) -> None:
        """Mend what a run that died left behind; the period's lock must be held."""
        target, old = self.of(period), self._old(period)
        if old.exists() and not target.exists():
            old.rename(target)
        _take_over(old, target)
        shutil.rmtree(old, ignore_errors=True)
        for stage in self.folder.glob(f".staging-{period}~*"):
            _take_over(stage, target)
            shutil.rmtree(stage, ignore_errors=True)

    def _swap_in_two_steps(self, stage: Path, target: Path) -> None:
        old = self._old(target.name)
        target.rename(old)
        stage.rename(target)
        _take_over(old, target)
        shutil.rmtree(old, ignore_errors=True)

    def _old(self, period: str) -> Path:
        return self.folder / f".old-{period}"

    def _claim(self) -> None:
        """Refuse a folder that holds another company's reports; remember the company of a new one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        note = self.folder / ".company.json"
        try:
            owner = json.loads(note.read_text(encoding="utf-8"))["company"]
        except FileNotFoundError:
            draft = note.with_suffix(f".{os.getpid()}")
            draft.write_text(json.dumps({"company": self.company}, ensure_ascii=False) + "\n", encoding="utf-8")
            draft.replace(note)
            return
        except (ValueError, LookupError, TypeError):
            raise KpiError(f"{note} does not say whose reports these are: delete it if they are yours") from None
        if owner != self.company:
            raise KpiError(
                f"{self.folder} holds the reports of {owner!r}, not of {self.company!r}; "
                "give the other company a folder of its own (`reports:` in its params file)"
            )

    @contextmanager
    def _locked(self, period: str) -> Iterator[None]:
        """Hold the period's lock, or refuse and name who holds it."""
        (self.folder / ".locks").mkdir(exist_ok=True)
        with (self.folder / ".locks" / period).open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read() or "another run"
                raise KpiError(f"{period} is being built by {holder}; try again when it has ended") from None
            file.truncate(0)
            file.write(f"process {os.getpid()} on {os.uname().nodename}")
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)


def _take_over(old: Path, target: Path) -> None:
    """Move what audiences get of a period from its old folder to the new one."""
    if (old / AUDIENCES).is_dir() and target.is_dir() and not (target / AUDIENCES).exists():
        (old / AUDIENCES).rename(target / AUDIENCES)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    if rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    if ctypes.get_errno() in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(other))
