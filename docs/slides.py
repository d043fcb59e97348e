"""Write the slides of the course: python docs/slides.py

Each lesson in docs/course ends with a section of slides. They become one HTML file per lesson and
language in build/slides, which needs no internet and prints as PDF, one page per slide.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import markdown

ROOT = Path(__file__).parent.parent
LESSONS = ROOT / "docs" / "course"
SLIDES = ROOT / "build" / "slides"
SECTION = re.compile(r"^## (?:Slides|슬라이드)$", re.MULTILINE)
PAGE = """\
<!doctype html>
<html lang="{lang}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  @page {{ size: 13.33in 7.5in; margin: 0 }}
  body {{ margin: 0; font: 4vmin/1.5 system-ui, sans-serif; color: #17212b }}
  section {{ box-sizing: border-box; min-height: 100vh; padding: 8vh 8vw; break-after: page;
    scroll-snap-align: start }}
  html {{ scroll-snap-type: y mandatory }}
  h1, h2 {{ font-size: 1.8em; line-height: 1.2; color: #00796b; margin: 0 0 0.8em }}
  li {{ margin: 0.5em 0 }}
  code {{ background: #eef2f3; padding: 0 0.2em }}
</style>
{slides}
<script>
  const moves = {{
    ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1
  }};
  addEventListener("keydown", (event) => {{
    if (!(event.key in moves)) return;
    event.preventDefault();
    const slide = Math.round(scrollY / innerHeight) + moves[event.key];
    document.querySelectorAll("section")[slide]?.scrollIntoView();
  }});
</script>
</html>
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write all slides and print their files."""
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)  # there are no options
    SLIDES.mkdir(parents=True, exist_ok=True)
    for lesson in sorted(LESSONS.glob("*lesson*.md")):
        file = SLIDES / f"{lesson.stem}.html"
        file.write_text(slides_of(lesson), encoding="utf-8")
        print(file.relative_to(ROOT))
    return 0


def slides_of(lesson: Path) -> str:
    """Return the slides of a lesson as HTML: its title and aim, then what its last section has.

    Raises:
        ValueError: if it has no slides.
    """
    text = lesson.read_text(encoding="utf-8")
    parts = SECTION.split(text)
    if len(parts) != 2:
        raise ValueError(f"{lesson} has no section of slides")
    title, _, aim = parts[0].split("\n\n")[:3]
    slides = [f"{title}\n\n{aim}", *re.split(r"^#(?=## )", parts[1].strip(), flags=re.MULTILINE)]
    sections = [f"<section>\n{markdown.markdown(each)}\n</section>" for each in slides if each]
    lang = "ko" if lesson.name.endswith(".ko.md") else "en"
    return PAGE.format(lang=lang, title=title.lstrip("# "), slides="\n".join(sections))


if __name__ == "__main__":
    sys.exit(main())
