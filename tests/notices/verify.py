"""Whether a web hook is signed as Standard Webhooks has it, by their own library: verify.py SECRET, with the headers and the body
as JSON on standard input. Prints the type of the event."""

import json
import sys

from standardwebhooks import Webhook

sent = json.load(sys.stdin)
# The library takes times within five minutes of now.
print(Webhook(sys.argv[1]).verify(sent["body"], sent["headers"])["type"])
