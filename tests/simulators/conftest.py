from simulators_sandbox import bank_engine, engine, sandbox

__all__ = ["bank_engine", "engine", "sandbox"]
