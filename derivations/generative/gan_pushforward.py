"""The law that the generator makes (notes, section 4.2.1)."""

from typing import Any

from sympy import IndexedBase, KroneckerDelta, Max, Product, Symbol, log

from gnomon.derivations.generative.gan_game import log_sigmoid, sigmoid, stable
from gnomon.say.board import Board
from gnomon.say.call import integers, returned, tensor
from gnomon.say.maker import claim


@claim("gan.pushforward", "4.2.1", "gan.pushforward")
def pushforward(c: Board) -> None:
    """An expectation over the codes z is one under the law of the generated points, whatever the map."""
    k = c.size("k", 2, 4)
    g = c.sizes("g", k, 0, 3)
    widest = c.widest("widest", g)
    m = c.size("m", 4, 5)
    p, l = c.law_on("p", k), c.real("l", m)
    z, x = c.index("z", k), c.index("x", m)
    c.condition(widest <= m - 1, name="g leads into the space")
    hit = KroneckerDelta(g[z], x)
    hits = c.let("hits", (z, x), hit)
    law = c.let("law", x, c.sum(p[z] * hits[z, x], z))
    rejects = c.let("rejects", x, log_sigmoid(-l[x]))
    mean = c.let("mean", (), c.sum(law[x] * rejects[x], x))

    def exchanged(b: Any, value: Any) -> Any:
        """The mass of a point is that of the codes that hit it; both sums change places, and each code hits one."""
        return b.left.unfold(law).to(c.sum(p[z] * c.sum(hits[z, x] * value, x), z)).unfold(hits).contract().decide()

    def of_rejections(b: Any) -> None:
        rejection = 1 - sigmoid(l[x])
        rejecting = stable(b, "log(1 - D)", rejects[x], rejection, l[x])
        b.left.unfold(mean).rewrite(rejecting)
        exchanged(b, log(rejection))

    c.law(law[x], c.sum(p[z] * hit, z))
    c.law(mean, c.sum(p[z] * log(1 - sigmoid(l[g[z]])), z))
    c.prove(of_rejections)
    c.law(c.sum(law[x] * l[x], x), c.sum(p[z] * l[g[z]], z))
    c.prove(lambda b: exchanged(b, l[x]))
    c.law(c.sum(law[x], x), 1)
    c.prove(lambda b: exchanged(b, 1).rewrite(b.condition("p adds up to 1")))
    c.say("law[x] is the mass of all codes that g sends to x", "g need not be one-to-one")
    given = IndexedBase("given", real=True)
    expected = tensor(c.sum(given[x] * rejects[x], x), given=returned(0))
    c.call(p, integers(g), m).shows(law=returned(0), mean=expected)

    def instead(name: str, source: str, mass: Any, why: str = "") -> None:
        c.variant(name, source, why=why, lets={"law": mass})

    instead("codes counted", "known bug: weights ignored", c.sum(hit, z) / k)
    j = Symbol("j", integer=True)
    last = p[z] * hit * Product(1 - KroneckerDelta(g[j], x), (j, z + 1, k - 1))
    instead(
        "the last code wins",
        "known bug: assignment in the place of addition",
        c.sum(last, z),
        why="right for a map that is one-to-one",
    )
    mass = c.sum(p[z] * hit, z)
    instead("average over the codes of a point", "known bug: density taken for mass", mass / Max(1, c.sum(hit, z)))
    instead("next point", "known bug: off by one", c.sum(p[z] * KroneckerDelta(g[z] + 1, x), z))
    c.remark("On finite spaces. With densities the same holds, without a formula for the density of g(z) in general.")
