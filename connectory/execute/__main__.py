"""`python -m connectory.execute`, the same program where no console script is installed."""

import sys

from connectory.execute.main import main

if __name__ == "__main__":
    sys.exit(main())
