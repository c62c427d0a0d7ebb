"""Tasks for the executor's tests, in a module that a fresh process can import by its name."""

import os
import signal
import time


def double(number):
    return 2 * number


def crash():
    os.kill(os.getpid(), signal.SIGSEGV)


def hang():
    time.sleep(600)


def fail():
    raise KeyError("lost")
