"""Passwords of people: how they are asked for, and their salted hashes by Argon2, which need the extra `server`."""

from __future__ import annotations

import secrets
import sys
import unicodedata

import click

from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING, USAGE
from app.shell.questions import has_terminal
from app.shell.terminal import printable

MIN_CHARACTERS = 10
MAX_CHARACTERS = 200


class Passwords:
    """Hashes of passwords, and comparisons that take as long for a person who does not exist.

    Each call takes 64 MiB and some tens of milliseconds, which is what makes guessing slow.

    Raises:
        CommandError: The extra `server` is not installed.
    """

    def __init__(self) -> None:
        try:
            from argon2 import PasswordHasher
        except ImportError as error:
            raise CommandError(
                "passwords need the package argon2-cffi, which is not installed: pip install 'prismsearch[server]'",
                MISSING,
            ) from error
        self._hasher = PasswordHasher()
        self._of_nobody = self._hasher.hash(secrets.token_hex())

    def hashed(self, password: str) -> str:
        """Return the salted hash of a password."""
        return str(self._hasher.hash(_normal(password)))

    def match(self, stored: str | None, password: str) -> bool:
        """Return whether a password is that of a stored hash; None is the hash of nobody."""
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return bool(self._hasher.verify(self._of_nobody if stored is None else stored, _normal(password)))
        except (VerificationError, InvalidHashError):
            return False


def ask_password(name: str) -> str:
    """Return a new password for a person: typed twice at a terminal, or the first line of standard input.

    Raises:
        CommandError: It is too short, too long, or the name itself.
    """
    if has_terminal():
        prompt = f"Password for {printable(name)}"
        password = str(click.prompt(prompt, hide_input=True, confirmation_prompt="The same again", err=True))
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not MIN_CHARACTERS <= len(password) <= MAX_CHARACTERS:
        raise CommandError(f"a password has {MIN_CHARACTERS} to {MAX_CHARACTERS} characters; choose another", USAGE)
    if _normal(password).casefold() == _normal(name).casefold():
        raise CommandError("the password is the name; choose another", USAGE)
    return password


def _normal(password: str) -> str:
    """Return a password in the form that all keyboards and systems agree on."""
    return unicodedata.normalize("NFKC", password.encode("utf-8", "replace").decode())
