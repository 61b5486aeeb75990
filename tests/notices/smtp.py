"""A mail server (aiosmtpd) for one test: smtp.py tls|starttls CERTIFICATE KEY. Prints its port, then each mail as a line of JSON.

It wants a login (porchlight, correct horse); refuses refused@example.com for good; and greylists late@example.com: the first
attempt gets 451, as a server does that wants to see whether the sender comes again.
"""

import asyncio
import base64
import json
import ssl
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult

how, certificate, key = sys.argv[1:]
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(certificate, key)
seen = set()


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address == "refused@example.com":
            return "550 5.1.1 no such user here"
        if address == "late@example.com" and address not in seen:
            seen.add(address)
            return "451 4.7.1 greylisted, please try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
        print(json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "encrypted": session.ssl is not None or how == "tls",
            "headers": {name.lower(): str(value) for name, value in mail.items()}, "parts": parts,
        }), flush=True)
        return "250 taken"


def authenticator(server, session, envelope, mechanism, data):
    well = (data.login, data.password) == (b"porchlight", b"correct horse")
    # As some do, it repeats what it was sent.
    sent = base64.b64encode(b"\0" + data.login + b"\0" + data.password).decode()
    refused = f"535 5.7.8 no such login: AUTH PLAIN {sent} ({data.password.decode()})"
    return AuthResult(success=well, handled=False, message=None if well else refused)


def protocol():
    starttls = {"tls_context": tls, "require_starttls": True} if how == "starttls" else {"auth_require_tls": False}
    return SMTP(Handler(), authenticator=authenticator, auth_required=True, hostname="localhost", **starttls)


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls if how == "tls" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
