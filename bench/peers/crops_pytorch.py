"""Crops by PyTorch, in either layout of memory."""

from lines import library

torch = library("torch")

from crops import BATCHES, one_by_one, read_weights, serve_crops

LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}


class Peer:
    ways = list(LAYOUTS)
    batches = BATCHES

    def load(self, folder, layers, side, threads):
        torch.set_num_threads(threads)
        self.network = network(layers, read_weights(folder)).eval()

    def scorer(self, way, batch):
        layout = LAYOUTS[way]
        self.network.to(memory_format=layout)

        def score(crops):
            with torch.inference_mode():
                return self.network(torch.from_numpy(crops).to(memory_format=layout)).numpy()

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
