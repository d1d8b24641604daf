"""`python -m connectory_cli` is the same as `connectory`."""

from connectory_cli.main import main

main()
