"""Prints what python-dotenv finds in each file of a folder, as JSON; a name alone has no value."""

import json
import sys
from pathlib import Path

from dotenv import dotenv_values


def read(path):
    return {name: value or "" for name, value in dotenv_values(path).items()}


print(json.dumps({path.name: read(path) for path in Path(sys.argv[1]).iterdir()}))
