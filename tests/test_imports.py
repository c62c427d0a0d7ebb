"""An implementation is imported in a worker, once; whatever it does there, the run has a reason and loses nothing."""

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from test_cli import IMPORTS, UPDATE, run, write

from gnomon.find.subjects import load
from gnomon.run import implementations, runner
from gnomon.run.executor import TaskRaised
from gnomon.say.errors import UsageError

LOG = "import os\nwith open({path!r}, 'a') as file: file.write(f'{{os.getpid()}}\\n')\n"


def verified(capsys, folder, text, *globs):
    place = write(folder, "mine.py", text)
    arguments = ["--impl", f"optim.Adam={place}:Adam", "--dtype", "float64", "--out", str(folder / "out")]
    return run(capsys, "verify", UPDATE, *globs, *arguments, "--jobs", "1")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("import sys\nsys.exit()\n", "calls sys.exit(); put what a script does under"),
        ("raise SystemExit('done')\n", "calls sys.exit('done')"),
        ("class Stop(BaseException): pass\nraise Stop('here')\n", "raises Stop: here"),
        ("import os\nos._exit(0)\n", "its process ended with code 0"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", "its process ended with code -11 (SIGSEGV)"),
        ("while True: pass\n", "still running after 3 s and was stopped"),
    ],
)
def test_an_import_that_ends_or_hangs_is_exit_code_2_with_file_and_cause(capsys, monkeypatch, tmp_path, text, cause):
    monkeypatch.setattr(implementations, "IMPORT_LIMIT", 3.0)
    code, out, err = verified(capsys, tmp_path, IMPORTS + text)
    assert (code, out) == (2, "")
    assert "mine.py" in err
    assert cause in err
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists(), "an earlier run's evidence is left alone"


def test_a_file_runs_once_and_not_in_this_process(capsys, tmp_path):
    log = tmp_path / "log"
    code, _, err = verified(capsys, tmp_path, LOG.format(path=str(log)) + IMPORTS, "optim.adam.second_moment")
    assert code == 0, err
    (process,) = log.read_text(encoding="utf-8").split()
    assert int(process) != os.getpid()


def test_exit_code_0_needs_a_record_of_every_check(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "append", lambda path, records: None)
    code, _, err = verified(capsys, tmp_path, IMPORTS)
    assert code == 3
    assert f"no record of them in the evidence: {UPDATE} in float64" in err


def test_what_runs_when_another_task_stops_the_run_is_kept(tmp_path):
    begun = threading.Event()

    def task(name, module):
        if name == "stops":
            begun.wait(30)
            raise TaskRaised("UsageError", "no such subject", "")
        begun.set()
        time.sleep(0.5)
        return [{"type": "evidence", "claim": name}]

    rows = [{"id": name, "module": "", "subject": ""} for name in ("stops", "runs", "waits")]
    path = tmp_path / "evidence.jsonl"
    with ThreadPoolExecutor(2) as executor, pytest.raises(UsageError, match="no such subject"):
        list(runner.run(rows, task, (), executor, path, runner.lost_evidence(runner.Plan({}))))
    assert "runs" in [json.loads(line)["claim"] for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_file_hides_no_module_and_is_loaded_by_its_path(tmp_path):
    (tmp_path / "other").mkdir()
    first = write(tmp_path, "json.py", "NUMBER = 1\n")
    second = write(tmp_path / "other", "json.py", "NUMBER = 2\n")
    assert [load(f"{first}:NUMBER"), load(f"{second}:NUMBER"), json.loads("3")] == [1, 2, 3]
