"""Makes this folder: small VGGs saved by Keras in each of its HDF5 layouts, and what Keras says of photo.png.

    KERAS_BACKEND=torch python make.py

Made with Python 3.11.7, keras 3.15.1, torch 2.15.0, h5py 3.16.0, numpy 2.4.6, pillow.

The networks are keras.applications' VGG16 and VGG19 (same functions, names and activations) and row A in the
same style, at width 1/16 with 16 hidden units and 10 classes. The files of Keras 1 and 2 are written by h5py just as those
versions write them: groups, attributes and dataset names are theirs, the weights are the Keras 3 model's.
expected.json: softmax of the centre 224x224 crop of ../../photo.png after keras.applications.vgg16.preprocess_input,
computed by Keras in float64.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import h5py
import keras
import numpy as np
from keras import layers
from PIL import Image

HERE = Path(__file__).parent
WIDTHS = [4, 8, 16, 32, 32]
ROWS = {"A": [1, 1, 2, 2, 2], "B": [2] * 5, "D": [2, 2, 3, 3, 3], "E": [2, 2, 4, 4, 4]}


def vgg(row, named=True, norm=False):
    """keras.applications.VGG16 and VGG19, smaller; without names as a user's own model would have them."""
    name = lambda text: {"name": text} if named else {}
    inputs = keras.Input((224, 224, 3))
    x = inputs
    for block, count in enumerate(ROWS[row], 1):
        for position in range(1, count + 1):
            x = layers.Conv2D(
                WIDTHS[block - 1],
                (3, 3),
                activation=None if norm else "relu",
                padding="same",
                **name(f"block{block}_conv{position}"),
            )(x)
            if norm:
                x = layers.BatchNormalization(**name(f"block{block}_bn{position}"))(x)
                x = layers.Activation("relu")(x)
        x = layers.MaxPooling2D((2, 2), strides=(2, 2), **name(f"block{block}_pool"))(x)
    x = layers.Flatten(**name("flatten"))(x)
    x = layers.Dense(16, activation="relu", **name("fc1"))(x)
    x = layers.Dropout(0.5)(x)
    x = layers.Dense(16, activation="relu", **name("fc2"))(x)
    x = layers.Dropout(0.5)(x)
    x = layers.Dense(10, activation="softmax", **name("predictions"))(x)
    return keras.Model(inputs, x, name="vgg")


def weighted(model):
    return [layer for layer in model.layers if any("seed" not in w.path for w in layer.weights)]


def fill(model, rng):
    """He-initialised weights; biases and running statistics that leave no layer flat or silent."""
    layers_ = weighted(model)
    for layer in layers_:
        if isinstance(layer, layers.BatchNormalization):
            n = layer.gamma.shape[0]
            values = [
                rng.uniform(0.8, 1.6, n),
                rng.normal(0, 0.3, n),
                rng.normal(0, 1, n),
                rng.uniform(0.5, 3, n),
            ]
        else:
            kernel = layer.kernel.shape
            fan_in = int(np.prod(kernel[:-1]))
            # The first layer sees levels of about +-70.
            scale = 1 / 60 if kernel[-2] == 3 else 1
            values = [
                rng.normal(0, scale * np.sqrt(2 / fan_in), kernel),
                rng.normal(0, 0.2, kernel[-1]),
            ]
        # Short mantissas, so that gzip has something to do.
        layer.set_weights([coarse(value) for value in values])
    # An answer that is neither flat nor certain.
    logits = np.log(keras.ops.convert_to_numpy(model(pixels(np.float32), training=False))[0])
    kernel, bias = layers_[-1].get_weights()
    layers_[-1].set_weights([coarse(kernel * 2 / logits.std()), bias])
    return model


def pixels(dtype):
    """The centre crop, as keras.applications prepares it: BGR minus the mean pixel."""
    image = np.asarray(Image.open(HERE / "../../photo.png").convert("RGB"))
    top, left = (image.shape[0] - 224) // 2, (image.shape[1] - 224) // 2
    crop = image[None, top : top + 224, left : left + 224].astype(dtype)
    return keras.applications.vgg16.preprocess_input(crop.copy())


def coarse(values):
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return (bits & 0xFFFF0000).view(np.float32)


def posterior(row, norm, model, named=True):
    """What Keras itself answers, in float64, with its own preprocessing."""
    keras.config.set_dtype_policy("float64")
    double = vgg(row, named, norm)
    keras.config.set_dtype_policy("float32")
    for to, of in zip(weighted(double), weighted(model), strict=True):
        to.set_weights([value.astype(np.float64) for value in of.get_weights()])
    answer = keras.ops.convert_to_numpy(double(pixels(np.float64), training=False))[0]
    assert answer.dtype == np.float64 and abs(answer.sum() - 1) < 1e-12
    assert answer.max() < 0.99 and np.abs(answer - 0.1).max() > 0.05, answer
    return [float(f"{value:.9g}") for value in answer]


def texts(names):
    """Fixed-width byte strings, as Keras has always written its lists of names."""
    return np.array([name.encode() for name in names])


def save_like(path, model, version, dataset, every_layer=True, **how):
    """Keras 1's and 2's save_weights: a group for each layer, in it its weights under `dataset`'s names."""
    with h5py.File(path, "w") as file:
        listed = model.layers if every_layer else weighted(model)
        file.attrs["layer_names"] = texts([layer.name for layer in listed])
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = version.encode()
        for layer in listed:
            group = file.create_group(layer.name)
            weights = [w for w in layer.weights if "seed" not in w.path]
            names = [dataset(layer.name, w.name) for w in weights]
            group.attrs["weight_names"] = texts(names) if names else np.zeros((0,), "S1")
            for name, weight in zip(names, weights, strict=True):
                group.create_dataset(name, data=keras.ops.convert_to_numpy(weight), **how)


def published(layer, weight):
    """vgg19_weights_tf_dim_ordering_tf_kernels.h5."""
    return f"{layer}_{'W' if weight == 'kernel' else 'b'}_1:0"


def keras2(layer, weight):
    return f"{layer}/{weight}:0"


def main():
    rng = np.random.default_rng(20140904)
    expected = {}

    def add(name, row, norm, model, named=True):
        expected[name] = {
            "network": row,
            "batchNorm": norm,
            "center_crop": posterior(row, norm, model, named),
        }

    keras.backend.clear_session()
    vgg19 = fill(vgg("E"), rng)
    vgg19.save_weights(HERE / "keras3-vgg19.weights.h5")
    add("keras3-vgg19.weights.h5", "E", False, vgg19)
    gzip = {"compression": "gzip", "shuffle": True, "chunks": True}
    save_like(HERE / "published-vgg19-gzip.h5", vgg19, "2.0.0", published, **gzip)
    add("published-vgg19-gzip.h5", "E", False, vgg19)

    vgg16 = fill(vgg("D"), rng)
    vgg16.save(HERE / "keras3-vgg16-model.h5", include_optimizer=False)
    add("keras3-vgg16-model.h5", "D", False, vgg16)

    vgg11 = fill(vgg("A"), rng)
    save_like(HERE / "keras2-vgg11.h5", vgg11, "2.15.0", keras2)
    add("keras2-vgg11.h5", "A", False, vgg11)

    keras.backend.clear_session()
    own = fill(vgg("A", named=False, norm=True), rng)
    own.save_weights(HERE / "keras3-own-vgg11-bn.weights.h5")
    add("keras3-own-vgg11-bn.weights.h5", "A", True, own, False)

    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


main()
