"""`connectory doctor`: what would stop a server or a runner from working here, found before it does.

Each module looks at one thing; `examination` says which there are and runs them, `report` shows what they found.
Nothing that a check does changes anything that lasts.
"""
