"""Cross-entropy without a reduction, and as a sum: what one time loses, and all of them (notes, section 1.4)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sympy import exp, log

from gnomon.proof.bench import Bench
from gnomon.proof.reductions import LogSumExp
from gnomon.say.board import Board
from gnomon.say.maker import claim


def scored(c: Board) -> Any:
    """Scores and targets of every time; what one time loses, as a program and by the definition."""
    N, V = c.size("N", 1, 3), c.size("V", 2, 4)
    s = SimpleNamespace(N=N, logits=c.real("logits", N, V), target=c.law_on("target", N, V))
    s.t, k, j = c.index("t", N), c.index("k", V), c.index("j", V)
    s.mass = LogSumExp(s.logits[s.t, j], (j, 0, V - 1))
    s.total = c.let("total", s.t, s.mass)
    s.loses = -c.sum(s.target[s.t, k] * (s.logits[s.t, k] - s.total[s.t]), k)
    s.sum = c.sum(exp(s.logits[s.t, j]), j)
    share = exp(s.logits[s.t, k]) / s.sum
    s.defined = -c.sum(s.target[s.t, k] * log(share), k)
    return s


@claim("seq.lm.classification.each", "1.4", "sequence.cross_entropy")
def each(c: Board) -> None:
    """Without a reduction cross-entropy is a loss for every time, and that of one time knows nothing of the others."""
    s = scored(c)
    loss = c.let("loss", s.t, s.loses)
    c.law(loss[s.t], s.defined)

    def proof(p: Bench) -> None:
        p.left.unfold(loss, s.total).rewrite(p.powers(s.mass))

    c.prove(proof)
    c.call(s.logits, s.target, reduction="none").shows(loss)
    c.say("targets sum to 1 at every time: one-hot or smoothed")
    c.variant("divided by the times", "known bug: the mean's share", loss=s.loses / s.N)
    c.variant("logits, not normalised", "known bug", total=0 * s.logits[s.t, 0])
    c.variant("bits", "base 2", loss=s.loses / log(2))


@claim("seq.lm.classification.summed", "1.4", "sequence.cross_entropy")
def summed(c: Board) -> None:
    """With the reduction sum cross-entropy is the sum over the times: minus the log-likelihood of them all."""
    s = scored(c)
    loss = c.let("loss", (), c.sum(s.loses, s.t))
    c.law(loss, c.sum(s.defined, s.t))

    def massed(b: Bench) -> None:
        b.left.unfold(s.total).rewrite(b.powers(s.mass))

    def proof(p: Bench) -> None:
        known = p.have("the mass", s.total[s.t], "=", log(s.sum), massed)
        p.left.unfold(loss).rewrite(known)

    c.prove(proof)
    c.call(s.logits, s.target, reduction="sum").shows(loss)
    c.say("targets sum to 1 at every time: one-hot or smoothed")
    c.variant("mean over the times", "torch's default", loss=c.sum(s.loses, s.t) / s.N)
    c.variant("logits, not normalised", "known bug", total=0 * s.logits[s.t, 0])
    c.variant("bits", "base 2", loss=c.sum(s.loses, s.t) / log(2))
