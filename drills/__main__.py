"""`python -m drills NAME`: drills that take minutes; they leave nothing but what they print. Without a name: which there are.

A drill prints a verdict and ends with 1 when anything is wrong. With `--work FOLDER` its folders stay there, to be looked at.
"""

import argparse
import importlib
import inspect
import pkgutil
import sys
import tempfile
from pathlib import Path
from time import monotonic

import drills


def names() -> list[str]:
    """Modules that are drills: they have a `run`."""
    found = [info.name for info in pkgutil.iter_modules(drills.__path__) if not info.name.startswith("_")]
    return [name.replace("_", "-") for name in found if hasattr(importlib.import_module(f"drills.{name}"), "run")]


def main() -> int:
    """Run the drill that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m drills", description=__doc__)
    subs = parser.add_subparsers(dest="name")
    for name in names():
        module = importlib.import_module(f"drills.{name.replace('-', '_')}")
        sub = subs.add_parser(name, help=(module.__doc__ or "").split("\n")[0])
        sub.add_argument("--work", type=Path, help="keep the folders here")
        for parameter in list(inspect.signature(module.run).parameters.values())[1:]:
            kind = float if isinstance(parameter.default, float) or parameter.name == "minutes" else type(parameter.default)
            sub.add_argument(f"--{parameter.name}", type=str if parameter.default is None else kind, default=parameter.default)
    arguments = vars(parser.parse_args())
    name, work = arguments.pop("name"), arguments.pop("work", None)
    if name is None:
        parser.print_help()
        return 0
    started = monotonic()
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        work = (work or Path(folder)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        problems = importlib.import_module(f"drills.{name.replace('-', '_')}").run(work, **arguments)
    for problem in problems:
        print(f"wrong: {problem}")
    print(f"{name}: {'FAILED' if problems else 'passed'} in {monotonic() - started:.0f} s")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
