"""Times SVCCA in numpy: worker.py [--svcca CHECKOUT] [--pairs P] METHOD WORKLOAD DATA...

METHOD is cross or cross32 (w1), recipe (w1, w2), half, half32 or dft_ccas (w3),
blocks (w4), svd or gram (w5), sparse_product, sparse_gram, svds or sparse_pair (w6),
map_blocks, map_whole or map_whole32 (w7). Package bench of the module describes workloads, data,
what is read and what is printed.
"""

import argparse
import json
import os
import sys
import time
import types

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


def frequencies(h, w):
    """One frequency of each conjugate pair, with how many it stands for."""
    for u in range(h):
        for v in range(w // 2 + 1):
            pair = -u % h, -v % w
            if v < pair[1] or v == pair[1] and u <= pair[0]:
                yield u, v, 1 if pair == (u, v) else 2


def keep_pooled(s2, counts):
    """k of all blocks by the 99% of their pooled variance, and k of each block.

    s2 is blocks x channels; a block stands for counts of its kind, which tie.
    """
    pooled = np.sort(np.repeat(s2, counts, axis=0), axis=None)[::-1].astype(np.float64)
    kb = np.sum(s2 >= pooled[keep(pooled) - 1], axis=1)
    return int(kb @ counts), kb


def half(x, y, dtype=np.float64):
    """DFT of maps: all rho and directions from Gram blocks of half of the spectrum."""
    import scipy.fft
    from scipy.linalg.blas import get_blas_funcs

    (n, h, w, c), e = x.shape, y.shape[3]
    workers = int(os.environ.get("OPENBLAS_NUM_THREADS", 1))
    fx, fy = (scipy.fft.rfft2(a.astype(dtype), axes=(1, 2), workers=workers) for a in (x, y))
    us, vs, counts = zip(*frequencies(h, w))
    counts = np.array(counts)
    z = np.empty((n, c + e), fx.dtype)
    herk = get_blas_funcs("herk", (z,))
    grams = np.empty((len(us), c + e, c + e), fx.dtype)
    for g, u, v in zip(grams, us, vs):
        z[:, :c], z[:, c:] = fx[:, u, v], fy[:, u, v]
        z -= z.mean(axis=0)
        g[...] = herk(1, z.T, lower=1).conj()  # z.T lies by columns: no copy
    del fx, fy
    lx, vx = np.linalg.eigh(grams[:, :c, :c])  # ascending
    ly, vy = np.linalg.eigh(grams[:, c:, c:])
    kx, kbx = keep_pooled(lx, counts)
    ky, kby = keep_pooled(ly, counts)
    pooled, maps = [np.zeros(min(kx, ky), lx.dtype)], []
    for i, count in enumerate(counts):
        if min(kbx[i], kby[i]) == 0:
            continue
        bx = vx[i][:, -kbx[i] :] / np.sqrt(lx[i, -kbx[i] :])
        by = vy[i][:, -kby[i] :] / np.sqrt(ly[i, -kby[i] :])
        p, rho, qh = np.linalg.svd(bx.conj().T @ grams[i, c:, :c].conj().T @ by, full_matrices=False)
        maps.append((bx @ p, by @ qh.conj().T))
        pooled += [rho] * count
    rho = np.sort(np.concatenate(pooled))[::-1][: min(kx, ky)]
    assert rho.dtype == dtype
    return (kx, ky), rho


def half32(x, y):
    """half with every array in float32 and complex64."""
    return half(x, y, np.float32)


def dft_ccas(checkout):
    """google/svcca's loop over all frequencies, repaired, as a method.

    Its file does not compile since Python 3, for a tab among spaces; it wants xrange,
    and a method that pandas has no more. It gives get_cca_similarity a flag in the
    place of epsilon, and deletes coefficients that are no longer returned: what took
    their place cannot hold complex numbers, so they are not asked for. Only that is
    mended. It takes no SV step, so all channels of every frequency count, and without
    coefficients there are no directions.
    """
    import cca_core

    def similarity(acts1, acts2, compute_dirns, verbose):
        assert not compute_dirns
        result = cca_core.get_cca_similarity(acts1, acts2, epsilon=0, compute_coefs=False, verbose=verbose)
        return dict(result, neuron_coeffs1=None, neuron_coeffs2=None)

    class Rows(list):
        def append(self, row, ignore_index):
            return Rows(self + [row])

    core = types.SimpleNamespace(get_cca_similarity=similarity)
    sys.modules["pandas"] = types.SimpleNamespace(DataFrame=Rows)
    with open(os.path.join(checkout, "dft_ccas.py")) as file:
        code = compile(file.read().expandtabs(), file.name, "exec")
    module = {"xrange": range}
    exec(code, module)
    module["cca_core"] = core

    def run(x, y):
        rows = module["fourier_ccas"](x, y)
        assert len(rows) == x.shape[1] * x.shape[2]
        rho = np.sort(np.concatenate([row["cca_coef1"] for row in rows]))[::-1]
        return (x[0].size, y[0].size), rho

    return run


def centred(x):
    x = x.astype(np.float64)
    x -= x.mean(axis=0)
    return x


def of_vectors(us):
    """k of both, and rho alone, of their left singular vectors."""
    return [u.shape[1] for u in us], np.linalg.svd(us[0].T @ us[1], compute_uv=False)


def svd(x, y):
    """rho alone, from an SVD of each layer."""
    us = []
    for a in (x, y):
        u, s, _ = np.linalg.svd(centred(a), full_matrices=False)
        us.append(u[:, : keep(s**2)])
    return of_vectors(us)


def gram(x, y):
    """rho alone, from the n x n products of datapoints of each layer."""
    us = []
    for a in (x, y):
        a = centred(a)
        s2, u = np.linalg.eigh(a @ a.T)  # ascending; numpy calls SYRK
        us.append(u[:, -keep(s2[::-1]) :])
    return of_vectors(us)


def evict(path):
    """Drops a file from the system's cache."""
    with open(path, "rb") as f:
        os.fdatasync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def map_blocks(path):
    """Products of neurons of a memory map, in float64 and in blocks of rows."""
    x = np.load(path, mmap_mode="r")
    shift = x[:BLOCK].mean(axis=0, dtype=np.float64)
    xx, total = 0, 0
    for i in range(0, len(x), BLOCK):
        b = x[i : i + BLOCK].astype(np.float64)
        b -= shift
        xx += b.T @ b  # SYRK
        total += b.sum(axis=0)
    return xx - np.outer(total, total) / len(x)


def map_whole(path):
    """The same of the whole array at once."""
    b = centred(np.load(path, mmap_mode="r"))
    return b.T @ b


def map_whole32(path):
    """The same in float32."""
    x = np.load(path, mmap_mode="r")
    b = x - x.mean(axis=0)
    return b.T @ b


def layer(method, state, path):
    """Runs of one layer in a file."""
    while True:
        if state == "cold":
            evict(path)
        start = time.perf_counter()
        s2, v = np.linalg.eigh(method(path))
        k = keep(s2[::-1])
        s, v = np.sqrt(s2[: -k - 1 : -1]), v[:, : -k - 1 : -1]
        seconds = time.perf_counter() - start
        s = (s / s[0]).astype(float)
        yield {"seconds": seconds, "k": (k, k), "mean": float(s.mean()), "rho": s.tolist()}


def sparse_product(x):
    """scipy's product of neurons, sparse and not centred."""
    return (0, 0), np.array([(x.T @ x).shape[0] - x.shape[1]])


def sparse_centred(x):
    g = (x.T @ x).toarray()
    mean = np.asarray(x.mean(axis=0)).ravel()
    for i in range(0, len(g), 1024):  # an outer product whole would be another matrix
        g[i : i + 1024] -= np.outer(x.shape[0] * mean[i : i + 1024], mean)
    return g, mean


def sparse_gram(x):
    """The product, dense and centred."""
    return (0, 0), np.array([len(sparse_centred(x)[0]) - x.shape[1]])


def svds(x, k=50):
    """Leading singular values, relative, and directions, centred implicitly."""
    from scipy.sparse.linalg import LinearOperator, svds

    n, d = x.shape
    mean, xt = np.asarray(x.mean(axis=0)).ravel(), x.T.tocsr()
    times = lambda v: x @ v - mean @ v
    back = lambda u: xt @ u - mean * u.sum()
    operator = LinearOperator((n, d), matvec=lambda v: times(v.ravel()), rmatvec=lambda u: back(u.ravel()), dtype=np.float64)
    k = min(k, d - 1)
    _, s, _ = svds(operator, k)
    s = np.sort(s)[::-1]
    return (k, k), s / s[0]


def sparse_pair(x, y):
    """Cross form: scipy's products, dense and centred, numpy's eigen-solves and SVD."""
    (xx, mx), (yy, my) = sparse_centred(x), sparse_centred(y)
    xy = (x.T @ y).toarray()
    xy -= np.outer(x.shape[0] * mx, my)
    return from_products(xx, yy, xy)


def by_neurons(path, n, d):
    """A layer as the recipe takes it: turning the data is not its work."""
    return np.ascontiguousarray(np.fromfile(path, dtype="<f4").reshape(n, d).T)


def timed(method, *layers):
    start = time.perf_counter()
    k, value = method(*layers)
    return time.perf_counter() - start, k, value


def pair(method, *layers):
    """Runs of one pair of layers, or of one layer."""
    while True:
        seconds, k, rho = timed(method, *layers)
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
    numpy = "numpy %s" % np.__version__
    if "scipy" in sys.modules:
        numpy += ", scipy %s" % sys.modules["scipy"].__version__
    return "%s on %s, Python %s" % (numpy, ", ".join(libraries), sys.version.split()[0])


def load(options):
    """The runs of a workload."""
    method, data = options.method, options.data
    if options.workload == "w4":
        x, y = (np.load(path, mmap_mode="r") for path in data)
        return pair({"blocks": blocks}[method], x, y)
    if options.workload == "w6":
        import scipy.sparse

        methods = {"sparse_product": sparse_product, "sparse_gram": sparse_gram, "svds": svds, "sparse_pair": sparse_pair}
        return pair(methods[method], *(scipy.sparse.load_npz(path) for path in data[1:]))
    if options.workload == "w7":
        return layer({"map_blocks": map_blocks, "map_whole": map_whole, "map_whole32": map_whole32}[method], *data)
    if options.workload == "w3":
        methods = {"half": half, "half32": half32}
        if method == "dft_ccas":
            methods[method] = dft_ccas(options.svcca)
        shape = tuple(map(int, data[:4]))
        return pair(methods[method], *(np.fromfile(path, dtype="<f4").reshape(shape) for path in data[4:]))
    n, d = int(data[0]), int(data[1])
    if options.workload == "w2":
        assert method == "recipe"
        return sample(n, d, int(data[2]), data[3:], options.pairs)
    assert options.workload in ("w1", "w5")
    if method == "recipe":
        return pair(recipe, *(by_neurons(path, n, d) for path in data[2:]))
    x, y = (np.fromfile(path, dtype="<f4").reshape(n, d) for path in data[2:])
    return pair({"cross": cross, "cross32": cross32, "svd": svd, "gram": gram}[method], x, y)


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
