"""JSON Schemas (draft 2020-12) of the TOML files that a person writes, for editors.

What files may hold is decided by their readers. A schema is made of the same bounds and choices; what only a reader can
tell, such as whether there is a model of a name, it leaves out.
"""
