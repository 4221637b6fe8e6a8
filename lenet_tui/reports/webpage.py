"""A Markdown document as one HTML file, style and pictures inside, so that it can be sent and read alone."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Mapping

# The page fetches and runs nothing, even if the document asks for it.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --pale: #666; --line: #ddd; --ground: #fff; --link: #0059b3; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --pale: #a0a0a0; --line: #444; --ground: #16181c; --link: #7ab8ff; }
}
body { margin: 0 auto; padding: 2rem 1rem 4rem; max-width: 46rem; font: 16px/1.55 system-ui, sans-serif;
  color: var(--ink); background: var(--ground); overflow-wrap: break-word; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
a { color: var(--link); }
img { max-width: 100%; background: #fff; border-radius: 4px; }
.table { overflow-x: auto; } table { border-collapse: collapse; font-size: .85em; width: 100%; }
th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { vertical-align: bottom; font-weight: 600; } td code { overflow-wrap: anywhere; }
pre { white-space: pre-wrap; }
@media (max-width: 34rem) { body { padding: 1rem .6rem 3rem; } table { font-size: .75em; }
  th, td { padding: .25rem .25rem; } }
@page { size: A4; margin: 18mm 16mm; }
@media print {
  :root { color-scheme: light; --ink: #000; --pale: #444; --line: #bbb; --ground: #fff; --link: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; } .table { overflow: visible; } table { font-size: 8.5pt; }
  h1, h2 { break-after: avoid; } tr, img { break-inside: avoid; }
  thead { display: table-header-group; }
}
"""


def webpage(title: str, text: str, pictures: Mapping[str, bytes]) -> str:
    """Return the HTML of a document written in Markdown; images that name one of ``pictures`` carry it inside.

    Pictures are PNG or SVG files. Links to other places than in the document, and other images, stay text.
    """
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.validateLink = lambda url: url.startswith("#") or url in pictures  # type: ignore[method-assign]
    body = reader.render(text)
    # Headings can be linked to by their words, as on most sites that show Markdown.
    body = re.sub(r"<h2>(.*?)</h2>", lambda result: f'<h2 id="{_anchor(result[1])}">{result[1]}</h2>', body)
    body = body.replace("<table>", '<div class="table"><table>').replace("</table>", "</table></div>")
    for name, content in pictures.items():
        body = body.replace(f'src="{name}"', f'src="{data_uri(content)}"')
    return html(title, body)


def html(title: str, body: str, style: str = "") -> str:
    """Return the whole page of a body that is HTML already; ``style`` is more CSS. It fetches and runs nothing."""
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    head += f'<meta name="viewport" content="width=device-width"><title>{_escaped(title)}</title>'
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head>{head}<style>{_STYLE}{style}</style></head>\n'
        f"<body>\n{body}</body></html>\n"
    )


def data_uri(picture: bytes) -> str:
    """Return the address that carries a PNG or an SVG inside."""
    kind = "svg+xml" if picture.lstrip().startswith(b"<") else "png"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
