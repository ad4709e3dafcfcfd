"""The networks that read strips: convolutions over the picture, then along the line.

Two strides of two make a column of features four columns of the strip. Where letters are narrow, as
Arabic ones are, a transposed convolution doubles them again, and layers after it settle on which
frame each letter falls. No recurrent layers: OpenCV runs all of it on a strip of any width, and the
reach along the line stays a few letters, too short to learn names.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from docqa.reading.strips import STRIP_HEIGHT_PX

COLUMNS_PER_FEATURE = 4
OPSET = 13
IR_VERSION = 8


@dataclass(frozen=True, slots=True)
class Size:
    """How many channels each part has."""

    picture: tuple[int, int, int]
    """At half, quarter and eighth height."""
    line: int
    """Along the line, one row high."""
    dilations: tuple[int, ...]
    """Of the residual layers along the line."""
    fine: int = 0
    """Along the line at twice the frames, 0 for none."""
    fine_layers: int = 3

    @property
    def columns_per_frame(self) -> int:
        """Columns of the strip for one frame of the answer."""
        return COLUMNS_PER_FEATURE // 2 if self.fine else COLUMNS_PER_FEATURE


def built(size: Size, classes: int) -> nn.ModuleList:
    """The network for ``classes`` classes, the blank among them. Run it by :func:`scores`."""
    first, second, third = size.picture
    rows = STRIP_HEIGHT_PX // 8
    layers = [
        _layer(1, first, (5, 5), (2, 2), (2, 2)),
        _layer(first, second, (3, 3), (2, 2), (1, 1)),
        _layer(second, third, (3, 3), (2, 1), (1, 1)),
        _layer(third, size.line, (rows, 3), (1, 1), (0, 1)),
    ]
    layers += [_layer(size.line, size.line, (1, 3), (1, 1), (0, d), (1, d)) for d in size.dilations]
    if size.fine:
        doubled = nn.ConvTranspose2d(size.line, size.fine, (1, 4), (1, 2), (0, 1), bias=False)
        layers.append(nn.Sequential(doubled, nn.BatchNorm2d(size.fine), nn.ReLU()))
        layers += [
            _layer(size.fine, size.fine, (1, 3), (1, 1), (0, 1)) for _ in range(size.fine_layers)
        ]
    return nn.ModuleList([*layers, nn.Conv2d(size.fine or size.line, classes, 1)])


def scores(network: nn.ModuleList, strips: torch.Tensor) -> torch.Tensor:
    """(frames, N, classes) unnormalised, for strips (N, 1, height, width) of ink, 0 to 1."""
    out = strips
    for layer in network:
        following = layer(out)
        # A layer that keeps the shape adds to what it was given.
        out = out + following if following.shape == out.shape else following
    return out.squeeze(2).permute(2, 0, 1)


def settled(network: nn.ModuleList) -> nn.ModuleList:
    """The same network with its normalisations folded into the convolutions, to be trained on."""
    *layers, head = network
    return nn.ModuleList([*(nn.Sequential(_folded(layer), nn.ReLU()) for layer in layers), head])


def loaded(size: Size, classes: int, path: Path) -> nn.ModuleList:
    """The network that :func:`save` wrote, settled."""
    network = settled(built(size, classes))
    saved = {
        weight.name: torch.from_numpy(numpy_helper.to_array(weight).copy())
        for weight in onnx.load(path).graph.initializer
    }
    for index, layer in enumerate(network):
        convolution = layer if isinstance(layer, nn.Conv2d) else layer[0]
        convolution.load_state_dict(
            {"weight": saved[f"weight{index}"], "bias": saved[f"bias{index}"]}
        )
    return network


def save(network: nn.ModuleList, path: Path) -> None:
    """Write the network as ONNX, its normalisations folded into the convolutions."""
    network.eval()
    nodes, weights = [], []
    current, channels = "strip", 1
    for index, layer in enumerate(network):
        is_head = isinstance(layer, nn.Conv2d)
        folded = layer if is_head else _folded(layer)
        names = [f"weight{index}", f"bias{index}"]
        for name, tensor in zip(names, (folded.weight, folded.bias), strict=True):
            weights.append(numpy_helper.from_array(tensor.detach().numpy(), name))
        is_doubling = isinstance(folded, nn.ConvTranspose2d)
        nodes.append(helper.make_node(
            "ConvTranspose" if is_doubling else "Conv", [current, *names], [f"sum{index}"],
            kernel_shape=list(folded.kernel_size), strides=list(folded.stride),
            dilations=list(folded.dilation), pads=[*folded.padding, *folded.padding],
        ))  # fmt: skip
        following = f"sum{index}"
        if not is_head:
            nodes.append(helper.make_node("Relu", [following], [f"relu{index}"]))
            following = f"relu{index}"
            if folded.out_channels == channels and folded.kernel_size[0] == 1:
                nodes.append(helper.make_node("Add", [current, following], [f"add{index}"]))
                following = f"add{index}"
        current, channels = following, folded.out_channels
    shape = [1, 1, STRIP_HEIGHT_PX, "width"]
    graph = helper.make_graph(
        nodes, "strip",
        [helper.make_tensor_value_info("strip", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(current, TensorProto.FLOAT, [1, None, 1, "frames"])],
        weights,
    )  # fmt: skip
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    path.write_bytes(onnx.ModelProto.SerializeToString(model, deterministic=True))


def _layer(
    before: int,
    after: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, kernel, stride, padding, dilation, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU())


def _folded(layer: nn.Sequential) -> nn.Module:
    """The layer's convolution with its normalisation in it, if that is not yet so."""
    if not isinstance(layer[1], nn.modules.batchnorm._BatchNorm):
        return layer[0]
    convolution, norm = copy.deepcopy(layer[0]), layer[1]
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    # Transposed convolutions have their channels the other way round.
    shape = (1, -1, 1, 1) if isinstance(convolution, nn.ConvTranspose2d) else (-1, 1, 1, 1)
    convolution.weight = nn.Parameter(convolution.weight * gain.reshape(shape))
    convolution.bias = nn.Parameter(norm.bias - norm.running_mean * gain)
    return convolution
