"""``docqa check``: judge files."""

from __future__ import annotations

import hashlib
import json
import statistics
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from docqa import wiring
from docqa.batch.checking import (
    LOCKED,
    Lines,
    below,
    came_of,
    common_folder,
    in_order,
    line_of,
    lines_at,
    refuse_what_is_no_file,
    walk,
)
from docqa.batch.station import Order, inspect_on_node, report_of
from docqa.batch.station import cluster as on_cluster
from docqa.catalogue import Catalogue
from docqa.commands.speaking import (
    EXIT_BAD_INPUT,
    EXIT_BY_DECISION,
    cluster_address,
    problem_json,
    progress_bar,
    sentence,
    unreadable_json,
    visible,
)
from docqa.errors import InvalidDocument, InvalidRequest
from docqa.fields import parse_claims
from docqa.pipeline import Engine, check_type, faulty_report
from docqa.report import Report, to_json
from docqa.revalidate import ClusterLost
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
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append JSON reports to this file; files that stand in it are skipped.",
)
@click.option("--cluster", metavar="tcp://HOST:PORT", callback=cluster_address,
              help="Judge on this Dask cluster.")  # fmt: skip
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
    out: Path | None,
    cluster: str | None,
) -> None:
    """Judge files, and every file in folders, and print a table.

    With --out it may be stopped at any moment, and the same command goes on: it judges what is not
    in the file, or stands there as unreadable or failed. The last line of a file counts.

    \b
    docqa check scan.jpg
    docqa check --type sy-id-back --claims claims.json --overlay seen/ back.png
    docqa check --json uploads/ > reports.jsonl
    docqa check --out reports.jsonl archive/
    """
    _refuse_together(as_json, claims, overlay, out, cluster)
    settings = Settings()
    engine = wiring.load_engine(settings, policy)
    check_type(engine, document_type)
    typed = _typed(engine, document_type, claims)
    came: set[str] = set()
    left: Counter[str] = Counter()
    spent: list[Mapping[str, float]] = []
    root = common_folder(paths)
    with ExitStack() as stack:
        lines, files = None, _not_drawn(walk(paths, left), overlay)
        if out is not None:
            judge = (engine.policy.digest, engine.digest, document_type)
            lines = stack.enter_context(lines_at(out, judge))
            files = _left(lines, out, files, came)
        if cluster:
            opened = _on_nodes(settings, engine, policy, (document_type, typed, cluster), files)
        else:
            pictures = None if overlay is None else (overlay, root)
            opened = _here(settings, engine, policy, (document_type, typed, pictures), files)
        results = _progress(stack.enter_context(opened))
        if lines is not None:
            results = _kept(lines, results)
        else:
            results = _print_lines(results) if as_json else _print_table(list(results), root)
        for outcome in results:
            came.add(came_of(outcome))
            if timings:
                spent.append(outcome.get("timings_ms", {}))
    if spent:
        _print_timings(spent)
    _tell_of(left, came, paths)
    context.exit(_exit_code(came))


def _refuse_together(
    as_json: bool, claims: Path | None, overlay: Path | None, out: Path | None, cluster: str | None
) -> None:
    if cluster and overlay:
        raise click.UsageError("--overlay draws here: it does not go with --cluster")
    if as_json and out:
        raise click.UsageError("--out holds the JSON lines: leave out --json")
    if claims and out:
        raise click.UsageError(
            "--claims are one citizen's: a file of many reports cannot tell what was typed for each"
        )


def _typed(engine: Engine, document_type: str, claims: Path | None) -> dict[str, str]:
    """The claims; refused where the type has none of them: every document would pass unread."""
    typed = parse_claims(_json_file(claims), datetime.now(UTC).date()) if claims else {}
    having = [
        one.id
        for one in engine.document_types.values()
        if any(field.name in typed for field in one.fields)
    ]
    if typed and document_type not in having:
        raise click.UsageError(
            f"{document_type} has none of the claims: say by --type what the document is, "
            f"one of {', '.join(sorted(having))}"
        )
    return typed


def _not_drawn(files: Iterable[Path], overlay: Path | None) -> Iterator[Path]:
    """The files without the pictures in ``overlay``, which may lie in a folder that is judged."""
    drawn = None if overlay is None else overlay.resolve()
    return (path for path in files if drawn is None or drawn not in path.resolve().parents)


def _left(lines: Lines, out: Path, files: Iterable[Path], came: set[str]) -> Iterator[Path]:
    """The files that do not stand in ``out`` yet; what came of the others goes to ``came``."""
    for path in files:
        before = lines.outcome(path)
        if before is not None:
            came.add(before)
        elif not _is_same(path, out):
            yield path


def _is_same(path: Path, out: Path) -> bool:
    try:
        return path.samefile(out)
    except OSError:  # it vanished, or may not be reached: whoever reads it says so
        return False


@contextmanager
def _on_nodes(
    settings: Settings,
    engine: Engine,
    policy: str | None,
    asked: tuple[str, Mapping[str, str], str],
    files: Iterable[Path],
) -> Iterator[Iterator[dict[str, Any]]]:
    """Results of a cluster's nodes, which see the files at the same places."""
    document_type, claims, address = asked
    text = wiring.policy_text(wiring.models_dir(settings), policy or settings.policy)
    judge = partial(
        inspect_on_node, Order(text, engine.digest, engine.limits), document_type, claims
    )
    with on_cluster(address, None) as (executor, workers):
        found = in_order(executor, judge, files, window=3 * workers)
        yield (_from_node(engine, document_type, path, future) for path, future in found)


