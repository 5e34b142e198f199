#!/usr/bin/env python3
"""What is left of a cluster that was ended: nothing_left.py NAME SINCE (seconds since 1970).

Looks at the machine and not at what the lab wrote down; exits 1 and names what it finds.
"""

import os
import pathlib
import sys


def read(path):
    try:
        return pathlib.Path(path).read_bytes().decode(errors="replace")
    except OSError:
        return ""


def processes():
    for entry in pathlib.Path("/proc").iterdir():
        # One that has ended and that nobody waited for holds nothing any more.
        ended = read(entry / "stat").rpartition(")")[2].split()[:1] == ["Z"]
        if entry.name.isdigit() and int(entry.name) != os.getpid() and not ended:
            yield entry


def main(name, since):
    root, label = f"/var/lib/secrets-lab/{name}", f"secrets-lab-{name}"
    found = []
    groups = ""
    for process in processes():
        command, group = read(process / "cmdline").replace("\0", " "), read(process / "cgroup")
        groups += group
        # Its files by their whole path, its cgroup as a whole step.
        if f"{root}/" in command or f"/{label}/" in group.replace("\n", "/\n"):
            found.append(f"process {process.name}: {command[:100]}")
    for line in read("/proc/self/mountinfo").splitlines():
        place = line.split(" ")[4]
        if place == root or place.startswith(f"{root}/") or place == f"/run/netns/{label}":
            found.append(f"mount {place}")
    for path in [root, f"/run/netns/{label}"]:
        if os.path.exists(path):
            found.append(path)
    found += map(str, pathlib.Path("/sys/fs/cgroup").glob(f"{label}"))
    found += map(str, pathlib.Path("/sys/fs/cgroup").glob(f"*/{label}"))
    # Named after containers: those of this time whose container does not run.
    for path in pathlib.Path("/var/lib/cni/results").glob("*"):
        container = path.name.removeprefix("lab-").removeprefix("cni-loopback-").split("-")[0]
        if container in groups or path.lstat().st_mtime < since:
            continue
        # It may be of another cluster, and younger than the list of processes.
        if not any(container in read(process / "cgroup") for process in processes()):
            found.append(str(path))
    for what in found:
        print(f"left of the cluster {name!r}: {what}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
