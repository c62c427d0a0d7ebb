"""Plausible mistakes in activation functions: in their values, at their kinks, and in backward passes by hand."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from planted import Planted


class Function(nn.Module):
    """An elementwise function as a module; ``formula`` is what the bug is about."""

    def forward(self, input: Tensor) -> Tensor:
        return self.formula(input)


# ------------------------------------------------------------------ the logistic function


class SigmoidTextbook(Function):
    def formula(self, x: Tensor) -> Tensor:
        return 1 / (1 + torch.exp(-x))


class SigmoidQuotient(Function):
    def formula(self, x: Tensor) -> Tensor:
        return x.exp() / (1 + x.exp())


class SigmoidClamped(Function):
    def formula(self, x: Tensor) -> Tensor:
        return torch.sigmoid(x).clamp(1e-7, 1 - 1e-7)


class SigmoidByAbs(Function):
    """The stable form, with abs: autograd's slope at 0 is 0."""

    def formula(self, x: Tensor) -> Tensor:
        e = torch.exp(-x.abs())
        return torch.where(x >= 0, 1 / (1 + e), e / (1 + e))


class _BackwardOfInput(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x * (1 - x)


class SigmoidBackwardOfInput(Function):
    def formula(self, x: Tensor) -> Tensor:
        return _BackwardOfInput.apply(x)


class _BackwardWithoutGraph(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        s = torch.sigmoid(x)
        ctx.s = s.detach()
        return s

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.s * (1 - ctx.s)


def sigmoid_backward_without_graph(x: Tensor) -> Tensor:
    """Right to first order; its second derivative is 0."""
    return _BackwardWithoutGraph.apply(x)


def slope_of_input(x: Tensor) -> Tensor:
    return x * (1 - x)


def slope_by_value(x: Tensor) -> Tensor:
    s = torch.sigmoid(x)
    return s * (1 - s)


# ------------------------------------------------------------------ the hyperbolic tangent


class TanhQuotient(Function):
    def formula(self, x: Tensor) -> Tensor:
        return (x.exp() - (-x).exp()) / (x.exp() + (-x).exp())


class TanhBySigmoid(Function):
    def formula(self, x: Tensor) -> Tensor:
        return 2 * torch.sigmoid(2 * x) - 1


class TanhBySize(Function):
    """Stable, with sign and abs: the slope at 0 is 0."""

    def formula(self, x: Tensor) -> Tensor:
        e = torch.expm1(-2 * x.abs())
        return -x.sign() * e / (2 + e)


def tanh_slope_by_value(x: Tensor) -> Tensor:
    return 1 - torch.tanh(x) ** 2


def tanh_slope_cosh(x: Tensor) -> Tensor:
    return 1 / torch.cosh(x)


def tanh_slope_of_input(x: Tensor) -> Tensor:
    return 1 - x**2


# ------------------------------------------------------------------ rectifiers


class ReLUCut(Function):
    def formula(self, x: Tensor) -> Tensor:
        return F.relu6(x)


class ReLUByProduct(Function):
    """Right values, but the mask carries the gradient of a square root: NaN at 0."""

    def formula(self, x: Tensor) -> Tensor:
        return (x + (x * x).sqrt()) / 2


class _ReLUOfOutput(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x.clamp(min=0)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad * y


class ReLUBackwardOfOutput(Function):
    def formula(self, x: Tensor) -> Tensor:
        return _ReLUOfOutput.apply(x)


class ReLUTwiceAtKink(Function):
    """Two masks that both hold at 0; the values are right."""

    def formula(self, x: Tensor) -> Tensor:
        return torch.where(x >= 0, x, 0) + torch.where(x <= 0, x, 0) - torch.where(x < 0, x, 0)


class LeakySmaller(nn.LeakyReLU):
    def forward(self, input: Tensor) -> Tensor:
        return torch.minimum(self.negative_slope * input, input)


class LeakyDefault(nn.LeakyReLU):
    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input)


class LeakyAbs(nn.LeakyReLU):
    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input) + self.negative_slope * F.relu(-input)


class LeakyNothingAtKink(nn.LeakyReLU):
    """Two masks, neither of which holds at 0."""

    def forward(self, input: Tensor) -> Tensor:
        return torch.where(input > 0, input, 0) + self.negative_slope * torch.where(input < 0, input, 0)


class ELUScaledInside(nn.ELU):
    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha)


