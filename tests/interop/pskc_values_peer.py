"""The other side of pskc_values.sh: what python-pskc has not, by the Python package cryptography."""

import base64
import hashlib
import hmac
import json
import os
import sys
import xml.etree.ElementTree as ET

from cryptography import x509
from cryptography.hazmat.primitives import hashes, keywrap, padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PSKC = "{urn:ietf:params:xml:ns:keyprov:pskc}"
XENC = "{http://www.w3.org/2001/04/xmlenc#}"
HASHES = {
    "sha1": hashes.SHA1, "sha224": hashes.SHA224, "sha256": hashes.SHA256,
    "sha384": hashes.SHA384, "sha512": hashes.SHA512,
}
X = "http://www.w3.org/2001/04/xmlenc#"
X11 = "http://www.w3.org/2009/xmlenc11#"
D = "http://www.w3.org/2000/09/xmldsig#"


def oaep(digest, mgf):
    return rsa_padding.OAEP(rsa_padding.MGF1(HASHES[mgf]()), HASHES[digest](), None)


def cipher_value(element):
    text = element.find(f"{XENC}CipherData/{XENC}CipherValue").text
    return base64.b64decode("".join(text.split()))


def opened(key, element):
    method = element.find(f"{XENC}EncryptionMethod").get("Algorithm").split("#")[1]
    value = cipher_value(element)
    if method.endswith("-gcm"):
        return AESGCM(key).decrypt(value[:12], value[12:], None)
    if method.endswith("-pad"):
        return keywrap.aes_key_unwrap_with_padding(key, value)
    if method.startswith("kw-aes"):
        return keywrap.aes_key_unwrap(key, value)
    assert method.endswith("-cbc"), method
    decryptor = Cipher(algorithms.AES(key), modes.CBC(value[:16])).decryptor()
    plain = decryptor.update(value[16:]) + decryptor.finalize()
    unpadder = padding.PKCS7(128).unpadder()
    return unpadder.update(plain) + unpadder.finalize()


def read(path, key):
    """Prints serial and secret of every key; MACs are verified where there are some."""
    root = ET.parse(path).getroot()
    if not isinstance(key, bytes):
        for copy in root.iter(f"{XENC}EncryptedKey"):
            try:
                key = key.decrypt(cipher_value(copy), oaep("sha256", "sha1"))
                break
            except ValueError:
                pass
        assert isinstance(key, bytes), "no copy of the key is ours"
    mac_key = root.find(f"{PSKC}MACMethod/{PSKC}MACKey")
    mac_key = None if mac_key is None else opened(key, mac_key)
    for package in root.iter(f"{PSKC}KeyPackage"):
        secret = package.find(f".//{PSKC}Secret")
        value = secret.find(f"{PSKC}EncryptedValue")
        if mac_key is not None:
            found = base64.b64decode(secret.find(f"{PSKC}ValueMAC").text)
            assert hmac.digest(mac_key, cipher_value(value), hashlib.sha1) == found
        serial = package.find(f"{PSKC}DeviceInfo/{PSKC}SerialNo").text
        print(serial, opened(key, value).hex())


def sealed(method, more, value):
    return (
        f'<xenc:EncryptionMethod Algorithm="{method}">{more}</xenc:EncryptionMethod>'
        f"<xenc:CipherData><xenc:CipherValue>{base64.b64encode(value).decode()}"
        "</xenc:CipherValue></xenc:CipherData>"
    )


def write(path, mode, key):
    """Twenty keys, sealed by `mode`; `key` is an AES key or a certificate."""
    kind, *hash_names = mode.split("/")
    mac = b"\x07" * 20
    head = "<ds:KeyName>k</ds:KeyName>"
    if kind.startswith("rsa"):
        public = key.public_key()
        der = base64.b64encode(key.public_bytes(serialization.Encoding.DER)).decode()
        head = f"<ds:X509Data><ds:X509Certificate>{der}</ds:X509Certificate></ds:X509Data>"
    method_of = {
        "gcm": f"{X11}aes{{}}-gcm", "kwp": f"{X11}kw-aes-{{}}-pad", "rsa-1_5": f"{X}rsa-1_5",
        "rsa-oaep-mgf1p": f"{X}rsa-oaep-mgf1p", "rsa-oaep": f"{X11}rsa-oaep",
    }[kind]
    bits = len(key) * 8 if isinstance(key, bytes) else 0

    def seal(plain):
        if kind == "gcm":
            iv = os.urandom(12)
            return sealed(method_of.format(bits), "", iv + AESGCM(key).encrypt(iv, plain, None))
        if kind == "kwp":
            return sealed(
                method_of.format(bits), "", keywrap.aes_key_wrap_with_padding(key, plain)
            )
        if kind == "rsa-1_5":
            return sealed(method_of, "", public.encrypt(plain, rsa_padding.PKCS1v15()))
        digest, mgf = hash_names
        space = D if digest == "sha1" else X
        more = f'<ds:DigestMethod Algorithm="{space}{digest}"/>'
        if kind == "rsa-oaep":
            more += f'<xenc11:MGF Algorithm="{X11}mgf1{mgf}"/>'
        return sealed(method_of, more, public.encrypt(plain, oaep(digest, mgf)))

    lines = [
        f'<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc" xmlns:ds="{D}"'
        f' xmlns:xenc="{X}" xmlns:xenc11="{X11}"><EncryptionKey>{head}</EncryptionKey>'
    ]
    if kind == "rsa-1_5":
        lines.append(f'<MACMethod Algorithm="{D}hmac-sha1"><MACKey>{seal(mac)}</MACKey></MACMethod>')
    for number in range(20):
        plain = bytes(range(number, number + 20))
        value = seal(plain)
        value_mac = ""
        if kind == "rsa-1_5":
            text = value.split("CipherValue>")[1].split("<")[0]
            digest = hmac.digest(mac, base64.b64decode(text), hashlib.sha1)
            value_mac = f"<ValueMAC>{base64.b64encode(digest).decode()}</ValueMAC>"
        lines.append(
            f"<KeyPackage><DeviceInfo><SerialNo>T{number:04}</SerialNo></DeviceInfo>"
            f'<Key Id="T{number:04}" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp">'
            '<AlgorithmParameters><ResponseFormat Length="6" Encoding="DECIMAL"/>'
            f"</AlgorithmParameters><Data><Secret><EncryptedValue>{value}</EncryptedValue>"
            f"{value_mac}</Secret><Counter><PlainValue>0</PlainValue></Counter></Data></Key>"
            "</KeyPackage>"
        )
        print(f"T{number:04}", plain.hex())
    open(path, "w", encoding="utf-8").write("\n".join(lines) + "</KeyContainer>")


def key_at(path):
    data = open(path, "rb").read()
    if b"PRIVATE KEY" in data:
        return serialization.load_pem_private_key(data, None)
    if b"CERTIFICATE" in data:
        return x509.load_pem_x509_certificate(data)
    return bytes.fromhex(data.decode().strip())


action, *args = sys.argv[1:]
if action == "normalise":
    for row in sys.stdin:
        facts = json.loads(row)
        print(facts["serial"], facts["secret"])
elif action == "read":
    read(args[0], key_at(args[1]))
elif action == "write":
    write(args[0], args[1], key_at(args[2]))
else:
    sys.exit(f"unknown action {action}")
