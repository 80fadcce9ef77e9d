"""`python -m alignbench` is the `alignbench` command."""

from alignbench.cli import main

if __name__ == "__main__":
    main()
