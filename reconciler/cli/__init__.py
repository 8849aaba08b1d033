"""The command line: parse → a frozen request → app → exit code. One module a command group."""
