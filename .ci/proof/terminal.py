"""A terminal that shows nothing, so that what draws on it is all that costs.

terminal.py COLUMNS ROWS SECONDS COMMAND... runs the command in a
pseudo-terminal of that size, reads what it writes, answers what it asks
(background colour, cursor position), and presses q after so many seconds. Its
exit code is the command's."""
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

columns, rows, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
child, terminal = pty.fork()
if child == 0:
    # The size is there before the command looks for it.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.environ["TERM"] = "xterm-256color"
    os.execvp(sys.argv[4], sys.argv[4:])

leave = time.monotonic() + seconds
while True:
    ready, _, _ = select.select([terminal], [], [], max(0, leave - time.monotonic()))
    if not ready:
        os.write(terminal, b"q")
        leave = time.monotonic() + 1  # again, where it was not heard
        continue
    try:
        written = os.read(terminal, 1 << 16)
    except OSError:  # the other end is closed
        break
    if not written:
        break
    if b"\x1b]11;?" in written:
        os.write(terminal, b"\x1b]11;rgb:0000/0000/0000\x1b\\")
    if b"\x1b[6n" in written:
        os.write(terminal, b"\x1b[1;1R")

_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
