"""Times SVCCA in numpy: worker.py [--svcca CHECKOUT] [--pairs P] METHOD WORKLOAD DATA...

METHOD is cross or cross32 (w1), recipe (w1, w2) or blocks (w4). Package bench of
the module describes workloads, data, what is read and what is printed.
"""

import argparse
import json
import sys
import time

import numpy as np


def keep(s2):
    """Least k whose k largest of s2 make 99% of the sum; s2 decreases."""
    sums = np.cumsum(s2)
    return int(np.searchsorted(sums, 0.99 * sums[-1])) + 1


def from_products(xx, yy, xy):
    """All rho and directions from products of centred neurons."""
    lx, vx = np.linalg.eigh(xx)  # ascending
    ly, vy = np.linalg.eigh(yy)
    kx, ky = keep(lx[::-1]), keep(ly[::-1])
    bx = vx[:, -kx:] / np.sqrt(lx[-kx:])
    by = vy[:, -ky:] / np.sqrt(ly[-ky:])
    p, rho, qt = np.linalg.svd(bx.T @ xy @ by, full_matrices=False)
    wx, wy = bx @ p, by @ qt.T
    assert wx.shape[1] == wy.shape[1] == len(rho)
    return (kx, ky), rho


def cross(x, y, dtype=np.float64):
    """Cross form: products of neurons, eigen-solves, one small SVD."""
    xc, yc = x.astype(dtype), y.astype(dtype)
    xc -= xc.mean(axis=0)
    yc -= yc.mean(axis=0)
    k, rho = from_products(xc.T @ xc, yc.T @ yc, xc.T @ yc)
    assert rho.dtype == dtype
    return k, rho


def cross32(x, y):
    """The cross form with every array in float32."""
    return cross(x, y, np.float32)


BLOCK = 8192  # rows: of 1024, 2048, 4096 and 8192 the fastest


def blocks(x, y):
    """Cross form of two memory maps, in blocks of rows.

    Values lose the first block's mean at once, and the products what is left of
    the means at the end.
    """
    shift_x, shift_y = (a[:BLOCK].mean(axis=0, dtype=np.float64) for a in (x, y))
    xx, yy, xy, sum_x, sum_y = 0, 0, 0, 0, 0
    for i in range(0, len(x), BLOCK):
        bx, by = x[i : i + BLOCK].astype(np.float64), y[i : i + BLOCK].astype(np.float64)
        bx -= shift_x
        by -= shift_y
        xx += bx.T @ bx
        yy += by.T @ by
        xy += bx.T @ by
        sum_x += bx.sum(axis=0)
        sum_y += by.sum(axis=0)
    xx -= np.outer(sum_x, sum_x) / len(x)
    yy -= np.outer(sum_y, sum_y) / len(x)
    xy -= np.outer(sum_x, sum_y) / len(x)
    return from_products(xx, yy, xy)


def sv_step(acts):
    """s, v and their product, cut at 99% of the variance, of neurons x datapoints."""
    acts = acts.astype(np.float64)
    acts -= acts.mean(axis=1, keepdims=True)
    _, s, v = np.linalg.svd(acts, full_matrices=False)
    k = keep(s**2)
    return s[:k], v[:k], np.dot(s[:k] * np.eye(k), v[:k])


def recipe(x, y):
    """What google/svcca's tutorial does; its own code does the CCA.

    Directions are asked for, which it gives as values over datapoints.
    """
    import cca_core

    s1, _, svacts1 = sv_step(x)
    s2, _, svacts2 = sv_step(y)
    result = cca_core.get_cca_similarity(svacts1, svacts2, epsilon=1e-10, compute_dirns=True, verbose=False)
    assert result["cca_dirns1"].shape[1] == x.shape[1]
    return (len(s1), len(s2)), result["cca_coef1"]


def recipe_weighted(x, y):
    """The recipe without directions, and Weighted from M, the product of both v."""
    import cca_core

    s1, v1, svacts1 = sv_step(x)
    s2, v2, svacts2 = sv_step(y)
    cca_core.get_cca_similarity(svacts1, svacts2, epsilon=1e-10, compute_dirns=False, verbose=False)
    m = v1 @ v2.T
    weighted_x = s1 @ np.linalg.norm(m, axis=1) / s1.sum()
    weighted_y = s2 @ np.linalg.norm(m, axis=0) / s2.sum()
    return (len(s1), len(s2)), (weighted_x + weighted_y) / 2


def by_neurons(path, n, d):
    """A layer as the recipe takes it: turning the data is not its work."""
    return np.ascontiguousarray(np.fromfile(path, dtype="<f4").reshape(n, d).T)


def timed(method, x, y):
    start = time.perf_counter()
    k, value = method(x, y)
    return time.perf_counter() - start, k, value


def pair(method, x, y):
    """Runs of one pair of layers."""
    while True:
        seconds, k, rho = timed(method, x, y)
        yield {"seconds": seconds, "k": k, "mean": float(rho.mean(dtype=np.float64)), "rho": rho.tolist()}


def sample(n, d, rows, paths, size):
    """Runs of size pairs of a pane each, in an order that is spread over the pane."""
    columns = len(paths) - rows
    count = rows * columns
    stride = next(s for s in range(max(1, int(count * 0.382)), 2 * count + 2) if np.gcd(s, count) == 1)
    step = 0
    while True:
        seconds, ks, pairs = 0, [], []
        for _ in range(size):
            row, column = divmod(step * stride % count, columns)
            step += 1
            x, y = by_neurons(paths[row], n, d), by_neurons(paths[rows + column], n, d)
            took, k, weighted = timed(recipe_weighted, x, y)
            seconds += took
            ks += k
            pairs.append({"row": row, "column": column, "weighted": float(weighted)})
        yield {"seconds": seconds, "k": (min(ks), max(ks)), "pairs": pairs}


def about():
    """numpy's version and the libraries it computes with, as loaded."""
    with open("/proc/self/maps") as maps:
        files = {line.split("/")[-1].strip() for line in maps if "/" in line}
    libraries = sorted(f for f in files if "blas" in f or "mkl" in f)
    return "numpy %s on %s, Python %s" % (np.__version__, ", ".join(libraries), sys.version.split()[0])


def load(options):
    """The runs of a workload."""
    method, data = options.method, options.data
    if options.workload == "w4":
        x, y = (np.load(path, mmap_mode="r") for path in data)
        return pair({"blocks": blocks}[method], x, y)
    n, d = int(data[0]), int(data[1])
    if options.workload == "w2":
        assert method == "recipe"
        return sample(n, d, int(data[2]), data[3:], options.pairs)
    assert options.workload == "w1"
    if method == "recipe":
        return pair(recipe, *(by_neurons(path, n, d) for path in data[2:]))
    x, y = (np.fromfile(path, dtype="<f4").reshape(n, d) for path in data[2:])
    return pair({"cross": cross, "cross32": cross32}[method], x, y)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--svcca")
    parser.add_argument("--pairs", type=int, default=1)
    parser.add_argument("method")
    parser.add_argument("workload")
    parser.add_argument("data", nargs="+")
    options = parser.parse_args()
    if options.svcca:
        sys.path.insert(0, options.svcca)
        sys.dont_write_bytecode = True
    runs = load(options)
    next(runs)
    print(json.dumps({"about": about()}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(next(runs)), flush=True)


main()
