"""`python -m pipeline`."""

import sys

from pipeline.import_path import leave_out_the_working_folder

if __name__ == "__main__":
    leave_out_the_working_folder()  # first: what the command line imports could lie there

    from pipeline.cli import main

    sys.exit(main())
