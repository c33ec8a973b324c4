"""Open a sealed message, seal it anew for somebody else, sign it, and check the certificate that came with it."""

import base64
import os
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(os.environ["SIGNING_KEY"]))
SEALER = AESGCM(bytes.fromhex(os.environ["SEALING_KEY"]))


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the message, its signature, and who sent it."""
    message = Fernet(event["key"]).decrypt(event["token"])
    signature = SIGNER.sign(message)
    nonce = os.urandom(12)
    sealed = nonce + SEALER.encrypt(nonce, message, signature)
    return {
        "message": SEALER.decrypt(sealed[:12], sealed[12:], signature).decode(),
        "sealed": len(sealed),
        "signature": base64.b64encode(signature).decode(),
        "genuine": is_genuine(SIGNER.public_key(), signature, message),
        "tampered": is_genuine(SIGNER.public_key(), signature, message + b"!"),
        "sender": read(x509.load_pem_x509_certificate(event["certificate"].encode()), event["time"]),
    }


def is_genuine(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """Tell whether the signature is the key's for just this message."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def read(certificate: x509.Certificate, time: str) -> dict[str, Any]:
    """Tell whose certificate it is, what for, and whether it was valid at that time."""
    certificate.verify_directly_issued_by(certificate)  # self-signed: raises unless the signature is its own
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return {
        "subject": certificate.subject.rfc4514_string(),
        "names": names.get_values_for_type(x509.DNSName),
        "fingerprint": certificate.fingerprint(hashes.SHA256()).hex(),
        "valid": begin <= datetime.fromisoformat(time) <= end,
    }