class ELUWithoutAlpha(nn.ELU):
    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input)


class ELUCancelling(nn.ELU):
    def forward(self, input: Tensor) -> Tensor:
        return torch.where(input > 0, input, self.alpha * (input.clamp(max=0).exp() - 1))


class ELUOverflowing(nn.ELU):
    """The branch that is not taken overflows, and autograd multiplies its infinity by 0."""

    def forward(self, input: Tensor) -> Tensor:
        return torch.where(input > 0, input, self.alpha * torch.expm1(input))


class _ELUByValue(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, alpha):
        y = torch.where(x > 0, x, alpha * torch.expm1(x.clamp(max=0)))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return torch.where(y > 0, grad, grad * (y + 1)), None


class ELUBackwardForOne(nn.ELU):
    """f + 1 in the place of f + alpha."""

    def forward(self, input: Tensor) -> Tensor:
        return _ELUByValue.apply(input, self.alpha)


# ------------------------------------------------------------------ maxout


class _Maxout(nn.Module):
    def __init__(self, d_in: int, d_out: int, pieces: int = 2) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(pieces, d_out, d_in))
        self.bias = nn.Parameter(torch.zeros(pieces, d_out))

    def pieces(self, x: Tensor) -> Tensor:
        return (self.weight * x).sum(-1) + self.bias


class MaxoutLeast(_Maxout):
    def forward(self, x: Tensor) -> Tensor:
        return self.pieces(x).amin(0)


class MaxoutOneBias(_Maxout):
    def forward(self, x: Tensor) -> Tensor:
        return (self.weight * x).sum(-1).amax(0) + self.bias[0]


class MaxoutReshaped(_Maxout):
    def forward(self, x: Tensor) -> Tensor:
        pieces, d_out = self.bias.shape
        return self.pieces(x).reshape(d_out, pieces).amax(-1)


class MaxoutSmooth(_Maxout):
    def forward(self, x: Tensor) -> Tensor:
        return torch.logsumexp(self.pieces(x) * 1e4, 0) / 1e4


class MaxoutDetached(_Maxout):
    """The greatest piece is picked by its weights, and the bias is forgotten in the comparison."""

    def forward(self, x: Tensor) -> Tensor:
        best = (self.weight * x).sum(-1).argmax(0, keepdim=True)
        return self.pieces(x).gather(0, best).squeeze(0)


# ------------------------------------------------------------------ smooth ones


def softplus_overflowing(x: Tensor) -> Tensor:
    return torch.log(1 + torch.exp(x))


def softplus_cancelling(x: Tensor) -> Tensor:
    return x.clamp(min=0) + torch.log(1 + torch.exp(-x.abs()))


def softplus_shifted(x: Tensor) -> Tensor:
    return F.softplus(x, threshold=60) - math.log(2)


class SoftplusNotDivided(nn.Softplus):
    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(self.beta * input, 1, self.threshold)


class SoftplusThresholdOfInput(nn.Softplus):
    def forward(self, input: Tensor) -> Tensor:
        return torch.where(input > self.threshold, input, F.softplus(self.beta * input, 1, 1e9) / self.beta)


class SoftplusDefaults(nn.Softplus):
    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta)


class SiLUQuick(Function):
    def formula(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


class SiLUDetached(Function):
    """The gate is taken for a constant; the values are right."""

    def formula(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(x).detach()


class _GELU(nn.Module):
    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate


class GELUAlwaysApproximate(_GELU):
    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate="tanh")


class GELUNeverApproximate(_GELU):
    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input)


class GELUWithoutRoot(_GELU):
    def forward(self, input: Tensor) -> Tensor:
        return input * (1 + torch.erf(input)) / 2


class GELURoundedConstant(_GELU):
    """0.7978 for the root of 2/π, and 0.0447 for the factor of the cube."""

    def forward(self, input: Tensor) -> Tensor:
        if self.approximate == "none":
            return F.gelu(input)
        return 0.5 * input * (1 + torch.tanh(0.7978 * (input + 0.0447 * input**3)))


