"""An application that leads calls: asks for a customer number, says thanks and lets the caller wait in a queue; 9 ends the call."""
import asyncio
import json
import sys

import websockets

async def lead(socket, _path=None):
    async def ask(**verb):
        await socket.send(json.dumps(verb))
        return json.loads(await socket.recv())

    call = json.loads(await socket.recv())
    print("leads", call["caller"], flush=True)
    answer = await ask(verb="gather", say=["prompt:hello"], max=4, timeout_s=5)
    print("gathered", answer["digits"], answer["end"], flush=True)
    if answer["digits"].startswith("9"):
        await ask(verb="hang_up")
    else:
        await ask(verb="play", say=["prompt:thanks"])
        await ask(verb="set", fields={"customer": answer["digits"]})
        await ask(verb="queue", queue="floor")


async def main(host, port):
    async with websockets.serve(lead, host, int(port)):
        print("listens", flush=True)
        await asyncio.Future()

asyncio.run(main(*sys.argv[1:]))
