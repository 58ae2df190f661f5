"""What every peer does with crops: load a network, score crops in batches, tell how long it took. Knows arrays and
clocks; how a network is computed, each peer knows.

A peer is an object with
- ways: names of what it may choose from,
- batches: sizes that it may choose from,
- load(folder, layers, side, threads): layers as the bench has them, weights and graph in the folder; one that can
  compute on a GPU has load_gpu, too,
- scorer(way, batch): a function of [crops, 3, side, side] float32 that returns [crops, classes] posteriors, in that
  way and in batches of that size; one_by_one makes it of a function of a batch.
"""

import base64
import json
import os
import time

import numpy as np

from lines import serve

BATCHES = [1, 8]
GPU_BATCHES = [8, 32, 64]


def read_weights(folder):
    """Tensors of weights.safetensors by name: OIHW, float32."""
    path = os.path.join(folder, "weights.safetensors")
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
    return {
        name: np.memmap(path, "<f4", "r", 8 + size + entry["data_offsets"][0], tuple(entry["shape"]))
        for name, entry in header.items()
    }


def one_by_one(score, batch):
    """Batches one after the other. What a library returns may be its own memory, of the last batch."""
    return lambda crops: np.concatenate(
        [np.array(score(crops[at : at + batch])) for at in range(0, len(crops), batch)]
    )


def serve_crops(version, peer):
    crops = None

    def load(folder, layers, side, threads, device):
        nonlocal crops
        pixels = np.fromfile(os.path.join(folder, "crops.f32"), "<f4").reshape(-1, side, side, 3)
        crops = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
        if device == "gpu" and not hasattr(peer, "load_gpu"):
            raise RuntimeError("computes on the CPU alone here")
        (peer.load_gpu if device == "gpu" else peer.load)(folder, layers, side, threads)
        return {"ways": peer.ways, "batches": peer.batches}

    def score(way, batch, count):
        scorer = peer.scorer(way, batch)
        some = crops[:count]
        start = time.perf_counter()
        posteriors = scorer(some)
        taken = time.perf_counter() - start
        return {"ms": 1000 * taken, "posteriors": base64.b64encode(posteriors.astype("<f4").tobytes()).decode()}

    serve(version, load=load, score=score)
