"""Training steps of tiny networks in PyTorch, float64: what services/trainer/network must compute.

    python make.py > expected.json

Weights and pixels come from a hash of their place, so that both sides make the same numbers without files.
"""

import json

import numpy as np
import torch
from torch.nn import functional as F

ROWS = {
    "A": [[3], [3], [3, 3], [3, 3], [3, 3]],
    "A-LRN": [[3], [3], [3, 3], [3, 3], [3, 3]],
    "B": [[3, 3]] * 5,
    "C": [[3, 3], [3, 3], [3, 3, 1], [3, 3, 1], [3, 3, 1]],
    "D": [[3, 3], [3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3]],
    "E": [[3, 3], [3, 3], [3] * 4, [3] * 4, [3] * 4],
    "B-5x5": [[5]] * 5,
}
WIDTH, HIDDEN, CLASSES, SIZE = 1 / 32, 12, 5, 64
PIECES, IMAGES, STEPS = 2, 3, 3
MOMENTUM, DECAY, SMOOTHING, EPSILON = 0.9, 0.01, 0.1, 1e-5


def hashed(key, count):
    """Numbers in [-1, 1): MurmurHash3's finaliser of key and place."""
    x = (np.arange(count, dtype=np.uint64) + np.uint64(key * 1000003)) & np.uint64(0xFFFFFFFF)
    for multiplier, shift in ((0x85EBCA6B, 16), (0xC2B2AE35, 13)):
        x ^= x >> np.uint64(shift)
        x = (x * np.uint64(multiplier)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    return x.astype(np.float64) / 2**31 - 1


def layers(network):
    """(name, kernel, inputs, outputs) of each layer; fc6 is a convolution over the whole map."""
    result, channels = [], 3
    for block, kernels in enumerate(ROWS[network]):
        outputs = max(1, round((64, 128, 256, 512, 512)[block] * WIDTH))
        for place, kernel in enumerate(kernels):
            result.append((f"conv{block + 1}_{place + 1}", kernel, channels, outputs))
            channels = outputs
    side = SIZE // 32
    return result + [("fc6", side, channels, HIDDEN), ("fc7", 1, HIDDEN, HIDDEN), ("fc8", 1, HIDDEN, CLASSES)]


def tensors(network, norm):
    made = {}
    for key, (name, kernel, inputs, outputs) in enumerate(layers(network)):
        fan = inputs * kernel * kernel
        limit = np.float32(np.sqrt(6 / fan) * (0.005 if name == "fc8" else 1))
        weight = np.float32(hashed(2 * key + 1, outputs * fan)) * limit
        made[f"{name}.weight"] = weight.astype(np.float64).reshape(outputs, inputs, kernel, kernel)
        vector = np.float32(hashed(2 * key + 2, outputs)).astype(np.float64)
        if norm and name.startswith("conv"):
            made[f"{name}.scale"] = np.float64(np.float32(1 + vector / 4))
            made[f"{name}.shift"] = np.float64(np.float32(vector / 2))
        else:
            made[f"{name}.bias"] = np.float64(np.float32(vector / 8))
    return {name: torch.tensor(value, requires_grad=True) for name, value in made.items()}


def forward(network, norm, w, running, x, training):
    for block, kernels in enumerate(ROWS[network]):
        for place, kernel in enumerate(kernels):
            name = f"conv{block + 1}_{place + 1}"
            x = F.conv2d(x, w[f"{name}.weight"], None if norm else w[f"{name}.bias"], padding=kernel // 2)
            if norm:
                mean, variance = running[name]
                x = F.batch_norm(x, mean, variance, w[f"{name}.scale"], w[f"{name}.shift"], training, 0.1, EPSILON)
            x = F.relu(x)
            if network == "A-LRN" and name == "conv1_1":
                # PyTorch divides alpha by the window, Krizhevsky et al. do not.
                x = F.local_response_norm(x, 5, alpha=5 * 1e-4, beta=0.75, k=2)
        x = F.max_pool2d(x, 2)
    for name in ("fc6", "fc7"):
        x = F.relu(F.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"]))
    return F.conv2d(x, w["fc8.weight"], w["fc8.bias"]).flatten(1)


def digest(tensor):
    values = tensor.detach().flatten().numpy()
    picked = np.linspace(0, len(values) - 1, min(5, len(values))).round().astype(int)
    return {"norm": float(np.linalg.norm(values)), "sum": float(values.sum()), "at": {int(i): float(values[i]) for i in picked}}


def run(network, norm):
    w = tensors(network, norm)
    running = {
        name: (torch.zeros(outputs, dtype=torch.float64), torch.ones(outputs, dtype=torch.float64))
        for name, _, _, outputs in layers(network)
    }
    rate = 1e-2 if norm else 1e-5
    decayed = [value for name, value in w.items() if name.endswith("weight")]
    others = [value for name, value in w.items() if not name.endswith("weight")]
    groups = [{"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0}]
    optimiser = torch.optim.SGD(groups, rate, momentum=MOMENTUM)
    pixels = torch.tensor(np.floor(hashed(999, STEPS * PIECES * IMAGES * SIZE * SIZE * 3) * 128))
    # [step, piece, image, height, width, channel] -> channels first
    pixels = pixels.reshape(STEPS, PIECES, IMAGES, SIZE, SIZE, 3).permute(0, 1, 2, 5, 3, 4)
    classes = torch.arange(STEPS * PIECES * IMAGES).reshape(STEPS, PIECES, IMAGES) % CLASSES
    losses, gradients = [], {}
    for step in range(STEPS):
        optimiser.zero_grad()
        for piece in range(PIECES):
            logits = forward(network, norm, w, running, pixels[step, piece], True)
            loss = F.cross_entropy(logits, classes[step, piece], label_smoothing=SMOOTHING)
            (loss / PIECES).backward()
            losses.append(loss.item())
        if step == 0:
            gradients = {name: digest(value.grad) for name, value in w.items()}
        optimiser.step()
    after = {name: digest(value) for name, value in w.items()}
    if norm:
        for name, (mean, variance) in running.items():
            if name.startswith("conv"):
                after |= {f"{name}.mean": digest(mean), f"{name}.variance": digest(variance)}
    with torch.no_grad():
        scores = forward(network, norm, w, running, pixels[0, 0], False)
    return {
        **{"network": network, "batchNorm": norm, "rate": rate, "losses": losses},
        **{"gradients": gradients, "after": after, "scores": scores.flatten().tolist()},
    }


CASES = [("A", False), ("A-LRN", False), ("B", True), ("C", False), ("C", True), ("D", False), ("D", True), ("E", True), ("B-5x5", True)]
print("[\n" + ",\n".join(json.dumps(run(*case)) for case in CASES) + "\n]")
