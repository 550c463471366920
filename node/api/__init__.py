"""The doors for programs: our own API and the federation's; actions told in HTTP."""
