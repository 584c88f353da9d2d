"""``python -m benchmarks [NAME] [OPTIONS]``: NAME is authentication, sign_in, scale, …."""

import runpy
import sys


def main() -> None:
    has_name = len(sys.argv) > 1 and not sys.argv[1].startswith("-")
    name = sys.argv.pop(1) if has_name else "authentication"
    runpy.run_module(f"benchmarks.{name}", run_name="__main__")


main()
