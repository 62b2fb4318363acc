#!/usr/bin/env python3
"""Makes the certificates anew: `python3 make.py`, with `cryptography` from PyPI. They secure nothing."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

RSA = rsa.generate_private_key(65537, 2048)
SHORT = rsa.generate_private_key(65537, 1024)
P256 = ec.generate_private_key(ec.SECP256R1())

ALIPAY = [
    (NameOID.COUNTRY_NAME, "CN"),
    (NameOID.ORGANIZATION_NAME, "Ant Financial"),
    (NameOID.ORGANIZATIONAL_UNIT_NAME, "Certification Authority"),
    (NameOID.COMMON_NAME, "Ant Financial Certification Authority Class 2 R1"),
]
TENPAY = [(NameOID.COUNTRY_NAME, "CN"), (NameOID.ORGANIZATION_NAME, "Tenpay.com"), (NameOID.COMMON_NAME, "Tenpay.com Root CA")]


def name(parts):
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])


def make(file, issuer, serial, key=RSA):
    built = (
        x509.CertificateBuilder()
        .issuer_name(name(issuer))
        .subject_name(name([(NameOID.COMMON_NAME, file)]))
        .serial_number(serial)
        .public_key(key.public_key())
        .not_valid_before(datetime.datetime(2024, 1, 1))
        .not_valid_after(datetime.datetime(2034, 1, 1))
        .sign(key if key is not SHORT else RSA, hashes.SHA256())
    )
    with open(f"{file}.pem", "wb") as out:
        out.write(built.public_bytes(serialization.Encoding.PEM))


make("alipay", ALIPAY, 0x2023112200000000000000000000001)
make("wechatpay", TENPAY, 0x408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB)
make("leading-zero", TENPAY, 0x0A0B0C)
make("high-bit", TENPAY, 0xF00DF00D)
make("curve", TENPAY, 7, P256)
make("short-key", TENPAY, 8, SHORT)
make("odd-issuer", [*ALIPAY[:3], (NameOID.COMMON_NAME, "Ant, Financial")], 9)
make("mail-issuer", [*ALIPAY, (NameOID.EMAIL_ADDRESS, "a@example.com")], 10)
with open("bare.pem", "wb") as out:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    out.write(RSA.public_key().public_bytes(serialization.Encoding.PEM, spki))
with open("private.pem", "wb") as out:
    pkcs8 = serialization.PrivateFormat.PKCS8
    out.write(RSA.private_bytes(serialization.Encoding.PEM, pkcs8, serialization.NoEncryption()))
