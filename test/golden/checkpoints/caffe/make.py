"""Writes small .caffemodel files in the forms of Caffe's history, and expected.json: what PyTorch 2.15 answers in
float64 for the same weights. Needs numpy, pillow, protobuf (7.36), torch. The subset of caffe.proto (BSD-2-Clause) is
declared here, so that the files come from Google's own encoder and not from this project's reader.

    python make.py
"""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from PIL import Image

HERE = Path(__file__).parent
ROWS = {
    "A": [1, 1, 2, 2, 2],
    "A-LRN": [1, 1, 2, 2, 2],
    "B": [2, 2, 2, 2, 2],
    "D": [2, 2, 3, 3, 3],
    "E": [2, 2, 4, 4, 4],
}
HIDDEN, CLASSES = 16, 10
V1_TYPES = {"Convolution": 4, "InnerProduct": 14, "Pooling": 17, "ReLU": 18, "Dropout": 6, "Softmax": 20, "Data": 5}

# (name, number, type); a trailing * is repeated, ^ repeated and packed.
BLOB = [("num", 1, "int32"), ("channels", 2, "int32"), ("height", 3, "int32"), ("width", 4, "int32"),
        ("data^", 5, "float"), ("shape", 7, "BlobShape")]
SCHEMA = {
    "BlobShape": [("dim^", 1, "int64")],
    "ConvolutionParameter": [("num_output", 1, "uint32"), ("pad*", 3, "uint32"), ("kernel_size*", 4, "uint32"),
                             ("stride*", 6, "uint32"), ("group", 5, "uint32")],
    "InnerProductParameter": [("num_output", 1, "uint32")],
    "LRNParameter": [("local_size", 1, "uint32"), ("alpha", 2, "float"), ("beta", 3, "float"), ("k", 5, "float")],
    "PoolingParameter": [("pool", 1, "uint32"), ("kernel_size", 2, "uint32"), ("stride", 3, "uint32")],
    "DropoutParameter": [("dropout_ratio", 1, "float")],
    "BatchNormParameter": [("use_global_stats", 1, "bool"), ("eps", 3, "float")],
    "ScaleParameter": [("bias_term", 4, "bool")],
    "LayerParameter": [("name", 1, "string"), ("type", 2, "string"), ("bottom*", 3, "string"), ("top*", 4, "string"),
                       ("blobs*", 7, "BlobProto"), ("phase", 10, "uint32"),
                       ("convolution_param", 106, "ConvolutionParameter"), ("dropout_param", 108, "DropoutParameter"),
                       ("inner_product_param", 117, "InnerProductParameter"), ("lrn_param", 118, "LRNParameter"),
                       ("pooling_param", 121, "PoolingParameter"), ("batch_norm_param", 139, "BatchNormParameter"),
                       ("scale_param", 142, "ScaleParameter")],
    "V1LayerParameter": [("bottom*", 2, "string"), ("top*", 3, "string"), ("name", 4, "string"), ("type", 5, "uint32"),
                         ("blobs*", 6, "BlobProto"), ("blobs_lr*", 7, "float"),
                         ("convolution_param", 10, "ConvolutionParameter"), ("dropout_param", 12, "DropoutParameter"),
                         ("inner_product_param", 17, "InnerProductParameter"), ("lrn_param", 18, "LRNParameter"),
                         ("pooling_param", 19, "PoolingParameter")],
    "NetParameter": [("name", 1, "string"), ("layers*", 2, "V1LayerParameter"), ("input*", 3, "string"),
                     ("input_dim*", 4, "int32"), ("layer*", 100, "LayerParameter")],
}


def schema(packed):
    """The messages; before March 2014 `data` was written unpacked."""
    file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe", syntax="proto2")
    blob = [(name if packed else name.replace("data^", "data*"), *rest) for name, *rest in BLOB]
    for message_name, fields in {**SCHEMA, "BlobProto": blob}.items():
        message = file.message_type.add(name=message_name)
        for name, number, kind in fields:
            field = message.field.add(name=name.rstrip("*^"), number=number)
            field.label = field.LABEL_REPEATED if name[-1] in "*^" else field.LABEL_OPTIONAL
            if name[-1] == "^":
                field.options.packed = True
            if kind[0].isupper():
                field.type, field.type_name = field.TYPE_MESSAGE, f".caffe.{kind}"
            else:
                field.type = getattr(field, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("caffe.NetParameter"))


