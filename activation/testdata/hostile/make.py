"""Writes the files of this directory anew: broken, lying and strange .npy, .npz and
.safetensors. Python's standard library is all it needs; the sums of compressed
members' bytes depend on its zlib, what the files are does not.

    python3 make.py
"""

import json
import os
import struct
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))


def write(name, data):
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(data)


# .npy


def header(text, version=1):
    text = text.encode("latin1")
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text


def npy(shape=(3, 2), descr="<f4", data=None, fortran=False, version=1):
    count = 1
    for size in shape:
        count *= size
    if data is None:
        data = b"".join(struct.pack("<f", k + 1) for k in range(count))
    sizes = "(" + ", ".join(str(s) for s in shape) + ("," if len(shape) == 1 else "") + ")"
    return header("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n" % (descr, fortran, sizes), version) + data


GOOD = npy()

write("good.npy", GOOD)
write("negative.npy", npy((-3, 2), data=b"\0" * 24))
write("huge.npy", npy((2**62, 2**62), data=b"\0" * 24))
write("huge-beside-0.npy", npy((0, 2**63), data=b""))
write("large.npy", npy((2**40, 1024), data=b"\0" * 24))
write("six-dimensions.npy", npy((1, 1, 1, 1, 3, 2)))
write("deep.npy", header("{'descr': %s, 'fortran_order': False, 'shape': (3, 2), }" % ("[" * 3000), 2))
write("header-4-GB.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xff{")
write("objects.npy", npy((3,), "|O", b"\x80\x04]\x94."))
write("texts.npy", npy((2,), "<U3", b"a\0\0\0" * 6))
write("no-texts.npy", npy((2,), "<U1", b"\xff\xff\xff\xff" * 2))
write("wide-texts.npy", npy((0,), "<U999999999999", b""))
write("integers.npy", npy((3, 2), "<i8", b"\1" * 48))
write("bool-of-2.npy", npy((6,), "|b1", b"\2\0\1\377\0\0"))
write("int8.npy", npy((3, 2), "|i1", b"\1\2\3\4\5\6"))
write("int8-of-0.npy", npy((3, 2), "|i1", b"\1\2\3\4\5\6"))
write("int8-of-0.scale.npy", npy((2,), "<f4", struct.pack("<2f", 1, 0)))
write("int8-of-nan.npy", npy((3, 2), "|i1", b"\1\2\3\4\5\6"))
write("int8-of-nan.scale.npy", npy((1,), "<f4", struct.pack("<f", float("nan"))))
write("int8-of-3.npy", npy((3, 5), "|i1", b"\1" * 15))
write("int8-of-3.scale.npy", npy((3,)))
write("int8-of-4.npy", npy((3, 5), "|i1", b"\1" * 15))
write("int8-of-4.scale.npy", npy((4,)))
for cut in 3, 7, 9, 40, len(GOOD) - 1:
    write("cut-%d.npy" % cut, GOOD[:cut])

# .npz: each member is a dictionary of what is true of it, with lies put over it


def deflate(data):
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    return c.compress(data) + c.flush()


def member(name, data=GOOD, method=8, **lies):
    stored = deflate(data) if method == 8 else data
    m = {
        "name": name if isinstance(name, bytes) else name.encode(), "stored": stored, "method": method, "flags": 0x800,
        "crc": zlib.crc32(data), "compressed": len(stored), "size": len(data), "at": None,
    }
    m.update(lies)
    return m


def archive(*members, before=b"", count=None, directory_at=None, directory_size=None, comment=0):
    body, directory = before, b""
    for m in members:
        at = len(body) if m["at"] is None else m["at"]
        if m["at"] is None:
            body += struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, m["flags"], m["method"], 0, 33, m["crc"],
                                m["compressed"] & 0xFFFFFFFF, m["size"] & 0xFFFFFFFF, len(m["name"]), 0) + m["name"] + m["stored"]
        extra = b""
        compressed, size = m["compressed"], m["size"]
        if max(compressed, size) >= 0xFFFFFFFF:
            extra = struct.pack("<HHQQ", 1, 16, size, compressed)
            compressed = size = 0xFFFFFFFF
        directory += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, m["flags"], m["method"], 0, 33, m["crc"],
                                 compressed, size, len(m["name"]), len(extra), 0, 0, 0, 0, at) + m["name"] + extra
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0,
                      len(members) if count is None else count, len(members) if count is None else count,
                      len(directory) if directory_size is None else directory_size,
                      len(body) if directory_at is None else directory_at, comment)
    return body + directory + end


TWO = archive(member("fc1.npy"), member("fc2.npy", method=0))

