"""The classroom: the reward lab in a browser, for one student or a class. `python -m classroom`"""
