"""``docqa check``: judge files."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from docqa import wiring
from docqa.catalogue import Catalogue
from docqa.commands.speaking import (
    EXIT_BAD_INPUT,
    EXIT_BY_DECISION,
    problem_json,
    progress_bar,
    sentence,
)
from docqa.errors import InvalidDocument, InvalidRequest
from docqa.fields import parse_claims
from docqa.pipeline import check_type
from docqa.report import to_json
from docqa.settings import Settings
from docqa.worker import Worker

_OVERLAY_SIDE_PX = 1600


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--type", "document_type", default="a4-generic", help="What the document is.")
@click.option(
    "--claims",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file with what the citizen typed.",
)
@click.option("--policy", help="Name of a policy, or path of its TOML file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON report per line on stdout.")
@click.option(
    "--overlay",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for pictures of the pages with what was found drawn on.",
)
@click.option("--timings", is_flag=True, help="Say where the time went, stage by stage.")
@click.pass_context
def check(
    context: click.Context,
    paths: tuple[Path, ...],
    document_type: str,
    claims: Path | None,
    policy: str | None,
    as_json: bool,
    overlay: Path | None,
    timings: bool,
) -> None:
    r"""Judge files, and every file in folders, and print a table.

    \b
    docqa check scan.jpg
    docqa check --type sy-id-back --claims claims.json --overlay seen/ back.png
    docqa check --json uploads/ > reports.jsonl
    """
    settings = Settings()
    engine = wiring.load_engine(settings, policy)
    check_type(engine, document_type)
    typed = parse_claims(_json_file(claims)) if claims else {}
    files = list(_files(paths))
    worst = 0
    spent: list[Mapping[str, float]] = []
    with wiring.start_worker(settings, engine, policy) as worker:

        def judge(path: Path) -> dict[str, Any]:
            return _judge(worker, engine.catalogue, path, document_type, typed, overlay)

        with ThreadPoolExecutor(settings.workers) as threads:
            results = _progress(threads.map(judge, files), len(files))
            if not as_json:
                results = iter(list(results))
            shown = _print_lines(results) if as_json else _print_table(results)
            for outcome in shown:
                worst = _worse(worst, outcome)
                spent.append(outcome.get("timings_ms", {}))
    if timings:
        _print_timings(spent)
    context.exit(worst)


def _worse(worst: int, outcome: Mapping[str, Any]) -> int:
    """Bad input outweighs every decision; of decisions the worst wins."""
    code = (
        EXIT_BAD_INPUT if "problem" in outcome else EXIT_BY_DECISION[outcome["verdict"]["decision"]]
    )
    return EXIT_BAD_INPUT if EXIT_BAD_INPUT in (worst, code) else max(worst, code)


def _judge(
    worker: Worker,
    catalogue: Catalogue,
    path: Path,
    document_type: str,
    claims: Mapping[str, str],
    overlay: Path | None,
) -> dict[str, Any]:
    try:
        found = worker.inspect_file(path, document_type=document_type, claims=claims)
    except InvalidDocument as error:
        return {"file": str(path), "problem": problem_json(error, catalogue)}
    report = to_json(found, catalogue)
    if overlay is not None:
        overlay.mkdir(parents=True, exist_ok=True)
        for page in report["pages"]:
            drawn = worker.page_picture(
                path, page=page["index"], max_side_px=_OVERLAY_SIDE_PX, report=report
            )
            name = f"{path.stem}{path.suffix.replace('.', '-')}-{page['index']}.png"
            (overlay / name).write_bytes(drawn)
    return {"file": str(path), **report}


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            inside = (found for found in sorted(path.rglob("*")) if found.is_file())
            yield from (found for found in inside if not found.name.startswith("."))
        else:
            yield path


def _progress(results: Iterator[dict[str, Any]], total: int) -> Iterator[dict[str, Any]]:
    """The same results, with a bar on stderr where that is a terminal."""
    with progress_bar() as bar:
        task = bar.add_task("checking", total=total)
        for result in results:
            bar.advance(task)
            yield result


def _print_lines(results: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for result in results:
        click.echo(json.dumps(result, ensure_ascii=False))
        yield result


def _print_table(results: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    table = Table("file", "decision", "score", "why, and what to do", show_lines=True)
    colours = {"accept": "green", "review": "yellow", "reject": "red"}
    for result in results:
        name = Path(result["file"]).name
        if "problem" in result:
            problem = result["problem"]
            table.add_row(name, "[red]problem", "–", sentence(problem))
        else:
            verdict = result["verdict"]
            decision = verdict["decision"]
            score = "–" if verdict["score"] is None else str(verdict["score"])
            reasons = "\n".join(sentence(reason) for reason in verdict["reasons"])
            table.add_row(name, f"[{colours[decision]}]{decision}", score, reasons)
        yield result
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _print_timings(timings: Sequence[Mapping[str, float]]) -> None:
    """The median of each stage over the files, to stderr; measures are parts of ``measures``."""
    table = Table("stage", "median ms", "most ms")
    for stage in sorted({stage for one in timings for stage in one}):
        spent = [one[stage] for one in timings if stage in one]
        table.add_row(stage, f"{statistics.median(spent):.1f}", f"{max(spent):.1f}")
    Console(stderr=True, width=None if sys.stderr.isatty() else 80).print(table)


def _json_file(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidRequest("request.claims.not_json") from error
