"""Senders in processes of their own, to be killed: told what to do on standard input, a JSON line each.

`{"ledger": PATH, "port": N, "senders": 2, "step": K, "instant": SECONDS}`: that many processes start at once and send
the report of May. With `step`, a process is killed with SIGKILL when it comes to its K-th step: before and after every
command, answer and mail, and every write of the ledger, inside its transaction and around it. With `instant`, it is
killed after that time. Answered with the exit codes, and the steps and seconds that the last to end took.
"""

import json
import os
import select
import signal
import smtplib
import sys
import time
from pathlib import Path
from typing import Any

from post_office import Clock, parcel

from kpi_lib.deliver.ledger import Ledger
from kpi_lib.deliver.send import send
from kpi_lib.deliver.server import Server

STEPS = {smtplib.SMTP: ("connect", "putcmd", "send", "getreply"), Ledger: ("_prepare_file", "claim", "move", "_note")}


def count_steps(last: int | None) -> list[int]:
    """Return a list of one number that counts the steps from now on; the process dies at the last."""
    taken = [0]

    def step() -> None:
        taken[0] += 1
        if taken[0] == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def stepping(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def stepped(*given: Any, **named: Any) -> Any:
            step()
            result = original(*given, **named)
            step()
            return result

        setattr(owner, name, stepped)

    for owner, names in STEPS.items():
        for name in names:
            stepping(owner, name)
    return taken


def run(order: dict[str, Any]) -> dict[str, float]:
    """Send in this process."""
    taken, began = count_steps(order.get("step")), time.perf_counter()
    server = Server(host="127.0.0.1", port=order["port"], tls="off")
    with Ledger(Path(order["ledger"])) as ledger:
        send(ledger, server, parcel(), Clock(), lambda said: None)
    return {"steps": taken[0], "seconds": time.perf_counter() - began}


def start(order: dict[str, Any], go: tuple[int, int], result: int) -> int:
    """Return the id of a process that sends as soon as the pipe `go` is closed."""
    if process := os.fork():
        return process
    try:
        os.close(go[1])
        os.read(go[0], 1)
        os.write(result, json.dumps(run(order)).encode())
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


def obey(order: dict[str, Any]) -> dict[str, Any]:
    """Start the senders at once, kill them when it is time, and tell how they ended."""
    go, (answers, result) = os.pipe(), os.pipe()
    processes = [start(order, go, result) for _ in range(order.get("senders", 1))]
    for end in (*go, result):
        os.close(end)
    if "instant" in order:
        select.select([answers], [], [], order["instant"])
        for process in processes:
            os.kill(process, signal.SIGKILL)
    codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
    told = os.read(answers, 10_000).decode()
    os.close(answers)
    return {"codes": codes} | json.loads("{" + told.rpartition("{")[2] if told else "{}")


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(obey(json.loads(line))), flush=True)
