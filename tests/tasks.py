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


def fork(number):
    os.fork()
    return number


def fork_and_end():
    if os.fork() == 0:
        time.sleep(600)
    os._exit(3)


def unsayable():
    return {double}


def fail():
    raise KeyError("lost")
