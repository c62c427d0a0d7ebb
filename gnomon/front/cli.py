"""The command line: ``gnomon list | prove | explain | audit | verify | report``. Nothing heavy is imported early."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from gnomon.front.listing import explain, listing
from gnomon.front.proving import audit, prove
from gnomon.front.reporting import report
from gnomon.front.talk import say
from gnomon.front.verifying import verify
from gnomon.say.errors import UsageError
from gnomon.say.evidence import GRADES

COMMANDS = {"list": listing, "prove": prove, "explain": explain, "audit": audit, "verify": verify, "report": report}
EPILOG = "exit codes: 0 all hold · 1 some claim fails · 2 usage, or not callable · 3 something, or all, is undecided"


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(
        prog="gnomon",
        description="Prove the mathematics, turn it into checks, and hunt for the input on which a program disagrees.",
        epilog=EPILOG,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=EPILOG)

    globs = {
        "nargs": "*",
        "metavar": "GLOB",
        "help": "claim ids, like optim.adam.update or 'flow.*' (default: all)",
    }
    one = add("list", "show the claims and the models, and which lack the other")
    one.add_argument("globs", **globs)  # type: ignore[arg-type]
    one.add_argument("--json", action="store_true", help="as JSON on stdout")
    one.add_argument(
        "--options", action="store_true", help="each argument of the models: which claims give it, with which values"
    )
    one = add("prove", "run the derivations, each step checked")
    one.add_argument("globs", **globs)  # type: ignore[arg-type]
    one.add_argument("--json", action="store_true", help="as JSON on stdout")
    one.add_argument("--jobs", type=_positive, metavar="N", help="tasks at once (default: the cores)")
    one = add("explain", "show a claim: statement, conditions, derivation, program, variants")
    one.add_argument("id", help="a claim's id")
    one = add("verify", "prove, search, confirm, shrink: check claims against models")
    one.add_argument("globs", **globs)  # type: ignore[arg-type]
    one.add_argument(
        "--impl", action="append", default=[], metavar="SUBJECT=PLACE",
        help="verify your own in a model's place: optim.Adam=mypkg.optim:Adam or optim.Adam=file.py:Adam",
    )  # fmt: skip
    one.add_argument(
        "--bind", metavar="NAMES", help="your own names for the model's: weight_ih=x2h.weight,weight_hh=h2h.weight"
    )
    one.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    one.add_argument(
        "--dtype", default="float64,float32", help="float64,float32,bfloat16,float16 (default: the first two)"
    )
    one.add_argument(
        "--budget",
        default="quick",
        choices=("quick", "standard", "deep"),
        help="how much to search",
    )
    one.add_argument(
        "--size", metavar="SIZES", default="", help="look at these sizes, too: n=4096,d=64 (the others as drawn)"
    )
    one.add_argument(
        "--grade", default="any", choices=GRADES,
        help="what 16-bit formats are held to: float32 asks that sums are added up in it (default: any, and named)",
    )  # fmt: skip
    one.add_argument(
        "--compile", action="store_true", help="also compare what torch.compile makes of the subject; takes long"
    )
    one.add_argument("--seed", type=int, default=0, help="for everything that is drawn (default: 0)")
    one.add_argument("--jobs", type=_positive, metavar="N", help="tasks at once (default: the cores)")
    one.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where evidence goes (default: out/)")
    one.add_argument("--resume", action="store_true", help="go on with the run in --out that was stopped")
    one.add_argument("--json", action="store_true", help="the results as JSON on stdout")
    one.add_argument(
        "-v", "--verbose", action="store_true", help="all that was covered and all that was not looked at, with reasons"
    )
    one = add("audit", "spoil claims: false laws, other programs, foreign proofs, dropped conditions must be refused")
    one.add_argument("globs", nargs="*", metavar="GLOB", help="claims, as in `gnomon list` (default: all linked ones)")
    one.add_argument("--jobs", type=_positive, metavar="N", help="processes (default: one a core)")
    one.add_argument("--json", action="store_true", help="tried, refused and survivors as JSON on stdout")
    one = add("report", "write one self-contained HTML file from evidence")
    one.add_argument("files", nargs="*", type=Path, metavar="DIR|FILE", help="evidence (default: out/)")
    one.add_argument("-o", "--output", type=Path, metavar="FILE.html", help="default: report.html beside the evidence")
    one.add_argument("--open", action="store_true", help="open it in a browser")
    return top


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text!r}")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    arguments = parser().parse_args(argv)
    try:
        code: int = COMMANDS[arguments.command](arguments)
        return code
    except UsageError as error:
        say(f"gnomon: {error}")
        return 2
    except BrokenPipeError:  # `gnomon list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        say("gnomon: stopped; the evidence of finished tasks is kept")
        return 130
