"""``gnomon report``: one HTML file from evidence."""

from __future__ import annotations

import argparse
from pathlib import Path

from gnomon.front.verifying import EVIDENCE
from gnomon.say.errors import UsageError


def report(arguments: argparse.Namespace) -> int:
    from gnomon.reports.page import render
    from gnomon.reports.view import load

    given = arguments.files or [Path("out")]
    files = [file for path in given for file in ([path / EVIDENCE] if path.is_dir() else [path])]
    try:
        page = render(load(files))
    except (ValueError, OSError) as error:
        raise UsageError(f"{error}; run `gnomon verify` first, or name a folder or file with evidence") from error
    target = arguments.output or files[0].with_name("report.html")
    try:
        target.write_text(page, encoding="ascii")
    except OSError as error:
        raise UsageError(f"cannot write {str(target)!r}: {error.strerror}") from error
    print(target)
    if arguments.open:
        import webbrowser

        webbrowser.open(target.resolve().as_uri())
    return 0
