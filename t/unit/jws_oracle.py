#!/usr/bin/python3
"""Signatures (RFC 7515, ES256 and RS256) against python3-cryptography: jws_oracle.py PATH/jws_tool [SEED [N]]. TAP.

Keys are random; signatures are good, changed in one bit, at the limits of their numbers, of another length or form, and by
another key; keys are malformed in each member. What cryptography says of the same numbers has to be the tool's answer."""

import base64
import json
import random
import string
import subprocess
import sys

try:
    from cryptography import __version__ as version
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
except ImportError:
    print("1..0 # SKIP no cryptography; install Debian's python3-cryptography")
    sys.exit(0)

tool = sys.argv[1]
seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20261129
total = int(sys.argv[3]) if len(sys.argv) > 3 else 600
rng = random.Random(seed)

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
DIGITS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
PRIME = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, length=None):
    return base64url(value.to_bytes(length or max(1, (value.bit_length() + 7) // 8), "big"))


# Keys of RSA take long to make.
ec_keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(8)]
rsa_keys = [rsa.generate_private_key(65537, bits) for bits in (2048, 2048, 3072, 4096)]
weak = rsa.generate_private_key(65537, 1024)
small_exponent = rsa.generate_private_key(3, 2048)


def jwk_of(key):
    numbers = key.public_key().public_numbers()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {"crv": "P-256", "kty": "EC", "x": number(numbers.x, 32), "y": number(numbers.y, 32)}
    return {"e": number(numbers.e), "kty": "RSA", "n": number(numbers.n)}


def alg_of(key):
    return "ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else "RS256"


def sign(key, data):
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verifies(key, signature, data):
    """What cryptography says of a signature in the form of RFC 7518."""
    public = key.public_key()
    try:
        if isinstance(key, rsa.RSAPrivateKey):
            if len(signature) != (public.key_size + 7) // 8:
                return False
            public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        else:
            if len(signature) != 64:
                return False
            der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
            public.verify(der, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def header_of(key, jwk=None, alg=None):
    return {"alg": alg or alg_of(key), "jwk": jwk_of(key) if jwk is None else jwk, "typ": "dbsc+jwt"}


def signed_part(header):
    claims = {"jti": "".join(rng.choice("abc-_.019\u00e9\\\"") for _ in range(rng.randint(0, 60)))}
    return ".".join(base64url(json.dumps(part, ensure_ascii=rng.random() < 0.5).encode()) for part in (header, claims))


def flipped(data, bits=1):
    data = bytearray(data)
    for _ in range(bits):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def any_key():
    return rng.choice(ec_keys if rng.random() < 0.75 else rsa_keys)


def compact(part, signature):
    return f"{part}.{base64url(signature)}"


def changed_signature(key, part):
    """Bytes in place of the signature, and what they are."""
    good = sign(key, part.encode())
    kinds = ["a changed bit", "cut", "longer", "longer in front", "another's", "random", "zeros", "ones", "empty"]
    if alg_of(key) == "ES256":
        kinds += ["r", "s", "r", "s", "the other s", "DER"] * 2
    kind = rng.choice(kinds)
    limit = rng.choice((0, 1, 2, ORDER - 1, ORDER, ORDER + 1, PRIME, 2**256 - 1))
    r, s = good[:32], good[32:]
    return kind, {
        "a changed bit": lambda: flipped(good), "cut": lambda: good[:-rng.randint(1, len(good) - 1)],
        "longer": lambda: good + bytes(rng.randint(1, 3)), "longer in front": lambda: bytes(1) + good,
        "another's": lambda: sign(rng.choice([k for k in ec_keys + rsa_keys if k is not key and alg_of(k) == alg_of(key)]),
                                  part.encode()),
        "random": lambda: rng.randbytes(len(good)), "zeros": lambda: bytes(len(good)), "ones": lambda: b"\xff" * len(good),
        "empty": lambda: b"",
        "r": lambda: limit.to_bytes(32, "big") + s, "s": lambda: r + limit.to_bytes(32, "big"),
        # (r, n - s) is a signature of the same key: ECDSA has two for each, and RFC 7518 does not choose.
        "the other s": lambda: r + (ORDER - int.from_bytes(s, "big")).to_bytes(32, "big"),
        "DER": lambda: encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big")),
    }[kind]()


def case_signature():
    key = any_key()
    part = signed_part(header_of(key))
    kind, signature = ("the signature", sign(key, part.encode())) if rng.random() < 0.3 else changed_signature(key, part)
    text = compact(part, signature)
    want = "good" if verifies(key, signature, part.encode()) else "bad"
    if len(signature) > 512:
        want = "no form"
    return f"{alg_of(key)}, {kind}", text, text if want == "no form" else compact(part, sign(key, part.encode())), want


def case_content():
    """Another text under a good signature."""
    key = any_key()
    part, other = signed_part(header_of(key)), signed_part(header_of(key))
    text = compact(other, sign(key, part.encode()))
    want = "good" if part == other else "bad"
    return f"{alg_of(key)}, another text", text, compact(part, sign(key, part.encode())), want


def case_kind():
    """A key of another algorithm than the signature."""
    one, other = rng.choice(ec_keys), rng.choice(rsa_keys)
    one, other = (one, other) if rng.random() < 0.5 else (other, one)
    part, with_key = signed_part({"alg": alg_of(one), "typ": "x"}), signed_part(header_of(other))
    return "a key of the other kind", compact(part, sign(one, part.encode())), compact(with_key, b"x"), "bad"


def off_curve():
    while True:
        x, y = rng.randrange(PRIME), rng.randrange(PRIME)
        if (y * y - x * x * x + 3 * x - 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B) % PRIME:
            return {"crv": "P-256", "kty": "EC", "x": number(x, 32), "y": number(y, 32)}


def case_jwk():
    """A malformed key in the header of what its own key has signed."""
    key = any_key()
    jwk, kinds = jwk_of(key), []
    name = rng.choice(sorted(jwk))
    kinds = ["absent", "empty", "padded", "a number", "null", "another text", "a list", "an array"]
    kinds += ["weak", "exponent", "zero in front"] if alg_of(key) == "RS256" else ["off the curve", "short", "long", "infinity"]
    kind = rng.choice(kinds)
    if kind == "absent":
        del jwk[name]
    elif kind in ("weak", "exponent"):
        key = weak if kind == "weak" else small_exponent
        jwk = jwk_of(key)
    elif kind == "zero in front":
        jwk["n"] = base64url(b"\0" + key.public_key().public_numbers().n.to_bytes(key.key_size // 8, "big"))
    elif kind == "off the curve":
        jwk = off_curve()
    elif kind == "short":
        jwk["x"] = number(rng.randrange(2**240, 2**248), 31)
    elif kind == "long":
        jwk["y"] = base64url(b"\0" + base64.urlsafe_b64decode(jwk["y"] + "="))
    elif kind == "infinity":
        jwk["x"] = jwk["y"] = number(0, 32)
    elif kind == "a list":
        jwk = [jwk]
    else:
        jwk[name] = {"empty": "", "padded": jwk[name] + "=", "a number": 1, "null": None, "another text": "A", "an array": []}[kind]
    part = signed_part(header_of(key, jwk))
    text = compact(part, sign(key, part.encode()))
    # A point has the form of a key; that it is none shows when it is used.
    want = "bad" if kind in ("off the curve", "infinity") else "no key"
    return f"{alg_of(key)}, a key whose {name} is: {kind}", text, text, want


def case_form():
    """Text that is no signature in compact form."""
    key = any_key()
    header = header_of(key)
    kind = rng.choice(("alg", "no alg", "crit", "a fourth part", "two parts", "padding", "a blank bit", "too long", "twice",
                       "a list", "no JSON", "base64", "NUL"))
    if kind == "alg":
        header["alg"] = rng.choice(("none", "HS256", "ES384", "RS512", "PS256", "es256", "", 1, None))
    elif kind == "no alg":
        del header["alg"]
    elif kind == "crit":
        header["crit"] = ["exp"]
    elif kind == "too long":
        header["more"] = "x" * 4096
    part = signed_part(header)
    if kind == "twice":
        raw = json.dumps(header)[:-1] + ', "alg": ' + json.dumps(header["alg"]) + "}"
        part = base64url(raw.encode()) + "." + part.split(".")[1]
    elif kind in ("a list", "no JSON", "NUL"):
        raw = {"a list": json.dumps([header]), "no JSON": json.dumps(header)[:-1], "NUL": json.dumps(header) + "\0"}[kind]
        part = base64url(raw.encode()) + "." + part.split(".")[1]
    text = compact(part, sign(key, part.encode()))
    if kind == "a fourth part":
        text += ".AA"
    elif kind == "two parts":
        text = part
    elif kind == "padding":
        text += "="
    elif kind == "a blank bit":
        # The last character of 64 bytes has four bits too many.
        key = rng.choice(ec_keys)
        part = signed_part(header_of(key))
        text = compact(part, sign(key, part.encode()))
        text = text[:-1] + DIGITS[DIGITS.index(text[-1]) + rng.randint(1, 15)]
    elif kind == "base64":
        text = text[:-2] + rng.choice("+/*,") + text[-1]
    return f"no form: {kind}", text, text, "no form"


def main():
    print(f"# cryptography {version}, seed {seed}")
    cases = [rng.choice((case_signature, case_signature, case_signature, case_content, case_kind, case_jwk, case_form))()
             for _ in range(total)]
    done = subprocess.run([tool], input="".join(f"{text} {key}\n" for _, text, key, _ in cases), stdout=subprocess.PIPE,
                          text=True, check=True)
    answers = done.stdout.split("\n")[:-1]
    failed = 0
    for i, (what, text, _, want) in enumerate(cases):
        said = answers[i] if i < len(answers) else "nothing"
        failed += said != want
        print(f"{'' if said == want else 'not '}ok {i + 1} - {what}: {want}")
        if said != want:
            print(f"#   said: {said}\n#   text: {text}")
    print(f"1..{total}")
    return 1 if failed or len(answers) != total else 0


sys.exit(main())
