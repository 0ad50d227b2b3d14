#!/usr/bin/env python3
"""Writes the tables beside it: every function with every combination of kinds, by a second, plain
reading of the rules (pipeline-language 10.5 to 10.7, 11.2 to 11.4). tst_functions holds the engine
against them.

usage: model.py [--check]      --check: exit status 1 when a table on disk differs
"""
import json
import math
import pathlib
import re
import sys
from decimal import Decimal

HERE = pathlib.Path(__file__).parent
HELD = {"list": ["a", Decimal(1)], "empty": [], "map": {"k": "a", "n": Decimal(2)}, "none": {}}
DATE = ("date", "2026-03-09 07:05:04+00:00")


class Failure(Exception):
    pass


class Version(tuple):
    def __str__(self):
        return ".".join(map(str, self))


# expression -> value; the names stand for what tst_functions provides
VALUES = {
    "variables.none": None, "true": True, "false": False, "0": Decimal(0), "1": Decimal(1), "-2.50": Decimal("-2.5"),
    "''": "", "'a'": "a", "'A'": "A", "'1'": "1", "' 1,000.0 '": " 1,000.0 ", "'true'": "true", "'1.2.3'": "1.2.3",
    "1.2.3": Version((1, 2, 3)), "held.date": DATE,
    "held.list": HELD["list"], "held.empty": HELD["empty"], "held.map": HELD["map"], "held.none": HELD["none"],
}
FEW = {k: VALUES[k] for k in ("variables.none", "true", "0", "'a'", "'1'", "1.2.3", "held.list", "held.map")}


def kind(v):
    if v is None:
        return "Null"
    if isinstance(v, bool):
        return "Boolean"
    if isinstance(v, Decimal):
        return "Number"
    if isinstance(v, str):
        return "String"
    if isinstance(v, Version):
        return "Version"
    if v is DATE:
        return "DateTime"
    return "Array" if isinstance(v, list) else "Object"