def weights(network, width, rng, batch_norm=False):
    """He-initialised layers by name: (weight, bias, batch norm or None), float32."""
    layers, channels = {}, 3
    for block, count in enumerate(ROWS[network]):
        out = max(1, round([64, 128, 256, 512, 512][block] * width))
        for position in range(count):
            norm = None
            if batch_norm:
                norm = {"mean": rng.normal(0, 0.5, out), "variance": rng.uniform(0.5, 2, out),
                        "scale": rng.uniform(0.5, 1.1, out), "shift": rng.normal(0, 0.3, out),
                        "factor": np.array([999.98236])}
                norm = {key: value.astype(np.float32) for key, value in norm.items()}
            # Levels are not small: the first layer's weights make them so; after LRN, whose alpha would not
            # matter then, the second's.
            loud = f"conv{block + 1}_{position + 1}" == ("conv2_1" if network == "A-LRN" else "conv1_1")
            gain = np.sqrt(2 / (channels * 9)) / ((8 if network == "A-LRN" else 30) if loud else 1)
            weight = rng.normal(0, gain, (out, channels, 3, 3)).astype(np.float32)
            layers[f"conv{block + 1}_{position + 1}"] = (weight, rng.normal(0, 0.1, out).astype(np.float32), norm)
            channels = out
    for name, inputs, outputs in [("fc6", channels * 49, HIDDEN), ("fc7", HIDDEN, HIDDEN), ("fc8", HIDDEN, CLASSES)]:
        weight = rng.normal(0, np.sqrt(2 / inputs), (outputs, inputs)).astype(np.float32)
        layers[name] = (weight, rng.normal(0, 0.3, outputs).astype(np.float32), None)
    return layers


def posterior(network, layers):
    photo = np.asarray(Image.open(HERE / "../../photo.png").convert("RGB"), dtype=np.float64)
    top, left = (photo.shape[0] - 224) // 2, (photo.shape[1] - 224) // 2
    bgr = photo[top : top + 224, left : left + 224, ::-1] - [103.939, 116.779, 123.68]
    x = torch.from_numpy(np.ascontiguousarray(bgr.transpose(2, 0, 1)))[None]

    def double(array):
        return torch.from_numpy(array.astype(np.float64))

    for block, count in enumerate(ROWS[network]):
        for position in range(count):
            weight, bias, norm = layers[f"conv{block + 1}_{position + 1}"]
            x = F.conv2d(x, double(weight), double(bias), padding=1)
            if norm:
                # The file holds the running sums: mean and variance times the factor, rounded to float32.
                factor = double(norm["factor"])
                mean, variance = (double(norm[key] * norm["factor"]) / factor for key in ("mean", "variance"))
                x = F.batch_norm(x, mean, variance, double(norm["scale"]), double(norm["shift"]), eps=1e-5)
            x = F.relu(x)
            if network == "A-LRN" and block == 0:
                x = F.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2)
        x = F.max_pool2d(x, 2)
    x = x.flatten(1)
    for name in ["fc6", "fc7", "fc8"]:
        x = F.linear(x, double(layers[name][0]), double(layers[name][1]))
        x = F.relu(x) if name != "fc8" else x
    return F.softmax(x, 1)[0]


