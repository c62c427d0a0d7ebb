"""One thread a process, and no deadlines. No seed is set: a claim must hold under any."""

import os

import torch
from hypothesis import settings

# Under CI Hypothesis has loaded its own profile "ci": no deadline, and the same examples on every run.
settings.register_profile("gnomon", deadline=None)
if settings.get_current_profile_name() == "default":
    settings.load_profile("gnomon")


def pytest_configure() -> None:
    """Keep every pytest-xdist worker, and each process that a test starts, to one thread."""
    torch.set_num_threads(1)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
