#!/usr/bin/python3
"""The part of a browser that has keys (Device Bound Session Credentials): asked line by line, with JSON.

{"key": NAME, "alg": "ES256" or "RS256", "jti": TEXT, "register": true or false, ...} -> the proof, a JWS in compact form.
A key is made when its name comes for the first time. More members: "header" and "claims" replace or add members;
"sign": NAME signs with another key than the one in the header; "der": true leaves an ES256 signature as OpenSSL makes it."""

import base64
import json
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

keys = {}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def key_of(name, alg):
    if (name, alg) not in keys:
        keys[name, alg] = ec.generate_private_key(ec.SECP256R1()) if alg == "ES256" else rsa.generate_private_key(65537, 2048)
    return keys[name, alg]


def number(value, length=None):
    return base64url(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


def jwk_of(key):
    numbers = key.public_key().public_numbers()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {"crv": "P-256", "kty": "EC", "x": number(numbers.x, 32), "y": number(numbers.y, 32)}
    return {"e": number(numbers.e), "kty": "RSA", "n": number(numbers.n)}


def sign(key, data, der):
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    signature = key.sign(data, ec.ECDSA(hashes.SHA256()))
    r, s = decode_dss_signature(signature)
    return signature if der else r.to_bytes(32, "big") + s.to_bytes(32, "big")


for line in sys.stdin:
    ask = json.loads(line)
    alg = ask.get("alg", "ES256")
    key = key_of(ask["key"], alg)
    header = {"alg": alg, "typ": "dbsc+jwt"}
    if ask.get("register"):
        header["jwk"] = jwk_of(key)
    header.update(ask.get("header", {}))
    claims = {"jti": ask["jti"], **ask.get("claims", {})}
    text = ".".join(base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    signer = key_of(ask["sign"], alg) if "sign" in ask else key
    print(text + "." + base64url(sign(signer, text.encode(), ask.get("der"))), flush=True)
