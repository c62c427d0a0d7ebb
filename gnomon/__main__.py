"""``python -m gnomon``."""

import sys

from gnomon.front.cli import main

if __name__ == "__main__":
    sys.exit(main())