class GELUDigit(_GELU):
    def forward(self, input: Tensor) -> Tensor:
        if self.approximate == "none":
            return F.gelu(input)
        return 0.5 * input * (1 + torch.tanh(math.sqrt(2 / math.pi) * (input + 0.044175 * input**3)))


PLANTED = (
    Planted("slope NaN below -710", "activations.Sigmoid", SigmoidTextbook),
    Planted("NaN above 710", "activations.Sigmoid", SigmoidQuotient),
    Planted("clamped to 1e-7", "activations.Sigmoid", SigmoidClamped),
    Planted("slope 0 at 0, through abs", "activations.Sigmoid", SigmoidByAbs),
    Planted("backward pass of the input", "activations.Sigmoid", SigmoidBackwardOfInput),
    Planted("second derivative lost", "activations.sigmoid", sigmoid_backward_without_graph),
    Planted("the input for the value", "activations.sigmoid_grad", slope_of_input),
    Planted("no digits in the upper tail", "activations.sigmoid_grad", slope_by_value),
    Planted("NaN above 710", "activations.Tanh", TanhQuotient),
    Planted("no digits close to 0", "activations.Tanh", TanhBySigmoid),
    Planted("slope 0 at 0, through sign and abs", "activations.Tanh", TanhBySize),
    Planted("no digits in the tails", "activations.tanh_grad", tanh_slope_by_value),
    Planted("1/cosh without its square", "activations.tanh_grad", tanh_slope_cosh),
    Planted("the input for the value", "activations.tanh_grad", tanh_slope_of_input),
    Planted("cut at 6", "activations.ReLU", ReLUCut),
    Planted("slope NaN at 0, through a square root", "activations.ReLU", ReLUByProduct),
    Planted("backward pass multiplies by the output", "activations.ReLU", ReLUBackwardOfOutput),
    Planted("slope 2 at 0", "activations.ReLU", ReLUTwiceAtKink),
    Planted("the smaller of both", "activations.LeakyReLU", LeakySmaller),
    Planted("default slope whatever was asked for", "activations.LeakyReLU", LeakyDefault),
    Planted("positive below 0", "activations.LeakyReLU", LeakyAbs),
    Planted("slope 0 at the kink", "activations.LeakyReLU", LeakyNothingAtKink),
    Planted("CELU: the same for alpha = 1", "activations.ELU", ELUScaledInside),
    Planted("alpha ignored", "activations.ELU", ELUWithoutAlpha),
    Planted("no digits close to 0", "activations.ELU", ELUCancelling),
    Planted("slope NaN above 710, from the other branch", "activations.ELU", ELUOverflowing),
    Planted("backward pass right for alpha = 1 alone", "activations.ELU", ELUBackwardForOne),
    Planted("least piece", "activations.Maxout", MaxoutLeast),
    Planted("bias of the first piece", "activations.Maxout", MaxoutOneBias),
    Planted("pieces and units exchanged", "activations.Maxout", MaxoutReshaped),
    Planted("smooth maximum, sharpened", "activations.Maxout", MaxoutSmooth),
    Planted("greatest piece picked without its bias", "activations.Maxout", MaxoutDetached),
    Planted("infinite above 710", "activations.softplus", softplus_overflowing),
    Planted("no digits far below 0", "activations.softplus", softplus_cancelling),
    Planted("moved to the origin", "activations.softplus", softplus_shifted),
    Planted("linear above 20", "activations.softplus", F.softplus),
    Planted("not divided by beta", "activations.Softplus", SoftplusNotDivided),
    Planted("threshold of x, not of beta x", "activations.Softplus", SoftplusThresholdOfInput),
    Planted("threshold ignored", "activations.Softplus", SoftplusDefaults),
    Planted("quick GELU", "activations.SiLU", SiLUQuick),
    Planted("gate detached", "activations.SiLU", SiLUDetached),
    Planted("approximated whatever was asked for", "activations.GELU", GELUAlwaysApproximate),
    Planted("never approximated", "activations.GELU", GELUNeverApproximate),
    Planted("root of 2 forgotten", "activations.GELU", GELUWithoutRoot),
    Planted("constants rounded", "activations.GELU", GELURoundedConstant),
    Planted("two digits exchanged in 0.044715", "activations.GELU", GELUDigit),
)
