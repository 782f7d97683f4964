# peer.py QPACK_INTEROP QIF...: header lists through our encoder and pylsqpack's decoder, and the other way round, under many
# settings. Prints a line per list file; exit code 1 when something does not come out as it went in.
import os
import struct
import subprocess
import sys
import tempfile

import pylsqpack

SETTINGS = [(capacity, blocked, ack) for capacity in (0, 220, 256, 512, 4096, 16384) for blocked in (0, 1, 100)
            for ack in (0, 1)]


def read_qif(path):
    lists, lines = [], []
    for line in open(path, "rb").read().split(b"\n"):
        if line.startswith(b"#"):
            continue
        if line:
            name, _, value = line.partition(b"\t")
            lines.append((name, value))
        elif lines:
            lists.append(lines)
            lines = []
    return lists + ([lines] if lines else [])


def blocks(data):
    at = 0
    while at < len(data):
        stream, size = struct.unpack(">QI", data[at:at + 12])
        yield stream, data[at + 12:at + 12 + size]
        at += 12 + size


def decode(data, capacity, blocked, late):
    """What pylsqpack makes of our file; `late`: the encoder stream's bytes come in pieces, after the sections they are for."""
    decoder = pylsqpack.Decoder(capacity, blocked)
    result, held = {}, []

    def section(stream, body):
        try:
            result[stream] = decoder.feed_header(stream, body)[1]
        except pylsqpack.StreamBlocked:
            pass

    def instructions(body):
        for i in range(0, len(body), 7):
            for stream in decoder.feed_encoder(body[i:i + 7]):
                result[stream] = decoder.resume_header(stream)[1]

    for stream, body in blocks(data):
        if stream == 0 and late:
            held.append(body)
        elif stream == 0:
            instructions(body)
        else:
            section(stream, body)
            for one in held:
                instructions(one)
            held = []
    return [result[stream] for stream in sorted(result)]


def encode(lists, capacity, blocked, path):
    """pylsqpack's encoder, which hears at once of everything, into a file."""
    encoder, decoder = pylsqpack.Encoder(), pylsqpack.Decoder(capacity, blocked)
    with open(path, "wb") as out:
        def block(stream, body):
            if body:
                out.write(struct.pack(">QI", stream, len(body)) + body)

        control = encoder.apply_settings(capacity, blocked)
        block(0, control)
        decoder.feed_encoder(control)
        for number, lines in enumerate(lists, 1):
            control, body = encoder.encode(number, lines)
            block(0, control)
            block(number, body)
            decoder.feed_encoder(control)
            encoder.feed_decoder(decoder.feed_header(number, body)[0])


def main():
    program, wrong = sys.argv[1], 0
    for qif in sys.argv[2:]:
        lists, passed = read_qif(qif), 0
        for capacity, blocked, ack in SETTINGS:
            name = "%s %d.%d.%d" % (os.path.basename(qif), capacity, blocked, ack)
            made = subprocess.run([program, "encode", qif, str(capacity), str(blocked), str(ack)], stdout=subprocess.PIPE)
            for late in (False, True) if blocked else (False,):
                same = made.returncode == 0 and decode(made.stdout, capacity, blocked, late) == lists
                passed += same
                if not same:
                    print("peer.py: %s: pylsqpack decodes it to something else" % name, file=sys.stderr)
                    wrong += 1
            if not ack:
                continue
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "encoded")
                encode(lists, capacity, blocked, path)
                back = subprocess.run([program, "decode", path, str(capacity), str(blocked)], stdout=subprocess.PIPE)
                again = os.path.join(folder, "decoded")
                open(again, "wb").write(back.stdout)
                same = back.returncode == 0 and read_qif(again) == lists
                passed += same
                if not same:
                    print("peer.py: %s: we decode what pylsqpack encoded to something else" % name, file=sys.stderr)
                    wrong += 1
        print("%s: %d runs with pylsqpack, each way" % (os.path.basename(qif), passed))
    return 1 if wrong else 0


sys.exit(main())
