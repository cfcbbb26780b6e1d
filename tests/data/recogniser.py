"""A recogniser of English speech, PocketSphinx, behind the words of the Vosk server: sound comes over a WebSocket as it is
spoken, guesses go back, and what was said at the end.

    /usr/bin/python3 recogniser.py ADDRESS PORT

Prints "listens", then for each connection the words it was told and what it understood, with the length of the sound.
"""

import asyncio
import audioop
import json
import sys
import tempfile

import websockets
from pocketsphinx.pocketsphinx import Decoder

MODEL = "/usr/share/pocketsphinx/model/en-us"
# The model is of sound with twice the samples of a telephone.
RATE = 16_000


def decoder(phrases):
    """One that knows nothing but these phrases."""
    config = Decoder.default_config()
    config.set_string("-hmm", f"{MODEL}/en-us")
    config.set_string("-dict", f"{MODEL}/cmudict-en-us.dict")
    config.set_string("-logfn", "/dev/null")
    made = Decoder(config)
    with tempfile.NamedTemporaryFile("w", suffix=".gram") as grammar:
        print("#JSGF V1.0; grammar menu; public <said> =", " | ".join(phrases), ";", file=grammar, flush=True)
        made.set_jsgf_file("menu", grammar.name)
    made.set_search("menu")
    return made


async def serve(socket):
    config = json.loads(await socket.recv())["config"]
    print("told", config["sample_rate"], config["language"], *config["phrase_list"], flush=True)
    hearing = decoder([phrase for phrase in config["phrase_list"] if phrase != "[unk]"])
    hearing.start_utt()
    samples, state = 0, None
    async for message in socket:
        if message == '{"eof" : 1}':
            break
        wide, state = audioop.ratecv(message, 2, 1, config["sample_rate"], RATE, state)
        hearing.process_raw(wide, False, False)
        samples += len(message) // 2
        await socket.send(json.dumps({"partial": understood(hearing)}))
    hearing.end_utt()
    said = understood(hearing)
    print(f"understood {said or 'nothing'} in {samples} samples", flush=True)
    await socket.send(json.dumps({"text": said}))


def understood(hearing):
    best = hearing.hyp()
    return best.hypstr if best else ""


async def main():
    async with websockets.serve(serve, sys.argv[1], int(sys.argv[2])):
        print("listens", flush=True)
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
