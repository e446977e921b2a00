// What both clients do: connect, list, call, read, and say what they saw. A failure is said too.
export async function drive(connect) {
  const [url, token, tool, argumentsText, resource] = process.argv.slice(2);
  const seen = {};
  try {
    const client = await connect(new URL(url), { Authorization: `Bearer ${token}` });
    seen.server = client.getServerVersion();
    seen.tools = (await client.listTools()).tools.map((listed) => listed.name);
    seen.call = await client.callTool({ name: tool, arguments: JSON.parse(argumentsText) });
    if (resource) seen.read = await client.readResource({ uri: resource });
    await client.close();
  } catch (error) {
    seen.error = { message: String(error.message ?? error), code: error.code, data: error.data };
  }
  console.log(JSON.stringify(seen));
  process.exit(0);
}
