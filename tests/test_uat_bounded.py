"""What the claims about the universal activation lean on: the numbering of polynomials, and how far it may fall."""

from hypothesis import given
from hypothesis import strategies as st

from gnomon.reference.uat_bounded import (
    LAMBDA,
    calkin_wilf,
    calkin_wilf_index,
    neuron,
    polynomial,
    polynomial_index,
    universal_sigmoid,
)

FRACTIONS = st.fractions(0, 1, max_denominator=40)
SMALL = st.lists(st.fractions(-4, 4, max_denominator=6), min_size=1, max_size=3)


@given(st.integers(1, 10**6))
def test_every_number_is_that_of_one_positive_rational(index):
    assert calkin_wilf_index(calkin_wilf(index)) == index


@given(st.integers(1, 10**5))
def test_every_number_is_that_of_one_polynomial(index):
    assert polynomial_index(polynomial(index)) == index


@given(SMALL)
def test_every_polynomial_has_a_number(coefficients):
    while len(coefficients) > 1 and coefficients[-1] == 0:
        coefficients = coefficients[:-1]
    assert list(polynomial(polynomial_index(coefficients))) == coefficients


def test_no_polynomial_comes_twice():
    assert len({polynomial(index) for index in range(1, 2000)}) == 1999


@given(SMALL, FRACTIONS)
def test_one_neuron_is_the_polynomial_exactly(coefficients, x):
    assert neuron(coefficients, x) == sum(c * x**power for power, c in enumerate(coefficients))


@given(st.integers(1, 60), st.fractions(0, 2, max_denominator=40))
def test_the_activation_lies_between_an_increasing_function_and_one(window, offset):
    value = universal_sigmoid(window, offset)
    increasing = 1 - LAMBDA / (2 * window - 1 + offset)
    assert increasing < value < 1
    assert value - increasing < LAMBDA
