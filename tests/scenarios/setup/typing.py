"""Runs a program at a terminal of its own, and types answers: typing.py '[["question", "answer"], ...]' program word ...

An answer that begins with ! is a line for a shell, as somebody runs it in a second terminal before pressing Enter.

Prints what the terminal showed, and whether it shows what is typed once the program has ended.
"""

import json
import os
import pty
import select
import subprocess
import sys
import termios
import time

answers, program = json.loads(sys.argv[1]), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execv(program[0], program)

screen, seen, until = "", 0, time.monotonic() + 90
while time.monotonic() < until:
    if answers and answers[0][0] in screen[seen:] and screen.endswith(": "):
        seen = len(screen)
        answer = answers.pop(0)[1]
        if answer.startswith("!"):
            subprocess.run(answer[1:], shell=True, check=True, timeout=60)
            answer = ""
        os.write(terminal, (answer if answer == "\x03" else answer + "\n").encode())
    if not select.select([terminal], [], [], 0.1)[0]:
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            break
        continue
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    if not data:
        break
    screen += data.decode(errors="replace")
print(screen.replace("\r\n", "\n"))
if answers:
    print("never asked:", answers[0][0])
try:
    shows = termios.tcgetattr(terminal)[3] & termios.ECHO
    print("the terminal shows what is typed" if shows else "the terminal hides what is typed")
except termios.error as error:
    print("the terminal does not tell:", error)
os.kill(child, 9) if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None else None
