#!/usr/bin/python3
"""Trains the networks of this folder and writes their weights: python3 make.py (numpy, PyTorch 1.13, scikit-learn).

data/images.u8    1797 x 64: handwritten digits of 8 x 8 pixels, 0 to 16 (scikit-learn's load_digits: UCI, 1998)
data/labels.u8    1797: which digit; test.u8: 1 for images that no network was trained on
data/NAME.f32     parameters of a network one after another, little-endian float32, weights inputs x outputs
data/training.f32 those of one network at each of STEPS, with the means and variances of its batch normalisation
"""
import os

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

SEED = {"a": 11, "b": 22}
STEPS = [0, 10, 30, 80, 150, 300, 600, 1000]
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def write(name, *arrays, dtype="<f4"):
    with open(os.path.join(DATA, name), "wb") as f:
        for a in arrays:
            f.write(np.ascontiguousarray(a, dtype=dtype).tobytes())


def parameters(net):
    """Weights of dense layers inputs x outputs; of convolutions height x width x inputs x outputs."""
    found = []
    for name, p in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        p = p.detach().numpy()
        found.append(p.T if p.ndim == 2 else p.transpose(2, 3, 1, 0) if p.ndim == 4 else p)
    return found


def fit(net, x, y, steps, lr, seed, decay=0.0, after=lambda step: None):
    """Adam, its rate falling as a cosine, on batches of 64."""
    gen = torch.Generator().manual_seed(seed)
    opt = torch.optim.Adam(net.parameters(), lr=lr, weight_decay=decay)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, steps)
    for step in range(steps):
        after(step)
        net.train()
        i = torch.randint(len(x), (64,), generator=gen)
        opt.zero_grad()
        nn.functional.cross_entropy(net(x[i]), y[i]).backward()
        opt.step()
        sched.step()
    after(steps)


def dense():
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(),
                         nn.Linear(64, 10))


def convolutional():
    return nn.Sequential(nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(),
                         nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 32), nn.ReLU(),
                         nn.Linear(32, 10))


def normalised():
    width = [64, 32, 24, 16]
    parts = []
    for i in range(3):
        parts += [nn.Linear(width[i], width[i + 1]), nn.BatchNorm1d(width[i + 1]), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(16, 10))


def main():
    d = load_digits()
    images, labels = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)
    order = np.random.RandomState(0).permutation(len(images))
    test = np.zeros(len(images))
    test[order[:540]] = 1
    write("images.u8", d.data, dtype="u1")
    write("labels.u8", d.target, dtype="u1")
    write("test.u8", test, dtype="u1")
    train = torch.tensor(np.flatnonzero(test == 0))
    x, y = images[train], labels[train]
    for name, seed in SEED.items():
        torch.manual_seed(seed)
        net = dense()
        fit(net, x, y, 1500, 1e-3, seed, decay=1e-4)
        write(name + ".f32", *parameters(net))
        torch.manual_seed(seed)
        net = convolutional()
        fit(net, x, y, 1200, 2e-3, seed, decay=1e-4)
        write(f"conv_{name}.f32", *parameters(net))
    torch.manual_seed(33)
    net = normalised()
    recorded = []

    def record(step):
        if step in STEPS:
            recorded.extend(p.copy() for p in parameters(net))

    fit(net, x, y, STEPS[-1], 2e-3, 33, after=record)
    write("training.f32", *recorded)


if __name__ == "__main__":
    main()
