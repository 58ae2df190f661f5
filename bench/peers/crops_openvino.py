"""Crops by OpenVINO, which compiles a network for each size of a batch."""

import os

from lines import library

ov = library("openvino")

import numpy as np

from crops import BATCHES, one_by_one, serve_crops


class Peer:
    # Batches one after the other on all threads, or as many at once as the library likes.
    ways = ["latency", "throughput"]
    batches = BATCHES

    def load(self, folder, layers, side, threads):
        self.path = os.path.join(folder, "network.onnx")
        self.side = side
        self.threads = threads
        self.compiled = None

    def scorer(self, way, batch):
        if self.compiled != (way, batch):
            self.model = None
            self.model = self.compile(way, batch)
            self.compiled = (way, batch)
        if way == "latency":
            request = self.model.create_infer_request()
            return one_by_one(lambda crops: request.infer({0: crops})[0], batch)
        return at_once(self.model, batch)

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
        return core.compile_model(model, "CPU", settings)


def at_once(model, batch):
    queue = ov.AsyncInferQueue(model)
    posteriors = {}
    queue.set_callback(lambda request, at: posteriors.update({at: np.array(request.get_output_tensor(0).data)}))

    def score(crops):
        for at in range(0, len(crops), batch):
            queue.start_async({0: crops[at : at + batch]}, at)
        queue.wait_all()
        return np.concatenate([posteriors.pop(at) for at in sorted(posteriors)])

    return score


serve_crops(ov.__version__.split("-")[0], Peer())
