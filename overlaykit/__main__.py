"""`python -m overlaykit`: the command line."""

from overlaykit.ui.cli import main

main(prog_name="overlaykit")
