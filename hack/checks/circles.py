"""No circles: which files of a crate import each other, as their paths say, and which folders; and no
arrow upward.

A path is followed to the file that defines its last name, through re-exports and module aliases. Tests
do not count. Where docs/architecture.md has the order of a crate, each entry of its `src` imports only
what stands behind it. `circles.py CRATE` prints the arrows of one crate.
"""

import os
import re
import sys
import tomllib

with open("Cargo.toml", "rb") as manifest:
    CRATES = tomllib.load(manifest)["workspace"]["members"]
DEFINITION = re.compile(
    r"^\s*(?:pub(?:\([^)]*\))?\s+)?(?:default\s+|async\s+|const\s+|unsafe\s+|extern\s+\"C\"\s+)*"
    r"(?:fn|struct|enum|union|type|const|static|trait|macro_rules!)\s+(\w+)",
    re.MULTILINE,
)
USE = re.compile(r"^\s*(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);", re.MULTILINE)
PATH = re.compile(r"(?<![\w:.])((?:crate|self|super|[a-z_]\w*)(?:::\w+)+)")


def without_comments(text):
    text = re.sub(r"//[^\n]*", "", text)
    text = re.sub(r'r(#+)".*?"\1', '""', text, flags=re.DOTALL)
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', text, flags=re.DOTALL)


def without_tests(text):
    return re.split(r"^#\[cfg\(test\)\]\s*mod tests\s*\{", text, maxsplit=1, flags=re.MULTILINE)[0]


def leaves(tree, prefix=()):
    """Each path of a `use`, with the name under which it is imported."""
    tree = tree.strip()
    start = re.match(r"((?:\w+\s*::\s*)*)(.*)", tree, re.DOTALL)
    prefix += tuple(re.findall(r"\w+", start.group(1)))
    rest = start.group(2).strip()
    if rest.startswith("{"):
        depth, item = 0, ""
        for character in rest[1:-1] + ",":
            if character == "," and depth == 0:
                if item.strip():
                    yield from leaves(item, prefix)
                item = ""
                continue
            depth += {"{": 1, "}": -1}.get(character, 0)
            item += character
        return
    name = re.match(r"(\w+|\*)(?:\s+as\s+(\w+))?", rest)
    path = prefix if name.group(1) == "self" else (*prefix, name.group(1))
    yield path, name.group(2) or path[-1]


class Crate:
    def __init__(self, folder):
        self.files = {}
        root = os.path.join(folder, "src")
        for directory, _, names in os.walk(root):
            for name in names:
                path = os.path.join(directory, name)
                module = os.path.relpath(path, root)[:-3].split(os.sep)
                if not name.endswith(".rs") or "tests" in module or module[-1].endswith("_tests"):
                    continue
                if module[0] == "bin" or module == ["main"]:
                    continue
                with open(path, encoding="utf-8") as file:
                    text = without_tests(without_comments(file.read()))
                self.files[() if module == ["lib"] else tuple(module)] = (path, text)
        # A folder whose modules are declared elsewhere has no file of its own.
        self.modules = {module[:end] for module in self.files for end in range(len(module) + 1)}
        self.defined, self.exported, self.imported, self.globs = {}, {}, {}, {}
        for module, (_, text) in self.files.items():
            self.defined[module] = set(DEFINITION.findall(text))
            self.exported[module], self.imported[module], self.globs[module] = {}, {}, []
            for public, tree in USE.findall(text):
                for path, alias in leaves(tree):
                    if alias == "*":
                        self.globs[module].append(path[:-1])
                        continue
                    self.imported[module][alias] = path
                    if public:
                        self.exported[module][alias] = path

    def absolute(self, module, path):
        """From the crate's root; `None` for a path into another crate."""
        first, rest = path[0], path[1:]
        if first == "crate":
            return rest
        if first == "self":
            return (*module, *rest)
        if first == "super":
            module = module[:-1]
            while rest and rest[0] == "super":
                module, rest = module[:-1], rest[1:]
            return (*module, *rest)
        if (*module, first) in self.modules:
            return (*module, *path)
        return None

    def definer(self, path, hops=0):
        """The file in which the name at the end of an absolute path is defined; `None` for a module."""
        module = ()
        while path and (*module, path[0]) in self.modules:
            module, path = (*module, path[0]), path[1:]
        if not path:
            return None
        name = path[0]
        if name not in self.defined.get(module, ()) and hops < 8:
            globs = [self.absolute(module, path) for path in self.globs.get(module, ())]
            other = next((path for path in globs if path and name in self.defined.get(path, ())), None)
            other = ("crate", *other, name) if other else self.exported.get(module, {}).get(name)
            other = other and self.absolute(module, other)
            if other is not None:
                return self.definer((*other, *path[1:]), hops + 1) or module
        return module if module in self.files else None

    def arrows(self):
        for module, (_, text) in self.files.items():
            aliases = self.imported[module]
            paths = set(aliases.values())
            # What is re-exported is at home elsewhere: passing it on needs nothing of it.
            paths -= set(self.exported[module].values())
            body = USE.sub("", text)
            for found in PATH.findall(body):
                path = tuple(found.split("::"))
                if path[0] in aliases:
                    path = (*aliases[path[0]], *path[1:])
                paths.add(path)
            for name in set(re.findall(r"\w+", body)) & set(self.exported[module]):
                paths.add(self.exported[module][name])
            for path in paths:
                path = self.absolute(module, path)
                to = path and self.definer(path)
                if to is not None and to != module:
                    yield module, to, path[-1]

    def circles(self):
        graph = {module: set() for module in self.files}
        for source, to, _ in self.arrows():
            graph[source].add(to)
        return [part for part in strongly_connected(graph) if len(part) > 1]

    def folder_circles(self):
        """Entries of one folder, files or folders, that import each other taken as a whole."""
        graphs = {}
        for source, to, _ in self.arrows():
            shared = len(os.path.commonprefix([source, to]))
            if min(len(source), len(to)) > shared:
                graph = graphs.setdefault(source[:shared], {})
                graph.setdefault(source[: shared + 1], set()).add(to[: shared + 1])
                graph.setdefault(to[: shared + 1], set())
        return [part for graph in graphs.values() for part in strongly_connected(graph) if len(part) > 1]

    def name(self, module):
        return self.files[module][0]


