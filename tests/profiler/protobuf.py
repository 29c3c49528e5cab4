# SPDX-License-Identifier: MIT
"""Decodes pprof's profile.proto without symbols, and checks that what refers to each other is there."""


def numbers(data):
    """The varints of a packed field."""
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        yield value


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        shift, at = shift + 7, at + 1
        if byte < 128:
            return value, at


def fields(data):
    """The fields of a message: {number: [values in their order]}."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
            assert len(value) == length, "cut off"
        else:
            raise AssertionError(f"a field of type {key & 7}")
        found.setdefault(key >> 3, []).append(value)
    return found


def one(message, number):
    values = message.get(number, [0])
    assert len(values) == 1, (number, values)
    return values[0]


class Profile:
    """The lists `types`, `mappings` and `samples`, each a list of dictionaries or tuples with the strings in place."""

    def __init__(self, data):
        top = fields(data)
        strings = [text.decode("utf-8") for text in top[6]]
        assert strings[0] == ""
        self.types = [(strings[one(fields(each), 1)], strings[one(fields(each), 2)]) for each in top[1]]
        self.mappings = {}
        for each in map(fields, top.get(3, [])):
            mapping = {"start": one(each, 2), "end": one(each, 3), "offset": one(each, 4),
                       "file": strings[one(each, 5)], "build_id": strings[one(each, 6)]}
            assert one(each, 1) not in self.mappings and mapping["start"] < mapping["end"]
            self.mappings[one(each, 1)] = mapping
        locations = {}
        for each in map(fields, top.get(4, [])):
            address, mapping = one(each, 3), self.mappings.get(one(each, 2))
            assert one(each, 1) not in locations
            assert mapping is None or mapping["start"] <= address < mapping["end"]
            locations[one(each, 1)] = (address, mapping)
        self.samples = []
        for each in map(fields, top.get(2, [])):
            labels = {strings[one(label, 1)]: strings[one(label, 2)] or (one(label, 3), strings[one(label, 4)])
                      for label in map(fields, each.get(3, []))}
            self.samples.append({"locations": [locations[number] for number in numbers(one(each, 1))],
                                 "values": list(numbers(one(each, 2))), "labels": labels})
        self.drop_frames, self.period = strings[one(top, 7)], one(top, 12)
        self.default_type, self.period_type = strings[one(top, 14)], strings[one(fields(one(top, 11)), 1)]