@contextmanager
def _here(
    settings: Settings,
    engine: Engine,
    policy: str | None,
    asked: tuple[str, Mapping[str, str], tuple[Path, Path] | None],
    files: Iterable[Path],
) -> Iterator[Iterator[dict[str, Any]]]:
    """Results of this process's children.

    Pictures are asked for by their folder and by the folder whose files they are of. Raises OSError
    where theirs cannot be made; one picture that cannot be kept later stops nothing.
    """
    if (pictures := asked[2]) is not None:
        pictures[0].mkdir(parents=True, exist_ok=True)
    with (
        wiring.start_worker(settings, engine, policy) as worker,
        ThreadPoolExecutor(settings.workers) as threads,
    ):

        def judge(path: Path) -> dict[str, Any]:
            return _judge(worker, engine.catalogue, path, *asked)

        found = in_order(threads, judge, files, window=3 * settings.workers)
        yield ({**future.result(), "file": str(path)} for path, future in found)


def _from_node(
    engine: Engine, document_type: str, path: Path, future: Future[Report]
) -> dict[str, Any]:
    def failed(fault: str) -> Report:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return faulty_report(engine, digest, document_type, fault)

    try:
        report = report_of(future, failed)
    except InvalidDocument as error:
        return {"file": str(path), "problem": problem_json(error, engine.catalogue)}
    except OSError as error:
        if isinstance(error, FileNotFoundError) and path.is_file():
            raise ClusterLost(
                "a Dask worker does not see the files: give a folder that nodes share"
            ) from error
        return {"file": str(path), "problem": unreadable_json(error)}
    return {"file": str(path), **to_json(report, engine.catalogue, is_kept=False)}


def _tell_of(left: Counter[str], came: set[str], paths: Iterable[Path]) -> None:
    """Say what was left out, of which what should have been readable is a problem; or that there
    was nothing.
    """
    if left:
        told = ", ".join(f"{number} {why}" for why, number in sorted(left.items()))
        click.echo(f"left out: {told}", err=True)
    if left[LOCKED]:
        came.add("problem")
    if not came:
        named = visible(" ".join(map(str, paths)))
        click.echo(f"{named} holds no files: is it the right folder?", err=True)


def _kept(lines: Lines, results: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for result in results:
        lines.add(result)
        yield result


def _exit_code(came: Set[str]) -> int:
    """Bad input, as nothing at all is, outweighs every decision; of decisions the worst wins."""
    if "problem" in came or not came:
        return EXIT_BAD_INPUT
    return max(EXIT_BY_DECISION[decision] for decision in came)


def _judge(
    worker: Worker,
    catalogue: Catalogue,
    path: Path,
    document_type: str,
    claims: Mapping[str, str],
    pictures: tuple[Path, Path] | None,
) -> dict[str, Any]:
    try:
        refuse_what_is_no_file(path)
        found = worker.inspect_file(path, document_type=document_type, claims=claims)
    except InvalidDocument as error:
        return {"file": str(path), "problem": problem_json(error, catalogue)}
    except OSError as error:
        return {"file": str(path), "problem": unreadable_json(error)}
    report = to_json(found, catalogue, is_kept=False)
    if pictures is not None:
        try:
            _draw(worker, path, report, pictures)
        except (OSError, InvalidDocument) as error:
            why = error.strerror if isinstance(error, OSError) else error
            click.echo(f"no picture of {visible(str(path))}: {why}", err=True)
    return {"file": str(path), **report}


def _draw(
    worker: Worker, path: Path, report: Mapping[str, Any], pictures: tuple[Path, Path]
) -> None:
    overlay, root = pictures
    folder = overlay / below(root, path).parent  # two folders may hold files of equal names
    folder.mkdir(parents=True, exist_ok=True)
    for page in report["pages"]:
        drawn = worker.page_picture(
            path, page=page["index"], max_side_px=_OVERLAY_SIDE_PX, report=report
        )
        name = f"{path.stem}{path.suffix.replace('.', '-')}-{page['index']}.png"
        (folder / name).write_bytes(drawn)


def _progress(results: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The same results, with a bar on stderr where that is a terminal."""
    with progress_bar() as bar:
        task = bar.add_task("checking", total=None)
        for result in results:
            bar.advance(task)
            yield result


def _print_lines(results: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for result in results:
        click.echo(line_of(result), nl=False)
        yield result


def _print_table(results: Iterable[dict[str, Any]], root: Path) -> Iterator[dict[str, Any]]:
    table = Table("file", "decision", "score", "why, and what to do", show_lines=True)
    colours = {"accept": "green", "review": "yellow", "reject": "red"}
    for result in results:
        name = escape(visible(str(below(root, Path(result["file"])))))
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
    if table.rows:
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
        return json.loads(path.read_text(encoding="utf-8-sig"))  # as some editors save it
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("request.claims.not_json") from error
