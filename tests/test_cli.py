"""The command line as a user meets it: data on stdout, talk on stderr, exit codes, and errors that say what to do."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from gnomon.find import catalogue
from gnomon.find.walk import models
from gnomon.front.cli import main
from gnomon.run import runner
from gnomon.run.executor import TaskDied, TaskRaised, TaskTimeout

UPDATE = "optim.adam.update"


def run(capsys, *arguments):
    try:
        code = main(arguments)
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def write(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


IMPORTS = "import torch\nfrom torch.optim import Adam\n"
WRONG = """
class Adam(torch.optim.Adam):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr=lr, betas=betas, eps=2 * eps)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["verify", "--help"], ["report", "--help"]])
def test_help_names_the_exit_codes_and_imports_nothing_heavy(arguments):
    program = (
        "import sys; from gnomon.front.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'sympy', 'hypothesis', 'numpy', 'flint'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "0 all hold" in shown
    assert shown.rstrip().endswith("[]")


def test_listing_imports_no_torch():
    program = "import sys; from gnomon.front.cli import main; main(['list']); print('torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert UPDATE in shown
    assert shown.rstrip().endswith("False")


def test_list_as_json_shows_claims_and_models_and_who_lacks_whom(capsys):
    code, out, _ = run(capsys, "list", "optim.adam.update*", "--json")
    listing = json.loads(out)
    assert code == 0
    (claim,) = [claim for claim in listing["claims"] if claim["id"] == UPDATE]
    assert {"id", "section", "kind", "label", "sizes", "cites", "subject"} <= set(claim)
    assert claim["section"] == "1.2.5"
    by_subject = {model["subject"]: model["claims"] for model in listing["models"]}
    assert UPDATE in by_subject["optim.Adam"]
    assert {row["subject"] for row in catalogue.select([])} <= set(models())


@pytest.mark.parametrize("command", ["list", "prove", "verify", "explain"])
def test_an_unknown_id_names_the_nearest(capsys, command):
    code, out, err = run(capsys, command, "optim.adam.updat")
    assert (code, out) == (2, "")
    assert "did you mean optim.adam.update" in err


def test_explain_reads_like_text(capsys):
    code, out, _ = run(capsys, "explain", UPDATE)
    assert code == 0
    for word in ("Statement", "Conditions", "Proof", "Program", "Variants", "§1.2.5"):
        assert word in out
    assert "Indexed(" not in out


def test_a_claim_whose_proof_does_not_go_through_does_not_hold(capsys, monkeypatch, tmp_path):
    really = runner.run

    def refuted(*arguments):
        for name, records in really(*arguments):
            yield name, [{**record, "ok": False} if record["type"] == "proof" else record for record in records]

    monkeypatch.setattr(runner, "run", refuted)
    code, out, err = run(capsys, "verify", UPDATE, "--dtype", "float64", "--budget", "quick", "--out", str(tmp_path))
    assert code == 1
    assert "holds" in out
    assert f"NOT PROVED, see gnomon prove: {UPDATE}" in err


def test_prove_says_what_was_proved(capsys):
    code, out, _ = run(capsys, "prove", UPDATE, "--json")
    (proof,) = json.loads(out)["proofs"]
    assert code == 0
    assert proof["ok"]
    assert proof["trust"].startswith("proved")
    assert all(step["ok"] for step in proof["steps"])


def test_torchs_adam_holds_and_a_wrong_one_fails_with_its_counterexample(capsys, tmp_path):
    place = write(tmp_path, "mine.py", IMPORTS + WRONG)
    good = run(
        capsys,
        "verify",
        UPDATE,
        "--impl",
        "optim.Adam=torch.optim:Adam",
        "--out",
        str(tmp_path / "a"),
        "--json",
    )
    results = json.loads(good[1])
    assert (good[0], results["exit"]) == (0, 0)
    assert [(r["dtype"], r["verdict"]) for r in results["results"]] == [
        ("float64", "holds"),
        ("float32", "holds"),
    ]
    assert {"claim", "subject", "device", "dtype", "verdict", "variant", "counterexample"} <= set(results["results"][0])
    bad = run(
        capsys,
        "verify",
        UPDATE,
        "--impl",
        f"optim.Adam={place}:Adam",
        "--dtype",
        "float64",
        "--out",
        str(tmp_path / "b"),
    )
    assert bad[0] == 1
    assert "FAILS" in bad[1]
    assert "wrong formula" in bad[1]
    assert "expected" in bad[1]
    assert "1 fails" in bad[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--impl", "optim.Adam"], "expected SUBJECT=module:object"),
        (["--impl", "optim.Adm=torch.optim:Adam"], "did you mean optim.Adam"),
        (["--impl", "optim.Adam=no_such_module:Adam"], "there is no module 'no_such_module'"),
        (["--impl", "optim.Adam=missing.py:Adam"], "there is no file 'missing.py'"),
        (["--impl", "optim.Adam=torch.optim:Adm"], "did you mean Adam"),
        (["--impl", "optim.Adam=math:pi"], "expected a class or a function"),
        (["--impl", "gan.kl=torch:add"], "none of the 1 chosen claims is about it"),
        (["--dtype", "float8"], "expected float64, float32"),
        (["--device", "cuda:99x"], "expected auto, cpu"),
        (["--budget", "huge"], "invalid choice"),
        (["--jobs", "0"], "whole number"),
    ],
)
def test_bad_input_gets_exit_code_2_and_a_remedy(capsys, tmp_path, arguments, message):
    code, out, err = run(capsys, "verify", UPDATE, "--out", str(tmp_path), *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_an_implementation_with_a_syntax_error_is_named(capsys, tmp_path):
    place = write(tmp_path, "broken.py", "def Adam(:\n")
    code, _, err = run(capsys, "verify", UPDATE, "--impl", f"optim.Adam={place}:Adam", "--out", str(tmp_path))
    assert code == 2
    assert "SyntaxError" in err


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("import os\ndef Adam(*a, **k): os.abort()\n", "process ended"),
        ("def Adam(*a, **k): raise ValueError('not today')\n", "raises ValueError: not today"),
    ],
)
def test_a_crashing_implementation_gets_a_verdict_and_not_a_traceback(capsys, tmp_path, text, word):
    place = write(tmp_path, "crashing.py", text)
    code, out, err = run(
        capsys,
        "verify",
        UPDATE,
        "--impl",
        f"optim.Adam={place}:Adam",
        "--dtype",
        "float64",
        "--out",
        str(tmp_path),
    )
    assert code == 1
    assert "crash" in out
    assert word in out
    assert "Traceback" not in out + err


