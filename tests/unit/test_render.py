"""The text of nginx's files."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lab.algorithms import ALGORITHMS
from lab.config import BackendSpec
from lab.models import DiffLine
from lab.nginx.binary import OPTIONAL_DIRECTIVES, NginxBinary
from lab.nginx.render import Frame, NginxFiles, Upstream, compare, render

BINARY = NginxBinary(Path("/usr/sbin/nginx"), "system", (1, 31, 3), frozenset(OPTIONAL_DIRECTIVES))
FRAME = Frame(port=8070, workers=1, read_timeout_ms=2000)
TWO = ((8071, BackendSpec()), (8072, BackendSpec()))


def rendered(
    upstream: Upstream, *, binary: NginxBinary = BINARY, frame: Frame = FRAME, generation: int = 1
) -> NginxFiles:
    return render(binary, frame, upstream, generation)


def upstream_block(files: NginxFiles) -> str:
    """From `upstream` to its closing brace."""
    start = files.site.index("upstream ")
    return files.site[start : files.site.index("}", start) + 1]


@pytest.mark.parametrize(
    ("algorithm", "method"),
    [
        ("round_robin", ""),
        ("least_conn", "    least_conn;\n"),
        ("random", "    random;\n"),
        ("random_two", "    random two least_conn;\n"),
        ("ip_hash", "    ip_hash;\n"),
        ("hash", "    hash $request_uri;\n"),
        ("hash_consistent", "    hash $request_uri consistent;\n"),
        ("least_time", "    least_time header;\n"),
    ],
)
def test_each_algorithm_has_its_upstream_block_to_the_letter(algorithm: str, method: str) -> None:
    """The method comes first, then a server line for each backend, by address and never by name."""
    assert upstream_block(rendered(Upstream(algorithm, TWO))) == (
        "upstream lablb {\n" + method + "    server 127.0.0.1:8071;\n    server 127.0.0.1:8072;\n}"
    )


def test_every_algorithm_of_the_catalogue_can_be_rendered() -> None:
    """No entry is without a template."""
    assert len({upstream_block(rendered(Upstream(each.name, TWO))) for each in ALGORITHMS}) == len(ALGORITHMS)


@pytest.mark.parametrize(
    ("spec", "parameters"),
    [
        (BackendSpec(), ""),
        (BackendSpec(weight=5), " weight=5"),
        (BackendSpec(max_fails=0), " max_fails=0"),
        (BackendSpec(fail_timeout_seconds=3), " fail_timeout=3s"),
        (BackendSpec(is_backup=True), " backup"),
        (BackendSpec(is_down=True), " down"),
        (BackendSpec(2, True, True, 3, 30), " weight=2 max_fails=3 fail_timeout=30s backup down"),
    ],
)
def test_a_server_line_says_what_differs_from_nginxs_defaults(spec: BackendSpec, parameters: str) -> None:
    """And nothing else, so that a learner sees what was asked for."""
    files = rendered(Upstream("round_robin", ((8071, spec),)))
    assert upstream_block(files) == f"upstream lablb {{\n    server 127.0.0.1:8071{parameters};\n}}"


@pytest.mark.parametrize(
    ("rules", "lines"),
    [
        (("error", "timeout"), []),
        (("error", "timeout", "http_500"), ["proxy_next_upstream error timeout http_500;"]),
        ((), ["proxy_next_upstream off;"]),
    ],
)
def test_retry_rules_are_written_where_they_arent_nginxs_own(rules: tuple[str, ...], lines: list[str]) -> None:
    """By default the site says nothing of them."""
    site = rendered(Upstream("round_robin", TWO, rules)).site
    assert [line.strip() for line in site.splitlines() if "proxy_next_upstream" in line] == lines


def test_the_site_listens_on_the_loopback_interface_alone() -> None:
    """The port is never open to the network."""
    listens = [line.strip() for line in rendered(Upstream("random", TWO)).site.splitlines() if "listen" in line]
    assert listens == ["listen 127.0.0.1:8070;"]


def test_the_main_file_counts_generations_and_workers() -> None:
    """Each line of the log can be traced to the configuration that served it."""
    files = rendered(Upstream("random", TWO), frame=replace(FRAME, workers=4), generation=17)
    assert "worker_processes 4;" in files.main
    assert "[$msec,17," in files.main


def test_what_only_some_binaries_know_is_written_for_those_alone() -> None:
    """An nginx of 2022 would refuse keepalive_min_timeout."""
    old = replace(BINARY, features=frozenset())
    assert "keepalive_min_timeout 500ms;" in rendered(Upstream("random", TWO)).main
    assert not any(name in rendered(Upstream("random", TWO), binary=old).main for name in OPTIONAL_DIRECTIVES)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has no root")
def test_workers_give_up_roots_rights_where_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only root may name a user; for anybody else nginx would warn."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("lab.nginx.render.base_folder", lambda: Path("/"))
    assert "\nuser nobody " in rendered(Upstream("random", TWO)).main
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "\nuser " not in rendered(Upstream("random", TWO)).main


def marks(lines: Sequence[DiffLine]) -> list[str]:
    return [f"{line.mark}{line.text.strip()}" for line in lines if line.mark != " "]


def test_a_diff_shows_what_came_and_what_went() -> None:
    """A weight that changed is one line out and one in, and all other lines are there unmarked."""
    before = rendered(Upstream("round_robin", TWO)).site
    after = rendered(Upstream("round_robin", ((8071, BackendSpec(weight=2)), TWO[1]))).site
    lines = compare(before, after)
    assert marks(lines) == ["-server 127.0.0.1:8071;", "+server 127.0.0.1:8071 weight=2;"]
    assert [line.text for line in lines if line.mark != "-"] == after.splitlines()
    assert [line.text for line in lines if line.mark != "+"] == before.splitlines()


def test_a_diff_of_equal_texts_has_no_marks() -> None:
    """Nothing changed is nothing marked."""
    site = rendered(Upstream("ip_hash", TWO)).site
    assert marks(compare(site, site)) == []


def test_files_are_laid_out_as_in_the_article(tmp_path: Path) -> None:
    """The site is in sites-available, and sites-enabled has a link to it."""
    files = NginxFiles("main", "site")
    files.write(tmp_path)
    enabled = tmp_path / "sites-enabled" / "lablb.conf"
    assert (tmp_path / "nginx.conf").read_text() == "main"
    assert (tmp_path / "sites-available" / "lablb.conf").read_text() == "site"
    assert enabled.is_symlink()
    assert enabled.resolve() == (tmp_path / "sites-available" / "lablb.conf").resolve()


def test_writing_again_replaces_what_was_there(tmp_path: Path) -> None:
    """The link stays a link, to the new text."""
    NginxFiles("old main", "old site").write(tmp_path)
    NginxFiles("main", "site").write(tmp_path)
    assert (tmp_path / "nginx.conf").read_text() == "main"
    assert (tmp_path / "sites-enabled" / "lablb.conf").read_text() == "site"


def test_a_copy_stands_in_where_links_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows refuses them without a privilege."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(1, "a required privilege is not held")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    NginxFiles("main", "site").write(tmp_path)
    enabled = tmp_path / "sites-enabled" / "lablb.conf"
    assert not enabled.is_symlink()
    assert enabled.read_text() == "site"
