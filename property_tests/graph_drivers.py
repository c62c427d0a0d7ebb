"""How functions of a signal and the edges of a graph are called."""

from __future__ import annotations

import random
from typing import Any

import torch
from torch import Tensor

from gnomon.drive.driver import Call, Case, Driver, Tensors
from gnomon.property_tests.drivers import named


def _known(case: Case, tensors: Tensors) -> dict[str, Any]:
    """What an argument may be named: inputs, sizes, ``edge_index``, ``num_nodes`` and ``edge_weight``.

    The structure's ``A[i][j]`` is 1 where an edge leads from j to i. Its weight is entry (i, j) of the input
    ``w`` (n, n); with the option "undirected" both ways take the entry of the smaller index first. A ``w``
    (m, n, n) is m parallel edges, a scalar one the same weight everywhere. Edges come in no particular order.
    """
    matrix = case.compiled.bindings.arrays["A"]
    weight = tensors.get("w")
    copies = len(weight) if weight is not None and weight.ndim == 3 else 1
    nodes = range(len(matrix))
    edges = [(copy, i, j) for copy in range(copies) for i in nodes for j in nodes if matrix[i][j]]
    random.Random(len(edges)).shuffle(edges)
    listed = torch.tensor(edges, dtype=torch.int64, device=case.device).reshape(-1, 3)
    copy, target, source = listed.unbind(1)
    known = {**case.compiled.bindings.numbers, **case.host, **tensors}
    known |= {"edge_index": torch.stack([source, target]), "num_nodes": len(matrix)}
    if weight is None:
        return known
    if case.options.get("undirected"):
        target, source = torch.minimum(target, source), torch.maximum(target, source)
    places = {0: (None,), 2: (target, source), 3: (copy, target, source)}[weight.ndim]
    chosen: Tensor = weight[places]
    return known | {"edge_weight": chosen.expand(len(edges)) if weight.ndim == 0 else chosen}


def _keywords(case: Case) -> dict[str, Any]:
    """The options' keywords, and the dtype for functions that cannot tell it from their arguments."""
    found = dict(case.options.get("keywords", {}))
    return found | {"dtype": case.dtype} if case.options.get("dtype") else found


def graph(subject: Any, case: Case) -> Call:
    """``subject(*arguments)``, as ``options["arguments"]`` names them; by default ``x, edge_index``."""
    arguments = case.options.get("arguments", ("x", "edge_index"))

    def call(tensors: Tensors) -> Tensors:
        known = _known(case, tensors)
        return named(case, subject(*(known[name] for name in arguments), **_keywords(case)))

    return call


DRIVERS: dict[str, Driver] = {
    "graph": Driver(graph, "a function on a graph: f(x, edge_index, ...) or f(edge_index, num_nodes, ...)"),
}
