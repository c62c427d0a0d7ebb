"""An executor whose tasks run in processes of their own, so that a crash or a hang costs that task alone."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import queue
import signal
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from typing import Any


class TaskDied(RuntimeError):
    """The task's process ended without an answer: a crash in native code, or killed."""


class TaskTimeout(TimeoutError):
    """The task was still running at its time limit and was stopped."""


class TaskRaised(RuntimeError):
    """The task raised; ``kind`` is the exception's name and the message its text."""

    def __init__(self, kind: str, message: str, trace: str) -> None:
        super().__init__(message)
        self.kind, self.trace = kind, trace


@dataclass
class _Worker:
    process: Any
    connection: Connection
    tasks: int = 0


class IsolatedExecutor(Executor):
    """``concurrent.futures`` over processes of a fork server that has the heavy modules loaded already.

    A process takes one task after another; one that crashes or hangs is replaced, and only its task is lost. A fork
    server rather than fork: a fork after the parent used torch's threads hangs. ``preload`` names modules that the
    server imports once, beginning now. Answers are JSON, so that nothing of a task's is imported or run here, and carry
    the task's number, so that no answer is taken for another's.
    """

    def __init__(self, max_workers: int, timeout: float | None = None, preload: Sequence[str] = ()) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        forkserver.ensure_running()
        self._threads = ThreadPoolExecutor(max_workers)
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._timeout = timeout

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._threads.submit(self._run, self._timeout, fn, args, kwargs)

    def submit_within(self, timeout: float, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Like ``submit``, with a time limit of its own."""
        return self._threads.submit(self._run, timeout, fn, args, kwargs)

    def _run(self, timeout: float | None, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        worker = self._worker()
        worker.tasks += 1
        try:
            if worker.tasks == 1:
                worker.connection.recv_bytes()  # it is there: starting a process is none of the task's time
            worker.connection.send((worker.tasks, fn, args, kwargs))
            ready = wait([worker.connection, worker.process.sentinel], timeout)
            if not ready:
                raise TaskTimeout(f"still running after {timeout:g} s and was stopped")
            if worker.connection not in ready:  # it ended, and a process that it forked keeps the connection open
                raise EOFError
            number, answered, value = json.loads(worker.connection.recv_bytes())
        except (EOFError, ConnectionError):
            worker.process.join()
            worker.connection.close()
            raise TaskDied(f"its process ended with {_ending(worker.process.exitcode)}") from None
        except (ValueError, TypeError):
            _stop(worker)
            raise TaskDied("its process sent what is no answer") from None
        except BaseException:
            _stop(worker)
            raise
        if number not in (worker.tasks, None):
            _stop(worker)
            raise TaskDied("its process answered another task")
        self._idle.put(worker)
        if not answered:
            raise TaskRaised(*value)
        return value

    def _worker(self) -> _Worker:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            ours, theirs = self._context.Pipe()
            process = self._context.Process(target=_serve, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            return _Worker(process, ours)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        while not self._idle.empty():
            _stop(self._idle.get())


def _stop(worker: _Worker) -> None:
    worker.process.kill()
    worker.process.join()
    worker.connection.close()


def _ending(code: int | None) -> str:
    """An exit code, and the signal that it stands for."""
    with suppress(ValueError, TypeError):
        return f"code {code} ({signal.Signals(-(code or 0)).name})"
    return f"code {code}"


def _serve(connection: Connection) -> None:
    """Run the tasks that come, until nobody sends any more."""
    gc.freeze()  # collections would touch, and so copy, every page of the modules that the fork server has loaded
    gc.set_threshold(100_000)  # SymPy makes and drops so many small objects that looking for cycles cost a tenth
    own = os.getpid()
    connection.send_bytes(b"here")
    while True:
        try:
            number, fn, args, kwargs = connection.recv()
        except EOFError:
            return
        except Exception as error:  # a task that cannot be read: the module of its function is not found, say
            connection.send_bytes(_raised(None, error))
            continue
        try:
            answer = json.dumps([number, True, fn(*args, **kwargs)]).encode()
        except Exception as error:  # also an answer that JSON cannot say
            answer = _raised(number, error)
        if os.getpid() != own:  # the task forked, and this is the child: the parent answers
            os._exit(0)
        connection.send_bytes(answer)


def _raised(number: int | None, error: Exception) -> bytes:
    return json.dumps([number, False, [type(error).__name__, str(error), traceback.format_exc()]]).encode()
