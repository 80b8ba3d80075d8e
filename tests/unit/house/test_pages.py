"""The pages: a link between them leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_to_a_file(page: Path) -> None:
    links = [target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", page.read_text()) if "://" not in target]

    missing = [link for link in links if link and not (page.parent / link).exists()]

    assert missing == []
