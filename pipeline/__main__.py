"""`reconcile …` and `python -m pipeline …`. An interrupt ends with 130 also while the libraries are still loading."""

import sys


def main() -> None:
    """Loads the command line and runs it."""
    try:
        from pipeline.cli import main as command_line

        command_line()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
