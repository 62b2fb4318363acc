"""Django: Signer, TimestampSigner, dumps and loads, signed cookies and reset tokens, SHA-1 as before 3.1 among the digests."""

import common
from django.conf import settings

settings.configure(SECRET_KEY="unused", USE_TZ=False)

import datetime  # noqa: E402

import django  # noqa: E402

django.setup()

from django.contrib.auth.tokens import PasswordResetTokenGenerator  # noqa: E402
from django.core import signing  # noqa: E402


def make(rng):
    line = {"format": "django", "keys": [common.key(rng) for _ in range(rng.choice([1, 1, 2, 3]))]}
    if rng.random() < 0.12:
        last = rng.choice([None, "2024-05-01 12:34:56"])
        line["now"] = rng.randrange(1_000_000_000, 2_000_000_000)
        user = {"pk": str(rng.randrange(10**6)), "password": common.text(rng), "last_login": last, "email": common.text(rng)}
        return {**line, "format": "django-reset", "op": "sign", "algorithm": rng.choice(common.DIGESTS), "user": user}
    if rng.random() < 0.15:
        cookie = {"cookie": common.text(rng, 12) or "c"}
        if rng.random() < 0.3:
            cookie["salt"] = common.text(rng, 12)
        return {**line, "op": "sign", "value": common.text(rng), **cookie}
    if rng.random() < 0.8:
        line["algorithm"] = rng.choice(common.DIGESTS)
    if rng.random() < 0.6:
        line["salt"] = common.text(rng)
    if rng.random() < 0.5:
        line["sep"] = common.separator(rng)
    if rng.random() < 0.5:
        return {**line, "op": "dumps", "compress": rng.random() < 0.5, "value": common.tree(rng)}
    return {**line, "op": "sign", "timestamp": rng.random() < 0.5, "value": common.text(rng)}


def answer(line):
    if line["format"] == "django-reset":
        return reset(line)
    first, *others = line["keys"]
    opening = line["op"] in ("unsign", "loads")
    if "cookie" in line:
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = first, others
        salt, name = line.get("salt", ""), line["cookie"]
        if opening:
            return signing._unsign_cookie(line["value"], cookie_name=name, salt=salt, max_age=line.get("max_age"))
        return signing.get_cookie_signer(salt=signing._cookie_signer_salt(name, salt)).sign(line["value"])
    objects = line["op"] in ("dumps", "loads")
    timed = objects or line.get("timestamp")
    # The salt of `signing.dumps` is its own; that of a signer follows its class.
    salt = line.get("salt") or ("django.core.signing" if objects else None)
    signer = (signing.TimestampSigner if timed else signing.Signer)(
        key=first, fallback_keys=others, salt=salt, sep=line.get("sep", ":"), algorithm=line.get("algorithm")
    )
    aged = {"max_age": line["max_age"]} if "max_age" in line else {}
    match line["op"]:
        case "sign":
            return signer.sign(line["value"])
        case "unsign":
            return signer.unsign(line["value"], **aged)
        case "dumps":
            return signer.sign_object(line["value"], compress=line.get("compress", False))
        case "loads":
            return signer.unsign_object(line["value"], **aged)


class User:
    """What Django's token generator asks of a user."""

    def __init__(self, pk, password, last_login, email):
        self.pk, self.password, self.email = pk, password, email
        self.last_login = last_login and datetime.datetime.fromisoformat(last_login)

    @staticmethod
    def get_email_field_name():
        return "email"


def reset(line):
    first, *others = line["keys"]
    generator = PasswordResetTokenGenerator()
    generator.secret, generator.secret_fallbacks = first, others
    generator.algorithm = line.get("algorithm", "sha256")
    generator._now = lambda: datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=line["now"])
    settings.PASSWORD_RESET_TIMEOUT = line.get("max_age", 10**12)
    user = User(**line["user"])
    if line["op"] == "sign":
        return generator.make_token(user)
    if not generator.check_token(user, line["value"]):
        raise common.Malformed
    return user.pk


if __name__ == "__main__":
    common.main(make, answer)
