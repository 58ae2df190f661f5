"""Writes small .onnx files in the forms that exporters give, and expected.json: what PyTorch 2.15 answers in float64
for the same weights. Needs numpy, onnx (1.23), onnxruntime, onnxscript (0.7), pillow, torch, torchvision (0.30).
torch.onnx writes its own forms; MXNet's, Caffe2's and tf2onnx's are written with onnx.helper as those write them
(names, operators, attributes). Each file is run by onnxruntime too and must agree.

    python make.py
"""

import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession
from PIL import Image
from torch import nn
from torchvision.models.vgg import VGG, make_layers

HERE = Path(__file__).parent
ROWS = {"A": [1, 1, 2, 2, 2], "B": [2, 2, 2, 2, 2], "D": [2, 2, 3, 3, 3], "E": [2, 2, 4, 4, 4]}
HIDDEN, CLASSES = 16, 10


class Lrn(nn.LocalResponseNorm):
    """Krizhevsky's; PyTorch, Caffe2 and ONNX divide alpha by size."""

    def __init__(self):
        super().__init__(5, alpha=5e-4, beta=0.75, k=2)


def network(row, width, levels=False, batch_norm=False, lrn=False):
    """torchvision's VGG, small: He-initialised, random biases and running statistics. `levels`: for pixels of 0 to 255."""
    config = []
    for block, count in enumerate(ROWS[row]):
        config += [max(1, round([64, 128, 256, 512, 512][block] * width))] * count + ["M"]
    with torch.device("meta"):
        model = VGG(make_layers(config, batch_norm), init_weights=False)
    model.features = make_layers(config, batch_norm)
    if lrn:
        model.features.insert(2, Lrn())
    model.classifier = nn.Sequential(
        nn.Linear(config[-2] * 49, HIDDEN), nn.ReLU(), nn.Dropout(),
        nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Dropout(), nn.Linear(HIDDEN, CLASSES),
    )
    for layer in model.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.normal_(layer.bias, 0, 0.2)
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.1)
            nn.init.normal_(layer.bias, 0, 0.3)
            nn.init.normal_(layer.running_mean, 0, 0.5)
            nn.init.uniform_(layer.running_var, 0.5, 2)
    if levels:
        # Levels are not small; with LRN, whose alpha would not matter then, they are made so behind it.
        quiet = [layer for layer in model.features if isinstance(layer, nn.Conv2d)][1 if lrn else 0]
        quiet.weight.data /= 8 if lrn else 30
    return model.eval()


def crop(levels):
    photo = np.asarray(Image.open(HERE / "../../photo.png").convert("RGB"), dtype=np.float64)
    top, left = (photo.shape[0] - 224) // 2, (photo.shape[1] - 224) // 2
    rgb = photo[top : top + 224, left : left + 224]
    if levels:
        pixels = rgb[..., ::-1] - [103.939, 116.779, 123.68]
    else:
        pixels = (rgb / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]


def array(parameter):
    return parameter.detach().numpy()


def layers_of(model):
    yield from model.features
    yield "flatten"
    yield from model.classifier


def save(file, nodes, tensors, producer, opset, ir, shape=(1, 3, 224, 224), raw=True, inputs_too=False):
    inputs = [helper.make_tensor_value_info("data", TensorProto.FLOAT, shape)]
    initializers = []
    for name, values in tensors.items():
        kind = helper.np_dtype_to_tensor_dtype(values.dtype)
        if raw:
            initializers.append(numpy_helper.from_array(values, name))
        else:
            initializers.append(helper.make_tensor(name, kind, values.shape, values.ravel().tolist()))
        if inputs_too:
            inputs.append(helper.make_tensor_value_info(name, kind, values.shape))
    output = helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, (1, CLASSES))
    graph = helper.make_graph(nodes, "vgg", inputs, [output], initializers)
    model = helper.make_model(
        graph, producer_name=producer, ir_version=ir, opset_imports=[helper.make_opsetid("", opset)]
    )
    onnx.checker.check_model(model)
    onnx.save(model, HERE / file)


