"""Writes vectors.json: keys, and tokens that PyJWT signed with them, for the tests of services/signin to agree with.
   apt-get install python3-jwt python3-cryptography
   python3 make_vectors.py
"""

import base64
import hashlib
import hmac
import json
import pathlib

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

CLAIMS = {"sub": "ada", "exp": 4102444800, "aud": "hubbub", "iss": "https://issuer.example",
          "hubbub_rooms": ["lobby", "team-*"], "hubbub_rights": ["read", "speak"]}


def text(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value):
    return text(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def public(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM,
                                         serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def private(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


def rsa_jwk(key, kid):
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "kid": kid, "n": number(numbers.n), "e": number(numbers.e)}


secret = hashlib.sha512(b"a secret of these vectors alone").digest()
rs = rsa.generate_private_key(65537, 2048)
other_rs = rsa.generate_private_key(65537, 2048)
small_rs = rsa.generate_private_key(65537, 1024)
es = ec.generate_private_key(ec.SECP256R1())
es384 = ec.generate_private_key(ec.SECP384R1())
ed = ed25519.Ed25519PrivateKey.generate()
point = es.public_key().public_numbers()
jwks = {"keys": [
    {"kty": "oct", "kid": "hs", "k": text(secret)},
    {**rsa_jwk(rs, "rs"), "use": "sig", "alg": "RS256"},
    {"kty": "EC", "kid": "es", "crv": "P-256", "x": text(point.x.to_bytes(32, "big")),
     "y": text(point.y.to_bytes(32, "big"))},
    {"kty": "OKP", "kid": "ed", "crv": "Ed25519",
     "x": text(ed.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))},
]}
signers = {"HS256": ("hs", secret), "RS256": ("rs", rs), "ES256": ("es", es), "EdDSA": ("ed", ed)}


def by_hand(header, key):
    """A token that PyJWT would not make, signed with HMAC."""
    start = text(json.dumps(header).encode()) + "." + text(json.dumps(CLAIMS).encode())
    return start + "." + text(hmac.new(key, start.encode(), hashlib.sha256).digest())


good = []
for algorithm, (kid, key) in signers.items():
    good.append({"name": f"{algorithm} with kid", "token": jwt.encode(CLAIMS, key, algorithm, headers={"kid": kid})})
    good.append({"name": f"{algorithm} without kid", "token": jwt.encode(CLAIMS, key, algorithm)})
bad = [
    {"name": "alg none", "why": "is not signed", "token": jwt.encode(CLAIMS, None, "none")},
    {"name": "HMAC with the RSA key's PEM as secret", "why": "is not for",
     "token": by_hand({"alg": "HS256", "kid": "rs"}, public(rs).encode())},
    {"name": "HMAC with the RSA key's PEM as secret, without kid", "why": "not its issuer's",
     "token": by_hand({"alg": "HS256"}, public(rs).encode())},
    {"name": "another RSA key", "why": "not its issuer's",
     "token": jwt.encode(CLAIMS, other_rs, "RS256", headers={"kid": "rs"})},
    {"name": "a key that brings itself", "why": "not its issuer's",
     "token": jwt.encode(CLAIMS, other_rs, "RS256", headers={"jwk": rsa_jwk(other_rs, "rs")})},
    {"name": "an unknown kid", "why": "does not have",
     "token": jwt.encode(CLAIMS, rs, "RS256", headers={"kid": "nobody"})},
    {"name": "the kid of another kind of key", "why": "is not for",
     "token": jwt.encode(CLAIMS, rs, "RS256", headers={"kid": "es"})},
    {"name": "RS512", "why": "does not take", "token": jwt.encode(CLAIMS, rs, "RS512", headers={"kid": "rs"})},
    {"name": "crit", "why": "demands extensions",
     "token": jwt.encode(CLAIMS, secret, "HS256", headers={"crit": ["b64"], "b64": True})},
    {"name": "a kid that is a number", "why": "not text", "token": by_hand({"alg": "HS256", "kid": 7}, secret)},
]
pems = {"rs": public(rs), "es": public(es), "ed": public(ed), "small": public(small_rs), "es384": public(es384),
        "private": private(es)}
out = {"claims": CLAIMS, "jwks": jwks, "pems": pems, "good": good, "bad": bad}
pathlib.Path(__file__).with_name("vectors.json").write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")
