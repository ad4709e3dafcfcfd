"""``docqa revalidate`` and ``docqa revalidations``: judge stored documents again."""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console
from rich.table import Table

from docqa import wiring
from docqa.batch.progress import Progress
from docqa.batch.station import Order, Tls, cluster_station, local_station, policy_file, step_aside
from docqa.batch.whatif import import_pyarrow, open_folder, write_outcome
from docqa.commands.speaking import EXIT_BAD_INPUT, EXIT_INTERRUPTED, cluster_address, visible
from docqa.pipeline import Engine
from docqa.plan import SELECTABLE, Mode, Plan, Run, RunMoved, Selection, make_plan
from docqa.revalidate import LEFT, ClusterLost, Driver
from docqa.settings import Settings
from docqa.verdict import Decision

_OF_A_NEW_RUN = ("policy", "where", "since", "mode")
_OF_TLS = ("tls_ca_file", "tls_cert", "tls_key")


@click.command()
@click.option("--policy", help="Name of a policy, or path of its TOML file.")
@click.option(
    "--where", "where", multiple=True, metavar="NAME=VALUE",
    help=f"Only documents with this value; NAME is one of {', '.join(SELECTABLE)}.",
)  # fmt: skip
@click.option("--since", type=click.DateTime(), help="Only documents received since (UTC).")
@click.option(
    "--mode", type=click.Choice(get_args(Mode)),
    help="report, if not given, changes nothing; apply puts the new reports in force.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Print what would have to be done, and stop.")
@click.option("--resume", metavar="ID", help="Go on with this run, as it was begun.")
@click.option("--cluster", metavar="tcp://HOST:PORT", callback=cluster_address,
              help="Recompute on this Dask cluster.")  # fmt: skip
@click.option("--tls-ca-file", help="For a cluster at tls://…, with the next two.")
@click.option("--tls-cert", help="This client's certificate.")
@click.option("--tls-key", help="Its key.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path),
              help="Folder for what would change: HTML with charts, CSV, Parquet.")  # fmt: skip
@click.option("--pictures", default=12, show_default=True,
              help="Most affected documents drawn in the HTML.")  # fmt: skip
@click.option("--attended", is_flag=True, hidden=True)  # by the service: what is paused stays so
def revalidate(**options: Any) -> None:
    """Judge stored documents again, and tell or put in force what changes.

    Only what is stale is made anew: a changed limit needs no pixel, a changed measure is taken
    alone, a changed reading model reads alone. Whatever stops it, the same command goes on.

    \b
    docqa revalidate --policy stricter.toml --dry-run
    docqa revalidate --policy stricter.toml --out what-if/
    docqa revalidate --policy stricter.toml --mode apply
    """
    _refuse_what_does_not_go_together(options)
    settings = Settings()
    # Ended in order, it leaves no file of its policy behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_INTERRUPTED))
    stores = wiring.existing_stores(settings, reads_documents=True)
    with ExitStack() as stack:
        stack.callback(stores.documents.close)
        store = stores.revalidations
        resumed = store.get(options["resume"]) if options["resume"] else None
        if options["resume"] and resumed is None:
            click.echo(f"{options['resume']}: there is no such run", err=True)
            raise click.exceptions.Exit(EXIT_BAD_INPUT)
        text = resumed.policy_text if resumed else wiring.policy_text(
            wiring.models_dir(settings), options["policy"] or settings.policy
        )  # fmt: skip
        policy = stack.enter_context(policy_file(text))
        engine = wiring.load_engine(settings, policy)
        store.prepare()
        wanted = resumed or _wanted(engine, text, options)
        plan = make_plan(engine, store.tally(wanted.selection))
        if not (plan.documents or resumed):
            _tell_that_none_is_selected(engine, wanted.selection)
        _print_plan(plan)
        if options["dry_run"]:
            return
        if wanted.engine_digest != engine.digest:
            raise click.UsageError("the run was begun with other code or models; begin a new one")
        if options["out"]:  # not found to be wrong only once everything is in force
            import_pyarrow()
            open_folder(options["out"])
        run = resumed or store.unfinished(wanted) or store.begin(wanted)
        if not options["attended"]:
            store.move(run.id, "waiting", allowed=("paused", "failed"))
        step_aside()
        run = _drive(settings, stores, engine, policy, run, options)
        _finish(settings, stores, engine, policy, run, options)


