"""Saves what layers of a PyTorch model put out, as svcca reads it.

    from export_activations import Exporter

    model.eval()
    with torch.no_grad(), Exporter(model, ["conv*", "fc"], "runs/a") as out:
        for images, labels in loader:  # in the same order for every network
            model(images)
            out.add("labels", labels)

writes runs/a/conv1/part-00000.npy, runs/a/fc/part-00000.npy and so on, which
"svcca compare runs/a/fc runs/b/fc" and "svcca matrix runs/a --against runs/b" take:
datapoints first, feature maps and tokens in their own shape. What add is given
becomes runs/a/.labels.npy: the dot keeps it from being taken for a layer.
runs/a/manifest.json tells shapes, types and versions.

Batches go to disk as they come; memory holds one. The directory appears when all in
it is whole, and not at all after an error. PyTorch 1.13 or later is all that is needed.
"""

import contextlib
import ctypes
import difflib
import fnmatch
import json
import os
import shutil
import sys
import urllib.parse
import warnings

import torch

ORDER = {"little": "<", "big": ">"}[sys.byteorder]
DESCR = {torch.float16: ORDER + "f2", torch.float32: ORDER + "f4", torch.int64: ORDER + "i8", torch.bool: "|b1"}


class Exporter:
    """Writes outputs of layers, for each forward of a model in a with statement.

    model      the module that is called. Hooks are on it within the with alone.
    layers     names as in model.named_modules(), or patterns, in which * takes dots too.
               Directories have these names, with %XX for what is not safe in a file's.
    directory  where to write. It must not exist: who repeats a run skips or removes it.
    dtype      torch.float32 or torch.float16: what is written, whatever was computed.
               A value that is finite and then would not be is an error.
    shard      datapoints in a file: at least so many, but in the last. Batches, which
               may be of any size, are not cut.
    repeated   which output to take of a layer that runs more than once in a forward,
               as an activation that blocks share: "first" or "last"; else an error.
    transform  called with a layer's name and output; returns the tensor to save, as
               x.transpose(0, 1) where batches come second.
    finite     False: save NaN and infinities, which else are an error.
    about      what else the manifest is to say, as JSON can: a step, a seed.

    Of an output that is a tuple, a list or a dict the first tensor is saved; a warning
    says so. In each forward all layers must run, and hold the same number of datapoints.
    """

    def __init__(self, model, layers, directory, *, dtype=torch.float32, shard=8192,
                 repeated=None, transform=None, finite=True, about=None):
        if dtype not in (torch.float32, torch.float16) or repeated not in (None, "first", "last"):
            raise ValueError(f"dtype {dtype}, repeated {repeated!r}: torch.float32 or torch.float16, 'first' or 'last' expected")
        self.directory = os.path.abspath(directory)
        self._vacant()
        self.model, self.dtype, self.shard, self.about = model, dtype, shard, about
        self.repeated, self.transform, self.finite = repeated, transform, finite
        self.modules = select(model, [layers] if isinstance(layers, str) else layers)
        self.layers = {name: Layer(name, shard) for name in self.modules}
        self.beside, self.hooks, self.outputs, self.datapoints = {}, [], None, 0

    def _vacant(self):
        if os.path.lexists(self.directory):
            raise FileExistsError(f"{self.directory} exists: remove it, or give another directory")

    def __enter__(self):
        parent, name = os.path.split(self.directory)
        self.work = os.path.join(parent, f".{name}.{os.getpid()}")
        os.makedirs(self.work)
        for layer in self.layers.values():
            layer.directory = os.path.join(self.work, safe(layer.name))
        self.hooks = [self.model.register_forward_pre_hook(self._begin)]
        self.hooks += [module.register_forward_hook(self._hook(name)) for name, module in self.modules.items()]
        self.hooks.append(self.model.register_forward_hook(self._end))
        return self

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                self._finish()
        finally:
            for hook in self.hooks:
                hook.remove()
            for array in [layer.part for layer in self.layers.values()] + list(self.beside.values()):
                if array is not None:
                    with contextlib.suppress(OSError):  # of a full disk, which was told
                        array.file.close()
            shutil.rmtree(self.work, ignore_errors=True)  # unless it has become the directory

    def add(self, name, values):
        """Adds a value or a row for each datapoint of a batch to the array .NAME.npy, as
        bool, int64, float32 or texts: labels, ids, a mask, in a tensor or a list."""
        if isinstance(values, (list, tuple)) and not values:
            return
        kind = Texts if isinstance(values, (list, tuple)) and any(isinstance(v, str) for v in values) else Npy
        if kind is Npy:
            values = torch.as_tensor(values).detach()
            if values.dtype != torch.bool:
                values = values.to(torch.float32 if values.is_floating_point() else torch.int64)
        if name not in self.beside:
            self.beside[name] = kind(os.path.join(self.work, f".{safe(name)}.npy"))
        if type(self.beside[name]) is not kind:
            raise TypeError(f"{name}: texts and numbers in one array")
        self.beside[name].write(values, name)

    def _begin(self, module, inputs):
        if module.training and self.datapoints == 0:
            warnings.warn("the model is in training mode, in which dropout and batch norm act: model.eval() ends it")
        self.outputs = {}

    def _hook(self, name):
        def hook(module, inputs, output):
            if self.outputs is None:
                raise RuntimeError(f"layer {name} ran outside a forward of the model: give Exporter the module that is called")
            if name in self.outputs and self.repeated is None:
                raise RuntimeError(f"layer {name} ran twice in one forward: repeated='first' or 'last' chooses")
            if name not in self.outputs or self.repeated == "last":
                self.outputs[name] = self._prepare(self.layers[name], output)
        return hook

    def _prepare(self, layer, output):
        """Returns what is written of a layer's output, in the CPU's memory."""
        x, place = first_tensor(output, "output")
        if x is None:
            raise TypeError(f"layer {layer.name}: a tensor expected, found {type(output).__name__}")
        if place != "output" and layer.place is None:
            warnings.warn(f"layer {layer.name} puts out a {type(output).__name__}: {place} is saved")
        layer.place, layer.computed = place, str(x.dtype)
        x = x.detach()
        if self.transform is not None:
            x = self.transform(layer.name, x)
        if not x.is_floating_point() or x.dim() == 0:
            raise TypeError(f"layer {layer.name}: floating point, datapoints first, expected; found {tuple(x.shape)} of {x.dtype}")
        y, was = x.to(self.dtype), torch.isfinite(x)
        if bool((was & ~torch.isfinite(y)).any()):
            raise OverflowError(f"layer {layer.name}: a value of {float(x[was].double().abs().max()):.6g} is beyond {self.dtype}: "
                                "take a wider dtype, or scale by transform")
        if self.finite and not bool(was.all()):
            raise ValueError(f"layer {layer.name}: {int((~was).sum())} values of a batch, from datapoint {self.datapoints}, "
                             "are NaN or infinite: finite=False saves them")
        # A copy in any case: the next module may work in place.
        return y.to("cpu", copy=True)

    def _end(self, module, inputs, output):
        """Writes the outputs of a forward, now that all of them are there."""
        outputs, self.outputs = self.outputs, None
        if len(outputs) < len(self.layers):
            raise RuntimeError(f"never reached in this forward: {', '.join(name for name in self.layers if name not in outputs)}")
        rows = {name: len(x) for name, x in outputs.items()}
        if len(set(rows.values())) > 1:
            raise ValueError(f"layers hold different numbers of datapoints in one forward: {rows}; "
                             "where batches are not the first axis, transform can move them")
        for name, x in outputs.items():
            self.layers[name].write(x)
        self.datapoints += next(iter(rows.values()))

    def _finish(self):
        if self.datapoints == 0:
            raise RuntimeError("no datapoint ran through the model: there is nothing to save")
        for name, array in self.beside.items():
            if array.rows != self.datapoints:
                raise ValueError(f"{name} was given for {array.rows} datapoints, layers hold {self.datapoints}")
            array.close()
        for layer in self.layers.values():
            layer.close()
        manifest = {
            "schema": "gosvcca.export/1", "model": type(self.model).__qualname__, "torch": str(torch.__version__),
            "datapoints": self.datapoints, "dtype": str(self.dtype), "about": self.about,
            "layers": {name: layer.told(self.datapoints) for name, layer in self.layers.items()},
            "beside": {name: array.told() for name, array in self.beside.items()},
        }
        with open(os.path.join(self.work, "manifest.json"), "x", encoding="utf-8") as f:
            json.dump(manifest, f, indent=1)
            f.write("\n")
        self._vacant()
        os.replace(self.work, self.directory)


