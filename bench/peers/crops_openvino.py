"""Crops by OpenVINO, which compiles a network for each size of a batch."""

import os

from lines import library

ov = library("openvino")

from crops import BATCHES, serve_crops


class Peer:
    ways = ["latency", "throughput"]
    batches = BATCHES

    def load(self, folder, layers, side, threads):
        self.path = os.path.join(folder, "network.onnx")
        self.side = side
        self.threads = threads
        self.compiled = None

    def scorer(self, way, batch):
        if self.compiled != (way, batch):
            self.request = None
            self.request = self.compile(way, batch)
            self.compiled = (way, batch)
        return lambda crops: self.request.infer({0: crops})[0]

    def compile(self, way, batch):
        core = ov.Core()
        model = core.read_model(self.path)
        model.reshape([batch, 3, self.side, self.side])
        settings = {
            # Where a processor has bfloat16 it would be used.
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": self.threads,
            "PERFORMANCE_HINT": way.upper(),
        }
        return core.compile_model(model, "CPU", settings).create_infer_request()


serve_crops(ov.__version__.split("-")[0], Peer())
