"""Training steps by PyTorch, on a fresh network of random weights and random pixels."""

import time

from lines import library, serve

torch = library("torch")
nn = torch.nn


def build(body, size, hidden, classes):
    """body: [[kernel, channels], …] of each block."""
    layers, channels = [], 3
    for block in body:
        for kernel, outputs in block:
            layers += [
                nn.Conv2d(channels, outputs, kernel, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(True),
            ]
            channels = outputs
        layers.append(nn.MaxPool2d(2))
    side = size // 2 ** len(body)
    layers.append(nn.Flatten())
    for inputs, outputs in ((side * side * channels, hidden), (hidden, hidden)):
        layers += [nn.Linear(inputs, outputs), nn.ReLU(True), nn.Dropout()]
    return nn.Sequential(*layers, nn.Linear(hidden, classes))


def steps(threads, device, batch, count, warm_up, body, size, hidden, classes):
    """Seconds of each step but the first, in either layout of memory."""
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    device = "cuda" if device == "gpu" else device
    seconds = []
    for layout in (torch.contiguous_format, torch.channels_last):
        net = build(body, size, hidden, classes).to(device, memory_format=layout)
        decays = [p for p in net.parameters() if p.dim() > 1]
        others = [p for p in net.parameters() if p.dim() == 1]
        groups = [{"params": decays, "weight_decay": 5e-4}, {"params": others}]
        optimiser = torch.optim.SGD(groups, 1e-3, momentum=0.9)
        x = (torch.randn(batch, 3, size, size) * 50).to(device, memory_format=layout)
        y = torch.randint(0, classes, (batch,), device=device)
        times = []
        for _ in range(warm_up + count):
            start = time.perf_counter()
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            optimiser.step()
            loss.item()
            times.append(time.perf_counter() - start)
        seconds.append(times[warm_up:])
    return {"seconds": seconds}


serve(torch.__version__.split("+")[0], steps=steps)
