"""Trains the network of small() in network_test.go by PyTorch, in float64: from the
checkpoint and the batches in the directory of argument 1, with the optimiser of argument 2,
and writes what its parameters are then to after/ there."""
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
folder, optimiser = sys.argv[1:]
params = {
    f[:-4]: torch.tensor(np.load(os.path.join(folder, "before", f)))
    for f in os.listdir(os.path.join(folder, "before"))
    if f.endswith(".npy")
}
measured = {n for n in params if n.endswith(("_mean", "_variance"))}
learnt = [n for n in params if n not in measured]
for n in learnt:
    params[n].requires_grad_()


def conv(x, name):  # weights are height × width × in × out
    w = params[name + "_w"].permute(3, 2, 0, 1)
    return F.conv2d(x, w, params[name + "_b"], padding=w.shape[2] // 2)


def forward(x):  # datapoints × height × width × channels
    x = conv(x.permute(0, 3, 1, 2), "conv")
    x = F.batch_norm(x, params["conv_mean"], params["conv_variance"], params["conv_scale"], params["conv_shift"],
                     training=True, momentum=0.1, eps=1e-5)
    x = F.max_pool2d(F.relu(x), 2)
    x = F.relu(conv(F.relu(conv(x, "block.conv1")), "block.conv2") + conv(x, "block.shortcut"))
    x = F.avg_pool2d(x, 2).flatten(1)
    return x @ params["logits_w"] + params["logits_b"]


groups = [
    {"params": [params[n] for n in learnt if params[n].ndim > 1], "weight_decay": 0.01},
    {"params": [params[n] for n in learnt if params[n].ndim == 1], "weight_decay": 0},
]
o = {"sgd": lambda: torch.optim.SGD(groups, lr=0.1, momentum=0.9), "adam": lambda: torch.optim.Adam(groups, lr=0.01)}[optimiser]()
images = torch.tensor(np.load(os.path.join(folder, "batches", "images.npy")))
labels = torch.tensor(np.load(os.path.join(folder, "batches", "labels.npy"))).long()
for x, y in zip(images, labels):
    o.zero_grad()
    F.cross_entropy(forward(x), y).backward()
    o.step()
os.mkdir(os.path.join(folder, "after"))
for n, p in params.items():
    np.save(os.path.join(folder, "after", n), p.detach().numpy())
