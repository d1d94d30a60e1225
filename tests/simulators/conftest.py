from simulators_sandbox import bank_engine, engine, reports_each, sandbox

__all__ = ["bank_engine", "engine", "reports_each", "sandbox"]
