"""Crops by ncnn, one after the other: it knows no batches."""

import os
import struct

from lines import library

ncnn = library("ncnn")

import numpy as np

from crops import read_weights, serve_crops


class Peer:
    ways = ["default"]
    batches = [1]

    def load(self, folder, layers, side, threads):
        param, bin = write_network(folder, layers, side)
        self.net = ncnn.Net()
        self.net.opt.num_threads = threads
        # float32, as everybody else.
        self.net.opt.use_fp16_packed = self.net.opt.use_fp16_storage = self.net.opt.use_fp16_arithmetic = False
        self.net.opt.use_bf16_storage = False
        self.net.load_param(param)
        self.net.load_model(bin)

    def scorer(self, way, batch):
        return lambda crops: np.stack([self.score(crop) for crop in crops])

    def score(self, crop):
        extractor = self.net.create_extractor()
        extractor.input("crop", ncnn.Mat(crop))
        return np.array(extractor.extract("posterior")[1])


def write_network(folder, layers, side):
    """Writes ncnn's own format: a list of layers, and their numbers one after the other."""
    weights = read_weights(folder)
    lines = ["Input crop 0 1 crop"]
    top = "crop"
    paths = [os.path.join(folder, f"ncnn.{part}") for part in ("param", "bin")]
    with open(paths[1], "wb") as bin:
        for layer in layers:
            name = layer["name"]
            if layer["kind"] == "pool":
                # 0: the largest; 1, 2: kernel and stride; 5=1: no padding.
                lines.append(f"Pooling {name} 1 1 {top} {name} 0=0 1=2 2=2 5=1")
            else:
                weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
                activation = "9=1" if layer["relu"] else "9=0"
                if name.startswith("fc"):
                    # 0: outputs; 1: with bias; 2: numbers of the weights.
                    lines.append(
                        f"InnerProduct {name} 1 1 {top} {name} 0={layer['outChannels']} 1=1 2={weight.size} {activation}"
                    )
                else:
                    # 0: outputs; 1: kernel; 4: padding; 5: with bias; 6: numbers of the weights.
                    lines.append(
                        f"Convolution {name} 1 1 {top} {name} 0={layer['outChannels']} 1={layer['kernel']} 4={layer['pad']} 5=1 6={weight.size} {activation}"
                    )
                # 0: what follows is float32.
                bin.write(struct.pack("<I", 0))
                bin.write(weight.tobytes())
                bin.write(bias.tobytes())
            top = name
    lines.append(f"Softmax posterior 1 1 {top} posterior 0=0 1=1")
    with open(paths[0], "w") as param:
        # A magic number, then how many layers and values there are.
        param.write("\n".join(["7767517", f"{len(lines)} {len(lines)}", *lines, ""]))
    return paths


serve_crops(ncnn.__version__, Peer())
