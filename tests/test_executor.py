"""Tasks in processes of their own: a crash or a hang costs that task and nothing else."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from tasks import crash, double, fail, fork, fork_and_end, hang, unsayable

from gnomon.run.executor import IsolatedExecutor, TaskDied, TaskRaised, TaskTimeout


def test_a_crash_and_a_hang_cost_one_task_each():
    with IsolatedExecutor(2, timeout=5) as executor:
        futures = [executor.submit(task) for task in (crash, hang, fail)]
        right = [executor.submit(double, number) for number in range(6)]
        assert [future.result() for future in right] == [0, 2, 4, 6, 8, 10]
        with pytest.raises(TaskDied, match=r"-11 \(SIGSEGV\)"):
            futures[0].result()
        with pytest.raises(TaskTimeout, match="5 s"):
            futures[1].result()
        with pytest.raises(TaskRaised, match="lost") as caught:
            futures[2].result()
        assert caught.value.kind == "KeyError"


def test_a_process_that_forks_gives_each_task_its_own_answer():
    with IsolatedExecutor(1, timeout=30) as executor:
        futures = [executor.submit(fork if number % 2 else double, number) for number in range(8)]
        assert [future.result() for future in futures] == [0, 1, 4, 3, 8, 5, 12, 7]
        with pytest.raises(TaskDied, match="code 3"):
            executor.submit(fork_and_end).result()


def test_an_answer_is_data():
    with IsolatedExecutor(1, timeout=30) as executor:
        with pytest.raises(TaskRaised, match="not JSON serializable"):
            executor.submit(unsayable).result()
        assert executor.submit(double, 2).result() == 4


def test_a_killed_run_keeps_what_was_finished_and_is_taken_up_again(tmp_path):
    command = [sys.executable, "-m", "gnomon", "verify", "act.elu*", "act.soft*", "--json"]
    command += ["--out", str(tmp_path), "--jobs", "1", "--device", "cpu"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    path = tmp_path / "evidence.jsonl"
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        if path.exists() and path.read_text(encoding="utf-8").count('"type": "evidence"') >= 2:
            break
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    lines = path.read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert records[0]["type"] == "run"
    kept = [record for record in records if record["type"] == "evidence"]
    assert len(kept) >= 2
    report = [sys.executable, "-m", "gnomon", "report", str(tmp_path)]
    shown = subprocess.run(report, capture_output=True, text=True, check=True)
    assert "<html" in (tmp_path / "report.html").read_text(encoding="ascii")
    assert shown.stdout.strip() == str(tmp_path / "report.html")

    with path.open("a", encoding="utf-8") as file:
        file.write('{"type": "evi')
    again = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=True)
    results = json.loads(again.stdout)["results"]
    assert len({result["claim"] for result in results}) > len({record["claim"] for record in kept})
    assert all(record in results for record in kept), "what was finished is taken over, not run again"
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [record["type"] for record in records].count("run") == 2
    assert sum(record["type"] == "evidence" for record in records) == len(results)

    other = subprocess.run([*command, "--resume", "--seed", "1"], capture_output=True, text=True, check=False)
    assert other.returncode == 2
    assert "had another plan than this one" in other.stderr