def _refuse_what_does_not_go_together(options: dict[str, Any]) -> None:
    if given := [name for name in _OF_A_NEW_RUN if options["resume"] and options[name]]:
        raise click.UsageError(
            f"--resume goes on with a run as it was begun: leave out --{', --'.join(given)}"
        )
    files = [options[name] is not None for name in _OF_TLS]
    if any(files) and not (all(files) and str(options["cluster"]).startswith("tls://")):
        raise click.UsageError(
            "--tls-ca-file, --tls-cert and --tls-key go together, with --cluster tls://HOST:PORT"
        )


def _wanted(engine: Engine, text: str, options: dict[str, Any]) -> Run:
    where = []
    for condition in options["where"]:
        name, separator, value = condition.partition("=")
        if not separator or name not in SELECTABLE:
            raise click.UsageError(f"--where needs NAME=VALUE, NAME one of {', '.join(SELECTABLE)}")
        if name == "decision" and value not in list(Decision):
            raise click.UsageError(f"--where decision=VALUE: VALUE is one of {', '.join(Decision)}")
        where.append((name, value))
    since = options["since"].replace(tzinfo=UTC) if options["since"] else None
    return new_run(engine, text, options["mode"] or "report", Selection(
        datetime.now(UTC), since, tuple(sorted(where))
    ))  # fmt: skip


def _tell_that_none_is_selected(engine: Engine, selection: Selection) -> None:
    """A type that docqa does not know is refused, but only here: documents may be of an old one."""
    asked = dict(selection.where).get("document_type")
    if asked is not None and asked not in engine.document_types:
        raise click.UsageError(
            f"no document is of the type {asked}: give one of {', '.join(engine.document_types)}"
        )
    click.echo("no document is selected", err=True)


def new_run(engine: Engine, policy_text: str, mode: Mode, selection: Selection) -> Run:
    """A run that waits to be begun."""
    policy = engine.policy
    return Run("", mode, "waiting", policy.id, policy.digest, policy_text, engine.digest, selection)


def _drive(
    settings: Settings,
    stores: wiring.Stores,
    engine: Engine,
    policy: str,
    run: Run,
    options: dict[str, Any],
) -> Run:
    order = Order(run.policy_text, engine.digest, engine.limits)
    tls = None
    if options["tls_ca_file"]:
        tls = Tls(options["tls_ca_file"], options["tls_cert"], options["tls_key"])
    try:
        with ExitStack() as stack:
            progress = stack.enter_context(Progress(run, stores.revalidations))
            executor, recompute, workers = stack.enter_context(
                cluster_station(options["cluster"], tls, order)
                if options["cluster"]
                else local_station(settings, engine, policy)
            )
            driver = Driver(
                stores.revalidations, engine, executor, recompute, workers, progress.tell
            )
            return driver.drive(run)
    except (ClusterLost, RunMoved) as error:
        click.echo(f"{run.id}: {error}", err=True)
        raise click.exceptions.Exit(EXIT_INTERRUPTED) from error


