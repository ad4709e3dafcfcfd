"""The command line: ``docqa check | serve | revalidate | measures | doctor | migrate | reviewer``.

Exit codes: 0 accept, 10 review, 11 reject (the worst of all files), 2 bad input, 1 usage,
3 a missing dependency, 9 a wrong configuration.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from docqa import doctor, measures, wiring
from docqa.catalogue import LANGUAGES, Catalogue
from docqa.errors import InvalidDocument, InvalidModel, InvalidRequest, MissingDependency
from docqa.fields import parse_claims
from docqa.pipeline import Engine, check_type
from docqa.report import to_json
from docqa.revalidate import apply, rejudge
from docqa.settings import Settings
from docqa.verdict import Decision
from docqa.worker import Worker

EXIT_BY_DECISION = {"accept": 0, "review": 10, "reject": 11}
EXIT_USAGE, EXIT_BAD_INPUT, EXIT_MISSING, EXIT_CONFIGURATION = 1, 2, 3, 9
_OVERLAY_SIDE_PX = 1600

_errors = Console(stderr=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="docqa")
def cli() -> None:
    """Tell whether documents are scanner-grade scans that say what the citizen typed."""


@cli.command()
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
@click.pass_context
def check(
    context: click.Context,
    paths: tuple[Path, ...],
    document_type: str,
    claims: Path | None,
    policy: str | None,
    as_json: bool,
    overlay: Path | None,
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


def problem_json(error: InvalidDocument | InvalidRequest, catalogue: Catalogue) -> dict[str, Any]:
    """A problem as the JSON lines carry it: the code and its sentences."""
    said = {language: catalogue.say(error.code, language, error.facts) for language in LANGUAGES}
    return {
        "code": error.code,
        "message": {language: text.message for language, text in said.items()},
        "advice": {language: text.advice for language, text in said.items()},
    }


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            inside = (found for found in sorted(path.rglob("*")) if found.is_file())
            yield from (found for found in inside if not found.name.startswith("."))
        else:
            yield path


def _progress(results: Iterator[dict[str, Any]], total: int) -> Iterator[dict[str, Any]]:
    """The same results, with a bar on stderr where that is a terminal."""
    with _bar() as bar:
        task = bar.add_task("checking", total=total)
        for result in results:
            bar.advance(task)
            yield result


def _bar() -> Progress:
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=_errors, disable=not sys.stderr.isatty())


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
            table.add_row(name, "[red]problem", "–", _sentence(problem))
        else:
            verdict = result["verdict"]
            decision = verdict["decision"]
            score = "–" if verdict["score"] is None else str(verdict["score"])
            reasons = "\n".join(_sentence(reason) for reason in verdict["reasons"])
            table.add_row(name, f"[{colours[decision]}]{decision}", score, reasons)
        yield result
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _sentence(reason: Mapping[str, Any]) -> str:
    page = f"Page {reason['page']}: " if reason.get("page") else ""
    return f"{page}{reason['message']['en']} {reason['advice']['en']}"


def _json_file(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidRequest("request.claims.not_json") from error


@cli.command()
@click.option("--host", help="Address to listen on (default: DOCQA_HOST or 127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on; 0 picks a free one.")
def serve(host: str | None, port: int | None) -> None:
    r"""Run the HTTP service and the reviewers' pages until stopped.

    \b
    docqa serve
    docqa serve --port 0
    """
    import socket

    import uvicorn

    settings = Settings()
    given = {"host": host, "port": port}
    settings = settings.model_copy(update={k: v for k, v in given.items() if v is not None})
    wiring.load_engine(settings)  # a wrong file in models/ stops the start here, with a sentence
    listener = socket.create_server((settings.host, settings.port), backlog=1024)
    address = f"http://{settings.host}:{listener.getsockname()[1]}"
    click.echo(f"docqa serves at {address}  (review: {address}/review)")
    config = uvicorn.Config("api.app:from_settings", factory=True, log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


@cli.command()
@click.option("--policy", help="Name of a policy, or path of its TOML file.")
@click.option("--apply", "writes", is_flag=True, help="Put the new reports in force.")
def revalidate(policy: str | None, writes: bool) -> None:
    r"""Judge every stored report again and print what changes; nothing is written by default.

    No picture is touched: the stored measurements are judged by the new limits.

    \b
    docqa revalidate --policy stricter.toml
    docqa revalidate --policy stricter.toml --apply
    """
    settings = Settings()
    engine = wiring.load_engine(settings, policy)
    store = wiring.open_stores(settings).documents
    total = store.count()
    with _bar() as bar:
        task = bar.add_task("judging again", total=total)

        def each() -> None:
            bar.advance(task)

        if writes:
            counts = apply(store, rejudge(store, engine), each)
        else:
            counts = _count(rejudge(store, engine), each)
    _print_transitions(counts, engine, writes)


def _count(
    transitions: Iterable[Any], each: Callable[[], None]
) -> Counter[tuple[Decision, Decision]]:
    counts: Counter[tuple[Decision, Decision]] = Counter()
    for transition in transitions:
        counts[transition.before, transition.after] += 1
        each()
    return counts


def _print_transitions(
    counts: Counter[tuple[Decision, Decision]], engine: Engine, written: bool
) -> None:
    table = Table("old \\ new", *(decision.value for decision in Decision))
    for before in Decision:
        cells = (str(counts[before, after]) for after in Decision)
        table.add_row(before.value, *cells)
    changed = sum(number for (old, new), number in counts.items() if old != new)
    state = "in force now" if written else "nothing was written; add --apply to put it in force"
    console = Console(width=None if sys.stdout.isatty() else 100)
    console.print(table)
    console.print(f"{counts.total()} documents, {changed} change under {engine.policy.id}: {state}")


@cli.command("measures")
@click.option("--policy", help="Name of a policy, or path of its TOML file.")
def list_measures(policy: str | None) -> None:
    """List the measures that ship, their outputs, units and limits."""
    engine = wiring.load_engine(Settings(), policy)
    limits = {(rule.measure, rule.output): rule for rule in engine.policy.rules}
    table = Table("measure", "output", "unit", "accept", "reject", "source of the limits")
    for name in measures.names():
        for output in measures.resolve(name).outputs.values():
            rule = limits.get((name, output.name))
            row = (f"{rule.accept:g}", f"{rule.reject:g}", rule.source) if rule else ("", "", "")
            table.add_row(name, output.name, output.unit, *row)
    Console(width=None if sys.stdout.isatty() else 120).print(table)


@cli.command("doctor")
@click.pass_context
def run_doctor(context: click.Context) -> None:
    """Say what this installation lacks and how to install it."""
    findings = doctor.examine(Settings())
    for finding in findings:
        mark = "ok     " if finding.remedy is None else "MISSING"
        click.echo(f"{mark} {finding.subject}: {finding.state}")
        if finding.remedy is not None:
            click.echo(f"        {finding.remedy}")
    context.exit(EXIT_MISSING if any(finding.remedy for finding in findings) else 0)


@cli.command("migrate")
def run_migrate() -> None:
    """Create the database, or bring its schema up to date."""
    wiring.open_stores(Settings())
    click.echo("The database is up to date.")


@cli.command()
@click.argument("name")
@click.password_option(help="Asked for on the terminal when not given.")
def reviewer(name: str, password: str) -> None:
    """Create a reviewer's account, or give it a new password."""
    wiring.add_reviewer(wiring.open_stores(Settings()), name, password)
    click.echo(f"{name} can sign in at /review.")


def main() -> None:
    """Entry point: turns every expected error into one clear line and its exit code."""
    try:
        sys.exit(cli.main(standalone_mode=False))
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except (InvalidDocument, InvalidRequest) as error:
        sentences = problem_json(error, wiring.load_catalogue(wiring.models_dir(Settings())))
        _errors.print(f"{error.code}: {_sentence(sentences)}", highlight=False)
        sys.exit(EXIT_BAD_INPUT)
    except MissingDependency as error:
        _errors.print(str(error), highlight=False)
        sys.exit(EXIT_MISSING)
    except InvalidModel as error:
        _errors.print(f"The configuration is wrong: {error}", highlight=False)
        sys.exit(EXIT_CONFIGURATION)


if __name__ == "__main__":
    main()
