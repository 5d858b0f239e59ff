"""Run one function app in a process of its own, under whatever interpreter there is for it.

It is started as a package of its own name, by path, and imports nothing of the package that it lies in: the app brings
its own copy of that.
"""