def number_text(n):
    n = n.quantize(Decimal("1e-7")) if -n.as_tuple().exponent > 7 else n
    text = format(n, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown(v):
    k = kind(v)
    return {"String": lambda: f"'{v}'", "Array": lambda: "Array", "Object": lambda: "Object", "Null": lambda: ""}.get(
        k, lambda: string(v))()


def fail(v, target):
    raise Failure(f"Unable to convert from {kind(v)} to {target}. Value: {shown(v)}")


def boolean(v):
    k = kind(v)
    if k in ("Null", "Boolean", "Number", "String"):
        return bool(v)
    return True


def number(v):
    k = kind(v)
    if k == "Null":
        return Decimal(0)
    if k == "Boolean":
        return Decimal(int(v))
    if k == "Number":
        return v
    if k == "String":
        text = v.strip()
        if not text:
            return Decimal(0)
        if re.fullmatch(r"[+-]?(\d[\d,]*\.?\d*|\.\d+)", text):
            return Decimal(text.replace(",", ""))
    return fail(v, "Number")


def string(v):
    k = kind(v)
    if k == "Null":
        return ""
    if k == "Boolean":
        return "True" if v else "False"
    if k == "Number":
        return number_text(v)
    if k == "String":
        return v
    if k == "Version":
        return str(v)
    if k == "DateTime":
        return v[1]
    return fail(v, "String")


def version(v):
    k = kind(v)
    if k == "Version":
        return v
    if k in ("Number", "String"):
        text = number_text(v) if k == "Number" else v
        if re.fullmatch(r"\d+(\.\d+){1,3}", text):
            return Version(map(int, text.split(".")))
    return fail(v, "Version")


def null(v):
    return None if v is None or v == "" and isinstance(v, str) else fail(v, "Null")


def date(v):
    return v if v is DATE else fail(v, "DateTime")


def eq(left, right):
    k = kind(left)
    if k in ("Array", "Object"):
        return left is right
    convert = {"Null": null, "Boolean": boolean, "Number": number, "String": string, "Version": version, "DateTime": date}[k]
    try:
        right = convert(right)
    except Failure:
        return False
    return left.upper() == right.upper() if k == "String" else left == right


def order(left, right):
    """-1, 0 or 1."""
    if kind(left) in ("Null", "Array", "Object"):
        left = number(left)
    k = kind(left)
    convert = {"Boolean": boolean, "Number": number, "String": string, "Version": version, "DateTime": date}[k]
    right = convert(right)
    if k == "String":
        left, right = left.upper(), right.upper()
    if k == "Version":
        left, right = [tuple(v) + (-1,) * (4 - len(v)) for v in (left, right)]
    return (left > right) - (left < right)


def to_json(v, indent=""):
    k = kind(v)
    if k in ("Array", "Object") and v:
        inner = indent + "  "
        items = [to_json(i, inner) for i in v] if k == "Array" else [f'{json.dumps(a)}: {to_json(b, inner)}' for a, b in v.items()]
        return ("[" if k == "Array" else "{") + "\n" + ",\n".join(inner + i for i in items) + "\n" + indent + ("]" if k == "Array" else "}")
    if k == "Array":
        return "[]"
    if k == "Object":
        return "{}"
    if k == "Null":
        return "null"
    if k == "Boolean":
        return "true" if v else "false"
    return number_text(v) if k == "Number" else json.dumps(string(v))


def contains_value(collection, wanted):
    if kind(collection) not in ("Array", "Object"):
        return False
    return any(eq(wanted, item) for item in (collection if kind(collection) == "Array" else collection.values()))


def coalesce(*values):
    return next((v for v in values if v is not None and not (isinstance(v, str) and v == "")), None)


def join(separator, values):
    if kind(values) == "Array":
        return string(separator).join("" if kind(v) in ("Array", "Object") else string(v) for v in values)
    # A mapping gives an empty text: real templates rely on it.
    return "" if kind(values) == "Object" else string(values)


def length(v):
    if v is None:
        return Decimal(0)  # lenient: templates ask for the length of what is not there
    if kind(v) in ("String", "Array", "Object"):
        return Decimal(len(v))
    raise Failure(f"Kind '{kind(v)}' not supported. Only arrays, strings, dictionaries, or collections are supported for the length function.")


def replace(text, old, new):
    text, old, new = string(text), string(old), string(new)
    return text.replace(old, new) if old else text


def split(text, delimiter):
    text, delimiter = string(text), string(delimiter)
    return text.split(delimiter) if delimiter else [text]


def substring(text, start, *size):
    units = string(text).encode("utf-16-le")
    count = len(units) // 2
    start = math.floor(number(start))
    size = math.floor(number(size[0])) if size else count - start
    if start < 0 or start > count or size < 0 or size > count - start:
        raise Failure(f"The substring from {start} of length {size} is outside of the text of length {count}")
    return units[2 * start:2 * (start + size)].decode("utf-16-le")


def texts(function):
    def call(left, right):
        return function(string(left).upper(), string(right).upper())
    return call


def xor(a, b):
    return boolean(a) != boolean(b)


ONE = {"not": lambda v: not boolean(v), "length": length, "lower": lambda v: string(v).lower(), "upper": lambda v: string(v).upper(),
       "trim": lambda v: string(v).strip(), "convertToJson": to_json, "format": string}
TWO = {"and": lambda a, b: boolean(a) and boolean(b), "or": lambda a, b: boolean(a) or boolean(b), "xor": xor, "eq": eq,
       "ne": lambda a, b: not eq(a, b), "lt": lambda a, b: order(a, b) < 0, "le": lambda a, b: order(a, b) <= 0,
       "gt": lambda a, b: order(a, b) > 0, "ge": lambda a, b: order(a, b) >= 0, "in": eq, "notIn": lambda a, b: not eq(a, b),
       "contains": texts(lambda s, t: t in s), "startsWith": texts(str.startswith), "endsWith": texts(str.endswith),
       "containsValue": contains_value, "coalesce": coalesce, "join": join, "split": split, "substring": substring}
THREE = {"iif": lambda c, a, b: a if boolean(c) else b, "replace": replace, "substring": substring,
         "in": lambda x, a, b: eq(x, a) or eq(x, b), "and": lambda a, b, c: boolean(a) and boolean(b) and boolean(c),
         "or": lambda a, b, c: boolean(a) or boolean(b) or boolean(c), "coalesce": coalesce}


def row(name, function, arguments):
    call = f"{name}({', '.join(text for text, _ in arguments)})"
    try:
        result = function(*(value for _, value in arguments))
    except Failure as failure:
        return f"{call} => error {failure}"
    text = json.dumps(to_json(result), ensure_ascii=False) if kind(result) in ("Array", "Object") else json.dumps(string(result), ensure_ascii=False)
    return f"{call} => {kind(result)} {text}"


def tables():
    for name in sorted({*ONE, *TWO, *THREE}):
        rows = []
        if name == "format":
            rows += [row("format", lambda _, v: string(v), [("'{0}'", None), item]) for item in VALUES.items()]
        elif name in ONE:
            rows += [row(name, ONE[name], [item]) for item in VALUES.items()]
        if name in TWO:
            rows += [row(name, TWO[name], [a, b]) for a in VALUES.items() for b in VALUES.items()]
        if name in THREE:
            rows += [row(name, THREE[name], [a, b, c]) for a in FEW.items() for b in FEW.items() for c in FEW.items()]
        yield name, "\n".join(rows) + "\n"


def main():
    wrong = 0
    for name, text in tables():
        path = HERE / f"{name}.txt"
        if "--check" in sys.argv:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                wrong += 1
                print(f"{path} differs from what the model gives")
        else:
            path.write_text(text, encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