def _finish(
    settings: Settings,
    stores: wiring.Stores,
    engine: Engine,
    policy: str,
    run: Run,
    options: dict[str, Any],
) -> None:
    if run.state != "done":
        click.echo(f"{run.id} is {run.state}; docqa revalidate --resume {run.id} goes on", err=True)
        raise click.exceptions.Exit(EXIT_INTERRUPTED)
    counts = stores.revalidations.counts(run.id)
    _print_transitions(counts, run)
    if left := sum(row["documents"] for row in counts if row["reason"] == LEFT):
        click.echo(
            f"{left} documents keep their reports, since their files could not be read: put that "
            "right and run the same command again",
            err=True,
        )
    if options["out"]:
        try:
            with wiring.start_worker(settings, engine, policy) as worker:
                write_outcome(options["out"], run, stores, worker, engine, options["pictures"])
        except OSError as error:  # the same command again would begin a run with nothing to do
            click.echo(
                f"{visible(str(error.filename or options['out']))}: {error.strerror or error}: the "
                f"run is done, and docqa revalidate --resume {run.id} --out DIR writes what it "
                "changed",
                err=True,
            )
            raise click.exceptions.Exit(EXIT_BAD_INPUT) from error
    if left:
        raise click.exceptions.Exit(EXIT_INTERRUPTED)


def _print_plan(plan: Plan) -> None:
    if not sys.stdout.isatty():
        line = {"event": "plan", **{name: getattr(plan, name) for name in Plan.__slots__}}
        click.echo(json.dumps(line))
        return
    click.echo(f"{plan.documents} documents: {plan.decide} only to be decided again")
    for name, number in plan.measure.items():
        click.echo(f"  {number} to be measured again by {name}")
    if plan.read:
        click.echo(f"  {plan.read} to be read again")
    if plan.inspect:
        click.echo(f"  {plan.inspect} to be inspected anew, since that failed before")


def _print_transitions(counts: list[dict[str, Any]], run: Run) -> None:
    moves: Counter[tuple[str, str]] = Counter()
    for row in counts:
        moves[row["before"], row["after"]] += row["documents"]
    changed = sum(number for (old, new), number in moves.items() if old != new)
    if not sys.stdout.isatty():
        click.echo(json.dumps({"event": "done", "id": run.id, "mode": run.mode, "total": run.total,
            "decided": run.decided, "changed": changed, "failed": run.failed,
            "transitions": counts}))  # fmt: skip
        return
    table = Table("old \\ new", *(decision.value for decision in Decision))
    for before in Decision:
        table.add_row(before.value, *(str(moves[before, after]) for after in Decision))
    state = "in force now" if run.mode == "apply" else "nothing was written: --mode apply does"
    console = Console()
    console.print(table)
    console.print(f"{run.decided} documents, {changed} change under {run.policy_id}: {state}")


@click.group()
def revalidations() -> None:
    """List, pause, resume and cancel runs of ``docqa revalidate``."""


@revalidations.command("list")
def list_runs() -> None:
    """Print every run, newest first."""
    stores = wiring.existing_stores(Settings())
    table = Table("id", "mode", "state", "policy", "decided", "recomputed", "failed")
    for run in stores.revalidations.runs():
        done = f"{run.decided} of {run.total}"
        table.add_row(
            run.id, run.mode, run.state, run.policy_id, done, str(run.recomputed), str(run.failed)
        )
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _mover(name: str, state: str, allowed: tuple[str, ...], summary: str) -> click.Command:
    @click.argument("run_id")
    def move(run_id: str) -> None:
        store = wiring.existing_stores(Settings()).revalidations
        if not store.move(run_id, state, allowed=allowed):
            click.echo(f"{run_id}: there is no such run, or it cannot be {state} now", err=True)
            raise click.exceptions.Exit(EXIT_BAD_INPUT)
        click.echo(f"{run_id} is {state}")

    return click.command(name, help=summary)(move)


revalidations.add_command(_mover(
    "pause", "paused", ("waiting", "running"), "Whoever drives the run stops after its batch."
))  # fmt: skip
revalidations.add_command(_mover(
    "resume", "waiting", ("paused", "failed"), "Let it wait for `docqa revalidate --resume ID`."
))  # fmt: skip
revalidations.add_command(_mover(
    "cancel", "cancelled", ("waiting", "running", "paused", "failed"),
    "Never go on; what is done stays.",
))  # fmt: skip
