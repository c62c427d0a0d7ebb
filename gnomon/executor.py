"""An executor that gives every task a process of its own, so that a crash or a hang costs that task alone."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
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


class IsolatedExecutor(Executor):
    """``concurrent.futures`` over fresh processes of a fork server that has the heavy modules loaded already.

    A fork server rather than fork: a fork after the parent used torch's threads hangs. ``preload`` names modules that
    the server imports once.
    """

    def __init__(self, max_workers: int, timeout: float | None = None, preload: Sequence[str] = ()) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        self._threads = ThreadPoolExecutor(max_workers)
        self._timeout = timeout

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._threads.submit(self._run, fn, args, kwargs)

    def _run(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_serve, args=(theirs, fn, args, kwargs), daemon=True)
        process.start()
        theirs.close()
        try:
            if not ours.poll(self._timeout):
                raise TaskTimeout(f"still running after {self._timeout:g} s and was stopped")
            answered, value = ours.recv()
        except EOFError:
            process.join()
            raise TaskDied(f"its process ended with code {process.exitcode}") from None
        finally:
            if process.is_alive():
                process.kill()
            process.join()
            ours.close()
        if not answered:
            raise TaskRaised(*value)
        return value

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)


def _serve(connection: Connection, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    try:
        connection.send((True, fn(*args, **kwargs)))
    except Exception as error:
        connection.send((False, (type(error).__name__, str(error), traceback.format_exc())))
    finally:
        connection.close()
