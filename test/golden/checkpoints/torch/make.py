"""Small VGG networks as PyTorch, torchvision and timm save them, and what those libraries answer.

Made with Python 3.11, torch 2.15.0, torchvision 0.29.2, timm 1.0.31, safetensors and Pillow:

    python make.py

Width 1/32, hidden 16, 10 classes, 224 pixels. The modules are the libraries' own; only widths are scaled.
expected.json: the posterior of photo.png's centre crop in float64, with the weights as the file has them.
values.json: shape, sum and some elements, in row-major order, of tensors as PyTorch reads them.
"""

import json
import pathlib

import numpy as np
import timm.layers
import timm.models.vgg
import torch
import torchvision.models.vgg
from PIL import Image
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
WIDTH, HIDDEN, CLASSES = 32, 16, 10
CFGS = torchvision.models.vgg.cfgs


def scaled(letter):
    return [side if side == "M" else side // WIDTH for side in CFGS[letter]]


def torchvision_net(letter, batch_norm=False):
    features = torchvision.models.vgg.make_layers(scaled(letter), batch_norm)
    net = torchvision.models.vgg.VGG(features, init_weights=False)
    channels = 512 // WIDTH
    net.classifier[0] = torch.nn.Linear(channels * 49, HIDDEN)
    net.classifier[3] = torch.nn.Linear(HIDDEN, HIDDEN)
    net.classifier[6] = torch.nn.Linear(HIDDEN, CLASSES)
    return randomised(net)


def timm_net(letter, batch_norm=False):
    norm = torch.nn.BatchNorm2d if batch_norm else None
    net = timm.models.vgg.VGG(scaled(letter), num_classes=CLASSES, norm_layer=norm)
    net.pre_logits = timm.models.vgg.ConvMlp(512 // WIDTH, HIDDEN, 7, drop_rate=0.0)
    net.head = timm.layers.ClassifierHead(HIDDEN, CLASSES, pool_type="avg")
    return randomised(net)


def lrn_net():
    """Network A-LRN as one writes it with torchvision's make_layers: one more module after the first ReLU."""
    net = torchvision_net("A")
    layers = list(net.features)
    # PyTorch divides alpha by size; the paper's formula does not.
    layers.insert(2, torch.nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
    net.features = torch.nn.Sequential(*layers)
    return net


def randomised(net):
    for module in net.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            fan_in = module.weight[0].numel()
            torch.nn.init.normal_(module.weight, 0, (2 / fan_in) ** 0.5)
            torch.nn.init.normal_(module.bias, 0, 0.2)
        elif isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.2)
            torch.nn.init.normal_(module.running_mean, 0, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            module.num_batches_tracked.fill_(1234)
    return net.eval()


def posterior(net):
    photo = Image.open(HERE.parents[1] / "photo.png").convert("RGB")
    assert photo.size == (320, 256)
    crop = np.asarray(photo, np.float64)[16:240, 48:272] / 255
    crop = (crop - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    images = torch.from_numpy(crop.transpose(2, 0, 1)[None].copy())
    with torch.no_grad():
        scores = net.double().eval()(images)
    return [float(f"{value:.9g}") for value in scores.softmax(1)[0]]


def summary(tensor):
    flat = tensor.contiguous().flatten().double()
    return {
        "shape": list(tensor.shape),
        "sum": flat.sum().item(),
        "first": flat[:3].tolist(),
        "middle": flat[flat.numel() // 2].item(),
        "last": flat[-1].item(),
    }


expected, values = {}, {}


def golden(name, net, network, batch_norm=False):
    state = net.state_dict()
    values[name] = {key: summary(tensor) for key, tensor in state.items()}
    expected[name] = {"network": network, "batchNorm": batch_norm, "center_crop": posterior(net)}


torch.manual_seed(2014)

net = torchvision_net("B")
torch.save(net.state_dict(), HERE / "torchvision-vgg13.pth")
golden("torchvision-vgg13.pth", net, "B")

net = torchvision_net("A", batch_norm=True)
torch.save(net.state_dict(), HERE / "torchvision-vgg11_bn-legacy.pth", _use_new_zipfile_serialization=False)
golden("torchvision-vgg11_bn-legacy.pth", net, "A", batch_norm=True)

# A training program's checkpoint: wrapped for several devices, beside an optimizer with momentum.
net = torchvision_net("E", batch_norm=True)
optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)
for parameter in net.parameters():
    parameter.grad = torch.zeros_like(parameter)
optimizer.step()
torch.save(
    {
        "epoch": 74,
        "arch": "vgg19_bn",
        "state_dict": {f"module.{key}": tensor for key, tensor in net.state_dict().items()},
        "best_acc1": torch.tensor(74.218),
        "optimizer": optimizer.state_dict(),
    },
    HERE / "training-vgg19_bn.pth",
)
golden("training-vgg19_bn.pth", net, "E", batch_norm=True)

# channels_last and half precision; the answer is that of the rounded weights.
net = torchvision_net("D").half().to(memory_format=torch.channels_last)
torch.save(net.state_dict(), HERE / "torchvision-vgg16-half-channels_last.pth")
golden("torchvision-vgg16-half-channels_last.pth", net, "D")

net = timm_net("B", batch_norm=True)
save_file(net.state_dict(), HERE / "timm-vgg13_bn.safetensors")
golden("timm-vgg13_bn.safetensors", net, "B", batch_norm=True)

net = timm_net("E")
torch.save(net.state_dict(), HERE / "timm-vgg19.pth")
golden("timm-vgg19.pth", net, "E")

# torch.compile's prefix, protocol 4, and the features wrapped alone, as PyTorch's ImageNet example does for VGG.
net = lrn_net()
names = {key: "_orig_mod." + key.replace("features.", "features.module.") for key in net.state_dict()}
torch.save(
    {"epoch": 3, "model": {names[key]: tensor for key, tensor in net.state_dict().items()}},
    HERE / "training-vgg11-lrn.pth",
    pickle_protocol=4,
)
golden("training-vgg11-lrn.pth", net, "A-LRN")

# Tensors that lie in their storages in every way that PyTorch can write, with all their elements.
base = torch.arange(120, dtype=torch.float32).reshape(2, 3, 4, 5)
big = torch.arange(60, dtype=torch.float64).reshape(5, 12)
tensors = {
    "contiguous": base,
    "transposed": torch.arange(12, dtype=torch.float32).reshape(3, 4).t(),
    "channels_last": (base + 1000).contiguous(memory_format=torch.channels_last),
    "permuted": base.permute(0, 3, 2, 1),
    "slice": base[1, :, 1:3, ::2],
    "offset": base.flatten()[7:11],
    "expanded": torch.tensor([[1.5], [2.5]]).expand(2, 6),
    "expanded_rows": torch.tensor([3.5, 4.5]).expand(3, 2),
    "double": big,
    "double_column": big[:, 3],
    "double_transposed": big.t(),
    "half": torch.tensor([0.5, -2.0, 65504.0]).half(),
    "half_transposed": torch.arange(6).reshape(2, 3).half().t(),
    "bfloat16": torch.tensor([1.0, -0.5]).bfloat16(),
    "long": torch.tensor([-1, 2**40]),
    "long_step": torch.tensor([-5, 1, 2**33, 2, -7])[::2],
    "int": torch.tensor([-3, 4], dtype=torch.int32),
    "short": torch.tensor([-300, 4], dtype=torch.int16),
    "char": torch.tensor([-3, 4], dtype=torch.int8),
    "byte_transposed": torch.arange(6, dtype=torch.uint8).reshape(2, 3).t(),
    "bool": torch.tensor([True, False]),
    "scalar": torch.tensor(7.25),
    "empty": torch.zeros(5, 0),
    "parameter": torch.nn.Parameter(torch.tensor([1.25, 2.25])),
    "buffers": [torch.tensor([9.0]), (torch.tensor([8.0]), {"inner": torch.tensor([7.0])})],
    "plain": {"epoch": 3, "lr": 1e-2, "big": 2**70, "none": None, "names": ["a", ("b",)], 5: True},
}


def flattened(value, path):
    if isinstance(value, torch.Tensor):
        yield path, value.detach()
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from flattened(child, f"{path}/{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for index, child in enumerate(value):
            yield from flattened(child, f"{path}/{index}")


for name, options in {
    "tensors.pth": {},
    "tensors-protocol5.pth": {"pickle_protocol": 5},
    "tensors-legacy.pth": {"_use_new_zipfile_serialization": False},
}.items():
    torch.save(tensors, HERE / name, **options)
values["tensors"] = {
    path: {"shape": list(tensor.shape), "elements": tensor.contiguous().flatten().tolist()}
    for path, tensor in flattened(tensors, "")
}

program = torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2))
torch.jit.save(program, HERE / "torchscript.pt")

for name, content in {"expected.json": expected, "values.json": values}.items():
    (HERE / name).write_text(json.dumps(content, indent=1) + "\n")
