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
            score = one_by_one(lambda crops: request.infer({0: crops})[0], batch)
        else:
            score = at_once(self.model, batch)
        # What is compiled for a size takes no other: the last batch is filled up.
        return lambda crops: score(np.pad(crops, ((0, -len(crops) % batch), (0, 0), (0, 0), (0, 0))))[: len(crops)]

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


# Without callbacks: those of an old model would wait for Python's lock, which whoever ends that model holds.
def at_once(model, batch):
    count = model.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
    requests = [model.create_infer_request() for _ in range(count)]

    def score(crops):
        starts = range(0, len(crops), batch)
        posteriors = [None] * len(starts)

        def take(turn):
            request = requests[turn % count]
            request.wait()
            posteriors[turn] = np.array(request.get_output_tensor(0).data)

        for turn, at in enumerate(starts):
            if turn >= count:
                take(turn - count)
            requests[turn % count].start_async({0: crops[at : at + batch]})
        for turn in range(max(0, len(starts) - count), len(starts)):
            take(turn)
        return np.concatenate(posteriors)

    return score


serve_crops(ov.__version__.split("-")[0], Peer())
