"""Banks, in both roles: the payer bank executes orders, the payee bank credits its customers."""
