// Prints the official JSON Schemas of the specification, as the installed conformance suite holds them,
// as one JSON object from revision to schema. The suite is one file of JavaScript with the schemas as
// object literals in it; nothing of it is run but those literals.
//
// usage: node official_schemas.mjs <the suite's dist/index.js>

import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";

const text = readFileSync(process.argv[2], "utf8");

/** The place behind the bracket that closes the one at `start`. */
function end(start) {
  let depth = 0;
  let quote = null;
  for (let at = start; at < text.length; at += 1) {
    const sign = text[at];
    if (quote !== null) {
      if (sign === "\\") at += 1;
      else if (sign === quote) quote = null;
    } else if (sign === "`" || sign === '"' || sign === "'") {
      quote = sign;
    } else if (sign === "{") {
      depth += 1;
    } else if (sign === "}") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  throw new Error("a literal does not end");
}

/** The schemas do not name their revision: each is known by what came with it. */
function revision(definitions) {
  if ("DiscoverRequest" in definitions) return "2026-07-28";
  if ("CreateTaskResult" in definitions) return "2025-11-25";
  if ("ElicitRequest" in definitions) return "2025-06-18";
  return "2025-03-26";
}

const schemas = {};
const opening = /\{\$schema:`[^`]*`,(?:\$defs|definitions):\{Annotations:/g;
for (const found of text.matchAll(opening)) {
  const literal = text.slice(found.index, end(found.index));
  const schema = runInNewContext(`(${literal})`);
  const name = revision(schema.$defs ?? schema.definitions);
  if (name in schemas) throw new Error(`two schemas look like ${name}`);
  schemas[name] = schema;
}
process.stdout.write(JSON.stringify(schemas));
