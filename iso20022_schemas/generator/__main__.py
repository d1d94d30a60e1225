"""``python -m iso20022_schemas.generator [MESSAGE ...]``: writes the schema files, all or those named."""

import sys

from iso20022_schemas.catalogue import OWN_FOLDER
from iso20022_schemas.generator import messages, writer


def main(chosen: list[str]) -> None:
    """Write the files and say which."""
    for message in chosen or sorted((*messages.FROM_TABLES, *messages.by_hand())):
        content = writer.write(messages.definitions(message))
        (OWN_FOLDER / f"{message}.xsd").write_bytes(content)
        sys.stdout.write(f"{message}.xsd: {len(content)} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1:])
