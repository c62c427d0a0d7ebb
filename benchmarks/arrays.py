"""Programs as arrays at the sizes that people run: CPU seconds for 9 points, with running bounds, and memory.

usage: python benchmarks/arrays.py [NAME ...]
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Callable
from typing import Any

import sympy as sp
import torch
from common import cpu

from gnomon.check.inputs import draw
from gnomon.compute.arrays.gradient import pulled_back, shaped
from gnomon.compute.arrays.program import ArrayProgram, bounded_parts, lowered
from gnomon.compute.batch import Batch
from gnomon.compute.whole_numbers import Bindings
from gnomon.proof.reductions import Largest
from gnomon.say.claim import Output, Program
from gnomon.say.domain import Domain

POINTS = 9
CPU = torch.device("cpu")
i, j, k, c, t, a, b, o, p, q = sp.symbols("i j k c t a b o p q", integer=True)
n, d, N, C, H, T, W = sp.symbols("n d N C H T W", integer=True, positive=True)


def indexed(names: str) -> list[sp.IndexedBase]:
    return [sp.IndexedBase(name, real=True) for name in names.split()]


def attention() -> Made:
    """Softmax attention of n queries and keys of d numbers, shifted by the greatest score."""
    Q, K, V, score, most, power, total = indexed("Q K V score most power total")
    return (
        (
            (score[i, j], sp.Sum(Q[i, k] * K[j, k], (k, 0, d - 1)) / sp.sqrt(d)),
            (most[i], Largest(score[i, j], (j, 0, n - 1))),
            (power[i, j], sp.exp(score[i, j] - most[i])),
            (total[i], sp.Sum(power[i, j], (j, 0, n - 1))),
        ),
        Output("out", sp.Sum(power[i, j] * V[j, k], (j, 0, n - 1)) / total[i], (i, 0, n - 1), (k, 0, d - 1)),
        [Domain(name, (n, d)) for name in ("Q", "K", "V")],
        {"n": 1024, "d": 64},
    )


def batch_norm() -> Made:
    """Batch normalization of N rows of C features."""
    x, weight, bias, mean, off, var = indexed("x weight bias mean off var")
    return (
        (
            (mean[c], sp.Sum(x[a, c], (a, 0, N - 1)) / N),
            (off[a, c], x[a, c] - mean[c]),
            (var[c], sp.Sum(off[a, c] ** 2, (a, 0, N - 1)) / N),
        ),
        Output(
            "y", weight[c] * off[a, c] / sp.sqrt(var[c] + sp.Rational(1, 1000)) + bias[c], (a, 0, N - 1), (c, 0, C - 1)
        ),
        [Domain("x", (N, C)), Domain("weight", (C,)), Domain("bias", (C,))],
        {"N": 1025, "C": 64},
    )


def convolution() -> Made:
    """A convolution 3 × 3 of C maps to C, whose images are W × W when padded by one."""
    x, w, bias, inside = indexed("x w bias inside")
    edge = (p >= 1) & (p <= W) & (q >= 1) & (q <= W)
    return (
        ((inside[c, p, q], sp.Piecewise((x[c, p - 1, q - 1], edge), (0, True))),),
        Output(
            "y",
            bias[o] + sp.Sum(w[o, c, a, b] * inside[c, i + a, j + b], (c, 0, C - 1), (a, 0, 2), (b, 0, 2)),
            (o, 0, C - 1), (i, 0, W - 1), (j, 0, W - 1),
        ),
        [Domain("x", (C, W, W)), Domain("w", (C, C, 3, 3)), Domain("bias", (C,))],
        {"C": 8, "W": 32},
    )  # fmt: skip


def lstm() -> Made:
    """Long short-term memory of H cells over T steps of H numbers; all hidden states."""
    x, w, u, bias, s, cell, h = indexed("x w u bias s cell h")
    gate = lambda number: sp.tanh(s[number, t, j] / 2) / 2 + sp.Rational(1, 2)  # noqa: E731
    step = cell[t - 1, j] * gate(1) + gate(0) * sp.tanh(s[2, t, j])
    mixed = sp.Sum(w[H * q + j, k] * x[t - 1, k], (k, 0, H - 1)) + sp.Sum(u[H * q + j, k] * h[t - 1, k], (k, 0, H - 1))
    return (
        (
            (s[q, t, j], mixed + bias[H * q + j]),
            (cell[t, j], sp.Piecewise((0, sp.Eq(t, 0)), (step, True))),
            (h[t, j], sp.Piecewise((0, sp.Eq(t, 0)), (gate(3) * sp.tanh(cell[t, j]), True))),
        ),
        Output("h", h[t, j], (t, 1, T), (j, 0, H - 1)),
        [Domain("x", (T, H)), Domain("w", (4 * H, H)), Domain("u", (4 * H, H)), Domain("bias", (4 * H,))],
        {"T": 64, "H": 64},
    )


def layers() -> Made:
    """Three layers of n tanh units."""
    x, w, bias, z = indexed("x w bias z")
    deeper = sp.tanh(sp.Sum(w[t - 1, j, k] * z[t - 1, k], (k, 0, n - 1)) + bias[t - 1, j])
    return (
        ((z[t, j], sp.Piecewise((x[j], sp.Eq(t, 0)), (deeper, True))),),
        Output("y", z[3, j], (j, 0, n - 1)),
        [Domain("x", (n,)), Domain("w", (3, n, n)), Domain("bias", (3, n))],
        {"n": 1025},
    )


Made = tuple[Any, Output, list[Domain], dict[str, int]]
PROGRAMS: dict[str, tuple[Callable[[], Made], float]] = {
    "attention": (attention, 2.0), "batch norm": (batch_norm, 0.15), "convolution": (convolution, 0.05),
    "LSTM": (lstm, 1.0), "three layers": (layers, 2.0),
}  # fmt: skip
"""What is measured, and the seconds to reach."""


def prepared(made: Made) -> tuple[ArrayProgram, Batch, float]:
    """A program, points of it, and the CPU seconds of its lowering."""
    lets, output, inputs, sizes = made
    bindings = Bindings(sizes, {}, {})
    with cpu() as clock:
        program = lowered(Program(lets, (output,)), {domain.name: domain for domain in inputs}, bindings)
    batch = draw(inputs, bindings, {}, POINTS, torch.float32, torch.Generator().manual_seed(0))
    return program, batch, clock.seconds


def measured(name: str) -> None:
    """Print one row; in a process of its own, so that the memory is its own."""
    torch.set_num_threads(1)
    program, batch, lowering = prepared(PROGRAMS[name][0]())
    program.truth(batch.point(0), torch.float32, CPU)
    with cpu() as plain:
        program.values(batch)
    with cpu() as bounds:
        program.truth(batch, torch.float32, CPU)
    wrt = {name: tuple(value.shape[1:]) for name, value in batch.values.items()}
    outputs = sum(torch.Size(shape).numel() for shape in program.shapes.values())
    cotangent = torch.ones(POINTS, outputs, dtype=torch.float64)
    with cpu() as differentiating:
        nodes = list(pulled_back(program, wrt).values())
    with cpu() as gradient:
        more = shaped(cotangent, program.shapes)
        bounded_parts(program.graph, nodes, wrt.values(), batch, more, torch.float32, CPU)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{name:14} {lowering:8.3f} {plain.seconds:8.3f} {bounds.seconds:8.3f} {PROGRAMS[name][1]:8.2f} "
        f"{differentiating.seconds:8.3f} {gradient.seconds:8.3f} {gradient.seconds / bounds.seconds:6.1f} {peak:7.2f}",
        flush=True,
    )


def main() -> int:
    print(f"{'CPU seconds':14} {'lowering':>8} {'values':>8} {'bounds':>8} {'to reach':>8} "
          f"{'reverse':>8} {'gradient':>8} {'times':>6} {'GiB':>7}")  # fmt: skip
    for name in sys.argv[1:] or PROGRAMS:
        process = multiprocessing.get_context("spawn").Process(target=measured, args=(name,))
        process.start()
        process.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
