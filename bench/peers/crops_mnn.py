"""Crops by MNN, whose own converter reads the ONNX graph."""

import os
import subprocess
import sys

from lines import library

MNN = library("MNN")

import numpy as np

from crops import BATCHES, one_by_one, serve_crops


class Peer:
    ways = ["default"]
    batches = BATCHES

    def load(self, folder, layers, side, threads):
        path = os.path.join(folder, "network.mnn")
        convert(os.path.join(folder, "network.onnx"), path)
        settings = {"backend": "CPU", "numThread": threads, "precision": "high"}
        manager = MNN.nn.create_runtime_manager((settings,))
        self.net = MNN.nn.load_module_from_file(path, ["crops"], ["posteriors"], runtime_manager=manager)

    def scorer(self, way, batch):
        def score(crops):
            given = MNN.expr.convert(MNN.expr.const(crops, crops.shape, MNN.expr.NCHW), MNN.expr.NC4HW4)
            return np.array(self.net.forward(given).read())

        return one_by_one(score, batch)


# The package's own command would install a library that reports its use; this is what the command calls.
CONVERT = "import sys, _tools; _tools.mnnconvert(sys.argv)"


def convert(source, target):
    command = [sys.executable, "-c", CONVERT, "-f", "ONNX", "--modelFile", source, "--MNNModel", target]
    subprocess.run(command, check=True, stdout=sys.stderr)


serve_crops(MNN.version(), Peer())
