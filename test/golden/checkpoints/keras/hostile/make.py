"""Makes this folder: HDF5 files that no weights file should be. Made with h5py 3.16.0 (HDF5 2.0.0).

    python make.py
"""

import gzip
import os
import zlib
from pathlib import Path

import h5py
import numpy as np

os.chdir(Path(__file__).parent)


def new(name):
    return h5py.File(f"{name}.h5", "w")


# Files that name another file. other.h5 and other.bin exist, so that a reader which follows would succeed.
Path("other.bin").write_bytes(np.ones(4, "f4").tobytes())
with new("other") as file:
    file["x"] = np.ones(4, "f4")
with new("external-link") as file:
    file["a"] = h5py.ExternalLink("other.h5", "/x")
with new("external-storage") as file:
    file.create_dataset("a", (4,), "f4", external=[("other.bin", 0, 16)])
with new("virtual") as file:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (4,))
    file.create_virtual_dataset("a", layout)

# Groups without an end.
with new("soft-cycle") as file:
    file["a"] = h5py.SoftLink("/b")
    file["b"] = h5py.SoftLink("/a")
with new("hard-cycle") as file:
    group = file.create_group("g")
    group["g"] = group
with new("wide") as file:
    # 2 to the power of 14 paths.
    groups = [file.create_group("0")]
    for depth in range(1, 15):
        groups.append(groups[-1].create_group("left"))
        groups[-2]["right"] = groups[-1]

# Claims beyond what the file has.
with new("unwritten") as file:
    file.create_dataset("a", (25088, 4096), "f4")
with new("unwritten-chunks") as file:
    file.create_dataset("a", (2**50,), "f4", chunks=(1024,), compression="gzip")
with new("large-chunk") as file:
    file.create_dataset("a", (2**25,), "f4", chunks=(2**25,), compression="gzip")[0] = 1
with new("bomb") as file:
    dataset = file.create_dataset("a", (1024,), "f4", chunks=(1024,), compression="gzip")
    dataset.id.write_direct_chunk((0,), zlib.compress(bytes(2**30), 9))
for name in ["large-chunk", "bomb"]:
    packed = gzip.compress(Path(f"{name}.h5").read_bytes(), 9, mtime=0)
    Path(f"{name}.h5").unlink()
    Path(f"{name}.h5.gz").write_bytes(packed)
with new("no-deflate") as file:
    dataset = file.create_dataset("a", (1024,), "f4", chunks=(1024,), compression="gzip")
    dataset.id.write_direct_chunk((0,), b"not deflate")
with new("lzf") as file:
    file.create_dataset("a", data=np.zeros(100, "f4"), compression="lzf", chunks=(10,))

# Types.
with new("types") as file:
    file["compound"] = np.zeros(3, [("a", "f4"), ("b", "i8")])
    file["text"] = np.array([b"abc", b"d"])
    file["vlen"] = "hello"
    file["nothing"] = h5py.Empty("f4")
    file["i64"] = np.arange(3)
    file["f16"] = np.array([1, 2, -0.5], "f2")
    file["f64be"] = np.array([1, 2.5], ">f8")
    file["f32be"] = np.array([1, 2.5], ">f4")
    file["zero"] = np.zeros((0, 3), "f4")
    file["scalar"] = np.float32(7)
    # As Keras 3 writes bfloat16: 1 and -2.
    file.create_dataset("bf16", data=np.array([0x3F80, 0xC000], "<u2").view("V2")).attrs["dtype"] = "bfloat16"