write("good.npz", TWO)
write("one.npz", archive(member("fc1.npy")))
write("empty.npz", archive())
write("no-arrays.npz", archive(member("a.txt", b"hello")))
write("no-npy.npz", archive(member("fc1.npy", b"hello"), member("fc2.npy", b"")))
write("objects.npz", archive(member("fc1.npy", npy((3,), "|O", b"\x80\x04]\x94."))))
write("torch.pt", archive(member("model/data.pkl", b"\x80\x02}q\0.", method=0), member("model/data/0", b"\0" * 24, method=0)))
write("legacy.pt", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.")
end_of_first = TWO.index(b"PK\x03\x04", 4)
directory = TWO.index(b"PK\x01\x02")
for cut in 4, 20, 33, 50, end_of_first, end_of_first + 20, directory, directory + 30, len(TWO) - 22, len(TWO) - 1:
    write("cut-%d.npz" % cut, TWO[:cut])
write("before.npz", archive(member("fc1.npy"), before=b"#!/bin/sh\nexit\n"))
write("count.npz", archive(member("fc1.npy"), count=60000))
write("directory-beyond.npz", archive(member("fc1.npy"), directory_at=10**9))
write("directory-4-GB.npz", archive(member("fc1.npy"), directory_size=0xFFFFFFF0))
write("comment.npz", archive(member("fc1.npy"), comment=60000))
write("same-name.npz", archive(member("fc1.npy"), member("fc1.npy", npy((1, 1)))))
write("encrypted.npz", archive(member("fc1.npy", flags=0x801)))
write("method-12.npz", archive(member("fc1.npy", method=12)))
write("method-99.npz", archive(member("fc1.npy", method=99)))
write("stored-of-two-sizes.npz", archive(member("fc1.npy", method=0, size=1000)))
write("beyond.npz", archive(member("fc1.npy", compressed=100000)))
write("beyond-all.npz", archive(member("fc1.npy", compressed=2**63 + 5, size=2**63 + 5)))
write("nowhere.npz", archive(member("fc1.npy"), member("fc2.npy", at=10**6)))
write("in-another.npz", archive(member("fc1.npy"), member("fc2.npy", at=7)))
write("overlap-same.npz", archive(member("fc1.npy"), member("fc2.npy", at=0)))
inner = archive(member("fc2.npy", method=0))
inner = inner[:inner.index(b"PK\x01\x02")]
outer = member("fc1.npy", inner, method=0)
write("overlap-inside.npz", archive(outer, member("fc2.npy", method=0, at=30 + len("fc1.npy"))))
write("overlap-100.npz", archive(member("a.npy"), *[member("a%d.npy" % k, at=0) for k in range(100)]))
write("many.npz", archive(*[member("a%d.npy" % k, npy((1,))) for k in range(40)]))
write("bomb.npz", archive(member("fc1.npy", npy((2500, 1000), data=b"\0" * 10**7))))
write("bomb-of-a-scale.npz", archive(member("q.npy", npy((1, 1600000), "|i1", b"\1" * 1600000)),
                                     member("q_scale.npy", npy((1600000,), "<f4", b"\1" * 6400000))))
write("bomb-that-lies.npz", archive(member("fc1.npy", npy((2500, 1000), data=b""), size=10**7 + 70)))
write("bomb-nested.npz", archive(member("fc1.npy", archive(member("fc1.npy", npy((2500, 100), data=b"\0" * 10**6))))))
write("ratio.npz", archive(member("fc1.npy", size=10**12)))
write("ratio-zip64.npz", archive(member("fc1.npy", size=2**62)))
write("size-less.npz", archive(member("fc1.npy", size=len(GOOD) - 4)))
write("size-more.npz", archive(member("fc1.npy", size=len(GOOD) + 4)))
write("size-and-header-more.npz", archive(member("fc1.npy", npy((100, 2))[:500], size=len(npy((100, 2))))))
write("size-and-header-less.npz", archive(member("fc1.npy", GOOD + b"\0" * 40, size=len(GOOD))))
write("crc.npz", archive(member("fc1.npy", crc=1)))
write("crc-at-the-end.npz", archive(member("fc1.npy", npy((300, 50), data=b"\1" * 60000), crc=1)))
noise = b"".join(struct.pack("<I", 0x3F800000 | (k * 2654435761 & 0x7FFFFF)) for k in range(2000))
large = deflate(npy((200, 10), data=noise))
broken = bytearray(large)
broken[len(large) // 2:] = b"\xff" * (len(large) - len(large) // 2)
write("deflate-broken.npz", archive(member("fc1.npy", npy((200, 10), data=noise), stored=bytes(broken))))
write("deflate-cut.npz", archive(member("fc1.npy", npy((200, 10), data=noise), stored=large[:4500], compressed=4500)))
write("header-broken.npz", archive(member("fc1.npy", stored=b"\xff" * 80, compressed=80)))
write("name-up.npz", archive(member("../../fc1.npy")))
write("name-absolute.npz", archive(member("/etc/fc1.npy")))
write("name-nul.npz", archive(member("fc\0x.npy")))
write("name-latin1.npz", archive(member(b"fc\xff.npy", flags=0)))
write("name-empty.npz", archive(member(".npy")))
write("name-colon.npz", archive(member("fc1:0.npy"), member("fc1.npy")))
write("name-long.npz", archive(member("x" * 1000 + ".npy")))
write("int8.npz", archive(member("q.npy", npy((3, 2), "|i1", b"\1\2\3\4\5\6"))))
write("int8-two-scales.npz", archive(member("q.npy", npy((3, 2), "|i1", b"\1\2\3\4\5\6")),
                                     member("q_scale.npy", npy((2,))), member("q.scale.npy", npy((2,)))))
write("int8-negative.npz", archive(member("q.npy", npy((3, 2), "|i1", b"\1\2\3\4\5\6")),
                                   member("q_scale.npy", npy((1,), data=struct.pack("<f", -1)))))
write("int8-of-texts.npz", archive(member("q.npy", npy((3, 2), "|i1", b"\1\2\3\4\5\6")),
                                   member("q_scale.npy", npy((2,), "<U1", b"1\0\0\0" * 2))))
write("int8-zero-inf.npz", archive(member("q.npy", npy((3, 2), "|i1", b"\1\2\3\4\5\6")), member("q_scale.npy", npy((1,))),
                                   member("q_zero_point.npy", npy((1,), data=struct.pack("<f", float("inf"))))))
write("int8-of-itself.npz", archive(member("q.npy", npy((1, 1), "|i1", b"\1")), member("q_scale.npy", npy((1, 1), "|i1", b"\1")),
                                    member("q_scale_scale.npy", npy((1, 1), "|i1", b"\1"))))

# .safetensors


def tensors(head, data=b"", length=None):
    head = head if isinstance(head, bytes) else (head if isinstance(head, str) else json.dumps(head)).encode()
    return struct.pack("<Q", len(head) if length is None else length) + head + data


def tensor(begin=0, end=24, shape=(3, 2), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


SIX = struct.pack("<6f", 1, 2, 3, 4, 5, 6)
GOOD = tensors({"__metadata__": {"format": "pt"}, "fc1": tensor(), "fc2": tensor(24, 48)}, SIX + SIX)

write("good.safetensors", GOOD)
write("one.safetensors", tensors({"fc1": tensor()}, SIX))
write("padded.safetensors", tensors(json.dumps({"fc1": tensor()}) + " " * 7, SIX))
write("none.safetensors", tensors("{}"))
write("none-left-over.safetensors", tensors("{}", SIX))
write("metadata-only.safetensors", tensors({"__metadata__": {"a": "b"}}))
for cut in 5, 8, 9, 40, len(GOOD) - 48, len(GOOD) - 1:
    write("cut-%d.safetensors" % cut, GOOD[:cut])
write("left-over.safetensors", GOOD + b"\0")
write("length-0.safetensors", tensors({"fc1": tensor()}, SIX, length=0))
write("length-1.safetensors", tensors({"fc1": tensor()}, SIX, length=1))
write("length-of-file.safetensors", tensors({"fc1": tensor()}, SIX, length=1000))
write("length-4-GB.safetensors", tensors({"fc1": tensor()}, SIX, length=2**32 - 1))
write("length-all.safetensors", tensors({"fc1": tensor()}, SIX, length=2**64 - 1))
write("list.safetensors", tensors("[1, 2]"))
write("space-first.safetensors", tensors(" " + json.dumps({"fc1": tensor()}), SIX))
write("no-json.safetensors", tensors('{"fc1": }'))
write("two-objects.safetensors", tensors("{}{}"))
write("deep.safetensors", tensors('{"fc1": {"x": ' + "[" * 10001 + "]" * 10001 + "}}"))
write("deep-metadata.safetensors", tensors('{"__metadata__": ' + '{"a":' * 500 + '""' + "}" * 500 + "}"))
write("latin1.safetensors", tensors(b'{"f\xff": {}}'))
write("same-name.safetensors", tensors('{"fc1": %s, "fc1": %s}' % ((json.dumps(tensor()),) * 2), SIX))
write("same-name-escaped.safetensors", tensors('{"fc1": %s, "\\u0066c1": %s}' % ((json.dumps(tensor()),) * 2), SIX))
write("same-key.safetensors", tensors('{"fc1": {"dtype": "F32", "dtype": "F64", "shape": [3, 2], "data_offsets": [0, 24]}}', SIX))
write("same-metadata.safetensors", tensors('{"__metadata__": {"a": "b", "a": "c"}}'))
write("metadata-number.safetensors", tensors({"__metadata__": {"a": 1}}))
write("metadata-list.safetensors", tensors({"__metadata__": ["a"]}))
write("case.safetensors", tensors('{"fc1": {"DType": "F32", "shape": [3, 2], "data_offsets": [0, 24]}}', SIX))
write("unknown-key.safetensors", tensors('{"fc1": {"x": {"y": [1]}, "dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]}}', SIX))
for key in "dtype", "shape", "data_offsets":
    e = tensor()
    del e[key]
    write("without-%s.safetensors" % key, tensors({"fc1": e}, SIX))
    e[key] = None
    write("null-%s.safetensors" % key, tensors({"fc1": e}, SIX))
write("entry-list.safetensors", tensors({"fc1": [1]}, SIX))
write("dtype.safetensors", tensors({"fc1": tensor(dtype="F33")}, SIX))
write("dtype-empty.safetensors", tensors({"fc1": tensor(dtype="")}, SIX))
write("float8.safetensors", tensors({"fc1": tensor(0, 6, dtype="F8_E4M3"), "fc2": tensor(6, 30)}, SIX + SIX[:6]))
write("float4.safetensors", tensors({"fc1": tensor(0, 3, dtype="F4")}, b"abc"))
write("float4-odd.safetensors", tensors({"fc1": tensor(0, 2, (3, 1), "F4")}, b"ab"))
write("integers.safetensors", tensors({"ids": tensor(0, 24, (3,), "I64"), "mask": tensor(24, 27, (3,), "BOOL")}, SIX + b"\1\0\1"))
write("number.safetensors", tensors({"fc1": tensor(0, 4, ())}, SIX[:4]))
write("empty-tensors.safetensors", tensors({"a": tensor(0, 0, (0, 5)), "b": tensor(0, 24), "c": tensor(24, 24, (5, 0))}, SIX))
write("int8.safetensors", tensors({"q": tensor(0, 6, dtype="I8")}, b"\1\2\3\4\5\6"))
for name, shape in {
    "negative": "[-3, -2]", "fraction": "[3.0, 2]", "exponent": "[3e0, 2]", "text": '["3", 2]', "null": "[3, null]", "nested": "[[3], 2]", "true": "[true, 6]",
    "huge": "[4611686018427387904, 8]", "very-huge": "[" + "9" * 400 + "]", "huge-beside-0": "[4611686018427387904, 8, 0]",
    "of-65": "[" + "1, " * 64 + "6]", "of-6": "[1, 1, 1, 1, 3, 2]", "number": "6", "other": "[3, 3]",
}.items():
    end = 0 if name == "huge-beside-0" else 24
    write("shape-%s.safetensors" % name, tensors('{"fc1": {"dtype": "F32", "shape": %s, "data_offsets": [0, %d]}}' % (shape, end), SIX[:end]))
for name, offsets in {
    "reversed": "[24, 0]", "late": "[4, 28]", "short": "[0, 20]", "beyond": "[0, 240]", "negative": "[-24, 0]", "one": "[24]", "three": "[0, 12, 24]",
    "huge": "[0, 9223372036854775807]", "very-huge": "[0, 18446744073709551616]", "float": "[0.0, 24.0]",
}.items():
    write("offsets-%s.safetensors" % name, tensors('{"fc1": {"dtype": "F32", "shape": [3, 2], "data_offsets": %s}}' % offsets, SIX))
write("overlap.safetensors", tensors({"fc1": tensor(), "fc2": tensor(20, 44)}, SIX + SIX[:20]))
write("overlap-same.safetensors", tensors({"fc1": tensor(), "fc2": tensor()}, SIX))
write("hole.safetensors", tensors({"fc1": tensor(), "fc2": tensor(28, 52)}, SIX + SIX + SIX[:4]))
write("other-order.safetensors", tensors({"fc2": tensor(24, 48), "fc1": tensor(0, 24)}, SIX + SIX))
write("name-up.safetensors", tensors({"../../fc1": tensor()}, SIX))
write("name-nul.safetensors", tensors({"fc\0x": tensor()}, SIX))
write("name-surrogates.safetensors", tensors('{"\\ud800": %s, "\\ud801": %s}' % (json.dumps(tensor()), json.dumps(tensor(24, 48))), SIX + SIX))
write("name-empty.safetensors", tensors({"": tensor()}, SIX))
