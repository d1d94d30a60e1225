"""The use cases.

The walk of a batch is one file a step: intake, admit, resolve (debulk), dispatch (inquire), collect, settle, notify.
Beside it: onboarding, prevalidation, status, control; ``steps`` is the table that ``worker`` carries out.
"""