def steps(network, layers, fc8="fc8"):
    """(name, type, parameters) in order, each after the one before; in-place where Caffe's own nets are."""
    for block, count in enumerate(ROWS[network]):
        for position in range(count):
            end = f"{block + 1}_{position + 1}"
            weight, bias, norm = layers[f"conv{end}"]
            out = {"num_output": len(bias), "kernel_size": [3], "pad": [1]}
            yield f"conv{end}", "Convolution", {"convolution_param": out}, [weight, bias]
            if norm:
                factor = norm["factor"]
                blobs = [norm["mean"] * factor, norm["variance"] * factor, factor]
                yield f"bn{end}", "BatchNorm", {"batch_norm_param": {"use_global_stats": True}}, blobs
                yield f"scale{end}", "Scale", {"scale_param": {"bias_term": True}}, [norm["scale"], norm["shift"]]
            yield f"relu{end}", "ReLU", {}, []
            if network == "A-LRN" and block == 0:
                constants = {"local_size": 5, "alpha": 5e-4, "beta": 0.75, "k": 2}
                yield "norm1", "LRN", {"lrn_param": constants}, []
        yield f"pool{block + 1}", "Pooling", {"pooling_param": {"pool": 0, "kernel_size": 2, "stride": 2}}, []
    for name in ["fc6", "fc7", "fc8"]:
        weight, bias, _ = layers[name]
        own = fc8 if name == "fc8" else name
        yield own, "InnerProduct", {"inner_product_param": {"num_output": len(bias)}}, [weight, bias]
        if name != "fc8":
            yield f"relu{name[2:]}", "ReLU", {}, []
            yield f"drop{name[2:]}", "Dropout", {"dropout_param": {"dropout_ratio": 0.5}}, []


def fill_blob(blob, array, shaped):
    if shaped:
        blob.shape.dim.extend(array.shape)
    else:
        blob.num, blob.channels, blob.height, blob.width = (1,) * (4 - array.ndim) + array.shape
    blob.data.extend(array.ravel().tolist())


def write(file, network, layers, form, packed=True, fc8="fc8", training=False):
    net = schema(packed)(name=f"VGG_{file}")
    if form == "V1":
        net.input.append("data")
        net.input_dim.extend([10, 3, 224, 224])
    elif training:
        net.layer.add(name="data", type="Data", top=["data", "label"], phase=0)
        net.layer.add(name="label_data_1_split", type="Split", bottom=["label"], top=["label_0", "label_1"])
    else:
        net.layer.add(name="data", type="Input", top=["data"])
    bottom = "data"
    for name, kind, parameters, blobs in steps(network, layers, fc8):
        top = bottom if kind in ("ReLU", "Dropout", "BatchNorm", "Scale") else name
        if form == "V1":
            layer = net.layers.add(name=name, type=V1_TYPES[kind], bottom=[bottom], top=[top], **parameters)
        else:
            layer = net.layer.add(name=name, type=kind, bottom=[bottom], top=[top], **parameters)
        for array in blobs:
            fill_blob(layer.blobs.add(), array, shaped=form == "new")
        bottom = top
    if form == "V1":
        net.layers.add(name="prob", type=V1_TYPES["Softmax"], bottom=[bottom], top=["prob"])
    elif training:
        split = [f"{bottom}_0", f"{bottom}_1"]
        net.layer.add(name=f"{bottom}_split", type="Split", bottom=[bottom], top=split)
        net.layer.add(name="loss", type="SoftmaxWithLoss", bottom=[split[0], "label_0"], top=["loss"])
        net.layer.add(name="accuracy", type="Accuracy", bottom=[split[1], "label_1"], top=["accuracy"])
    else:
        net.layer.add(name="prob", type="Softmax", bottom=[bottom], top=["prob"])
    (HERE / file).write_bytes(net.SerializeToString(deterministic=True))
    answer = posterior(network, layers)
    return {
        "network": network,
        "batchNorm": any(norm is not None for _, _, norm in layers.values()),
        "center_crop": [float(f"{value:.9g}") for value in answer],
    }


def main():
    rng = np.random.default_rng(1409)
    expected = {}

    def make(file, network, width, form, batch_norm=False, **options):
        expected[file] = write(file, network, weights(network, width, rng, batch_norm), form, **options)
        print(file, expected[file]["center_crop"])

    make("vgg19-v1.caffemodel", "E", 1 / 32, "V1")
    make("vgg16-training.caffemodel", "D", 1 / 32, "new", fc8="fc8_flickr", training=True)
    make("vgg11-lrn.caffemodel", "A-LRN", 1 / 16, "new")
    make("vgg13-v1-unpacked.caffemodel", "B", 1 / 16, "V1", packed=False)
    make("vgg11-bn.caffemodel", "A", 1 / 32, "new", batch_norm=True)
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
