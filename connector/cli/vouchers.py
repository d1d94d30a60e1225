"""``isogate vouchers``: what can be done about vouchers from a shell."""

import typer

from connector.cli import voucher_desk, voucher_files, voucher_keys, voucher_papers

app = typer.Typer(help="Vouchers, their files and keys.", no_args_is_help=True)
voucher_desk.register(app)
voucher_papers.register(app)
voucher_files.register(app)
app.add_typer(voucher_keys.app, name="keys")