def mxnet(file, model):
    """The model zoo's vgg19-7.onnx: float_data, weights as inputs, Flatten before each Gemm."""
    nodes, tensors, x = [], {}, "data"
    counts = {}

    def node(op, kind, inputs, name=None, **attributes):
        nonlocal x
        counts[kind] = counts.get(kind, -1) + 1
        name = name or f"vgg0_{kind}{counts[kind]}_fwd"
        nodes.append(helper.make_node(op, [x, *inputs], [name], name=name, **attributes))
        x = name

    def weights(kind, layer):
        names = [f"vgg0_{kind}{counts.get(kind, -1) + 1}_{part}" for part in ("weight", "bias")]
        tensors.update(zip(names, (array(layer.weight), array(layer.bias))))
        return names

    dense = 0
    for layer in layers_of(model):
        if isinstance(layer, nn.Conv2d):
            sides = dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1], dilations=[1, 1], group=1)
            node("Conv", "conv", weights("conv", layer), **sides)
        elif isinstance(layer, nn.Linear):
            node("Flatten", "flatten", [], name=f"flatten_{60 + 4 * dense}")
            node("Gemm", "dense", weights("dense", layer), alpha=1.0, beta=1.0, transA=0, transB=1)
            dense += 1
        elif isinstance(layer, nn.ReLU):
            name = f"vgg0_dense{dense - 1}_relu_fwd" if dense else None
            node("Relu", "relu", [], name=name)
        elif isinstance(layer, nn.MaxPool2d):
            node("MaxPool", "pool", [], kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0])
        elif isinstance(layer, nn.Dropout):
            node("Dropout", "dropout", [], ratio=0.5)
    save(file, nodes, tensors, "", opset=7, ir=3, raw=False, inputs_too=True)


def caffe2(file, model):
    """The model zoo's vgg19.onnx: numbered values, fc6 after a Reshape, Softmax at the end; LRN as Caffe2 has it."""
    nodes, tensors, x = [], {"OC2_DUMMY_1": np.array([1, -1], np.int64)}, "data"

    def node(op, inputs=(), **attributes):
        nonlocal x
        output = f"v{len(nodes)}_1"
        nodes.append(helper.make_node(op, [x, *inputs], [output], **attributes))
        x = output

    def weights(layer):
        names = [f"w{len(tensors)}_0", f"b{len(tensors)}_0"]
        tensors.update(zip(names, (array(layer.weight), array(layer.bias))))
        return names

    for layer in layers_of(model):
        if isinstance(layer, nn.Conv2d):
            node("Conv", weights(layer), kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1])
        elif isinstance(layer, Lrn):
            node("LRN", size=5, alpha=5e-4, beta=0.75, bias=2.0)
        elif isinstance(layer, nn.Linear):
            node("Gemm", weights(layer), transB=1)
        elif isinstance(layer, nn.ReLU):
            node("Relu")
        elif isinstance(layer, nn.MaxPool2d):
            node("MaxPool", kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0])
        elif isinstance(layer, nn.Dropout):
            node("Dropout")
        else:
            node("Reshape", ["OC2_DUMMY_1"])
    node("Softmax")
    save(file, nodes, tensors, "onnx-caffe2", opset=9, ir=3, inputs_too=True)


