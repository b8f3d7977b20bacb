"""Ten simultaneous requests for URL/request?x=N, as the gibbs documentation
sends them; prints how long all of them took, in seconds."""
import http.client
import sys
import threading
import time
import urllib.parse

address = urllib.parse.urlsplit(sys.argv[1]).netloc
began = []
together = threading.Barrier(10, action=lambda: began.append(time.monotonic()))


def ask(x):
    connection = http.client.HTTPConnection(address)
    together.wait()
    connection.request("GET", f"/request?x={x}")
    answer = connection.getresponse()
    answer.read()
    statuses.append(answer.status)


statuses = []
threads = [threading.Thread(target=ask, args=(x,)) for x in range(10)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
took = time.monotonic() - began[0]
if statuses != [200] * 10:
    sys.exit(f"want ten answers 200, got {statuses}")
print(round(took, 3))
