"""Crops by onnxruntime's Python package."""

import os

from lines import library

ort = library("onnxruntime")

from crops import BATCHES, one_by_one, serve_crops


class Peer:
    ways = ["default"]
    batches = BATCHES

    def load(self, folder, layers, side, threads):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.session = ort.InferenceSession(
            os.path.join(folder, "network.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def scorer(self, way, batch):
        return one_by_one(lambda crops: self.session.run(None, {"crops": crops})[0], batch)


serve_crops(ort.__version__, Peer())
