#!/usr/bin/env python3
"""A second implementation of the encoding (ENCODING.md), which recomputes the golden vectors.

It takes normalized values and phonetic codes from the vectors and computes all else: key file,
subkeys, check value, filters, tokens, blocking tokens and the stored layout. Standard library only.
"""
import base64, hashlib, hmac, json, pathlib, re, sys, tomllib
from datetime import date

HERE = pathlib.Path(__file__).parent
VECTORS = json.loads((HERE / "v1.json").read_text())
SCHEMA = tomllib.loads((HERE / VECTORS["schema"]).read_text())
KINDS = {field["name"]: field["kind"] for field in SCHEMA["field"]}


def nicknames():
    groups = {}
    for line in (HERE / "../../data/nicknames.txt").read_text().splitlines():
        line = line.split("#")[0]
        if ":" in line:
            first, others = line.split(":")
            for word in [first, *others.split(",")]:
                groups[word.strip()] = first.strip()
    return groups


NICKNAMES = nicknames()


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def read_key(text):
    line = next(l for l in text.splitlines() if l and not l.startswith("#"))
    epoch, key, check = re.fullmatch(
        r"waymark-linkage-key v1 epoch=(\d+) key=(\w+) check=(\w+)", line).groups()
    key = base64.b32decode(key + "=" * (-len(key) % 8))
    form = b"waymark-linkage-key v1" + int(epoch).to_bytes(4, "big") + key
    assert hashlib.sha256(form).hexdigest()[:8] == check
    return key, int(epoch)


KEY, EPOCH = read_key(VECTORS["key_file"])


def subkey(scope, use):
    info = "\n".join(["waymark encoding 1", f"epoch {EPOCH}",
                      f"schema {SCHEMA['schema']} {SCHEMA['version']}", scope, use])
    extracted = mac(b"waymark linkage key", KEY)
    return mac(extracted, info.encode() + b"\x01")


def scope(field):
    return f"group {field['exchange']}" if "exchange" in field else f"field {field['name']}"


def key_parts(parts):
    return [(p.split(":") + ["exact"])[:2] for p in parts]


def fingerprint():
    text = f"waymark linkage schema 1\n{SCHEMA['schema']} {SCHEMA['version']}\n"
    for f in SCHEMA["field"]:
        kind = "".join(word.capitalize() for word in f["kind"].split("_"))
        text += f"field {f['name']} {kind}"
        if s := f.get("filter"):
            positional = str(s.get("positional", False)).lower()
            text += f" filter {s['bits']} {s['grams']} {positional} {s['hashes']} {s['diffusion']}"
        text += "".join(f" token {t}" for t in f.get("tokens", []))
        text += "".join(f" bound {':'.join(part)}" for part in key_parts(f.get("bound_to", [])))
        text += f" exchange {f['exchange']}" if "exchange" in f else ""
        text += "\n"
    for b in SCHEMA["blocking"]:
        parts = [":".join(part) for part in key_parts(b["parts"])]
        text += " ".join(["blocking", b["name"], *parts]) + "\n"
    return hashlib.sha256(text.encode()).digest()


def words(digest):
    return [int.from_bytes(digest[i:i + 4], "little") for i in range(0, 32, 4)]


def input_bits(key, shape, text):
    n, bits = shape["grams"], set()
    padded = "_" * (n - 1) + text + "_" * (n - 1)
    for index in range(len(padded) - n + 1):
        place = min(index + 1, 255) if shape.get("positional") else 0
        gram, drawn, block = padded[index:index + n].encode(), [], 0
        while len(drawn) < shape["hashes"]:
            drawn += words(mac(key, bytes([block, place]) + gram))
            block += 1
        bits |= {w * shape["bits"] >> 32 for w in drawn[:shape["hashes"]]}
    return bits


def stream(key):
    counter = 0
    while True:
        yield from words(mac(key, counter.to_bytes(4, "little")))
        counter += 1


