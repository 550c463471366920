"""What every file may hold, and what the pages for people promise."""

import re

import pytest

from tests.tree.files import PACKAGES, project_files, text_of

# Spelled so that this file does not name them either.
HOSTS = re.compile(
    r"py[p]i[.]org|python[h]osted|npm[j]s[.]|deb[i]an[.]org|crates[.]i[o]", re.IGNORECASE
)
MACHINE_PATHS = re.compile(r"/(?:work|root|farm)/[a-z.]|/home/[a-z]")
# A page runs under a policy that forbids all of these; htmx would compile the last three.
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style\b|\sstyle\s*=|\son[a-z]+\s*=|javascript:"
    r"|hx-on\b|[\"'\s]js:|hx-trigger=\"[^\"]*\[",
    re.IGNORECASE,
)


def offenders(pattern: re.Pattern[str], names: tuple[str, ...]) -> list[str]:
    """Where the pattern occurs, as file:line."""
    return [
        f"{name}:{text_of(name).count(chr(10), 0, found.start()) + 1}"
        for name in names
        for found in pattern.finditer(text_of(name))
    ]


@pytest.mark.parametrize(
    "host", ["files.python" + "hosted.org", "py" + "pi.org", "deb.Debi" + "an.org"]
)
def test_a_registry_host_would_be_seen(host: str) -> None:
    assert HOSTS.search(f"see https://{host}/x")


def test_no_file_names_a_registry_host() -> None:
    assert offenders(HOSTS, project_files()) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert MACHINE_PATHS.search("/ro" + "ot/.cache")
    assert offenders(MACHINE_PATHS, project_files()) == []


@pytest.mark.parametrize(
    "line",
    [
        "<script>go()</script>",
        "<p style='color: red'>",
        "<a onclick=go()>",
        '<a href="javascript:go()">',
        '<button hx-on:click="go()">',
        "<form hx-vals='js:{a: b}'>",
        '<input hx-trigger="keyup[go()]">',
    ],
)
def test_an_inline_script_or_style_would_be_seen(line: str) -> None:
    assert INLINE.search(line)


def test_a_template_holds_no_inline_script_or_style() -> None:
    templates = tuple(name for name in project_files() if name.endswith(".html"))
    assert templates
    assert offenders(INLINE, templates) == []


def test_every_folder_at_the_top_explains_itself() -> None:
    tops = {*PACKAGES} | {name.partition("/")[0] for name in project_files() if "/" in name}
    unexplained = {
        top for top in tops if not top.startswith(".") and f"{top}/README.md" not in project_files()
    }
    assert unexplained == set()