def orders():
    """The order of a crate's entries as the document has it: {crate: {entry: rank}}."""
    with open("docs/architecture.md", encoding="utf-8") as file:
        text = file.read()
    found = {}
    for crate, order in re.findall(r"^(\w+)/src, from the rim to the core:\n((?:.+\n)+?)```", text, re.MULTILINE):
        groups = re.sub(r"\s+", " ", order).strip().split(" > ")
        found[crate] = {
            entry.strip().strip("/"): rank
            for rank, group in enumerate(groups)
            for entry in group.split(",")
        }
    return found


def upward(crate, ranks):
    """Arrows between entries that do not lead from one to another that stands behind it."""
    for source, to, name in sorted(set(crate.arrows())):
        if not source or not to or source[0] == to[0]:
            continue
        for entry in {source[0], to[0]} - ranks.keys():
            yield f"{entry} has no place in the order of docs/architecture.md"
        if source[0] in ranks and to[0] in ranks and ranks[source[0]] >= ranks[to[0]]:
            yield f"{crate.name(source)} -> {crate.name(to)}: {name} leads upward"


def strongly_connected(graph):
    """Tarjan's algorithm, with a stack of its own."""
    index, low, on, stack, found = {}, {}, set(), [], []
    for root in graph:
        if root in index:
            continue
        work = [(root, iter(sorted(graph[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on.add(root)
        while work:
            node, following = work[-1]
            for other in following:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on.add(other)
                    work.append((other, iter(sorted(graph[other]))))
                    break
                if other in on:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part = set()
                    while True:
                        other = stack.pop()
                        on.discard(other)
                        part.add(other)
                        if other == node:
                            break
                    found.append(part)
    return found


def main():
    if len(sys.argv) > 1:
        crate = Crate(sys.argv[1])
        for source, to, name in sorted(set(crate.arrows())):
            print(f"{crate.name(source)} -> {crate.name(to)}: {name}")
        return 0
    count, known = 0, orders()
    for folder in CRATES:
        crate = Crate(folder)
        for problem in sorted(set(upward(crate, known[folder]))) if folder in known else ():
            count += 1
            print(f"{folder}: {problem}", file=sys.stderr)
        for part in crate.circles():
            count += 1
            print(f"{folder}: {len(part)} files import each other in a circle:", file=sys.stderr)
            for source, to, name in sorted(set(crate.arrows())):
                if source in part and to in part:
                    print(f"  {crate.name(source)} -> {crate.name(to)}: {name}", file=sys.stderr)
        for part in crate.folder_circles():
            count += 1
            print(f"{folder}: these import each other: {', '.join(map('/'.join, sorted(part)))}", file=sys.stderr)
            for source, to, name in sorted(set(crate.arrows())):
                ends = [next((one for one in part if one == end[: len(one)]), None) for end in (source, to)]
                if None not in ends and ends[0] != ends[1]:
                    print(f"  {crate.name(source)} -> {crate.name(to)}: {name}", file=sys.stderr)
    print(f"{count} circles or arrows upward; the order of {', '.join(sorted(known))} is kept")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
