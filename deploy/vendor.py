"""Vendor what the browser needs: take vendor.json, check the hashes, copy files and licences, build the sprite.

Run by a person when a version changes (`python deploy/vendor.py`); the results are committed and re-hashed by a test.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static" / "vendor"
SPRITE = ROOT / "static" / "icons" / "sprite.svg"
OWN_ICONS = ROOT / "static" / "icons" / "own"
_INSIDE = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


def fetch(package: dict[str, str], folder: Path) -> tarfile.TarFile:
    """The package's archive from the npm registry, if its sha512 is the one that was written down."""
    name = f"{package['package']}@{package['version']}"
    packed = subprocess.run(["npm", "pack", "--silent", name], cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603, S607
    archive = folder / packed.stdout.split()[-1]
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != package["integrity"]:
        raise SystemExit(f"{name}: the archive is {found}, not {package['integrity']}.")
    return tarfile.open(archive)


def symbol(name: str, svg: str) -> str:
    """One icon as a symbol of the sprite, without the invisible background of Tabler's files."""
    match = _INSIDE.search(svg)
    if match is None:
        raise SystemExit(f"{name} is not an SVG file.")
    inside = re.sub(r'<path stroke="none"[^>]*/>', "", match[1])
    inside = re.sub(r"\s+", " ", inside).strip()
    return f'<symbol id="{name}" viewBox="0 0 24 24">{inside}</symbol>'


def main() -> None:
    """Rebuild static/vendor and the sprite from vendor.json."""
    wanted = json.loads((ROOT / "vendor.json").read_text())
    VENDOR.mkdir(parents=True, exist_ok=True)
    symbols = []
    with tempfile.TemporaryDirectory() as temporary:
        for package in wanted["packages"]:
            with fetch(package, Path(temporary)) as archive:
                for inside, target in package["files"].items():
                    member = archive.extractfile(f"package/{inside}")
                    assert member is not None  # noqa: S101  # a file, by vendor.json
                    (VENDOR / target).write_bytes(member.read())
                for icon in package.get("icons", []):
                    member = archive.extractfile(f"package/icons/outline/{icon}.svg")
                    assert member is not None  # noqa: S101  # a file, by vendor.json
                    symbols.append(symbol(icon, member.read().decode()))
    symbols += [symbol(path.stem, path.read_text()) for path in sorted(OWN_ICONS.glob("*.svg"))]
    SPRITE.write_text('<svg xmlns="http://www.w3.org/2000/svg">' + "".join(symbols) + "</svg>\n")
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(VENDOR.iterdir()) if path.name != "sha256.json"}
    (VENDOR / "sha256.json").write_text(json.dumps(hashes, indent=2) + "\n")


if __name__ == "__main__":
    main()
