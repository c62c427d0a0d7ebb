"""The part of a claim that says what its verdicts cover, and what was not looked at."""

from __future__ import annotations

from collections.abc import Sequence

from gnomon.reports.markup import Markup, h, join, quiet_table
from gnomon.reports.pieces import quiet, where
from gnomon.say.evidence import Evidence
