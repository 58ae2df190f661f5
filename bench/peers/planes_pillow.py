"""Planes of a photo by Pillow, its three resizes one after the other or in three threads."""

import io
import time
from concurrent.futures import ThreadPoolExecutor

from lines import library, serve

Image = library("PIL.Image")
PIL = library("PIL")

SCALES = (256, 384, 512)

pool = ThreadPoolExecutor(len(SCALES))


def planes(path, threads, out):
    """Milliseconds; the planes' bytes lie at `out`."""
    with open(path, "rb") as file:
        photo = file.read()
    start = time.perf_counter()
    image = Image.open(io.BytesIO(photo))
    width, height = image.size
    sizes = [
        (q, int(height * q / width + 0.5)) if width <= height else (int(width * q / height + 0.5), q) for q in SCALES
    ]
    image.draft("RGB", (2 * sizes[-1][0], 2 * sizes[-1][1]))
    image = image.convert("RGB")
    resize = lambda size: image.resize(size, Image.BILINEAR, reducing_gap=None).tobytes()
    planes = list((pool.map if threads else map)(resize, sizes))
    taken = time.perf_counter() - start
    with open(out, "wb") as file:
        file.write(b"".join(planes))
    return {"ms": 1000 * taken}


serve(PIL.__version__, planes=planes)
