"""The true reason why a download failed, and the environment variable that is at work, if one is.

Requests and urllib3 wrap the error of the operating system or of OpenSSL up to four times, under names that say little.
Neither the addresses of proxies nor messages that repeat them are shown, as they may contain passwords.
"""

import os
import re
import socket
import ssl
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.exceptions import InvalidSchema, InvalidURL
from requests.utils import get_environ_proxies, select_proxy
from urllib3 import exceptions as urllib3

from vae.errors import InputError

BUNDLES = "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"
"""The variables that name a file or folder of certificates; requests takes the first that is set."""
SYSTEM = "the system's proxy setting"
"""What names the proxy if no variable does, on macOS and Windows."""


def reason(error: Exception, url: str) -> str:
    """Say why the download of an address failed, as the end of a sentence."""
    chain = _chain(error)
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return _status(error.response.status_code)
    about_certificates = type(error) is OSError or any(isinstance(cause, urllib3.SSLError) for cause in chain)
    if about_certificates and (fault := fault_of_bundle()):
        return fault
    proxy = _proxy(url)
    # A TypeError is how requests fails on a user name without a host.
    if proxy and any(
        isinstance(cause, InvalidURL | urllib3.LocationValueError | TypeError | UnicodeError) for cause in chain
    ):
        return f"{proxy} is not a valid address of a proxy, such as http://proxy.example:3128"
    if proxy and isinstance(error, InvalidSchema):
        return f"{proxy} names a SOCKS proxy; set it to an HTTP proxy, or install the Python package PySocks"
    if any(isinstance(cause, urllib3.ProxyError) for cause in chain):
        return _fault_of_proxy(chain[-1], proxy or SYSTEM)
    if isinstance(error, urllib3.HTTPError) and not isinstance(
        chain[-1], TimeoutError
    ):  # not wrapped by requests: in the middle of a file
        return "interrupted before the end"
    return _fault_of_connection(chain[-1])


def _chain(error: BaseException) -> list[BaseException]:
    """Return the error and what it wraps, the innermost last."""
    inside = (getattr(error, "reason", None), getattr(error, "original_error", None), *error.args, error.__cause__)
    inner = next((cause for cause in inside if isinstance(cause, BaseException)), None)
    return [error, *(_chain(inner) if inner else [])]


def _status(code: int) -> str:
    try:
        return f"HTTP status {code} ({HTTPStatus(code).phrase})"
    except ValueError:  # not a standard one
        return f"HTTP status {code}"


def _bundle() -> str:
    return next((name for name in BUNDLES if os.environ.get(name)), "")


def fault_of_bundle() -> str:
    """Return what is wrong with the file of certificates that a variable names, or an empty string."""
    name = _bundle()
    if not name:
        return ""
    path = Path(os.environ[name])
    try:
        if path.is_dir():
            if not any(path.glob("*.[0-9]")):
                return f"{name} names {path}, a folder without certificates that `openssl rehash` has prepared"
        else:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        return f"{name} names {path}, which is not a file of certificates in PEM format"
    except OSError as error:
        return f"{name} names {path}, which cannot be read ({error.strerror})"
    return ""


def _proxy(url: str) -> str:
    """Return the variable that names the proxy for an address, or nothing if there is no such proxy."""
    if not select_proxy(url, get_environ_proxies(url)):
        return ""
    kinds = (f"{urlsplit(url).scheme}_proxy", "all_proxy")
    names = [name for kind in kinds for name in (kind, kind.upper()) if os.environ.get(name)]
    return names[0] if names else SYSTEM


def _fault_of_proxy(cause: BaseException, variable: str) -> str:
    if refused := re.search(r"Tunnel connection failed: (\d+)", str(cause)):
        if refused[1] == "407":
            return f"the proxy that {variable} names does not accept the user name and password, or none were given"
        return f"the proxy that {variable} names refuses the connection: {_status(int(refused[1]))}"
    if isinstance(cause, ssl.SSLError) and cause.reason == "WRONG_VERSION_NUMBER":
        return f"the proxy that {variable} names does not use HTTPS itself; its address must start with http://"
    return f"the proxy that {variable} names cannot be reached: {_fault_of_connection(cause)}"


def _fault_of_connection(cause: BaseException) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        name = _bundle()
        trusted = f" by the certificates that {name} names" if name else ""
        return (
            f"its certificate is not accepted{trusted} ({cause.verify_message.rstrip('.')}); if your organisation "
            f"inspects HTTPS, REQUESTS_CA_BUNDLE must name a file with its certificates"
        )
    if isinstance(cause, ssl.SSLError):
        return f"no secure connection ({(cause.reason or 'unknown reason').replace('_', ' ').lower()})"
    if isinstance(cause, socket.gaierror):
        return "its host name has no address; is this machine connected to a network?"
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, OSError) and cause.errno:
        named = [name for name, value in os.environ.items() if value and value == cause.filename]  # SSLKEYLOGFILE
        return (f"{named[0]} names {cause.filename}: " if named else "") + os.strerror(cause.errno).lower()
    if isinstance(cause, ConnectionError):
        return "the server closed the connection without an answer"
    return f"no connection ({type(cause).__name__})"
