"""``python -m operate`` is the command line, too."""

from operate.cli import main

if __name__ == "__main__":
    main()
