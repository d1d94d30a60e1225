"""Single Use Voucher Service Interface 1.14, under /suv/v1."""
