"""Nothing in the repository is true on one machine only."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MACHINE = re.compile(r"/work/(?:main|shared)\b|/home/(?!user\b|jovyan\b)\w+/|/Users/\w+/|/root/\w|/opt/(?:wheels|pypi)")


def _files():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / line for line in listed.stdout.splitlines()]


def test_no_file_names_a_path_of_this_machine():
    found = []
    for path in _files():
        if path == Path(__file__) or not path.is_file() or path.suffix in {".png", ".parquet", ".ico"}:
            continue
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
            if MACHINE.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    assert not found