def test_a_report_without_evidence_says_what_to_do(capsys, tmp_path):
    code, _, err = run(capsys, "report", str(tmp_path))
    assert code == 2
    assert "gnomon verify" in err


def test_the_out_folder_must_be_writable(capsys, tmp_path):
    blocked = write(tmp_path, "file", "")
    code, _, err = run(capsys, "verify", UPDATE, "--out", str(blocked))
    assert code == 2
    assert "cannot write" in err


def test_no_colour_when_asked(monkeypatch):
    from gnomon.front.talk import coloured

    class Terminal:
        def isatty(self):
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert coloured("x", "31", Terminal()) == "\033[31mx\033[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert coloured("x", "31", Terminal()) == "x"


SHORT = {"seconds": 0.0, "trust": "proved for every n", "steps": []}
ENDS = pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TaskTimeout("still running after 900 s and was stopped"), "still running after 900 s and was stopped"),
        (TaskDied("its process ended with code -9 (SIGKILL)"), "its process ended with code -9 (SIGKILL)"),
        (TaskRaised("KeyError", "lost", ""), "KeyError: lost"),
    ],
)


@ENDS
def test_proofs_go_on_when_one_task_dies(error, reason, capsys, monkeypatch):
    lost, kept = "optim.adam.first_moment", UPDATE

    def proved(claim, module):
        if claim == lost:
            raise error
        return [{"type": "proof", "claim": claim, "ok": True, "label": "proved", "sizes": [], "cites": [], **SHORT}]

    rows = catalogue.select([lost, kept])
    monkeypatch.setattr(catalogue, "select", lambda globs: [row | {"label": None} for row in rows])
    monkeypatch.setattr(catalogue, "learn", lambda records: [record["ok"] for record in records])
    monkeypatch.setattr(runner, "prove_claim", proved)
    monkeypatch.setattr(runner, "isolated", lambda *_: ThreadPoolExecutor(1))
    code, out, err = run(capsys, "prove", lost, kept)
    assert code == 3
    assert f"NOT ENDED  {lost}: {reason}" in err
    assert kept in out
    code, out, _ = run(capsys, "prove", lost, kept, "--json")
    assert (code, json.loads(out)["not_ended"]) == (3, [{"claim": lost, "reason": reason}])
    assert [proof["claim"] for proof in json.loads(out)["proofs"]] == [kept]
    code, out, err = run(capsys, "list", lost, kept, "--json")
    assert code == 0
    assert f"{lost} has no label: {reason}" in err
    assert len(json.loads(out)["claims"]) == 2


@ENDS
@pytest.mark.parametrize(("refused", "exit_code"), [(True, 3), (False, 1)])
def test_an_audit_that_loses_a_claim_keeps_the_others(error, reason, refused, exit_code, capsys, monkeypatch):
    lost, kept = "optim.adam.first_moment", UPDATE

    def audited(claim, module, others):
        if claim == lost:
            raise error
        return [{"claim": claim, "change": "law 1: times two", "refused": refused, "reason": "", "equal": False}]

    rows = [{"id": name, "module": "", "label": "proved"} for name in (lost, kept)]
    monkeypatch.setattr(catalogue, "select", lambda globs: rows)
    monkeypatch.setattr(runner, "audit_claim", audited)
    monkeypatch.setattr(runner, "isolated", lambda *_: ThreadPoolExecutor(1))
    code, out, _ = run(capsys, "audit", lost, kept)
    assert code == exit_code
    assert f"NOT AUDITED  {lost}: {reason}" in out.splitlines()
    assert out.splitlines()[-1].startswith(f"{int(refused)} of 1 spoilt claims refused")
    code, out, _ = run(capsys, "audit", lost, kept, "--json")
    assert (code, json.loads(out)["not_audited"]) == (exit_code, [{"claim": lost, "reason": reason}])
    assert json.loads(out)["tried"] == 1
