"""Every text field of every message of MCP, by the wire models that the Python SDK makes of the frozen schemas.

One line of JSON for each field of each message: the least message that has it, with a mark in the place of
the text. Whether and how such a message is sent is the business of whoever reads this.
"""

import importlib
import json
import sys

from pydantic import TypeAdapter

HERE = "\u00a7"
SENDERS = ("server", "client")
KINDS = ("Request", "Notification", "Result")
# What an answer is an answer to, where its name does not say so.
ANSWERS = {
    "CreateTaskResult": "tools/call",
    "ElicitResult": "elicitation/create",
    "InputRequiredResult": "tools/call",
    "SubscriptionsListenResult": "subscriptions/listen",
}


def addressed(name, value):
    """What can be an address is one."""
    is_one = name in ("url", "uri", "src", "websiteUrl") and isinstance(value, str)
    return f"https://a.example/{value}" if is_one else value


class Schema:
    """The schema of one union of messages."""

    def __init__(self, union):
        whole = TypeAdapter(union).json_schema(by_alias=True)
        self.named = whole.pop("$defs", {})
        self.whole = whole

    def variants(self, schema=None):
        """The messages of the union, each with its name."""
        schema = self.whole if schema is None else schema
        for one in schema.get("anyOf", schema.get("oneOf", [schema])):
            name = one.get("$ref", "").rsplit("/", 1)[-1]
            target = self.named.get(name, one)
            if "anyOf" in target:
                yield from self.variants(target)
            else:
                yield name, target

    def followed(self, schema):
        while "$ref" in schema:
            schema = self.named[schema["$ref"].rsplit("/", 1)[-1]]
        return schema

    def least(self, schema, text="x"):
        """The least value that fits."""
        schema = self.followed(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        for several in ("anyOf", "oneOf"):
            if several in schema:
                return self.least(schema[several][0])
        match schema.get("type"):
            case "string":
                return text
            case "integer" | "number":
                return max(1, schema.get("minimum", 1))
            case "boolean":
                return True
            case "array":
                return []
            case "object":
                return self.others(schema)
        return {}

    def others(self, schema, but=None):
        """The least object that fits, but for one member."""
        needed = schema.get("required", [])
        members = schema.get("properties", {})
        return {
            name: addressed(name, self.least(inner))
            for name, inner in members.items()
            if name != but and (name in needed or "const" in inner)
        }

    def fields(self, schema, place="", within=()):
        """Each place of text, with the least value that has it."""
        name = schema.get("$ref")
        if name is not None:
            if name in within:
                return
            within = (*within, name)
        schema = self.followed(schema)
        if "const" in schema or "enum" in schema:
            return
        for several in ("anyOf", "oneOf"):
            if several in schema:
                for one in schema[several]:
                    yield from self.fields(one, place, within)
                return
        match schema.get("type"):
            case "string":
                yield place, self.least(schema, HERE)
            case "array":
                for inner, value in self.fields(schema.get("items", {}), f"{place}/0", within):
                    yield inner, [value]
            case "object":
                yield from self.members(schema, place, within)
            case None:
                yield place, HERE
                yield f"{place}/any", {"any": HERE}

    def members(self, schema, place, within):
        for name, inner in schema.get("properties", {}).items():
            beside = self.others(schema, name)
            escaped = name.replace("~", "~0").replace("/", "~1")
            for at, value in self.fields(inner, f"{place}/{escaped}", within):
                yield at, {**beside, name: addressed(name, value)}
        more = schema.get("additionalProperties", False)
        if more is not False:
            beside = self.others(schema)
            more = {} if more is True else more
            for at, value in self.fields(more, f"{place}/any", within):
                yield at, {**beside, "any": value}
            yield f"{place}/{HERE}", {**beside, HERE: self.least(more)}


def methods(module):
    """What each answer is an answer to, by the name of its model."""
    found = dict(ANSWERS)
    for name in dir(module):
        fields = getattr(getattr(module, name), "model_fields", {})
        if name.endswith("Request") and "method" in fields:
            schema = TypeAdapter(getattr(module, name)).json_schema()
            found.setdefault(name.replace("Request", "Result"), schema["properties"]["method"].get("const"))
    return found


def main(revision):
    module = importlib.import_module(f"mcp_types._v{revision.replace('-', '_')}")
    answered = methods(module)
    for sender in SENDERS:
        for kind in KINDS:
            schema = Schema(getattr(module, f"{sender.capitalize()}{kind}", str))
            for name, message in schema.variants():
                members = message.get("properties", {})
                if kind == "Result":
                    method, body = answered.get(name), message
                elif "method" in members:
                    method, body = members["method"]["const"], members.get("params", {"const": None})
                else:
                    continue
                seen = set()
                for place, value in schema.fields(body):
                    line = json.dumps({"sender": sender, "kind": kind, "method": method, "name": name,
                                       "place": place, "value": value}, sort_keys=True)
                    if line not in seen:
                        seen.add(line)
                        print(line)


main(sys.argv[1])
