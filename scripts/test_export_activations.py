"""Tests of export_activations.py: /usr/bin/python3 -m unittest scripts/test_export_activations.py

go test ./cmd/svcca runs them, too. What is written is read by numpy, and compared with
what the same modules put out without an Exporter."""

import json
import os
import resource
import sys
import tempfile
import unittest
import warnings

import numpy as np
import torch
from torch import nn

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from export_activations import Exporter, safe  # noqa: E402


class Net(nn.Module):
    """A convolution, an activation that runs twice and in place, a module with a tuple."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.relu = nn.ReLU(inplace=True)
        self.blocks = nn.ModuleDict({"a/b: é": nn.Linear(144, 6)})
        self.lstm = nn.LSTM(3, 5, batch_first=True)
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        x = self.relu(self.conv(x))
        x = self.relu(self.blocks["a/b: é"](x.flatten(1)))
        return self.lstm(x.view(len(x), 2, 3))[0]


def read(*parts):
    """Returns a layer's shards as one array, and how many there are."""
    directory = os.path.join(*parts)
    shards = [np.load(os.path.join(directory, name)) for name in sorted(os.listdir(directory))]
    return np.concatenate(shards), len(shards)


class ExporterTest(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)
        self.net = Net().eval()
        self.batches = [torch.randn(n, 1, 8, 8) for n in (3, 5, 1)]
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.dir.name)

    def export(self, layers, directory="out", batches=None, net=None, **options):
        net = net or self.net
        with torch.no_grad(), Exporter(net, layers, directory, **options):
            for x in self.batches if batches is None else batches:
                net(x)

    def refused(self, error, says, *args, **options):
        """Checks that nothing is left of an export that fails."""
        before = sorted(os.listdir("."))
        with self.assertRaisesRegex(error, says):
            self.export(*args, **options)
        self.assertEqual(before, sorted(os.listdir(".")))
        for module in self.net.modules():
            self.assertFalse(module._forward_hooks or module._forward_pre_hooks, "hooks are gone")

    def test_values(self):
        with torch.no_grad():
            conv = torch.cat([self.net.conv(x) for x in self.batches])
            linear = torch.cat([self.net.blocks["a/b: é"](torch.relu(self.net.conv(x)).flatten(1)) for x in self.batches])
            lstm = torch.cat([self.net(x) for x in self.batches])
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            self.export(["conv", "blocks.*", "lstm"], shard=3, about={"step": 7})
        self.assertEqual(["layer lstm puts out a tuple: output[0] is saved"], [str(w.message) for w in told])
        for directory, want in ("conv", conv), ("blocks.a%2Fb%3A%20%C3%A9", linear), ("lstm", lstm):
            got, shards = read("out", directory)
            self.assertEqual("float32", got.dtype)
            self.assertEqual(want.numpy().tobytes(), got.tobytes(), "bit for bit, though relu works in place")
            self.assertEqual(tuple(want.shape), got.shape)
            self.assertEqual(3, shards, "a batch is not cut")
        with open("out/manifest.json", encoding="utf-8") as f:
            manifest = json.load(f)
        self.assertEqual((9, {"step": 7}, "Net", torch.__version__), tuple(manifest[k] for k in ("datapoints", "about", "model", "torch")))
        self.assertEqual(["conv", "blocks.a/b: é", "lstm"], list(manifest["layers"]), "in the model's order")
        self.assertEqual({"directory": "lstm", "shards": 3, "shape": [9, 2, 5], "computed": "torch.float32", "saved": "output[0]"}, manifest["layers"]["lstm"])
        self.assertEqual(["conv", "blocks.a%2Fb%3A%20%C3%A9", "lstm", "manifest.json"], sorted(os.listdir("out"), key=["conv", "blocks.a%2Fb%3A%20%C3%A9", "lstm", "manifest.json"].index))

    def test_repeats(self):
        for directory in "a", "b":
            self.export(["conv"], directory)
        for name in "manifest.json", "conv/part-00000.npy":
            with open(f"a/{name}", "rb") as a, open(f"b/{name}", "rb") as b:
                self.assertEqual(a.read(), b.read())

    def test_types(self):
        with torch.no_grad():
            want = torch.cat([self.net.conv(x) for x in self.batches])
        self.export("conv", "half", dtype=torch.float16)
        np.testing.assert_array_equal(want.half().numpy(), read("half", "conv")[0])
        self.export("conv", "double", net=Net().double(), batches=[x.double() for x in self.batches])
        self.assertEqual("float32", read("double", "conv")[0].dtype)
        net = self.net.bfloat16()
        with torch.no_grad():
            want = torch.cat([net.conv(x.bfloat16()) for x in self.batches]).float().numpy()
        self.export("conv", "bf", batches=[x.bfloat16() for x in self.batches])
        np.testing.assert_array_equal(want, read("bf", "conv")[0], "exactly, in float32")
        with open("bf/manifest.json", encoding="utf-8") as f:
            self.assertEqual("torch.bfloat16", json.load(f)["layers"]["conv"]["computed"])

    def test_repeated(self):
        with torch.no_grad():
            first = torch.cat([torch.relu(self.net.conv(x)) for x in self.batches]).numpy()
        self.export("relu", "first", repeated="first")
        np.testing.assert_array_equal(first, read("first", "relu")[0])
        self.export("relu", "last", repeated="last")
        self.assertEqual((9, 6), read("last", "relu")[0].shape)
        self.refused(RuntimeError, "layer relu ran twice in one forward: repeated='first' or 'last' chooses", "relu")

    def test_strides(self):
        turned = lambda name, x: x.transpose(1, 3)  # noqa: E731
        self.export("conv", "turned", transform=turned)
        self.export("conv", "plain")
        np.testing.assert_array_equal(read("plain", "conv")[0].swapaxes(1, 3), read("turned", "conv")[0])
        net = self.net.to(memory_format=torch.channels_last)
        self.export("conv", "last", net=net, batches=[x.to(memory_format=torch.channels_last) for x in self.batches])
        np.testing.assert_allclose(read("plain", "conv")[0], read("last", "conv")[0], atol=1e-5)

    def test_beside(self):
        ids = [["a", "bé"], [], ["𝔸", "", "longest"], ["x"]]
        with torch.no_grad(), Exporter(self.net, ["conv"], "out") as out:
            for i, x in enumerate([self.batches[0][:2], self.batches[0][:0], self.batches[1][:3], self.batches[2]]):
                self.net.conv if i < 0 else self.net(x)
                out.add("labels", list(range(len(x))))
                out.add("mask", x[:, 0] > 0)
                out.add("weights", x[:, 0, 0, 0].double())
                if ids[i]:
                    out.add("ids", ids[i])
        self.assertEqual(["a", "bé", "𝔸", "", "longest", "x"], np.load("out/.ids.npy").tolist())
        self.assertEqual([0, 1, 0, 1, 2, 0], np.load("out/.labels.npy").tolist())
        self.assertEqual(("int64", "bool", "float32"), tuple(np.load(f"out/.{n}.npy").dtype for n in ("labels", "mask", "weights")))
        np.testing.assert_array_equal(self.batches[1][:3, 0].numpy() > 0, np.load("out/.mask.npy")[2:5])
        for values, error, says in (["x"], TypeError, "labels: texts and numbers"), ([1], ValueError, "labels was given for 4 datapoints, layers hold 3"), \
                ([[1]], ValueError, "labels: rows of"):
            with self.assertRaisesRegex(error, says), torch.no_grad(), Exporter(self.net, ["conv"], "bad") as out:
                self.net(self.batches[0])
                out.add("labels", torch.arange(3))
                out.add("labels", values)
            self.assertEqual(["out"], os.listdir("."))

    def test_refused(self):
        self.refused(KeyError, "no layer conb: there are conv", "conb")
        self.refused(KeyError, "no layer x", ["conv", "x*"])
        self.refused(KeyError, "no layers were named", [])
        self.refused(ValueError, "torch.float32 or torch.float16", "conv", dtype=torch.float64)
        self.refused(ValueError, "'first' or 'last'", "conv", repeated="both")
        self.refused(RuntimeError, "never reached in this forward: unused", "*n*")
        self.refused(RuntimeError, "nothing to save", "conv", batches=[])
        self.refused(RuntimeError, "nothing to save", "conv", batches=[self.batches[0][:0]])
        self.refused(OverflowError, "layer conv: a value of .*e.07 is beyond torch.float16", "conv", batches=[self.batches[0] * 1e7], dtype=torch.float16)
        self.refused(OverflowError, "beyond torch.float32", "conv", net=Net().double().eval(), batches=[self.batches[0].double() * 1e40])
        bad = self.batches[0].clone()
        bad[1, 0, 0, 0] = float("nan")
        self.refused(ValueError, "layer conv: 4 values of a batch, from datapoint 5, are NaN or infinite", "conv", batches=[self.batches[1], bad])
        self.refused(ValueError, "layer conv: rows of .*4, 7, 6.* here, others before", "conv",
                     batches=self.batches[:1] + self.batches[:1], transform=self.growing())
        self.refused(ValueError, "different numbers of datapoints", ["conv", "lstm"], transform=lambda name, x: x.transpose(0, 1))
        self.refused(TypeError, "floating point, datapoints first", "conv", transform=lambda name, x: x.long())
        self.export("conv", "nan", batches=[bad], finite=False)
        self.assertEqual(4, np.isnan(read("nan", "conv")[0]).sum())
        self.export("conv")
        self.refused(FileExistsError, "out exists: remove it", "conv")
        with self.assertRaisesRegex(RuntimeError, "outside a forward"), Exporter(self.net, "conv", "b"):
            self.net.conv(self.batches[0])

    def test_full_disk(self):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        try:
            self.refused(OSError, "too large", ["conv", "lstm"])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        self.export("conv")

    @staticmethod
    def growing():
        """Returns a transform that pads every batch more than the one before."""
        calls = []

        def transform(name, x):
            calls.append(name)
            return nn.functional.pad(x, (0, 0, 0, len(calls) - 1))
        return transform

    def test_training(self):
        with self.assertWarnsRegex(UserWarning, "training mode"):
            self.export("conv", net=self.net.train())
        out = torch.ones(2, 1, 8, 8, requires_grad=True)
        with Exporter(self.net, "conv", "grad"):
            self.net(out).sum().backward()
        self.assertIsNotNone(out.grad, "hooks leave the graph alone")

    def test_safe(self):
        self.assertEqual("layer4.1.relu", safe("layer4.1.relu"))
        self.assertEqual("..%2Fa%00", safe("../a\0"))


if __name__ == "__main__":
    unittest.main()
