"""The command line: ``docqa check | serve | revalidate | measures | doctor | migrate | reviewer``.

Exit codes: 0 accept, 10 review, 11 reject (the worst of all files), 2 bad input, 1 usage,
3 a missing dependency, 7 a run that another call is to finish, 9 a wrong configuration.
"""

from __future__ import annotations

import errno
import os
import sys

import click
from pydantic import ValidationError

from docqa import wiring
from docqa.commands.audit import verify_audit
from docqa.commands.check import check
from docqa.commands.config import config
from docqa.commands.installation import list_measures, reviewer, run_doctor, run_migrate
from docqa.commands.keys import keys
from docqa.commands.policy import policy
from docqa.commands.reseal import run_reseal
from docqa.commands.retention import list_holds, run_hold, run_purge, run_release
from docqa.commands.revalidate import revalidate, revalidations
from docqa.commands.serve import serve
from docqa.commands.speaking import (
    EXIT_BAD_INPUT,
    EXIT_CONFIGURATION,
    EXIT_INTERRUPTED,
    EXIT_MISSING,
    EXIT_USAGE,
    errors,
    problem_json,
    sentence,
    visible,
)
from docqa.commands.webhooks import webhooks
from docqa.errors import (
    DamagedData,
    InvalidDocument,
    InvalidModel,
    InvalidRequest,
    MissingDependency,
)
from docqa.revalidate import ClusterLost
from docqa.settings import Settings

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
_STDOUT = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="docqa")
def cli() -> None:
    """Tell whether documents are scanner-grade scans that say what the citizen typed."""


for command in (check, serve, revalidate, list_measures, run_doctor, run_migrate, reviewer):
    cli.add_command(command)
for command in (webhooks, keys, config):
    cli.add_command(command)
for command in (verify_audit, run_purge, run_hold, list_holds, run_release, run_reseal):
    cli.add_command(command)
for command in (revalidations, policy):
    cli.add_command(command)


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
        _say(f"{error.code}: {sentence(sentences)}")
        sys.exit(EXIT_BAD_INPUT)
    except ValidationError as error:  # of the settings; a value may be a secret
        for wrong in error.errors(include_input=False, include_url=False):
            # What follows the variable's name is pydantic's way through its parts.
            where = f"DOCQA_{str(wrong['loc'][0]).upper()}: " if wrong["loc"] else ""
            _say(f"{where}{wrong['msg']}")
        sys.exit(EXIT_CONFIGURATION)
    except MissingDependency as error:
        _say(str(error))
        sys.exit(EXIT_MISSING)
    except ClusterLost as error:
        _say(str(error))
        sys.exit(EXIT_INTERRUPTED)
    except InvalidModel as error:
        _say(f"The configuration is wrong: {error}")
        sys.exit(EXIT_CONFIGURATION)
    except DamagedData as error:
        _say(str(error))
        sys.exit(EXIT_CONFIGURATION)
    except Exception as error:
        sys.exit(_exit_code(error))


def _exit_code(error: Exception) -> int:
    """What an error of the machine ends with, once it is said; raises it where it is none."""
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        # Python writes what is left when it ends, and would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), _STDOUT)
        _say(f"{error.strerror}: make room or mend the disk, and run the same command again")
    elif isinstance(error, OSError) and error.filename is not None:
        place = visible(str(error.filename))
        _say(f"{place}: {error.strerror}: name another place, or mend this one")
    elif (told := wiring.told_by_database(error)) is not None:
        _say(
            f"The database cannot be used: {told}: make room or mend it, and run the same command"
            " again"
        )
    else:
        raise error  # about nothing that somebody named
    return EXIT_BAD_INPUT


def _say(text: str) -> None:
    errors.print(text, highlight=False, markup=False, soft_wrap=True)