def tf2onnx(file, model):
    """Keras's network as tf2onnx writes it: pixels [n, height, width, 3], fc6's inputs too, MatMul and Add."""
    nodes, tensors, x = [], {"flatten/Const": np.array([-1, model.classifier[0].in_features], np.int64)}, "data"

    def node(op, inputs=(), **attributes):
        nonlocal x
        output = f"vgg/{op}__{len(nodes)}:0"
        nodes.append(helper.make_node(op, [x, *inputs], [output], name=output[:-2], **attributes))
        x = output

    def tensor(name, values):
        tensors[name] = np.ascontiguousarray(values)
        return name

    node("Transpose", perm=[0, 3, 1, 2])
    dense = 0
    for i, layer in enumerate(layers_of(model)):
        if isinstance(layer, nn.Conv2d):
            names = [tensor(f"vgg/conv{i}/kernel", array(layer.weight)), tensor(f"vgg/conv{i}/bias", array(layer.bias))]
            node("Conv", names, kernel_shape=[3, 3], auto_pad="SAME_UPPER", strides=[1, 1], dilations=[1, 1], group=1)
        elif isinstance(layer, nn.Linear):
            weight = array(layer.weight)
            if dense == 0:
                weight = weight.reshape(len(weight), -1, 7, 7).transpose(0, 2, 3, 1).reshape(len(weight), -1)
            node("MatMul", [tensor(f"vgg/fc{dense}/kernel", weight.T)])
            node("Add", [tensor(f"vgg/fc{dense}/bias", array(layer.bias))])
            dense += 1
        elif isinstance(layer, nn.ReLU):
            node("Relu")
        elif isinstance(layer, nn.MaxPool2d):
            node("MaxPool", kernel_shape=[2, 2], strides=[2, 2], auto_pad="VALID")
        elif layer == "flatten":
            node("Transpose", perm=[0, 2, 3, 1])
            node("Reshape", ["flatten/Const"])
    node("Softmax", axis=-1)
    save(file, nodes, tensors, "tf2onnx", opset=13, ir=7, shape=(1, 224, 224, 3))


def torchscript(file, model, **options):
    torch.onnx.export(model, (torch.zeros(1, 3, 224, 224),), HERE / file, dynamo=False, **options)


def dynamo(file, model):
    # Any batch size: its Reshape is computed from Shape.
    batch = {0: torch.export.Dim("batch")}
    torch.onnx.export(
        model, (torch.zeros(2, 3, 224, 224),), HERE / file, dynamo=True, external_data=True, dynamic_shapes=(batch,)
    )


def main():
    torch.manual_seed(1409)
    expected = {}

    def make(file, row, width, write, levels=False, batch_norm=False, lrn=False, nhwc=False, **options):
        model = network(row, width, levels, batch_norm, lrn)
        write(file, model, **options)
        pixels = crop(levels)
        answer = torch.softmax(model.double()(pixels), 1)[0].detach().numpy()
        session = InferenceSession(HERE / file, providers=["CPUExecutionProvider"])
        x = pixels.numpy().astype(np.float32)
        name = session.get_inputs()[0].name
        [scores] = session.run(None, {name: x.transpose(0, 2, 3, 1) if nhwc else x})
        scores = scores[0].astype(np.float64)
        posterior = scores if abs(scores.sum() - 1) < 1e-4 else np.exp(scores) / np.exp(scores).sum()
        assert np.abs(posterior - answer).max() < 1e-4, (file, posterior, answer)
        expected[file] = {
            "network": "A-LRN" if lrn else row,
            "batchNorm": batch_norm,
            "center_crop": [float(f"{value:.9g}") for value in answer],
        }
        print(file, expected[file]["center_crop"])

    make("vgg16-torchscript.onnx", "D", 1 / 32, torchscript)
    kept = dict(
        training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False, keep_initializers_as_inputs=True
    )
    make("vgg11_bn-torchscript.onnx", "A", 1 / 32, torchscript, batch_norm=True, **kept)
    make("vgg13-dynamo.onnx", "B", 1 / 32, dynamo)
    make("vgg19-mxnet.onnx", "E", 1 / 32, mxnet)
    make("vgg11-lrn-caffe2.onnx", "A", 1 / 16, caffe2, levels=True, lrn=True)
    make("vgg16-tf2onnx.onnx", "D", 1 / 32, tf2onnx, levels=True, nhwc=True)
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