def make_filter(field, text):
    shape = field["filter"]
    bits, taps = shape["bits"], shape["diffusion"]
    inputs = input_bits(subkey(scope(field), "filter"), shape, text)
    random, deck, output = stream(subkey(scope(field), "diffusion")), [], 0
    for j in range(bits):
        if len(deck) < taps:
            deck = list(range(bits))
            for i in range(bits - 1, 0, -1):
                k = next(random) * (i + 1) >> 32
                deck[i], deck[k] = deck[k], deck[i]
        taken, deck = deck[-taps:], deck[:-taps]
        output |= (sum(t in inputs for t in taken) % 2) << j
    return output.to_bytes(bits // 8, "little")


def phonetic(text):
    return VECTORS["phonetic"].get(text) or text


def derive(kind, text, how):
    if m := re.fullmatch(r"(prefix|last)(\d+)", how):
        n = int(m[2])
        return text[:n] if m[1] == "prefix" else text[-n:]
    if m := re.fullmatch(r"(without|pair)(\d+)", how):
        at, width = int(m[2]) - 1, 1 if m[1] == "without" else 2
        kept = "" if width == 1 else "".join(sorted(text[at:at + 2]))
        return None if at + width > len(text) else text[:at] + "_" + kept + text[at + width:]
    if how == "number":
        parts = text.split(" ")
        if parts[0] == "unit":
            parts = parts[2:]
        digits = next((re.match(r"\d+", p)[0].lstrip("0") for p in parts if re.match(r"\d", p)), "")
        return digits or None
    if how in ("exact", "initial", "nickname", "phonetic"):
        return {"exact": text, "initial": text[:1], "nickname": NICKNAMES.get(text, text),
                "phonetic": phonetic(text)}[how]
    if not re.fullmatch(r"\d{8}", text):
        return None
    y, m, d = text[:4], text[4:6], text[6:]
    good_m, good_d = 1 <= int(m) <= 12, 1 <= int(d) <= 31
    if how == "swapped":
        try:
            return y + d + m if m != d and 1500 <= date(int(y), int(d), int(m)).year <= 2100 else None
        except ValueError:
            return None
    return {"year": y, "year_month": good_m and y + m, "month_day": good_m and good_d and m + d,
            "year_day": good_d and y + d}[how] or None


def token(key, message):
    return mac(key, message)[:8].hex()


def messages(parts, normalized):
    """The messages of the combinations of the forms of parts; none where a part is missing."""
    groups = {field["name"]: field.get("exchange") for field in SCHEMA["field"]}
    forms, count = [], 1
    for name, how in parts:
        value = normalized.get(name, {"text": None, "parts": []})
        texts = [t for t in [value["text"], *value["parts"]] if t is not None]
        derived = {derive(KINDS[name], t, how) for t in texts} - {None}
        forms.append(sorted(derived, key=str.encode))
        count *= len(forms[-1])
    for c in range(min(count, 16)):
        chosen = []
        for options in forms:
            chosen.append(options[c % len(options)])
            c //= len(options)
        for group in {(groups[n], how) for n, how in parts if groups[n]}:
            places = [i for i, (n, how) in enumerate(parts) if (groups[n], how) == group]
            for i, text in zip(places, sorted((chosen[i] for i in places), key=str.encode)):
                chosen[i] = text
        yield b"".join(map(with_length, chosen))


def with_length(text):
    return len(text.encode()).to_bytes(4, "little") + text.encode()


def encode_field(field, normalized):
    text, tokens = normalized[field["name"]]["text"], []
    bound_to = key_parts(field.get("bound_to", []))
    bound = next(messages(bound_to, normalized), None)
    for how in field.get("tokens", []):
        form = derive(field["kind"], text, how)
        is_bound = bound_to and how != "exact"
        use = ("bound/" if is_bound else "token/") + ("exact" if how == "swapped" else how)
        if form is None or is_bound and bound is None:
            tokens.append(None)
            continue
        message = with_length(form) + bound if is_bound else form.encode()
        tokens.append(token(subkey(scope(field), use), message))
    return {"filter": make_filter(field, text).hex() if "filter" in field else None, "tokens": tokens}


def blocking_tokens(normalized):
    found = set()
    for number, key in enumerate(SCHEMA["blocking"]):
        secret = subkey("record", "blocking/" + key["name"])
        found |= {(number, token(secret, m)) for m in messages(key_parts(key["parts"]), normalized)}
    return [list(t) for t in sorted(found, key=lambda t: (t[0], bytes.fromhex(t[1])[::-1]))]


def layout(fields, blocking):
    presence, body = [], b""
    for field in SCHEMA["field"]:
        encoded = fields.get(field["name"])
        presence.append(encoded is not None)
        if encoded:
            presence += [t is not None for t in encoded["tokens"]]
            body += bytes.fromhex((encoded["filter"] or "") + "".join(filter(None, encoded["tokens"])))
    bits = sum(bit << i for i, bit in enumerate(presence))
    body += b"".join(bytes([number]) + bytes.fromhex(t) for number, t in blocking)
    return (bits.to_bytes((len(presence) + 7) // 8, "little") + body).hex()


def main():
    check = mac(subkey("record", "check"), b"waymark key check value" + fingerprint())[:16].hex()
    assert fingerprint().hex() == VECTORS["schema_fingerprint"], "schema fingerprint"
    assert check == VECTORS["key_check_value"], "key check value"
    for number, record in enumerate(VECTORS["records"]):
        normalized = record["normalized"]
        fields = {f["name"]: encode_field(f, normalized)
                  for f in SCHEMA["field"] if f["name"] in normalized}
        for name, encoded in fields.items():
            assert encoded == record["fields"][name], f"record {number}, field {name}"
        assert fields.keys() == record["fields"].keys(), f"record {number}, fields"
        assert blocking_tokens(normalized) == record["blocking"], f"record {number}, blocking"
        assert layout(fields, record["blocking"]) == record["bytes"], f"record {number}, layout"
    print(f"{len(VECTORS['records'])} records agree")


if __name__ == "__main__":
    sys.exit(main())
