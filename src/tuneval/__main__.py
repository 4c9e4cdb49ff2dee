"""`python -m tuneval`."""

from tuneval.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
