"""What is left of a mutation run of `hygiene/domain`: each mutant that no test kills needs a written reason in `mutants.toml`.

`make mutants` runs mutmut and then this. A mutant is told by its function and by the lines that it changed, which stay the same
while other code moves. Exit status 1 when a survivor has no reason, or a reason no survivor.
"""

from __future__ import annotations

import ast
import difflib
import json
import re
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MUTATED, REASONS = Path("mutants/hygiene/domain"), Path(__file__).with_suffix(".toml")
KILLED, TIMEOUT = {1, 3}, {-24, 24, 36, 152, 255}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one function: the lines as they stand, and as mutmut wrote them."""

    function: str
    stands: str
    becomes: str


def main() -> int:
    """Print how many were killed and who survived; the exit status."""
    reasons = _reasons()
    outcomes, survivors = Counter[str](), []
    for path in sorted(MUTATED.rglob("*.py.meta")):
        for name, code in json.loads(path.read_text())["exit_code_by_key"].items():
            outcome = "not run" if code is None else "killed" if code in KILLED else "timed out" if code in TIMEOUT else "survived"
            outcomes[outcome] += 1
            if outcome == "survived":
                survivors.append(_mutant(path.with_suffix(""), name))
    print(f"{outcomes.total():,} mutants: " + ", ".join(f"{count:,} {word}" for word, count in outcomes.most_common()))  # noqa: T201
    bare = [mutant for mutant in survivors if mutant not in reasons]
    idle = reasons - set(survivors)
    for title, mutants in (("Survives without a reason", bare), ("A reason without a survivor", sorted(idle, key=str))):
        for mutant in mutants:
            print(f"{title}: {mutant.function}\n  - {mutant.stands}\n  + {mutant.becomes}")  # noqa: T201
    return 1 if bare or idle or outcomes["not run"] else 0


def _reasons() -> set[Mutant]:
    rows = tomllib.loads(REASONS.read_text())["survivor"]
    assert all(row["why"].strip() for row in rows)
    return {Mutant(row["function"], row["stands"], row["becomes"]) for row in rows}


def _mutant(source: Path, name: str) -> Mutant:
    """mutmut keeps each function once as it stands and once for each mutant, under mangled names."""
    module, _, mangled = name.partition(".x")
    mangled = "x" + mangled
    functions = _functions(source)
    stands = functions[re.sub(r"__mutmut_\d+$", "__mutmut_orig", mangled)]
    lines = list(difflib.unified_diff(stands, functions[mangled], lineterm="", n=0))[2:]
    plain = re.sub(r"__mutmut_\d+$", "", mangled).removeprefix("x").removeprefix("_").strip("ǁ").replace("ǁ", ".")
    return Mutant(f"{module}.{plain}", _joined(lines, "-"), _joined(lines, "+"))


def _joined(lines: list[str], sign: str) -> str:
    return " ".join(line[1:].strip() for line in lines if line.startswith(sign))


@cache
def _functions(source: Path) -> dict[str, list[str]]:
    """The lines of each function, with its own name replaced by `_`, by its mangled name."""
    text = source.read_text()
    lines, nodes = text.splitlines(), [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    return {node.name: [line.replace(node.name, "_") for line in lines[node.lineno - 1 : node.end_lineno]] for node in nodes}


if __name__ == "__main__":
    sys.exit(main())