class Layer:
    """A layer's shards, one after another."""

    def __init__(self, name, shard):
        self.name, self.shard, self.directory = name, shard, None
        self.part, self.parts, self.tail, self.place, self.computed = None, 0, None, None, None

    def write(self, x):
        if self.part is None:
            os.makedirs(self.directory, exist_ok=True)
            self.part = Npy(os.path.join(self.directory, f"part-{self.parts:05d}.npy"))
            self.part.tail = self.tail
            self.parts += 1
        self.part.write(x, f"layer {self.name}")
        self.tail = self.part.tail
        if self.part.rows >= self.shard:
            self.close()

    def close(self):
        if self.part is not None:
            self.part.close()
            self.part = None

    def told(self, rows):
        return {"directory": os.path.basename(self.directory), "shards": self.parts, "shape": [rows, *self.tail],
                "computed": self.computed, "saved": self.place}


class Npy:
    """A .npy that grows by rows: its header, which says how many, is written last."""

    HEADER = 192  # bytes: room for any shape, and a multiple of 64

    def __init__(self, path):
        self.file = open(path, "xb")
        self.file.write(bytes(self.HEADER))
        self.rows, self.tail, self.descr = 0, None, None

    def write(self, x, name):
        tail = tuple(int(size) for size in x.shape[1:])
        if self.tail not in (None, tail) or self.descr not in (None, DESCR[x.dtype]):
            raise ValueError(f"{name}: rows of {tail} {x.dtype} here, others before, of {self.tail}: pad, or crop, all batches alike")
        x = x.cpu().contiguous()
        self.rows, self.tail, self.descr = self.rows + len(x), tail, DESCR[x.dtype]
        size = x.numel() * x.element_size()
        if size > 0:
            self.file.write((ctypes.c_char * size).from_address(x.data_ptr()))

    def close(self):
        text = f"{{'descr': '{self.descr}', 'fortran_order': False, 'shape': {(self.rows, *self.tail)}, }}"
        text = text.ljust(self.HEADER - 11) + "\n"
        self.file.seek(0)
        self.file.write(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode("ascii"))
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()

    def told(self):
        return {"file": os.path.basename(self.file.name), "dtype": self.descr, "shape": [self.rows, *self.tail]}


