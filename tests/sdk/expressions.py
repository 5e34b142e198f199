"""What the official JMESPath library makes of expressions: reads a list of {"given", "expression"}, and
prints for each {"result"}, {"error"} where it is refused or does not fit the value, or {"failed"} where
the library falls over what it lets through to Python's own functions."""

import json
import sys

import jmespath
from jmespath.exceptions import JMESPathError


def outcome(case):
    try:
        return {"result": jmespath.search(case["expression"], case["given"])}
    except JMESPathError as error:
        return {"error": type(error).__name__}
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        return {"failed": type(error).__name__}


with open(sys.argv[1], encoding="utf-8") as file:
    cases = json.load(file)
json.dump([outcome(case) for case in cases], sys.stdout)
