"""One seed is one search: whatever is loaded, in whatever order claims run, in a worker or in process."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

from draws import drawn
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS

from gnomon.run.executor import IsolatedExecutor

IDS = ["optim.adam.update", "graph.degree", "heat.euler_stability.graphs", "act.elu"]
CONSTANTS = "NUMBERS = [" + ", ".join(f"{n}, {n}.25, 0.{n}, 0.0{n}, {1000003 * n}" for n in range(1, 90)) + "]\n"


def in_a_process(folder, *ids, load="", **environment):
    program = f"{load}\nimport runpy, sys\nsys.argv[0] = 'draws'\nrunpy.run_path(sys.argv.pop(1), run_name='__main__')"
    command = [sys.executable, "-c", program, str(Path(__file__).with_name("draws.py")), *ids]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_same_seed_draws_the_same_whatever_else_is_there(tmp_path, monkeypatch):
    (tmp_path / "constants_of_a_user.py").write_text(CONSTANTS, encoding="utf-8")
    plain = in_a_process(tmp_path, *IDS, PYTHONHASHSEED="1")
    assert in_a_process(tmp_path, *IDS[::-1], load="import constants_of_a_user", PYTHONHASHSEED="2") == plain
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("constants_of_a_user")
    assert json.loads(json.dumps(drawn(IDS))) == plain
    with IsolatedExecutor(1, timeout=300) as executor:
        assert json.loads(json.dumps(executor.submit(drawn, IDS[1:2]).result())) == {IDS[1]: plain[IDS[1]]}
    assert not (tmp_path / ".hypothesis").exists(), "nothing is left in the user's folder"


def test_hypothesis_itself_is_left_as_it_was():
    before = dict(AVAILABLE_PROVIDERS)
    drawn(IDS[:1])
    assert before == AVAILABLE_PROVIDERS
