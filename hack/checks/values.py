"""The chart's values: each is described, in the README's table too, and known to the schema, which
takes and refuses what the webhook does.

`--write` brings the table up to date.
"""

import json
import re
import sys

CHART = "charts/alibabacloud-secrets-injector"
BEGIN, END = "<!-- values: python3 hack/checks/values.py --write -->\n", "<!-- /values -->\n"
SETTINGS = "docs/settings.md"
# What the webhook's own tests hold its settings against.
SAMPLES = "webhook/src/settings/samples.json"
# The chart writes these from values of its own.
COMPUTED = {"injector.image", "injector.imagePullPolicy"}

LINE = re.compile(r"^( *)(?:# ?(.*)|([A-Za-z]\w*):(?: (.+))?)$")


def values(text):
    """Path, description and default of each value, in order; all of a value stands on one line."""
    path, comment = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line:
            comment = []
            continue
        match = LINE.match(line)
        if not match:
            raise ValueError(f"values.yaml:{number}: neither a comment nor a value on one line")
        indent, said, key, default = match.groups()
        if key is None:
            comment.append(said)
            continue
        path = [*path[: len(indent) // 2], key]
        if default is not None:
            yield ".".join(path), " ".join(comment), default
        comment = []


def table(found):
    yield "| value | meaning | default |\n|---|---|---|\n"
    for path, meaning, default in found:
        shown = "" if default in ('""', "null", "[]", "{}") else f"`{default}`"
        yield f"| `{path}` | {meaning} | {shown} |\n".replace("|  |", "| |")


def leaves(schema, definitions, path=""):
    """Paths of the schema that are no objects with properties of their own."""
    schema = definitions.get(schema.get("$ref", "").rpartition("/")[2], schema)
    if "properties" not in schema or path in TAKEN_WHOLE:
        yield path
        return
    for name, inner in schema["properties"].items():
        yield from leaves(inner, definitions, f"{path}.{name}".lstrip("."))


# Objects that stand on one line.
TAKEN_WHOLE = {"webhook.resources", "webhook.affinity", "certificates.certManager.issuerRef"}


def open_objects(schema, place=""):
    """Objects of the schema that would let an unknown name pass unnoticed."""
    if isinstance(schema, list):
        schema = dict(enumerate(schema))
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object" and "additionalProperties" not in schema:
        yield place or "/"
    for name, inner in schema.items():
        yield from open_objects(inner, f"{place}/{name}")


def documented_settings(text):
    """Names in the first column of the first table; `.memory` follows a name of its group."""
    table = text.partition("\n| field |")[2].partition("\n\n")[0]
    for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE):
        group = ""
        for name in re.findall(r"`([\w.]+)`", row):
            yield group + name if name.startswith(".") else name
            group = name.rpartition(".")[0] if not name.startswith(".") else group


TYPES = {"string": str, "array": list, "object": dict, "integer": int, "number": (int, float),
         "null": type(None)}


def fits(value, schema, definitions):
    """Whether a value is one of the schema, as far as schemas of settings go."""
    schema = definitions.get(schema.get("$ref", "").rpartition("/")[2], schema)

    def inner(value, schema):
        return fits(value, schema, definitions)

    if "anyOf" in schema:
        return any(inner(value, choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not isinstance(value, tuple(TYPES[name] for name in types)):
        return False
    if isinstance(value, str):
        return (schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
                # To the schema `$` is the end, and never before a last line break.
                and re.search(schema.get("pattern", "").replace("$", r"\Z"), value) is not None)
    if isinstance(value, list):
        first, rest = schema["items"], schema.get("additionalItems", schema["items"])
        first = first if isinstance(first, list) else [first] * len(value)
        return (schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
                and all(map(inner, value, first))
                and all(inner(item, rest) for item in value[len(first):]))
    if isinstance(value, dict):
        if "propertyNames" in schema:
            return (schema.get("minProperties", 0) <= len(value)
                    and all(inner(name, {"type": "string", **schema["propertyNames"]})
                            for name in value)
                    and all(inner(item, schema["additionalProperties"])
                            for item in value.values()))
        known = schema["properties"]
        return (set(schema.get("required", ())) <= set(value) <= set(known)
                and all(inner(value[name], known[name]) for name in value))
    return (schema.get("minimum", value) <= value <= schema.get("maximum", value)
            and value > schema.get("exclusiveMinimum", value - 1))


def wrong_samples(schema, samples):
    for setting in sorted(set(samples) - COMPUTED):
        inner = schema["properties"]["settings"]
        for name in setting.split("."):
            inner = inner["properties"][name]
        for kind, values in samples[setting].items():
            for value in values:
                if fits(value, inner, schema["definitions"]) == (kind == "bad"):
                    verb = "takes" if kind == "bad" else "refuses"
                    yield f"values.schema.json {verb} the {kind} {value!r} for settings.{setting}"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def main():
    readme, problems = f"{CHART}/README.md", []
    found = list(values(read(f"{CHART}/values.yaml")))
    problems += [f"values.yaml: {path} has no comment" for path, meaning, _ in found if not meaning]

    schema = json.loads(read(f"{CHART}/values.schema.json"))
    known = set(leaves(schema, schema["definitions"])) - {"global"}
    given = {path for path, _, _ in found}
    problems += [f"values.schema.json does not know {path}" for path in sorted(given - known)]
    problems += [f"values.yaml does not have {path}" for path in sorted(known - given)]
    problems += [f"values.schema.json: {place} is open" for place in open_objects(schema)]

    samples = json.loads(read(SAMPLES))
    problems += wrong_samples(schema, samples)

    settings = {path.removeprefix("settings.") for path in given if path.startswith("settings.")}
    documented = set(documented_settings(read(SETTINGS)))
    for name in sorted(documented ^ (settings | COMPUTED)):
        where = SETTINGS if name in documented else "values.yaml, under settings"
        problems.append(f"the setting {name} is in {where} alone")

    text = read(readme)
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        problems.append(f"{readme} has no place for the table of values")
    else:
        wanted = before + BEGIN + "".join(table(found)) + END + after
        if "--write" in sys.argv[1:]:
            with open(readme, "w", encoding="utf-8") as file:
                file.write(wanted)
        elif text != wanted:
            problems.append(f"{readme}: the table of values is out of date: --write")

    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(found)} values, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
