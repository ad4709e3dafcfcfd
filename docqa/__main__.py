"""The command ``docqa``, also ``python -m docqa``.

The command line is loaded when it runs, not when this module is: every decoding child imports the
module its parent was started from, and needs none of it.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    from docqa.cli import main as run

    run()


if __name__ == "__main__":
    main()
