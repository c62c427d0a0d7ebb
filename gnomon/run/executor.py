"""An executor whose tasks run in processes of their own, so that a crash or a hang costs that task alone."""

from __future__ import annotations

import gc
import multiprocessing
import queue
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
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


class IsolatedExecutor(Executor):
    """``concurrent.futures`` over processes of a fork server that has the heavy modules loaded already.

    A process takes one task after another; one that crashes or hangs is replaced, and only its task is lost. A fork
    server rather than fork: a fork after the parent used torch's threads hangs. ``preload`` names modules that the
    server imports once, beginning now.
    """

    def __init__(self, max_workers: int, timeout: float | None = None, preload: Sequence[str] = ()) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        forkserver.ensure_running()
        self._threads = ThreadPoolExecutor(max_workers)
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._timeout = timeout

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._threads.submit(self._run, fn, args, kwargs)

    def _run(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        worker = self._worker()
        try:
            worker.connection.send((fn, args, kwargs))
            if not worker.connection.poll(self._timeout):
                raise TaskTimeout(f"still running after {self._timeout:g} s and was stopped")
            answered, value = worker.connection.recv()
        except (EOFError, ConnectionError):
            worker.process.join()
            worker.connection.close()
            raise TaskDied(f"its process ended with code {worker.process.exitcode}") from None
        except BaseException:
            _stop(worker)
            raise
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


def _serve(connection: Connection) -> None:
    """Run the tasks that come, until nobody sends any more."""
    gc.freeze()  # collections would touch, and so copy, every page of the modules that the fork server has loaded
    gc.set_threshold(100_000)  # SymPy makes and drops so many small objects that looking for cycles cost a tenth
    while True:
        try:
            fn, args, kwargs = connection.recv()
            answer = (True, fn(*args, **kwargs))
        except EOFError:
            return
        except Exception as error:
            answer = (False, (type(error).__name__, str(error), traceback.format_exc()))
        try:
            connection.send(answer)
        except Exception as error:  # an answer that cannot be sent
            connection.send((False, (type(error).__name__, str(error), traceback.format_exc())))
