"""The classroom: the sandbox in a browser, for one student or a class. `python -m classroom`"""
