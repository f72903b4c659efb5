"""Times SVCCA in numpy: worker.py cross|recipe X.f32 Y.f32 N D [CHECKOUT].

Loads two layers of N datapoints x D neurons (float32, row by row), runs once to
warm up, says what it is, and then runs once for each line "go" that it reads.
Timed: from float32 arrays in memory to all rho and directions, in float64.
"""

import json
import sys
import time

import numpy as np


def keep(s2):
    """Least k whose k largest of s2 make 99% of the sum; s2 decreases."""
    sums = np.cumsum(s2)
    return int(np.searchsorted(sums, 0.99 * sums[-1])) + 1


def cross(x, y):
    """Cross form: products of neurons, eigen-solves, one small SVD."""
    xc, yc = x.astype(np.float64), y.astype(np.float64)
    xc -= xc.mean(axis=0)
    yc -= yc.mean(axis=0)
    lx, vx = np.linalg.eigh(xc.T @ xc)  # ascending
    ly, vy = np.linalg.eigh(yc.T @ yc)
    kx, ky = keep(lx[::-1]), keep(ly[::-1])
    bx = vx[:, -kx:] / np.sqrt(lx[-kx:])
    by = vy[:, -ky:] / np.sqrt(ly[-ky:])
    p, rho, qt = np.linalg.svd(bx.T @ (xc.T @ yc) @ by, full_matrices=False)
    wx, wy = bx @ p, by @ qt.T
    assert wx.shape[1] == wy.shape[1] == len(rho)
    return (kx, ky), rho


def recipe(x, y):
    """What google/svcca's tutorial does; its own code does the CCA.

    Directions are asked for, which it gives as values over datapoints.
    """
    import cca_core

    acts1, acts2 = x.astype(np.float64), y.astype(np.float64)
    acts1 -= acts1.mean(axis=1, keepdims=True)
    acts2 -= acts2.mean(axis=1, keepdims=True)
    _, s1, v1 = np.linalg.svd(acts1, full_matrices=False)
    _, s2, v2 = np.linalg.svd(acts2, full_matrices=False)
    k1, k2 = keep(s1**2), keep(s2**2)
    svacts1 = np.dot(s1[:k1] * np.eye(k1), v1[:k1])
    svacts2 = np.dot(s2[:k2] * np.eye(k2), v2[:k2])
    result = cca_core.get_cca_similarity(svacts1, svacts2, epsilon=1e-10, compute_dirns=True, verbose=False)
    assert result["cca_dirns1"].shape[1] == x.shape[1]
    return (k1, k2), result["cca_coef1"]


def run(method, x, y):
    start = time.perf_counter()
    k, rho = method(x, y)
    return {"seconds": time.perf_counter() - start, "k": k, "mean": float(rho.mean()), "rho": rho.tolist()}


def about():
    """numpy's version and the libraries it computes with, as loaded."""
    with open("/proc/self/maps") as maps:
        files = {line.split("/")[-1].strip() for line in maps if "/" in line}
    libraries = sorted(f for f in files if "blas" in f or "mkl" in f)
    return "numpy %s on %s, Python %s" % (np.__version__, ", ".join(libraries), sys.version.split()[0])


def main():
    name, path_x, path_y, n, d = sys.argv[1:6]
    x, y = (np.fromfile(path, dtype="<f4").reshape(int(n), int(d)) for path in (path_x, path_y))
    if name == "recipe":
        # Its layout is neurons x datapoints: turning the data is not its work.
        x, y = np.ascontiguousarray(x.T), np.ascontiguousarray(y.T)
        sys.path.insert(0, sys.argv[6])
        sys.dont_write_bytecode = True
    method = {"cross": cross, "recipe": recipe}[name]
    run(method, x, y)
    print(json.dumps({"about": about()}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(run(method, x, y)), flush=True)


main()