class Texts(Npy):
    """A .npy of texts, which take as much room each as the longest, and so wait for it."""

    def __init__(self, path):
        super().__init__(path)
        self.texts, self.tail = [], ()

    def write(self, texts, name):
        if not all(isinstance(text, str) for text in texts):
            raise TypeError(f"{name}: texts and numbers in one array")
        self.texts += texts
        self.rows = len(self.texts)

    def close(self):
        width = max(1, *map(len, self.texts))
        self.descr = f"{ORDER}U{width}"
        for text in self.texts:
            self.file.write(text.ljust(width, "\0").encode("utf-32-le" if ORDER == "<" else "utf-32-be", "surrogatepass"))
        super().close()


def select(model, patterns):
    """Returns the modules that the patterns name, by their names, in the model's order."""
    modules = {name: module for name, module in model.named_modules() if name}
    wanted = set()
    for pattern in patterns:
        found = [name for name in modules if name == pattern] or [name for name in modules if fnmatch.fnmatchcase(name, pattern)]
        if not found:
            near = difflib.get_close_matches(pattern, modules) or list(modules)[:5]
            raise KeyError(f"no layer {pattern}: there are {', '.join(near) or 'none'}")
        wanted.update(found)
    if not wanted:
        raise KeyError("no layers were named")
    return {name: module for name, module in modules.items() if name in wanted}


def first_tensor(output, place):
    """Returns the first tensor of an output, and where it is."""
    if isinstance(output, torch.Tensor):
        return output, place
    items = output.items() if isinstance(output, dict) else enumerate(output) if isinstance(output, (tuple, list)) else ()
    for key, value in items:
        found = first_tensor(value, f"{place}[{key!r}]")
        if found[0] is not None:
            return found
    return None, place


def safe(name):
    """Returns a name that any file system takes."""
    return urllib.parse.quote(name, safe="")
