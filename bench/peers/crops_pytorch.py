"""Crops by PyTorch, in either layout of memory; on a GPU in float32, without TensorFloat-32."""

from lines import library

torch = library("torch")

from crops import BATCHES, GPU_BATCHES, one_by_one, read_weights, serve_crops

LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}


class Peer:
    ways = list(LAYOUTS)
    batches = BATCHES
    device = "cpu"

    def load_gpu(self, folder, layers, side, threads):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        self.batches, self.device = GPU_BATCHES, "cuda"
        self.load(folder, layers, side, threads)

    def load(self, folder, layers, side, threads):
        torch.set_num_threads(threads)
        self.network = network(layers, read_weights(folder)).eval().to(self.device)

    def scorer(self, way, batch):
        layout = LAYOUTS[way]
        self.network.to(memory_format=layout)

        def score(crops):
            with torch.inference_mode():
                pixels = torch.from_numpy(crops).to(self.device, memory_format=layout)
                return self.network(pixels).cpu().numpy()

        return one_by_one(score, batch)


def network(layers, weights):
    modules = []
    for layer in layers:
        if layer["kind"] == "pool":
            modules.append(torch.nn.MaxPool2d(2))
            continue
        name, outputs = layer["name"], layer["outChannels"]
        weight, bias = (torch.from_numpy(weights[f"{name}.{part}"].copy()) for part in ("weight", "bias"))
        if name == "fc6":
            modules.append(torch.nn.Flatten())
        if name.startswith("fc"):
            weight = weight.reshape(outputs, -1)
            module = torch.nn.Linear(*reversed(weight.shape))
        else:
            module = torch.nn.Conv2d(layer["inChannels"], outputs, layer["kernel"], padding=layer["pad"])
        module.weight.data, module.bias.data = weight, bias
        modules.append(module)
        if layer["relu"]:
            modules.append(torch.nn.ReLU(inplace=True))
    return torch.nn.Sequential(*modules, torch.nn.Softmax(1))


# Without the kind of its build.
serve_crops(torch.__version__.split("+")[0], Peer())
