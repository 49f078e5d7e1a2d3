"""The generated pages of the documentation: written before mkdocs runs, never by a build plugin.

Every page comes out of something that is in the repository: the program's own help, the claims, the
tables of an evaluation. `python -m lab.site` writes them, `--check` says which are stale.
"""
