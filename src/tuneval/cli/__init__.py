"""The command line: it parses, calls a room, and shows what came back.

One file per command and one row per command in `main.COMMANDS`; `console` draws.
May import every room, and does so inside the command, so that help stays quick.
"""
