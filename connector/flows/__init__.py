"""The use cases: the disbursement walk (intake, admit, resolve, dispatch, collect, settle, notify) and its siblings."""
