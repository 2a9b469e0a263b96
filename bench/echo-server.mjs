// A minimal MCP server, as fast as one can be: what is measured is the way to it.
let rest = '';
const tools = Array.from({ length: 25 }, (_, n) => ({
  name: n === 0 ? 'get_echo' : n === 1 ? 'get_bytes' : `get_thing_${n}`,
  description: 'A tool of the benchmark, described in a sentence of usual length.',
  inputSchema: { type: 'object', properties: { message: { type: 'string' }, bytes: { type: 'number' } } },
}));
const big = new Map();

process.stdin.setEncoding('utf8').on('data', (chunk) => {
  rest += chunk;
  const lines = rest.split('\n');
  rest = lines.pop();
  let out = '';
  for (const line of lines) {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined) continue;
    let result = {};
    if (method === 'initialize')
      result = {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: 'echo', version: '1' },
      };
    else if (method === 'tools/list') result = { tools };
    else if (method === 'tools/call') {
      const { bytes, message } = params.arguments;
      if (bytes !== undefined && !big.has(bytes)) big.set(bytes, 'x'.repeat(bytes));
      result = { content: [{ type: 'text', text: bytes === undefined ? message : big.get(bytes) }] };
    }
    out += `${JSON.stringify({ result, jsonrpc: '2.0', id })}\n`;
  }
  process.stdout.write(out);
});
process.stdin.on('end', () => process.exit(0));
