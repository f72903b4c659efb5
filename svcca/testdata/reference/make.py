#!/usr/bin/python3
"""Cuts the committed part of the reference set out of the whole one.

    python3 make.py /path/to/activations

Writes, beside itself, arrays (whole files byte for byte, and the first rows of four layers whose files are large) and
reference.json: of the whole set's, the layers and pairs whose arrays are here or in internal/digits, every number as it was.
"""
import json
import os
import shutil
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
EMBEDDED = [f"digits/{net}/{layer}" for net in "ab" for layer in ("fc3", "logits")]  # in internal/digits
FILES = [f"rank/{name}" for name in ("offset", "duplicated", "scaled_copies", "half", "ties", "random")]
FILES += ["toy/a/fc4", "toy/b/fc4", "toy/a/outputs"]
FILES += [f"dynamics/step{name}" for name in ("00030/lin1", "00300/lin1", "00300/bn1", "01000/lin1", "01000/bn3")]
FILES += ["digits/a/fc3_pre", "digits/b/fc3_pre"]
ROWS = [(f"digits/{net}/{layer}", 0, 40) for net in "ab" for layer in ("fc1", "fc2", "fc1_pre")]


def here(name):
    """Is the array of this layer, whole or cut, here?"""
    path, _, part = name.partition("[")
    return path in EMBEDDED + FILES or name in [f"{file}[{lo}:{hi}]" for file, lo, hi in ROWS]


def lines(values):
    """Python writes the shortest text that reads back as the same float64: nothing is lost."""
    return ",\n".join(values)


def main(whole):
    for name in sorted({name.partition("/")[0] for name in FILES + [row[0] for row in ROWS]}):
        shutil.rmtree(os.path.join(HERE, name), ignore_errors=True)
    for name in FILES + [row[0] for row in ROWS]:
        os.makedirs(os.path.dirname(os.path.join(HERE, name)), exist_ok=True)
    for name in FILES:
        shutil.copyfile(os.path.join(whole, name + ".npy"), os.path.join(HERE, name + ".npy"))
    for name, lo, hi in ROWS:
        rows = np.load(os.path.join(whole, name + ".npy"))[lo:hi]
        np.save(os.path.join(HERE, f"{name}_rows_{lo}_{hi}.npy"), np.ascontiguousarray(rows))

    with open(os.path.join(whole, "reference.json")) as f:
        reference = json.load(f)
    layers = {name: layer for name, layer in reference["layers"].items() if here(name)}
    pairs = [pair for pair in reference["pairs"] if here(pair["x"]) and here(pair["y"])]
    with open(os.path.join(HERE, "reference.json"), "w") as f:
        f.write('{"schema": ' + json.dumps(reference["schema"]) + ',\n"layers": {\n')
        f.write(lines(f"{json.dumps(name)}: {json.dumps(layer)}" for name, layer in layers.items()))
        f.write('\n},\n"pairs": [\n')
        f.write(lines(
            json.dumps({"x": pair["x"], "y": pair["y"]})[:-1] + ', "rules": {\n'
            + lines(f" {json.dumps(rule)}: {json.dumps(entry)}" for rule, entry in pair["rules"].items()) + "}}"
            for pair in pairs))
        f.write("\n]}\n")
    with open(os.path.join(HERE, "reference.json")) as f:
        written = json.load(f)
    assert written["layers"] == layers and written["pairs"] == pairs
    print(f"{len(layers)} layers, {len(pairs)} pairs")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
