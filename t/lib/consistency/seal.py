"""Sealed data of rows, opened by another program than the module: what is in a seal, src/store/ddb_seal.h says."""

import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LABEL = "session-dynamodb seal"
NONCE = 12


class Keys:
    def __init__(self, secrets):
        self.keys = [AESGCM(hmac.digest(secret.encode(), LABEL.encode(), "sha256")) for secret in secrets]

    def open(self, data, row, key):
        """The data of a row with this table key; row: its attributes encoding and version, as DynamoDB has them."""
        encoding = row.get("encoding", {}).get("S")
        if not data or encoding is None:
            return data
        bound = "\n".join((LABEL, encoding, key, row["version"]["N"], "")).encode()
        for one in self.keys:
            try:
                return one.decrypt(data[:NONCE], data[NONCE:], bound)
            except InvalidTag:
                continue
        raise ValueError("no key opens the data of row %s, version %s" % (key, row["version"]["N"]))
